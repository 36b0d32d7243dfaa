"""Forecasts that are kept: read back bit for bit, or not at all."""

from __future__ import annotations

import os
from dataclasses import astuple, fields, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.customers.rows import RowCounts
from allocator.customers.summary import CustomerSummary
from allocator.errors import Finding, Origin
from allocator.models.clv.forecast import ValueTerms
from allocator.models.clv.leaderboard import Leaderboard, Row
from allocator.models.clv.level import Level
from allocator.models.clv.record import ForecastRecord, PartRecord
from allocator.stages import kept
from allocator.stages.kept import FACTS, TABLE, Store, Valued, as_text, from_text, key_of
from allocator.stages.predictions import Predictions, predict
from allocator.stages.reading import read_tables
from tests.small_project import Project, project

KEY = "a" * 64
OTHER = "b" * 64


def valued(n: int = 5, absent: int = 2) -> Valued:
    rng = np.random.default_rng(1)
    first = np.datetime64("2026-01-01") + np.arange(n)
    summary = CustomerSummary(
        customer_id=np.array([f"ö{i:03}" for i in range(n)], dtype=object),
        n_days=np.arange(1, n + 1),
        first_on=first,
        last_on=first + 30,
        total_value=rng.gamma(1, 1 / 3, n),
        first_value=rng.gamma(1, 1e-9, n),
        as_of=date(2026, 6, 30),
        rows=RowCounts(read=n + 3, used=n, negative=3, unmatched_amount=0.1 + 0.2),
        without_orders=np.array([f"x{i}" for i in range(absent)], dtype=object),
    )
    board = Leaderboard((Row("bg_nbd", None, note="it broke"),), ("2026-01-01",), 13.0, n, "bg_nbd", "why")
    record = ForecastRecord(
        "auto", (PartRecord("bg_nbd", 1.0, {"r": 1 / 3}, {"r": None}),), Level(1.1, 0.1), board
    )
    columns = {"clv": rng.gamma(1, 1, n), "p_any_purchase": rng.random(n)}
    warning = Finding("W404", None, "care")
    return Valued(summary, columns, ValueTerms(52 + 1 / 7, 0.35, 0.08), record, warnings=(warning,))


def same(left: Valued, right: Valued | None) -> None:
    assert right is not None
    assert (left.terms, left.forecast, left.retention) == (right.terms, right.forecast, right.retention)
    assert left.warnings == right.warnings
    for one in fields(CustomerSummary):
        mine, theirs = getattr(left.summary, one.name), getattr(right.summary, one.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype, one.name
            assert mine.tolist() == theirs.tolist()
        else:
            assert mine == theirs
    assert list(left.columns) == list(right.columns)
    for name, values in left.columns.items():
        assert values.tobytes() == right.columns[name].tobytes()


@pytest.mark.parametrize(("n", "absent"), [(5, 2), (1, 0), (3, 0)])
def test_what_is_kept_is_read_back_bit_for_bit(tmp_path: Path, n: int, absent: int) -> None:
    store = Store(tmp_path / "new" / "folder")
    assert store.get(KEY) is None
    store.put(KEY, valued(n, absent))
    same(valued(n, absent), store.get(KEY))
    assert store.get(OTHER) is None
    assert sorted(path.name for path in store.folder.iterdir()) == [KEY]


def spoiled_text(text: str):
    return lambda entry: (entry / FACTS).write_text(text, encoding="utf-8")


def a_trap(entry: Path) -> None:
    # what Python's own format would run when it is read
    trap = f"cos\nmkdir\n(V{entry.parent / 'sprung'}\ntR.".encode()
    (entry / TABLE).write_bytes(trap)
    (entry / FACTS).write_bytes(trap)


def without(column: str):
    def change(entry: Path) -> None:
        pd.read_parquet(entry / TABLE).drop(columns=column).to_parquet(entry / TABLE)

    return change


def with_texts(entry: Path) -> None:
    pd.read_parquet(entry / TABLE).assign(clv="much").to_parquet(entry / TABLE)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry: (entry / FACTS).unlink(),
        lambda entry: (entry / TABLE).unlink(),
        lambda entry: (entry / TABLE).write_bytes((entry / TABLE).read_bytes()[:-40]),
        lambda entry: (entry / TABLE).write_bytes(b"PAR1" + bytes(100) + b"PAR1"),
        lambda entry: (entry / FACTS).write_bytes(b"\xff\xfe"),
        spoiled_text(""),
        spoiled_text("[" * 100_000),
        spoiled_text('{"as_of": "2026-01-01"}'),
        without("clv"),
        without("n_days"),
        with_texts,
        a_trap,
    ],
)
def test_a_broken_entry_is_none_and_is_replaced(tmp_path: Path, spoil) -> None:
    store = Store(tmp_path)
    store.put(KEY, valued())
    spoil(tmp_path / KEY)
    assert store.get(KEY) is None
    assert not (tmp_path / "sprung").exists()
    store.put(KEY, valued())
    same(valued(), store.get(KEY))


