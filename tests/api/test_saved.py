"""Forecasts in a folder: the same plan comes of them, and nothing but a forecast is read or replaced."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import allocator as al
from allocator.errors import DataError
from tests.small_project import project


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> al.Scenario:
    return al.load_scenario(project().write(tmp_path_factory.mktemp("small")))


@pytest.fixture(scope="module")
def forecast(scenario: al.Scenario) -> al.Forecast:
    return al.fit(scenario)


@pytest.fixture(scope="module")
def saved(forecast: al.Forecast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    forecast.save(folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def test_what_is_read_back_gives_the_same_plan(
    scenario: al.Scenario, forecast: al.Forecast, saved: Path
) -> None:
    again = al.Forecast.load(saved, scenario)
    assert al.solve(scenario, again).to_json() == al.solve(scenario, forecast).to_json()


def test_it_tells_the_same(scenario: al.Scenario, forecast: al.Forecast, saved: Path) -> None:
    again = al.Forecast.load(saved, scenario)
    assert again.to_json() == forecast.to_json()
    assert again.to_text() == forecast.to_text()
    assert again.warnings == forecast.warnings
    for name in ("clv", "intervals", "leaderboard", "survival", "by_month", "tiers", "effects"):
        left, right = getattr(again, name), getattr(forecast, name)
        pd.testing.assert_frame_equal(left, right, check_exact=True, check_dtype=False)


def test_a_forecast_read_back_can_be_saved_again(saved: Path, tmp_path: Path) -> None:
    al.Forecast.load(saved).save(tmp_path / "again")
    for path in sorted(saved.rglob("*")):
        if path.is_file():
            twin = tmp_path / "again" / path.relative_to(saved)
            assert twin.read_bytes() == path.read_bytes(), path.name


def test_a_forecast_without_its_scenario_is_no_text(saved: Path) -> None:
    again = al.Forecast.load(saved)
    assert "email" in repr(again)
    assert str(again) == repr(again)
    with pytest.raises(DataError, match="E209"):
        again.to_json()


def test_curves_edited_by_hand_stay(forecast: al.Forecast, copy: Path) -> None:
    curves = copy / "curves.csv"
    curves.write_text(curves.read_text() + "\n")
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(DataError, match="E011"):
        forecast.save(copy)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
    forecast.save(copy, force=True)
    assert curves.read_bytes() != before[curves]


def test_a_second_save_replaces_the_whole(forecast: al.Forecast, saved: Path, copy: Path) -> None:
    (copy / "forecast" / "leftover.txt").write_text("old")
    record = copy / "forecast" / "record.json"
    record.write_text("{}")
    forecast.save(copy)
    names = sorted(path.relative_to(saved) for path in saved.rglob("*"))
    assert sorted(path.relative_to(copy) for path in copy.rglob("*")) == names
    assert record.read_bytes() == (saved / "forecast" / "record.json").read_bytes()


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_that_name_that_is_no_forecast_stays(
    forecast: al.Forecast, tmp_path: Path, force: bool
) -> None:
    own = tmp_path / "forecast" / "weather.csv"
    own.parent.mkdir()
    own.write_text("sunny")
    with pytest.raises(DataError, match="E011"):
        forecast.save(tmp_path, force=force)
    assert own.read_text() == "sunny"


def edited(change: Callable[[dict], object]) -> Callable[[Path], object]:
    def edit(place: Path) -> None:
        data = json.loads((place / "record.json").read_text(encoding="utf-8"))
        change(data)
        (place / "record.json").write_text(json.dumps(data), encoding="utf-8")

    return edit


def written(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda place: (place / name).write_bytes(content)


def with_column(name: str, column: str, value: object) -> Callable[[Path], None]:
    def edit(place: Path) -> None:
        pd.read_parquet(place / name).assign(**{column: value}).to_parquet(place / name)

    return edit


BROKEN: dict[str, Callable[[Path], object]] = {
    "no text": written("record.json", b"\xff\xfe\x00"),
    "empty": written("record.json", b""),
    "a list": written("record.json", b"[]"),
    "very deep": written("record.json", b"[" * 200_000),
    "of another version": edited(lambda data: data.update(schema="allocator.forecast/99")),
    "without a record": edited(lambda data: data.pop("record")),
    "a record of something else": edited(lambda data: data["record"].update(tiers="gold")),
    "an outlook of something else": edited(lambda data: data["outlook"].update(judged=[1])),
    "no curves": lambda place: (place / "curves.parquet").unlink(),
    "curves that are none": written("curves.parquet", b"PAR1" + bytes(64) + b"PAR1"),
    "curves cut off": lambda place: (place / "curves.parquet").write_bytes(
        (place / "curves.parquet").read_bytes()[:-30]
    ),
    "curves of another rule": with_column("curves.parquet", "combine", "multiply"),
    "curves without evidence": with_column("curves.parquet", "evidence", None),
    "a shape to run": with_column("curves.parquet", "shape", "__import__('os')"),
    "customers that are none": written("customers.parquet", b"what Python reads as a pickle: \x80\x04."),
    "other customers": lambda place: pd.DataFrame({"a": [1]}).to_parquet(place / "customers.parquet"),
}


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
def test_a_broken_one_is_refused_in_one_line(copy: Path, spoil: Callable[[Path], object]) -> None:
    spoil(copy / "forecast")
    with pytest.raises(DataError) as error:
        al.Forecast.load(copy)
    (finding,) = error.value.findings
    assert finding.code == "E013"
    assert "\n" not in finding.what
    assert str(copy / "forecast") in finding.what


@pytest.mark.parametrize("name", ["nowhere", ".", "record.json"])
def test_where_there_is_none_it_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "record.json").write_text("{}")
    with pytest.raises(DataError, match="E001"):
        al.Forecast.load(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_error(forecast: al.Forecast, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="E011"):
        forecast.save(tmp_path / "new")


def test_a_file_in_the_way_is_one_error(forecast: al.Forecast, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match="E011"):
        forecast.save(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
