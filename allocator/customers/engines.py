"""The aggregates over orders, written once in Ibis; DuckDB runs them in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Self, TypeAlias

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

    Transactions: TypeAlias = pd.DataFrame | ir.Table

KEY = "customer_id"
COLUMNS = (KEY, "ordered_on", "amount")


@dataclass(frozen=True, eq=False)
class Orders:
    """Orders as an expression: ``customer_id`` (text, null where unknown), ``day``, ``amount``, and texts.

    Parameters
    ----------
    table : ibis table
    backend : ibis backend
        Where it is computed.
    """

    table: ir.Table
    backend: Any

    @classmethod
    def of(cls, transactions: Transactions, texts: Iterable[str] = ()) -> Self:
        """Give the orders of a frame, on DuckDB in this process, or of an Ibis table, where it is.

        `texts` names further columns, null where empty.

        One thread, because the order in which several add amounts up is left to chance; results are equal bit
        for bit. Session time is UTC.
        """
        import ibis

        if isinstance(transactions, ibis.Table):
            backend, table = transactions.get_backend(), transactions
        else:
            backend = ibis.duckdb.connect(threads=1)
            backend.raw_sql("SET TimeZone = 'UTC'")
            table = ibis.memtable(_arrow(transactions))
        orders = table.select(
            customer_id=table[KEY].cast("string").nullif(""),
            day=table["ordered_on"].cast("date"),
            amount=table["amount"].cast("float64"),
            **{name: table[name].cast("string").nullif("") for name in texts},
        )
        return cls(orders, backend)

    def known(self, population: Iterable[str] | None) -> Self:
        """Give the orders with a customer, of the population where one is given."""
        known = self.table.filter(self.table[KEY].notnull())
        if population is not None:
            known = known.semi_join(_ids(population), KEY)
        return type(self)(known, self.backend)

    def until(self, as_of: date) -> Self:
        """Give the orders up to a day, itself included."""
        return type(self)(self.table.filter(self.table["day"] <= as_of), self.backend)

    def size(self) -> int:
        """Count rows."""
        return int(self._first({"rows": self.table.count()})["rows"])

    def counts(self) -> dict[str, Any]:
        """Count rows: read, unusable (no finite amount or no day), named, negative; first and last day."""
        t = self.table
        amount = t["amount"]
        # engines differ on whether an amount that is no number is null
        unusable = amount.isnull() | amount.isnan() | amount.isinf() | t["day"].isnull()
        return self._first(
            {
                "read": t.count(),
                "unusable": unusable.sum(),
                "named": t[KEY].count(),
                "negative": (amount < 0).sum(),
                "first_on": t["day"].min(),
                "last_on": t["day"].max(),
            }
        )

    def counts_in_time(self, start: date | None) -> dict[str, Any]:
        """Count rows: all, negative, and of the others those before `start` and those of amount 0 since."""
        t = self.table
        negative = t["amount"] < 0
        before = (t["day"] < start) & ~negative if start else negative & ~negative
        zero = (t["amount"] == 0) & ~before
        sums = {"negative": negative.sum(), "before": before.sum(), "zero": zero.sum()}
        return self._first({"rows": t.count(), **sums})

    def _first(self, aggregates: Mapping[str, ir.Value]) -> dict[str, Any]:
        (row,) = self.backend.to_pyarrow(self.table.aggregate(**aggregates)).to_pylist()
        # the sum of no rows is null
        return {name: 0 if value is None else value for name, value in row.items()}

    def with_returns(self) -> pd.DataFrame:
        """Give all orders of customers with a negative amount."""
        return self._frame(self.table.semi_join(self._returners(), KEY))

    def _frame(self, table: ir.Table) -> pd.DataFrame:
        frame: pd.DataFrame = self.backend.to_pyarrow(table).to_pandas(date_as_object=False)
        return frame

    def replaced(self, orders: pd.DataFrame) -> Self:
        """Give the orders with those of customers with a negative amount replaced."""
        import ibis

        kept = self.table.anti_join(self._returners(), KEY)
        settled = ibis.memtable(_arrow(orders)).cast(self.table.schema())
        return type(self)(kept.union(settled), self.backend)

    def _returners(self) -> ir.Table:
        return self.table.filter(self.table["amount"] < 0).select(KEY).distinct()

    def by_customer(self, start: date | None) -> pd.DataFrame:
        """Give one row a customer, by id: purchase days, the first, the last, money of all and of the first.

        Parameters
        ----------
        start : date or None
            First day that counts.

        Returns
        -------
        DataFrame
            ``customer_id``, ``n_days``, ``first_on``, ``last_on``, ``total_value``, ``first_value``.
        """
        rows = self.table if start is None else self.table.filter(self.table["day"] >= start)
        days = rows.group_by(KEY, "day").aggregate(value=rows["amount"].sum())
        customers = days.group_by(KEY).aggregate(
            n_days=days.count(),
            first_on=days["day"].min(),
            last_on=days["day"].max(),
            total_value=days["value"].sum(),
            first_value=days["value"].argmin(days["day"]),
        )
        return self._frame(customers.order_by(KEY))

    def by_day(self) -> pd.DataFrame:
        """Give one row a customer and purchase day, by id and day: ``customer_id``, ``day``, ``value``."""
        days = self.table.group_by(KEY, "day").aggregate(value=self.table["amount"].sum())
        return self._frame(days.order_by(KEY, "day"))

    def returned(self) -> pd.DataFrame:
        """Give one row a customer with returns, by id: their number, their money, and that of purchases.

        Returns
        -------
        DataFrame
            ``customer_id``, ``n_returns``, ``returned``, ``bought`` (before returns), all 0 or more.
        """
        t = self.table.semi_join(self._returners(), KEY)
        back = t["amount"] < 0
        customers = t.group_by(KEY).aggregate(
            n_returns=back.sum(),
            returned=(-t["amount"]).sum(where=back),
            bought=t["amount"].sum(where=~back),
        )
        return self._frame(customers.fill_null({"bought": 0.0}).order_by(KEY))

    def by_text(self, name: str) -> pd.DataFrame:
        """Give one row a customer and text of their purchases: ``customer_id``, ``text``, ``n_rows``.

        By id, the most frequent text first, of those as frequent the first of the alphabet.
        """
        bought = self.table.filter((self.table["amount"] >= 0) & self.table[name].notnull())
        texts = bought.group_by(KEY, text=bought[name]).aggregate(n_rows=bought.count())
        return self._frame(texts.order_by(KEY, texts["n_rows"].desc(), "text"))


def _ids(population: Iterable[str]) -> ir.Table:
    import ibis
    import pyarrow as pa

    return ibis.memtable(pa.table({KEY: pa.array(list(population), pa.string())}))


def _arrow(frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False)
