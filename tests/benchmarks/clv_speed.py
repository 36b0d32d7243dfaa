"""What a CLV fit costs beside the common library: ``python tests/benchmarks/clv_speed.py [--json]``.

CPU time of one BG/NBD fit on the CDNOW sample, from ready patterns, in one process, the mean of many
repeats. The peer, lifetimes, is measured in the same run: in this environment (extra ``peers``), or by the
interpreter that the environment variable ALLOCATOR_PEER_PYTHON names.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from allocator.customers.summary import Patterns
from allocator.models.clv.bg_nbd import BgNbd

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "cdnow_sample.csv.gz"
BAR = 30.0
PEER = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import pandas as pd
from lifetimes import BetaGeoFitter
frame = pd.DataFrame(json.load(sys.stdin))
def fit():
    return BetaGeoFitter().fit(frame["frequency"], frame["recency"], frame["age"])
fit()
times = []
for _ in range(10):
    start = time.process_time()
    fitted = fit()
    times.append(time.process_time() - start)
print(json.dumps({"seconds": sorted(times)[len(times) // 2], "r": float(fitted.params_["r"])}))
"""


def cdnow(until: str = "1997-09-30") -> pd.DataFrame:
    """Frequency, recency and age in days of every customer of the CDNOW sample."""
    orders = pd.read_csv(DATA, parse_dates=["date"])
    dates = orders[orders["date"] <= until].groupby("customer_id")["date"]
    first, last = dates.min(), dates.max()
    return pd.DataFrame(
        {
            "frequency": dates.nunique() - 1,
            "recency": (last - first).dt.days,
            "age": (pd.Timestamp(until) - first).dt.days,
        }
    )


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    work()
    start = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - start) / repeats


def peer_python() -> str | None:
    if importlib.util.find_spec("lifetimes"):
        return sys.executable
    return os.environ.get("ALLOCATOR_PEER_PYTHON")


def peer_seconds(history: pd.DataFrame, python: str) -> float:
    weeks = history.assign(recency=history["recency"] / 7, age=history["age"] / 7)
    done = subprocess.run(
        [python, "-c", PEER],
        input=json.dumps(weeks.to_dict(orient="list")),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    if abs(found["r"] - 0.2426) > 1e-3:
        raise RuntimeError(f"the peer fitted something else: {found}")
    return float(found["seconds"])


def figure() -> dict[str, object]:
    """Give the figure, in the shape every benchmark of this project prints."""
    found: dict[str, object] = {"value": None, "peer": None, "ratio": None, "bar": BAR, "holds": None}
    if not DATA.is_file():
        return found | {"why": "the CDNOW sample is not beside this checkout"}
    history = cdnow()
    patterns = Patterns.of(*(history[name].to_numpy() for name in ("frequency", "recency", "age")))
    own = cpu_seconds(lambda: BgNbd().fit(patterns), 300)
    found["value"] = round(1000 * own, 4)
    python = peer_python()
    if python is None:
        return found | {
            "why": "lifetimes is not installed: install the extra 'peers', or set ALLOCATOR_PEER_PYTHON"
        }
    peer = peer_seconds(history, python)
    ratio = round(peer / own, 1)
    return found | {"peer": round(1000 * peer, 4), "ratio": ratio, "holds": ratio >= BAR}


def main() -> None:
    found = figure()
    if "--json" in sys.argv[1:]:
        print(json.dumps({"bg_nbd_cdnow": found}))
        return
    own, peer, ratio = found["value"], found["peer"], found["ratio"]
    print(f"bg_nbd_cdnow: {own} ms CPU, peer {peer} ms, {ratio} times (bar {BAR:g})")
    print(found.get("why") or ("holds" if found["holds"] else "MISSED"))


if __name__ == "__main__":
    main()
