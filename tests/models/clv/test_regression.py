"""What all regressions share: rows, levels, horizons, selection, and what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from allocator.customers.past import OrderLog, Outcome, Snapshot
from allocator.errors import DataError
from allocator.models.clv.bg_nbd import BgNbd
from allocator.models.clv.boosting import Boosting
from allocator.models.clv.carried import CarriedForecast
from allocator.models.clv.linear import Lasso, Linear, Ridge
from allocator.models.clv.regression import judged
from tests.models.clv.simulated_orders import simulated_orders

PAST = OrderLog(simulated_orders(300)).until()
CUSTOMERS = PAST.customers
RIDGE = Ridge().learn(PAST, horizon_weeks=20)
BOOSTED = Boosting().learn(PAST, horizon_weeks=20)
BASE = BgNbd().learn(PAST, horizon_weeks=20)


def rows(n: int = 400, seed: int = 0) -> tuple[pd.DataFrame, Outcome]:
    """Half buy nothing; the money of the others is a line of `size`, and `noise` tells nothing."""
    rng = np.random.default_rng(seed)
    index = pd.Index([f"c{i:04d}" for i in range(n)], name="customer_id")
    table = pd.DataFrame({"size": rng.uniform(0, 10, n), "noise": rng.normal(size=n)}, index=index)
    buys = (table["size"] + rng.normal(size=n) > 5).to_numpy().astype(float)
    return table, Outcome(buys, buys * (20 + 3 * table["size"].to_numpy()), 8.0)


class Fixed:
    """A forecast of 8 weeks that is the same for all."""

    weeks = 8.0

    def __init__(self, money: float, p_any: float | None = None) -> None:
        self.money, self.p_any = money, p_any

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        return np.full(len(table), self.money)

    def p_any_purchase(self, table: pd.DataFrame) -> np.ndarray | None:
        return None if self.p_any is None else np.full(len(table), self.p_any)


class TestFit:
    def test_a_line_is_found(self) -> None:
        table, outcome = rows()
        line = Outcome(outcome.purchase_days, 5 + 2 * table["size"].to_numpy(), 8.0)
        assert Linear().fit(table, line).predict(table) == pytest.approx(line.revenue, abs=0.3)

    def test_the_total_is_that_of_the_rows(self) -> None:
        """Though single large amounts are winsorised."""
        table, outcome = rows()
        revenue = outcome.revenue.copy()
        revenue[revenue.argmax()] = 50_000
        fitted = Ridge().fit(table, Outcome(outcome.purchase_days, revenue, 8.0))
        assert fitted.predict(table).sum() == pytest.approx(revenue.sum())

    def test_the_chance_and_the_money_of_who_buys_make_the_forecast(self) -> None:
        table, outcome = rows(2_000)
        fitted = Boosting().fit(table, outcome)
        sure = table["size"] > 8
        p_any = fitted.p_any_purchase(table)
        assert p_any is not None
        assert p_any[sure].mean() > 0.95
        assert p_any[table["size"] < 2].mean() < 0.05
        money = fitted.predict(table)[sure] / p_any[sure]
        assert money == pytest.approx(20 + 3 * table["size"][sure].to_numpy(), rel=0.1)

    def test_columns_that_were_not_there_are_not_needed(self) -> None:
        table, outcome = rows()
        fitted = Ridge().fit(table, outcome)
        assert fitted.columns == ("size", "noise")
        wide = table[["noise", "size"]].assign(more="text")
        assert fitted.predict(wide).tolist() == fitted.predict(table).tolist()

    def test_a_column_that_is_missing_is_named(self) -> None:
        table, outcome = rows()
        with pytest.raises(DataError, match="lacks size"):
            Ridge().fit(table, outcome).predict(table[["noise"]])

    def test_too_few_rows_are_refused(self) -> None:
        table, outcome = rows(19)
        with pytest.raises(DataError, match="20 customers"):
            Ridge().fit(table, outcome)

    def test_rows_that_are_all_alike_are_refused(self) -> None:
        table, outcome = rows()
        with pytest.raises(DataError, match="no column varies"):
            Ridge().fit(table.assign(size=1.0, noise=2.0), outcome)

    def test_nobody_who_buys_is_forecast_no_money(self) -> None:
        table, outcome = rows()
        nothing = Outcome(0 * outcome.purchase_days, 0 * outcome.revenue, 8.0)
        fitted = Boosting().fit(table, nothing)
        assert fitted.predict(table).tolist() == [0.0] * len(table)
        p_any = fitted.p_any_purchase(table)
        assert p_any is not None
        assert p_any == pytest.approx(0.5 / 401)

    def test_options_are_checked(self) -> None:
        with pytest.raises(ValidationError):
            Lasso(penalty=0)
        with pytest.raises(ValidationError):
            Boosting(trees=0)

    @pytest.mark.parametrize("how", ["mutual_information", "importance"])
    def test_selection_keeps_the_columns_that_tell(self, how: str) -> None:
        table, outcome = rows()
        table = table.assign(**{f"noise_{i}": np.random.default_rng(i).normal(size=400) for i in range(8)})
        fitted = Linear(selection=how, selected=0.2).fit(table, outcome)
        noisy = table.assign(**{name: 99.0 for name in table if str(name).startswith("noise_")})
        assert np.corrcoef(fitted.predict(table), fitted.predict(noisy))[0, 1] > 0.9
        plain = Linear().fit(table, outcome)
        assert plain.predict(table).tolist() != plain.predict(noisy).tolist()


class TestEvaluate:
    def test_a_perfect_forecast(self) -> None:
        _, outcome = rows()
        found = judged(outcome, outcome.revenue, outcome.purchase_days)
        perfect = {"mae": 0, "rmse": 0, "total_error": 0, "brier": 0, "decile_mape": 0}
        assert {name: found[name] for name in perfect} == pytest.approx(perfect)
        assert (found["normalised_gini"], found["spearman"], found["auc"]) == pytest.approx((1, 1, 1))

    def test_a_member_without_a_classifier_has_no_brier_score(self) -> None:
        table, outcome = rows()
        found = Ridge().fit(table, outcome).evaluate(*rows(seed=1))
        assert "brier" not in found
        assert found["normalised_gini"] > 0.5
        assert "brier" in Boosting().fit(table, outcome).evaluate(*rows(seed=1))


class TestCarriedOn:
    def test_what_was_learned_is_what_is_told_of_the_same_weeks(self) -> None:
        weeks = BOOSTED.fitted.weeks
        learned = BOOSTED.fitted.predict(CUSTOMERS.features)
        assert BOOSTED.expected_revenue(CUSTOMERS, weeks) == pytest.approx(learned)
        chance = BOOSTED.fitted.p_any_purchase(CUSTOMERS.features)
        assert BOOSTED.p_any_purchase(CUSTOMERS, weeks) == pytest.approx(chance)

    def test_it_grows_as_the_timing_model_says(self) -> None:
        fixed = CarriedForecast(Fixed(10.0), BASE)
        ratio = fixed.expected_revenue(CUSTOMERS, 52) / 10
        base = BASE.expected_purchases(CUSTOMERS, 52) / BASE.expected_purchases(CUSTOMERS, 8)
        assert ratio == pytest.approx(base)
        assert (ratio > 1).all()
        assert (ratio <= 52 / 8).all()

    def test_chances_grow_as_the_timing_model_says(self) -> None:
        """A forecast that agrees with the timing model at 8 weeks agrees with it at all others."""

        class Same(Fixed):
            def p_any_purchase(self, table: pd.DataFrame) -> np.ndarray:
                return BASE.p_any_purchase(CUSTOMERS, 8)

        carried = CarriedForecast(Same(1.0), BASE)
        assert carried.p_any_purchase(CUSTOMERS, 40) == pytest.approx(BASE.p_any_purchase(CUSTOMERS, 40))

    def test_without_a_learned_chance_it_is_the_timing_models(self) -> None:
        chances = RIDGE.p_any_purchase(CUSTOMERS, 30)
        assert chances.tolist() == RIDGE.base.p_any_purchase(CUSTOMERS, 30).tolist()

    def test_purchases_are_money_over_the_value_of_one(self) -> None:
        money = RIDGE.expected_revenue(CUSTOMERS, 30, start_weeks=10)
        number = RIDGE.expected_purchases(CUSTOMERS, 30, start_weeks=10)
        assert number * RIDGE.base.value_per_purchase(CUSTOMERS) == pytest.approx(money)

    def test_an_active_customer_is_worth_no_less(self) -> None:
        for forecast in (RIDGE, CarriedForecast(Fixed(1e6), BASE)):
            active = forecast.revenue_if_active(CUSTOMERS, 30)
            assert (active >= forecast.expected_revenue(CUSTOMERS, 30)).all()
        assert RIDGE.revenue_if_active(CUSTOMERS, 30).sum() >= BASE.revenue_if_active(CUSTOMERS, 30).sum()

    def test_a_timing_model_that_expects_nothing_gives_all_the_same_ratio(self) -> None:
        class Nothing:
            def expected_purchases(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0):
                first = np.arange(len(customers)) == 0
                return np.where(first, np.sqrt(weeks), 0.0)

        carried = CarriedForecast(Fixed(10.0), Nothing())  # type: ignore[arg-type]
        assert carried.expected_revenue(CUSTOMERS, 32) == pytest.approx(20.0)
