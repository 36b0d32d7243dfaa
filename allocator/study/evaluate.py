"""A plan somebody made by hand, judged in the same terms as an optimised one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from allocator.errors import DataError, Finding, closest
from allocator.plan.families import GIVEN
from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem, Quantities
from allocator.plan.refine import locate
from allocator.plan.results import amounts, cell_results, interval, row_results, today
from allocator.plan.rows import Bound, Row, Weights
from allocator.plan.solution import CellResult, RowResult, Solution, Status, Today
from allocator.plan.solver import Engine
from allocator.plan.uncertainty import margin_draws
from allocator.quantities import money, quoted
from allocator.response.curve import FloatArray
from allocator.response.curves import ALL, Cell, cell_name
from allocator.study.hot import certain
from allocator.study.kept import Violation, brought, valued, violations

CENTS = 0.005
_CARRIES = (Status.OPTIMAL, Status.FEASIBLE_GAP)
_CODES = {"channel": "E201", "tier": "E202", "period": "E203"}


class Given(NamedTuple):
    """One line of a manual plan: money for a channel, or for a tier or a period of it."""

    channel: str
    spend: float
    tier: str = ""
    period: str = ""

    @property
    def name(self) -> str:
        """As messages name it."""
        return cell_name(self.channel, self.tier, self.period or ALL)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a manual plan comes to.

    Parameters
    ----------
    decision_spend : tuple of float
        In money; aligns with the problem's decisions.
    cells : tuple of CellResult
    rows : tuple of RowResult
        Limit and value of every limit; prices are the optimum's business.
    objective : float
        Less what missed soft limits cost.
    violations : tuple of Violation
        Every limit broken, and by how much.
    optimum : Solution
        The best plan within the limits, or why there is none.
    notes : tuple of str
        How the table was read, where it said less than the plan needs.
    draws : array, shape (n_draws,), or None
        Incremental margin under each draw.
    today : Today or None
    """

    decision_spend: tuple[float, ...]
    cells: tuple[CellResult, ...]
    rows: tuple[RowResult, ...]
    objective: float
    violations: tuple[Violation, ...]
    optimum: Solution
    notes: tuple[str, ...] = ()
    draws: FloatArray | None = None
    today: Today | None = None

    @property
    def gap(self) -> float | None:
        """What the best plan within the limits gains over this one; below 0 where this one breaks limits."""
        return None if self.optimum.objective is None else self.optimum.objective - self.objective

    @property
    def margin_interval(self) -> tuple[float, float] | None:
        """The range that holds 8 in 10 draws of the margin."""
        return interval(self.draws)


def evaluate(problem: Problem, table: Iterable[Given], engine: Engine = "highs") -> Evaluation:
    """Value a manual plan by the curves, check it against every limit, and hold it against the best plan.

    Money for a channel whose tiers (or periods) are chosen one by one is split as the objective likes best;
    of a channel whose tiers are tied all amounts are added up. Channels that are not in the table get
    nothing.

    Parameters
    ----------
    problem : Problem
    table : iterable of Given
    engine : {"highs", "cbc"}
        Of the plan to compare with.

    Raises
    ------
    DataError
        For names the problem does not have, each with the one most alike, and amounts that are none.
    """
    given = list(table)
    spend, notes = spend_of(problem, given)
    return evaluation(problem, spend, optimise(problem, engine), notes)


def evaluation(
    problem: Problem, spend: FloatArray, optimum: Solution, notes: Sequence[str] = ()
) -> Evaluation:
    """Value the spend of every decision, shape (n_decisions,) in money."""
    got = brought(problem, spend)
    known = valued(problem, spend)
    draws = margin_draws(problem, known)
    return Evaluation(
        decision_spend=tuple(np.asarray(spend, dtype=float).tolist()),
        cells=tuple(_cells(problem, got, known, draws)),
        rows=row_results(problem, got, [None] * len(problem.rows)),
        objective=problem.value(got),
        violations=violations(problem, got),
        optimum=optimum,
        notes=(*notes, *_past_the_end(problem, got.spend - known)),
        draws=None if draws is None else draws.sum(axis=1),
        today=today(problem, got, draws),
    )


def _cells(
    problem: Problem, got: Quantities, known: FloatArray, draws: FloatArray | None
) -> Iterator[CellResult]:
    """Give the cells, with money past the end of a curve as spend that brings nothing."""
    paid: dict[Cell, float] = {}
    for cell, weights in amounts(problem, got).items():
        whole = cell._replace(segment="")
        paid[whole] = paid.get(whole, 0.0) + weights.spend
    for result in cell_results(problem, got._replace(spend=known), draws):
        spend = paid[result.cell]
        if spend - result.spend <= CENTS:
            yield result
            continue
        contacts = None if result.contacts is None else result.contacts * spend / result.spend
        yield replace(result, spend=spend, contacts=contacts)


def _past_the_end(problem: Problem, past: FloatArray) -> Iterator[str]:
    """Say where money brings nothing; segments of a tier are one."""
    found: dict[str, float] = {}
    for decision, amount in zip(problem.decisions, past.tolist(), strict=True):
        cell = decision.cells[0]
        name = decision.name if decision.tied else cell_name(cell.channel, cell.tier, cell.period)
        found[name] = found.get(name, 0.0) + amount
    for name, amount in found.items():
        if amount > CENTS:
            what = f"{money(amount)} lie past the end of its curve and are counted to bring nothing"
            yield f"{name}: {what}"


