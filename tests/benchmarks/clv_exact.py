"""How close fits come to published ones: ``python tests/benchmarks/clv_exact.py [--json]``.

BG/NBD, MBG/NBD, Pareto/NBD and Gamma-Gamma on the first 39 weeks of the CDNOW sample (2,357 customers;
946 repeat buyers and the values of their repeats), the shifted beta-geometric on the two cohorts of Fader &
Hardie (2007). The value of a figure is the largest deviation of a parameter beyond the rounding of the
published one, half a unit of its last digit; `from_printed` is the deviation from the digits as printed;
`log_likelihood` is that of the log-likelihood, where one is published, and has to be within .001.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.customers.summary import Patterns
from allocator.models.clv.bg_nbd import BgNbd
from allocator.models.clv.gamma_gamma import GammaGamma
from allocator.models.clv.mbg_nbd import MbgNbd
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.models.retention.shifted_beta_geometric import ShiftedBetaGeometric

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "cdnow_sample.csv.gz"
CALIBRATION_END = pd.Timestamp("1997-09-30")
BAR = 5e-4
BAR_SBG = 1e-3
BAR_LOG_LIKELIHOOD = 1e-3

# as published, so that the last digit tells the rounding
BG_NBD = ({"r": ".2426", "alpha": "4.4136", "a": ".7929", "b": "2.4259"}, "-9582.4292")
MBG_NBD = ({"r": ".5248", "alpha": "6.183", "a": ".8914", "b": "1.6140"}, None)
PARETO_NBD = ({"r": ".5533", "alpha": "10.577", "s": ".6062", "beta": "11.67"}, "-9594.976")
GAMMA_GAMMA = ({"p": "6.25", "q": "3.74", "gamma": "15.44"}, None)
COHORTS = (
    ([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1], {"alpha": ".668", "beta": "3.806"}, "-1611.16"),
    ([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1], {"alpha": ".704", "beta": "1.182"}, "-1680.27"),
)


def beyond_rounding(found: float, published: str) -> float:
    """Give by how much a number misses a published one, beyond half a unit of its last digit."""
    digits = len(published.partition(".")[2])
    return max(0.0, abs(found - float(published)) - 0.5 * 10.0**-digits)


def deviations(fitted: Any, parameters: dict[str, str], log_likelihood: str | None) -> dict[str, Any]:
    """Give the largest deviation of the parameters, and that of the log-likelihood."""
    largest = max(beyond_rounding(getattr(fitted, name), text) for name, text in parameters.items())
    printed = max(abs(getattr(fitted, name) - float(text)) for name, text in parameters.items())
    likelihood = None if log_likelihood is None else beyond_rounding(fitted.log_likelihood, log_likelihood)
    return {"value": largest, "from_printed": printed, "log_likelihood": likelihood}


def figure(found: dict[str, Any], bar: float = BAR) -> dict[str, Any]:
    """Give a figure in the shape every benchmark of this project prints."""
    likelihood = found["log_likelihood"]
    holds = found["value"] <= bar and (likelihood is None or likelihood <= BAR_LOG_LIKELIHOOD)
    rounded = {name: value if value is None else round(value, 7) for name, value in found.items()}
    return {"value": None, "peer": None, "ratio": None, "bar": bar, "holds": bool(holds)} | rounded


def cdnow_days() -> pd.DataFrame:
    """One row a customer and purchase day of the first 39 weeks."""
    orders = pd.read_csv(DATA, parse_dates=["date"])
    orders = orders[orders["date"] <= CALIBRATION_END]
    return orders.groupby(["customer_id", "date"], as_index=False)["amount_usd"].sum()


def timing(days: pd.DataFrame) -> dict[str, Any]:
    dates = days.groupby("customer_id")["date"]
    first, last = dates.min(), dates.max()
    patterns = Patterns.of(
        (dates.size() - 1).to_numpy(),
        (last - first).dt.days.to_numpy(),
        (CALIBRATION_END - first).dt.days.to_numpy(),
    )
    return {
        "bg_nbd": figure(deviations(BgNbd().fit(patterns), *BG_NBD)),
        "mbg_nbd": figure(deviations(MbgNbd().fit(patterns), *MBG_NBD)),
        "pareto_nbd": figure(deviations(ParetoNbd().fit(patterns), *PARETO_NBD)),
    }


def spending(days: pd.DataFrame) -> dict[str, Any]:
    repeats = days[days.groupby("customer_id").cumcount() > 0]
    means = repeats.groupby("customer_id")["amount_usd"].agg(["size", "mean"])
    means = means[means["mean"] > 0]
    if len(means) != 946:
        raise RuntimeError(f"the published fit is of 946 repeat buyers, not {len(means)}")
    fitted = GammaGamma().fit(means["size"], means["mean"])
    return {"gamma_gamma": figure(deviations(fitted, *GAMMA_GAMMA))}


def cohorts() -> dict[str, Any]:
    found = []
    for percent, parameters, log_likelihood in COHORTS:
        fitted = ShiftedBetaGeometric().fit(np.round(10 * np.array(percent)).astype(int))
        found.append(deviations(fitted, parameters, log_likelihood))
    worst = {name: max(one[name] for one in found) for name in found[0]}
    return {"sbg": figure(worst, BAR_SBG)}


def absent() -> dict[str, Any]:
    nothing = {"value": None, "peer": None, "ratio": None, "bar": BAR, "holds": None, "log_likelihood": None}
    why = "the CDNOW sample is not beside this checkout"
    return {name: nothing | {"why": why} for name in ("bg_nbd", "mbg_nbd", "pareto_nbd", "gamma_gamma")}


def figures() -> dict[str, dict[str, Any]]:
    """One entry a figure."""
    if not DATA.is_file():
        return absent() | cohorts()
    days = cdnow_days()
    return timing(days) | spending(days) | cohorts()


def main() -> None:
    found = figures()
    if "--json" in sys.argv[1:]:
        print(json.dumps(found))
        return
    for name, one in found.items():
        verdict = one.get("why") or ("holds" if one["holds"] else "MISSED")
        print(f"{name:12} {one['value']}   bar {one['bar']:g}   {verdict}")


if __name__ == "__main__":
    main()
