"""The log of contacts: who was in the test, what was known of them, what came of it in money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.errors import DataError, Finding, closest, raise_findings
from allocator.models.uplift.base import ContactTest
from allocator.models.uplift.checks import Arms, check_experiment
from allocator.models.uplift.outcome import Worth, money_value
from allocator.models.uplift.overlap import check_overlap
from allocator.models.uplift.propensity import estimated_propensity, from_assigned, shares_propensity
from allocator.models.uplift.suspects import check_leakage, check_repeated
from allocator.quantities import count, quoted, ratio
from allocator.response.experiment import ContactTerms, untested_contacts
from allocator.response.sources import ExperimentResponse, HistoryResponse
from allocator.scenario.schema import Scenario
from allocator.stages.customers import Customers, ids_of
from allocator.stages.history import History, history
from allocator.stages.known import Known, codes_of, what_is_known
from allocator.stages.outcomes import outcome_findings
from allocator.stages.places import placed
from allocator.stages.reading import Tables

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IdArray = NDArray[np.object_]
Codes = NDArray[np.intp]

CONTROL = "control group"  # a blank: no channel can be called so
MEASURED = {"revenue": "revenue", "conversions": "converted", "retained": "retained"}
"""Outcomes of a curve and the columns that hold them."""
FOLDS = 5  # for propensities that are estimated
COST_ERROR = 0.1  # of the planned cost: by how much a test may have cost more or less without a word


@dataclass(frozen=True, eq=False)
class ContactLog:
    """Customers of control and of the tested channels.

    Parameters
    ----------
    rows : DataFrame
        ``arm`` (the channel, or ``CONTROL``), ``customer``, and our columns as they were read.
    channels, tiers : tuple of str
        Of the scenario, in order.
    tier : array of str, shape (rows,)
        By what was known before the contact.
    worth : array, shape (rows,)
        What the customer earned within the window, in money of margin.
    propensity : array, shape (rows, n_channels + 1)
        Probability of every arm, control first.
    by_lot : bool
        Whether arms have the same chances all over a tier.
    known : Known
    covariates : tuple of str
        Columns measured before the contact.
    later : array, shape (rows,), or None
        The part of `worth` that comes after the window, from customers kept; None where there is none.
    only_revenue, only_conversions : bool
        Whether nothing else is valued.
    findings : tuple of Finding
        Advice on the test.
    """

    rows: pd.DataFrame
    channels: tuple[str, ...]
    tiers: tuple[str, ...]
    tier: IdArray
    worth: FloatArray
    propensity: FloatArray
    by_lot: bool
    known: Known
    covariates: tuple[str, ...] = ()
    later: FloatArray | None = None
    only_revenue: bool = False
    only_conversions: bool = False
    findings: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def cluster(self) -> NDArray[np.object_] | None:
        """Who was assigned together: as the log says, else the rows of a customer who was tested twice."""
        return _clusters(self.rows)

    @property
    def arm(self) -> Codes:
        """Give the arms by number: 0 is control."""
        return _arm_codes(self.rows, self.channels)

    @property
    def got(self) -> FloatArray | None:
        """Probability of the arm each got; None where it is the same all over a tier."""
        return None if self.by_lot else self.propensity[np.arange(len(self)), self.arm]

    @property
    def before(self) -> pd.DataFrame | None:
        """The covariates."""
        return self.rows[list(self.covariates)] if self.covariates else None

    @property
    def outcomes(self) -> dict[str, FloatArray]:
        """What was measured besides worth, by the names curves have for it, shape (rows,) each."""
        measured = {
            name: self.rows[column].to_numpy(dtype=np.float64)
            for name, column in MEASURED.items()
            if column in self.rows
        }
        return measured if self.later is None else {**measured, "immediate": self.worth - self.later}

    @property
    def test(self) -> ContactTest:
        """The log as arrays."""
        cluster = self.cluster
        return ContactTest(
            outcome=self.worth,
            arm=self.arm,
            channels=self.channels,
            propensity=self.propensity,
            modifiers=self.known.tested,
            names=self.known.names,
            adjusters=self.known.adjusters,
            stratum=codes_of(self.tier, self.tiers),
            cluster=None if cluster is None else np.unique(cluster.astype(str), return_inverse=True)[1],
        )

    def pick(self, rows: Codes) -> ContactLog:
        """Give the log of some customers; all others are strangers to it."""
        return replace(
            self,
            rows=self.rows.iloc[rows].reset_index(drop=True),
            tier=self.tier[rows],
            worth=self.worth[rows],
            later=None if self.later is None else self.later[rows],
            propensity=self.propensity[rows],
            known=self.known.pick(rows),
            findings=(),
        )


def tested_channels(scenario: Scenario) -> tuple[str, ...]:
    """Give the channels whose response comes from an experiment."""
    return tuple(
        name for name, one in scenario.channels.items() if isinstance(one.response, ExperimentResponse)
    )


def history_channels(scenario: Scenario) -> tuple[str, ...]:
    """Give the channels whose history may be corrected by an arm of the experiment."""
    return tuple(
        name
        for name, one in scenario.channels.items()
        if isinstance(one.response, HistoryResponse) and one.cost_per_contact
    )


def read_log(
    scenario: Scenario, tables: Tables, customers: Customers, channels: tuple[str, ...]
) -> ContactLog:
    """Read who was contacted, value what came, and check that it can be judged.

    Raises
    ------
    DataError
        When the log lacks an arm or an outcome, or cannot be joined with customers.
    """
    if tables.experiments is None:
        raise DataError(Finding("E209", scenario.origin_of("data"), "no experiment is given"))
    raise_findings(list(outcome_findings(scenario, tables.experiments.data.columns)), DataError)
    try:
        rows, others = _of_arms(scenario, tables.experiments.data, channels)
        before = history(scenario, tables, customers, rows)
        known = what_is_known(scenario, tables, customers, rows, before)
        propensity, by_lot = _propensity(scenario, rows, before, known, channels)
        worth = _worth(scenario, rows, before)
        log = ContactLog(
            rows, channels, scenario.tier_names, before.tier, worth, propensity, by_lot, known,
            covariates=_covariates(scenario), later=_later(rows, before),
            only_revenue=_only_revenue(scenario, rows), only_conversions=_only_conversions(rows),
        )  # fmt: skip
        checked = _checked(log)
        raise_findings(checked, DataError)
    except DataError as error:
        raise DataError(placed(error, scenario.origin_of("data.experiments.path"))) from None
    findings = (*others, *before.findings, *checked, *_assumed(scenario, rows), *known.findings)
    return replace(log, findings=findings)


def _propensity(
    scenario: Scenario, rows: pd.DataFrame, before: History, known: Known, channels: tuple[str, ...]
) -> tuple[FloatArray, bool]:
    """Give the probability of every arm, and whether it is the same all over a tier.

    As the log says; else estimated from all that was known, where arms were not drawn by lot; else the arms'
    shares of the tier.
    """
    arm, n_arms = _arm_codes(rows, channels), len(channels) + 1
    options = scenario.data.experiments
    if "propensity" in rows:
        return from_assigned(rows["propensity"].to_numpy(dtype=np.float64), arm, n_arms), False
    tier = codes_of(before.tier, scenario.tier_names)
    if options is None or options.assignment == "random":
        return shares_propensity(arm, tier, n_arms), True
    everything = np.column_stack([known.tested, known.adjusters, np.eye(len(scenario.tier_names))[tier]])
    folds = np.arange(len(rows)) % FOLDS
    return estimated_propensity(arm, everything, n_arms, folds), False


def _arm_codes(rows: pd.DataFrame, channels: tuple[str, ...]) -> Codes:
    codes = {CONTROL: 0, **{name: place + 1 for place, name in enumerate(channels)}}
    return np.array([codes[name] for name in rows["arm"]], dtype=np.intp)


def contact_terms(scenario: Scenario) -> dict[str, ContactTerms]:
    """Give what contacts by the tested channels cost, and how many a customer may get."""
    return {
        name: ContactTerms(
            scenario.channels[name].cost_per_contact, scenario.channels[name].contacts_per_customer or 1.0
        )
        for name in tested_channels(scenario)
    }


def _covariates(scenario: Scenario) -> tuple[str, ...]:
    return scenario.data.experiments.covariates if scenario.data.experiments else ()


def _of_arms(
    scenario: Scenario, table: pd.DataFrame, channels: tuple[str, ...]
) -> tuple[pd.DataFrame, list[Finding]]:
    """Give the rows of control and the channels' arms, `arm` naming the channel; count all other rows."""
    options = scenario.data.experiments
    stated = options.arms if options else {}
    control = options.control if options else ""
    arms = {control: CONTROL, **{stated.get(name, name): name for name in channels}}
    raise_findings(list(_absent_arms(scenario, arms, tuple(table["arm"].unique()))), DataError)
    named = table["arm"].map(arms)
    log = table.assign(arm=named, customer=ids_of(table))[named.notna()].reset_index(drop=True)
    elsewhere = {stated.get(name, name) for name in (*tested_channels(scenario), *history_channels(scenario))}
    return log, list(_unused(table["arm"][named.isna() & ~table["arm"].isin(elsewhere)]))


