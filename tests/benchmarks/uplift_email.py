"""How well e-mails can be targeted: ``python tests/benchmarks/uplift_email.py [--json]``.

The public test of two e-mails (64,000 customers in three arms of equal size). ``auto`` learns as a scenario
would have it learn, customers are judged by functions that have not seen them, and scores judge the result:

- ``qini_visits``: Qini area of the women's e-mail for visits, its standard error beside it;
- ``slope``: calibration slope of the shrunk effects, what is kept learned on other folds;
- ``policy_10``: visits per customer, above no e-mail at all, when the tenth with the largest shrunk effect
  gets the better e-mail for him;
- ``spend_told``: 1 where a finding says that targeting by spend is not distinguishable from random.

Figures are means over five seeds of the folds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.models.uplift.auto import Auto, LearnedUplift
from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.models.uplift.calibration import honest_slope, shrunk_by_others
from allocator.models.uplift.covariates import design
from allocator.models.uplift.policy import contact_best, policy_difference
from allocator.models.uplift.qini import cross_fitted_area

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
ARMS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
KNOWN = ["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"]
WOMENS = 1  # its place among the channels
SHARE = 0.1
SEEDS = range(5)
BARS = {"qini_visits": 0.0071, "slope": (0.8, 1.2), "policy_10": 0.012, "spend_told": 1.0}


def email_test(outcome: str) -> ContactTest:
    log = pd.read_parquet(DATA / "minethatdata_email.parquet")
    made = design(log[KNOWN], len(log))
    return ContactTest(
        outcome=log[outcome].to_numpy(dtype=np.float64),
        arm=np.array([ARMS.index(one) for one in log["segment"]]),
        channels=("mens", "womens"),
        propensity=np.full((len(log), 3), 1 / 3),
        modifiers=made.columns,
        names=made.names,
        adjusters=np.empty((len(log), 0)),
        stratum=np.zeros(len(log), dtype=np.intp),
    )


def shrunk(test: ContactTest, learned: LearnedUplift) -> FloatArray:
    """Effects a plan is built on, nothing in them from the customer's own fold."""
    gains, folds = learned.gains, learned.fitted.folds[0]
    effects = learned.fitted.out_of_fold
    deviation = shrunk_by_others(effects, gains, test.stratum, learned.fitted.folds)
    means = np.array([gains[folds != fold].mean(axis=0) for fold in range(int(folds.max()) + 1)])
    return means[folds] + deviation


def figures_of(test: ContactTest, money_test: ContactTest, seed: int) -> dict[str, float]:
    learned = Auto().learn(test, seed)
    effects, gains, folds = learned.fitted.out_of_fold, learned.gains, learned.fitted.folds
    area = cross_fitted_area(gains[:, WOMENS], learned.fitted.by_draw[:, :, WOMENS], folds)
    slope = honest_slope(effects, gains, test.stratum, folds)[WOMENS]
    tenth = contact_best(shrunk(test, learned), SHARE)
    nobody = np.tile([1.0, 0.0, 0.0], (len(test), 1))
    lots = contact_best(np.tile(gains.mean(axis=0), (len(test), 1)), SHARE)
    value, by_lot = (policy_difference(learned.scores, one, nobody) for one in (tenth, lots))
    spend = Auto().learn(money_test, seed)
    money = next(row for row in spend.board.rows if row.label != "tier_means").channels[WOMENS]
    return {
        "qini_visits": area.value,
        "qini_error": area.standard_error,
        "slope": slope.value,
        "slope_error": slope.standard_error,
        "policy_10": value.value,
        "policy_10_error": value.standard_error,
        "policy_10_by_lot": by_lot.value,
        "spend_told": float(any("womens" in finding.what for finding in spend.findings)),
        "spend_qini": money.qini,
        "spend_qini_error": money.qini_error,
    }


def figures() -> dict[str, float]:
    """Give the means over the seeds: one drawing of folds is luck."""
    visits, money = email_test("visit"), email_test("spend")
    found = [figures_of(visits, money, seed) for seed in SEEDS]
    means = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    return {**means, "qini_visits_least": min(one["qini_visits"] for one in found)}


def holds(name: str, value: float) -> bool:
    bar = BARS.get(name)
    if bar is None:
        return True
    return bar[0] <= value <= bar[1] if isinstance(bar, tuple) else value >= bar


def main() -> None:
    found = {
        name: {
            "value": round(value, 5),
            "peer": None,
            "ratio": None,
            "bar": BARS.get(name),
            "holds": holds(name, value),
        }
        for name, value in figures().items()
    }
    if "--json" in sys.argv[1:]:
        print(json.dumps(found))
        return
    for name, figure in found.items():
        verdict = "" if figure["bar"] is None else "holds" if figure["holds"] else "MISSED"
        print(f"{name:18} {figure['value']:>9}   bar {figure['bar']}   {verdict}")


if __name__ == "__main__":
    main()
