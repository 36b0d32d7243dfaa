"""Laws every model of customer lifetime value obeys."""

from __future__ import annotations

import subprocess
import sys
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator.models.clv as clv_models
from allocator.customers.summary import Patterns
from allocator.errors import DataError
from allocator.models.base import PurchaseForecast, ValueForecast
from allocator.models.clv import MODELS, PURCHASE_MODELS, VALUE_MODELS, BgNbd, GammaGamma
from allocator.models.clv.bg_nbd import FittedBgNbd
from allocator.models.clv.gamma_gamma import FittedGammaGamma
from allocator.models.clv.mbg_nbd import FittedMbgNbd, MbgNbd
from allocator.models.clv.pareto_nbd import FittedParetoNbd, ParetoNbd
from allocator.options import Options
from tests.models.clv.made_up_customers import (
    bg_nbd_patterns,
    gamma_gamma_values,
    mbg_nbd_patterns,
    pareto_nbd_patterns,
)

PATTERNS = bg_nbd_patterns(400, 0.6, 8.0, 0.8, 3.0)
PURCHASE_CASES: dict[type[Options], list[PurchaseForecast]] = {
    BgNbd: [
        BgNbd().fit(PATTERNS),
        FittedBgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259),
        FittedBgNbd(r=3.0, alpha=2.0, a=1e-9, b=1.0),
        FittedBgNbd(r=0.1, alpha=50.0, a=0.3, b=0.3),
        FittedBgNbd(r=0.1, alpha=0.01, a=1.0, b=0.01),
    ],
    MbgNbd: [
        MbgNbd().fit(PATTERNS),
        FittedMbgNbd(r=0.5248, alpha=6.183, a=0.8914, b=1.614),
        FittedMbgNbd(r=3.0, alpha=2.0, a=1e-9, b=1.0),
        FittedMbgNbd(r=0.1, alpha=50.0, a=0.3, b=0.3),
    ],
    ParetoNbd: [
        ParetoNbd().fit(PATTERNS),
        FittedParetoNbd(r=0.5533, alpha=10.577, s=0.6062, beta=11.67),
        FittedParetoNbd(r=3.0, alpha=2.0, s=1e-9, beta=1.0),
        FittedParetoNbd(r=0.1, alpha=50.0, s=1.0, beta=0.01),
        FittedParetoNbd(r=2.0, alpha=0.01, s=300.0, beta=5000.0),
    ],
}
VALUE_CASES: dict[type[Options], list[ValueForecast]] = {
    GammaGamma: [
        GammaGamma().fit(*gamma_gamma_values(400, 6.0, 4.0, 15.0)),
        FittedGammaGamma(p=0.5, q=1.01, gamma=3.0),
        FittedGammaGamma(p=200.0, q=90.0, gamma=40.0),
    ]
}

purchases = pytest.mark.parametrize("model", list(chain(*PURCHASE_CASES.values())), ids=repr)
few = settings(max_examples=30)  # for each of many models
values = pytest.mark.parametrize("model", list(chain(*VALUE_CASES.values())), ids=repr)
weeks_of_life = st.one_of(st.floats(0.2, 300), st.floats(1e-3, 2_000))
repeats = st.one_of(st.integers(0, 60), st.integers(0, 10_000))
histories = st.tuples(repeats, st.floats(0, 1), weeks_of_life).map(
    lambda h: (h[0], h[1] * h[2] if h[0] else 0.0, h[2])
)
PurchaseOptions = type[BgNbd | MbgNbd | ParetoNbd]
SIMULATED = {BgNbd: bg_nbd_patterns, MbgNbd: mbg_nbd_patterns, ParetoNbd: pareto_nbd_patterns}
spans = st.one_of(st.just(0.0), st.floats(1e-9, 260))


def test_every_model_has_a_case() -> None:
    assert set(PURCHASE_CASES) == set(PURCHASE_MODELS)
    assert set(VALUE_CASES) == set(VALUE_MODELS)
    assert set(MODELS) == set(PURCHASE_MODELS) | set(VALUE_MODELS)


def test_the_table_of_contents_names_every_model_there_is() -> None:
    fitting = {
        kind for kind in vars(clv_models).values() if isinstance(kind, type) and issubclass(kind, Options)
    }
    assert set(MODELS) <= fitting
    names = [kind.model_fields["name"].default for kind in fitting]
    assert len(set(names)) == len(names)
    of_value = {kind.model_fields["name"].default for kind in VALUE_MODELS}
    choosing = {"auto", "blend"}
    assert set(names) - of_value - choosing == set(clv_models.NAMES) - choosing


