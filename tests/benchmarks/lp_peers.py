"""Plans beside those of peers: ``python tests/benchmarks/lp_peers.py [--peer-python PATH] [--json]``.

Robyn optimises by SLSQP from today's spend, with gradients; here by scipy's SLSQP, on Hill curves without
adstock, every channel within 0.7 and 1.5 of today, for several budgets. PyMC-Marketing's own optimiser runs
in the interpreter given by `--peer-python` or ALLOCATOR_PEER_PYTHON, on a marketing mix model of eight
channels, 13 weeks and 500 draws of the prior, which stand for a posterior; the plan layer gets the model's
mean response as breakpoints, and the model judges both splits. CPU times are of a solve that is not the
first, in units of money that suit the peer's tolerance; sampling the breakpoints is told as `sampling_s`,
beside the peer's compilation as `compile_s`. The peer is as installed; `--peer-flags linker=numba` lets it
compile longer and solve faster.

- ``slsqp_value_gap``, ``value_gap``: the worst of (our value - theirs) / theirs; no less than what the
  breakpoints leave open, which is the bar.
- ``slsqp_single_ratio``, ``single_ratio``: CPU of one solve, theirs over ours (`value` and `peer` in ms).
- ``slsqp_path_ratio``, ``path_ratio``: the same for 50 budgets, ours by one path (in s).
- ``slsqp_s_curve_gain``, ``s_curve_gain``: our value over theirs on Hill curves of shape 3, theirs from an
  equal split; more than 1 where theirs stops at a poor split. Breakpoints leave 0.1 % open.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from lp_cases import (
    MARGIN,
    Found,
    against,
    frontier_of_plans,
    gained,
    gap,
    least_cpu,
    limit,
    options_of,
    problem,
    skipped,
    told,
)

from allocator.plan.optimise import optimise
from allocator.plan.problem import Decision, Problem
from allocator.plan.rows import Bound
from allocator.plan.solution import Solution, Status
from allocator.response.curve import CurveError, FloatArray, ResponseCurve
from allocator.response.curves import Cell
from allocator.response.families import Hill

SIDE = Path(__file__).with_name("lp_peers_side.py")
THOUSAND = 1000.0
SINGLE, PATH = 10.0, 100.0
PIECES = 48
BUDGETS = 50
CASES = range(10)
BOUNDS = {"concave": (0.5, 2.0), "s": (0.0, 4.0)}
"""Least and most a channel of the peer's model gets, as factors on its current spend."""


# ---- ours


def within(curves: Sequence[ResponseCurve], bounds: FloatArray, budget: float) -> Problem:
    """Maximise margin of a budget, every channel between its bounds, shape (n_channels, 2)."""
    decisions = [
        Decision(f"c{k}", (Cell("all", f"c{k}"),), np.ones(1), np.ones(1), curve)
        for k, curve in enumerate(curves)
    ]
    rows = []
    for decision, (least, most) in zip(decisions, bounds, strict=True):
        if least > 0:
            rows.append(limit(f"channels.{decision.name}.min", Bound.MIN, least, decision.cells))
        if not decision.curve.bounded or most < decision.curve.end:
            rows.append(limit(f"channels.{decision.name}.max", Bound.MAX, most, decision.cells))
    return problem(decisions, budget, rows, MARGIN)


def planned(given: Problem) -> Solution:
    plan = optimise(given)
    if plan.status not in (Status.OPTIMAL, Status.FEASIBLE_GAP):
        raise RuntimeError(f"a benchmark has no plan: {plan.status} {plan.warnings}")
    return plan


def path_ratio(given: Problem, budgets: FloatArray, seconds: float, gap_of: Callable[[Any], float]) -> Found:
    """Set the whole path, its first solve included, against the peer's CPU seconds for the same budgets.

    `gap_of` tells from the path's splits, in money, by how much of their value they lie below the peer's.
    """
    frontier = frontier_of_plans()
    if frontier is None:
        return skipped("there is no allocator.study.frontier yet")
    own = least_cpu(lambda: frontier(given, budgets), 3)
    lowest = gap_of(frontier(given, budgets).spend)
    return against(own, seconds, PATH, value_gap=float(f"{lowest:.2g}"))


# ---- as Robyn does


