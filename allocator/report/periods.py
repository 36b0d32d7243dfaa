"""When the money goes: channels by periods, with quarters that their months add to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from math import fsum
from typing import NamedTuple

from allocator.quantities import largest_remainder
from allocator.report.document import Column, Entry, Money, Table, Text
from allocator.report.reconcile import reconciled
from allocator.report.scale import Scale
from allocator.report.view import PlanView
from allocator.response.periods import quarter_of

MOST_COLUMNS = 14  # with more periods quarters are shown, with more quarters years

Parts = dict[tuple[str, str], float]


class Span(NamedTuple):
    """A column in time: one of the parts that are rounded, or several that it adds up."""

    label: str
    parts: tuple[int, ...]


def by_period(view: PlanView, scale: Scale) -> Table:
    """Give the spend of every channel and period, rounded so that rows, quarters and totals add up.

    Below the total stands what arises in each period.
    """
    label, names = parts_of(view.periods)
    spans = spans_of(names)
    spend, margin = _amounts(view, label)
    size = scale.unit / 10**scale.unit_decimals
    grid = reconciled(
        [[spend.get((channel.name, name), 0.0) / size for name in names] for channel in view.channels]
    )
    rows = [
        _row([spend.get((channel.name, name)) for name in names], grid.cells[i], spans, scale)
        for i, channel in enumerate(view.channels)
    ]
    total = _row([fsum(_in(spend, name)) for name in names], grid.columns, spans, scale)
    returns = [fsum(_in(margin, name)) for name in names]
    units = largest_remainder([value / size for value in returns])
    below = [total, _row(returns, [round(unit) for unit in units], spans, scale)]
    title = f"When the money goes{f' ({scale.unit_name})' if scale.unit_name else ''}"
    heads = [*(span.label for span in spans), "total"]
    channels = [channel.label for channel in view.channels]
    turned = tuple(
        (Text(head), *entries) for head, entries in zip(heads, zip(*rows, *below, strict=True), strict=True)
    )
    labelled = [
        (Text(name), *row) for name, row in zip([*channels, "total", "return"], [*rows, *below], strict=True)
    ]
    columns = (Column("channel", "left"), *map(Column, heads))
    side = (Column("period", "left"), *map(Column, [*channels, "total", "return"]))
    remark = _remark(view)
    return Table(
        title,
        columns,
        tuple(labelled[:-2]),
        tuple(labelled[-2:]),
        remark,
        Table(title, side, turned[:-1], turned[-1:], remark),
    )


def parts_of(periods: Sequence[str]) -> tuple[Callable[[str], str], tuple[str, ...]]:
    """Give the parts of the horizon a table has room for, and what names the one a period lies in."""
    for label in (str, quarter, _year):
        names = tuple(dict.fromkeys(map(label, periods)))
        if len(names) <= MOST_COLUMNS:
            break
    return label, names


def spans_of(names: Sequence[str]) -> tuple[Span, ...]:
    """Give the columns: every part, and after the months of a quarter their sum where there are several.

    Examples
    --------
    >>> [span.label for span in spans_of(["2027-02", "2027-03", "2027-04"])]
    ['2027-02', '2027-03', '2027-Q1', '2027-04', '2027-Q2']
    """
    quarters = [quarter_of(name) for name in names]
    several = len(set(quarters)) > 1 and None not in quarters and quarters != list(names)
    spans: list[Span] = []
    for i, name in enumerate(names):
        spans.append(Span(name, (i,)))
        if several and (i + 1 == len(names) or quarters[i + 1] != quarters[i]):
            spans.append(Span(str(quarters[i]), tuple(j for j, q in enumerate(quarters) if q == quarters[i])))
    return tuple(spans)


def quarter(period: str) -> str:
    """Give the quarter a period begins in; a week belongs where its Thursday is.

    Examples
    --------
    >>> quarter("2027-W13"), quarter("2027-05"), quarter("2027-Q3")
    ('2027-Q2', '2027-Q2', '2027-Q3')
    """
    year, _, part = period.partition("-W")
    if part.isdecimal() and year.isdecimal():
        thursday = date.fromisocalendar(int(year), int(part), 4)
        return f"{thursday.year}-Q{(thursday.month + 2) // 3}"
    return quarter_of(period) or period


def _year(period: str) -> str:
    return quarter(period).partition("-")[0]


def _amounts(view: PlanView, label: Callable[[str], str]) -> tuple[Parts, Parts]:
    """Add up spend and return by channel and part of the horizon."""
    spend: Parts = {}
    margin: Parts = {}
    for result in view.solution.cells:
        key = (result.cell.channel, label(result.cell.period))
        spend[key] = spend.get(key, 0.0) + result.spend
        margin[key] = margin.get(key, 0.0) + result.margin
    return spend, margin


def _in(parts: Parts, name: str) -> Iterable[float]:
    return (value for (_, part), value in parts.items() if part == name)


def _row(
    values: Sequence[float | None], counts: Sequence[int], spans: Sequence[Span], scale: Scale
) -> tuple[Entry, ...]:
    """Give the entries of a row and its total; what is shown of a span adds up what is shown of its parts."""
    every = Span("total", tuple(range(len(values))))
    return tuple(_entry(span, values, counts, scale) for span in (*spans, every))


def _entry(span: Span, values: Sequence[float | None], counts: Sequence[int], scale: Scale) -> Money:
    known = [value for j in span.parts if (value := values[j]) is not None]
    if not known:
        return Money(None)
    decimals = scale.unit_decimals
    return Money(fsum(known), sum(counts[j] for j in span.parts) / 10**decimals, decimals)


def _remark(view: PlanView) -> str:
    if not view.carrying:
        return ""
    last = "the last one also what comes after the horizon"
    return f"return counts what arises in a period, {last} ({', '.join(view.carrying)})"
