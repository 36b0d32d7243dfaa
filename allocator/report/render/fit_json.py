"""A forecast as data: schema ``allocator.fit/1``."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import date
from typing import Any

import numpy as np

from allocator.report.fitted import FitView
from allocator.report.render.json import finding_data, finite
from allocator.report.view import package_version
from allocator.response.curves import Response
from allocator.stages.frames import effect_rows, tier_rows

SCHEMA = "allocator.fit/1"

Data = dict[str, Any]


def fit_to_dict(view: FitView) -> Data:
    """Give a forecast as plain data, numbers unrounded; what is not known is None."""
    scenario, found = view.scenario, view.found
    data = {
        "schema": SCHEMA,
        "scenario": scenario.name,
        "scenario_sha256": scenario.sha256,
        "data_sha256": found.tables.sha256,
        "allocator_version": package_version(),
        "currency": scenario.currency or None,
        "seed": scenario.risk.seed,
        "population": dict(found.customers.sizes),
        "tiers": [asdict(row) for row in tier_rows(found.customers)],
        "clv": _clv(view),
        "effects": [asdict(row) for row in effect_rows(found.tested)],
        "curves": [_curve(response) for response in found.curves],
        "combine": found.curves.combine,
        "warnings": [finding_data(finding) for finding in view.findings],
        "rejects": found.tables.rejects,
    }
    return {key: finite(value) for key, value in data.items()}


def fit_to_json(view: FitView) -> str:
    """Give `fit_to_dict` as text, ending with a line break."""
    return json.dumps(fit_to_dict(view), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _clv(view: FitView) -> Data | None:
    made = view.found.customers.predictions
    if made is None:
        return None
    return {
        "as_of": made.summary.as_of.isoformat(),
        "customers": len(made.summary),
        "orders": made.summary.rows.used,
        "horizon_weeks": made.terms.horizon_weeks,
        "margin": made.terms.margin,
        "discount_rate": made.terms.discount_rate,
        "purchases": _parameters(made.model.purchases),
        "value": _parameters(made.model.spend),
        "holdout": _holdout(view),
    }


def _parameters(model: object) -> Data:
    """Give the model's name and every plain number of it."""
    numbers = {
        field.name: getattr(model, field.name)
        for field in fields(model)  # type: ignore[arg-type]
        if isinstance(getattr(model, field.name), int | float)
    }
    return {"model": type(model).__name__.removeprefix("Fitted"), **numbers}


def _holdout(view: FitView) -> Data | None:
    if view.judged is None:
        return None
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(view.judged).items()
    }


def _curve(response: Response) -> Data:
    curve = response.curve
    ends = None if curve.draws is None else np.quantile(curve.draws, [0.1, 0.9], axis=0)
    return {
        "channel": response.channel,
        "tier": response.tier,
        "period": response.period,
        "segment": response.segment,
        "population": response.population,
        "evidence": response.evidence.value,
        "source": response.source,
        "spend": curve.spend.tolist(),
        "value": curve.value.tolist(),
        "value_low": None if ends is None else ends[0].tolist(),
        "value_high": None if ends is None else ends[1].tolist(),
    }
