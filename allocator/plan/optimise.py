"""The plan: locate, solve, settle ties, round to cents, prove, price; `optimise` lists the steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from allocator.errors import Finding
from allocator.plan import results
from allocator.plan.arithmetic import arithmetic_conflict
from allocator.plan.certify import certificate, is_proven
from allocator.plan.conflict import explain_conflict
from allocator.plan.prices import Price, Pricing, binding_rows, marginal_return
from allocator.plan.problem import Goal, Problem
from allocator.plan.refine import CARRIES, Located, is_settled, locate
from allocator.plan.risk import EXPECTED
from allocator.plan.rows import Bound, Row, Weights
from allocator.plan.safety import is_uncertain
from allocator.plan.snap import snapped
from allocator.plan.solution import GoalResult, RowResult, Solution, Status
from allocator.plan.solver import FEW, Engine, RawSolution, solve_program
from allocator.plan.ties import Settled, settle
from allocator.plan.uncertainty import margin_draws, worth
from allocator.quantities import money
from allocator.response.curve import EDGE, FloatArray

KEPT_GOAL = "kept_goal"
WRONG = 1e-6  # of the objective, or of a row's scale: a plan that misses by more is no plan


def optimise(problem: Problem, engine: Engine = "cbc") -> Solution:
    """Find the best plan within the limits and prove it, or say why there is none.

    Parameters
    ----------
    problem : Problem
    engine : {"cbc", "highs"}
        Who has to confirm the plan's program. Breakpoints, ties and prices always come from HiGHS, so the
        plan is the same; so does the choice among more than 60 whole numbers.

    Returns
    -------
    Solution
        With ``status`` ``OPTIMAL`` every number is recomputed from spend in whole cents by the curves;
        ``INFEASIBLE`` carries the conflict; ``ERROR`` says in a warning which check failed.

    Examples
    --------
    >>> from allocator.plan.problem import Decision
    >>> from allocator.plan.rows import Bound, Row, Weights
    >>> from allocator.response.curve import ResponseCurve
    >>> from allocator.response.curves import Cell
    >>> cell = Cell("all", "email")
    >>> curve = ResponseCurve(np.array([0.0, 100.0, 300.0]), np.array([0.0, 300.0, 500.0]))
    >>> email = Decision("email", (cell,), np.ones(1), np.ones(1), curve)
    >>> limit = Row("budget.total", "budget", Bound.MAX, {cell: Weights(spend=1)}, 0.0, rhs_per_budget=1.0)
    >>> plan = optimise(Problem((email,), (limit,), Weights(margin=1), 150.0, "up_to", "EUR"), "highs")
    >>> plan.decision_spend, plan.objective, plan.rows[0].next_unit
    ((150.0,), 350.0, 1.0)
    """
    if arithmetic_conflict(problem):
        return _contradictory(problem, engine)
    located = locate(problem)
    answer = _confirmed(located, engine)
    if answer.status not in CARRIES:
        return _without_plan(problem, answer, engine)
    if located.answer.status is not Status.OPTIMAL:
        return _failed(answer.engine, "HiGHS finds no plan where CBC has one")
    settled = _settled(located)
    binding = binding_rows(problem, settled.spend)
    plan = replace(settled, spend=snapped(problem, settled.spend, binding))
    fault = _fault(located, answer, (settled.spend, plan.spend))
    if fault:
        return _failed(answer.engine, fault)
    prices = Pricing(located.compiled, located.model, located.answer).prices(binding)
    solution = _proven(located, answer, plan, prices)
    return _then(problem, solution, engine) if problem.then else solution


def _settled(located: Located) -> Settled:
    """Choose among equally good plans, unless draws tell them apart where the program does not."""
    settled = settle(located.compiled, located.answer)
    problem = located.compiled.problem
    if is_uncertain(problem):
        solved = located.compiled.spend(located.answer.x)
        kept, had = (
            worth(problem, problem.quantities(problem.within(spend)), located.best)
            for spend in (settled.spend, solved)
        )
        if kept < had - WRONG * problem.size(problem.quantities(problem.within(solved))):
            return Settled(solved)
    return settled


def _confirmed(located: Located, engine: Engine) -> RawSolution:
    """Ask the other solver; where many whole numbers were chosen, prove what is left by its duals alone."""
    if located.whole.integer.sum() <= FEW or located.answer.status is not Status.OPTIMAL:
        return solve_program(located.whole, engine)
    proven = is_proven(located.compiled.lp, located.answer.x, located.answer.row_dual)
    return located.answer if proven else replace(located.answer, status=Status.ERROR)


def _fault(located: Located, answer: RawSolution, spends: tuple[FloatArray, FloatArray]) -> str:
    """Check a plan before and after rounding; an empty text when all is well."""
    compiled, problem = located.compiled, located.compiled.problem
    solved, paid = (problem.quantities(spend) for spend in spends)
    claimed, confirmed = (-found.objective * compiled.objective_unit for found in (located.answer, answer))
    proof = certificate(compiled, located.answer.row_dual, paid, located.bound, located.best)
    allowed = WRONG * problem.size(solved)
    left = allowed + 2 * located.gap * abs(claimed)
    got = worth(problem, solved, located.best)
    if proof.max_violation > WRONG:
        return f"the plan misses a limit by {proof.max_violation:.1e} of its size"
    if abs(claimed - confirmed) > left:
        return f"CBC and HiGHS disagree on the best value: {confirmed:.2f} and {claimed:.2f}"
    chords = 0.0 if all(d.curve.concave for d in problem.decisions) else proof.curve_error
    if claimed - got > allowed + chords:
        return f"the program claims {claimed:.2f} where the curves give {got:.2f}"
    return ""


def _proven(located: Located, answer: RawSolution, plan: Settled, prices: Sequence[Price | None]) -> Solution:
    """Recompute everything a plan states from its spend."""
    compiled, problem = located.compiled, located.compiled.problem
    got = problem.quantities(plan.spend)
    draws = margin_draws(problem, plan.spend)
    total = None if draws is None else draws.sum(axis=1)
    solution = Solution(
        status=Status.OPTIMAL if is_settled(located) else Status.FEASIBLE_GAP,
        solver=answer.engine,
        objective=problem.value(got),
        decision_spend=tuple(plan.spend.tolist()),
        cells=results.cell_results(problem, got, draws),
        rows=results.row_results(problem, got, prices),
        optimality=certificate(compiled, located.answer.row_dual, got, located.bound, located.best),
        marginal_return=marginal_return(compiled, located.model, plan.spend),
        margin_interval=results.interval(total),
        draws=total,
        today=results.today(problem, got, draws),
        interchangeable=plan.interchangeable,
        worth=worth(problem, got, located.best),
        whole=located.whole.integer.any().item(),
    )
    return replace(solution, warnings=tuple(_advice(problem, solution, answer.doubt)))


def _then(problem: Problem, first: Solution, engine: Engine) -> Solution:
    """Follow the further goals within what may be given up of those before; prices are of the first."""
    chosen, current = first, problem
    stages = [(problem, "", first.objective or 0.0)]
    for goal in problem.then:
        current = _kept(current, chosen, goal)
        answer = optimise(current, engine)
        if not answer.cells:
            break
        chosen = answer
        stages.append((current, goal.name, answer.objective or 0.0))
    got = problem.quantities(np.array(chosen.decision_spend))
    draws = margin_draws(problem, got.spend)
    known = {(one.row.name, one.row.bound): one for one in first.rows}
    rows = tuple(
        replace(one, **_prices_of(known.get((one.row.name, one.row.bound)), at_limit=one.binding))
        for one in chosen.rows
        if one.row.kind != KEPT_GOAL
    )
    return replace(
        first,
        objective=problem.value(got),
        decision_spend=chosen.decision_spend,
        cells=results.cell_results(problem, got, draws),
        rows=rows,
        margin_interval=chosen.margin_interval,
        draws=chosen.draws,
        today=results.today(problem, got, draws),
        interchangeable=chosen.interchangeable,
        worth=worth(problem, got),
        goals=tuple(
            GoalResult(name, float((stage.goal * np.array(got)).sum()), best) for stage, name, best in stages
        ),
    )


def _kept(problem: Problem, plan: Solution, goal: Goal) -> Problem:
    """Give the problem of the next goal: what was reached counts as a limit."""
    reached = plan.objective or 0.0
    row = Row(
        name=f"goal[{len(problem.rows)}]",
        kind=KEPT_GOAL,
        bound=Bound.MIN,
        terms={cell: Weights(*(problem.goal[:, j] * 1.0)) for cell, (j, *_) in problem.place_of.items()},
        rhs=reached - problem.given_up * abs(reached),
        reason="The goal before comes first",
    )
    return replace(
        problem,
        rows=(*problem.rows, row),
        objective=goal.objective,
        discounted=goal.discounted,
        given_up=goal.given_up,
        then=(),
        risk=EXPECTED,
    )


def _prices_of(before: RowResult | None, *, at_limit: bool) -> dict[str, Any]:
    """Give what a row's price was for the first goal, where the row still binds."""
    if before is None or not (before.binding and at_limit):
        return {"binding": False, "next_unit": None, "last_unit": None, "range": None}
    return {"next_unit": before.next_unit, "last_unit": before.last_unit, "range": before.range}


