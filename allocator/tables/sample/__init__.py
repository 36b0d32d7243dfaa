"""A made-up retailer whose truth is known: the example project runs on it, models are judged by it."""

from allocator.tables.sample.benchmark import true_curves
from allocator.tables.sample.contacts import ARMS, CONTACT_COST, Arm
from allocator.tables.sample.files import SEED, write_sample
from allocator.tables.sample.media import MEDIA, Medium
from allocator.tables.sample.world import POPULATION, Truth, World, simulate

__all__ = [
    "ARMS",
    "CONTACT_COST",
    "MEDIA",
    "POPULATION",
    "SEED",
    "Arm",
    "Medium",
    "Truth",
    "World",
    "simulate",
    "true_curves",
    "write_sample",
]
