"""Small problems to plan: curves, decisions and rows in one line each, and random ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.plan.problem import Decision, Problem
from allocator.plan.rows import Bound, Quotient, Row, Unit, Weights, ratio_row
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Cell
from allocator.response.families import Hill, Log

PROFIT, MARGIN = Weights(spend=-1, margin=1), Weights(margin=1)
SPEND = Weights(spend=1)


def points(*pairs, draws=None):
    """A curve through (0, 0) and the given (spend, value) pairs."""
    spend, value = np.array([(0.0, 0.0), *pairs], dtype=float).T
    return ResponseCurve(spend, value, draws=draws)


def slopes(*pieces):
    """A curve of (width, slope) pieces."""
    width, slope = np.array(pieces, dtype=float).T
    return points(*zip(np.cumsum(width), np.cumsum(width * slope), strict=True))


def decision(name, curve, **keys):
    """``email`` or ``low/email``."""
    tier, _, channel = name.rpartition("/")
    return Decision(name, (Cell(tier or "all", channel),), np.ones(1), np.ones(1), curve, **keys)


def tied(channel, curve, spend_shares, value_shares=None, **keys):
    """One decision over tiers t0, t1, …"""
    cells = tuple(Cell(f"t{k}", channel) for k in range(len(spend_shares)))
    value_shares = spend_shares if value_shares is None else value_shares
    return Decision(channel, cells, np.array(spend_shares), np.array(value_shares), curve, **keys)


def cells_of(decisions, *names):
    chosen = [d for d in decisions if not names or d.name in names]
    return [cell for d in chosen for cell in d.cells]


def limit(name, cells, *, least=None, most=None, share_of_budget=None, kind="spend"):
    """A row on the spend of `cells`."""
    bound = Bound.MIN if least is not None else Bound.MAX
    amount = least if least is not None else most
    rhs, per_budget = (0.0, amount) if share_of_budget else (amount, 0.0)
    return Row(name, kind, bound, dict.fromkeys(cells, SPEND), rhs, per_budget)


def roi(name, cells, least):
    quotient = Quotient(dict.fromkeys(cells, Weights(margin=1)), dict.fromkeys(cells, SPEND), offset=-1)
    return ratio_row(Row(name, "roi", Bound.MIN, {}, 0.0, unit=Unit.RATIO), quotient, least)


def problem(decisions, budget, *rows, objective=PROFIT, spend_rule="up_to"):
    """A problem with its budget row (both sides for ``exactly``) and the ends of bounded curves."""
    every = cells_of(decisions)
    sides = [Bound.MAX] if spend_rule == "up_to" else [Bound.MAX, Bound.MIN]
    total = [Row("budget.total", "budget", side, dict.fromkeys(every, SPEND), 0.0, 1.0) for side in sides]
    ends = [
        limit(f"curve_end[{d.name}]", d.cells, most=d.curve.end, kind="curve_end")
        for d in decisions
        if d.curve.bounded
    ]
    return Problem(tuple(decisions), (*total, *rows, *ends), objective, budget, spend_rule, "EUR")


def moved(problem, name, by):
    """The same problem with the right-hand side of one row moved; the budget takes its shares along."""
    if name == "budget.total":
        return replace(problem, budget=problem.budget + by)
    rows = [replace(row, rhs=row.rhs + by) if row.name == name else row for row in problem.rows]
    return replace(problem, rows=tuple(rows))


def hill(ceiling, half, reach=1e6):
    return Hill(ceiling=ceiling, half_saturation=half).curve(reach)


def log(scale, pace, reach=1e6):
    return Log(scale=scale, pace=pace).curve(reach)


def fifteen_cells(budget=1_200_000.0):
    """Three tiers and five channels of smooth curves with limits of every usual kind."""
    rng = np.random.default_rng(7)
    decisions = []
    for tier in range(3):
        for channel in range(5):
            half = rng.uniform(3e4, 3e5)
            curve = hill(half * rng.uniform(1.2, 6), half, budget)
            decisions.append(decision(f"t{tier}/c{channel}", curve, current=budget / 15))
    rows = []
    for channel in range(5):
        mine = [d.cells[0] for d in decisions if d.name.endswith(f"c{channel}")]
        rows.append(limit(f"cap[c{channel}]", mine, most=budget / 5 * 1.3))
        rows.append(limit(f"floor[c{channel}]", mine, least=budget / 5 * 0.7))
    low = [d.cells[0] for d in decisions if d.name.startswith("t0")]
    rows.append(limit("low_share", low, least=0.4, share_of_budget=True))
    rows.append(roi("pays", cells_of(decisions, "t1/c1", "t2/c1"), 0.2))
    return problem(decisions, budget, *rows)


def random_problem(seed):
    """Up to three tiers and four channels, tied or not, smooth or not, random limits; may be infeasible."""
    rng = np.random.default_rng(seed)
    budget = float(rng.integers(1, 50) * 10 ** rng.integers(2, 6))
    n_tiers, n_channels = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    smooth, ties = rng.random(), rng.random() < 0.3
    decisions = []
    for channel in range(n_channels):
        if n_tiers > 1 and rng.random() < 0.3:
            shares = rng.dirichlet(np.ones(n_tiers)), rng.dirichlet(np.ones(n_tiers))
            decisions.append(tied(f"c{channel}", _random_curve(rng, budget, smooth, ties=ties), *shares))
            continue
        for tier in range(n_tiers):
            curve = _random_curve(rng, budget / n_tiers, smooth, ties=ties)
            current = None if rng.random() < 0.2 else round(float(rng.uniform(0, 0.3)) * budget, 2)
            decisions.append(decision(f"t{tier}/c{channel}", curve, current=current))
    rows = [_random_row(f"l{k}", rng, decisions, budget) for k in range(int(rng.integers(0, 6)))]
    rule = "up_to" if rng.random() < 0.7 else "exactly"
    return problem(
        decisions, budget, *rows, objective=PROFIT if rng.random() < 0.7 else MARGIN, spend_rule=rule
    )


def _random_curve(rng, size, smooth, *, ties):
    if rng.random() < smooth and not ties:
        half = rng.uniform(0.05, 1) * size
        return hill(half * rng.uniform(0.7, 6), half, 4 * size)
    n = int(rng.integers(1, 5))
    width = np.round(rng.uniform(0.05, 0.5, n) * size, -1) + 10
    falling = rng.choice([0.5, 1.0, 1.5, 2.0], n) if ties else rng.uniform(0.2, 3, n)
    return slopes(*zip(width, np.sort(falling)[::-1], strict=True))


def _random_row(name, rng, decisions, budget):
    every = cells_of(decisions)
    cells = [cell for cell in every if rng.random() < 0.5] or every
    kind = rng.choice(["least", "most", "share", "roi"])
    if kind == "roi":
        return roi(name, cells, round(float(rng.uniform(-0.2, 0.8)), 2))
    if kind == "share":
        return limit(name, cells, least=round(float(rng.uniform(0, 0.3)), 2), share_of_budget=True)
    if kind == "least":
        return limit(name, cells, least=round(float(rng.uniform(0, 0.3)) * budget, 2))
    return limit(name, cells, most=round(float(rng.uniform(0.1, 0.9)) * budget, 2))
