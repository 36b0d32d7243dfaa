"""What the CLV layer costs beside the common library: ``python tests/benchmarks/clv_speed.py [--json]``.

CPU time (user and system), the least of a few repeats, of the same work on the same input; each side runs in
a process of its own. `value` and `peer` are in milliseconds; `--only NAME` measures one figure.

- ``bg_nbd_cdnow``: one BG/NBD fit on the CDNOW sample, from ready patterns.
- ``bg_nbd_1m``: BG/NBD on 1,000,000 simulated customers, from arrays of frequency, recency and age in days,
  patterns included. `peak_mb` is the most memory the process ever had, with interpreter and input.
- ``pareto_nbd_100k``: Pareto/NBD on 100,000 simulated customers, in the same way.
- ``gamma_gamma_cdnow``: Gamma-Gamma on the repeat purchases of the CDNOW sample.
- ``gamma_gamma``: Gamma-Gamma on 200,000 simulated customers.
- ``summary_5m``: the customer summary of 5,000,000 simulated orders, from a pandas frame with ids as text.

The peer, lifetimes, is measured in the same run: in this environment (extra ``peers``), or by the
interpreter that the environment variable ALLOCATOR_PEER_PYTHON names.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "cdnow_sample.csv.gz"
UNTIL = "1997-09-30"
MOST_MB = 300.0

Arrays = dict[str, np.ndarray]
Work = Callable[[], list[float]]
"""Does what is measured, and gives a few numbers of the result, to compare the two sides by."""


def cdnow() -> Arrays:
    """Every customer of the CDNOW sample: frequency, recency and age in days, mean money of a repeat."""
    import pandas as pd

    orders = pd.read_csv(DATA, parse_dates=["date"])
    days = (
        orders[orders["date"] <= UNTIL].groupby(["customer_id", "date"], as_index=False)["amount_usd"].sum()
    )
    of_customer = days.groupby("customer_id")
    first, last = of_customer["date"].min(), of_customer["date"].max()
    repeats = of_customer.size() - 1
    money = of_customer["amount_usd"].sum() - of_customer["amount_usd"].first()
    return {
        "frequency": repeats.to_numpy(),
        "recency": (last - first).dt.days.to_numpy(),
        "age": (pd.Timestamp(UNTIL) - first).dt.days.to_numpy(),
        "mean": (money / repeats.clip(lower=1)).to_numpy(),
    }


def cdnow_repeats() -> Arrays:
    known = cdnow()
    repeated = (known["frequency"] > 0) & (known["mean"] > 0)
    return {name: known[name][repeated] for name in ("frequency", "mean")}


def customers(n: int, seed: int) -> Arrays:
    """Customers of a BG/NBD world like CDNOW's, half a year to a year and a half old."""
    rng = np.random.default_rng(seed)
    age = rng.integers(182, 547, n)
    rate, leaves = rng.gamma(0.243, 1 / (7 * 4.414), n), rng.beta(0.793, 2.426, n)
    frequency, recency, now = np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
    active = np.arange(n)
    while len(active):
        now[active] += rng.standard_exponential(len(active)) / np.maximum(rate[active], 1e-12)
        active = active[np.ceil(now[active]) <= age[active]]
        day = np.ceil(now[active])
        frequency[active] += day > recency[active]
        recency[active] = day
        active = active[rng.random(len(active)) > leaves[active]]
    return {"frequency": frequency, "recency": recency.astype(np.int64), "age": age}


def spenders(n: int, seed: int) -> Arrays:
    """Purchases and their mean value of customers of a Gamma-Gamma world, in cents."""
    rng = np.random.default_rng(seed)
    frequency = 1 + rng.geometric(0.3, n)
    rate = rng.gamma(3.74, 1 / 15.44, n)
    return {"frequency": frequency, "mean": (rng.gamma(6.25 * frequency) / rate / frequency).round(2) + 0.01}