def _advice(problem: Problem, solution: Solution, doubt: str) -> Iterator[Finding]:
    yield from problem.warnings
    for group in solution.interchangeable:
        # customers of a tier who gain alike are no choice of the plan's
        names = dict.fromkeys(name.partition("#")[0] for name in group)
        if len(names) < 2:
            continue
        what = f"the best plan is not unique: money can move between {', '.join(names)} without loss"
        yield Finding("W305", None, what, "the plan keeps closest to today, then to the order of declaration")
    gross = problem.counts.spend >= 0 and not any(problem.counts[4:])
    if problem.spend_rule == "up_to" and gross and problem.counts.margin + problem.counts.revenue > 0:
        what = (
            "the objective does not subtract the spend, so the budget goes out even where the last unit loses"
        )
        earns = solution.marginal_return
        yield Finding("W303", None, what, "" if earns is None else f"here the next unit earns {earns:.2f}")
    for result in solution.rows:
        over_spend = result.row.quotient is not None and not result.row.quotient.switches
        if result.binding and over_spend and np.isnan(result.value):
            what = f"{result.row.name} holds because nothing is spent where it applies"
            yield Finding("W306", result.row.origin, what)
    yield from _past_the_end(problem) if solution.today else ()
    if doubt:
        yield Finding("W308", None, f"{doubt}; the plan passes every check")


