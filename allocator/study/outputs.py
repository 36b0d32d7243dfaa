"""What a plan comes to, in the few numbers that plans are compared by."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.errors import ArgumentError, Finding, closest
from allocator.plan.solution import CellResult, Solution
from allocator.quantities import UNKNOWN, count, money, percent, quoted, ratio

OUTPUTS = (
    "spend",
    "return",
    "profit",
    "roi",
    "conversions",
    "retained_customers",
    "marginal_return",
    "objective",
)
"""In money: ``spend``, ``return`` (incremental margin, gross of spend) and ``profit``; ``roi`` is profit per
spend, ``marginal_return`` what the next unit of money earns, ``objective`` in its own unit."""

PHRASES = {
    "spend": "a spend of",
    "return": "a return of",
    "profit": "a profit of",
    "roi": "an ROI of",
    "conversions": "conversions of",
    "retained_customers": "retained customers of",
    "marginal_return": "a marginal return of",
    "objective": "an objective of",
}
"""How a sentence goes on to the number of an output."""

_COUNTED = ("conversions", "retained_customers")
_RATIOS = ("marginal_return",)


def outputs(solution: Solution) -> Mapping[str, float | None]:
    """Give the outputs of a plan; None for what is not known, all None without a plan.

    Examples
    --------
    >>> from allocator.plan.solution import Status
    >>> outputs(Solution(Status.INFEASIBLE, "highs"))["return"] is None
    True
    """
    if not solution.cells:
        return dict.fromkeys(OUTPUTS)
    found = totals(solution.cells)
    return {**found, "marginal_return": solution.marginal_return, "objective": solution.objective}


def totals(cells: tuple[CellResult, ...]) -> dict[str, float | None]:
    """Add up what cells spend and bring."""
    spend = sum(cell.spend for cell in cells)
    margin = sum(cell.margin for cell in cells)
    return {
        "spend": spend,
        "return": margin,
        "profit": margin - spend,
        "roi": (margin - spend) / spend if spend > 0 else None,
        "conversions": _total([cell.conversions for cell in cells]),
        "retained_customers": _total([cell.retained for cell in cells]),
    }


def channel_spend(cells: tuple[CellResult, ...]) -> dict[str, float]:
    """Add up the money of every channel, in order."""
    found: dict[str, float] = {}
    for cell in cells:
        found[cell.cell.channel] = found.get(cell.cell.channel, 0.0) + cell.spend
    return found


def checked_output(name: str) -> str:
    """Give the name of an output back.

    Raises
    ------
    ArgumentError
        For any other name, with the one most alike.
    """
    if name in OUTPUTS:
        return name
    near = closest(name, OUTPUTS, cutoff=0.5)
    fix = f"did you mean {quoted(near)}?" if near else f"choose one of {', '.join(OUTPUTS)}"
    raise ArgumentError(Finding("E102", None, f"there is no output {quoted(name)}", fix))


def spelled(name: str, value: float | None) -> str:
    """Write an output as people read it.

    Examples
    --------
    >>> spelled("roi", 0.25), spelled("return", 1234.9), spelled("conversions", None)
    ('25.0%', '1,235', '–')
    """
    if value is None:
        return UNKNOWN
    if name == "roi":
        return percent(value, 1)
    if name in _COUNTED:
        return count(value)
    return ratio(value) if name in _RATIOS else money(value)


def _total(parts: list[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else None
