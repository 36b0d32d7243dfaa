"""From a plan to names: which customers the contacts it pays for go to, and the rule behind the choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.plan.families import GIVEN
from allocator.plan.rows import Bound
from allocator.plan.solution import RowResult, Solution
from allocator.response.curves import Cell
from allocator.stages.targeting import Targeting

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Codes = NDArray[np.intp]
ROUNDING = 1e-6  # of a contact

COLUMNS = ("customer_id", "channel", "tier", "gain", "cost", "gain_per_cost")


@dataclass(frozen=True)
class Price:
    """The rule of a tier and channel: contact when ``gain - price_of_money * cost > 0``.

    Parameters
    ----------
    tier, channel : str
    price_of_money : float
        What a unit of money has to bring there, by all limits that money or contacts of the cell use up.
    because : tuple of str
        Names of the limits that put it above 1.
    """

    tier: str
    channel: str
    price_of_money: float
    because: tuple[str, ...] = ()


def chosen(
    targeting: Targeting,
    contacts: Mapping[Cell, float],
    scale: float,
    *,
    once: bool,
    most: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Give who is contacted by which channel.

    In every segment the plan's contacts go to those who gain most from the channel, against what the other
    channels planned there would bring. Contacts are rounded down, so the list never costs more than the plan.

    Parameters
    ----------
    targeting : Targeting
    contacts : mapping of cell to float
        By tier, channel and segment, of all customers the plan is for.
    scale : float
        Customers in the tables per customer of the plan.
    once : bool
        Whether a customer gets one channel at most.
    most : mapping of channel to float, optional
        Contacts a customer may get; 1 where nothing is said.

    Returns
    -------
    DataFrame
        ``customer_id``, ``channel``, ``tier``, ``gain`` (shrunk effect, money of margin), ``cost``,
        ``gain_per_cost``; the highest gain per cost first.
    """
    import pandas as pd

    each = np.array([(most or {}).get(name, 1.0) for name in targeting.tailored.channels])
    found = [
        pair
        for place, wanted in _by_segment(targeting, contacts, scale)
        for pair in _named(targeting, place, wanted, each if once else None)
    ]
    who = np.array([one for one, _ in found], dtype=np.intp)
    channel = np.array([other for _, other in found], dtype=np.intp)
    gain, cost = targeting.effect[who, channel], targeting.cost[channel]
    tailored = targeting.tailored
    table = pd.DataFrame(
        {
            "customer_id": targeting.customer_id[who],
            "channel": np.array(tailored.channels, dtype=object)[channel],
            "tier": np.array(tailored.tiers, dtype=object)[targeting.tier[who]],
            "gain": gain,
            "cost": cost,
            "gain_per_cost": gain / cost,
        },
        columns=list(COLUMNS),
    )
    order = np.lexsort((table["customer_id"].to_numpy(dtype=str), -table["gain_per_cost"].to_numpy()))
    return table.iloc[order].reset_index(drop=True)


Place = tuple[int, int]


def _by_segment(
    targeting: Targeting, contacts: Mapping[Cell, float], scale: float
) -> Iterator[tuple[Place, IntArray]]:
    """Give the whole contacts of every segment by channel, those of a tier and channel rounded together."""
    tailored = targeting.tailored
    for tier, rule in enumerate(targeting.rules):
        size = np.bincount(targeting.segment[targeting.tier == tier], minlength=rule.count)
        exact = np.array(
            [
                [
                    scale
                    * contacts.get(
                        Cell(tailored.tiers[tier], name, segment=targeting.name(tier, segment)), 0.0
                    )
                    for name in tailored.channels
                ]
                for segment in range(rule.count)
            ]
        )
        whole = rounded(exact, size)
        for segment in range(rule.count):
            yield (tier, segment), whole[segment]