def _absent_arms(scenario: Scenario, arms: Mapping[str, str], found: tuple[str, ...]) -> Iterator[Finding]:
    """Find arms that no row of the log has."""
    for arm, channel in arms.items():
        if arm in found:
            continue
        near = closest(arm, found)
        listed = f"arms in the file: {', '.join(map(str, found[:10]))}"
        key = "control" if channel == CONTROL else f"arms.{channel}"
        role = "the control arm" if channel == CONTROL else f"channel {quoted(channel)}"
        what = f"no row of the experiment has the arm {quoted(arm)} of {role}"
        fix = f"did you mean {quoted(near)}?" if near else listed
        yield Finding("E307", scenario.origin_of(f"data.experiments.{key}"), what, fix)


def _unused(arms: pd.Series[str]) -> Iterator[Finding]:
    for arm, rows in arms.value_counts(sort=False).items():
        what = f"{count(int(rows))} rows of the arm {quoted(str(arm))} belong to no channel and are not used"
        yield Finding("W405", None, what, "name its channel under data.experiments.arms")


def _checked(log: ContactLog) -> tuple[Finding, ...]:
    """Give everything that speaks against estimating from the test."""
    arms = Arms(log.rows["arm"], log.tier, log.channels, log.tiers, CONTROL, log.cluster, propensity=log.got)
    found = check_experiment(arms, log.before)
    if any(one.code == "E307" for one in found):
        return found
    days = log.rows.get("contacted_on")
    again = (
        check_repeated(log.rows["customer_id"], log.rows["arm"], days) if "customer_id" in log.rows else ()
    )
    overlap = () if log.by_lot else check_overlap(log.propensity, log.arm, log.channels)
    return (*found, *overlap, *check_leakage(log.before, log.worth, log.arm, log.channels), *again)


