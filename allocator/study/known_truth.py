"""Whether plans keep their promise in worlds whose truth is known: promise, regret, coverage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator import pipeline
from allocator.errors import Finding, SolverError
from allocator.pipeline import Forecasted
from allocator.plan.optimise import optimise
from allocator.plan.solution import Status
from allocator.scenario.schema import Scenario
from allocator.stages.effects import Tested
from allocator.stages.reading import Tables
from allocator.stages.targets import chosen
from allocator.study.halves import contacts_of
from allocator.tables.sample.worlds import ContactWorld, simulate_world
from allocator.tables.table import Rejects, Table

FloatArray = NDArray[np.float64]

TIERS = {"high": {"share": "top 20%"}, "medium": {"share": "next 30%"}, "low": {"share": "rest"}}


@dataclass(frozen=True)
class Outcome:
    """One plan in one world.

    Parameters
    ----------
    share : float
        Of the money that contacts everybody.
    budget, spend : float
        Money.
    promised, low, high : float
        Incremental margin by the plan, and its 8-in-10 interval.
    realised : float
        What contacting the customers the plan names truly brings.
    learnable, best : float
        Profit of the plans that know all a model could learn, and all there is.
    """

    share: float
    budget: float
    spend: float
    promised: float
    low: float
    high: float
    realised: float
    learnable: float
    best: float

    @property
    def profit(self) -> float:
        """What the plan truly earns, net of spend."""
        return self.realised - self.spend

    @property
    def covered(self) -> bool:
        """Whether the truth lies in the interval."""
        return self.low <= self.realised <= self.high


@dataclass(frozen=True)
class Kept:
    """How plans did over many worlds of a kind.

    Parameters
    ----------
    promised_realised : float
        Sum of promises over sum of what came true; its standard error by replications.
    coverage : float
        Share of 8-in-10 intervals that hold the truth.
    realised_learnable, realised_best : float
        Sums of true profit over those of the plans that know more.
    lost : float
        True loss, as a share of the budget: 0 where plans earn.
    replications : int
    """

    promised_realised: float
    promised_realised_error: float
    coverage: float
    realised_learnable: float
    realised_best: float
    lost: float
    replications: int


def summarised(replications: Sequence[Sequence[Outcome]]) -> Kept:
    """Pool the outcomes of replications, each with its budgets."""
    every = [one for group in replications for one in group]
    sums = np.array([[sum(o.promised for o in g), sum(o.realised for o in g)] for g in replications])
    promised, realised = sums.sum(axis=0)
    ratio = promised / realised if realised else float("nan")
    rest = sums[:, 0] - ratio * sums[:, 1]
    error = np.sqrt(np.sum(rest**2)) / abs(realised) if realised else float("nan")
    profit = sum(one.profit for one in every)
    return Kept(
        promised_realised=float(ratio),
        promised_realised_error=float(error),
        coverage=float(np.mean([one.covered for one in every])),
        realised_learnable=_over(profit, sum(one.learnable for one in every)),
        realised_best=_over(profit, sum(one.best for one in every)),
        lost=max(0.0, -profit) / sum(one.budget for one in every),
        replications=len(replications),
    )


def _over(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def replicate(world: ContactWorld, seed: int = 0) -> tuple[Outcome, ...]:
    """Fit one world's test, plan for each of its budgets, and see what comes true.

    Raises
    ------
    SolverError
        When a budget has no plan.
    """
    scenario = scenario_of(world, seed)
    found = pipeline.forecast_from(scenario, Tables(experiments=_table(world)))
    return tuple(_planned(world, scenario, found, share, money) for share, money in world.budgets().items())


def replicated(name: str, seeds: Iterable[int], n_customers: int = 20_000) -> Iterator[tuple[Outcome, ...]]:
    """Give the outcomes of one replication after the other."""
    for seed in seeds:
        yield replicate(simulate_world(name, seed, n_customers=n_customers), seed)


def scenario_of(world: ContactWorld, seed: int = 0) -> Scenario:
    """Give the scenario of a world: every channel tested, three tiers by value, no limit but the budget."""
    channels = {
        name: {"cost_per_contact": cost, "response": {"source": "experiment"}}
        for name, cost in world.channels.items()
    }
    return Scenario.from_dict(
        {
            "version": 1,
            "name": world.name,
            "budget": {"total": 1},
            "objective": {"maximize": "profit", "margin": world.margin},
            "data": {"experiments": {"path": "contacts.csv", "covariates": list(world.covariates)}},
            "tiers": {"by": "value", "levels": TIERS},
            "channels": channels,
            "risk": {"draws": 200, "seed": seed},
        }
    )


def _table(world: ContactWorld) -> Table:
    n = len(world.contacts)
    contacts = world.contacts.assign(customer_id=world.contacts["customer_id"].astype(str))
    return Table("experiments", contacts, Rejects("experiments", n, 0), "<frame>", "", "", {})


def _planned(
    world: ContactWorld, scenario: Scenario, found: Forecasted, share: float, money: float
) -> Outcome:
    asked = scenario.override({"budget.total": round(money, 2)})
    found = pipeline.cut_for(asked, found)
    problem = pipeline.problem(asked, found.curves, found.customers.sizes)
    solution = optimise(problem, "highs")
    if solution.status is not Status.OPTIMAL or found.tested is None:
        raise SolverError(Finding("E402", None, f"no plan for {world.name}: {solution.status.value}"))
    promised = sum(cell.margin for cell in solution.cells)
    low, high = solution.margin_interval or (promised, promised)
    contacts = contacts_of(problem, solution)
    names = chosen(found.tested.targeting, contacts, 1.0, once=True)
    realised = _truly(world, found.tested, names["customer_id"], names["channel"])
    return Outcome(
        share=share,
        budget=money,
        spend=float(names["cost"].sum()),
        promised=promised,
        low=low,
        high=high,
        realised=realised,
        learnable=world.learnable_best(money).profit,
        best=world.best(money).profit,
    )


def _truly(world: ContactWorld, tested: Tested, who: Iterable[str], channel: Iterable[str]) -> float:
    """Add up the true effects of the contacts of a plan."""
    effects = world.effects.to_numpy()
    row = {name: place for place, name in enumerate(world.contacts["customer_id"].astype(str))}
    column = {str(name): place for place, name in enumerate(world.effects)}
    rows, columns = [row[one] for one in who], [column[one] for one in channel]
    return float(effects[rows, columns].sum())