@dataclass(frozen=True)
class Mix:
    """Hill curves with today's spend of every channel, in money."""

    ceiling: FloatArray
    half: FloatArray
    shape: FloatArray
    current: FloatArray
    bounds: FloatArray

    @classmethod
    def drawn(cls, seed: int, channels: int = 10) -> Mix:
        """Concave curves of channels within 0.7 and 1.5 of today."""
        rng = np.random.default_rng(seed)
        current = np.round(rng.lognormal(10.5, 0.8, channels))
        half = current * rng.uniform(0.4, 3.0, channels)
        bounds = np.round(np.outer(current, (0.7, 1.5)), 2)
        shape = rng.uniform(0.5, 1.0, channels)
        return cls(half * rng.uniform(1.5, 6.0, channels), half, shape, current, bounds)

    @classmethod
    def bent(cls, seed: int, channels: int = 8) -> Mix:
        """Curves of shape 3 of which an equal split reaches the steep part of hardly any."""
        rng = np.random.default_rng(seed)
        equal = np.full(channels, 50_000.0)
        half = equal * rng.uniform(1.4, 2.4, channels)
        bounds = np.column_stack([np.zeros(channels), 4 * equal])
        return cls(half * rng.uniform(1.5, 4.0, channels), half, np.full(channels, 3.0), equal, bounds)

    def value(self, spend: FloatArray) -> float:
        ratio = (spend / self.half) ** self.shape
        return float(np.sum(self.ceiling * ratio / (1 + ratio)))

    def marginal(self, spend: FloatArray) -> FloatArray:
        units = spend / self.half
        steep = self.shape * self.ceiling / self.half * units ** (self.shape - 1)
        return np.asarray(steep / (1 + units**self.shape) ** 2)

    @property
    def channels(self) -> list[tuple[float, ...]]:
        """Ceiling, half saturation, shape and largest spend of every channel."""
        table = np.column_stack([self.ceiling, self.half, self.shape, self.bounds[:, 1]])
        return [tuple(row) for row in table.tolist()]

    def smooth(self) -> list[ResponseCurve]:
        return [Hill(ceiling=c, half_saturation=h, shape=a).curve(most) for c, h, a, most in self.channels]

    def sampled(self, pieces: int = 40) -> list[ResponseCurve]:
        """Breakpoints of the curves, for those that bend upwards too."""
        share = np.linspace(0.0, 1.0, pieces + 1)
        ratios = [(c, most * share, (most * share / h) ** a) for c, h, a, most in self.channels]
        return [ResponseCurve(spend, ceiling * r / (1 + r)) for ceiling, spend, r in ratios]

    def slsqp(self, budget: float) -> FloatArray:
        """Give the split of scipy's SLSQP from today's spend, in thousands, where it is quickest."""
        from scipy.optimize import minimize

        found = minimize(
            lambda x: (-self.value(x * THOUSAND) / THOUSAND, -self.marginal(x * THOUSAND)),
            self.current / THOUSAND,
            jac=True,
            bounds=self.bounds / THOUSAND,
            constraints={
                "type": "eq",
                "fun": lambda x: x.sum() - budget / THOUSAND,
                "jac": lambda x: np.ones_like(x),
            },
            method="SLSQP",
            options={"ftol": 1e-10, "maxiter": 1000},
        )
        return np.asarray(found.x * THOUSAND)


def slsqp_value_gap() -> Found:
    differences, left_open = [], 0.0
    for seed in CASES:
        mix = Mix.drawn(seed)
        for factor in (0.85, 1.0, 1.25):
            budget = round(factor * float(mix.current.sum()), 2)
            plan, theirs = planned(within(mix.smooth(), mix.bounds, budget)), mix.slsqp(budget)
            value = mix.value(theirs)
            if plan.optimality is None or plan.objective is None:
                raise RuntimeError("a plan without a certificate")
            differences.append((mix.value(np.array(plan.decision_spend)) - value) / value)
            left_open = max(left_open, plan.optimality.curve_error / plan.objective)
    return gap(differences, max(left_open, 1e-9))