def _worth(scenario: Scenario, log: pd.DataFrame, before: History) -> FloatArray:
    """Give what every customer of the log earned within the window, in money of margin."""
    objective = scenario.objective
    price = objective.value_per_conversion
    worth = Worth(objective.margin, price.amount if price else None, bool(price and price.beyond_revenue))
    measured = {name: log[name].to_numpy() for name in ("revenue", "converted", "retained") if name in log}
    return money_value(
        worth,
        revenue=measured.get("revenue"),
        converted=measured.get("converted"),
        retained=measured.get("retained"),
        value_if_retained=before.residual if "retained" in measured else 0.0,
    )


def _later(log: pd.DataFrame, before: History) -> FloatArray | None:
    """Give what of the worth comes after the window; None where nothing does."""
    if "retained" not in log or not np.any(before.residual):
        return None
    return log["retained"].to_numpy(dtype=np.float64) * before.residual


def _only_revenue(scenario: Scenario, log: pd.DataFrame) -> bool:
    price = scenario.objective.value_per_conversion
    converted = "converted" in log and price is not None and price.beyond_revenue
    return "revenue" in log and "retained" not in log and not converted


def _only_conversions(log: pd.DataFrame) -> bool:
    return "converted" in log and "revenue" not in log and "retained" not in log


def _clusters(log: pd.DataFrame) -> NDArray[np.object_] | None:
    """Give who was assigned together: as the log says, else the rows of a customer who was tested twice."""
    if "cluster_id" in log:
        return log["cluster_id"].to_numpy()
    if "customer_id" in log and log["customer_id"].duplicated().any():
        return log["customer_id"].to_numpy()
    return None


def _assumed(scenario: Scenario, log: pd.DataFrame) -> Iterator[Finding]:
    """Say what the plan takes for granted though the test tells otherwise, or not at all."""
    yield from untested_contacts(contact_terms(scenario))
    options = scenario.data.experiments
    if options is not None and options.assignment == "estimated" and "propensity" not in log:
        what = "arms were not drawn by lot: who got which is estimated from what was known before"
        fix = "what nobody wrote down may explain the effects; a test by lot would tell"
        yield Finding("W430", scenario.origin_of("data.experiments.assignment"), what, fix)
    if options is not None and options.combine == "add":
        what = "effects of several channels on one customer are added up, which no test has shown"
        yield Finding(
            "W408", scenario.origin_of("data.experiments.combine"), what, "one_per_customer is safe"
        )
    if "cost" not in log:
        return
    costs = log.groupby("arm")["cost"].mean()
    for name in tested_channels(scenario):
        paid, stated = float(costs[name]), scenario.channels[name].cost_per_contact or 0.0
        if abs(paid - stated) > COST_ERROR * stated:
            what = f"a contact by {quoted(name)} cost {ratio(paid)} in the test, {ratio(stated)} is planned"
            yield Finding("W409", scenario.origin_of(f"channels.{name}.cost_per_contact"), what)
