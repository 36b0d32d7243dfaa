"""How good forecasts of customers are on public logs: ``python tests/benchmarks/clv_holdout.py [--json]``.

Every log is cut at a day. Models see the orders until then and nothing else; what customers bought after it
judges them. ``auto`` is what a scenario gets by default; its members stand below it; the peer is BG/NBD with
Gamma-Gamma of lifetimes (extra ``peers``), fitted to the same days, its value model to repeat buyers, as it
asks. Differences of the normalised Gini are paired over customers, with their standard error.

Any other log:

    python tests/benchmarks/clv_holdout.py --transactions orders.csv --customer id --date day --amount value \
        --split 2026-03-31 [--end 2026-06-30] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.customers.past import OrderLog, Outcome, Past, Snapshot
from allocator.models.clv.auto import Auto, ChosenForecast
from allocator.models.clv.intervals import Expected, intervals
from allocator.models.clv.judgement import Prediction, Scores, score
from allocator.models.clv.leaderboard import concentration
from allocator.models.clv.members import BLEND, SINGLE
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.models.clv.record import timing_of

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MEMBERS = ("bg_nbd", "mbg_nbd", "pareto_nbd", "boosting", "historic_mean")
PEER = "lifetimes"
RESAMPLES = 200
COLUMNS = (
    "normalised_gini", "spearman", "auc", "total_error", "mae", "rmse", "decile_mape", "top_tenth", "brier",
)  # fmt: skip
CDNOW_SPLIT, CDNOW_END = date(1997, 9, 30), date(1998, 6, 30)


@dataclass(frozen=True)
class Case:
    """A log with the day that splits it."""

    name: str
    orders: pd.DataFrame
    split: date
    end: date | None = None


def columns(frame: pd.DataFrame, customer: str, day: str, amount: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": frame[customer].astype("string"),
            "ordered_on": pd.to_datetime(frame[day]),
            "amount": frame[amount].astype(float) if amount else 1.0,
        }
    ).dropna(subset=["customer_id"])


def public_cases() -> Iterator[Case]:
    cdnow = pd.read_csv(DATA / "cdnow_sample.csv.gz")
    orders = columns(cdnow, "customer_id", "date", "amount_usd")
    yield Case("cdnow_sample", orders, CDNOW_SPLIT, CDNOW_END)
    cdnow = pd.read_parquet(DATA / "cdnow_master.parquet")
    orders = columns(cdnow, "customer_id", "date", "amount_usd")
    yield Case("cdnow_master", orders, CDNOW_SPLIT, CDNOW_END)
    apparel = pd.read_csv(DATA / "apparel_transactions_sim.csv.gz")
    start = pd.to_datetime(apparel["date"]).min().date()
    split = start + timedelta(weeks=104)
    orders = columns(apparel, "customer_id", "date", "price")
    yield Case("apparel", orders, split, split + timedelta(weeks=104))
    retail = pd.read_parquet(DATA / "online_retail_invoices.parquet")
    retail = retail[retail["kind"].isin(["sale", "return"])]
    yield Case(
        "online_retail", columns(retail, "customer_id", "invoice_time", "amount_gbp"), date(2011, 6, 30)
    )
    grocery = pd.read_csv(DATA / "grocery_log.csv.gz")
    yield Case("grocery", columns(grocery, "customer_id", "date", None), date(2006, 12, 31))


def peer(past: Snapshot, weeks: float) -> Prediction | None:
    """Give the peer's forecast; its probability to buy is ranked by expected purchases, as its users do."""
    warnings.simplefilter("ignore")  # thousands of lines from the peer's arithmetic
    try:
        from lifetimes import BetaGeoFitter, GammaGammaFitter
    except ImportError:
        return None
    summary = past.summary
    history = summary.frequency, summary.recency_weeks, summary.age_weeks
    timing = converged(BetaGeoFitter, *history)
    repeat = np.nan_to_num(summary.repeat_mean_value)
    worth = (summary.frequency > 0) & (repeat > 0)
    own = summary.frequency[worth], repeat[worth]
    spend = converged(GammaGammaFitter, *own) if np.ptp(repeat[worth]) else None
    bought = np.asarray(timing.conditional_expected_number_of_purchases_up_to_time(weeks, *history))
    value = spend.conditional_expected_average_profit(summary.frequency, repeat) if spend else 1.0
    revenue = bought * np.asarray(value)
    broken = ~np.isfinite(revenue)
    if broken.any():
        print(f"  {PEER}: no finite forecast of {broken.sum()} customers, taken as 0", file=sys.stderr)
    return Prediction(np.where(broken, 0.0, revenue), 1 - np.exp(-np.where(broken, 0.0, bought)))


