"""Made-up plans: a feasible one of four channels and three tiers, and a contradiction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from allocator.errors import Finding, Origin
from allocator.plan.rows import Bound, Quotient, Row, Switch, Unit, Weights
from allocator.plan.solution import (
    CellResult,
    Conflict,
    Optimality,
    Repair,
    RowResult,
    Solution,
    Status,
    Today,
)
from allocator.report.view import ChannelView, PlanView, TierView
from allocator.response.curves import Cell, Evidence

FILE = "scenarios/q1_base.yaml"

TIERS = (
    TierView("high", "High value", 80_000.0),
    TierView("medium", "Medium", 120_000.0),
    TierView("low", "Low", 200_000.0),
)
CHANNELS = (
    ChannelView("search", "Paid search", Evidence.MODELLED, "history", tied=True),
    ChannelView("email", "E-mail", Evidence.TESTED, "experiment"),
    ChannelView("social", "Paid social", Evidence.OPINION, "expert", tied=True),
    ChannelView("mail", "Direct mail", Evidence.TESTED, "experiment"),
)

# channel: tier shares of the spend, spend, return, today's spend, next unit
_MONEY = {
    "search": ((0.2, 0.3, 0.5), 425_223.37, 772_383.41, 420_000.0, 1.2141),
    "email": ((0.5123, 0.3011, 0.1866), 252_000.0, 712_687.77, 180_000.0, 1.3462),
    "social": ((0.2, 0.3, 0.5), 204_000.13, 300_111.52, 300_000.0, 1.2138),
    "mail": ((0.7017, 0.2983, 0.0), 318_776.5, 490_803.3, 300_000.0, 1.2144),
}


def cells() -> tuple[CellResult, ...]:
    return tuple(_cell(tier.name, channel, i) for channel in CHANNELS for i, tier in enumerate(TIERS))


def _cell(tier: str, channel: ChannelView, index: int) -> CellResult:
    shares, spend, margin, current, next_unit = _MONEY[channel.name]
    part = shares[index]
    return CellResult(
        cell=Cell(tier, channel.name),
        current=current / 3,
        spend=round(spend * part, 2),
        margin=margin * part,
        margin_interval=(0.8 * margin * part, 1.2 * margin * part),
        revenue=None,
        marginal_return=next_unit,
        contacts=spend * part / 0.12 if channel.name == "email" else None,
        tied=channel.tied,
    )


def _spend(*channels: str) -> dict[Cell, Weights]:
    return {Cell(tier.name, channel): Weights(spend=1.0) for channel in channels for tier in TIERS}


BUDGET = Row(
    "budget.total",
    "budget",
    Bound.MAX,
    _spend(*_MONEY),
    rhs=0.0,
    rhs_per_budget=1.0,
    path="budget.total",
    reason="Budget for the horizon",
    origin=Origin(FILE, 11, 9),
)
NO_SHOCK = Row(
    "no_shock[email]",
    "change_vs_current",
    Bound.MAX,
    _spend("email"),
    rhs=252_000.0,
    unit=Unit.SHARE,
    scale=180_000.0,
    shift=1.0,
    path="constraints.no_shock.max",
    reason="Agencies need 8 weeks' notice",
    origin=Origin(FILE, 50, 3),
)
FLOOR = Row(
    "low_tier_floor",
    "share_of_budget",
    Bound.MIN,
    _spend("email"),
    rhs=0.0,
    rhs_per_budget=0.1,
    unit=Unit.SHARE,
    path="constraints.low_tier_floor.min",
    reason="Loyalty promise to entry members (board minutes 2026-11-03)",
    origin=Origin(FILE, 44, 3),
)
CURVE_END = Row(
    "curve_end[mail, low]", "curve_end", Bound.MAX, {Cell("low", "mail"): Weights(spend=1.0)}, rhs=90_000.0
)
EARN = Row(
    "earn_it",
    "roi",
    Bound.MIN,
    {},
    rhs=0.0,
    unit=Unit.RATIO,
    quotient=Quotient({}, {}, offset=-1.0),
    ratio_limit=0.2,
    path="constraints.earn_it.min",
    reason="House rule",
    origin=Origin("scenarios/house.yaml", 7, 3),
)
SEARCH_MIN = replace(
    NO_SHOCK,
    name="channels.search.min",
    kind="channel",
    bound=Bound.MIN,
    unit=Unit.MONEY,
    rhs=1_000_000.0,
    scale=1.0,
    shift=0.0,
    path="channels.search.min",
    reason="Lower limit of Paid search",
    origin=Origin(FILE, 27, 5),
)


def solution() -> Solution:
    return Solution(
        status=Status.OPTIMAL,
        solver="cbc",
        objective=1_075_986.0,
        cells=cells(),
        rows=(
            RowResult(BUDGET, 1.2e6, 1.2e6, 0.0, True, 0.2141, 0.2141, (1.1e6, 1.31e6)),
            RowResult(FLOOR, 120_000.0, 138_000.0, 18_000.0, False),
            RowResult(NO_SHOCK, 252_000.0, 252_000.0, 0.0, True, 0.1321, 0.1321, (251_000.0, None)),
            RowResult(CURVE_END, 90_000.0, 0.0, 90_000.0, False),
            RowResult(EARN, 0.2, 0.8967, 700_000.0, False),
        ),
        optimality=Optimality(0.0, 3.2, 0.0),
        marginal_return=1.2141,
        margin_interval=(1_941_000.0, 2_644_000.0),
        today=Today(1_200_000.0, 2_095_899.0, 0.93),
        warnings=(
            Finding(
                "W302", Origin(FILE, 44, 3), "low_tier_floor counts tied channels", "the split is assumed"
            ),
        ),
    )


def view(**changes: object) -> PlanView:
    plan = PlanView(
        name="Q1 2027 base plan",
        file=FILE,
        currency="EUR",
        start=date(2027, 1, 1),
        end=date(2027, 3, 31),
        budget=1_200_000.0,
        spend_rule="up_to",
        objective="profit",
        tiers=TIERS,
        channels=CHANNELS,
        solution=solution(),
        scenario_sha256="0" * 64,
        seed=20270101,
        findings=solution().warnings,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def contradiction(**changes: object) -> PlanView:
    conflict = Conflict(
        rows=(BUDGET, SEARCH_MIN),
        repairs=(
            Repair((BUDGET,), (1_320_000.0,), 120_000.0, "raise budget.total by 120,000"),
            Repair((SEARCH_MIN,), (80_000.0,), 120_000.0, "lower channels.search.min to 80,000"),
        ),
    )
    return view(solution=Solution(Status.INFEASIBLE, "cbc", conflict=conflict), findings=(), **changes)


MONTHS = tuple(f"2027-{month:02}" for month in range(1, 7))


def in_periods(names: tuple[str, ...] = MONTHS) -> Solution:
    """The plan spread over periods, unevenly; direct mail has none in the last one."""
    weights = [1 + 0.37 * (i % 4) for i in range(len(names))]
    shares = [weight / sum(weights) for weight in weights]
    cells = tuple(
        replace(
            result,
            cell=result.cell._replace(period=name),
            current=result.current * share,
            spend=result.spend * share,
            margin=result.margin * share,
        )
        for result in solution().cells
        for name, share in zip(names, shares, strict=True)
        if not (result.cell.channel == "mail" and name == names[-1])
    )
    return replace(solution(), cells=cells)


SOFT = replace(
    NO_SHOCK, name="soft_cap", penalty=0.05, path="constraints.soft_cap.max", reason="Nice to have", shift=0.0
)
FEW = replace(
    BUDGET,
    name="few_channels",
    kind="active_channels",
    terms={},
    rhs=3.0,
    rhs_per_budget=0.0,
    unit=Unit.COUNT,
    wholes={Switch(channel, tuple(_spend(channel))): 1.0 for channel in _MONEY},
    path="constraints.few_channels.max",
    reason="The team can run three channels",
    origin=Origin(FILE, 60, 3),
)
LOTS = replace(
    BUDGET, name="channels.mail.step", kind="lots", terms=_spend("mail"), path="channels.mail.step"
)


def with_rules() -> Solution:
    """The plan with a soft limit that is missed, a limit on whole numbers, lots, and costs of rules."""
    budget, *others = solution().rows
    rows = (
        replace(budget, cost=None),
        RowResult(SOFT, 240_000.0, 252_000.0, -12_000.0, True, 0.05, 0.05, cost=600.0),
        RowResult(FEW, 3.0, 3.0, 0.0, True, 0.0, 0.0, cost=12_300.0),
        RowResult(LOTS, 0.0, 0.0, 0.0, True, 0.3, 0.3),
        *others,
    )
    return replace(solution(), rows=rows, whole=True)
