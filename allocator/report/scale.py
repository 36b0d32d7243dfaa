"""In which units a plan of a given size is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allocator.quantities import largest_remainder
from allocator.report.view import PlanView

_STEPS = ((10**11, 10**9, "1bn"), (10**8, 10**6, "1M"), (10**5, 10**3, "1k"))
_UNITS = ((10**11, 10**6, "million"), (10**5, 10**3, "thousand"))


@dataclass(frozen=True)
class Scale:
    """Units of display.

    Parameters
    ----------
    decimals : int
        Of amounts of money.
    step, step_name : float, str
        The amount prices are quoted for: what the next 1k earns.
    unit, unit_name : float, str
        The unit of the table of tiers and channels; the name is empty for single money.
    """

    decimals: int
    step: float
    step_name: str
    unit: float
    unit_name: str

    @property
    def unit_decimals(self) -> int:
        """Decimals in the table of tiers and channels."""
        return self.decimals if self.unit == 1 else 0

    @property
    def price_decimals(self) -> int:
        """Decimals of prices: what a single unit of money earns is a small number."""
        return 2 if self.step == 1 else 0

    def total(self, parts: Sequence[float]) -> float:
        """Total of parts as shown: what their displayed amounts add to."""
        return round(sum(largest_remainder(parts, self.decimals)), self.decimals)


def scale_of(view: PlanView) -> Scale:
    """Give the units for a plan: prices per about a thousandth of the budget, tables of about four digits."""
    size = max(view.budget, view.whole.spend)
    step = next(((float(s), name) for bar, s, name in _STEPS if size >= bar), (1.0, "1"))
    unit = next(((float(u), name) for bar, u, name in _UNITS if size >= bar), (1.0, ""))
    return Scale(0 if size >= 10_000 else 2, *step, *unit)
