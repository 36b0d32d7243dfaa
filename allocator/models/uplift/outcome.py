"""What a customer's outcome is worth in money, so that effects are estimated on one number a customer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import DataError, Finding
from allocator.models.uplift.covariates import FloatArray


@dataclass(frozen=True)
class Worth:
    """What the outcomes are worth.

    Parameters
    ----------
    margin : float or None
        Margin per unit of revenue; needed where revenue is given.
    per_conversion : float or None
        Margin of one conversion, in money.
    beyond_revenue : bool
        Whether a conversion is worth that on top of the revenue it brings; otherwise conversions count
        only where revenue is not given.
    """

    margin: float | None = None
    per_conversion: float | None = None
    beyond_revenue: bool = False


def money_value(
    worth: Worth,
    *,
    revenue: ArrayLike | None = None,
    converted: ArrayLike | None = None,
    retained: ArrayLike | None = None,
    value_if_retained: ArrayLike = 0.0,
) -> FloatArray:
    """Give the money value of every customer's outcome in the window.

    ``revenue * margin + converted * per_conversion + retained * value_if_retained``. Values are joined
    before anything is estimated, so that the errors know how the outcomes go together.

    Parameters
    ----------
    worth : Worth
    revenue, converted, retained : array, shape (n_customers,), or None
        In money, in counts and as 0 or 1; None where not measured.
    value_if_retained : float or array, shape (n_customers,)
        Expected value of an active customer less that of a lost one after the window, in money.

    Raises
    ------
    DataError
        When nothing measured is worth anything (E209), naming what has to be stated.

    Examples
    --------
    >>> money_value(Worth(margin=0.35), revenue=[0.0, 100.0], converted=[0, 1]).tolist()
    [0.0, 35.0]
    """
    parts: list[FloatArray] = []
    if revenue is not None:
        if worth.margin is None:
            raise DataError(
                Finding("E209", None, "revenue is measured, but not its margin", "state objective.margin")
            )
        parts.append(worth.margin * np.asarray(revenue, dtype=np.float64))
    if (
        converted is not None
        and worth.per_conversion is not None
        and (revenue is None or worth.beyond_revenue)
    ):
        parts.append(worth.per_conversion * np.asarray(converted, dtype=np.float64))
    if retained is not None and np.any(value_if_retained):
        kept = np.asarray(retained, dtype=np.float64)
        parts.append(kept * np.asarray(value_if_retained, dtype=np.float64))
    if not parts:
        fix = "map revenue in data.experiments.columns, or state objective.value_per_conversion"
        raise DataError(Finding("E209", None, "no outcome of the experiment is worth money", fix))
    if len({len(part) for part in parts}) > 1:
        raise DataError(Finding("E315", None, "the outcomes differ in their number of rows"))
    return np.asarray(np.sum(parts, axis=0))
