"""Bad input, case by case: one clear error with its place, exit code 2, nothing written."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from allocator import cli
from tests.small_project import SCENARIO, Project, project

EXPERIMENTS = "  experiments: {path: contacts.csv, covariates: [before], window: 4 weeks}\n"
LETTER = "  letter: {current: 500, cost_per_contact: 0.90, response: {source: experiment}}\n"
LEVELS = "{high: {share: top 30%}, low: {share: rest}}"
OUTSIDE = "version: 1\nname: Elsewhere\nbudget: {total: 1}\n"


Change = Callable[[Project], object]


def scenario(old: str, new: str) -> Change:
    return lambda p: p.set(old, new)


def header(name: str, old: str, new: str) -> Change:
    return lambda p: p.edit(name, lambda rows: [rows[0].replace(old, new), *rows[1:]])


def column(name: str, index: int, text: str, *, every: int = 1) -> Change:
    """Write a text into a column, of all rows or of one in so many."""

    def cell(number: int, row: str) -> str:
        cells = row.split(",")
        return ",".join([*cells[:index], text, *cells[index + 1 :]]) if number % every == 0 else row

    return lambda p: p.edit(name, lambda rows: [rows[0], *(cell(i, row) for i, row in enumerate(rows[1:]))])


def content(name: str, data: bytes) -> Change:
    return lambda p: p.files.update({name: data})


def without(name: str) -> Change:
    return lambda p: p.files.pop(name)


def both(*changes: Change) -> Change:
    return lambda p: [change(p) for change in changes]


def parquet(data: bytes) -> Change:
    return both(scenario("path: orders.csv", "path: orders.parquet"), content("orders.parquet", data))


def curves(rows: str, columns: str = "channel,spend,value") -> Change:
    named = scenario("tiers:\n", "  curves: {path: curves.csv}\ntiers:\n")
    return both(named, content("curves.csv", f"{columns}\n{rows}\n".encode()))


def bomb() -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 6)]
    return ("version: 1\nname: Bomb\nmeta:\n  " + "\n  ".join(lines) + "\n").encode()


def whole(text: str) -> Change:
    return lambda p: setattr(p, "scenario", text)


CASES: dict[str, tuple[str, Change, str, str, str]] = {
    # the command, what is changed, the code, the place, a part of the message
    # scenario files
    "scenario missing": ("check", whole(""), "E010", "q.yaml:1", "empty"),
    "not UTF-8": ("check", lambda p: setattr(p, "scenario", "bytes"), "E002", "q.yaml:2", "0xE9"),
    "broken YAML": ("check", scenario("currency: EUR", "currency: [EUR"), "E003", "q.yaml:4", ""),
    "alias bomb": ("check", lambda p: setattr(p, "scenario", bomb().decode()), "E004", "q.yaml", "values"),
    "deep nesting": (
        "check",
        scenario("risk:", f"meta: {'[' * 40}{']' * 40}\nrisk:"),
        "E004",
        "q.yaml:20",
        "deep",
    ),
    "tag": ("check", scenario("name: Small", "name: !!python/name:os.system x"), "E008", "q.yaml:2", "tags"),
    "two documents": ("check", scenario("risk:", "---\nrisk:"), "E009", "q.yaml:20", "several"),
    "duplicate key": (
        "check",
        scenario("  search:", "  email:"),
        "E006",
        "q.yaml:17",
        "'email' is written twice",
    ),
    "circular extends": (
        "check",
        scenario("name: Small", "name: Small\nextends: q.yaml"),
        "E007",
        "q.yaml:3",
        "circle",
    ),
    "parent outside": (
        "check",
        scenario("name: Small", "name: Small\nextends: ../p.yaml"),
        "E005",
        "q.yaml:3",
        "outside",
    ),
    "parent missing": (
        "check",
        scenario("name: Small", "name: Small\nextends: p.yaml"),
        "E001",
        "q.yaml:3",
        "p.yaml",
    ),
    "newer version": ("check", scenario("version: 1", "version: 7"), "E112", "q.yaml:1", "newer"),
    "unknown key": (
        "check",
        scenario("currency:", "currancy:"),
        "E102",
        "q.yaml:3",
        "did you mean 'currency'",
    ),
    "unknown key of a table": (
        "check",
        scenario("attributes:", "atributes:"),
        "E102",
        "q.yaml:9",
        "'attributes'",
    ),
    "money in dots": ("check", scenario("total: 2k", "total: 2.000.000"), "E104", "q.yaml:5", "2_000_000"),
    "negative budget": ("check", scenario("total: 2k", "total: -2k"), "E106", "q.yaml:5", "negative"),
    "infinite budget": ("check", scenario("total: 2k", "total: .inf"), "E104", "q.yaml:5", "finite"),
    "NaN in a curve": ("check", scenario("1.8k", ".nan"), "E104", "q.yaml:17", "finite"),
    "negative cost": ("check", scenario("0.10", "-0.10"), "E106", "q.yaml:15", "negative"),
    "cost of 0": ("check", scenario("0.10", "0"), "E106", "q.yaml:15", "not above 0"),
    "cost missing": (
        "check",
        scenario(" cost_per_contact: 0.10,", ""),
        "E206",
        "q.yaml:15",
        "cost_per_contact",
    ),
    "unknown channel in a limit": (
        "check",
        scenario("{tier: low}", "{channel: emial}"),
        "E201",
        "q.yaml:19",
        "'email'",
    ),
    "unknown tier in a limit": (
        "check",
        scenario("{tier: low}", "{tier: lowe}"),
        "E202",
        "q.yaml:19",
        "'low'",
    ),
    "arm of no channel": (
        "check",
        scenario("window:", "arms: {leter: x}, window:"),
        "E201",
        "q.yaml:10",
        "'letter'",
    ),
    "unknown model": (
        "check",
        scenario("tiers:\n", "models: {clv: bgnbd}\ntiers:\n"),
        "E103",
        "q.yaml:11",
        "bg_nbd",
    ),
    "unknown model option": (
        "check",
        scenario("tiers:\n", "models: {clv: {name: bg_nbd, penalti: 1}}\ntiers:\n"),
        "E102",
        "q.yaml:11",
        "'penalty'",
    ),
    "source experiment without data": (
        "check",
        both(scenario(EXPERIMENTS, ""), scenario(LETTER, "")),
        "E209",
        "q.yaml:14",
        "data.experiments",
    ),
    "predicted value without orders": (
        "check",
        scenario("  transactions: {path: orders.csv}\n", ""),
        "E209",
        "q.yaml:11",
        "data.transactions",
    ),
    "no margin for revenue": ("check", scenario(", margin: 40%", ""), "E101", "q.yaml:6", "objective.margin"),
    "history": (
        "check",
        scenario("{source: points, points: [[1k, 1.8k]]}", "{source: history}"),
        "E209",
        "q.yaml:17",
        "no table of one is given",
    ),
    "empty tiers": ("check", scenario(LEVELS, "{}"), "E103", "q.yaml:13", ""),
    "share of a tier": ("check", scenario("top 30%", "top 130%"), "E106", "q.yaml:13", ""),
    "no such path": (
        "check",
        scenario("path: orders.csv", "path: ordrs.csv"),
        "E301",
        "q.yaml:8",
        "orders.csv",
    ),
    "table outside": (
        "check",
        scenario("path: orders.csv", "path: ../orders.csv"),
        "E005",
        "q.yaml:8",
        "outside",
    ),
    "sheet of a workbook": (
        "check",
        scenario("path: orders.csv", "path: orders.csv, sheet: A"),
        "E110",
        "q.yaml:8",
        "not supported",
    ),
    # tables, by their headers
    "missing column": ("check", header("orders.csv", "amount", "value"), "E303", "q.yaml:8", "amount"),
    "mapped column missing": (
        "check",
        scenario("path: orders.csv", "path: orders.csv, columns: {amount: amont}"),
        "E303",
        "q.yaml:8",
        "did you mean 'amount'",
    ),
    "mapped name not ours": (
        "check",
        scenario("path: orders.csv", "path: orders.csv, columns: {amont: amount}"),
        "E102",
        "q.yaml:8",
        "did you mean 'amount'",
    ),
    "covariate missing": (
        "check",
        scenario("[before]", "[befor]"),
        "E303",
        "q.yaml:10",
        "did you mean 'before'",
    ),
    "attribute missing": ("check", scenario("[age]", "[aeg]"), "E303", "q.yaml:9", "did you mean 'age'"),
    "tier column missing": (
        "check",
        scenario("by: predicted_clv", "by: agee"),
        "E303",
        "q.yaml:12",
        "did you mean 'age'",
    ),
    "no outcome": (
        "check",
        header("contacts.csv", "revenue,converted", "a,b"),
        "E303",
        "q.yaml:10",
        "revenue, converted",
    ),
    "no day of contact": (
        "check",
        header("contacts.csv", "contacted_on", "day"),
        "E312",
        "q.yaml:10",
        "contacted_on",
    ),
    "no customers in the test": (
        "check",
        header("contacts.csv", "customer_id", "who"),
        "E303",
        "q.yaml:10",
        "customer_id",
    ),
    "duplicate headers": (
        "check",
        header("customers.csv", "customer_id,age", "customer_id,age,age"),
        "E310",
        "customers.csv:1",
        "age",
    ),
    "empty file": ("check", content("orders.csv", b""), "E305", "q.yaml:8", "empty"),
    "text in another encoding": (
        "check",
        content("orders.csv", "客户编号,ordered_on,amount\n".encode("gb18030")),
        "E302",
        "orders.csv",
        "gb18030",
    ),
    "unknown encoding": (
        "check",
        scenario("path: orders.csv", "path: orders.csv, encoding: utf-7x"),
        "E302",
        "q.yaml:8",
        "utf-7x",
    ),
    "no gzip": (
        "check",
        both(
            scenario("path: orders.csv", "path: orders.csv.gz"), content("orders.csv.gz", b"customer_id,a\n")
        ),
        "E314",
        "q.yaml:8",
        "gzip",
    ),
    "gzip as CSV": (
        "check",
        content("orders.csv", gzip.compress(b"customer_id\n")),
        "E314",
        "q.yaml:8",
        "gzip",
    ),
    "no Parquet": ("check", parquet(b"PAR1 but no more"), "E314", "q.yaml:8", "Parquet"),
    "folder as table": ("check", scenario("path: orders.csv", "path: ."), "E301", "q.yaml:8", "folder"),
    # tables, by their rows
    "header only": (
        "run",
        lambda p: p.edit("orders.csv", lambda rows: rows[:1]),
        "E305",
        "orders.csv:1",
        "no rows",
    ),
    "text in numbers": ("run", column("orders.csv", 2, "plenty", every=5), "E304", "", "plenty"),
    "NaN": ("run", column("orders.csv", 2, "NaN", every=5), "E304", "", ""),
    "infinity": ("run", column("orders.csv", 2, "inf", every=5), "E304", "", "inf"),
    "no date": ("run", column("orders.csv", 1, "31.12.2025", every=5), "E304", "", "31.12.2025"),
    "missing numbers": ("run", column("contacts.csv", 3, "", every=5), "E304", "", ""),
    "too many cells": (
        "run",
        lambda p: p.edit("orders.csv", lambda rows: [rows[0], *(f"{row},1,2" for row in rows[1:])]),
        "E305",
        "orders.csv:2",
        "too many fields",
    ),
    "customers twice": (
        "run",
        lambda p: p.edit("customers.csv", lambda rows: [*rows, rows[1]]),
        "E306",
        "customers.csv",
        "001",
    ),
    "negative contact cost": (
        "run",
        both(
            header("contacts.csv", "before", "cost"),
            scenario("covariates: [before], ", ""),
            column("contacts.csv", 5, "-1", every=40),
        ),
        "E309",
        "contacts.csv",
        "negative",
    ),
    "arm without rows": (
        "run",
        lambda p: p.edit("contacts.csv", lambda rows: [row.replace(",letter,", ",control,") for row in rows]),
        "E307",
        "q.yaml:10",
        "'letter'",
    ),
    "no control": ("run", scenario("window:", "control: nobody, window:"), "E307", "q.yaml:10", "nobody"),
    "nobody in a tier of the test": (
        "run",
        lambda p: p.edit(
            "contacts.csv", lambda rows: [re.sub("2026-09-01", "2020-09-01", row) for row in rows]
        ),
        "E305",
        "",
        "order",
    ),
    "contact day missing": ("run", column("contacts.csv", 2, "", every=7), "E312", "q.yaml:10", "contact"),
    "tier without customers": (
        "run",
        scenario(LEVELS, "{high: {from: 1e6}, low: {to: 1e6}}"),
        "E308",
        "q.yaml",
        "'high'",
    ),
    "customers in no tier": (
        "run",
        scenario(LEVELS, "{high: {from: 30}, low: {from: 0, to: 20}}"),
        "E308",
        "q.yaml",
        "no tier",
    ),
    "tiers by text": (
        "run",
        both(scenario("by: predicted_clv", "by: age"), column("customers.csv", 1, "old")),
        "E304",
        "q.yaml",
        "text",
    ),
    "tiers by a gap": (
        "run",
        both(scenario("by: predicted_clv", "by: age"), column("customers.csv", 1, "", every=9)),
        "E304",
        "q.yaml",
        "'age'",
    ),
    "no order yet": (
        "run",
        scenario("tiers:\n", "models: {as_of: 2020-01-01}\ntiers:\n"),
        "E305",
        "q.yaml:8",
        "2020-01-01",
    ),
    "same outcome for all": ("run", column("contacts.csv", 3, "0"), "E315", "q.yaml:10", "same"),
    "curves without value": (
        "check",
        curves("search,10", columns="channel,spend"),
        "E303",
        "q.yaml:11",
        "value",
    ),
    "curves of no channel": ("run", curves("serch,10,5"), "E201", "q.yaml:11", "did you mean 'search'"),
    "text in curves": ("run", curves("search,10,lots"), "E313", "q.yaml:11", "row 1"),
}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", CASES)
def test_one_clear_error_with_its_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command, change, code, place, words = CASES[name]
    case = project()
    change(case)
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "orders.csv").write_bytes(case.files.get("orders.csv", b""))
    (tmp_path / "p.yaml").write_text(OUTSIDE, encoding="utf-8")
    for file, data in case.files.items():
        (folder / file).write_bytes(data)
    text = (
        case.scenario.encode()
        if case.scenario != "bytes"
        else SCENARIO.replace("Small", "Caf\xe9").encode("latin-1")
    )
    (folder / "q.yaml").write_bytes(text)
    (folder / ".allocator").mkdir()
    monkeypatch.chdir(folder)
    before = everything(tmp_path)

    with pytest.raises(SystemExit) as left:
        cli.main([command, "q.yaml"])
    out, err = capsys.readouterr()
    said = out if command == "check" else err

    assert left.value.code == 2, said
    assert re.findall(r"error\[(E\d{3})\]", said) == [code], said
    assert said.rstrip().splitlines()[-1].startswith("q.yaml: 1 error"), said
    first = next(line for line in said.splitlines() if "error[" in line)
    assert first.startswith(place), said
    assert not first.startswith("error["), f"no place: {said}"
    assert words in said, said
    assert "Traceback" not in said
    assert (err if command == "check" else out) == ""
    assert everything(tmp_path) == before


def test_the_project_is_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every case above differs by its fault alone from a project that runs."""
    project().write(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        cli.main(["run", "q.yaml"])
    assert left.value.code == 0, capsys.readouterr().err


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 60
