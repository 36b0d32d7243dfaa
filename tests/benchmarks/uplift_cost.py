"""What it costs to learn who responds: ``python tests/benchmarks/uplift_cost.py [--json]``.

``auto`` on the e-mail test (64,000 customers, two e-mails and control) and on the mailing to voters (344,084
in households, four letters and control), each in a process of its own: CPU seconds, user and system, and the
largest memory in MB, data and libraries included.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.models.uplift.auto import Auto
from allocator.models.uplift.base import ContactTest

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
LETTERS = ("Control", "Civic Duty", "Hawthorne", "Self", "Neighbors")
KNOWN = ["hh_size", "female", "yob", "g2000", "g2002", "g2004", "p2000", "p2002", "p2004"]
BARS = {"email_cpu_s": 60.0, "voter_cpu_s": 180.0, "voter_mb": 2048.0}


def email_test() -> ContactTest:
    from uplift_email import email_test as made  # beside this file, which is looked in first

    return made("visit")


def voter_test() -> ContactTest:
    log = pd.read_parquet(
        DATA / "voter_mailing_experiment.parquet", columns=[*KNOWN, "treatment", "voted", "hh_id"]
    )
    arm = pd.Categorical(log["treatment"], categories=LETTERS).codes
    return ContactTest(
        outcome=log["voted"].to_numpy(dtype=np.float64),
        arm=arm.astype(np.intp),
        channels=LETTERS[1:],
        propensity=np.tile([5 / 9, *[1 / 9] * 4], (len(log), 1)),
        modifiers=log[KNOWN].to_numpy(dtype=np.float64),
        names=tuple(KNOWN),
        adjusters=np.empty((len(log), 0)),
        stratum=np.zeros(len(log), dtype=np.intp),
        cluster=np.unique(log["hh_id"], return_inverse=True)[1],
    )


def cost_of(name: str) -> dict[str, float]:
    """Learn in this process and say what it took."""
    learned = Auto().learn({"email": email_test, "voter": voter_test}[name]())
    used = resource.getrusage(resource.RUSAGE_SELF)
    # macOS counts bytes, others kilobytes
    unit = 2**20 if sys.platform == "darwin" else 2**10
    print(f"{name}: {learned.model}, {learned.board.reason}", file=sys.stderr)
    return {"cpu_s": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / unit}


def figures() -> dict[str, dict[str, object]]:
    """One entry a figure, in the shape every benchmark of this project prints."""
    values = {}
    for name in ("email", "voter"):
        run = subprocess.run(
            [sys.executable, __file__, "--only", name], check=True, stdout=subprocess.PIPE, text=True
        )
        values |= {f"{name}_{key}": value for key, value in json.loads(run.stdout).items()}
    return {
        name: {
            "value": round(values[name], 1),
            "peer": None,
            "ratio": None,
            "bar": bar,
            "holds": values[name] <= bar,
        }
        for name, bar in BARS.items()
    }


def main() -> None:
    if "--only" in sys.argv[1:]:
        print(json.dumps(cost_of(sys.argv[-1])))
        return
    found = figures()
    if "--json" in sys.argv[1:]:
        print(json.dumps(found))
        return
    for name, figure in found.items():
        verdict = "holds" if figure["holds"] else "MISSED"
        print(f"{name:14} {figure['value']:>9}   bar {figure['bar']}   {verdict}")


if __name__ == "__main__":
    main()
