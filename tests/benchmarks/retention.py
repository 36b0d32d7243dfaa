"""How well retention is forecast: ``python tests/benchmarks/retention.py [--json]``.

`telco_auc` and `telco_slope` are means over five folds of customers that neither the model nor its
calibration had seen, of the better by Brier score of the logistic regression and boosting, both calibrated by
Platt's method; `models` has both. `cohort_mape` is the mean over the two cohorts of Fader & Hardie (2007) of
the mean of |forecast / actual - 1| over years 8 to 12, forecast by the beta-discrete-Weibull fitted to years
0 to 7; `years_1_to_12` includes the years it was fitted to. The peer there is the shifted beta-geometric.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.models.retention import BetaDiscreteWeibull, Boosting, Logit, ShiftedBetaGeometric
from allocator.models.retention.calibration import FoldScores, calibrated
from allocator.models.scoring import survival_mape

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "telco_churn.csv.gz"
BAR_AUC = 0.84
BAR_SLOPE = [0.9, 1.1]
BAR_MAPE = 0.015
FITTED = 8  # years 0 to 7
COHORTS = {
    "high_end": [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4],
    "regular": [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3],
}


def figure(value: float | None, bar: float | list[float], *, holds: bool | None) -> dict[str, Any]:
    """Give a figure in the shape every benchmark of this project prints."""
    rounded = None if value is None else round(value, 5)
    return {"value": rounded, "peer": None, "ratio": None, "bar": bar, "holds": holds}


def telco_table() -> tuple[pd.DataFrame, np.ndarray]:
    """Give features and who churned; totals that are blank, of customers of tenure 0, are missing."""
    table = pd.read_csv(DATA, index_col="customerID")
    table["TotalCharges"] = pd.to_numeric(table["TotalCharges"], errors="coerce")
    churned = (table.pop("Churn") == "Yes").to_numpy()
    return table, churned


def rounded(scores: FoldScores) -> dict[str, dict[str, float | None]]:
    means, spreads = scores.means, scores.spreads
    return {
        name: {"mean": round(means[name], 5), "spread": round(spreads[name], 5)}
        for name in ("auc", "brier", "slope")
    }


def telco() -> dict[str, dict[str, Any]]:
    if not DATA.is_file():
        why = {"why": "the Telco table is not beside this checkout"}
        return {
            "telco_auc": figure(None, BAR_AUC, holds=None) | why,
            "telco_slope": figure(None, BAR_SLOPE, holds=None) | why,
        }
    table, churned = telco_table()
    found = {model.name: calibrated(model, table, churned).scores for model in (Logit(), Boosting())}
    models = {name: rounded(scores) for name, scores in found.items()}
    best = min(models, key=lambda name: models[name]["brier"]["mean"])
    own = models[best]
    auc, slope = own["auc"]["mean"], own["slope"]["mean"]
    extra = {
        "model": best,
        "brier": own["brier"]["mean"],
        "brier_spread": own["brier"]["spread"],
        "models": models,
    }
    low, high = BAR_SLOPE
    return {
        "telco_auc": figure(auc, BAR_AUC, holds=auc >= BAR_AUC) | {"spread": own["auc"]["spread"]} | extra,
        "telco_slope": figure(slope, BAR_SLOPE, holds=low <= slope <= high)
        | {"spread": own["slope"]["spread"]}
        | extra,
    }


def errors(model: BetaDiscreteWeibull | ShiftedBetaGeometric) -> dict[str, dict[str, float]]:
    """Give each cohort's error in the years forecast, and in all."""
    found = {}
    for name, percent in COHORTS.items():
        actual = np.array(percent) / 100
        forecast = model.fit(np.round(1000 * actual[:FITTED])).survival(range(len(actual)))
        ahead = [np.append(1.0, curve[FITTED:]) for curve in (actual, forecast)]
        found[name] = {
            "years_8_to_12": survival_mape(*ahead),
            "years_1_to_12": survival_mape(actual, forecast),
        }
    return found


def mean(found: dict[str, dict[str, float]], years: str) -> float:
    return float(np.mean([one[years] for one in found.values()]))


def cohort_mape() -> dict[str, Any]:
    own, peer = errors(BetaDiscreteWeibull()), errors(ShiftedBetaGeometric())
    value, other = mean(own, "years_8_to_12"), mean(peer, "years_8_to_12")
    each = {name: round(one["years_8_to_12"], 5) for name, one in own.items()}
    return figure(value, BAR_MAPE, holds=value <= BAR_MAPE) | {
        "peer": round(other, 5),
        "ratio": round(other / value, 2),
        "years": "8 to 12, fitted to 0 to 7",
        "years_1_to_12": round(mean(own, "years_1_to_12"), 5),
        "cohorts": each,
        "spread": round(float(np.std(list(each.values()), ddof=1)), 5),
    }


def figures() -> dict[str, dict[str, Any]]:
    """One entry a figure."""
    return telco() | {"cohort_mape": cohort_mape()}


def main() -> None:
    found = figures()
    if "--json" in sys.argv[1:]:
        print(json.dumps(found))
        return
    for name, one in found.items():
        verdict = one.get("why") or ("holds" if one["holds"] else "MISSED")
        print(f"{name:12} {one['value']}   bar {one['bar']}   {verdict}")


if __name__ == "__main__":
    main()
