from __future__ import annotations

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.models.media import MediaFit, MediaMix, MediaPanel, calibrated
from allocator.tables.sample.panels import collinear_panel, demand_panel, regional_panel
from tests.models.media.worlds import panel_of, plain_panel

QUICK = MediaMix(refits=20)


@pytest.fixture(scope="module")
def fitted() -> tuple[MediaPanel, MediaFit]:
    panel = panel_of(regional_panel(201, regions=8, weeks=80))
    return panel, QUICK.fit(panel, draws=60, seed=1)


def test_known_parameters_come_back_from_little_noise() -> None:
    rng = np.random.default_rng(3)
    spend = 1000 * rng.gamma(2, 0.5, (6, 120, 2))
    pressure = np.empty_like(spend)
    decay = np.array([0.3, 0.6])
    level = spend[:, :8].mean(axis=1)
    for week in range(120):
        level = decay * level + (1 - decay) * spend[:, week]
        pressure[:, week] = level
    brought = np.array([4000.0, 2500.0]) * pressure / (pressure + np.array([1500.0, 700.0]))
    outcome = 10_000 + brought.sum(axis=2) + rng.standard_normal((6, 120))
    fit = QUICK.fit(plain_panel(outcome, spend, ("tv", "search")), draws=50, seed=1)
    np.testing.assert_allclose(fit.decay, decay, atol=0.01)
    for channel, half, ceiling in (("tv", 1500, 4000), ("search", 700, 2500)):
        assert fit.parameters[channel]["half_saturation"] == pytest.approx(6 * half, rel=0.05)
        assert fit.value(channel, [6000])[0] == pytest.approx(6 * ceiling * 1000 / (1000 + half), rel=0.05)
    np.testing.assert_allclose(fit.fitted, outcome, rtol=1e-3)


def test_the_value_is_the_mean_of_its_draws(fitted: tuple[MediaPanel, MediaFit]) -> None:
    _, fit = fitted
    spend = np.linspace(0, 3 * fit.current[0], 7)
    draws = fit.value_draws("tv", spend)
    assert draws.shape == (60, 7)
    np.testing.assert_array_equal(fit.value("tv", spend), draws.mean(axis=0))
    assert (fit.value("tv", [0.0]) == 0).all()
    assert (np.diff(draws, axis=1) > 0).all()
    assert fit.is_concave("tv")
    step = 1e-4 * spend[3]
    rise = fit.value("tv", spend[3:4] + step) - fit.value("tv", spend[3:4] - step)
    np.testing.assert_allclose(fit.marginal("tv", spend[3:4]), rise / (2 * step), rtol=1e-5)


def test_parts_add_up_and_media_never_take_away(fitted: tuple[MediaPanel, MediaFit]) -> None:
    panel, fit = fitted
    np.testing.assert_allclose(fit.baseline + fit.contribution.sum(axis=2), fit.fitted)
    assert (fit.contribution >= 0).all()
    assert fit.holdout.n_periods == 16
    assert np.corrcoef(fit.fitted.ravel(), panel.outcome.ravel())[0, 1] > 0.9
    np.testing.assert_allclose(fit.current, panel.spend[:, -52:].sum(axis=(0, 1)) / 52)


@pytest.mark.parametrize("saturation", ["log", "power", "hill"])
def test_other_shapes_and_zero_spends_stay_finite(saturation: str) -> None:
    world = regional_panel(202, regions=3, weeks=60)
    spend = world.spend.copy()
    spend[:, ::3, 0] = 0
    spend[0, :, 1] = 0
    panel = plain_panel(world.outcome, spend, world.channels)
    fit = MediaMix(saturation=saturation, s_shaped=True, refits=20).fit(panel, draws=30, seed=1)
    for channel in world.channels:
        assert np.isfinite(fit.value_draws(channel, [0.0, 10.0, 1e5])).all()
        assert np.isfinite(fit.marginal_draws(channel, [0.0, 10.0, 1e5])).all()


def test_a_threshold_is_found_and_marked_only_where_it_is_allowed() -> None:
    rng = np.random.default_rng(4)
    spend = 100 * rng.uniform(0, 2, (6, 100, 1))
    outcome = (
        1000 + 500 * spend[:, :, 0] ** 3 / (spend[:, :, 0] ** 3 + 100**3) + rng.standard_normal((6, 100))
    )
    panel = plain_panel(outcome, spend, ("tv",))
    assert QUICK.fit(panel, draws=30, seed=1).is_concave("tv")
    bent = MediaMix(s_shaped=True, refits=20).fit(panel, draws=30, seed=1)
    assert not bent.is_concave("tv")
    assert bent.parameters["tv"]["exponent"] == pytest.approx(3, abs=0.4)


def codes(panel: MediaPanel) -> set[str]:
    return {finding.code for finding in QUICK.fit(panel, draws=60, seed=1).findings}


def test_warnings_are_raised_where_they_belong() -> None:
    assert not codes(panel_of(regional_panel(203))) & {"W422", "W424"}
    assert "W422" in codes(panel_of(collinear_panel(203)))
    assert "W424" in codes(panel_of(demand_panel(203)))
    assert "W423" in codes(panel_of(regional_panel(203)).total())


def test_hardly_varied_spend_is_told() -> None:
    world = regional_panel(204, regions=4, weeks=60)
    spend = world.spend.copy()
    spend[:, :, 2] = spend[:, :, 2].mean(axis=1, keepdims=True)
    fit = QUICK.fit(plain_panel(world.outcome, spend, world.channels), draws=60, seed=1)
    told = [finding.what for finding in fit.findings if finding.code == "W423"]
    assert any("varied little" in what and "social" in what for what in told)


def test_an_experiment_moves_the_curve_by_its_precision(fitted: tuple[MediaPanel, MediaFit]) -> None:
    _, fit = fitted
    at = float(fit.current[1])
    old = fit.value_draws("search", at)[:, 0]
    sure = calibrated(fit, "search", at, 1.3 * old.mean(), 0.001 * old.mean())
    assert sure.value("search", at)[0] == pytest.approx(1.3 * old.mean(), rel=0.01)
    vague = calibrated(fit, "search", at, 1.3 * old.mean(), 100 * old.mean())
    assert vague.value("search", at)[0] == pytest.approx(old.mean(), rel=0.02)
    none = calibrated(fit, "search", at, -0.5 * old.mean(), 0.5 * old.mean())
    assert 0 < none.value("search", at)[0] < old.mean()
    np.testing.assert_array_equal(sure.value("tv", at), fit.value("tv", at))
    np.testing.assert_allclose(sure.baseline + sure.contribution.sum(axis=2), sure.fitted)
    far = calibrated(fit, "search", at, 9 * old.mean(), 0.1 * old.mean())
    assert far.calibrations[0].apart > 2
    assert far.findings[-1].code == "W404"
    with pytest.raises(DataError):
        calibrated(fit, "radio", at, 1.0, 1.0)
