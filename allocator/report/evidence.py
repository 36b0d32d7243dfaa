"""What tests and history say of channels, for people: who responds more, how well a fit tells the unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from allocator.models.uplift.board import CLEAR, BoardRow, ChannelRow
from allocator.quantities import count, percent, ratio
from allocator.report.document import Column, Entry, Figure, Table, Text
from allocator.report.record import HistoryRecord, UpliftRecord

Label = Callable[[str], str]


def targeting_figure(record: UpliftRecord, label: Label) -> Figure:
    """Say whether choosing customers by expected uplift beats drawing lots."""
    board = record.board
    chosen = board.row(board.chosen)
    parts = sum(record.segments.values())
    size = f"{count(record.customers)} customers in the test, {count(parts)} groups to plan for"
    lines = [board.reason, size]
    lines += [f"{label(one.channel)}: {_verdict(one)}" for one in chosen.channels]
    return Figure("Targeting", Text(board.chosen), tuple(lines))


def _verdict(row: ChannelRow) -> str:
    """Say in words what a Qini area and a slope mean."""
    if row.slope is None:
        return "nobody of a tier is told apart"
    beats = row.qini > CLEAR * row.qini_error
    verdict = "targeting beats random" if beats else "targeting is not distinguishable from random"
    area = f"Qini area {ratio(row.qini, 4)} ± {ratio(row.qini_error, 4)}"
    return f"{verdict} ({area}); {percent(row.kept)} of differences kept"


def uplift_table(record: UpliftRecord | None, label: Label) -> Table:
    """Give how the learners did on customers they had not seen, the best first."""
    rows = record.board.rows if record else ()
    channels = [one.channel for one in rows[0].channels] if rows else []
    columns = (
        Column("learner", "left"), Column("loss"), Column("behind", drop=1), Column("± noise", drop=1),
        *(Column(f"Qini {label(name)}") for name in channels),
        *(Column(f"slope {label(name)}", drop=2) for name in channels),
    )  # fmt: skip
    chosen = record.board.chosen if record else ""
    return Table(
        "Who responds more, on customers the learners had not seen (loss: in 1/10,000 of the variance)",
        columns,
        tuple(_entries(row, chosen) for row in rows),
    )


def _entries(row: BoardRow, chosen: str) -> tuple[Entry, ...]:
    return (
        Text(f"{row.label} *" if row.label == chosen else row.label),
        Text(ratio(1e4 * row.loss)),
        Text(ratio(1e4 * row.behind)),
        Text(ratio(1e4 * row.noise)),
        *(Text(_area(one)) for one in row.channels),
        *(Text("–" if one.slope is None else ratio(one.slope)) for one in row.channels),
    )


def _area(row: ChannelRow) -> str:
    return "–" if row.slope is None else f"{ratio(row.qini, 4)} ± {ratio(row.qini_error, 4)}"


def history_figures(records: Iterable[HistoryRecord], tier_label: Label) -> Iterator[Figure]:
    """Say how a fit to history tells the periods it was not shown."""
    for record in records:
        held = record.holdout
        if held is None:
            continue
        known, without = held.with_media, held.without_media
        whose = f"{tier_label(record.tier)}, " if record.tier else ""
        lines = (
            f"{whose}of the last {count(held.n_periods)} periods, which it was not shown: error "
            f"{percent(known.mape, 1)} a period, {percent(known.total_error, 1)} in total",
            f"without media: {percent(without.mape, 1)} a period, {percent(without.total_error, 1)} in total",
        )
        yield Figure("Media mix", Text(f"R² {ratio(known.r2)}"), lines)