def test_a_file_in_the_place_of_the_folder_keeps_nothing(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("mine")
    store = Store(place)
    store.put(KEY, valued())
    assert store.get(KEY) is None
    assert place.read_text() == "mine"


def test_a_folder_that_can_only_be_read_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.put(KEY, valued())

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "read only")

    for name in ("utime", "replace", "mkdir"):
        monkeypatch.setattr(os, name, refuse)
    same(valued(), store.get(KEY))
    store.put(OTHER, valued())
    assert store.get(OTHER) is None


def test_the_entries_not_used_for_longest_make_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "ENTRIES", 3)
    store = Store(tmp_path)
    own = tmp_path / "my photos"
    own.mkdir()
    (own / "one.jpg").write_text("me")
    (tmp_path / "notes.txt").write_text("mine")
    keys = [letter * 64 for letter in "abc"]
    for age, key in enumerate(keys):
        store.put(key, valued())
        os.utime(tmp_path / key, (1e9 + age, 1e9 + age))
    os.utime(own, (1e8, 1e8))
    assert store.get(keys[0]) is not None  # used: now the youngest
    store.put("d" * 64, valued())
    assert [store.get(key) is not None for key in keys] == [True, False, True]
    assert (own / "one.jpg").exists()
    assert (tmp_path / "notes.txt").exists()


def test_a_key_is_of_the_parts_the_code_and_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    one = key_of("data", {"seed": 1})
    assert one == key_of("data", {"seed": 1})
    assert len({one, key_of("data", {"seed": 2}), key_of("other", {"seed": 1}), key_of("data")}) == 4
    monkeypatch.setattr(kept, "_code", lambda: "other")
    coded = key_of("data", {"seed": 1})
    monkeypatch.setattr(kept, "version", lambda name: "0")
    assert len({one, coded, key_of("data", {"seed": 1})}) == 3


def test_facts_that_are_something_else_are_refused() -> None:
    terms = ValueTerms(52.0, 0.4, 0.1)
    assert from_text(ValueTerms, as_text(ValueTerms, terms)) == terms
    assert astuple(from_text(ValueTerms, as_text(ValueTerms, replace(terms, margin=1 / 3))))[1] == 1 / 3
    with pytest.raises(ValueError, match="horizon_weeks"):
        from_text(ValueTerms, '{"horizon_weeks": "soon"}')


def test_where_a_warning_comes_from_is_read_back() -> None:
    finding = Finding("W404", Origin("q.yaml", 3, 1), "care", "look")
    assert from_text(Finding, as_text(Finding, finding)) == finding


def predicted(folder: Path, case: Project) -> Predictions:
    scenario = al.load_scenario(case.write(folder))
    return predict(scenario, read_tables(scenario), Store(folder / "kept"))


def test_a_forecast_is_made_once_for_the_same_data_and_options(tmp_path: Path) -> None:
    case = project()
    case.set("tiers:\n", "models: {clv: {name: auto, members: [bg_nbd]}}\ntiers:\n")
    first, second = (predicted(tmp_path, case) for _ in range(2))
    assert first.learned is not None
    assert second.learned is None
    same(first.valued, second.valued)
    assert second.findings == first.findings
    for change in (
        lambda: case.set("members: [bg_nbd]", "members: [bg_nbd], seed: 1"),
        lambda: case.edit("orders.csv", lambda rows: rows[:-1]),
    ):
        change()
        assert predicted(tmp_path, case).learned is not None
    assert len(list((tmp_path / "kept").iterdir())) == 3
