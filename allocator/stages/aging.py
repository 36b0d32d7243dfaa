"""Whether a forecast has aged: its customers against those of today, its promise against what came."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from allocator.customers.past import OrderLog, Past, Snapshot
from allocator.errors import DataError, Finding
from allocator.models.clv.forecast import WEEKS_PER_YEAR
from allocator.models.clv.level import Level
from allocator.models.drift import Calibration, DriftReport, calibration_drift, stabilities
from allocator.stages.outlook import TRACKED_WEEKS
from allocator.stages.predictions import DAYS_PER_WEEK, looked_up

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 30


def newcomers(table: pd.DataFrame) -> pd.DataFrame:
    """Give what is compared of customers: of those won within a year, so that time alone moves nothing.

    Parameters
    ----------
    table : DataFrame
        ``frequency`` (repeat purchase days), ``age_weeks``, ``mean_value``.
    """
    young = table[table["age_weeks"] <= WEEKS_PER_YEAR]
    weeks = young["age_weeks"].clip(lower=1.0)
    return young[["mean_value"]].assign(repeats_per_week=young["frequency"] / weeks)


def ageing(
    before: pd.DataFrame, made_on: date, log: OrderLog, until: date | None, *, level: Level
) -> DriftReport:
    """Compare a forecast that was saved with the orders of today.

    Parameters
    ----------
    before : DataFrame
        One row a customer with orders then: ``customer_id``, ``frequency``, ``age_weeks``, ``mean_value`` and
        the revenue expected within some weeks, ``expected_13_weeks`` and the like.
    made_on : date
        Day of the last order it had seen.
    log : OrderLog
        Orders of today.
    until : date or None
        Their last day that counts; that of the last order where None.
    level : Level
        Of the saved forecast, with what was open about it.

    Raises
    ------
    DataError
        E305 where the orders begin after the forecast was made.
    """
    if log.first_on > made_on:
        what = f"the orders begin on {log.first_on}, after the saved forecast was made ({made_on})"
        raise DataError(Finding("E305", None, what, "give all orders, the earlier ones included"))
    now = log.until(until)
    then, current = (newcomers(one) for one in (before, _table(now.customers)))
    enough = min(len(then), len(current)) >= FEWEST
    features = stabilities(then, current) if enough else ()
    return DriftReport(features, _calibration(before, made_on, now, level))


def _table(customers: Snapshot) -> pd.DataFrame:
    import pandas as pd

    names = ("frequency", "age_weeks", "mean_value")
    return pd.DataFrame({name: getattr(customers.summary, name) for name in names})


def _calibration(before: pd.DataFrame, made_on: date, now: Past, level: Level) -> Calibration | None:
    """Compare what was expected since with what came; of the first year where more has passed."""
    weeks = min((now.as_of - made_on).days / DAYS_PER_WEEK, float(TRACKED_WEEKS[-1]))
    if weeks < TRACKED_WEEKS[0]:
        return None
    end = now.log.until(made_on + timedelta(days=round(weeks * DAYS_PER_WEEK)))
    then = now.log.until(made_on).customers
    came = looked_up(
        before["customer_id"].to_numpy(dtype=object), then.customer_id, end.outcome_of(then).revenue
    )
    expected = np.column_stack(
        [np.zeros(len(before)), *(before[f"expected_{tracked}_weeks"] for tracked in TRACKED_WEEKS)]
    )
    later = np.searchsorted(TRACKED_WEEKS, weeks)
    low, high = (0.0, *TRACKED_WEEKS)[later], TRACKED_WEEKS[later]
    share = (weeks - low) / (high - low)
    promised = (1 - share) * expected[:, later] + share * expected[:, later + 1]
    value = float(then.summary.total_value.sum() / then.summary.n_days.sum())
    if not (promised.sum() > 0 and value > 0):
        return None
    return calibration_drift(promised, came, purchase_value=value, forecast_error=level.error_over(weeks))