def converged(fitter: type, *data: np.ndarray) -> Any:
    """Fit as it is; where that ends in an error, with the penalty its documentation proposes, and say so."""
    for penalty in (0.0, 0.01, 0.1):
        try:
            with contextlib.redirect_stdout(sys.stderr):  # the peer prints where it does not converge
                found = fitter(penalizer_coef=penalty).fit(*data)
        except Exception as error:  # noqa: BLE001 - of another package's own kind
            print(f"  {fitter.__name__} with penalty {penalty}: {type(error).__name__}", file=sys.stderr)
        else:
            return found
    raise RuntimeError("the peer cannot be fitted to this log")


def predictions(past: Past, came: Outcome) -> dict[str, Prediction]:
    """Give what every model says of the customers of a past for the time until what came."""
    customers, weeks = past.customers, came.weeks
    start = time.process_time()
    learned = Auto().learn(past, horizon_weeks=weeks)
    seconds = time.process_time() - start
    board = learned.leaderboard
    print(f"  auto: {board.chosen} ({board.reason}), {seconds:.1f} s CPU", file=sys.stderr)
    found = {"auto": Prediction.of(learned, customers, weeks)}
    print(f"  80 % intervals: {coverage(learned, past, came)}", file=sys.stderr)
    for name in (*MEMBERS, BLEND):
        model = SINGLE[name]() if name in SINGLE else Auto(members=(BLEND,))
        found[name] = Prediction.of(model.learn(past, horizon_weeks=weeks), customers, weeks)
    theirs = peer(customers, weeks)
    return found | ({PEER: theirs} if theirs else {})


def coverage(learned: ChosenForecast, past: Past, came: Outcome) -> str:
    """Say how often 80 % intervals of revenue hold: of every customer, and of the means of ten groups."""
    customers = past.customers
    expected = learned.expected_revenue(customers, came.weeks)
    timing = timing_of(learned) or ParetoNbd().learn(past, horizon_weeks=came.weeks)
    group = np.empty(len(expected), dtype=np.int64)
    for number, rows in enumerate(np.array_split(np.argsort(-expected, kind="stable"), 10)):
        group[rows] = number
    around = Expected(expected, came.weeks, learned.level.error_over(came.weeks))
    drawn = intervals(timing, customers, around, group=group, rng=np.random.default_rng(0))
    means = np.bincount(group, weights=came.revenue) / np.bincount(group)
    each, groups = drawn.outcome.covers(came.revenue).mean(), int(drawn.group_outcome.covers(means).sum())
    return f"{100 * each:.1f} % of customers, {groups} of 10 groups"


def paired(one: Prediction, other: Prediction, came: Outcome) -> tuple[float, float]:
    """Give the difference of normalised Ginis and its standard error over customers drawn again."""
    weights = np.random.default_rng(0).poisson(1.0, (RESAMPLES, len(came.revenue))).astype(float)
    perfect = concentration(came.revenue, came.revenue, weights)
    first, second = (concentration(came.revenue, part.revenue, weights) / perfect for part in (one, other))
    gap = score(one, came).normalised_gini - score(other, came).normalised_gini
    return gap, float(np.std(first - second))


def judge(case: Case) -> tuple[dict[str, Scores], dict[str, tuple[float, float]], int]:
    """Give the scores of every model, and how far auto is ahead of each."""
    log = OrderLog(case.orders)
    now, past = log.until(case.end), log.until(case.split)
    came = now.outcome_of(past.customers)
    found = predictions(past, came)
    ahead = {name: paired(found["auto"], one, came) for name, one in found.items() if name != "auto"}
    return {name: score(one, came) for name, one in found.items()}, ahead, len(came.revenue)


