"""What is said of a forecast: nothing that was not learned, and the same noise in figure and warning."""

from __future__ import annotations

import numpy as np

from allocator.models.clv.leaderboard import Leaderboard
from allocator.models.clv.level import Level
from allocator.models.clv.record import ForecastRecord, PartRecord
from allocator.models.drift import DriftReport, calibration_drift
from allocator.report.forecasting import drift_figure, model_figures


def words(level: Level) -> str:
    record = ForecastRecord("bg_nbd", (PartRecord("bg_nbd", 1.0),), level, Leaderboard(chosen="bg_nbd"))
    return " ".join(line for figure in model_figures(record) for line in figure.remarks)


def test_a_level_is_learned_from_windows_only_where_there_were_any() -> None:
    assert "1.250 times" in words(Level(1.25, 0.1, 26.0))
    assert "times" not in words(Level())
    assert "20%" in words(Level())


def test_an_aged_forecast_is_off_by_more_than_the_chance_it_names() -> None:
    expected = np.full(400, 10.0)
    came = calibration_drift(expected, 2 * expected, forecast_error=0.2)
    (line, *_) = drift_figure(DriftReport((), came)).remarks
    (warning,) = DriftReport((), came).findings
    assert "(± 0.52 by chance)" in line
    assert "± 52% by chance" in warning.what