def _past_the_end(problem: Problem) -> Iterator[Finding]:
    for decision in problem.decisions:
        end = decision.curve.end
        if decision.curve.bounded and decision.current is not None and decision.current > end * (1 + EDGE):
            what = f"today's {money(decision.current)} on {decision.name} is past the end of its curve"
            yield Finding(
                "W309", None, what, f"today's return is counted up to {money(end)}: at most too low"
            )


def _without_plan(problem: Problem, answer: RawSolution, engine: Engine) -> Solution:
    if answer.status is Status.INFEASIBLE:
        return _contradictory(problem, engine)
    if answer.status is Status.UNBOUNDED:
        what = "nothing limits the plan's spend"
        return Solution(Status.UNBOUNDED, answer.engine, warnings=(Finding("E402", None, what),))
    return _failed(answer.engine, answer.doubt or "no answer passed the checks")


def _contradictory(problem: Problem, engine: Engine) -> Solution:
    conflict = explain_conflict(problem, partial(solve_program, engine=engine))
    if not conflict.rows:
        return _failed(engine, "the solver finds no plan, yet the limits do not contradict each other")
    return Solution(Status.INFEASIBLE, engine, conflict=conflict, warnings=problem.warnings)


def _failed(engine: Engine, what: str) -> Solution:
    return Solution(Status.ERROR, engine, warnings=(Finding("E402", None, what),))
