"""What curves from history keep to, whatever the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.models.media import MediaFit, MediaMix, MediaPanel
from allocator.tables.sample.panels import regional_panel
from tests.models.media.worlds import panel_of

MIX = MediaMix(refits=20)


@pytest.fixture(scope="module")
def panel() -> MediaPanel:
    return panel_of(regional_panel(301, regions=4, weeks=70))


@pytest.fixture(scope="module")
def fit(panel: MediaPanel) -> MediaFit:
    return MIX.fit(panel, draws=40, seed=5)


def test_the_same_input_gives_the_same_bits(panel: MediaPanel, fit: MediaFit) -> None:
    again = MIX.fit(panel, draws=40, seed=5)
    np.testing.assert_array_equal(again.value_draws("tv", [50.0]), fit.value_draws("tv", [50.0]))


def test_the_unit_of_money_does_not_matter(panel: MediaPanel, fit: MediaFit) -> None:
    cents = MIX.fit(replace(panel, spend=100 * panel.spend, outcome=100 * panel.outcome), draws=40, seed=5)
    for channel, current in zip(panel.channels, fit.current, strict=True):
        np.testing.assert_allclose(
            cents.value(channel, 100 * current), 100 * fit.value(channel, current), rtol=1e-3
        )
        np.testing.assert_allclose(
            cents.marginal(channel, 100 * current), fit.marginal(channel, current), rtol=1e-3
        )


def test_the_order_of_channels_does_not_matter(panel: MediaPanel, fit: MediaFit) -> None:
    back = replace(panel, spend=panel.spend[:, :, ::-1], channels=panel.channels[::-1])
    turned = MIX.fit(back, draws=40, seed=5)
    for channel, current in zip(panel.channels, fit.current, strict=True):
        np.testing.assert_allclose(turned.value(channel, current), fit.value(channel, current), rtol=1e-2)


def test_the_calendar_does_not_matter(panel: MediaPanel, fit: MediaFit) -> None:
    later = MIX.fit(replace(panel, starts=panel.starts + 91), draws=40, seed=5)
    np.testing.assert_allclose(later.value("tv", [50.0]), fit.value("tv", [50.0]), rtol=1e-6)