def test_options_load_no_scientific_library() -> None:
    program = "import sys, allocator.models.clv; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"scipy", "pandas", "statsmodels", "sklearn"} & set(done.stdout.split()) == set()


@purchases
@few
@given(history=histories, weeks=spans, more=spans)
def test_more_time_brings_more_purchases(
    model: PurchaseForecast, history: tuple[int, float, float], weeks: float, more: float
) -> None:
    few, many = (model.expected_purchases(span, *history) for span in (weeks, weeks + more))
    assert 0 <= few <= many * (1 + 1e-9)
    rare, likely = (model.p_any_purchase(span, *history) for span in (weeks, weeks + more))
    assert 0 <= rare <= likely * (1 + 1e-12) <= 1 + 1e-12


@purchases
@few
@given(history=histories)
def test_no_time_brings_nothing(model: PurchaseForecast, history: tuple[int, float, float]) -> None:
    assert model.expected_purchases(0, *history) == 0
    assert model.p_any_purchase(0, *history) == 0


@purchases
@few
@given(history=histories, weeks=spans)
def test_the_chance_of_one_is_at_most_the_number(
    model: PurchaseForecast, history: tuple[int, float, float], weeks: float
) -> None:
    expected = model.expected_purchases(weeks, *history)
    assert model.p_any_purchase(weeks, *history) <= expected * (1 + 1e-9)


@purchases
@few
@given(history=histories, weeks=spans, start=spans)
def test_an_active_customer_buys_no_less(
    model: PurchaseForecast, history: tuple[int, float, float], weeks: float, start: float
) -> None:
    known = model.expected_if_active(weeks, *history, start)
    assert known * (1 + 1e-9) >= model.expected_purchases(weeks, *history, start)


@purchases
@few
@given(history=histories, start=spans, weeks=spans)
def test_spans_of_time_add_up(
    model: PurchaseForecast, history: tuple[int, float, float], start: float, weeks: float
) -> None:
    parts = model.expected_purchases(start, *history) + model.expected_purchases(weeks, *history, start)
    assert parts == pytest.approx(model.expected_purchases(start + weeks, *history), rel=1e-7, abs=1e-12)


@purchases
@few
@given(history=histories, weeks=spans, more=spans)
def test_fewer_and_fewer_stay(
    model: PurchaseForecast, history: tuple[int, float, float], weeks: float, more: float
) -> None:
    now, soon, later = (model.p_active(span, *history) for span in (0.0, weeks, weeks + more))
    assert 0 <= later <= soon * (1 + 1e-9) <= now * (1 + 2e-9) <= 1 + 3e-9
    assert model.p_any_purchase(weeks, *history) <= now * (1 + 1e-9)


@purchases
@few
@given(history=histories, weeks=spans, seed=st.integers(0, 99))
def test_purchases_are_drawn_in_whole_numbers(
    model: PurchaseForecast, history: tuple[int, float, float], weeks: float, seed: int
) -> None:
    drawn = model.draw_purchases(weeks, *history, np.random.default_rng(seed))
    assert drawn >= 0
    assert drawn == np.round(drawn)
    assert model.draw_purchases(0.0, *history, np.random.default_rng(seed)) == 0
    assert model.draw_purchases(weeks, *history, np.random.default_rng(seed)) == drawn


@purchases
@pytest.mark.parametrize("history", [(0, 0.0, 30.0), (1, 3.0, 40.0), (4, 25.0, 30.0), (60, 50.0, 52.0)])
def test_drawn_purchases_are_those_expected(
    model: PurchaseForecast, history: tuple[int, float, float]
) -> None:
    n, weeks = 40_000, 26.0
    x, t, age = (np.full(n, part) for part in history)
    drawn = model.draw_purchases(weeks, x, t, age, np.random.default_rng(1))
    error = 5 * drawn.std() / np.sqrt(n) + 1e-3
    assert drawn.mean() == pytest.approx(float(model.expected_purchases(weeks, *history)), abs=error)
    some = float(model.p_any_purchase(weeks, *history))
    assert (drawn > 0).mean() == pytest.approx(some, abs=5 * np.sqrt(some * (1 - some) / n) + 1e-3)


