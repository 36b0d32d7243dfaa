"""Studies of doubt: every input moved, and a plan under bad luck."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from allocator.api.plans import Plan
from allocator.api.study_base import Study, header, objective_of, subtitle
from allocator.quantities import money, money_short, percent, signed_money
from allocator.report.document import Column, Document, Entry, Figure, Money, Percent, Table, Text
from allocator.scenario.schema import Scenario
from allocator.study.stress import Stress as Stressed
from allocator.study.tornado import Bar, Swing
from allocator.study.tornado import Tornado as Moved


@dataclass(frozen=True, eq=False)
class Tornado(Study):
    """Every input moved both ways, the one that matters most first.

    Parameters
    ----------
    scenario : Scenario
    result : allocator.study.tornado.Tornado
    """

    scenario: Scenario
    result: Moved

    def to_frame(self) -> pd.DataFrame:
        """Give one row an input.

        Returns
        -------
        pandas.DataFrame
            ``input``, ``kind`` (budget, limit, response, cost), ``value``, ``low`` and ``high`` (change of
            the objective when it is lowered, raised, and the plan made anew; nan where there is none),
            ``low_kept`` and ``high_kept`` (the same for the plan as it is), ``low_regret`` and
            ``high_regret`` (what keeping it loses; nan where it is not allowed), ``width``.
        """
        base = self.result.objective
        return pd.DataFrame(
            [
                {
                    "input": bar.name,
                    "kind": bar.kind,
                    "value": bar.value,
                    **_swing_columns("low", bar.low, base),
                    **_swing_columns("high", bar.high, base),
                    "width": bar.width(base),
                }
                for bar in self.result.bars
            ],
            columns=["input", "kind", "value", *_SWINGS, "width"],
        )

    def _data(self) -> dict[str, Any]:
        base = self.result.objective
        return header("tornado", self.scenario) | {
            "by": self.result.by,
            "objective": base,
            "inputs": [
                {
                    "input": bar.name,
                    "kind": bar.kind,
                    "value": bar.value,
                    "width": bar.width(base),
                    **{
                        side: {"factor": one.factor, "objective": one.objective, "kept": one.kept,
                               "breaks": list(one.breaks), "regret": one.regret}
                        for side, one in (("low", bar.low), ("high", bar.high))
                    },
                }
                for bar in self.result.bars
            ],
        }  # fmt: skip

    @property
    def _document(self) -> Document:
        by = percent(self.result.by, None)
        columns = (
            Column("input", "left"), Column(f"-{by}"), Column(f"+{by}"), Column(f"kept at -{by}", drop=1),
            Column(f"kept at +{by}", drop=1),
        )  # fmt: skip
        rows = tuple(self._row(bar) for bar in self.result.bars)
        what = objective_of(self.scenario)
        title = f"What each input does to the {what} of {money(self.result.objective)}"
        remark = "kept: the plan as it is now, not made anew; * it then breaks a limit"
        return Document(
            self.scenario.name,
            subtitle("tornado", self.scenario),
            tables=(Table(title, columns, rows, remark=remark),),
        )

    def _row(self, bar: Bar) -> tuple[Entry, ...]:
        base = self.result.objective
        anew = [
            "no plan" if one.objective is None else signed_money(one.objective - base)
            for one in (bar.low, bar.high)
        ]
        kept = [signed_money(one.kept - base) + ("*" if one.breaks else "") for one in (bar.low, bar.high)]
        return (Text(bar.name), *map(Text, anew), *map(Text, kept))


_SWINGS = ("low", "high", "low_kept", "high_kept", "low_regret", "high_regret")


def _swing_columns(side: str, swing: Swing, base: float) -> Mapping[str, float | None]:
    return {
        side: None if swing.objective is None else swing.objective - base,
        f"{side}_kept": swing.kept - base,
        f"{side}_regret": swing.regret,
    }


@dataclass(frozen=True, eq=False)
class Stress(Study):
    """A plan over all draws of its curves.

    Parameters
    ----------
    plan : Plan
    result : allocator.study.stress.Stress
    """

    plan: Plan
    result: Stressed

    def to_frame(self) -> pd.DataFrame:
        """Give one row a draw: ``draw`` and ``objective``, the worst first."""
        values = pd.Series(self.result.outcomes, name="objective").sort_values(kind="stable")
        return values.rename_axis("draw").reset_index()

    def causes(self) -> pd.DataFrame:
        """Give one row a channel: how far its margin is off what is expected, in the worst tenth of draws."""
        return pd.DataFrame(list(self.result.causes.items()), columns=["channel", "shortfall"])

    def _data(self) -> dict[str, Any]:
        found = self.result
        return header("stress", self.plan.scenario) | {
            "expected": found.expected,
            "quantiles": {f"{q:g}": value for q, value in found.quantiles.items()},
            "loss_probability": found.loss_probability,
            "beats_today": found.beats_today,
            "worst": [one._asdict() for one in found.worst],
            "causes": dict(found.causes),
            "regret": {"mean": found.regret.mean, "largest": found.regret.largest,
                       "draws": found.regret.draws.tolist(), "loss": found.regret.loss.tolist()},
            "outcomes": found.outcomes.tolist(),
        }  # fmt: skip

    @property
    def _document(self) -> Document:
        columns = (Column("channel", "left"), Column("off by"))
        rows = tuple((Text(name), Money(off, signed=True)) for name, off in self.result.causes.items())
        title = "What makes the worst tenth of draws, against what is expected"
        scenario = self.plan.scenario
        return Document(
            scenario.name,
            subtitle("stress", scenario),
            figures=tuple(self._figures()),
            tables=(Table(title, columns, rows),),
        )

    def _figures(self) -> Iterator[Figure]:
        found = self.result
        low, high = (money_short(found.quantiles[q]) for q in (0.1, 0.9))
        what = objective_of(self.plan.scenario)
        yield Figure("Expected", Money(found.expected), (what, f"likely {low} to {high} (8 in 10)"))
        worst = found.worst[0]
        cause = f"{worst.channel} brings {money(abs(worst.shortfall))} less than expected"
        yield Figure("Worst", Money(worst.value), (f"of {len(found.outcomes)} draws", cause))
        yield Figure("Loss", Text(percent(found.loss_probability, 1)), ("of draws bring less than is spent",))
        if found.beats_today is not None:
            yield Figure("vs now", Percent(found.beats_today), ("of draws are ahead of today's plan",))
        regret = (
            f"on average, to know the draw beforehand; {money(found.regret.largest)} in the worst of "
            f"{len(found.regret.loss)} draws",
        )
        yield Figure("Regret", Money(found.regret.mean), regret)
