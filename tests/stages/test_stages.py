"""From real tables to curves: what each stage finds, and what it must not see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator as al
from tests.small_project import Project, project


def fitted(folder: Path, case: Project) -> al.Forecast:
    return al.fit(al.load_scenario(case.write(folder)))


@pytest.fixture(scope="module")
def forecast(tmp_path_factory: pytest.TempPathFactory) -> al.Forecast:
    return fitted(tmp_path_factory.mktemp("small"), project())


def earlier_test() -> Project:
    """The project with a contact half a year before the orders end, planned as of the day before."""
    case = project()
    case.edit("contacts.csv", lambda rows: [row.replace("2026-09-01", "2026-04-01") for row in rows])
    case.set("tiers:\n", "models: {as_of: 2026-03-31}\ntiers:\n")
    return case


def orders_since(case: Project, day: str, amount: str) -> None:
    """Change what every order since a day was worth."""

    def changed(row: str) -> str:
        who, when, _ = row.split(",")
        return f"{who},{when},{amount}" if when >= day else row

    case.edit("orders.csv", lambda rows: [rows[0], *map(changed, rows[1:])])


def test_tiers_stand_for_the_population(forecast: al.Forecast) -> None:
    tiers = forecast.tiers.set_index("tier")
    assert tiers["in_data"].to_dict() == {"high": 36, "low": 84}
    assert tiers["customers"].to_dict() == {"high": 1800, "low": 4200}
    assert tiers["customers"].sum() == 6000
    assert tiers.loc["high", "lowest"] >= forecast.clv.query("tier == 'low'")["clv"].max()


def test_customers_of_the_table_are_the_population(tmp_path: Path) -> None:
    case = project()
    case.edit("orders.csv", lambda rows: [row for row in rows if not row.startswith("001,")])
    clv = fitted(tmp_path, case).clv.set_index("customer_id")
    assert len(clv) == 120
    assert clv.loc["001", ["clv", "frequency"]].tolist() == [0, 0]
    assert clv.loc["001", "tier"] == "low"


def test_without_a_table_of_customers_those_of_the_orders_are_planned_for(tmp_path: Path) -> None:
    case = project()
    case.set("  customers: {path: customers.csv, attributes: [age], population: 6_000}\n", "")
    assert fitted(tmp_path, case).tiers["customers"].sum() == 120


def test_the_effect_of_a_tier_is_its_own_arm_against_its_own_control(forecast: al.Forecast) -> None:
    effects = forecast.effects.set_index(["tier", "channel"])
    assert set(effects.index) == {(t, c) for t in ("high", "low") for c in ("email", "letter")}
    assert effects["treated"].sum() == 80
    assert effects.groupby("tier")["control"].first().sum() == 40
    assert (effects["low"] < effects["effect"]).all()
    assert (effects["effect"] < effects["high"]).all()


def test_orders_after_the_contact_do_not_move_the_customers_of_the_test(tmp_path: Path) -> None:
    """The plan's tiers may change with them; what the test says of its rows' tiers may not hang on them."""
    case = earlier_test()
    before = fitted(tmp_path, case)
    orders_since(case, "2026-04-01", "9999.00")
    after = fitted(tmp_path, case)
    pd.testing.assert_frame_equal(before.effects, after.effects)


def test_orders_before_the_contact_do(tmp_path: Path) -> None:
    """The test above can fail."""
    case = earlier_test()
    before = fitted(tmp_path, case)

    orders_since(case, "2025-09-01", "9999.00")
    after = fitted(tmp_path, case)
    assert not before.effects["effect"].equals(after.effects["effect"])


def test_a_contact_is_worth_the_margin_of_its_revenue(tmp_path: Path) -> None:
    small, large = project(), project()
    large.set("margin: 40%", "margin: 80%")
    one, two = fitted(tmp_path, small).effects, fitted(tmp_path, large).effects
    np.testing.assert_allclose(two["raw"], 2 * one["raw"], rtol=1e-9)


def test_conversions_are_counted_not_valued_where_revenue_is_measured(tmp_path: Path) -> None:
    plain, priced, beyond = project(), project(), project()
    priced.set("margin: 40%", "margin: 40%, value_per_conversion: 30")
    beyond.set("margin: 40%", "margin: 40%, value_per_conversion: {amount: 30, beyond_revenue: true}")
    raw = [fitted(tmp_path, case).effects["raw"] for case in (plain, priced, beyond)]
    pd.testing.assert_series_equal(raw[0], raw[1])
    assert not np.allclose(raw[0], raw[2])


def test_conversions_are_valued_where_nothing_else_is_measured(tmp_path: Path) -> None:
    case = project()
    case.edit("contacts.csv", lambda rows: [rows[0].replace("revenue", "ignored"), *rows[1:]])
    case.set("margin: 40%", "margin: 40%, value_per_conversion: 30")
    effects = fitted(tmp_path, case).effects
    assert (effects["raw"].abs() <= 30).all()
    assert (effects["raw"] != 0).any()


def test_who_stays_is_worth_what_he_will_buy(tmp_path: Path) -> None:
    """Retained customers are valued by their own residual value, which nobody else's outcome changes."""
    case = project()
    case.edit("contacts.csv", lambda rows: [rows[0].replace("converted", "retained"), *rows[1:]])
    worth = fitted(tmp_path, case).effects["raw"]
    case.set("margin: 40%", "margin: 40%, value_window: 6 months")
    shorter = fitted(tmp_path, case).effects["raw"]
    assert not np.allclose(worth, shorter)
    assert not np.allclose(worth, fitted(tmp_path, project()).effects["raw"])


