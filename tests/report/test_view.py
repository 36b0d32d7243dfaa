from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.errors import Finding
from allocator.plan.rows import Bound, Row, Weights
from allocator.plan.solution import RowResult, Solution, Status
from allocator.report.build import build
from allocator.report.render.text import render_text
from allocator.report.view import package_version, plan_view
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Cell, Curves, Evidence, Response
from allocator.scenario.schema import Scenario
from tests.report import made_up_plans as plans

CURVE = ResponseCurve(np.array([0.0, 500_000.0]), np.array([0.0, 900_000.0]))
POINTS = {"response": {"source": "points", "points": [[500_000, 900_000]]}}
SPLIT = {"levels": {"high": {"label": "High value", "share": "top 20%"}, "low": {"share": "rest"}}}


def scenario(**changes: object) -> Scenario:
    return Scenario.from_dict(
        {
            "version": 1,
            "name": "Q1 2027",
            "currency": "EUR",
            "horizon": {"start": "2027-01-01", "end": "2027-03-31"},
            "budget": {"total": "1.2M"},
            "channels": {"search": {"label": "Paid search", **POINTS}, "email": POINTS},
            "risk": {"seed": 7},
            **changes,
        }
    )


def response(channel: str, tier: str | None = None, **changes: object) -> Response:
    made = Response(channel, CURVE, Evidence.OPINION, "points", tier=tier)
    return replace(made, **changes)


def test_words_come_from_the_scenario():
    view = plan_view(scenario(), Curves((response("email"), response("search"))), plans.solution())
    assert (view.name, view.currency, view.budget, view.seed) == ("Q1 2027", "EUR", 1.2e6, 7)
    assert (str(view.start), str(view.end), view.objective) == ("2027-01-01", "2027-03-31", "profit")
    assert [(c.name, c.label) for c in view.channels] == [("search", "Paid search"), ("email", "email")]
    assert [tier.name for tier in view.tiers] == ["all"]
    assert len(view.scenario_sha256) == 64


def test_a_channel_is_tied_only_where_there_are_tiers_to_tie():
    curves = Curves((response("search"), response("email", "high"), response("email", "low")))
    tied = {c.name: c.tied for c in plan_view(scenario(tiers=SPLIT), curves, plans.solution()).channels}
    assert tied == {"search": True, "email": False}
    single = plan_view(scenario(), Curves((response("search"),)), plans.solution())
    assert not single.channels[0].tied


def test_tiers_carry_labels_and_the_customers_their_segments_add_to():
    curves = Curves(
        (
            response("search"),
            response("email", "high", segment="1", population=100.0),
            response("email", "high", segment="2", population=50.0),
            response("email", "low", population=400.0),
        )
    )
    view = plan_view(scenario(tiers=SPLIT), curves, plans.solution())
    assert [(t.label, t.population) for t in view.tiers] == [("High value", 150.0), ("low", 400.0)]


def test_warnings_of_the_scenario_come_before_those_of_the_solve():
    limits = {"cap": {"where": {"channel": "email"}, "measure": "spend", "max": "100k"}}
    view = plan_view(scenario(constraints=limits), Curves((response("email"),)), plans.solution())
    assert [finding.code for finding in view.findings] == ["W301", "W302"]


def test_a_scenario_with_the_least_words_can_be_shown():
    least = Scenario.from_dict(
        {"version": 1, "name": "least", "budget": {"total": "1k"}, "channels": {"email": POINTS}}
    )
    view = plan_view(least, Curves((response("email"),)), Solution(Status.ERROR, "cbc"))
    assert (view.start, view.end, view.currency) == (None, None, "")
    assert render_text(build(view)).startswith("no plan[E402]: ")


def test_amounts_without_spend_have_no_ratios():
    cells = tuple(replace(cell, spend=0.0, margin=0.0) for cell in plans.cells())
    whole = plans.view(solution=replace(plans.solution(), cells=cells)).whole
    assert (whole.return_per_unit, whole.roi, whole.profit) == (None, None, 0.0)


def test_the_next_unit_goes_where_the_channel_uses_it_best():
    cells = plans.cells()
    email = [i for i, cell in enumerate(cells) if cell.cell.channel == "email"]
    better = replace(cells[email[1]], marginal_return=2.0)
    full = replace(cells[email[0]], marginal_return=None)
    changed = tuple({email[0]: full, email[1]: better}.get(i, cell) for i, cell in enumerate(cells))
    view = plans.view(solution=replace(plans.solution(), cells=changed, rows=()))
    assert view.next_unit_in("email") == (2.0, False)
    assert view.next_unit_in("nothing") == (None, False)


def capped(tiers, bound=Bound.MAX, kind="one_per_customer"):
    terms = {Cell(tier, "email"): Weights(spend=1.0) for tier in tiers}
    return RowResult(Row("cap", kind, bound, terms, rhs=1.0), 1.0, 1.0, 0.0, binding=True, next_unit=0.5)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (capped(["medium"]), (1.5, False)),
        (capped(["high", "medium", "low"]), (2.0, True)),
        (replace(capped(["high", "medium", "low"]), binding=False), (2.0, False)),
        (capped(["high", "medium", "low"], Bound.MIN), (2.0, False)),
        (capped(["high", "medium", "low"], kind="budget"), (2.0, False)),
        (capped(["high", "medium", "low"], kind="reserve"), (2.0, False)),
    ],
)
def test_the_next_unit_is_told_where_limits_besides_the_budget_let_it_in(result, told):
    earns = {"high": 1.2, "medium": 2.0, "low": 1.5}
    cells = tuple(
        replace(cell, marginal_return=earns[cell.cell.tier]) if cell.cell.channel == "email" else cell
        for cell in plans.cells()
    )
    view = plans.view(solution=replace(plans.solution(), cells=cells, rows=(result,)))
    assert view.next_unit_in("email") == told


def test_a_tied_channel_is_stopped_by_a_limit_on_one_of_its_tiers():
    limit = Row("cap", "spend", Bound.MAX, {Cell("low", "search"): Weights(spend=1.0)}, rhs=1.0)
    rows = (RowResult(limit, 1.0, 1.0, 0.0, binding=True),)
    assert plans.view(solution=replace(plans.solution(), rows=rows)).next_unit_in("search").stopped


def test_rejected_rows_are_told_however_few_and_once():
    few = plans.view(rejects={"transactions": 160}, rows_read={"transactions": 35_181})
    line = "160 of 35,181 rows of transactions could not be used (0.5%)"
    assert line in render_text(build(few))
    warned = Finding("W405", None, "160 of 35,181 rows of 'orders.csv' cannot be used (0.5%)")
    assert line not in render_text(build(replace(few, findings=(warned,))))


def test_roi_is_profit_over_spend():
    whole = plans.view().whole
    assert whole.roi == pytest.approx(whole.margin / whole.spend - 1)


def test_the_version_is_the_installed_one():
    assert package_version()[0].isdigit()