@purchases
def test_parameters_are_drawn_around_the_estimate(model: PurchaseForecast) -> None:
    names = list(model.standard_errors)
    draws = model.parameter_draws(500, np.random.default_rng(3))
    assert len(draws) == 500
    logs = np.log([[getattr(draw, name) for name in names] for draw in draws])
    for name, spread, middle in zip(names, logs.std(axis=0), np.median(logs, axis=0), strict=True):
        value, error = getattr(model, name), model.standard_errors[name]
        assert spread == pytest.approx((error or 0.0) / value, rel=0.15, abs=1e-12)
        assert middle == pytest.approx(np.log(value), abs=0.2 * spread + 1e-12)


@values
@given(n=st.integers(1, 500), mean=st.floats(0, 1e5), more=st.floats(0, 1e5))
def test_a_customer_worth_more_is_forecast_to_be(
    model: ValueForecast, n: int, mean: float, more: float
) -> None:
    low, high = model.expected_value(n, mean), model.expected_value(n, mean + more)
    assert 0 <= low <= high * (1 + 1e-12)


@values
@given(n=st.integers(0, 500), mean=st.floats(0, 1e5))
def test_more_purchases_count_more_than_the_population(model: ValueForecast, n: int, mean: float) -> None:
    few, many = (abs(float(model.expected_value(count, mean)) - mean) for count in (n, n + 1))
    assert many <= few * (1 + 1e-9) + 1e-9


@values
def test_the_forecast_reaches_the_customers_own_mean(model: ValueForecast) -> None:
    assert model.expected_value(1e12, 77.0) == pytest.approx(77.0)


@values
def test_drawn_values_are_those_expected(model: ValueForecast) -> None:
    n = 200_000
    drawn = model.draw_value(np.tile([0, 1, 3, 3], n), 8, 40.0, np.random.default_rng(2)).reshape(n, 4)
    each = float(model.expected_value(8, 40.0))
    errors = 5 * drawn.std(axis=0) / np.sqrt(n)
    assert np.all(np.abs(drawn.mean(axis=0) - [0.0, each, 3 * each, 3 * each]) <= errors)
    assert np.all(drawn[:, 1:] > 0)


@values
def test_parameters_of_value_are_drawn_above_their_bounds(model: ValueForecast) -> None:
    draws = model.parameter_draws(300, np.random.default_rng(4))
    means = [float(draw.expected_value(2, 30.0)) for draw in draws]
    assert np.all(np.isfinite(means))
    open_ = None in model.standard_errors.values()
    assert (np.ptp(means) == 0) == open_


@pytest.mark.parametrize("model", PURCHASE_MODELS)
def test_a_purchase_model_fits_the_same_twice(model: PurchaseOptions) -> None:
    one, other = (model().fit(PATTERNS) for _ in range(2))
    assert repr(one) == repr(other)
    assert one.n_customers == PATTERNS.n_customers


def estimates(fitted: PurchaseForecast) -> dict[str, float]:
    return {name: getattr(fitted, name) for name in fitted.standard_errors}


@pytest.mark.parametrize("model", PURCHASE_MODELS)
@pytest.mark.parametrize("truth", [(0.6, 8.0, 0.8, 3.0), (1.5, 12.0, 1.2, 6.0)])
def test_a_known_truth_is_recovered_within_its_errors(
    model: PurchaseOptions, truth: tuple[float, float, float, float]
) -> None:
    r, alpha, a, b = truth
    if model is ParetoNbd:
        b *= 15  # weeks
    fitted = model().fit(SIMULATED[model](6_000, r, alpha, a, b, seed=11))
    assert fitted.warnings == ()
    for found, error, true in zip(
        estimates(fitted).values(), fitted.standard_errors.values(), (r, alpha, a, b), strict=True
    ):
        assert abs(found - true) < 4 * error + 0.03 * true  # days blur time a little
        assert error < 0.3 * true


@pytest.mark.parametrize("model", PURCHASE_MODELS)
def test_a_penalty_does_not_hang_on_the_unit_of_time(model: PurchaseOptions) -> None:
    days = bg_nbd_patterns(400, 0.6, 8.0, 0.8, 3.0)
    weeks = Patterns(days.frequency, 7 * days.recency_days, 7 * days.age_days, days.counts, days.inverse)
    one, other = (estimates(model(penalty=3.0).fit(patterns)) for patterns in (days, weeks))
    in_days = {"alpha", "beta"}
    assert {name: value / (7 if name in in_days else 1) for name, value in other.items()} == pytest.approx(
        one, rel=1e-5
    )


