"""The peer's side of ``lp_peers.py``: needs PyMC-Marketing and no allocator.

Reads one JSON object a line, answers one: ``{"do": "model", ...}`` builds a marketing mix model with the
draws of its prior as posterior and compiles the peer's budget optimiser; ``{"do": "respond", "splits": ...}``
gives the mean response to splits; ``{"do": "solve", "budgets": ..., "bounds": ...}`` optimises from the
peer's default start, the equal split, and gives splits with their CPU time. Spends are money a week, in
thousands: in single units the peer's solver takes ten times as long to its tolerance.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from typing import Any

Answer = dict[str, Any]


def history(channels: int, weeks: int, seed: int) -> tuple[Any, Any]:
    """Weekly spends of several sizes and an outcome that follows them."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(seed)
    size = np.geomspace(5.0, 40.0, channels)
    spend = size * rng.gamma(4.0, 0.25, (weeks, channels))
    table = pd.DataFrame(spend, columns=[f"c{k}" for k in range(channels)])
    table.insert(0, "date", pd.date_range("2024-01-01", periods=weeks, freq="W-MON"))
    outcome = 100.0 + (np.sqrt(spend) * 6.0).sum(axis=1) * rng.normal(1.0, 0.02, weeks)
    return table, pd.Series(outcome, name="y")


def saturation(kind: str, channels: int, seed: int) -> Any:
    """Concave Michaelis-Menten curves, or Hill curves of shape 3; every channel its own."""
    import numpy as np
    from pymc_extras.prior import Prior
    from pymc_marketing.mmm import HillSaturation, MichaelisMentenSaturation

    rng = np.random.default_rng(seed)

    def own(low: float, high: float, spread: float) -> Any:
        middle = rng.uniform(low, high, channels)
        return Prior("Gamma", mu=middle, sigma=spread * middle, dims="channel")

    if kind == "concave":
        return MichaelisMentenSaturation(priors={"alpha": own(0.1, 0.6, 0.3), "lam": own(0.3, 1.5, 0.3)})
    priors = {"slope": own(3.0, 3.0, 0.005), "kappa": own(0.5, 0.9, 0.02), "beta": own(0.1, 0.6, 0.02)}
    return HillSaturation(priors=priors)


class Peer:
    """A model of the peer with its compiled optimiser."""

    def __init__(self, kind: str, channels: int, draws: int, weeks: int, seed: int) -> None:
        import numpy as np
        from pymc_marketing.mmm import GeometricAdstock
        from pymc_marketing.mmm.budget_optimizer import BudgetOptimizer
        from pymc_marketing.mmm.multidimensional import MMM, MultiDimensionalBudgetOptimizerWrapper

        table, outcome = history(channels, 104, seed)
        self.names = [name for name in table.columns if name != "date"]
        self.current = table[self.names].mean().to_numpy()
        model = MMM(
            date_column="date",
            channel_columns=self.names,
            target_column="y",
            adstock=GeometricAdstock(l_max=8),
            saturation=saturation(kind, channels, seed),
        )
        model.build_model(table, outcome)
        prior = model.sample_prior_predictive(table, outcome, samples=draws, random_seed=seed)
        # fitting would change which draws the optimiser gets, and nothing of what it does with them
        model.idata.add_groups(posterior=model.idata["prior"])
        del prior
        first = table["date"].max() + np.timedelta64(7, "D")
        last = first + np.timedelta64(7 * (weeks - 1), "D")
        wrapped = MultiDimensionalBudgetOptimizerWrapper(model, str(first.date()), str(last.date()))
        self.optimiser = BudgetOptimizer(
            num_periods=wrapped.num_periods,
            response_variable="total_media_contribution_original_scale",
            model=wrapped,
        )

    def objective(self, split: list[float]) -> float:
        import numpy as np

        compiled = next(iter(self.optimiser._compiled_functions.values()))["objective_and_grad"]
        return -float(compiled(np.asarray(split, dtype=float))[0])

    def respond(self, splits: list[list[float]]) -> Answer:
        start = time.process_time()
        return {"values": [self.objective(split) for split in splits], "cpu": time.process_time() - start}

    def solve(self, budgets: list[float], bounds: list[tuple[float, float]]) -> Answer:
        within = {name: tuple(pair) for name, pair in zip(self.names, bounds, strict=True)}
        splits, cpu, failed = [], [], 0
        for budget in budgets:
            start = time.process_time()
            split, result = self.optimiser.allocate_budget(budget, within, return_if_fail=True)
            cpu.append(time.process_time() - start)
            failed += not result.success
            splits.append(split.sel(channel=self.names).to_numpy().tolist())
        return {"splits": splits, "cpu": cpu, "failed": failed}


def answered(peer: Peer | None, asked: Answer) -> tuple[Peer | None, Answer]:
    do = asked.pop("do")
    if do == "model":
        import pymc_marketing

        start = time.process_time()
        peer = Peer(**asked)
        cpu = time.process_time() - start
        return peer, {
            "version": pymc_marketing.__version__,
            "current": peer.current.tolist(),
            "cpu": cpu,
        }
    return peer, getattr(peer, do)(**asked)


def main() -> None:
    # whatever the peer prints must not come between the answers
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    peer: Peer | None = None
    for line in sys.stdin:
        try:
            peer, answer = answered(peer, json.loads(line))
        except ImportError as missing:
            answer = {"absent": str(missing)}
        except Exception as error:  # noqa: BLE001 - the other side has to hear of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
