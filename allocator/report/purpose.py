"""What a plan is for, in words: objectives and their units, ordered goals, and what safety costs."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import fsum

from allocator.plan.solution import GoalResult, Safety
from allocator.quantities import count, money, money_short, percent
from allocator.report.document import Figure, Money, Text
from allocator.report.scale import Scale
from allocator.report.view import COUNTED, PlanView

_WORDS = {
    "retained_customers": "customers kept",
    "npv": "net present value",
    "least_spend": "least spend",
}
_SHARES = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 10: "tenth", 20: "twentieth"}
PROFIT = "profit"
TWICE = 1.0  # shares above it say less than the amounts
LEAST = "least_spend"


def in_words(name: str) -> str:
    """Write the name of a goal, or of several added up.

    Examples
    --------
    >>> in_words("profit + retained_customers")
    'profit + customers kept'
    """
    return " + ".join(_WORDS.get(part, part.replace("_", " ")) for part in name.split(" + "))


def priced_in(objective: str) -> str:
    """Say what prices are counted in; empty for profit, the money people read above."""
    if objective in ("", PROFIT):
        return ""
    return "spend saved" if objective == LEAST else in_words(objective)


def first_goal(view: PlanView) -> str:
    """Name what comes first."""
    return in_words(view.objective or PROFIT)


def aim(view: PlanView) -> str:
    """Say in a few words what the plan is for; empty for profit alone."""
    later = [goal.name for goal in view.solution.goals[1:]]
    if view.objective in ("", PROFIT) and not later:
        return ""
    if view.weights:
        first = " + ".join(_weighted(name, weight) for name, weight in view.weights.items())
    else:
        first = first_goal(view)
    whole = ", then ".join((first, *map(in_words, later)))
    return whole if view.objective == LEAST else f"maximises {whole}"


def _weighted(name: str, weight: float) -> str:
    return in_words(name) if weight == 1 else f"{weight:g} × {in_words(name)}"


def outcome_figures(view: PlanView, scale: Scale) -> tuple[Figure, ...]:
    """Give what the plan reaches of its goals, where that is neither the spend nor the return."""
    if view.solution.goals:
        return tuple(_goal(i, goal, view, scale) for i, goal in enumerate(view.solution.goals))
    found = (_outcome(name, view, scale) for name in view.objective.split(" + "))
    return tuple(figure for figure in found if figure is not None)


def _goal(index: int, goal: GoalResult, view: PlanView, scale: Scale) -> Figure:
    """Give one goal with what of its best was given up for those after it."""
    name = goal.name or view.objective or PROFIT
    unit = COUNTED.get(name, "")
    sign = -1 if name == LEAST else 1  # the least spend is the most of spend saved
    value, best = sign * goal.value, sign * goal.best
    decimals = 0 if unit else scale.decimals
    label = in_words(name)
    said = f"at best {Money(best, decimals=decimals).text}"
    if index:
        said = f"{said} with the goals before it"
    given_up = abs(goal.best - goal.value) / abs(goal.best) if goal.best else 0.0
    more = (f"{percent(given_up, 1)} given up for the goals after it",) if given_up >= 0.0005 else ()
    return Figure(f"{index + 1}. {label[:1].upper()}{label[1:]}", Money(value, None, decimals), (said, *more))


def _outcome(name: str, view: PlanView, scale: Scale) -> Figure | None:
    cells = view.solution.cells
    if name == "conversions":
        return _counted("Conversions", [cell.conversions for cell in cells], view)
    if name == "retained_customers":
        return _counted("Customers kept", [cell.retained for cell in cells], view)
    if name == "incremental_revenue":
        revenue = _total(cell.revenue for cell in cells)
        shown = Money(revenue, decimals=scale.decimals)
        return Figure("Revenue", shown, ("incremental",)) if revenue is not None else None
    if name == "npv" and view.objective == name and view.solution.objective is not None:
        value = view.solution.objective + view.fines
        remark = "profit discounted to the start of the horizon"
        return Figure("Net present value", Money(value, decimals=scale.decimals), (remark,))
    return None


def _counted(label: str, parts: Iterable[float | None], view: PlanView) -> Figure | None:
    total = _total(parts)
    if total is None:
        return None
    spend = view.whole.spend
    each = f"{money(spend / total, 2)} {view.currency}".rstrip() if total > 0 else ""
    return Figure(label, Text(count(total)), (f"{each} of spend each",) if each else ())


def _total(parts: Iterable[float | None]) -> float | None:
    """Add up; None as soon as one part is unknown."""
    known = list(parts)
    return None if not known or None in known else fsum(part for part in known if part is not None)


def safety_figures(view: PlanView) -> tuple[Figure, ...]:
    """Say what a plan for bad luck gives up of the mean, and what that buys."""
    safety = view.solution.safety
    if safety is None:
        return ()
    price, buys = safety.price, safety.buys
    regret = safety.method == "regret"
    there, before = (_amount(worth, view, regret=regret) for worth in (safety.worth, safety.plain_worth))
    instead = f"{there} instead of {before}"
    expected = f"expected {first_goal(view)}"
    where = bad_luck(safety)
    if price is None or buys is None or buys > TWICE or safety.plain_worth <= 0 < safety.worth:
        lost = _amount(safety.plain_expected - safety.expected, view, regret=False)
        given_up = lost if price is None else _rounded(price)
        return (Figure("Safety", Text(given_up), (f"of the {expected} buys {instead} {where}",)),)
    if price < 5e-5 and buys < 5e-5:
        remark = f"costs nothing: no plan is better {where} than the one with the best mean"
        return (Figure("Safety", Text(percent(0.0)), (remark,)),)
    gain = f"buys {_rounded(buys)} {'less regret' if regret else 'more'} {where}"
    return (Figure("Safety", Text(_rounded(price)), (f"of the {expected} {gain}", instead)),)


def bad_luck(safety: Safety) -> str:
    """Say which outcome a method looks at.

    Examples
    --------
    >>> bad_luck(Safety("cvar", 0.1, 0, 0, 0, 0)), bad_luck(Safety("lower_quantile", 0.1, 0, 0, 0, 0))
    ('in the worst tenth', 'in the outcome that 9 in 10 draws exceed')
    """
    share = Fraction(safety.level).limit_denominator(20)
    exact = abs(float(share) - safety.level) < 1e-9
    if safety.method == "cvar":
        worst = _SHARES.get(share.denominator) if exact and share.numerator == 1 else None
        return f"in the worst {worst or f'{percent(safety.level, None)} of draws'}"
    if safety.method == "lower_quantile":
        often = f"{share.denominator - share.numerator} in {share.denominator}" if exact else None
        return f"in the outcome that {often or f'{percent(1 - safety.level, None)} of'} draws exceed"
    return "in the worst draw" if safety.method == "worst_case" else "at worst"


def _rounded(share: float) -> str:
    """Write a share with a decimal where it is small."""
    return percent(share, 1 if abs(share) < 0.0995 else 0)


def _amount(value: float, view: PlanView, *, regret: bool) -> str:
    """Write an amount of the objective; of regret how large it is."""
    return f"{money_short(-value if regret else value)} {view.counted}".strip()
