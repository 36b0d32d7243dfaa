"""The whole way from a scenario to the problem, one line a stage: read this first.

    tables ──► customers (summary → CLV → tiers) ──► effects of contacts ─┐
           └─► spend history → media mix ────────────────────────────────┴──► curves ──► problem

then `allocator.plan.optimise.optimise` solves it and `allocator.report` tells the five answers. Each stage
can be used alone: curves can come from a table a planner edited. Importing this loads neither an engine nor
a solver, so that ``check`` can go all the way to the problem and find everything that would stop a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from allocator.errors import Finding
from allocator.models.clv.level import Level
from allocator.models.drift import DriftReport
from allocator.models.importance import Contributions
from allocator.plan.problem import Problem
from allocator.response.curves import Curves
from allocator.scenario.schema import Scenario
from allocator.stages.aging import ageing
from allocator.stages.customers import Customers, group_customers
from allocator.stages.effects import Tested, measure_effects
from allocator.stages.headers import header_findings
from allocator.stages.history_tests import history_tests
from allocator.stages.judge import Judged, compared, hold_out
from allocator.stages.kept import Store
from allocator.stages.media import Modelled, fit_media
from allocator.stages.opinions import bold_opinions
from allocator.stages.outlook import Outlook, look_ahead
from allocator.stages.placeholders import placeholder_sizes, placeholders
from allocator.stages.predictions import learn, order_log
from allocator.stages.reading import Tables, read_tables
from allocator.stages.reasons import importance as features_that_matter
from allocator.stages.reasons import reasons
from allocator.stages.responses import all_responses, draw_curves, replaced_responses
from allocator.stages.terms import state_problem

if TYPE_CHECKING:
    import pandas as pd

Tell = Callable[[str], None]
STAGES = (
    "reading tables", "predicting customers", "measuring effects", "fitting spend history", "drawing curves",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Forecasted:
    """What every stage before the plan found.

    Parameters
    ----------
    tables : Tables
    customers : Customers
    tested : Tested or None
        None where no channel was tested.
    modelled : Modelled or None
        None where no channel rests on spend history.
    curves : Curves
    advice : tuple of Finding
        Which stated responses a table of curves took the place of, and which outshine all data.
    """

    curves: Curves
    tables: Tables = field(default_factory=Tables)
    customers: Customers = field(default_factory=Customers)
    tested: Tested | None = None
    modelled: Modelled | None = None
    advice: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Advice of all stages."""
        tested = self.tested.findings if self.tested else ()
        modelled = self.modelled.findings if self.modelled else ()
        found = (*self.tables.findings, *self.customers.findings, *tested, *modelled, *self.advice)
        return tuple(dict.fromkeys(found))  # two stages read the experiment


def forecast(scenario: Scenario, tell: Tell = lambda stage: None, store: Store | None = None) -> Forecasted:
    """Go from the tables of a scenario to the response of every cell.

    Parameters
    ----------
    scenario : Scenario
    tell : callable
        Is told each of ``STAGES`` as it begins, and what models are being tried.
    store : Store, optional
        Where forecasts of customers made before are looked up.

    Raises
    ------
    AllocatorError
        From the first stage that finds something wrong, with all of its findings.
    """
    tell(STAGES[0])
    return forecast_from(
        scenario, read_tables(scenario), tell, store
    )  # files → checked tables, rejects counted


def forecast_from(
    scenario: Scenario, tables: Tables, tell: Tell = lambda stage: None, store: Store | None = None
) -> Forecasted:
    """Go on from tables in hand, as :func:`forecast` does from files."""
    tell(STAGES[1])
    customers = group_customers(scenario, tables, store, tell)  # orders → CLV of each → tiers, sizes
    tell(STAGES[2])
    tested = measure_effects(scenario, tables, customers)  # contact log → shrunk effects → who gains most
    tell(STAGES[3])
    tests = history_tests(scenario, tables, customers)  # contact log → what corrects the fit of history
    modelled = fit_media(scenario, tables, tests)  # spend and outcome over time → what media bring
    tell(STAGES[4])
    sizes = customers.sizes
    curves = draw_curves(scenario, tables, tested, sizes, modelled)  # effects, fits, estimates → curves
    advice = (*replaced_responses(scenario, tables), *bold_opinions(scenario, curves, sizes, modelled))
    return Forecasted(curves, tables, customers, tested, modelled, advice)


def curves_of(scenario: Scenario, found: Forecasted, tested: Tested) -> Curves:
    """Give the curves that other effects of the tested channels would have led to."""
    return draw_curves(scenario, found.tables, tested, found.customers.sizes, found.modelled)


def cut_for(scenario: Scenario, found: Forecasted) -> Forecasted:
    """Give the same forecast with customers in segments that suit the budget of a scenario."""
    if found.tested is None:
        return found
    tested = found.tested.cut_for(scenario)
    return replace(found, tested=tested, curves=curves_of(scenario, found, tested))


def judge(scenario: Scenario, tables: Tables) -> Judged | None:
    """Fit at a past day and compare with what followed; None where there are no orders to judge by."""
    held = hold_out(scenario, tables)
    return compared(held, scenario.models.clv.name) if held else None


def look_further(scenario: Scenario, found: Forecasted) -> Outlook | None:
    """Give how sure the forecast of customers is, and when their value comes; None without orders."""
    made = found.customers.predictions
    if made is None:
        return None
    return look_ahead(scenario, found.customers, made.learned or learn(scenario, found.tables))


def importance(scenario: Scenario, tables: Tables) -> pd.DataFrame | None:
    """Give what the forecast of customers rests on; None without orders to judge by."""
    held = hold_out(scenario, tables)
    return features_that_matter(held, scenario.risk.seed) if held else None


def explain_customers(scenario: Scenario, found: Forecasted, customer_id: Sequence[str]) -> Contributions:
    """Give what each feature adds to the revenue forecast of some customers."""
    made = found.customers.predictions
    learned = (made.learned if made else None) or learn(scenario, found.tables)
    return reasons(learned, list(customer_id), scenario.risk.seed)


def drift(
    scenario: Scenario, tables: Tables, before: pd.DataFrame, made_on: date, level: Level
) -> DriftReport:
    """Compare a forecast that was saved on a day of the past with the orders of today."""
    return ageing(before, made_on, order_log(scenario, tables), scenario.models.as_of, level=level)


def problem(scenario: Scenario, curves: Curves, sizes: Mapping[str, float] | None = None) -> Problem:
    """Give the allocation problem: decisions with their curves, every limit as rows, the objective.

    Parameters
    ----------
    scenario : Scenario
    curves : Curves
    sizes : mapping of tier to float, optional
        Customers of each tier, where they were counted.

    Raises
    ------
    ScenarioError
        When curves and scenario do not fit together, or a limit cannot be stated on them.
    """
    return state_problem(scenario, curves, sizes or {})


def look(scenario: Scenario) -> tuple[Finding, ...]:
    """Give everything the headers of the tables tell, reading no row."""
    return header_findings(scenario)


def rehearse(scenario: Scenario) -> Problem:
    """Give the problem with placeholders for the curves that only data can tell, reading no row."""
    counted = placeholder_sizes(scenario)
    return state_problem(scenario, all_responses(scenario, placeholders(scenario), counted), counted)
