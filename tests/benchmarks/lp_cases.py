"""Made-up problems of the plan layer and the clock of the ``lp_*`` benchmarks; prints nothing itself.

Curves are breakpoints sampled from Hill curves, in whole money; limits are drawn around a plan that keeps
them all, so that every problem has a plan unless a conflict is planted. The same seed gives the same problem.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from allocator.plan.problem import Decision, Problem
from allocator.plan.rows import Bound, Quotient, Row, Unit, Weights, ratio_row
from allocator.response.curve import FloatArray, ResponseCurve
from allocator.response.curves import Cell

PROFIT, MARGIN = Weights(spend=-1, margin=1), Weights(margin=1)
SPEND = Weights(spend=1)
PLANTED = ("planted.least", "planted.share", "planted.most")
"""The limits of `limits_600` that contradict each other."""

Found = dict[str, Any]
"""A figure, in the shape every benchmark of this project prints."""


# ---- problems


def pieces_of_hill(ceiling: float, half: float, reach: float, pieces: int) -> ResponseCurve:
    """Sample ``ceiling * s / (half + s)`` at `pieces` places that lie closer where it bends."""
    spend = np.round(reach * (np.arange(pieces + 1) / pieces) ** 1.6)
    return ResponseCurve(spend, ceiling * spend / (half + spend))


def bent_up_once(ceiling: float, half: float, reach: float, pieces: int) -> ResponseCurve:
    """Sample a Hill curve of shape 3 so that its first piece alone is shallower than the next."""
    spend = np.concatenate([[0.0, half / 2], np.linspace(0.8 * half, reach, pieces - 1)])
    ratio = (spend / half) ** 3
    return ResponseCurve(spend, ceiling * ratio / (1 + ratio))


CurveOf = Callable[[Cell], ResponseCurve]


def grid(tiers: int, channels: int, periods: int, curve: CurveOf) -> list[Decision]:
    """One decision a cell, the periods of a channel of a tier beside each other."""
    found = []
    for tier in range(tiers):
        for channel in range(channels):
            for period in range(periods):
                cell = Cell(f"t{tier}", f"c{channel}", f"p{period:02}")
                name = f"{cell.tier}/{cell.channel}@{cell.period}"
                made = curve(cell)
                found.append(
                    Decision(name, (cell,), np.ones(1), np.ones(1), made, current=round(made.end / 8, 2))
                )
    return found


def smooth_enough(rng: np.random.Generator, size: float, pieces: int) -> CurveOf:
    """Give a maker of curves of cells that would get `size` each in an even plan.

    Tiers, channels and periods differ from each other as a whole, so that limits on them bind.
    """
    better: dict[str, float] = {}

    def curve(cell: Cell) -> ResponseCurve:
        half, factor = size * rng.uniform(0.4, 3.0), rng.uniform(1.3, 6.0)
        for part, spread in ((cell.tier, 0.3), (cell.channel, 0.5), (cell.period, 0.2)):
            factor *= better.setdefault(part, rng.lognormal(0.0, spread))
        return pieces_of_hill(half * factor, half, 4 * size, pieces)

    return curve


def cells_of(decisions: Iterable[Decision], **which: str) -> list[Cell]:
    """Cells with the given ``tier``, ``channel`` or ``period``; all of them when none is given."""
    cells = [decision.cells[0] for decision in decisions]
    return [cell for cell in cells if all(getattr(cell, part) == value for part, value in which.items())]


def limit(name: str, bound: Bound, amount: float, cells: Iterable[Cell], kind: str = "spend") -> Row:
    """Limit the spend of `cells` to at least or at most an amount of money."""
    return Row(name, kind, bound, dict.fromkeys(cells, SPEND), round(amount, 2))


def share(name: str, bound: Bound, part: float, cells: Iterable[Cell], of: Iterable[Cell]) -> Row:
    """Limit what `cells` get of the spend of the cells in `of`."""
    quotient = Quotient(dict.fromkeys(cells, SPEND), dict.fromkeys(of, SPEND))
    return ratio_row(Row(name, "share_of_spend", bound, {}, 0.0, unit=Unit.SHARE), quotient, part)


def roi(name: str, least: float, cells: Sequence[Cell]) -> Row:
    """Ask `cells` to earn at least `least` per unit of money, after it is paid back."""
    quotient = Quotient(dict.fromkeys(cells, Weights(margin=1)), dict.fromkeys(cells, SPEND), offset=-1)
    return ratio_row(Row(name, "roi", Bound.MIN, {}, 0.0, unit=Unit.RATIO), quotient, least)


def problem(
    decisions: Sequence[Decision], budget: float, rows: Iterable[Row] = (), objective: Weights = PROFIT
) -> Problem:
    """Maximise profit of at most a budget within `rows`, and within the ends of the curves that have one."""
    total = Row(
        "budget.total",
        "budget",
        Bound.MAX,
        dict.fromkeys(cells_of(decisions), SPEND),
        0.0,
        rhs_per_budget=1.0,
    )
    ends = [
        limit(f"curve_end[{decision.name}]", Bound.MAX, decision.curve.end, decision.cells, "curve_end")
        for decision in decisions
        if decision.curve.bounded
    ]
    return Problem(tuple(decisions), (total, *rows, *ends), objective, budget, "up_to", "EUR")


def cells_45(pieces: int = 10) -> Problem:
    """3 tiers x 5 channels x 3 periods: floors and caps per channel, a share of a tier, an ROI floor."""
    budget, rng = 1_200_000.0, np.random.default_rng(45)
    decisions = grid(3, 5, 3, smooth_enough(rng, budget / 45, pieces))
    rows = []
    for channel in range(5):
        mine = cells_of(decisions, channel=f"c{channel}")
        rows.append(limit(f"channels.c{channel}.min", Bound.MIN, 0.7 * budget / 5, mine))
        rows.append(limit(f"channels.c{channel}.max", Bound.MAX, 1.3 * budget / 5, mine))
    rows.append(share("low", Bound.MIN, 0.4, cells_of(decisions, tier="t0"), cells_of(decisions)))
    rows.append(roi("pays", 0.3, cells_of(decisions, channel="c1")))
    return problem(decisions, budget, rows)


def usual_limits(decisions: Sequence[Decision], budget: float) -> list[Row]:
    """Caps per channel, least and most shares per tier, budgets by period."""
    tiers, channels, periods = (
        sorted({getattr(decision.cells[0], part) for decision in decisions})
        for part in ("tier", "channel", "period")
    )
    every = cells_of(decisions)
    rows = [
        limit(f"channels.{c}.max", Bound.MAX, 1.4 * budget / len(channels), cells_of(decisions, channel=c))
        for c in channels
    ]
    for tier in tiers:
        mine = cells_of(decisions, tier=tier)
        rows.append(share(f"most[{tier}]", Bound.MAX, 1.2 / len(tiers), mine, every))
        rows.append(share(f"least[{tier}]", Bound.MIN, 0.85 / len(tiers), mine, every))
    for period in periods:
        most = 1.1 * budget / len(periods)
        rows.append(limit(f"budget.{period}", Bound.MAX, most, cells_of(decisions, period=period)))
    return rows


def cells_2400(pieces: int = 10) -> Problem:
    """10 tiers x 20 channels x 12 periods with the usual limits."""
    budget = 24_000_000.0
    decisions = grid(10, 20, 12, smooth_enough(np.random.default_rng(2400), budget / 2400, pieces))
    return problem(decisions, budget, usual_limits(decisions, budget))


def segments_3k() -> Problem:
    """10 tiers x 10 channels x 3 periods of ten pieces each: 3,000 segments, with the usual limits."""
    budget = 3_000_000.0
    decisions = grid(10, 10, 3, smooth_enough(np.random.default_rng(3000), budget / 300, 10))
    return problem(decisions, budget, usual_limits(decisions, budget))


def s_cells_300(concave: int = 2_100) -> Problem:
    """2,400 cells with the usual limits, 300 of them with a curve that bends upwards once: one binary each.

    Raises
    ------
    CurveError
        While curves have to be concave.
    """
    budget, rng = 24_000_000.0, np.random.default_rng(300)
    plain = smooth_enough(rng, budget / 2400, 10)
    bent = iter(rng.permutation(np.arange(2400) >= concave))

    def curve(cell: Cell) -> ResponseCurve:
        if not next(bent):
            return plain(cell)
        half = budget / 2400 * rng.uniform(0.8, 1.8)
        return bent_up_once(half * rng.uniform(1.5, 4.0), half, budget / 600, 10)

    decisions = grid(10, 20, 12, curve)
    return problem(decisions, budget, usual_limits(decisions, budget))


def drawn_240(n_draws: int = 500) -> Problem:
    """4 tiers x 10 channels x 6 periods, every curve under 500 draws of its ceiling, channels alike."""
    budget, rng = 2_400_000.0, np.random.default_rng(240)
    decisions = grid(4, 10, 6, smooth_enough(rng, budget / 240, 10))
    of_channel = {cell.channel: rng.lognormal(0.0, 0.35, n_draws) for cell in cells_of(decisions)}
    uncertain = []
    for decision in decisions:
        factor = of_channel[decision.cells[0].channel] * rng.lognormal(0.0, 0.2, n_draws)
        draws = np.outer(factor / factor.mean(), decision.curve.value)
        uncertain.append(replace(decision, curve=replace(decision.curve, draws=draws)))
    return problem(uncertain, budget, usual_limits(uncertain, budget))


def limits_600() -> Problem:
    """300 cells of ten pieces with 600 limits, three of which contradict each other.

    One channel has to get an amount, and at most 40 % of what three channels get, which is capped below 2.5
    times that amount: no sum of minimums shows it. All other limits are kept by a common plan with room.
    """
    base, rng = segments_3k(), np.random.default_rng(600)
    plan = dict(zip(cells_of(base.decisions), _inside(base.decisions, rng), strict=True))
    first = cells_of(base.decisions, channel="c0")
    three = [cell for cell in plan if cell.channel in ("c0", "c1", "c2")]
    amount = 1.1 * sum(plan[cell] for cell in first)
    planted = [
        limit(PLANTED[0], Bound.MIN, amount, first),
        share(PLANTED[1], Bound.MAX, 0.4, first, three),
        limit(PLANTED[2], Bound.MAX, 2.3 * amount, three),
    ]
    loose = [_loose(f"limit[{k}]", rng, plan) for k in range(600 - 1 - len(planted))]
    places = np.sort(rng.choice(len(loose), len(planted), replace=False))
    rows = list(loose)
    for place, row in zip(reversed(places), reversed(planted), strict=True):
        rows.insert(place, row)
    return problem(base.decisions, 1.5 * sum(plan.values()), rows)


def _inside(decisions: Sequence[Decision], rng: np.random.Generator) -> FloatArray:
    ends = np.array([decision.curve.end for decision in decisions])
    return np.asarray(ends * rng.uniform(0.2, 0.25, len(ends)))


def _loose(name: str, rng: np.random.Generator, plan: Mapping[Cell, float]) -> Row:
    """Limit a few cells, a tier within a channel or a channel's period, well away from a plan's spend."""
    cells = list(plan)
    one = cells[rng.integers(len(cells))]
    which = (("tier", "channel"), ("channel", "period"), ("tier", "period"))[rng.integers(3)]
    mine = [cell for cell in cells if all(getattr(cell, part) == getattr(one, part) for part in which)]
    spent = sum(plan[cell] for cell in mine)
    if rng.random() < 0.5:
        return limit(name, Bound.MIN, spent * rng.uniform(0.3, 0.7), mine)
    return limit(name, Bound.MAX, spent * rng.uniform(1.6, 2.6), mine)


# ---- figures


def cpu_seconds() -> float:
    """User and system time of this process and the ones it waited for, as CBC is one of its own."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def least_cpu(work: Callable[[], object], times: int, most_seconds: float = 60.0) -> float:
    """Give the least CPU time of a few runs after a first one; a long first run is not repeated."""
    began = time.perf_counter()
    spent = [_spent(work)]
    for _ in range(times):
        if time.perf_counter() - began + max(spent) > most_seconds:
            break
        spent.append(_spent(work))
    return min(spent)


