"""What reading gives: our names and types, every cell accounted for, the same from any kind of source."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import DataError
from allocator.tables.contracts import (
    CURVES,
    CUSTOMERS,
    EXPERIMENTS,
    TRANSACTIONS,
    CurvesTable,
    CustomersTable,
    ExperimentsTable,
    TableOptions,
    TransactionsTable,
)
from allocator.tables.describe import describe
from allocator.tables.sources import Table, read_table

HEADER = "customer_id,ordered_on,amount\n"


def orders(
    folder: Path, text: str | bytes, *, name: str = "orders.csv", currency: str = "", **options
) -> Table:
    data = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(data)
    return read_table(TransactionsTable(path=name, **options), TRANSACTIONS, folder=folder, currency=currency)


def test_names_types_and_account(tmp_path: Path) -> None:
    text = "id;when;value;note\n007;2026-01-02;12.5;a\n8;2026-01-02 10:30;-3;b\n;2026-01-03;1e3;c\n"
    table = orders(
        tmp_path, text, delimiter=";", columns={"customer_id": "id", "ordered_on": "when", "amount": "value"}
    )
    assert table.data["customer_id"].tolist()[:2] == ["007", "8"]
    assert pd.isna(table.data["customer_id"].iloc[2])
    assert table.data["ordered_on"].dtype.kind == "M"
    assert table.data["ordered_on"].iloc[1] == pd.Timestamp("2026-01-02 10:30")
    assert table.data["amount"].tolist() == [12.5, -3.0, 1000.0]
    assert table.columns == {"customer_id": "id", "ordered_on": "when", "amount": "value"}
    assert (table.rejects.rows_read, table.rejects.rows_rejected) == (3, 0)
    assert (table.name, table.source, table.encoding) == ("transactions", "orders.csv", "utf-8")
    assert table.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert table.findings == ()


def test_every_reject_is_told_with_its_line(tmp_path: Path) -> None:
    text = HEADER + (
        "1,2026-01-02,5\n"
        "1,2\n"
        "\n"
        '1,"2026-01-02\n",5\n'
        "1,2026-01-02,5,6\n"
        '"a\nb",2026-01-02,x\n'
        "1,2026-01-02,NaN\n"
        "1,2026-01-02,1e999\n"
        "1,2026-01-02,\n"
        "1,2026-01-02T10:00:00Z,5\n"
        "1,9999-12-31,5\n"
        '1,"x"2026-01-02,5\n'
        "2,2026-01-02,5\n"
    )
    table = orders(tmp_path, text, max_rejects="100%")
    told = [(one.row, one.column, one.value, one.reason) for one in table.rejects.examples]
    assert told == [
        (3, "", "1,2", "has too few fields"),
        (7, "", "1,2026-01-02,5,6", "has too many fields"),
        (8, "customer_id", "a\nb", "holds a line break"),
        (8, "amount", "x", "is not a number"),
        (10, "amount", "NaN", "is not a finite number"),
        (11, "amount", "1e999", "is not a number"),
        (12, "amount", "", "is empty"),
        (13, "ordered_on", "2026-01-02T10:00:00Z", "has an offset from UTC, which is not supported yet"),
        (14, "ordered_on", "9999-12-31", "is not between 1900 and 2199"),
        (15, "", '1,"x"2026-01-02,5', "has a quote out of place"),
    ]
    assert (table.rejects.rows_read, table.rejects.rows_rejected) == (12, 9)
    assert len(table.data) == 3


def test_some_rejects_are_a_warning(tmp_path: Path) -> None:
    good = [f"{i},2026-01-02,5\n" for i in range(400)]
    text = HEADER + "".join(good[:40]) + "1,2026-01-02,five\n"
    (finding,) = orders(tmp_path, text).findings
    assert str(finding) == (
        "orders.csv:42:3: warning[W405]: 1 of 41 rows of 'orders.csv' cannot be used (2%)\n"
        "  row 42: amount 'five' is not a number"
    )
    assert orders(tmp_path, HEADER + "".join(good) + "1,2026-01-02,five\n").findings == ()


AMOUNTS = [
    ({}, "12", 12.0),
    ({}, " 12.50 ", 12.5),
    ({}, "\u00a012.5\u200b", 12.5),
    ({}, "-1e-3", -0.001),
    ({}, ".5", 0.5),
    ({}, "1,234", None),
    ({}, "1_000", None),
    ({}, "0x1F", None),
    ({}, "١٢", None),
    ({}, "12 000", None),
    ({}, "-", None),
    ({}, "true", None),
    ({}, "EUR 5", None),
    ({"decimal": ","}, "1,5", 1.5),
    ({"decimal": ","}, "1.5", None),
    ({"decimal": ",", "thousands": "."}, "1.234.567,5", 1234567.5),
    ({"decimal": ",", "thousands": "."}, "12.34,5", None),
    ({"thousands": ","}, "-1,234.5", -1234.5),
    ({"thousands": ","}, "1234.5", 1234.5),
    ({"thousands": " "}, "1\u00a0234\u202f567", 1234567.0),
    ({"thousands": "'"}, "1'234", 1234.0),
    ({"currency": "EUR"}, "EUR 5", 5.0),
    ({"currency": "EUR"}, "-5.5 €", -5.5),
    ({"currency": "EUR"}, "€5", 5.0),
    ({"currency": "EUR"}, "$5", None),
    ({"currency": "USD"}, "$5", 5.0),
]


@pytest.mark.parametrize(("options", "cell", "expected"), AMOUNTS)
def test_amounts(options: dict[str, str], cell: str, expected: float | None, tmp_path: Path) -> None:
    text = f'{HEADER}1,2026-01-02,"{cell}"\n1,2026-01-02,7\n'
    table = orders(tmp_path, text, max_rejects="100%", **options)
    assert table.data["amount"].tolist() == ([7.0] if expected is None else [expected, 7.0])


DATES = [
    (None, "2026-02-28", "2026-02-28"),
    (None, "2024-02-29", "2024-02-29"),
    (None, "2026-02-29", None),
    (None, "2026-02-28T23:59:59.5", "2026-02-28 23:59:59.5"),
    (None, "2026-02-28 24:00", None),
    (None, "2026/02/28", None),
    (None, "28.02.2026", None),
    (None, "20260228", None),
    (None, "2026-02-28 10:00+02:00", None),
    (None, "0001-01-01", None),
    ("%d.%m.%Y", "28.02.2026", "2026-02-28"),
    ("%d.%m.%Y", "2026-02-28", None),
    ("%m/%d/%Y", "28/02/2026", None),
    ("%Y%m%d", "20260228", "2026-02-28"),
]


@pytest.mark.parametrize(("form", "cell", "expected"), DATES)
def test_dates(form: str | None, cell: str, expected: str | None, tmp_path: Path) -> None:
    good = {"%d.%m.%Y": "01.03.2026", "%m/%d/%Y": "03/01/2026", "%Y%m%d": "20260301"}.get(
        form or "", "2026-03-01"
    )
    table = orders(tmp_path, f"{HEADER}1,{cell},1\n1,{good},1\n", max_rejects="100%", date_format=form)
    dates = [pd.Timestamp("2026-03-01")]
    assert table.data["ordered_on"].tolist() == ([pd.Timestamp(expected), *dates] if expected else dates)


def test_flags_and_shares(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "arm,converted,propensity\na,1,0.5\na,0.0,20%\na,Yes,1\na,FALSE,0\na,2,0.5\na,1,50\na,,0.5\na,maybe,1%\n"
    )
    table = read_table(ExperimentsTable(path="log.csv", max_rejects="100%"), EXPERIMENTS, folder=tmp_path)
    assert table.data["converted"].tolist() == [1, 0, 1, 0]
    assert table.data["propensity"].tolist() == [0.5, 0.2, 1, 0]
    assert [(one.row, one.reason) for one in table.rejects.examples] == [
        (6, "is neither 1 nor 0"),
        (7, "is not between 0 and 1"),
        (8, "is empty"),
        (9, "is neither 1 nor 0"),
    ]


def test_further_columns_are_numbers_where_all_cells_are(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(
        "customer_id,age,zip,size,T,t\n01,31,01234,L,1,a\n02,NA,5,,2,b\n03,,6,XL,3,\n", encoding="utf-8"
    )
    options = CustomersTable(path="people.csv", attributes=["age", "zip", "size"])
    data = read_table(options, CUSTOMERS, folder=tmp_path, extra=("t", "T", "age")).data
    assert data.columns.tolist() == ["customer_id", "age", "zip", "size", "t", "T"]
    assert data["age"].dtype == np.float64
    assert data["age"].isna().tolist() == [False, True, True]
    assert data["zip"].tolist() == ["01234", "5", "6"]
    assert data["T"].tolist() == [1.0, 2.0, 3.0]
    assert data["t"].tolist()[:2] == ["a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_believed(encoding: str, tmp_path: Path) -> None:
    table = orders(tmp_path, (HEADER + "Zoë,2026-01-02,5\n").encode(encoding))
    assert table.data["customer_id"].tolist() == ["Zoë"]
    assert table.encoding == encoding


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str, tmp_path: Path) -> None:
    text = (HEADER + "1,2026-01-02,5\n2,2026-01-02,x\n3,2026-01-02,5").replace("\n", end)
    table = orders(tmp_path, text, max_rejects="50%")
    assert table.data["customer_id"].tolist() == ["1", "3"]
    assert table.rejects.examples[0].row == 3


def test_mixed_line_ends(tmp_path: Path) -> None:
    table = orders(tmp_path, HEADER + "1,2026-01-02,5\r\n2,2026-01-02,5\r3,2026-01-02,5\n")
    assert table.data["customer_id"].tolist() == ["1", "2", "3"]


def test_names_are_compared_in_one_form(tmp_path: Path) -> None:
    decomposed = "Kaufpreis_\u0061\u0308"
    text = f"customer_id, ordered_on ,{decomposed}\nZoe\u0308,2026-01-02,5\n"
    table = orders(tmp_path, text, columns={"amount": "Kaufpreis_ä"})
    assert table.data["customer_id"].tolist() == ["Zoë"]


def test_one_table_from_every_kind_of_source(tmp_path: Path) -> None:
    text = HEADER + "007,2026-01-02,12.5\n8,2026-01-03 10:00:00,-3\n"
    as_text = orders(tmp_path, text)
    packed = orders(tmp_path, gzip.compress(text.encode()), name="orders.csv.gz")
    typed = pd.DataFrame(
        {
            "customer_id": ["007", "8"],
            "ordered_on": pd.to_datetime(["2026-01-02", "2026-01-03 10:00"], format="ISO8601"),
            "amount": [12.5, -3.0],
        }
    )
    typed.to_parquet(tmp_path / "orders.parquet")
    stored = read_table(TransactionsTable(path="orders.parquet"), TRANSACTIONS, folder=tmp_path)
    framed = read_table(typed, TRANSACTIONS)
    mixed = read_table(typed.astype(object), TRANSACTIONS)
    for other in (packed, stored, framed, mixed):
        pd.testing.assert_frame_equal(other.data, as_text.data)
    assert stored.encoding == ""
    assert framed.source == "<frame>"
    assert framed.sha256 == read_table(typed.copy(), TRANSACTIONS).sha256
    assert framed.sha256 != read_table(typed.assign(amount=[12.5, -3.1]), TRANSACTIONS).sha256


def test_frames_with_odd_columns(tmp_path: Path) -> None:
    from decimal import Decimal

    frame = pd.DataFrame(
        {
            "customer_id": [7.0, np.nan, 9.0],
            "ordered_on": [pd.Timestamp("2026-01-02").date(), "2026-01-03", pd.Timestamp("2026-01-04")],
            "amount": [Decimal("1.5"), 2, "3"],
            "category": pd.Categorical(["a", None, "b"]),
            "order_id": ["\ud800", np.array([1, 2]), None],
            "margin": pd.arrays.SparseArray(np.array([1.5, np.nan, 2.5], dtype="float32")),
        }
    )
    before = frame.copy()
    data = read_table(frame, TRANSACTIONS).data
    assert data["customer_id"].fillna("").tolist() == ["7", "", "9"]
    assert data["ordered_on"].tolist() == [pd.Timestamp(f"2026-01-0{day}") for day in (2, 3, 4)]
    assert data["amount"].tolist() == [1.5, 2.0, 3.0]
    assert data["category"].fillna("").tolist() == ["a", "", "b"]
    assert data["order_id"].fillna("").tolist() == ["?", "[1 2]", ""]
    assert data["margin"].fillna(0).tolist() == [1.5, 0, 2.5]
    pd.testing.assert_frame_equal(frame, before)


def test_numbers_that_are_not_finite_are_rejected_from_frames() -> None:
    frame = pd.DataFrame(
        {"customer_id": [1, 2, 3], "ordered_on": "2026-01-02", "amount": [1.0, np.inf, np.nan]}
    )
    with pytest.raises(DataError) as caught:
        read_table(frame, TRANSACTIONS)
    told = caught.value.findings[0].fix
    assert told == "row 2: amount 'inf' is not a finite number; row 3: amount is empty"


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (pd.to_datetime(["2026-01-02"]).tz_localize("Europe/Berlin"), "times with a time zone"),
        ([pd.Timedelta(days=1)], "is not a date"),
    ],
)
def test_columns_that_hold_no_plain_values(cells: object, says: str) -> None:
    frame = pd.DataFrame({"customer_id": ["1"], "ordered_on": cells, "amount": [1.0]})
    with pytest.raises(DataError, match=says):
        read_table(frame, TRANSACTIONS)


def test_lists_in_a_parquet_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": ["1"], "ordered_on": ["2026-01-02"], "amount": [[1.0, 2.0]]})
    frame.to_parquet(tmp_path / "orders.parquet")
    with pytest.raises(DataError, match=r"E314.*'amount' of 'orders.parquet' holds no plain values"):
        read_table(TransactionsTable(path="orders.parquet"), TRANSACTIONS, folder=tmp_path)


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(DataError, match=r"E314.*a table is expected, not list"):
        read_table(TransactionsTable(path="x"), TRANSACTIONS, frame=[1, 2])


def test_curves_are_handed_on_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "curves.csv").write_text(
        "channel,tier,spend,value,draw,colour\nemail,,5,6,,red\ntv,high,x,3,1,\n"
    )
    data = read_table(CurvesTable(path="curves.csv"), CURVES, folder=tmp_path).data
    assert data["spend"].tolist() == ["5.0", "x"]
    assert data["value"].tolist() == [6.0, 3.0]
    assert "colour" in data.columns


def test_the_order_of_a_long_file_is_kept(tmp_path: Path) -> None:
    n = 300_000
    rows = [f"{i:07d},2026-01-02,{i}" for i in range(n)]
    rows[200_000] = "200000,2026-01-02,x"
    rows[250_000] = "250000,2026-01-02"
    table = orders(tmp_path, HEADER + "\n".join(rows))
    assert table.data["amount"].is_monotonic_increasing
    assert [one.row for one in table.rejects.examples] == [200_002, 250_002]
    assert table.rejects.rows_read == n


def test_an_origin_is_where_the_option_was_written(tmp_path: Path) -> None:
    from allocator.errors import Origin

    places = {"columns.amount": Origin("q1.yaml", 12), "path": Origin("q1.yaml", 10)}
    (tmp_path / "orders.csv").write_text("customer_id,ordered_on,value\n1,2026-01-02,1\n")
    options = TransactionsTable(path="orders.csv", columns={"amount": "val"})
    with pytest.raises(DataError) as caught:
        read_table(options, TRANSACTIONS, folder=tmp_path, origin_of=places.get)
    assert caught.value.findings[0].where == Origin("q1.yaml", 12)
    with pytest.raises(DataError) as caught:
        read_table(TransactionsTable(path="order.csv"), TRANSACTIONS, folder=tmp_path, origin_of=places.get)
    assert caught.value.findings[0].where == Origin("q1.yaml", 10)


def test_describe_says_what_was_left_out(tmp_path: Path) -> None:
    table = orders(tmp_path, HEADER + "1,2026-01-02,5\n,2026-01-02,x\n", max_rejects="50%")
    told = describe(table)
    assert ("encoding", "utf-8") in told
    assert ("rows used", "1") in told
    assert ("rejected", "row 3, amount: 'x' is not a number") in told


@settings(max_examples=40)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_an_error(data: bytes) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        try:
            table = orders(Path(folder), HEADER.encode() + b"1,2026-01-02,5\n" + data, max_rejects="100%")
        except DataError as error:
            codes = {finding.code for finding in error.findings}
        else:
            codes = {"E302"}
            assert len(table.data) == table.rejects.rows_read - table.rejects.rows_rejected
    assert codes <= {"E302", "E314"}


@settings(max_examples=20)
@given(
    st.lists(
        st.text(st.sampled_from("ab1 ,.\"\n'é;-"), max_size=6).filter(lambda text: text.strip() != ""),
        min_size=1,
        max_size=8,
    )
)
def test_text_written_as_csv_comes_back(cells: list[str]) -> None:
    """Against the standard library's writer: what it writes is read as it was, tidied at its edges."""
    import csv
    import io
    from tempfile import TemporaryDirectory

    out = io.StringIO()
    csv.writer(out).writerows([["customer_id", "ordered_on", "amount", "category"]])
    csv.writer(out).writerows([["1", "2026-01-02", "5", cell] for cell in cells])
    with TemporaryDirectory() as folder:
        table = (
            orders(Path(folder), out.getvalue(), max_rejects="99.9%")
            if any("\n" not in cell.strip() for cell in cells)
            else None
        )
    if table is not None:
        kept = [cell.strip() for cell in cells if "\n" not in cell.strip()]
        assert table.data.get("category", pd.Series()).tolist() == kept