def slsqp_single_ratio() -> Found:
    mix = Mix.drawn(0)
    budget = float(mix.current.sum())
    given = within(mix.smooth(), mix.bounds, budget)
    own, theirs = least_cpu(lambda: planned(given), 9), least_cpu(lambda: mix.slsqp(budget), 9)
    return against(1000 * own, 1000 * theirs, SINGLE)


def slsqp_path_ratio() -> Found:
    mix = Mix.drawn(0)
    budgets = np.round(float(mix.current.sum()) * np.linspace(0.75, 1.4, BUDGETS), 2)
    theirs = least_cpu(lambda: [mix.slsqp(float(budget)) for budget in budgets], 3)

    def gap_of(splits: FloatArray) -> float:
        values = [mix.value(mix.slsqp(float(budget))) for budget in budgets]
        return min(mix.value(own) / value - 1 for own, value in zip(splits, values, strict=True))

    return path_ratio(within(mix.smooth(), mix.bounds, float(budgets[-1])), budgets, theirs, gap_of)


def slsqp_s_curve_gain() -> Found:
    gains = []
    for seed in CASES:
        mix = Mix.bent(seed)
        budget = float(mix.current.sum())
        try:
            plan = planned(within(mix.sampled(), mix.bounds, budget))
        except CurveError as error:
            return skipped(f"curves that bend upwards are refused: {str(error).splitlines()[0]}")
        gains.append(mix.value(np.array(plan.decision_spend)) / mix.value(mix.slsqp(budget)))
    return gained(gains)


# ---- PyMC-Marketing


class AbsentError(RuntimeError):
    """The peer cannot be run here."""


