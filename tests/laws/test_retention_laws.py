"""Laws every model of retention obeys; every model has a case here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator.models.retention as package
from allocator.customers.past import OrderLog
from allocator.models.clv.bg_nbd import FittedBgNbd
from allocator.models.clv.forecast import TimingForecast
from allocator.models.clv.gamma_gamma import FittedGammaGamma
from allocator.models.retention import (
    MODELS,
    Activity,
    BetaDiscreteWeibull,
    Boosting,
    Cox,
    Hazard,
    KaplanMeier,
    Logit,
    ShiftedBetaGeometric,
)
from allocator.models.retention.base import Survival
from allocator.options import Options
from tests.models.retention.made_up_contracts import contracts

PERIODS = 8


@dataclass(frozen=True)
class Rows:
    """Customers: features, whole periods observed, whether they left."""

    table: pd.DataFrame
    stays: np.ndarray
    ended: np.ndarray

    def of(self, order: np.ndarray) -> Rows:
        return Rows(self.table.iloc[order], self.stays[order], self.ended[order])

    def active(self) -> np.ndarray:
        """Of a cohort nobody of which is censored before the last period."""
        return np.array([(~self.ended | (self.stays > t)).sum() for t in range(PERIODS + 1)])


def sample(n: int, seed: int, base: float = -2.0) -> Rows:
    return Rows(*contracts(n, np.random.default_rng(seed), periods=PERIODS, base=base))


def gaps(rows: Rows) -> Rows:
    rng = np.random.default_rng(9)
    table = rows.table.assign(
        price=rows.table["price"].where(rng.random(len(rows.table)) > 0.2),
        yearly=rows.table["yearly"].where(rng.random(len(rows.table)) > 0.2),
        same="everybody",
        twice=2 * rows.table["price"],
    )
    return Rows(table, rows.stays, rows.ended)


def fixed(rows: Rows, *, ended: bool) -> Rows:
    n = len(rows.table)
    return Rows(rows.table, np.full(n, 1 if ended else PERIODS), np.full(n, ended))


SEPARATED = sample(60, 3)
SEPARATED = Rows(
    SEPARATED.table.assign(told=np.arange(60) < 20),
    np.where(np.arange(60) < 20, 2, PERIODS),
    np.arange(60) < 20,
)
SAMPLES = {
    "many": sample(1500, 1),
    "few": sample(12, 2),
    "gaps": gaps(sample(300, 4)),
    "most leave": sample(200, 5, base=1.0),
    "hardly any leaves": sample(200, 6, base=-5.0),
    "everybody stays": fixed(sample(40, 7), ended=False),
    "everybody leaves at once": fixed(sample(40, 7), ended=True),
    "one who stays": fixed(sample(1, 8), ended=False),
    "one who leaves": fixed(sample(1, 8), ended=True),
    "told apart": SEPARATED,
    "no features": Rows(sample(100, 10).table[[]], sample(100, 10).stays, sample(100, 10).ended),
}

Curves = Callable[[Rows, Rows], Survival]
Chances = Callable[[Rows, Rows], np.ndarray]


def cohort(model: ShiftedBetaGeometric | BetaDiscreteWeibull) -> Curves:
    return lambda learned, _: model.fit(learned.active())


def with_features(model: Cox | Hazard) -> Curves:
    return lambda learned, applied: model.fit(learned.table, learned.stays, learned.ended).of(applied.table)


def classifier(model: Logit | Boosting) -> Chances:
    return lambda learned, applied: model.fit(learned.table, learned.ended).probability(applied.table)


def activity(learned: Rows, applied: Rows) -> np.ndarray:
    """Customers whose days of purchase follow from how long they stayed."""
    forecast = TimingForecast(
        FittedBgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426), FittedGammaGamma(p=6.25, q=3.74, gamma=15.44)
    )
    days = [
        (f"{i:05}", 7 * week)
        for i, stay in zip(applied.table.index, applied.stays, strict=True)
        for week in range(stay)
    ]
    orders = pd.DataFrame(days, columns=["customer_id", "day"])
    orders["ordered_on"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(orders.pop("day"), unit="D")
    customers = OrderLog(orders.assign(amount=10.0)).until(date(2026, 6, 30)).customers
    place = np.searchsorted(customers.customer_id.astype(str), [f"{i:05}" for i in applied.table.index])
    return Activity().score(forecast, customers, weeks=8).chance[place]


CURVES: Mapping[type[Options], Mapping[str, Curves]] = {
    ShiftedBetaGeometric: {"sbg": cohort(ShiftedBetaGeometric())},
    BetaDiscreteWeibull: {"bdw": cohort(BetaDiscreteWeibull())},
    KaplanMeier: {"kaplan_meier": lambda learned, _: KaplanMeier().fit(learned.stays, learned.ended)},
    Cox: {"cox": with_features(Cox())},
    Hazard: {
        f"hazard {link} {periods}": with_features(Hazard(link=link, periods=periods))
        for link in ("logit", "cloglog")
        for periods in ("each", "trend")
    },
}
CHANCES: Mapping[type[Options], Mapping[str, Chances]] = {
    Activity: {"activity": activity},
    Logit: {"logit": classifier(Logit())},
    Boosting: {"boosting": classifier(Boosting(trees=30))},
}
ALL_CURVES = {name: case for cases in CURVES.values() for name, case in cases.items()}
ALL_CHANCES = {name: case for cases in CHANCES.values() for name, case in cases.items()}
curves = pytest.mark.parametrize("curve", ALL_CURVES.values(), ids=ALL_CURVES)
chances = pytest.mark.parametrize("chance", ALL_CHANCES.values(), ids=ALL_CHANCES)
samples = pytest.mark.parametrize("rows", SAMPLES.values(), ids=SAMPLES)


def seen(rows: Rows) -> range:
    return range(int(rows.stays.max()) + 1)


def table_of(found: Survival, rows: Rows) -> np.ndarray:
    """Give survival with one row a customer, or one for all."""
    return np.atleast_2d(found.survival(seen(rows)))


def test_every_model_has_a_case() -> None:
    assert set(CURVES) | set(CHANCES) == set(MODELS)
    assert not set(CURVES) & set(CHANCES)


def test_every_file_with_a_model_is_in_the_table_of_contents() -> None:
    folder = Path(str(package.__file__)).parent
    with_one = {
        path.stem for path in folder.glob("*.py") if "\n    def fit(" in path.read_text(encoding="utf-8")
    } - {"calibration"}
    assert with_one | {"activity"} == {model().name for model in MODELS}


@samples
@curves
def test_all_are_there_at_first_and_nobody_comes_back(curve: Curves, rows: Rows) -> None:
    found = curve(rows, rows)
    share = table_of(found, rows)
    assert np.isfinite(share).all()
    assert (share[:, 0] == 1).all()
    assert (np.diff(share, axis=1) <= 1e-12).all()
    assert ((share >= 0) & (share <= 1)).all()


@samples
@curves
def test_rates_are_those_of_the_curve(curve: Curves, rows: Rows) -> None:
    found = curve(rows, rows)
    rate = np.atleast_2d(found.retention_rate(seen(rows)))
    assert ((rate >= 0) & (rate <= 1)).all()
    np.testing.assert_allclose(np.cumprod(rate, axis=1), table_of(found, rows), atol=1e-9)


@samples
@curves
def test_staying_on_step_by_step_is_staying_on(curve: Curves, rows: Rows) -> None:
    found = curve(rows, rows)
    n = len(rows.table)
    last = seen(rows)[-1]
    now = np.minimum(np.arange(n) % 3, last)
    step = (last - now.max()) // 2
    whole, first = (found.chance_to_stay(now, ahead) for ahead in (2 * step, step))
    rest = found.chance_to_stay(now + step, step)
    assert whole.shape == (n,)
    np.testing.assert_allclose(first * rest, whole, atol=1e-9)
    there = np.atleast_2d(found.survival(now))
    there = np.diag(there) if len(there) == n and n > 1 else there[0]
    np.testing.assert_allclose(found.chance_to_stay(now, 0), there > 0)


@samples
@curves
def test_the_same_rows_give_the_same_curve_in_any_order(curve: Curves, rows: Rows) -> None:
    first = table_of(curve(rows, rows), rows)
    np.testing.assert_array_equal(table_of(curve(rows, rows), rows), first)
    mixed = rows.of(np.random.default_rng(0).permutation(len(rows.table)))
    np.testing.assert_allclose(table_of(curve(mixed, rows), rows), first, atol=1e-6)


@curves
def test_rows_twice_give_the_same_curve(curve: Curves) -> None:
    rows = SAMPLES["many"]
    twice = rows.of(np.tile(np.arange(len(rows.table)), 2))
    np.testing.assert_allclose(
        table_of(curve(twice, rows), rows), table_of(curve(rows, rows), rows), atol=2e-3
    )


@pytest.mark.parametrize("name", [name for cases in (Cox, Hazard) for name in CURVES[cases]])
def test_a_customer_has_the_same_curve_whoever_else_is_asked_for(name: str) -> None:
    rows = SAMPLES["gaps"]
    few = rows.of(np.array([5, 17, 3]))
    all_, some = (ALL_CURVES[name](rows, asked).survival(range(PERIODS)) for asked in (rows, few))
    np.testing.assert_allclose(some, all_[[5, 17, 3]], rtol=1e-12)


@pytest.mark.parametrize("name", [name for cases in (Cox, Hazard) for name in CURVES[cases]])
def test_units_of_features_say_nothing(name: str) -> None:
    rows = SAMPLES["gaps"]
    other = Rows(rows.table.assign(price=-40 * rows.table["price"] + 1e4), rows.stays, rows.ended)
    one, two = (ALL_CURVES[name](each, each).survival(range(PERIODS)) for each in (rows, other))
    np.testing.assert_allclose(one, two, atol=1e-6)


@samples
@chances
def test_chances_are_chances(chance: Chances, rows: Rows) -> None:
    p = chance(rows, rows)
    assert p.shape == (len(rows.table),)
    assert np.isfinite(p).all()
    assert ((p >= 0) & (p <= 1)).all()


@samples
@chances
def test_the_same_rows_give_the_same_chances_in_any_order(chance: Chances, rows: Rows) -> None:
    first = chance(rows, rows)
    np.testing.assert_array_equal(chance(rows, rows), first)
    order = np.random.default_rng(0).permutation(len(rows.table))
    np.testing.assert_allclose(chance(rows.of(order), rows), first, atol=1e-6)
    np.testing.assert_allclose(chance(rows, rows.of(order)), first[order], rtol=1e-12)


@chances
def test_no_table_is_written_to(chance: Chances) -> None:
    rows = SAMPLES["gaps"]
    copy = rows.table.copy(deep=True)
    chance(rows, rows)
    for curve in ALL_CURVES.values():
        curve(rows, rows)
    pd.testing.assert_frame_equal(rows.table, copy)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model().name)
def test_options_are_named_and_frozen(model: type[Options]) -> None:
    own = model()
    assert own == model.model_validate(own.model_dump())
    with pytest.raises(ValueError, match="frozen"):
        own.name = "other"
    with pytest.raises(ValueError, match="extra"):
        model(unknown=1)


def test_listing_models_loads_no_heavy_library() -> None:
    program = "import sys, allocator.models.retention; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & {"pandas", "scipy", "sklearn", "statsmodels"} == set()
