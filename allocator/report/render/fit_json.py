"""A forecast as data: schema ``allocator.fit/1``."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np

from allocator.report.fitted import FitView
from allocator.report.render.json import finding_data, finite
from allocator.report.view import package_version
from allocator.response.curves import Response

SCHEMA = "allocator.fit/1"

Data = dict[str, Any]


def fit_to_dict(view: FitView) -> Data:
    """Give a forecast as plain data, numbers unrounded; what is not known is None."""
    scenario, record = view.scenario, view.record
    data = {
        "schema": SCHEMA,
        "scenario": scenario.name,
        "scenario_sha256": scenario.sha256,
        "data_sha256": record.data_sha256,
        "allocator_version": package_version(),
        "currency": scenario.currency or None,
        "seed": scenario.risk.seed,
        "population": dict(record.sizes),
        "tiers": [asdict(row) for row in record.tiers],
        "clv": _clv(view),
        "effects": [asdict(row) for row in record.effects],
        "uplift": None if record.uplift is None else asdict(record.uplift),
        "history": [asdict(row) for row in record.history],
        "curves": [_curve(response) for response in view.curves],
        "combine": view.curves.combine,
        "warnings": [finding_data(finding) for finding in view.findings],
        "rejects": dict(record.rejects),
    }
    return {key: finite(value) for key, value in data.items()}


def fit_to_json(view: FitView) -> str:
    """Give `fit_to_dict` as text, ending with a line break."""
    return json.dumps(fit_to_dict(view), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _clv(view: FitView) -> Data | None:
    record = view.record.clv
    if record is None:
        return None
    data = asdict(record) | asdict(view.outlook) | {"drift": _drift(view)}
    return {name: plain(value) for name, value in data.items()}


def _drift(view: FitView) -> Data | None:
    drift = view.drift
    if drift is None:
        return None
    came = drift.calibration
    return {
        "has_aged": drift.has_aged,
        "too_little_to_tell": drift.too_little_to_tell,
        "features": {one.feature: one.psi for one in drift.features},
        "since": None
        if came is None
        else {"expected": came.expected, "actual": came.actual, "noise": came.noise, "slope": came.slope},
    }


def plain(value: object) -> object:
    """Give days as ISO text, whatever holds them.

    Examples
    --------
    >>> plain({"on": date(2026, 1, 31), "weeks": (1, 2)})
    {'on': '2026-01-31', 'weeks': [1, 2]}
    """
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


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
