"""Whether plans keep their promise where the truth is known.

``python tests/benchmarks/known_truth.py [--world NAME] [--replications N] [--workers N] [--json]``

Every replication simulates a randomised test of 40,000 customers and three channels, fits it as any scenario,
plans for budgets of 10, 25 and 50 % of what contacting everybody costs, and adds up the true effects on the
customers the plan names. Beside it: boosted trees fitted arm by arm and judged in sample, whose plan is the
exact optimum of their estimates (the naive peer).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from allocator.models.threads import one_thread
from allocator.study.known_truth import Kept, Outcome, replicate, summarised
from allocator.tables.sample.optimum import best_plan
from allocator.tables.sample.worlds import WORLDS, ContactWorld, simulate_world

FIRST_SEED = 300
CUSTOMERS = 40_000
REPLICATIONS = 34  # of each world, over 200 of all
NAIVE_EVERY = 10  # the peer keeps its promise so badly that a tenth of the replications tells

DIFFERING = ("heterogeneous", "sleeping_dogs", "whales", "tier_saturation")


@dataclass(frozen=True)
class Naive:
    """What the plan of a naive learner promised, and what came of it."""

    promised: float
    realised: float


def naive(world: ContactWorld) -> Naive:
    from sklearn.ensemble import HistGradientBoostingRegressor

    table = world.contacts
    columns = table[[*world.covariates, "value"]].to_numpy(dtype=float)
    outcome, arm = world.margin * table["revenue"].to_numpy(), table["arm"].to_numpy()
    with one_thread():
        means = {
            name: HistGradientBoostingRegressor(random_state=0)
            .fit(columns[arm == name], outcome[arm == name])
            .predict(columns)
            for name in ("control", *world.effects)
        }
    guessed = np.column_stack([means[name] - means["control"] for name in world.effects])
    promised = realised = 0.0
    for money in world.budgets().values():
        share = best_plan(guessed, world.costs, money).share
        promised += float((share * guessed).sum())
        realised += world.judged(share).margin
    return Naive(promised, realised)


def replication(name: str, seed: int) -> tuple[tuple[Outcome, ...], Naive | None]:
    world = simulate_world(name, seed, n_customers=CUSTOMERS)
    return replicate(world, seed), naive(world) if seed % NAIVE_EVERY == 0 else None


def of_world(name: str, replications: int, workers: int) -> tuple[Kept, float]:
    seeds = range(FIRST_SEED, FIRST_SEED + replications)
    with ProcessPoolExecutor(workers) as pool:
        found = list(pool.map(partial(replication, name), seeds))
    peers = [peer for _, peer in found if peer is not None]
    ratio = sum(peer.promised for peer in peers) / sum(peer.realised for peer in peers)
    return summarised([outcomes for outcomes, _ in found]), ratio


def figures(name: str, kept: Kept, peer: float) -> Iterator[tuple[str, dict[str, object]]]:
    """One entry a figure; bars are those of the worlds they are meant for."""
    pays = name != "nothing_pays"
    high = 1.2 if name == "homogeneous" else 1.1
    ratio = kept.promised_realised
    if pays:
        yield f"{name}.promised_realised", entry(ratio, 0.9 <= ratio <= high, [0.9, high], peer)
        yield f"{name}.promised_realised_error", entry(kept.promised_realised_error)
        yield f"{name}.realised_best", entry(kept.realised_best)
        bar = 0.75 if name in DIFFERING else None
        holds = None if bar is None else kept.realised_learnable >= bar
        yield f"{name}.realised_learnable", entry(kept.realised_learnable, holds, bar)
    else:
        yield f"{name}.lost", entry(kept.lost, kept.lost < 0.02, 0.02)
    yield f"{name}.coverage", entry(kept.coverage)
    yield f"{name}.replications", entry(kept.replications)


def entry(
    value: float, holds: bool | None = None, bar: object = None, peer: float | None = None
) -> dict[str, object]:
    ratio = None if peer is None else round(peer / value, 4)
    return {
        "value": round(value, 4),
        "peer": None if peer is None else round(peer, 4),
        "ratio": ratio,
        "bar": bar,
        "holds": holds,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--world", choices=sorted(WORLDS), action="append")
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found: dict[str, dict[str, object]] = {}
    covered = []
    for name in asked.world or WORLDS:
        kept, peer = of_world(name, asked.replications, asked.workers)
        found |= dict(figures(name, kept, peer))
        covered.append(kept.coverage)
        if not asked.json:
            print(f"{name}: {kept}, naive promises {peer:.2f} times what comes", flush=True)
    pooled = float(np.mean(covered))
    found["coverage"] = entry(pooled, 0.74 <= pooled <= 0.86, [0.74, 0.86])
    if asked.json:
        print(json.dumps(found))
        return
    for name, figure in found.items():
        verdict = {True: "holds", False: "MISSED", None: ""}[figure["holds"]]
        print(f"{name:42} {figure['value']:>9}   bar {figure['bar']}   peer {figure['peer']}   {verdict}")


if __name__ == "__main__":
    main()