def test_a_curve_ends_where_every_customer_was_contacted(forecast: al.Forecast) -> None:
    ends = {(one.tier, one.channel): one.curve.end for one in forecast.curves if one.tier}
    assert ends["high", "email"] == pytest.approx(1800 * 0.10)
    assert ends["low", "letter"] == pytest.approx(4200 * 0.90)
    assert forecast.curves.combine == "one_per_customer"


def test_draws_of_a_curve_average_to_it(forecast: al.Forecast) -> None:
    for one in forecast.curves:
        if one.curve.draws is not None:
            np.testing.assert_allclose(one.curve.draws.mean(axis=0), one.curve.value, atol=1e-6)


def test_one_customer_gets_one_contact(tmp_path: Path) -> None:
    case = project()
    case.set("total: 2k", "total: 50k")
    scenario = al.load_scenario(case.write(tmp_path))
    cells = al.solve(scenario, al.fit(scenario)).to_frame()
    contacts = cells[cells["channel"].isin(["email", "letter"])].groupby("tier")["contacts"].sum()
    assert (contacts <= np.array([1800, 4200]) + 1e-6).all()


def test_curves_written_and_read_back_give_the_same_plan(tmp_path: Path) -> None:
    case = project()
    scenario = al.load_scenario(case.write(tmp_path))
    forecast = al.fit(scenario)
    plan = al.solve(scenario, forecast)
    forecast.save(tmp_path)
    case.set("tiers:\n", "  curves: {path: curves.csv}\ntiers:\n")
    again = al.load_scenario(case.write(tmp_path))
    pd.testing.assert_frame_equal(plan.to_frame(), al.solve(again, al.fit(again)).to_frame())
    read = al.curves_from_frame(pd.read_csv(tmp_path / "curves.csv"))
    pd.testing.assert_frame_equal(plan.to_frame(), al.solve(scenario, read).to_frame())


def test_a_curve_of_the_table_outranks_the_response(tmp_path: Path) -> None:
    case = project()
    case.files["curves.csv"] = b"channel,spend,value\nsearch,100,50\n"
    case.set("tiers:\n", "  curves: {path: curves.csv}\ntiers:\n")
    (search,) = fitted(tmp_path, case).curves.of("search")
    assert (search.source, search.curve.end) == ("table", 100)


def test_tied_channels_fall_on_tiers_as_customers_do(tmp_path: Path) -> None:
    case = project()
    case.set("{high: {share: top 30%}, low: {share: rest}}", "{high: {from: 30}, low: {to: 30}}")
    scenario = al.load_scenario(case.write(tmp_path))
    forecast = al.fit(scenario)
    cells = al.solve(scenario, forecast).to_frame().query("channel == 'search'").set_index("tier")
    shares = forecast.tiers.set_index("tier")["share"]
    spend = cells["spend"] / cells["spend"].sum()
    np.testing.assert_allclose(spend[["high", "low"]], shares[["high", "low"]], atol=1e-4)


def test_a_plan_tells_its_data(tmp_path: Path) -> None:
    case = project()
    case.edit("orders.csv", lambda rows: [*rows, "003,2026-01-01,plenty"])
    scenario = al.load_scenario(case.write(tmp_path))
    plan = al.solve(scenario, al.fit(scenario)).to_dict()
    assert len(plan["data_sha256"]) == 64
    assert plan["rejects"] == {"transactions": 1, "customers": 0, "experiments": 0}
    assert plan["population"] == {"high": 1800, "low": 4200}
    assert "W403" in {warning["code"] for warning in plan["warnings"]}


def test_rows_of_other_arms_are_counted(tmp_path: Path) -> None:
    case = project()
    case.set("  letter: {current: 500, cost_per_contact: 0.90, response: {source: experiment}}\n", "")
    found = fitted(tmp_path, case).warnings
    assert any(one.code == "W405" and "letter" in one.what and "40 rows" in one.what for one in found)


def test_the_holdout_judges_days_the_models_did_not_see(forecast: al.Forecast) -> None:
    judged = forecast.holdout
    assert judged is not None
    assert judged.start < judged.end
    assert judged.revenue > 0
    assert 0 <= judged.scores.auc <= 1


def test_trust_in_an_expert_pulls_towards_what_was_measured(tmp_path: Path) -> None:
    def search(trust: str) -> float:
        case = project()
        estimates = "[{spend: 1k, low: 1k, likely: 9k, high: 20k}]"
        response = f"{{source: expert, trust: {trust}, estimates: {estimates}}}"
        case.set("{source: points, points: [[1k, 1.8k]]}", response)
        (one,) = fitted(tmp_path, case).curves.of("search")
        return float(one.curve.at(1000.0))

    assert search("50%") < search("100%")


def test_a_margin_of_orders_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    case = project()
    case.edit("orders.csv", lambda rows: [f"{rows[0]},margin", *(f"{row},5" for row in rows[1:])])
    assert "margin of single orders" in " ".join(one.what for one in fitted(tmp_path, case).warnings)


def test_customers_of_the_test_without_an_earlier_order_are_counted(tmp_path: Path) -> None:
    case = project()
    case.edit("orders.csv", lambda rows: [row for row in rows if not row.startswith(("001,", "002,"))])
    found = [one.what for one in fitted(tmp_path, case).warnings]
    assert "2 of 120 customers of the test had no order before their contact" in found