def _spent(work: Callable[[], object]) -> float:
    start = cpu_seconds()
    work()
    return cpu_seconds() - start


def figure(value: float | None, bar: float | None = None, **more: object) -> Found:
    """Give a figure that is better the smaller it is; without a bar nothing is judged."""
    holds = None if value is None or bar is None else bool(value <= bar)
    rounded = None if value is None else float(f"{value:.4g}")
    return {"value": rounded, "peer": None, "ratio": None, "bar": bar, "holds": holds, **more}


def against(own: float, peer: float, bar: float | None = None, **more: object) -> Found:
    """Give a figure with a peer's, both in one unit and better the smaller, judged by peer over own."""
    ratio = peer / own
    holds = None if bar is None else bool(ratio >= bar)
    return figure(own, **more) | {
        "peer": float(f"{peer:.4g}"),
        "ratio": round(ratio, 3),
        "bar": bar,
        "holds": holds,
    }


def gap(differences: Sequence[float], left_open: float) -> Found:
    """Give the worst relative difference of values, judged by what the curves' breakpoints leave open."""
    worst = min(differences)
    return figure(worst, best=float(f"{max(differences):.3g}")) | {
        "bar": -float(f"{left_open:.3g}"),
        "holds": bool(worst >= -left_open),
    }


def gained(gains: Sequence[float]) -> Found:
    """Give the middle gain in value, judged by the least: never worse than the peer."""
    least, middle = min(gains), statistics.median(gains)
    more = {"least": round(least, 4), "most": round(max(gains), 4)}
    return figure(middle, **more) | {"bar": 1.0, "holds": bool(least >= 1.0 - 1e-3)}


