"""Headers against contracts, as ``check`` looks at them: the same findings as reading, without an engine."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from allocator.errors import DataError
from allocator.tables.contracts import (
    CONTRACTS,
    CURVES,
    EXPERIMENTS,
    TRANSACTIONS,
    CurvesTable,
    ExperimentsTable,
    TransactionsTable,
    options_for,
)
from allocator.tables.headers import check_columns, chosen_columns, read_header
from allocator.tables.sources import read_table

HEADER = "customer_id, ordered_on ,Kaufpreis_a\u0308\n"
EXPECTED = ("customer_id", "ordered_on", "Kaufpreis_ä")


@pytest.mark.parametrize("name", ["o.csv", "o.CSV", "o.txt", "o.csv.gz"])
def test_names_are_tidy_in_text_files(name: str, tmp_path: Path) -> None:
    data = HEADER.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert read_header(TransactionsTable(path=name), tmp_path) == EXPECTED


def test_tabs_in_files_named_so(tmp_path: Path) -> None:
    (tmp_path / "o.tsv").write_text("a\tb,c\n")
    assert read_header(TransactionsTable(path="o.tsv"), tmp_path) == ("a", "b,c")


def test_parquet_and_other_encodings(tmp_path: Path) -> None:
    pd.DataFrame({"客户": [1], "t": [2], "T": [3]}).to_parquet(tmp_path / "o.parquet")
    assert read_header(TransactionsTable(path="o.parquet"), tmp_path) == ("客户", "t", "T")
    (tmp_path / "o.csv").write_bytes("客户,下单\n".encode("gb18030"))
    assert read_header(TransactionsTable(path="o.csv", encoding="gb18030"), tmp_path) == ("客户", "下单")


def test_checking_the_header_finds_what_reading_would(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("customer_id,when,when,value\n1,2026-01-01,2026-01-01,5\n")
    options = TransactionsTable(path="o.csv", columns={"amount": "vlaue", "ordred_on": "when"})
    found = check_columns(options, TRANSACTIONS, read_header(options, tmp_path))
    with pytest.raises(DataError) as caught:
        read_table(options, TRANSACTIONS, folder=tmp_path)
    assert list(caught.value.findings) == found
    assert sorted(finding.code for finding in found) == ["E102", "E303", "E310"]


def test_columns_chosen_by_our_names() -> None:
    options = ExperimentsTable(path="x", columns={"arm": "segment"}, covariates=["age"])
    header = ["segment", "revenue", "age", "visits", "arm", "tier_by"]
    assert chosen_columns(options, EXPERIMENTS, header, ("tier_by", "arm")) == {
        "arm": "segment",
        "revenue": "revenue",
        "age": "age",
        "tier_by": "tier_by",
    }
    assert list(chosen_columns(CurvesTable(path="x"), CURVES, ["channel", "spend", "odd", ""])) == [
        "channel",
        "spend",
        "odd",
    ]


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_a_table_with_our_names_needs_no_mapping(contract) -> None:
    assert check_columns(options_for(contract), contract, contract.names) == []
    assert list(chosen_columns(options_for(contract), contract, contract.names)) == list(contract.names)


def test_looking_at_a_header_loads_neither_pandas_nor_an_engine(tmp_path: Path, project_root: Path) -> None:
    (tmp_path / "o.csv").write_text(HEADER)
    program = (
        "import sys; from pathlib import Path\n"
        "from allocator.tables.contracts import TRANSACTIONS, TransactionsTable\n"
        "from allocator.tables.headers import check_columns, read_header\n"
        "options = TransactionsTable(path='o.csv')\n"
        f"check_columns(options, TRANSACTIONS, read_header(options, Path({str(tmp_path)!r})))\n"
        "import allocator.tables.sources\n"
        "print(*{'pandas', 'ibis', 'duckdb', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=project_root
    )
    assert done.stdout.strip() == ""
