"""Reading what studies are asked with: an input of a scenario, a table of a manual plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from allocator.api.fitting import ConvertibleTable
from allocator.errors import ArgumentError, DataError, Finding, closest
from allocator.quantities import Change, SpellingError, parse_money, parse_ratio, quoted
from allocator.response.curves import ALL
from allocator.scenario.schema import Scenario
from allocator.study.evaluate import Given


def value_at(scenario: Scenario, path: str) -> object:
    """Give what a scenario has at a dotted path; None for nothing."""
    here: object = scenario
    for step in path.split("."):
        here = here.get(step) if isinstance(here, Mapping) else getattr(here, step, None)
    return here


def number_of(value: object) -> float | None:
    """Give a value as a number; None where it is none."""
    inner = value.value if isinstance(value, Change) else value
    return float(inner) if isinstance(inner, int | float) and not isinstance(inner, bool) else None


def spelled_like(now: object, value: float, *, share: bool) -> object:
    """Write a number as a scenario file would where it now has another one."""
    if isinstance(now, Change):
        return str(Change(now.kind, round(value, 12), now.currency))
    if share:
        return f"{100 * value:.12g}%"
    return round(value) if isinstance(now, int) else value


def is_share(scenario: Scenario, path: str) -> bool:
    """Whether what a scenario has at a dotted path is written in percent."""
    written = scenario.tree.get(*path.split("."))
    now = value_at(scenario, path)
    return now.kind == "share" if isinstance(now, Change) else "%" in str(written.value if written else "")


def given_of(table: pd.DataFrame | ConvertibleTable | Mapping[str, float]) -> list[Given]:
    """Read a manual plan.

    Raises
    ------
    DataError
        For missing columns and money that cannot be read.
    """
    if isinstance(table, Mapping):
        table = pd.DataFrame({"channel": list(table), "spend": list(table.values())})
    frame = table if isinstance(table, pd.DataFrame) else table.to_pandas()
    missing = [name for name in ("channel", "spend") if name not in frame.columns]
    if missing:
        near = closest(missing[0], map(str, frame.columns))
        fix = (
            f"did you mean {quoted(near)}?"
            if near
            else "a manual plan has channel, spend, perhaps tier, period"
        )
        raise DataError(Finding("E303", None, f"the table has no column {quoted(missing[0])}", fix))
    texts = {
        name: frame[name].astype(object).where(frame[name].notna(), "").astype(str).tolist()
        if name in frame.columns
        else [""] * len(frame)
        for name in ("channel", "tier", "period")
    }
    spend = [_money(value, line) for line, value in enumerate(frame["spend"].tolist(), start=1)]
    periods = ["" if period == ALL else period for period in texts["period"]]
    lines = zip(texts["channel"], spend, texts["tier"], periods, strict=True)
    return [Given(*line) for line in lines]


def _money(value: object, line: int) -> float:
    if not isinstance(value, str):
        return float("nan") if value is None else float(value)  # type: ignore[arg-type]
    try:
        return parse_money(value).value
    except SpellingError as error:
        raise DataError(Finding(error.code, None, f"line {line}: {error.what}", error.fix)) from None


def ranges(scenario: Scenario, over: Sequence[str], points: int) -> dict[str, list[object]]:
    """Read inputs to vary as the command line spells them.

    Parameters
    ----------
    scenario : Scenario
    over : sequence of str
        ``budget.total=400k..600k``, or ``budget.total=0.5..1.5x`` in multiples of the scenario's own value.
    points : int
        Values of each, both ends included.

    Raises
    ------
    ArgumentError
        For a range that is none.

    Examples
    --------
    >>> import allocator as al
    >>> scenario = al.load_scenario("scenarios/q1_base.yaml")
    >>> ranges(scenario, ["budget.total=0.5..1.5x"], 3)
    {'budget.total': [250000.0, 500000.0, 750000.0]}
    """
    found: dict[str, list[object]] = {}
    for text in over:
        path, equals, span = text.partition("=")
        first, dots, last = span.strip().partition("..")
        if not (path and equals and dots):
            fix = "write PATH=FROM..TO, such as budget.total=400k..600k or budget.total=0.5..1.5x"
            raise ArgumentError(Finding("E103", None, f"{quoted(text)} is no range", fix))
        now = value_at(scenario, path.strip())
        share = is_share(scenario, path.strip())
        times = 1.0
        if last.endswith("x"):
            last, times = last.removesuffix("x"), number_of(now) or 0.0
        ends = [times * _end(end.strip(), text, share=share) for end in (first, last)]
        values = np.linspace(ends[0], ends[1], points).tolist()
        found[path.strip()] = [spelled_like(now, value, share=share) for value in values]
    return found


def _end(value: str, text: str, *, share: bool) -> float:
    try:
        return parse_ratio(value) if share and value.endswith("%") else parse_money(value).value
    except SpellingError as error:
        raise ArgumentError(Finding(error.code, None, f"{quoted(text)}: {error.what}", error.fix)) from None


def target_of(text: str) -> dict[str, float]:
    """Read a target as the command line spells it.

    Examples
    --------
    >>> target_of("return=2.5M"), target_of("roi=40%")
    ({'return': 2500000.0}, {'roi': 0.4})
    """
    output, equals, number = (part.strip() for part in text.partition("="))
    if not (output and equals):
        fix = "write OUTPUT=NUMBER, such as return=2.5M or roi=40%"
        raise ArgumentError(Finding("E103", None, f"{quoted(text)} is no target", fix))
    return {output: _end(number, text, share=True)}
