"""Laws every model of customer lifetime value obeys."""

from __future__ import annotations

import subprocess
import sys
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import allocator.models.clv as clv_models
from allocator.models.base import PurchaseForecast, ValueForecast
from allocator.models.clv import MODELS, PURCHASE_MODELS, VALUE_MODELS, BgNbd, GammaGamma
from allocator.models.clv.bg_nbd import FittedBgNbd
from allocator.models.clv.gamma_gamma import FittedGammaGamma
from allocator.options import Options
from tests.models.clv.made_up_customers import bg_nbd_patterns, gamma_gamma_values

PATTERNS = bg_nbd_patterns(400, 0.6, 8.0, 0.8, 3.0)
FITTED = BgNbd().fit(PATTERNS)
PURCHASE_CASES: dict[type[Options], list[PurchaseForecast]] = {
    BgNbd: [
        FITTED,
        FittedBgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259),
        FittedBgNbd(r=3.0, alpha=2.0, a=1e-9, b=1.0),
        FittedBgNbd(r=0.1, alpha=50.0, a=0.3, b=0.3),
    ]
}
VALUE_CASES: dict[type[Options], list[ValueForecast]] = {
    GammaGamma: [
        GammaGamma().fit(*gamma_gamma_values(400, 6.0, 4.0, 15.0)),
        FittedGammaGamma(p=0.5, q=1.01, gamma=3.0),
        FittedGammaGamma(p=200.0, q=90.0, gamma=40.0),
    ]
}

purchases = pytest.mark.parametrize("model", list(chain(*PURCHASE_CASES.values())), ids=repr)
values = pytest.mark.parametrize("model", list(chain(*VALUE_CASES.values())), ids=repr)
histories = st.tuples(st.integers(0, 60), st.floats(0, 1), st.floats(0.2, 300)).map(
    lambda h: (h[0], h[1] * h[2] if h[0] else 0.0, h[2])
)
spans = st.one_of(st.just(0.0), st.floats(1e-9, 260))


def test_every_model_has_a_case() -> None:
    assert set(PURCHASE_CASES) == set(PURCHASE_MODELS)
    assert set(VALUE_CASES) == set(VALUE_MODELS)
    assert set(MODELS) == set(PURCHASE_MODELS) | set(VALUE_MODELS)


def test_the_table_of_contents_names_every_model_there_is() -> None:
    options = {kind for kind in vars(clv_models).values() if isinstance(kind, type) and hasattr(kind, "fit")}
    assert options == set(MODELS)
    names = [kind.model_fields["name"].default for kind in MODELS]
    assert len(set(names)) == len(names)


def test_options_load_no_scientific_library() -> None:
    program = "import sys, allocator.models.clv; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"scipy", "pandas", "statsmodels", "sklearn"} & set(done.stdout.split()) == set()


@purchases
@given(history=histories, weeks=spans, more=spans)
def test_more_time_brings_more_purchases(
    model: PurchaseForecast, history: tuple[int, float, float], weeks: float, more: float
) -> None:
    few, many = (model.expected_purchases(span, *history) for span in (weeks, weeks + more))
    assert 0 <= few <= many * (1 + 1e-9)
    rare, likely = (model.p_any_purchase(span, *history) for span in (weeks, weeks + more))
    assert 0 <= rare <= likely * (1 + 1e-12) <= 1 + 1e-12


@purchases
@given(history=histories)
def test_no_time_brings_nothing(model: PurchaseForecast, history: tuple[int, float, float]) -> None:
    assert model.expected_purchases(0, *history) == 0
    assert model.p_any_purchase(0, *history) == 0


@purchases
@given(history=histories, weeks=spans)
def test_the_chance_of_one_is_at_most_the_number(
    model: PurchaseForecast, history: tuple[int, float, float], weeks: float
) -> None:
    expected = model.expected_purchases(weeks, *history)
    assert model.p_any_purchase(weeks, *history) <= expected * (1 + 1e-9)


@purchases
@given(history=histories, weeks=spans, start=spans)
def test_an_active_customer_buys_no_less(
    model: PurchaseForecast, history: tuple[int, float, float], weeks: float, start: float
) -> None:
    known = model.expected_if_active(weeks, *history, start)
    assert known * (1 + 1e-9) >= model.expected_purchases(weeks, *history, start)


@purchases
@given(history=histories, start=spans, weeks=spans)
def test_spans_of_time_add_up(
    model: PurchaseForecast, history: tuple[int, float, float], start: float, weeks: float
) -> None:
    parts = model.expected_purchases(start, *history) + model.expected_purchases(weeks, *history, start)
    assert parts == pytest.approx(model.expected_purchases(start + weeks, *history), rel=1e-7, abs=1e-12)


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


@pytest.mark.parametrize("model", PURCHASE_MODELS)
def test_a_purchase_model_fits_the_same_twice(model: type[BgNbd]) -> None:
    one, other = (model().fit(PATTERNS) for _ in range(2))
    assert repr(one) == repr(other)
    assert one.n_customers == PATTERNS.n_customers


@pytest.mark.parametrize("model", VALUE_MODELS)
def test_a_value_model_fits_the_same_twice(model: type[GammaGamma]) -> None:
    n, mean = gamma_gamma_values(300, 6.0, 4.0, 15.0)
    order = np.random.default_rng(0).permutation(len(n))
    one, again, other = model().fit(n, mean), model().fit(n, mean), model().fit(n[order], mean[order])
    assert repr(one) == repr(again)
    assert other.q == pytest.approx(one.q, rel=1e-6)