def rounded(exact: FloatArray, size: IntArray) -> IntArray:
    """Round contacts to whole ones, segments in rows, channels in columns.

    A channel's total is rounded down; what its segments lose goes to the largest remainders, as long as a
    segment has customers left.

    Examples
    --------
    >>> rounded(np.array([[1.6, 0.0], [0.6, 2.7]]), np.array([5, 5])).tolist()
    [[2, 0], [0, 2]]
    """
    whole = np.floor(exact + ROUNDING).astype(np.int64)
    for channel in range(exact.shape[1]):
        missing = int(np.floor(exact[:, channel].sum() + ROUNDING)) - int(whole[:, channel].sum())
        for segment in np.argsort(whole[:, channel] - exact[:, channel], kind="stable")[:missing]:
            most = max(int(size[segment]), int(np.ceil(exact[segment].sum() - ROUNDING)))
            whole[segment, channel] += int(whole[segment].sum() < most)
    return whole


def _named(
    targeting: Targeting, place: Place, wanted: IntArray, most: FloatArray | None
) -> Iterator[tuple[int, int]]:
    """Give customers of a segment by channel; the dearest channel chooses first.

    With `most` contacts of a customer by a channel, channels share no customer; without, they do.
    """
    members = np.flatnonzero((targeting.tier == place[0]) & (targeting.segment == place[1]))
    effect = targeting.effect[members] if len(members) else np.zeros((0, len(wanted)))
    free = np.ones(len(members), dtype=bool)
    used = sorted(np.flatnonzero(wanted).tolist(), key=lambda one: -targeting.cost[one])
    for turn, channel in enumerate(used):
        number = int(wanted[channel])
        rivals = [other for other in used if other != channel and most is not None]
        ahead = effect[:, channel] - (effect[:, rivals].max(axis=1) if rivals else 0.0)
        open_to = np.flatnonzero(free)
        order = open_to[np.argsort(-ahead[open_to], kind="stable")]
        if most is not None:
            order, number = _own_share(order, wanted[used[turn:]], most[used[turn:]])
            free[order] = False
        if len(order):
            yield from ((int(members[one]), channel) for one in np.resize(order, number))


def _own_share(order: Codes, wanted: IntArray, most: FloatArray) -> tuple[Codes, int]:
    """Give the customers of the first of some channels and its contacts, leaving enough to the others."""
    each = np.maximum(most, 1.0)
    needed = np.ceil(wanted / each - ROUNDING).astype(np.int64)
    own = max(int(needed[0]), min(int(wanted[0]), len(order) - int(needed[1:].sum())))
    order = order[:own]
    return order, min(int(wanted[0]), int(len(order) * each[0] + ROUNDING))


def rules(solution: Solution, channels: Sequence[str], *, profit: bool) -> tuple[Price, ...]:
    """Give the price of money in every cell of some channels, by the limits that bind there.

    With prices p of the binding rows, a unit of spend in a cell costs ``1 + sum(p * weight of spend)`` and a
    unit of margin counts ``1 + sum(p * weight of margin)``; their ratio is the price.

    Parameters
    ----------
    solution : Solution
    channels : sequence of str
    profit : bool
        Whether the objective takes the spend off.
    """
    binding = [row for row in solution.rows if row.binding and row.row.kind not in GIVEN]
    alone = _alone(binding)
    found = []
    for one in solution.cells:
        if one.cell.channel not in channels:
            continue
        spend, margin, names = 1.0 if profit else 0.0, 1.0, []
        for row in binding:
            weights, price = row.row.terms.get(one.cell), alone[row.row.name, row.row.bound]
            if weights is None or not price:
                continue
            spend -= row.row.bound.sign * price * weights.spend
            margin += row.row.bound.sign * price * weights.margin
            names.append(row.row.name)
        if margin > 0:
            found.append(Price(one.cell.tier, one.cell.channel, spend / margin, tuple(names)))
    return tuple(found)


def _alone(binding: Sequence[RowResult]) -> dict[tuple[str, Bound], float]:
    """Give the price of every limit with all others in place.

    The price of a budget counts in what limits gain that are shares of it; here that is theirs alone.
    """
    known = {(one.row.name, one.row.bound): one.next_unit or 0.0 for one in binding}
    shares = sum(
        one.row.bound.sign * (one.next_unit or 0.0) * one.row.rhs_per_budget
        for one in binding
        if one.row.kind != "budget"
    )
    for one in binding:
        if one.row.kind == "budget":
            known[one.row.name, one.row.bound] -= one.row.bound.sign * shares
    return known
