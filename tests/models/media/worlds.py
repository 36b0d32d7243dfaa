"""Histories for the tests of response curves."""

from __future__ import annotations

import numpy as np

from allocator.models.media import MediaPanel
from allocator.tables.sample.panels import MediaWorld


def panel_of(world: MediaWorld) -> MediaPanel:
    return MediaPanel(
        world.outcome,
        world.spend,
        world.channels,
        world.controls,
        ("promotion",),
        world.regions,
        7.0,
        world.starts,
    )


def plain_panel(outcome: np.ndarray, spend: np.ndarray, channels: tuple[str, ...]) -> MediaPanel:
    """A panel without controls."""
    groups, periods = outcome.shape
    return MediaPanel(
        outcome,
        spend,
        channels,
        np.zeros((groups, periods, 0)),
        (),
        tuple(f"g{at}" for at in range(groups)),
        7.0,
        np.datetime64("2023-01-02") + 7 * np.arange(periods),
    )
