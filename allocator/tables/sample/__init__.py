"""A made-up retailer whose truth is known: the example project runs on it, models are judged by it."""

from allocator.tables.sample.benchmark import true_curves
from allocator.tables.sample.contacts import ARMS, CONTACT_COST, Arm
from allocator.tables.sample.files import SEED, write_sample
from allocator.tables.sample.media import MEDIA, Medium
from allocator.tables.sample.optimum import Optimum, best_margin, best_plan
from allocator.tables.sample.world import POPULATION, Truth, World, simulate
from allocator.tables.sample.worlds import WORLDS, ContactWorld, simulate_world

__all__ = [
    "ARMS",
    "CONTACT_COST",
    "MEDIA",
    "POPULATION",
    "SEED",
    "WORLDS",
    "Arm",
    "ContactWorld",
    "Medium",
    "Optimum",
    "Truth",
    "World",
    "best_margin",
    "best_plan",
    "simulate",
    "simulate_world",
    "true_curves",
    "write_sample",
]