def frontier_of_plans() -> Callable[..., Any] | None:
    """Give ``frontier(problem, budgets)``, or None in a version that has none."""
    try:
        found: Callable[..., Any] = import_module("allocator.study.frontier").frontier
    except (ImportError, AttributeError):
        return None
    return found


def skipped(why: str, bar: float | None = None) -> Found:
    """Give a figure that cannot be made, with the reason."""
    return figure(None, bar, why=f"skipped: {why}")


def shown(name: str, found: Found) -> str:
    verdict = found.get("why") or {True: "holds", False: "MISSED", None: ""}[found["holds"]]
    usual = ("value", "peer", "ratio", "bar", "holds", "why")
    more = "  ".join(f"{key} {value}" for key, value in found.items() if key not in usual)
    parts = [f"{key} {found[key]}" for key in ("peer", "ratio", "bar") if found[key] is not None]
    return f"{name:16} {found['value']!s:>10}   {'   '.join([*parts, more, verdict])}".rstrip()


def options_of(figures: Iterable[str], about: str) -> argparse.ArgumentParser:
    """Give the options every benchmark of the plan layer has."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", choices=figures, help="measure one figure")
    return parser


def run(figures: Mapping[str, Callable[[], Found]], about: str) -> None:
    """Measure all figures, or one; print a line each, or one JSON object."""
    told(figures, options_of(figures, about).parse_args())


def told(figures: Mapping[str, Callable[[], Found]], options: argparse.Namespace) -> None:
    found = {}
    for name in [options.only] if options.only else figures:
        found[name] = figures[name]()
        if not options.json:
            print(shown(name, found[name]), flush=True)
    if options.json:
        print(json.dumps(found))