def spend_of(problem: Problem, table: Sequence[Given]) -> tuple[FloatArray, tuple[str, ...]]:
    """Give the spend of every decision that a table states, and how it was read.

    Raises
    ------
    DataError
        As `evaluate`.
    """
    faults = [*_faults(problem, table), *_mixed(table)]
    if faults:
        raise DataError(faults)
    groups: dict[tuple[int, ...], list[Given]] = {}
    for one in table:
        groups.setdefault(_decisions_of(problem, one), []).append(one)
    totals = {group: sum(one.spend for one in lines) for group, lines in groups.items()}
    spend = np.zeros(len(problem.decisions))
    for group, total in totals.items():
        if len(group) == 1:
            spend[group[0]] = total
    several = {group: total for group, total in totals.items() if len(group) > 1}
    if several:
        spend = _split(problem, totals, several)
    return spend, tuple(_notes(problem, groups, totals))


def _decisions_of(problem: Problem, one: Given) -> tuple[int, ...]:
    return tuple(
        j for j, decision in enumerate(problem.decisions) if any(_meant(cell, one) for cell in decision.cells)
    )


def _meant(cell: Cell, one: Given) -> bool:
    return cell.channel == one.channel and one.tier in ("", cell.tier) and one.period in ("", cell.period)


def _faults(problem: Problem, table: Sequence[Given]) -> Iterator[Finding]:
    cells = [cell for decision in problem.decisions for cell in decision.cells]
    for line, one in enumerate(table, start=1):
        unknown = False
        for part in ("channel", "tier", "period"):
            options = list(dict.fromkeys(getattr(cell, part) for cell in cells))
            name = getattr(one, part)
            if name in options or (not name and part != "channel"):
                continue
            near = closest(name, options, cutoff=0.5)
            fix = f"did you mean {quoted(near)}?" if near else f"the plan has: {', '.join(options)}"
            unknown = True
            yield Finding(
                _CODES[part], None, f"line {line}: there is no {part} {quoted(name)} in this plan", fix
            )
        if not unknown and not _decisions_of(problem, one):
            yield Finding("E205", None, f"line {line}: the plan has no cell {quoted(one.name)}")
        if not (np.isfinite(one.spend) and one.spend >= 0):
            what = f"line {line}: the spend of {one.name} has to be an amount of money, 0 or more"
            yield Finding("E106", None, what)


def _mixed(table: Sequence[Given]) -> Iterator[Finding]:
    """Refuse a channel listed as a whole and in parts: a part may be meant as more, or as of which."""
    detail: dict[str, set[tuple[bool, bool]]] = {}
    for one in table:
        detail.setdefault(one.channel, set()).add((bool(one.tier), bool(one.period)))
    for channel, kinds in detail.items():
        if len(kinds) > 1:
            what = f"{channel} is listed as a whole and in parts"
            yield Finding("E113", None, what, "state either its total or all of its parts")


def _split(
    problem: Problem, totals: Mapping[tuple[int, ...], float], several: Mapping[tuple[int, ...], float]
) -> FloatArray:
    """Split the money of each group as the objective likes best, within what customers and curves take."""
    ends = np.array([d.curve.end if d.curve.bounded else np.inf for d in problem.decisions])
    within = {group: min(total, float(ends[list(group)].sum())) for group, total in totals.items()}
    given = [row for row in problem.rows if row.kind in GIVEN]
    spend = None
    for rows in (given, [row for row in given if row.kind == "curve_end"]):
        stated = [row for group, total in within.items() for row in _exactly(problem, group, total)]
        unlisted = set(range(len(ends))) - {j for group in within for j in group}
        stated += [row for j in unlisted for row in _exactly(problem, (j,), 0.0)]
        size = max(sum(within.values()), 1.0)
        asked = replace(problem, rows=(*rows, *stated), budget=size)
        located = locate(certain(asked))
        if located.answer.status in _CARRIES:
            spend = located.compiled.spend(located.answer.x)
            break
    found = np.zeros(len(ends)) if spend is None else spend
    for group, total in totals.items():
        index = list(group)
        if group not in several:
            found[index] = total
        elif found[index].sum() > 0:
            found[index] *= total / found[index].sum()
        else:
            found[index] = total / len(index)
    return found


def _exactly(problem: Problem, group: Sequence[int], total: float) -> Iterator[Row]:
    cells = [cell for j in group for cell in problem.decisions[j].cells]
    for bound in (Bound.MIN, Bound.MAX):
        yield Row("stated", "spend", bound, dict.fromkeys(cells, Weights(spend=1.0)), total)


def _notes(
    problem: Problem, groups: Mapping[tuple[int, ...], list[Given]], totals: Mapping[tuple[int, ...], float]
) -> Iterator[str]:
    for group, lines in groups.items():
        first = problem.decisions[group[0]]
        name = " + ".join(dict.fromkeys(one.name for one in lines))
        if len(lines) > 1:
            why = "its tiers are tied" if first.tied and lines[0].tier else "it is listed more than once"
            what = f"{len(lines)} amounts were added up to {money(totals[group])}"
            yield f"{first.cells[0].channel}: {why}, so {what}"
        elif first.tied and lines[0].tier:
            yield f"{name}: the tiers of {lines[0].channel} are tied, so this is taken as the channel's total"
        parts = {(cell.tier, cell.period) for j in group for cell in problem.decisions[j].cells[:1]}
        if len(parts) > 1 and totals[group]:
            what = f"{money(totals[group])} were split over {len(parts)} of its tiers or periods"
            yield f"{name}: {what} as the objective likes best"
    listed = {j for group in groups for j in group}
    missing = dict.fromkeys(
        decision.cells[0].channel for j, decision in enumerate(problem.decisions) if j not in listed
    )
    if missing:
        yield f"not in the table, so without money where it is not listed: {', '.join(missing)}"
