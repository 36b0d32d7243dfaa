"""What solving gives: data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from allocator.errors import Finding
from allocator.plan.rows import Row
from allocator.response.curve import FloatArray
from allocator.response.curves import Cell


class Status(StrEnum):
    """How a solve ended; the first two carry a plan."""

    OPTIMAL = "optimal"
    FEASIBLE_GAP = "feasible_gap"
    TIME_LIMIT = "time_limit"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    ERROR = "error"


@dataclass(frozen=True)
class CellResult:
    """What one (tier, channel, period) gets and brings; segments are added up.

    ``margin`` is incremental margin gross of spend. ``marginal_return`` is what the next unit of money
    earns here (the channel's, when tied); None where the curve takes no more.
    """

    cell: Cell
    current: float | None
    spend: float
    margin: float
    margin_interval: tuple[float, float] | None
    revenue: float | None
    marginal_return: float | None
    contacts: float | None
    tied: bool
    conversions: float | None = None
    retained: float | None = None


@dataclass(frozen=True)
class RowResult:
    """One limit at the plan.

    ``limit`` and ``value`` are in the row's own unit, for ratio rows the ratio (``value`` nan where nothing
    is spent); ``slack`` is always in the row's own unit. ``next_unit`` is the gain in the objective per unit
    of loosening, ``last_unit`` the loss per unit of tightening (both per unit of row slack for ratio rows);
    None when the row does not bind, ``last_unit`` also when no plan is left with a tighter limit. The price
    of ``budget.total`` includes what limits that are shares of it do as it moves; that of a curve's end takes
    its last slope to go on. Of a budget to be spent exactly only the side that costs binds.

    ``range`` is the interval of the limit within which the prices hold, each on its side; None where the
    price changes all the time (smooth curves), for ratios, and for a budget with shares that move along.
    """

    row: Row
    limit: float
    value: float
    slack: float
    binding: bool
    next_unit: float | None = None
    last_unit: float | None = None
    range: tuple[float | None, float | None] | None = None
    cost: float | None = None
    """What the objective would gain without the whole written limit this row is of; None where not asked."""

    @property
    def missed(self) -> float:
        """By how much a soft limit is missed, in the row's own unit; 0 for limits that are kept."""
        return max(0.0, -self.slack) if self.row.penalty is not None else 0.0


@dataclass(frozen=True)
class Safety:
    """What a plan for bad luck gives up and what it buys, beside the plan for the mean, in the objective.

    ``expected`` and ``worth`` are of the plan, ``plain_expected`` and ``plain_worth`` of the plan with the
    best mean, ``worth`` as the method judges draws (for regret minus the largest regret).
    """

    method: str
    level: float
    expected: float
    worth: float
    plain_expected: float
    plain_worth: float

    @property
    def price(self) -> float | None:
        """Share of the mean given up; None where the mean is not above 0."""
        return (
            (self.plain_expected - self.expected) / self.plain_expected if self.plain_expected > 0 else None
        )

    @property
    def buys(self) -> float | None:
        """Share by which the bad outcome gets better; None where it is 0."""
        return (self.worth - self.plain_worth) / abs(self.plain_worth) if self.plain_worth else None


@dataclass(frozen=True)
class GoalResult:
    """One of several ordered goals: what the plan reaches of it, and the most that goals before it allow."""

    name: str
    value: float
    best: float


@dataclass(frozen=True)
class Optimality:
    """The certificate, recomputed from spend without a solver.

    ``gap`` is the relative distance to the bound that the duals prove on the program's breakpoints,
    ``curve_error`` how far smooth curves can lie above that bound, in the objective's unit, and
    ``max_violation`` the largest violation of a limit relative to its size.
    """

    gap: float
    curve_error: float
    max_violation: float


@dataclass(frozen=True)
class Repair:
    """One change (or, when none alone cures, one set of changes) after which a plan exists.

    ``limits`` are the new limits in their writer's unit; ``money`` is the size of the move in money.
    """

    rows: tuple[Row, ...]
    limits: tuple[float, ...]
    money: float
    text: str


@dataclass(frozen=True)
class Conflict:
    """Limits that contradict each other (a minimal set) and the smallest cures, each verified by a solve.

    ``further`` holds contradictions among other limits: without the rows of one there is still the next.
    """

    rows: tuple[Row, ...]
    repairs: tuple[Repair, ...]
    further: tuple[tuple[Row, ...], ...] = ()


@dataclass(frozen=True)
class Today:
    """The current spend valued by the same curves; money past the end of a curve brings no more."""

    spend: float
    margin: float
    beaten_in: float | None
    """Share of draws in which the plan's objective is above today's."""


@dataclass(frozen=True, eq=False)
class Solution:
    """A verified plan, or the reason why there is none.

    ``decision_spend`` aligns with the problem's decisions. ``draws`` holds the plan's incremental margin
    under each draw; ``worth`` is the objective as its risk judges it. ``interchangeable`` names groups of
    decisions between which money can move without loss, when the optimum is not unique. ``whole`` says
    that whole numbers were chosen: prices hold for these, with the same channels active. In ``goals`` the
    first one has no name.
    """

    status: Status
    solver: str
    objective: float | None = None
    decision_spend: tuple[float, ...] = ()
    cells: tuple[CellResult, ...] = ()
    rows: tuple[RowResult, ...] = ()
    optimality: Optimality | None = None
    marginal_return: float | None = None
    margin_interval: tuple[float, float] | None = None
    draws: FloatArray | None = None
    today: Today | None = None
    worth: float | None = None
    whole: bool = False
    safety: Safety | None = None
    goals: tuple[GoalResult, ...] = ()
    interchangeable: tuple[tuple[str, ...], ...] = ()
    conflict: Conflict | None = None
    warnings: tuple[Finding, ...] = ()
