"""One input of a scenario as a number that can be moved."""

from __future__ import annotations

from dataclasses import dataclass

from allocator.api.study_inputs import is_share, number_of, spelled_like, value_at
from allocator.errors import ArgumentError, Finding
from allocator.quantities import quoted
from allocator.scenario.schema import Scenario

CENT = 0.01
MONEY = 100.0
"""An input this large is money, and found to the cent."""


@dataclass(frozen=True)
class Varied:
    """What a scenario has at a dotted path: money, a count, a ratio, or a share as a fraction."""

    scenario: Scenario
    path: str

    @property
    def is_share(self) -> bool:
        """Whether it is written in percent."""
        return is_share(self.scenario, self.path)

    def start(self, stated: float | None) -> float:
        """Give a value to start a search from: the one stated, else the scenario's own.

        Raises
        ------
        ArgumentError
            Where there is neither.
        """
        begin = stated if stated is not None else number_of(value_at(self.scenario, self.path))
        if begin is None:
            what = f"the scenario has no number at {quoted(self.path)} to begin with"
            raise ArgumentError(Finding("E103", None, what, "state one by start="))
        return begin

    def unit(self, start: float) -> float:
        """Give what its values are multiples of; 0 for any."""
        if isinstance(value_at(self.scenario, self.path), int):
            return 1.0
        return CENT if abs(start) >= MONEY else 0.0

    def at(self, value: float) -> Scenario:
        """Give the scenario with another value there, spelled as its own is."""
        now = value_at(self.scenario, self.path)
        return self.scenario.override({self.path: spelled_like(now, value, share=self.is_share)})
