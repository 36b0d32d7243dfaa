"""Plans side by side: what differs in what was asked, and what differs in what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from allocator.errors import ArgumentError, Finding
from allocator.plan.solution import Solution
from allocator.scenario.schema import Scenario
from allocator.scenario.show import resolved
from allocator.study.outputs import channel_spend, outputs
from allocator.study.sweep import why_not

_LABELS = ("name", "description", "owner", "meta", "sweep")


@dataclass(frozen=True)
class InputDifference:
    """One path at which scenarios differ: what each has there as it is written, None for nothing."""

    path: str
    written: tuple[str | None, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Plans beside a reference, the first.

    Parameters
    ----------
    names : tuple of str
        Of the scenarios, each once.
    inputs : tuple of InputDifference
        In order of the reference.
    outputs : mapping of str to tuple of float or None
        What each plan comes to; None for what is not known, or without a plan.
    channels : mapping of str to tuple of float or None
        Money of every channel; None where a plan has none.
    reasons : tuple of str
        Why there is no plan; empty where there is one.
    """

    names: tuple[str, ...]
    inputs: tuple[InputDifference, ...]
    outputs: Mapping[str, tuple[float | None, ...]]
    channels: Mapping[str, tuple[float | None, ...]]
    reasons: tuple[str, ...]


def compare(plans: Sequence[tuple[Scenario, Solution]]) -> Comparison:
    """Put plans beside the first one.

    Raises
    ------
    ArgumentError
        For fewer than two.
    """
    if len(plans) < 2:
        raise ArgumentError(Finding("E103", None, f"a comparison takes at least two plans, not {len(plans)}"))
    found = [outputs(solution) for _, solution in plans]
    spent = [channel_spend(solution.cells) for _, solution in plans]
    return Comparison(
        names=_names([scenario.name for scenario, _ in plans]),
        inputs=inputs([scenario for scenario, _ in plans]),
        outputs={name: tuple(one[name] for one in found) for name in found[0]},
        channels={
            name: tuple(one.get(name) for one in spent)
            for name in dict.fromkeys(n for one in spent for n in one)
        },
        reasons=tuple(why_not(solution) for _, solution in plans),
    )


def inputs(scenarios: Sequence[Scenario]) -> tuple[InputDifference, ...]:
    """Give every path at which scenarios differ, names and descriptions left out."""
    written = [{row.path: row.value for row in resolved(scenario)} for scenario in scenarios]
    paths = dict.fromkeys(path for one in written for path in one if path.split(".")[0] not in _LABELS)
    pairs = ((path, tuple(one.get(path) for one in written)) for path in paths)
    return tuple(InputDifference(path, values) for path, values in pairs if len(set(values)) > 1)


def _names(stated: Sequence[str]) -> tuple[str, ...]:
    """Tell scenarios of the same name apart by their number.

    Examples
    --------
    >>> _names(["Base", "Base", "High"])
    ('Base', 'Base (2)', 'High')
    """
    found: list[str] = []
    for place, name in enumerate(stated, start=1):
        found.append(f"{name} ({place})" if name in found else name)
    return tuple(found)