def test_the_public_logs(shared_data: Path) -> None:
    email: TableOptions = ExperimentsTable(
        path="minethatdata_email.parquet",
        columns={"arm": "segment", "revenue": "spend", "converted": "conversion"},
        covariates=["recency", "history", "zip_code"],
    )
    table = read_table(email, EXPERIMENTS, folder=shared_data)
    assert len(table.data) == 64_000
    assert table.data.groupby("arm")["revenue"].mean().round(4).to_dict() == {
        "Mens E-Mail": 1.4226,
        "No E-Mail": 0.6528,
        "Womens E-Mail": 1.0772,
    }
    assert table.data["zip_code"].nunique() == 3
    assert table.data["recency"].dtype == np.float64


def test_the_public_orders(shared_data: Path) -> None:
    sample = TransactionsTable(
        path="cdnow_sample.csv.gz", columns={"ordered_on": "date", "amount": "amount_usd"}
    )
    assert len(read_table(sample, TRANSACTIONS, folder=shared_data).data) == 6_919
    retail = TransactionsTable(
        path="online_retail_invoices.parquet", columns={"ordered_on": "invoice_time", "amount": "amount_gbp"}
    )
    table = read_table(retail, TRANSACTIONS, folder=shared_data)
    assert int(table.data["customer_id"].isna().sum()) == 3_710
    assert table.data["customer_id"].dropna().str.fullmatch(r"\d+").all()
