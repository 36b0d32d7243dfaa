"""Where the money goes: by channel, and by tier and channel."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.quantities import largest_remainder
from allocator.report.document import Bar, Column, Entry, Money, Percent, Ratio, Table, Text
from allocator.report.reconcile import reconciled
from allocator.report.scale import Scale
from allocator.report.view import ChannelView, PlanView

TIED = "*"
STOPPED = "°"

Rows = tuple[tuple[Entry, ...], ...]


def by_channel(view: PlanView, scale: Scale) -> Table:
    """Give the table of channels: now, plan, return, per unit, next unit, evidence."""
    known = any(view.of_channel(channel.name).current is not None for channel in view.channels)
    columns = [
        Column("channel", "left"),
        Column("now", drop=4),
        Column("plan"),
        Column("change", drop=3),
        Column("", "left", drop=5),
        Column("return"),
        Column("per 1"),
        Column("next 1", drop=1),
        Column("evidence", "left", drop=2),
    ]
    keep = [i for i, column in enumerate(columns) if known or column.head not in ("now", "change")]
    rows = _channel_rows(view, scale)
    return Table(
        "Where the money goes",
        tuple(columns[i] for i in keep),
        tuple(tuple(row[i] for i in keep) for row in rows),
        (tuple(_channel_total(view, scale, rows)[i] for i in keep),),
        f"{STOPPED} a limit other than the budget stops more" if _any_stopped(view) else "",
    )


def _next_unit(view: PlanView, channel: str) -> Ratio:
    earns, stopped = view.next_unit_in(channel)
    return Ratio(earns, mark=STOPPED if stopped else _unmarked(view))


def _unmarked(view: PlanView) -> str:
    """Give the room that a mark takes in other rows, so that digits stay aligned."""
    return " " if _any_stopped(view) else ""


def _any_stopped(view: PlanView) -> bool:
    return any(view.next_unit_in(channel.name).stopped for channel in view.channels)


def _channel_rows(view: PlanView, scale: Scale) -> Rows:
    parts = [view.of_channel(channel.name) for channel in view.channels]
    now = _amounts([part.current for part in parts], scale)
    plan = _amounts([part.spend for part in parts], scale)
    margin = _amounts([part.margin for part in parts], scale)
    longest = max((part.spend for part in parts), default=0.0) or 1.0
    return tuple(
        (
            Text(channel.label),
            now[i],
            plan[i],
            _change(plan[i], now[i], scale),
            Bar(part.spend / longest),
            margin[i],
            Ratio(part.return_per_unit),
            _next_unit(view, channel.name),
            Text(channel.evidence.value),
        )
        for i, (channel, part) in enumerate(zip(view.channels, parts, strict=True))
    )


def _channel_total(view: PlanView, scale: Scale, rows: Rows) -> tuple[Entry, ...]:
    now, plan, margin = (_sum([row[column] for row in rows], scale) for column in (1, 2, 5))
    return (
        Text("total"),
        now,
        plan,
        _change(plan, now, scale),
        Bar(None),
        margin,
        Ratio(view.whole.return_per_unit),
        Ratio(view.solution.marginal_return, mark=_unmarked(view)),
        Text(""),
    )


def _amounts(values: Sequence[float | None], scale: Scale) -> list[Money]:
    """Round the known amounts so that they add to their rounded total."""
    shown = iter(largest_remainder([value for value in values if value is not None], scale.decimals))
    return [Money(None) if value is None else Money(value, next(shown), scale.decimals) for value in values]


def _sum(entries: Sequence[Entry], scale: Scale) -> Money:
    """Add what is shown; unknown as soon as one part is."""
    parts = [(entry.value, entry.shown) for entry in entries if isinstance(entry, Money)]
    known = [(value, shown) for value, shown in parts if value is not None and shown is not None]
    if len(known) < len(parts):
        return Money(None)
    shown = round(sum(shown for _, shown in known), scale.decimals)
    return Money(sum(value for value, _ in known), shown, scale.decimals)


def _change(plan: Money, now: Money, scale: Scale) -> Money:
    if plan.value is None or now.value is None or plan.shown is None or now.shown is None:
        return Money(None)
    shown = round(plan.shown - now.shown, scale.decimals)
    return Money(plan.value - now.value, shown, scale.decimals, signed=True)


def by_tier(view: PlanView, scale: Scale) -> Table:
    """Give the spend of every tier and channel, rounded so that rows and columns both add up."""
    body = _tier_body(view, scale)
    returns = [view.of_tier(tier.name).margin for tier in view.tiers]
    shares, shown_returns = _tier_shares(view), _scaled(returns, scale)
    tiers, channels = [tier.label for tier in view.tiers], [_marked(channel) for channel in view.channels]
    title = f"Plan by tier and channel{f' ({scale.unit_name})' if scale.unit_name else ''}"
    remark = f"{TIED} split over tiers assumed" if any(channel.tied for channel in view.channels) else ""
    beside = [[*row, *more] for row, more in zip(body, zip(shares, shown_returns, strict=True), strict=True)]
    upright = _labelled([*tiers, "total"], beside)
    below = [*map(list, zip(*body, strict=True)), shares, shown_returns]
    turned = _labelled([*channels, "total", "share", "return"], below)
    side = Table(title, _columns("channel", [*tiers, "total"]), turned[:-3], turned[-3:], remark)
    head = _columns("tier", [*channels, "total", "share", "return"])
    return Table(title, head, upright[:-1], upright[-1:], remark, side)


def _marked(channel: ChannelView) -> str:
    return channel.label + TIED if channel.tied else channel.label


def _columns(first: str, others: Sequence[str]) -> tuple[Column, ...]:
    return (Column(first, "left"), *(Column(head) for head in others))


def _labelled(labels: Sequence[str], body: Sequence[Sequence[Entry]]) -> Rows:
    return tuple((Text(label), *row) for label, row in zip(labels, body, strict=True))


def _tier_body(view: PlanView, scale: Scale) -> list[list[Entry]]:
    """Give spend by tier (rows) and channel, with totals as the last column and the last row."""
    spend = [[view.spend_in(tier.name, c.name) for c in view.channels] for tier in view.tiers]
    size = scale.unit / 10**scale.unit_decimals
    grid = reconciled([[(value or 0.0) / size for value in row] for row in spend])
    exact: list[list[float | None]] = [
        [*row, view.of_tier(tier.name).spend] for tier, row in zip(view.tiers, spend, strict=True)
    ]
    exact.append([*(view.of_channel(c.name).spend for c in view.channels), view.whole.spend])
    shown = [[*row, total] for row, total in zip(grid.cells, grid.rows, strict=True)]
    shown.append([*grid.columns, grid.total])
    return [
        [_in_units(value, count, scale) for value, count in zip(values, counts, strict=True)]
        for values, counts in zip(exact, shown, strict=True)
    ]


def _in_units(value: float | None, count: int, scale: Scale) -> Entry:
    decimals = scale.unit_decimals
    return Money(None) if value is None else Money(value, count / 10**decimals, decimals)


def _tier_shares(view: PlanView) -> list[Entry]:
    """Give each tier's share of the spend, and their total."""
    whole = view.whole.spend
    if whole <= 0:
        return [Percent(None)] * (len(view.tiers) + 1)
    shares = [view.of_tier(tier.name).spend / whole for tier in view.tiers]
    shown = largest_remainder(shares, 2)
    return [*(Percent(*pair) for pair in zip(shares, shown, strict=True)), Percent(1.0)]


def _scaled(values: Sequence[float], scale: Scale) -> list[Entry]:
    """Give amounts in the table's unit, and their total."""
    decimals = scale.unit_decimals
    shown = largest_remainder([value / scale.unit for value in values], decimals)
    parts = [Money(value, units, decimals) for value, units in zip(values, shown, strict=True)]
    return [*parts, Money(sum(values), round(sum(shown), decimals), decimals)]
