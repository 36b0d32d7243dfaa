"""What became of the rows of orders: how many were used, and why the others were not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from allocator.errors import Finding, Origin
from allocator.quantities import count, money


@dataclass(frozen=True)
class RowCounts:
    """What became of rows of orders; none is lost.

    ``read = used + without_customer + outside + before + after + negative + cancelled``.

    Parameters
    ----------
    read : int
        Rows given.
    used : int
        Rows that are purchases of the summary.
    without_customer, outside, before, after : int
        Rows not used: no customer id, customers outside the population, before `start`, after `as_of`.
    negative : int
        Returns: rows with a negative amount up to `as_of`.
    matched, netted, unmatched, dropped : int
        What became of these: cancelled a purchase of the same amount; lowered earlier purchases; found none
        to lower, in part or whole; left out by rule.
    cancelled : int
        Purchases that returns took back entirely: no purchases any more.
    unmatched_amount : float
        Money of returns that lowered nothing, 0 or more.
    zero : int
        Purchases of amount 0, returns aside: a free order is an order.
    """

    read: int = 0
    used: int = 0
    without_customer: int = 0
    outside: int = 0
    before: int = 0
    after: int = 0
    negative: int = 0
    matched: int = 0
    netted: int = 0
    unmatched: int = 0
    dropped: int = 0
    cancelled: int = 0
    unmatched_amount: float = 0.0
    zero: int = 0

    def _unused(self) -> Iterator[str]:
        reasons = {
            "without a customer id": self.without_customer,
            "of customers outside the population": self.outside,
            "before the start": self.before,
            "after the as-of day": self.after,
        }
        yield from (f"{count(number)} {reason}" for reason, number in reasons.items() if number)

    def _returns(self) -> Iterator[str]:
        fates = {
            "cancelled a purchase of the same amount": self.matched,
            "lowered earlier purchases": self.netted,
            f"took back more than was bought before ({money(self.unmatched_amount)})": self.unmatched,
            f"left out by rule ({money(self.unmatched_amount)})": self.dropped,
        }
        yield from (f"{count(number)} {fate}" for fate, number in fates.items() if number)

    def __str__(self) -> str:
        parts = [f"{count(self.read)} usable orders, {count(self.used)} used", *self._unused()]
        return ", ".join([*parts, *([f"{count(self.negative)} returns"] if self.negative else [])])

    def findings(self, where: Origin | None = None) -> tuple[Finding, ...]:
        """Give advice (W407) on orders that were not used and on returns.

        Examples
        --------
        >>> print(*RowCounts(read=10, used=7, without_customer=2, negative=1, netted=1).findings())
        warning[W407]: 3 of 10 orders are not purchases of the summary
          2 without a customer id; 1 returns: 1 lowered earlier purchases
        """
        reasons = list(self._unused())
        if self.negative:
            reasons.append(f"{count(self.negative)} returns: {', '.join(self._returns())}")
        if not reasons:
            return ()
        what = f"{count(self.read - self.used)} of {count(self.read)} orders are not purchases of the summary"
        return (Finding("W407", where, what, "; ".join(reasons)),)