@pytest.mark.parametrize("model", PURCHASE_MODELS)
def test_weak_dropout_ends_in_an_estimate_or_a_warning(model: PurchaseOptions) -> None:
    rng = np.random.default_rng(7)
    n_warned = 0
    for seed in range(70):
        n, r, alpha = int(rng.integers(20, 200)), rng.uniform(0.3, 3), rng.uniform(3, 40)
        a, b = 10 ** rng.uniform(-3, 2), 10 ** rng.uniform(1, 3)
        patterns = SIMULATED[model](n, r, alpha, a, b * (20 if model is ParetoNbd else 1), seed=seed)
        fitted = model().fit(patterns)
        assert np.all(np.isfinite([*estimates(fitted).values(), fitted.log_likelihood]))
        assert fitted.warnings or None not in fitted.standard_errors.values()
        n_warned += bool(fitted.warnings)
        x, t, age = patterns.frequency, patterns.recency_weeks, patterns.age_weeks
        bought = float(fitted.expected_purchases(26, x, t, age) @ patterns.counts)
        assert 0 <= bought < 3 * float(x @ patterns.counts) + 10
        assert all(
            np.isfinite(draw.expected_purchases(26, x, t, age)).all()
            for draw in fitted.parameter_draws(2, rng)
        )
    assert 0 < n_warned < 70


@pytest.mark.parametrize("model", PURCHASE_MODELS)
@few
@given(
    rows=st.lists(
        st.tuples(repeats, st.floats(0, 1), st.one_of(st.integers(0, 900), st.integers(0, 14_000))),
        min_size=1,
        max_size=30,
    )
)
def test_any_customers_have_a_fit(model: PurchaseOptions, rows: list[tuple[int, float, int]]) -> None:
    age = np.array([age for *_, age in rows])
    x = np.minimum([x for x, *_ in rows], age)
    last = np.where(x > 0, np.maximum(np.ceil(age * np.array([share for _, share, _ in rows])), x), 0)
    patterns = Patterns.of(x, last.astype(np.int64), age)
    fitted = model().fit(patterns)
    assert np.isfinite([*estimates(fitted).values(), fitted.log_likelihood]).all()
    assert min(estimates(fitted).values()) > 0
    assert {finding.code for finding in fitted.warnings} <= {"W404"}
    history = (patterns.frequency, patterns.recency_weeks, patterns.age_weeks)
    assert np.isfinite(fitted.expected_purchases(52, *history)).all()
    assert np.isfinite(fitted.p_any_purchase(52, *history)).all()


@pytest.mark.parametrize("model", PURCHASE_MODELS)
def test_customers_without_a_repeat_leave_all_open_and_expect_little(model: PurchaseOptions) -> None:
    fitted = model().fit(Patterns.of(np.zeros(50, int), np.zeros(50, int), np.full(50, 100)))
    assert [finding.code for finding in fitted.warnings] == ["W404"]
    assert fitted.expected_purchases(52, 0, 0.0, 100 / 7) < 0.2


@pytest.mark.parametrize("model", PURCHASE_MODELS)
def test_no_customers_are_an_error(model: PurchaseOptions) -> None:
    nobody = np.array([], dtype=int)
    with pytest.raises(DataError, match="at least one customer"):
        model().fit(Patterns.of(nobody, nobody, nobody))


@purchases
@pytest.mark.parametrize(
    "history", [(-1, 0.0, 3.0), (1, 5.0, 4.0), (1, -1.0, 4.0), (np.nan, 0.0, 3.0), (1, 1.0, np.inf)]
)
def test_a_history_that_cannot_be_is_refused(
    model: PurchaseForecast, history: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(0)
    for ask in (model.expected_purchases, model.p_any_purchase, model.p_active, model.expected_if_active):
        with pytest.raises(DataError, match="E315"):
            ask(4.0, *history)
    with pytest.raises(DataError, match="E315"):
        model.draw_purchases(4.0, *history, rng)


@pytest.mark.parametrize("model", VALUE_MODELS)
def test_a_value_model_fits_the_same_twice(model: type[GammaGamma]) -> None:
    n, mean = gamma_gamma_values(300, 6.0, 4.0, 15.0)
    order = np.random.default_rng(0).permutation(len(n))
    one, again, other = model().fit(n, mean), model().fit(n, mean), model().fit(n[order], mean[order])
    assert repr(one) == repr(again)
    assert other.q == pytest.approx(one.q, rel=1e-6)
