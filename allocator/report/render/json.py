"""A plan as data: schema ``allocator.result/1``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from allocator.errors import Finding, Origin
from allocator.plan.rows import Row
from allocator.plan.solution import (
    CellResult,
    Conflict,
    GoalResult,
    Repair,
    RowResult,
    Safety,
    Solution,
)
from allocator.report.spelling import MADE_UP
from allocator.report.view import ChannelView, CheckedReturn, PlanView, package_version

SCHEMA = "allocator.result/1"

Data = dict[str, Any]


def to_dict(view: PlanView) -> Data:
    """Give a plan as plain data in the published schema, numbers unrounded.

    ``return`` is incremental margin, gross of spend; shares and roi are fractions; money without a plan is
    None. Numbers that are not finite become None, so that every JSON reader takes the text.
    """
    data = {**_provenance(view), **_frame(view), **_money(view), **_detail(view)}
    return {key: finite(value) for key, value in data.items()}


def to_json(views: Iterable[PlanView], *, many: bool = False) -> str:
    """Give one plan as a JSON object, several (or `many`) as an array, ending with a line break."""
    plans = [to_dict(view) for view in views]
    data = plans[0] if len(plans) == 1 and not many else plans
    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _provenance(view: PlanView) -> Data:
    solution = view.solution
    return {
        "schema": SCHEMA,
        "scenario": view.name,
        "scenario_sha256": view.scenario_sha256,
        "data_sha256": view.data_sha256,
        "allocator_version": package_version(),
        "solver": solution.solver,
        "seed": view.seed,
        "status": solution.status.value,
        "optimality": _optimality(solution),
        "objective": {
            "name": view.objective,
            "value": solution.objective if view.has_plan else None,
            "worth": solution.worth if view.has_plan else None,
            "unit": view.counted or view.currency or "money",
        },
        "goals": [_goal(view, goal) for goal in solution.goals],
        "safety": _safety(solution.safety),
    }


def _goal(view: PlanView, goal: GoalResult) -> Data:
    name = goal.name or view.objective
    return {"name": name, "value": goal.value, "best": goal.best}


def _safety(safety: Safety | None) -> Data | None:
    if safety is None:
        return None
    return {
        "method": safety.method,
        "level": safety.level,
        "expected": safety.expected,
        "worth": safety.worth,
        "plain_expected": safety.plain_expected,
        "plain_worth": safety.plain_worth,
        "price": safety.price,
        "buys": safety.buys,
    }


def _optimality(solution: Solution) -> Data | None:
    proof = solution.optimality
    if proof is None:
        return None
    reached = solution.objective if solution.worth is None else solution.worth
    if solution.goals:  # the proof is of the first goal, before anything was given up
        reached = solution.goals[0].best
    return {
        "gap": proof.gap,
        "bound": None if reached is None else reached + proof.gap * abs(reached),
        "curve_error": proof.curve_error,
        "max_violation": proof.max_violation,
    }


def _frame(view: PlanView) -> Data:
    return {
        "units": _units(view.currency or "money", view),
        "currency": view.currency or None,
        "tiers": [tier.name for tier in view.tiers],
        "channels": [channel.name for channel in view.channels],
        "population": {tier.name: tier.population for tier in view.tiers},
        "evidence": [_evidence(view, channel) for channel in view.channels],
        "checked_return": _checked(view.checked),
    }


def _units(money: str, view: PlanView) -> dict[str, str]:
    active = ", with the same channels active" if view.solution.whole else ""
    return {
        "money": money,
        "return": f"{money} of incremental margin, gross of spend",
        "return_per_unit": f"{money} of incremental margin per {money} of spend",
        "marginal_return": f"{money} of incremental margin per further {money} of spend",
        "roi": "fraction: (return - spend) / spend",
        "share": "fraction of 1",
        "objective": view.counted or money,
        "shadow_price": f"objective per unit of the limit; for ratios per money of the limit's slack{active}",
        "cost_of_rule": "objective",
        "population": "customers",
        "contacts": "contacts",
        "conversions": "conversions",
    }


def _evidence(view: PlanView, channel: ChannelView) -> Data:
    spend = view.whole.spend
    share = view.of_channel(channel.name).spend / spend if view.has_plan and spend > 0 else None
    return {
        "channel": channel.name,
        "kind": channel.evidence.value,
        "source": channel.source,
        "share_of_spend": share,
    }


def _checked(checked: CheckedReturn | None) -> Data | None:
    if checked is None:
        return None
    return {
        "value": checked.value,
        "interval": _pair(checked.interval),
        "promised": checked.promised,
        "method": checked.method,
    }


def _money(view: PlanView) -> Data:
    whole, planned = view.whole, view.has_plan
    return {
        "budget": view.budget,
        "spend": whole.spend if planned else None,
        "return": whole.margin if planned else None,
        "profit": whole.profit if planned else None,
        "roi": whole.roi if planned else None,
        "return_per_unit": whole.return_per_unit if planned else None,
        "return_interval": _pair(view.solution.margin_interval),
        "marginal_return": view.solution.marginal_return,
        "current": _current(view.solution),
    }


def _current(solution: Solution) -> Data | None:
    today = solution.today
    if today is None:
        return None
    profit = today.margin - today.spend
    return {
        "spend": today.spend,
        "return": today.margin,
        "profit": profit,
        "roi": profit / today.spend if today.spend > 0 else None,
        "return_per_unit": today.margin / today.spend if today.spend > 0 else None,
        "beaten_in_share_of_draws": today.beaten_in,
    }


def _detail(view: PlanView) -> Data:
    rows = [row for row in view.solution.rows if row.row.kind not in MADE_UP]
    return {
        "cells": [_cell(cell) for cell in view.solution.cells],
        "binding": [_row(row) for row in rows if row.binding],
        "not_binding": [_row(row) for row in rows if not row.binding],
        "conflict": _conflict(view.solution.conflict, view.budget),
        "warnings": [finding_data(finding) for finding in view.findings],
        "rejects": dict(view.rejects),
    }


def _cell(result: CellResult) -> Data:
    return {
        "tier": result.cell.tier,
        "channel": result.cell.channel,
        "period": result.cell.period,
        "current": result.current,
        "spend": result.spend,
        "return": result.margin,
        "return_interval": _pair(result.margin_interval),
        "return_per_unit": result.margin / result.spend if result.spend > 0 else None,
        "marginal_return": result.marginal_return,
        "contacts": result.contacts,
        "conversions": result.conversions,
        "tied": result.tied,
    }


def _row(result: RowResult) -> Data:
    return {
        "name": result.row.name,
        "source": result.row.path,
        "kind": result.row.kind,
        "limit": result.limit,
        "value": result.value,
        "shadow_price": result.next_unit,
        "next_unit": result.next_unit,
        "last_unit": result.last_unit,
        "range": _pair(result.range),
        "missed": result.missed,
        "cost_of_rule": result.cost,
        "reason": result.row.reason,
        **_place(result.row.origin),
    }


def _conflict(conflict: Conflict | None, budget: float) -> Data | None:
    if conflict is None:
        return None
    return {
        "rows": [_conflicting(row, budget) for row in conflict.rows],
        "repairs": [_repair(repair) for repair in conflict.repairs],
        "further": [[_conflicting(row, budget) for row in rows] for rows in conflict.further],
    }


def _conflicting(row: Row, budget: float) -> Data:
    return {
        "name": row.name,
        "source": row.path,
        "kind": row.kind,
        "limit": row.written(budget),
        "reason": row.reason,
        **_place(row.origin),
    }


def _repair(repair: Repair) -> Data:
    changes = [
        {"name": row.name, "source": row.path, "limit": limit}
        for row, limit in zip(repair.rows, repair.limits, strict=True)
    ]
    return {"text": repair.text, "money": repair.money, "changes": changes}


def finding_data(finding: Finding) -> Data:
    """Give a finding's fields and place."""
    return {"code": finding.code, "what": finding.what, "fix": finding.fix, **_place(finding.where)}


def _place(origin: Origin | None) -> Data:
    return {"file": origin.file, "line": origin.line} if origin else {"file": None, "line": None}


def _pair(pair: tuple[float | None, float | None] | None) -> list[float | None] | None:
    return None if pair is None else list(pair)


def finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Give plain Python data: numpy numbers as float or int, what is not finite as None."""
    if isinstance(value, Mapping):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
