"""Dirty and hostile files: each is one clear error, or a row that is told; nothing is guessed or lost."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from allocator.errors import DataError
from allocator.tables import files
from allocator.tables.contracts import (
    CUSTOMERS,
    EXPERIMENTS,
    TRANSACTIONS,
    CustomersTable,
    ExperimentsTable,
    TransactionsTable,
)
from allocator.tables.sources import read_table

HEADER = "customer_id,ordered_on,amount\n"
GOOD = HEADER + "007,2026-01-02,12.5\n"
CHINESE = "客户编号,下单时间,实付金额\n007,2026-01-02,12.5\n"


@dataclass(frozen=True)
class Bad:
    data: bytes
    code: str
    says: str
    name: str = "orders.csv"
    options: Mapping[str, object] = field(default_factory=dict)


BAD = {
    "empty": Bad(b"", "E305", "is empty"),
    "byte order mark only": Bad(b"\xef\xbb\xbf", "E305", "is empty"),
    "header only": Bad(HEADER.encode(), "E305", "a header and no rows"),
    "blank first line": Bad(b"\n" + GOOD.encode(), "E314", "line 1 of 'orders.csv' is empty"),
    "no usable row": Bad(HEADER.encode() + b"1,2026-01-02,x\n", "E305", "row 2: amount 'x' is not a number"),
    "too many rejects": Bad(
        GOOD.encode() + b"1,2026-02-30,5\n",
        "E304",
        "1 of 2 rows of 'orders.csv' cannot be used (50%), more than max_rejects (5%)",
    ),
    "other language": Bad(CHINESE.encode("gb18030"), "E302", "encoding: gb18030    客户编号"),
    "umlaut far down": Bad(
        GOOD.encode() + "Müller,2026-01-02,5\n".encode("cp1252"), "E302", "encoding: cp1252     Müller"
    ),
    "UTF-16 without mark": Bad(GOOD.encode("utf-16-le"), "E302", "encoding: utf-16-le  customer_id"),
    "null byte": Bad(GOOD.encode() + b"\0,2026-01-02,5\n", "E302", "null"),
    "not the encoding declared": Bad(
        CHINESE.encode("gb18030"), "E302", "is not utf-8", options={"encoding": "utf-8"}
    ),
    "unknown encoding": Bad(GOOD.encode(), "E302", "did you mean 'gb18030'?", options={"encoding": "gb1803"}),
    "encoding that is no text": Bad(
        GOOD.encode(), "E302", "no encoding 'zlib'", options={"encoding": "zlib"}
    ),
    "encoding that runs escapes": Bad(
        GOOD.encode(), "E302", "no encoding 'unicode_escape'", options={"encoding": "unicode_escape"}
    ),
    "open quote": Bad(
        GOOD.encode() + b'8,"2026-01-02,5\n' + b"9,2026-01-02,5\n" * 200, "E314", "begins in line 3"
    ),
    "open quote before a long rest": Bad(
        GOOD.encode() + b'8,"2026-01-02,5\n' + b"9,2026-01-02,5\n" * 100_000, "E314", "begins in line 3"
    ),
    "row without end": Bad(GOOD.encode() + b"8" * (60 << 20), "E314", "line 3 of 'orders.csv' is longer"),
    "codec that is not for files": Bad(
        GOOD.encode(), "E302", "is not punycode", options={"encoding": "punycode"}
    ),
    "header without end": Bad(b'"' + b"a," * (1 << 20), "E314", "line 1 of"),
    "too many columns": Bad(b",".join(b"c%d" % n for n in range(20_000)), "E314", "20,000 columns"),
    "column written twice": Bad(
        b"customer_id,ordered_on,amount,amount\n1,2026-01-01,1,2\n", "E310", "2 columns"
    ),
    "other delimiter": Bad(GOOD.replace(",", ";").encode(), "E303", 'write delimiter: ";"'),
    "tab": Bad(GOOD.replace(",", "\t").encode(), "E303", r'write delimiter: "\t"'),
    "gzip named as text": Bad(gzip.compress(GOOD.encode()), "E314", "is a gzip file by its content"),
    "Parquet named as text": Bad(b"PAR1 and so on", "E314", "is a Parquet file by its content"),
    "workbook": Bad(b"PK\x03\x04 and so on", "E314", "save the table as CSV", name="orders.xlsx"),
    "text named as gzip": Bad(GOOD.encode(), "E314", "no gzip file", name="orders.csv.gz"),
    "gzip cut off": Bad(
        gzip.compress(GOOD.encode() * 1000)[:-20], "E314", "ends too early", name="orders.csv.gz"
    ),
    "gzip damaged": Bad(
        gzip.compress(GOOD.encode())[:-8] + bytes(8), "E314", "content is damaged", name="orders.csv.gz"
    ),
    "text named as Parquet": Bad(GOOD.encode(), "E314", "no Parquet file", name="orders.parquet"),
    "Parquet damaged": Bad(
        b"PAR1" + b"x" * 100 + b"PAR1", "E314", "no Parquet file that can be read", name="orders.parquet"
    ),
    "date format unknown": Bad(
        GOOD.encode(), "E103", "date_format '%Q' is not understood", options={"date_format": "%Q"}
    ),
    "sheet": Bad(GOOD.encode(), "E110", "workbooks are not supported yet", options={"sheet": "orders"}),
    "time zone": Bad(GOOD.encode(), "E110", "time_zone is not supported yet", options={"time_zone": "UTC"}),
}


def read(folder: Path, name: str, **options: object) -> object:
    return read_table(TransactionsTable(path=name, **options), TRANSACTIONS, folder=folder)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_file_is_one_clear_error(bad: Bad, tmp_path: Path) -> None:
    (tmp_path / bad.name).write_bytes(bad.data)
    with pytest.raises(DataError) as caught:
        read(tmp_path, bad.name, **bad.options)
    (finding,) = caught.value.findings
    assert finding.code == bad.code
    assert bad.says in f"{finding.what}\n{finding.fix}"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("order.csv", "there is no file 'order.csv'\n  did you mean 'orders.csv'?"),
        ("deep/orders.csv", "there is no folder 'deep' either"),
        (".", "'.' is a folder"),
        ("or\0ders.csv", "E301"),
        ("x" * 5000, "E301"),
        ("loop.csv", "E301"),
        ("pipe.csv", "is not a regular file"),
        ("/dev/zero", "is not a regular file"),
    ],
)
def test_what_is_no_file_is_said_at_once(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(GOOD)
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="E301") as caught:
        read(tmp_path, name)
    assert says in str(caught.value)


def test_a_packed_file_may_not_unfold_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_TEXT", 3 << 20)
    (tmp_path / "orders.csv.gz").write_bytes(gzip.compress(GOOD.encode() + b"1,2026-01-02,1\n" * 500_000))
    with pytest.raises(DataError, match=r"E314.*unfolds to more than"):
        read(tmp_path, "orders.csv.gz")


def test_names_with_stars_are_no_patterns(tmp_path: Path) -> None:
    table = read_parquet_named(tmp_path, "[ab]*.parquet")
    assert table.rejects.rows_read == 1


def read_parquet_named(folder: Path, name: str):
    import pandas as pd

    for customer, file in enumerate((name, "a1.parquet", "b2.parquet")):
        rows = {"customer_id": [f"{customer}"], "ordered_on": ["2026-01-02"], "amount": [1.0]}
        pd.DataFrame(rows).to_parquet(folder / file)
    return read(folder, name)


COLUMNS = {
    "closest header": ("customer_id,ordered_on,Amount", {}, ["E303 columns: {amount: Amount}"]),
    "closest to what was mapped": (
        "customer_id,ordered_on,value",
        {"amount": "vlaue"},
        ["E303 did you mean 'value'?"],
    ),
    "a name that is not ours is one error": (
        "customer_id,ordered_on,value",
        {"amuont": "value"},
        ["E102 did you mean 'amount'?"],
    ),
    "all missing ones at once": ("a,b", {}, ["E303 customer_id", "E303 ordered_on", "E303 amount"]),
    "one column as two things": (
        "customer_id,ordered_on,amount",
        {"margin": "amount"},
        ["E311 'amount' is read as amount and as margin"],
    ),
}


@pytest.mark.parametrize(("header", "columns", "expected"), COLUMNS.values(), ids=COLUMNS)
def test_columns_that_do_not_fit(
    header: str, columns: Mapping[str, str], expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / "orders.csv").write_text(f"{header}\n" + "1,2026-01-01,5\n")
    with pytest.raises(DataError) as caught:
        read(tmp_path, "orders.csv", columns=columns)
    assert len(caught.value.findings) == len(expected)
    for finding, says in zip(caught.value.findings, expected, strict=True):
        assert finding.code == says[:4]
        assert says[5:] in f"{finding.what} {finding.fix}"


def test_an_experiment_needs_an_outcome(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("arm,spend\na,1\n")
    with pytest.raises(DataError, match=r"E303.*none of the columns revenue, converted, retained"):
        read_table(ExperimentsTable(path="log.csv"), EXPERIMENTS, folder=tmp_path)


def test_an_outcome_is_no_covariate(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("arm,spend\na,1\n")
    options = ExperimentsTable(path="log.csv", columns={"revenue": "spend"}, covariates=["spend"])
    with pytest.raises(DataError, match=r"E311.*'spend' is read as revenue and listed under covariates"):
        read_table(options, EXPERIMENTS, folder=tmp_path)


def test_a_customer_stands_there_once(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("customer_id\n7\n07\n 7\n8\n7\n")
    with pytest.raises(DataError) as caught:
        read_table(CustomersTable(path="people.csv"), CUSTOMERS, folder=tmp_path)
    assert str(caught.value) == (
        "people.csv:4:1: error[E306]: a customer_id is repeated in 'people.csv', such as '7'\n  see rows 4, 6"
    )


def test_a_contact_cannot_cost_less_than_nothing(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("arm,revenue,cost\na,1,0.5\nb,1,\nb,1,-0.5\n")
    with pytest.raises(DataError, match=r"log\.csv:4:1: error\[E309\]"):
        read_table(ExperimentsTable(path="log.csv"), EXPERIMENTS, folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"thousands": "."}, 'write decimal: "," too'),
        ({"thousands": ",", "decimal": ","}, "the same mark"),
        ({"delimiter": '"'}, "delimiter"),
    ],
)
def test_spellings_that_contradict_each_other(options: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=r"mark|delimiter") as caught:
        TransactionsTable(path="orders.csv", **options)
    error = caught.value.errors()[0]
    assert says in f"{error['msg']} {error['ctx']['fix']}"


def test_an_open_quote_swallows_nothing_in_a_file_read_in_parts(tmp_path: Path) -> None:
    """An engine that reads parts side by side would begin anew behind the quote and lose what is between."""
    (tmp_path / "orders.csv").write_bytes(
        GOOD.encode() + b'1,"2026-01-02,5\n' + b"1,2026-01-02,5\n" * 4_500_000
    )
    with pytest.raises(DataError, match=r"orders\.csv:3:1: error\[E314\]"):
        read(tmp_path, "orders.csv")
