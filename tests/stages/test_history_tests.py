"""A channel with a history and an experiment: the curve rests on both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import allocator as al
from tests.small_history import history_project
from tests.small_project import Project

WEEKS = 12  # of the horizon
MARGIN = 0.4
CUSTOMERS = 4000
COST = 4.5  # a contact each in 12 weeks: 1,500 a week
EFFECT = 2.0  # margin of a contact; the history says about 6.7


def contacts(effect: float, seed: int = 1) -> bytes:
    """A test in which a contact by TV brings so much margin, next to no noise in it."""
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(CUSTOMERS) % 2)
    revenue = 20 + rng.normal(0, 1, CUSTOMERS) + arm * effect / MARGIN
    name = np.where(arm == 1, "tv", "control")
    lines = [f"c{i},{name[i]},{revenue[i]:.3f}" for i in range(CUSTOMERS)]
    return ("\n".join(["customer_id,arm,revenue", *lines]) + "\n").encode()


def written(case: Project, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return case.write(folder)


def project_of(effect: float, cost: str = f", cost_per_contact: {COST}") -> Project:
    case = history_project()
    case.set("  spend_history:", "  experiments: {path: contacts.csv, window: 12 weeks}\n  spend_history:")
    case.set("tv: {response: {source: history}}", f"tv: {{response: {{source: history}}{cost}}}")
    case.files["contacts.csv"] = contacts(effect)
    return case


def curve_of(case: Project, folder: Path) -> tuple[float, al.Forecast]:
    """Margin over the horizon of 1,500 a week on TV."""
    forecast = al.fit(al.load_scenario(written(case, folder)))
    (tv,) = [one for one in forecast.curves if one.channel == "tv"]
    return float(tv.curve.at(1500.0 * WEEKS)), forecast


def test_a_clear_experiment_moves_the_curve_to_what_it_found(tmp_path: Path) -> None:
    alone, _ = curve_of(project_of(EFFECT, cost=""), tmp_path / "alone")
    both, forecast = curve_of(project_of(EFFECT), tmp_path / "both")
    assert alone == pytest.approx(MARGIN * 2000 * WEEKS, rel=0.2)  # revenue of 2,000 a week, by history
    assert both == pytest.approx(EFFECT * CUSTOMERS, rel=0.1)
    (told,) = [one for one in forecast.warnings if one.code == "W431"]
    assert "tv" in told.what
    assert "cost_per_contact" in (told.fix or "")


def test_without_a_cost_of_a_contact_history_stands_alone(tmp_path: Path) -> None:
    _, forecast = curve_of(project_of(EFFECT, cost=""), tmp_path)
    assert not [one for one in forecast.warnings if one.code == "W431"]


def test_other_channels_keep_their_curves(tmp_path: Path) -> None:
    def search(case: Project, name: str) -> float:
        forecast = al.fit(al.load_scenario(written(case, tmp_path / name)))
        (one,) = [one for one in forecast.curves if one.channel == "search"]
        return float(one.curve.at(12_000.0))

    assert search(project_of(EFFECT), "with") == search(project_of(EFFECT, cost=""), "without")


def test_an_arm_that_corrects_history_is_not_called_unused(tmp_path: Path) -> None:
    case = project_of(EFFECT)
    case.set("  search:", "  letter: {cost_per_contact: 1, response: {source: experiment}}\n  search:")
    case.edit(
        "contacts.csv",
        lambda lines: [line.replace(",tv,", ",letter,") if i % 3 else line for i, line in enumerate(lines)],
    )
    _, forecast = curve_of(case, tmp_path)
    assert not [one for one in forecast.warnings if one.code == "W405"]
    assert [one for one in forecast.warnings if one.code == "W431"]


def test_a_control_that_is_not_there_is_refused(tmp_path: Path) -> None:
    case = project_of(EFFECT)
    case.set("window: 12 weeks", "window: 12 weeks, control: nobody")
    with pytest.raises(al.DataError, match="E307"):
        curve_of(case, tmp_path)