def orders(n: int, seed: int) -> Arrays:
    """Orders of two years, by customers of very different rates."""
    rng = np.random.default_rng(seed)
    shares = rng.gamma(0.5, size=n // 10).cumsum()
    customer = np.searchsorted(shares, rng.random(n) * shares[-1])
    return {"customer": customer, "day": rng.integers(0, 730, n), "amount": rng.gamma(2.0, 15.0, n).round(2)}


def frame_of(given: Arrays) -> Any:
    """Give orders as a frame that was read from a file has them: a text of its own in every row."""
    import pandas as pd

    days = np.datetime64("2024-01-01", "s") + given["day"].astype("timedelta64[D]")
    ids = pd.Series(given["customer"] + 1_000_000).astype(str)
    return pd.DataFrame({"customer_id": ids, "ordered_on": days, "amount": given["amount"]})


def own_bg_nbd_ready(given: Arrays) -> Work:
    from allocator.customers.summary import Patterns
    from allocator.models.clv.bg_nbd import BgNbd

    patterns = Patterns.of(given["frequency"], given["recency"], given["age"])
    return lambda: [BgNbd().fit(patterns).r]


def own_bg_nbd(given: Arrays) -> Work:
    from allocator.customers.summary import Patterns
    from allocator.models.clv.bg_nbd import BgNbd

    return lambda: [BgNbd().fit(Patterns.of(given["frequency"], given["recency"], given["age"])).r]


def own_pareto_nbd(given: Arrays) -> Work:
    from allocator.customers.summary import Patterns
    from allocator.models.clv.pareto_nbd import ParetoNbd

    return lambda: [ParetoNbd().fit(Patterns.of(given["frequency"], given["recency"], given["age"])).r]


def own_gamma_gamma(given: Arrays) -> Work:
    from allocator.models.clv.gamma_gamma import GammaGamma

    return lambda: [GammaGamma().fit(given["frequency"], given["mean"]).p]


def own_summary(given: Arrays) -> Work:
    from allocator.customers.summary import summarise

    frame = frame_of(given)

    def work() -> list[float]:
        summary = summarise(frame)
        return [len(summary), float(summary.frequency.sum()), float(np.nansum(summary.repeat_mean_value))]

    return work


def peer_timing(name: str) -> Callable[[Arrays], Work]:
    def of(given: Arrays) -> Work:
        import lifetimes
        import pandas as pd

        fitter = getattr(lifetimes, name)
        frequency = pd.Series(given["frequency"])
        recency, age = (pd.Series(given[column] / 7) for column in ("recency", "age"))
        return lambda: [float(fitter().fit(frequency, recency, age).params_["r"])]

    return of


def peer_gamma_gamma(given: Arrays) -> Work:
    import lifetimes
    import pandas as pd

    frequency, mean = pd.Series(given["frequency"]), pd.Series(given["mean"])
    return lambda: [float(lifetimes.GammaGammaFitter().fit(frequency, mean).params_["p"])]


def peer_summary(given: Arrays) -> Work:
    from lifetimes.utils import summary_data_from_transaction_data

    frame = frame_of(given)

    def work() -> list[float]:
        found = summary_data_from_transaction_data(
            frame, "customer_id", "ordered_on", monetary_value_col="amount", freq="D"
        )
        return [len(found), float(found["frequency"].sum()), float(found["monetary_value"].sum())]

    return work


@dataclass(frozen=True)
class Figure:
    """What is measured: `given` once, each side `repeats` times, results alike within `tolerance`."""

    given: Callable[[], Arrays]
    own: Callable[[Arrays], Work]
    peer: Callable[[Arrays], Work]
    bar: float
    repeats: tuple[int, int]
    tolerance: float = 1e-3
    needs_data: bool = False
    most_mb: float | None = None


FIGURES = {
    "bg_nbd_cdnow": Figure(
        cdnow, own_bg_nbd_ready, peer_timing("BetaGeoFitter"), 30.0, (20, 10), needs_data=True
    ),
    "bg_nbd_1m": Figure(
        lambda: customers(1_000_000, 1),
        own_bg_nbd,
        peer_timing("BetaGeoFitter"),
        50.0,
        (9, 2),
        most_mb=MOST_MB,
    ),
    "pareto_nbd_100k": Figure(
        lambda: customers(100_000, 2), own_pareto_nbd, peer_timing("ParetoNBDFitter"), 30.0, (5, 1), 1e-2
    ),
    "gamma_gamma_cdnow": Figure(
        cdnow_repeats, own_gamma_gamma, peer_gamma_gamma, 30.0, (20, 10), needs_data=True
    ),
    "gamma_gamma": Figure(lambda: spenders(200_000, 3), own_gamma_gamma, peer_gamma_gamma, 30.0, (9, 3)),
    "summary_5m": Figure(lambda: orders(5_000_000, 4), own_summary, peer_summary, 5.0, (4, 2), 1e-9),
}


def peak_mb() -> float:
    """The most memory this process ever had; a program's own, while rusage keeps its starter's."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return float(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(work: Work, repeats: int) -> dict[str, object]:
    """Time the work; a short one is done often enough in a row for the clock to see it."""
    start = time.process_time()
    result = work()
    spent = [time.process_time() - start]
    in_a_row = max(1, round(0.05 / max(spent[0], 1e-4)))
    for _ in range(repeats - 1):
        start = time.process_time()
        for _ in range(in_a_row):
            work()
        spent.append((time.process_time() - start) / in_a_row)
    return {"seconds": min(spent), "peak_mb": round(peak_mb(), 1), "result": result}


def one_side(side: str, name: str, file: str) -> None:
    """Measure one side in this process, and print it."""
    import warnings

    warnings.simplefilter("ignore")
    figure = FIGURES[name]
    with np.load(file) as stored:
        given = dict(stored)
    work, repeats = (figure.own, figure.repeats[0]) if side == "own" else (figure.peer, figure.repeats[1])
    print(json.dumps(measure(work(given), repeats)))


def started(python: str, side: str, name: str, file: str) -> dict[str, Any]:
    # threads of a numerical library would be counted, and help neither side
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    arguments = [python, __file__, "--side", side, "--only", name, "--file", file]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def peer_python() -> str | None:
    if importlib.util.find_spec("lifetimes"):
        return sys.executable
    return os.environ.get("ALLOCATOR_PEER_PYTHON")


def figure_of(name: str) -> dict[str, object]:
    """Give a figure, in the shape every benchmark of this project prints."""
    figure = FIGURES[name]
    found: dict[str, object] = {"value": None, "peer": None, "ratio": None, "bar": figure.bar, "holds": None}
    if figure.needs_data and not DATA.is_file():
        return found | {"why": "the CDNOW sample is not beside this checkout"}
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "given.npz")
        np.savez(file, **figure.given())
        own, python = started(sys.executable, "own", name, file), peer_python()
        peer = started(python, "peer", name, file) if python else None
    found["value"] = round(1000 * own["seconds"], 4)
    if figure.most_mb is not None:
        found |= {"peak_mb": own["peak_mb"], "peak_bar_mb": figure.most_mb}
    if peer is None:
        why = "lifetimes is not installed: install the extra 'peers', or set ALLOCATOR_PEER_PYTHON"
        return found | {"why": why}
    return found | compared(figure, own, peer)


def compared(figure: Figure, own: dict[str, Any], peer: dict[str, Any]) -> dict[str, object]:
    if not np.allclose(own["result"], peer["result"], rtol=figure.tolerance):
        raise RuntimeError(f"the two sides did different work: {own['result']} and {peer['result']}")
    ratio = round(peer["seconds"] / own["seconds"], 1)
    small = figure.most_mb is None or own["peak_mb"] <= figure.most_mb
    return {
        "peer": round(1000 * peer["seconds"], 4),
        "ratio": ratio,
        "holds": bool(ratio >= figure.bar and small),
    }


def shown(name: str, found: dict[str, object]) -> str:
    verdict = found.get("why") or ("holds" if found["holds"] else "MISSED")
    peak = f", {found['peak_mb']} MB (bar {found['peak_bar_mb']})" if "peak_mb" in found else ""
    times = f"{found['value']} ms CPU, peer {found['peer']} ms, {found['ratio']} times (bar {found['bar']})"
    return f"{name}: {times}{peak}: {verdict}"


def main() -> None:
    parser = argparse.ArgumentParser(description="What the CLV layer costs beside the common library.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", choices=FIGURES, help="measure one figure")
    parser.add_argument("--side", choices=("own", "peer"), help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        one_side(given.side, given.only, given.file)
        return
    found = {}
    for name in [given.only] if given.only else FIGURES:
        found[name] = figure_of(name)
        if not given.json:
            print(shown(name, found[name]), flush=True)
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
