"""The document of a backtest: what a plan promised, what came, and what simple plans would have brought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from allocator.quantities import count, money_short, percent, ratio, signed_money
from allocator.report.document import Column, Document, Entry, Figure, Money, Table, Text
from allocator.report.forecasting import holdout_figure
from allocator.report.render.fit_json import plain
from allocator.report.view import package_version
from allocator.scenario.schema import Scenario
from allocator.study.backtest import LIKELY, PLAN, Backtest, PolicyRow

SCHEMA = "allocator.backtest/1"


@dataclass(frozen=True, eq=False)
class BacktestView:
    """A backtest with the words of its scenario."""

    scenario: Scenario
    backtest: Backtest


def build_backtest(view: BacktestView) -> Document:
    """Give the document: the promise against what came, and the plan against simple ones."""
    found = view.backtest
    tables = (_policies(found),) if found.policies else ()
    return Document(
        title=view.scenario.name,
        subtitle=tuple(item for item in ("backtest", view.scenario.currency) if item),
        figures=tuple(_figures(found)),
        tables=tables,
    )


def _figures(found: Backtest) -> Iterator[Figure]:
    if found.policies and found.promised is not None:
        yield _promise(found.promised, found.policies[0])
    if found.judged is not None:
        yield holdout_figure(found.judged)
    for held in found.media:
        score, without = held.with_media, held.without_media
        remarks = (
            f"of the last {count(held.n_periods)} periods, which the media mix was not shown: error "
            f"{percent(score.mape, 1)} a period, {percent(score.total_error, 1)} in total",
            f"without media {percent(without.mape, 1)} and {percent(without.total_error, 1)}",
        )
        yield Figure("Media mix", Text(f"R² {ratio(score.r2)}"), remarks)
    if not (found.policies or found.judged or found.media):
        yield Figure("Nothing", Text("to judge by"), ("no test of contacts, no orders and no spend history",))


def _promise(promised: float, plan: PolicyRow) -> Figure:
    reach = LIKELY * plan.margin_error
    low, high = money_short(plan.margin - reach), money_short(plan.margin + reach)
    remarks = [
        "margin of the tested channels, by customers who did not choose the plan",
        f"likely {low} to {high} (8 in 10)",
        f"promised {money_short(promised)}, {_kept(promised, plan, reach)}",
    ]
    return Figure("Came", Money(plan.margin), tuple(remarks))


def _kept(promised: float, plan: PolicyRow, reach: float) -> str:
    if plan.margin <= reach:
        return "but what came cannot be told from nothing"
    verdict = "within chance" if abs(promised - plan.margin) <= reach else "beyond chance"
    return f"{ratio(promised / plan.margin)} times what came, {verdict}"


def _policies(found: Backtest) -> Table:
    columns = (
        Column("plan", "left"), Column("spend"), Column("margin"), Column("± error", drop=2),
        Column("profit"), Column("plan ahead by"), Column("± error", drop=1), Column("", "left"),
    )  # fmt: skip
    title = "The plan against simple ones, each valued by customers who chose none of them"
    return Table(title, columns, tuple(_entries(row) for row in found.policies))


def _entries(row: PolicyRow) -> tuple[Entry, ...]:
    own = row.name == PLAN
    return (
        Text(row.name),
        Money(row.spend),
        Money(row.margin),
        Money(row.margin_error),
        Money(row.profit),
        Text("" if own else signed_money(row.behind)),
        Text("" if own else money_short(row.behind_error)),
        Text("level, within chance" if row.is_level and not own else ""),
    )


def backtest_to_dict(view: BacktestView) -> dict[str, Any]:
    """Give a backtest as plain data in the schema ``allocator.backtest/1``, numbers unrounded."""
    found = view.backtest
    return {
        "schema": SCHEMA,
        "scenario": view.scenario.name,
        "scenario_sha256": view.scenario.sha256,
        "allocator_version": package_version(),
        "currency": view.scenario.currency or None,
        "seed": view.scenario.risk.seed,
        "promised": found.promised,
        "policies": [asdict(row) | {"profit": row.profit} for row in found.policies],
        "customers": None if found.judged is None else plain(asdict(found.judged)),
        "media": [asdict(held) for held in found.media],
    }