def table(case: Case, scores: dict[str, Scores], ahead: dict[str, tuple[float, float]], n: int) -> str:
    frame = pd.DataFrame({name: asdict(one) for name, one in scores.items()}).T[list(COLUMNS)]
    gaps = {name: f"{gap:+.3f} ± {error:.3f}" for name, (gap, error) in ahead.items()}
    frame["auto ahead"] = pd.Series(gaps)
    head = f"{case.name}: {n:,} customers, learned until {case.split}, judged until {case.end or 'the end'}"
    return f"{head}\n{frame.fillna('').to_string(float_format='{:.3f}'.format)}\n"


def entry(
    value: float | None, bar: float | None, *, peer_value: float | None, low: bool = False
) -> dict[str, object]:
    """Give a figure; `low` where less is better. A figure without a bar is an aim."""
    shown = {"value": value, "peer": peer_value, "ratio": None, "bar": bar}
    if value is None:
        return shown | {"holds": None, "why": "the public logs are not beside this checkout"}
    if peer_value:
        shown["ratio"] = value / peer_value
    holds = None if bar is None else bool(abs(value) <= bar if low else value >= bar)
    return shown | {"holds": holds} | ({"why": "reported, without a bar"} if bar is None else {})


FIGURES = {
    "cdnow_master_ngini": ("cdnow_master", "normalised_gini", 0.72, False),
    "cdnow_master_mae": ("cdnow_master", "mae", None, True),
    "cdnow_master_total": ("cdnow_master", "total_error", 0.10, True),
    "cdnow_master_decile_mape": ("cdnow_master", "decile_mape", 0.15, True),
    "cdnow_sample_spearman": ("cdnow_sample", "spearman", 0.45, False),
    "cdnow_sample_ngini": ("cdnow_sample", "normalised_gini", 0.69, False),
    "cdnow_sample_auc": ("cdnow_sample", "auc", 0.77, False),
}


def figures(judged: dict[str, dict[str, Scores]]) -> dict[str, dict[str, object]]:
    """Give one entry a figure, in the shape every benchmark of this project prints."""
    found = {}
    for name, (case, metric, bar, low) in FIGURES.items():
        scores = judged.get(case, {})
        own, theirs = (getattr(scores[who], metric) if who in scores else None for who in ("auto", PEER))
        found[name] = entry(own, bar, peer_value=theirs, low=low)
    return found


def read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype="string")


def arguments() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--transactions", type=Path)
    for name in ("customer", "date", "amount", "split", "end"):
        parser.add_argument(f"--{name}")
    given = parser.parse_args()
    if given.transactions and not (given.customer and given.date and given.split):
        parser.error("--transactions needs --customer, --date and --split")
    return given


def own_case(given: argparse.Namespace) -> Case:
    orders = columns(read(given.transactions), given.customer, given.date, given.amount)
    end = date.fromisoformat(given.end) if given.end else None
    return Case(given.transactions.name, orders, date.fromisoformat(given.split), end)


def own_figures(scores: dict[str, Scores]) -> dict[str, dict[str, object]]:
    names = ("normalised_gini", "mae", "total_error", "decile_mape", "spearman", "auc")
    theirs = asdict(scores[PEER]) if PEER in scores else {}
    return {name: entry(getattr(scores["auto"], name), None, peer_value=theirs.get(name)) for name in names}


def main() -> None:
    given = arguments()
    cases = [own_case(given)] if given.transactions else list(public_cases()) if DATA.is_dir() else []
    judged: dict[str, dict[str, Scores]] = {}
    for case in cases:
        scores, ahead, customers = judge(case)
        judged[case.name] = scores
        print(table(case, scores, ahead, customers), file=sys.stderr if given.json else sys.stdout)
    found = own_figures(judged[cases[0].name]) if given.transactions else figures(judged)
    if given.json:
        print(json.dumps(found))
        return
    for name, figure in found.items():
        verdict = {True: "holds", False: "MISSED", None: figure.get("why", "")}[figure["holds"]]
        print(f"{name:26} {figure['value']}   bar {figure['bar']}   {verdict}")


if __name__ == "__main__":
    main()
