"""Rows that can be used and are odd all the same are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.errors import DataError, Finding
from allocator.tables.contracts import (
    CUSTOMERS,
    EXPERIMENTS,
    TRANSACTIONS,
    CustomersTable,
    ExperimentsTable,
    TransactionsTable,
)
from allocator.tables.sources import Table, read_table


def customers(folder: Path, cells: list[str], **options: str) -> Table:
    rows = "".join(f"{i};{cell}\n" for i, cell in enumerate(cells))
    (folder / "c.csv").write_text(f"customer_id;income\n{rows}")
    table = CustomersTable(path="c.csv", delimiter=";", attributes=("income",), **options)
    return read_table(table, CUSTOMERS, folder=folder)


def test_text_among_numbers_is_told_with_its_place(tmp_path: Path) -> None:
    cells = ["12,5", "n/a", "1.623,84", "", "7", "1.000,00"]
    table = customers(tmp_path, cells, decimal=",")
    (finding,) = table.findings
    assert (finding.code, finding.where.line) == ("W413", 4)
    assert "'income'" in finding.what
    assert "2 of 4 filled cells are no number" in finding.what
    assert "row 4: income '1.623,84'" in finding.fix
    assert table.data["income"].tolist()[2] == "1.623,84"


@pytest.mark.parametrize(
    "cells",
    [["1", "2", "n/a", ""], ["a", "b", "1"], ["12345", "01234", "23456"], ["12345", "01234", "K1A"]],
    ids=["gaps", "mostly words", "codes", "codes and words"],
)
def test_columns_of_one_kind_are_not_told(tmp_path: Path, cells: list[str]) -> None:
    assert customers(tmp_path, cells).findings == ()


def contacts(folder: Path, rows: str) -> tuple[Finding, ...]:
    (folder / "x.csv").write_text("customer_id,arm,contacted_on,revenue,before\n" + rows)
    return read_table(ExperimentsTable(path="x.csv"), EXPERIMENTS, folder=folder).findings


def test_repeated_contacts_are_counted(tmp_path: Path) -> None:
    row = "1,email,2026-01-02,5,{}\n"
    (finding,) = contacts(
        tmp_path, row.format(1) + row.format(2) + "2,email,2026-01-02,5,1\n" + row.format(3)
    )
    assert finding.code == "W414"
    assert finding.what.startswith("2 of 4 rows of experiments (50%)")


def test_a_customer_in_two_tests_is_not_repeated(tmp_path: Path) -> None:
    assert contacts(tmp_path, "1,email,2026-01-02,5,1\n1,email,2026-02-02,5,1\n") == ()


def orders(folder: Path, header: str, rows: list[str]) -> list[str]:
    (folder / "o.csv").write_text("\n".join([header, *rows]) + "\n")
    return [f.code for f in read_table(TransactionsTable(path="o.csv"), TRANSACTIONS, folder=folder).findings]


def some_orders(number: int) -> list[str]:
    return [f"{i},2026-01-02,5" for i in range(number)]


@pytest.mark.parametrize(("again", "found"), [(2, []), (3, ["W414"]), (10, ["W414"])])
def test_orders_loaded_twice_are_told(tmp_path: Path, again: int, found: list[str]) -> None:
    rows = some_orders(10) + some_orders(again)
    assert orders(tmp_path, "customer_id,ordered_on,amount", rows) == found


def test_orders_of_nobody_may_be_alike(tmp_path: Path) -> None:
    rows = some_orders(10) + [",2026-01-02,5"] * 10
    assert orders(tmp_path, "customer_id,ordered_on,amount", rows) == []


def test_lines_of_an_order_agree_in_everything_where_they_are_repeated(tmp_path: Path) -> None:
    header = "customer_id,ordered_on,amount,order_id,category"
    lines = [f"{row},{i % 3},{i}" for i, row in enumerate(some_orders(90))]
    assert orders(tmp_path, header, lines) == []
    assert orders(tmp_path, header, [*lines, *lines[:2]]) == ["W414"]


@pytest.mark.parametrize(
    ("row", "option"),
    [
        ("1;2024-11-18;22,98", 'write decimal: ","'),
        ("1;2024-11-18;1.122,98", 'write decimal: "," and thousands: "."'),
        ("1;18.11.2024;22", 'write date_format: "%d.%m.%Y"'),
        ("1;18.11.2024 10:05;22", 'write date_format: "%d.%m.%Y %H:%M"'),
    ],
)
def test_rejects_propose_the_spelling_they_seem_to_have(tmp_path: Path, row: str, option: str) -> None:
    (tmp_path / "o.csv").write_text(f"customer_id;ordered_on;amount\n{row}\n")
    with pytest.raises(DataError) as caught:
        read_table(TransactionsTable(path="o.csv", delimiter=";"), TRANSACTIONS, folder=tmp_path)
    assert caught.value.findings[0].fix.startswith(f"{option}; row 2")
