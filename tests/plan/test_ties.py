"""Equally good plans: one is chosen, in the stated order, and the tie is reported."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.plan.optimise import optimise
from tests.plan import made_up_problems as made

FLAT = made.slopes((100, 2))


def plan(problem):
    return optimise(problem, "highs")


def test_least_spend_comes_first_where_the_budget_need_not_be_used_up():
    even = made.decision("email", made.slopes((100, 2), (100, 1)))
    up_to = plan(made.problem([even], 150.0))
    exactly = plan(made.problem([even], 150.0, spend_rule="exactly"))
    assert up_to.decision_spend == (100.0,)
    assert exactly.decision_spend == (150.0,)
    assert up_to.objective == exactly.objective == 100
    assert up_to.interchangeable == exactly.interchangeable == ()


def test_then_the_smallest_largest_change_from_today():
    decisions = [
        made.decision("email", FLAT, current=10.0),
        made.decision("search", FLAT, current=70.0),
        made.decision("mail", FLAT),
    ]
    chosen = plan(made.problem(decisions, 50.0))
    assert chosen.decision_spend == (0.0, 50.0, 0.0)
    chosen = plan(made.problem(decisions, 95.0))
    assert chosen.decision_spend == (15.0, 75.0, 5.0)
    assert chosen.interchangeable == (("email", "search", "mail"),)


def test_unknown_counts_as_nothing_spent_today():
    decisions = [made.decision("email", FLAT), made.decision("search", FLAT, current=0.0)]
    assert plan(made.problem(decisions, 50.0)).decision_spend == (25.0, 25.0)


def test_then_the_order_of_declaration():
    decisions = [made.decision(name, FLAT, current=0.0) for name in ("a", "b", "c")]
    rows = made.limit("cap", made.cells_of(decisions, "c"), most=0.0)
    far = replace(decisions[2], curve=made.slopes((100, 2)), current=90.0)
    problem = made.problem([*decisions[:2], far], 60.0, rows)
    assert plan(problem).decision_spend == (30.0, 30.0, 0.0)
    # a's change is bounded by b's, so only the order decides between c and d
    current = {"a": 0.0, "b": 40.0, "c": 20.0, "d": 20.0}
    pairs = [
        made.limit("first", [made.decision(n, FLAT).cells[0] for n in "ab"], most=40.0),
        made.limit("second", [made.decision(n, FLAT).cells[0] for n in "cd"], most=60.0),
    ]
    four = [made.decision(n, FLAT, current=current[n]) for n in "abcd"]
    low = made.limit("a_least", four[0].cells, least=15.0)
    chosen = plan(made.problem(four, 500.0, *pairs, low))
    assert chosen.decision_spend == (15.0, 25.0, 35.0, 25.0)
    assert chosen.interchangeable == (("a", "b"), ("c", "d"))


def test_money_that_cannot_move_alone_is_one_group():
    four = [made.decision(n, made.slopes((100, 2)), current=0.0) for n in "abcd"]
    rows = [
        made.limit("ab", made.cells_of(four, "a", "b"), most=50.0),
        made.limit("bc", made.cells_of(four, "b", "c"), most=50.0),
        made.limit("only_d", made.cells_of(four, "d"), most=30.0),
    ]
    total = made.limit("abc", made.cells_of(four, "a", "b", "c"), most=75.0)
    chosen = plan(made.problem(four, 500.0, *rows, total))
    assert chosen.interchangeable == (("a", "b", "c"),) or chosen.interchangeable == ()


def test_a_tie_is_said_with_the_names():
    decisions = [made.decision(name, FLAT) for name in ("email", "search")]
    (warning,) = plan(made.problem(decisions, 50.0)).warnings
    assert warning.code == "W305"
    assert "email, search" in warning.what


def test_smooth_curves_have_no_ties_but_straight_ones_do():
    curves = [made.hill(300, 100, 500), made.hill(300, 100, 500), made.log(200, 90, 500)]
    smooth = [made.decision(f"c{j}", curve) for j, curve in enumerate(curves)]
    assert plan(made.problem(smooth, 120.0)).interchangeable == ()
    straight = [made.decision("flat", FLAT), made.decision("line", made.slopes((50, 2)))]
    chosen = plan(made.problem([*smooth, *straight], 180.0))
    assert chosen.interchangeable == (("flat", "line"),)
    marginal = [cell.marginal_return for cell in chosen.cells[:4]]
    assert marginal == pytest.approx([2.0] * 4, abs=1e-3)


def brute_force(problem, step=0.5):
    """Every plan on a lattice that is best in value, then in spend."""
    axes = [np.arange(0, d.curve.end + 1e-9, step) for d in problem.decisions]
    plans = np.array(list(itertools.product(*axes)))
    plans = plans[[(problem.slacks(problem.quantities(p)) >= -1e-9).all() for p in plans]]
    value = np.array([problem.value(problem.quantities(p)) for p in plans])
    plans = plans[value >= value.max() - 1e-9]
    if problem.spend_rule == "up_to":
        plans = plans[plans.sum(axis=1) <= plans.sum(axis=1).min() + 1e-9]
    return plans


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60)
def test_the_order_against_brute_force(seed):
    rng = np.random.default_rng(seed)
    decisions = []
    for name in "abc"[: rng.integers(2, 4)]:
        width, slope = rng.integers(1, 4, 2), np.sort(rng.choice([0.5, 1, 1.5, 2], 2))[::-1]
        current = None if rng.random() < 0.3 else float(rng.integers(0, 4))
        curve = made.slopes(*zip(width, slope, strict=True))
        decisions.append(made.decision(name, curve, current=current))
    rule = str(rng.choice(["up_to", "exactly"]))
    cap = made.limit("cap", made.cells_of(decisions, "a", "b"), most=float(rng.integers(3, 7)))
    budget = float(rng.integers(2, 4))
    problem = made.problem(
        decisions, budget, cap, spend_rule=rule, objective=made.PROFIT if rng.random() < 0.6 else made.MARGIN
    )
    best, chosen = brute_force(problem), plan(problem)
    spend = np.array(chosen.decision_spend)
    value = problem.value(problem.quantities(best[0]))
    assert chosen.objective == pytest.approx(value, abs=0.02)
    if rule == "up_to":
        assert spend.sum() == pytest.approx(best[0].sum(), abs=0.02)
    moving = np.ptp(best, axis=0) > 0
    named = {name for group in chosen.interchangeable for name in group}
    assert {d.name for d, moves in zip(decisions, moving, strict=True) if moves} <= named
    if moving.any():
        today = np.array([d.current or 0.0 for d in decisions])
        change = np.abs(best - today)[:, moving].max(axis=1)
        assert np.abs(spend - today)[moving].max() <= change.min() + 0.011


@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_renaming_and_reordering_change_nothing_without_a_tie(seed, order):
    problem = made.random_problem(seed)
    before = plan(problem)
    places = list(range(len(problem.decisions)))
    order.shuffle(places)
    rows = list(problem.rows[1:])
    order.shuffle(rows)
    mixed = replace(
        problem,
        decisions=tuple(replace(problem.decisions[j], name=f"z{j}") for j in places),
        rows=(problem.rows[0], *rows),
    )
    after = plan(mixed)
    assert after.status is before.status
    if before.cells and not before.interchangeable:
        assert after.interchangeable == ()
        assert [before.decision_spend[j] for j in places] == pytest.approx(after.decision_spend, abs=0.0101)