class PeerSide:
    """The peer in a process of its own, with one model."""

    def __init__(self, python: str, kind: str, flags: str) -> None:
        # threads of a numerical library would be counted, and help neither side
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment |= {"PYTENSOR_FLAGS": flags} if flags else {}
        self.process = subprocess.Popen(
            [python, str(SIDE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        made = self.ask(do="model", kind=kind, channels=8, draws=500, weeks=13, seed=1)
        self.version, self.compile_s = made["version"], made["cpu"]
        self.current = np.array(made["current"])
        self.bounds = np.round(np.outer(self.current, BOUNDS[kind]), 5)

    def ask(self, **what: Any) -> dict[str, Any]:
        if self.process.stdin is None or self.process.stdout is None:
            raise AbsentError("the peer's process has no pipes")
        print(json.dumps(what), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        found: dict[str, Any] = json.loads(line) if line else {"error": "the process has ended"}
        if "absent" in found:
            raise AbsentError(f"PyMC-Marketing cannot be imported there: {found['absent']}")
        if "error" in found:
            raise RuntimeError(f"PyMC-Marketing fails: {found['error']}")
        return found

    def values(self, splits: Any) -> FloatArray:
        return np.array(self.ask(do="respond", splits=np.asarray(splits).tolist())["values"])

    @cached_property
    def curves(self) -> tuple[list[ResponseCurve], float, float]:
        """The model's mean response of every channel, what it leaves open, and the CPU seconds it took."""
        curves, error, spent = [], 0.0, 0.0
        for k, (least, most) in enumerate(self.bounds):
            places = np.unique(np.concatenate([[0.0], np.linspace(least, most, PIECES + 1)]))
            middle = (places[:-1] + places[1:]) / 2
            splits = np.zeros((len(places) + len(middle), len(self.bounds)))
            splits[:, k] = np.concatenate([places, middle])
            found = self.ask(do="respond", splits=splits.tolist())
            value = np.array(found["values"]) - found["values"][0]
            spent += found["cpu"]
            at, between = value[: len(places)], value[len(places) :]
            inside = middle >= least
            error += float(np.max(np.abs(between - (at[:-1] + at[1:]) / 2)[inside]))
            curves.append(ResponseCurve(places * THOUSAND, at * THOUSAND))
        return curves, error * THOUSAND, spent

    def given(self, budget: float) -> Problem:
        """Give the peer's problem with a weekly budget in thousands as one of the plan layer, in money."""
        return within(self.curves[0], self.bounds * THOUSAND, budget * THOUSAND)

    @cached_property
    def solved(self) -> tuple[FloatArray, dict[str, Any]]:
        """The path of budgets, in thousands, and the peer's splits with their CPU seconds."""
        budgets = np.round(self.current.sum() * np.linspace(0.6, 1.8, BUDGETS), 2)
        bounds = self.bounds.tolist()
        self.ask(do="solve", budgets=budgets[:1].tolist(), bounds=bounds)
        return budgets, self.ask(do="solve", budgets=budgets.tolist(), bounds=bounds)


@dataclass
class Peer:
    """Where the peer's interpreter is, and its models once they are built."""

    python: str | None
    flags: str

    @cached_property
    def concave(self) -> PeerSide:
        return self._side("concave")

    def _side(self, kind: str) -> PeerSide:
        if self.python is None:
            raise AbsentError("PyMC-Marketing is not installed: give --peer-python")
        return PeerSide(self.python, kind, self.flags)

    def value_gap(self) -> Found:
        side = self.concave
        budgets, theirs = side.solved
        values = side.values(theirs["splits"])
        some = range(0, BUDGETS, 7)
        plans = [planned(side.given(float(budgets[k]))) for k in some]
        ours = side.values([np.array(plan.decision_spend) / THOUSAND for plan in plans])
        differences = [(own - values[k]) / values[k] for own, k in zip(ours, some, strict=True)]
        left_open = side.curves[1] / (THOUSAND * float(values.min()))
        return gap(differences, left_open) | {"version": side.version, "failed": theirs["failed"]}

    def single_ratio(self) -> Found:
        side = self.concave
        budgets, theirs = side.solved
        given = side.given(float(budgets[BUDGETS // 2]))
        own = least_cpu(lambda: planned(given), 9)
        more = {"sampling_s": round(side.curves[2], 3), "compile_s": round(side.compile_s, 3)}
        return against(1000 * own, 1000 * statistics.median(theirs["cpu"]), SINGLE, **more)

    def path_ratio(self) -> Found:
        side = self.concave
        budgets, theirs = side.solved
        values = side.values(theirs["splits"])

        def gap_of(splits: FloatArray) -> float:
            return float(np.min(side.values(splits / THOUSAND) / values)) - 1

        return path_ratio(side.given(float(budgets[-1])), budgets * THOUSAND, sum(theirs["cpu"]), gap_of)

    def s_curve_gain(self) -> Found:
        side = self._side("s")
        budgets = np.round(side.current.sum() * np.array([0.4, 0.6, 0.8, 1.0]), 2)
        try:
            plans = [planned(side.given(float(budget))) for budget in budgets]
        except CurveError as error:
            return skipped(f"curves that bend upwards are refused: {str(error).splitlines()[0]}")
        theirs = side.ask(do="solve", budgets=budgets.tolist(), bounds=side.bounds.tolist())
        ours = side.values([np.array(plan.decision_spend) / THOUSAND for plan in plans])
        return gained((ours / side.values(theirs["splits"])).tolist())


def or_absent(measure: Callable[[], Found]) -> Callable[[], Found]:
    def measured() -> Found:
        try:
            return measure()
        except AbsentError as absent:
            return skipped(str(absent))

    return measured


def peer_python(options: argparse.Namespace) -> str | None:
    if options.peer_python:
        return str(options.peer_python)
    if importlib.util.find_spec("pymc_marketing"):
        return sys.executable
    return os.environ.get("ALLOCATOR_PEER_PYTHON")


def main() -> None:
    peer = Peer(None, "")
    figures = {
        "slsqp_value_gap": slsqp_value_gap,
        "slsqp_single_ratio": slsqp_single_ratio,
        "slsqp_path_ratio": slsqp_path_ratio,
        "slsqp_s_curve_gain": slsqp_s_curve_gain,
        "value_gap": or_absent(peer.value_gap),
        "single_ratio": or_absent(peer.single_ratio),
        "path_ratio": or_absent(peer.path_ratio),
        "s_curve_gain": or_absent(peer.s_curve_gain),
    }
    parser = options_of(figures, "Plans beside those of peers.")
    parser.add_argument("--peer-python", metavar="PATH", help="interpreter that has pymc_marketing")
    parser.add_argument("--peer-flags", default="", help="PYTENSOR_FLAGS of the peer, as linker=numba")
    options = parser.parse_args()
    peer.python, peer.flags = peer_python(options), options.peer_flags
    told(figures, options)


if __name__ == "__main__":
    main()
