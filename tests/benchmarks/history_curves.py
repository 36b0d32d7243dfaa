"""Curves from spend history against known ones: ``python tests/benchmarks/history_curves.py [--json]``.

On simulated regions with known curves (20 regions, 104 weeks, four channels that bring a quarter of the
outcome, noise 5 %, log spend varying by .5, independent; seeds 0-49): the share of channels whose marginal
return at current spend is within 20 % of the truth, and on the sum of the regions how often the 80 % interval
contains it. Beside them, without bars: what the draws promise over the truth, how often warnings are raised,
and how the public simulated histories are told over their last fifth, where they lie beside the checkout.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.models.media import MediaFit, MediaMix, MediaPanel
from allocator.tables.sample.panels import MediaWorld, collinear_panel, demand_panel, regional_panel

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SEEDS = range(50)
SEEDS_OF_WARNINGS = range(20)
DRAWS = 500
NEAR = 0.2
FLOOR, CEILING = 0.70, 0.90
ROBYN = ("tv_S", "ooh_S", "print_S", "facebook_S", "search_S")


def panel_of(world: MediaWorld) -> MediaPanel:
    return MediaPanel(
        world.outcome,
        world.spend,
        world.channels,
        world.controls,
        ("promotion",),
        world.regions,
        7.0,
        world.starts,
    )


def judged(world: MediaWorld, fit: MediaFit) -> list[tuple[float, float, float, float]]:
    """Give for every channel the marginal return at current spend: truth, estimate, 80 % interval."""
    rows = []
    for at, channel in enumerate(world.channels):
        spend = world.current[at : at + 1]
        draws = fit.marginal_draws(channel, spend)[:, 0]
        low, high = np.quantile(draws, (0.1, 0.9))
        rows.append((float(world.truth.marginal(at, spend)[0]), float(draws.mean()), float(low), float(high)))
    return rows


def against_truth(*, national: bool) -> dict[str, float]:
    rows, began = [], time.process_time()
    for seed in SEEDS:
        world = regional_panel(seed)
        panel = panel_of(world).total() if national else panel_of(world)
        rows += judged(world, MediaMix().fit(panel, draws=DRAWS, seed=seed))
    true, told, low, high = np.array(rows).T
    return {
        "within": float((np.abs(told / true - 1) <= NEAR).mean()),
        "coverage": float(((low <= true) & (true <= high)).mean()),
        "promised": float(told.sum() / true.sum()),
        "width": float(np.median(high / low)),
        "cpu_s": (time.process_time() - began) / len(SEEDS),
    }


def warned(make: Callable[[int], MediaWorld], code: str, *, national: bool = False) -> float:
    """Give the share of worlds in which a warning is raised."""
    raised = 0
    for seed in SEEDS_OF_WARNINGS:
        panel = panel_of(make(seed)).total() if national else panel_of(make(seed))
        fit = MediaMix(refits=20).fit(panel, draws=100, seed=seed)
        raised += code in {finding.code for finding in fit.findings}
    return raised / len(SEEDS_OF_WARNINGS)


def robyn() -> MediaPanel:
    table = pd.read_csv(DATA / "robyn_weekly_sim.csv.gz", parse_dates=["DATE"], keep_default_na=False)
    controls = pd.DataFrame(
        {
            "competitors": table["competitor_sales_B"].astype(float),
            "newsletter": table["newsletter"].astype(float),
            "event1": (table["events"] == "event1").astype(float),
            "event2": (table["events"] == "event2").astype(float),
        }
    )
    return MediaPanel(
        table["revenue"].to_numpy(float)[None],
        table[list(ROBYN)].to_numpy(float)[None],
        ROBYN,
        controls.to_numpy()[None],
        tuple(controls),
        ("all",),
        7.0,
        table["DATE"].to_numpy("datetime64[D]"),
    )


def meridian(name: str) -> MediaPanel:
    table = pd.read_csv(DATA / name, parse_dates=["time"])
    table = table.assign(geo="all") if "geo" not in table else table
    table["revenue"] = table["conversions"] * table["revenue_per_conversion"]
    spend = tuple(f"Channel{at}_spend" for at in range(5))
    controls = ("competitor_sales_control", "sentiment_score_control", "Promo", "Organic_channel0_impression")
    if "population" in table:
        table[controls[-1]] /= table["population"]
    geos = tuple(table["geo"].unique())
    by_geo = [table[table["geo"] == geo].sort_values("time") for geo in geos]
    return MediaPanel(
        np.stack([one["revenue"].to_numpy(float) for one in by_geo]),
        np.stack([one[list(spend)].to_numpy(float) for one in by_geo]),
        spend,
        np.stack([one[list(controls)].to_numpy(float) for one in by_geo]),
        controls,
        geos,
        7.0,
        by_geo[0]["time"].to_numpy("datetime64[D]"),
    )


HISTORIES: dict[str, Callable[[], MediaPanel]] = {
    "robyn_weekly_sim": robyn,
    "meridian_geo_weekly_sim": lambda: meridian("meridian_geo_weekly_sim.csv.gz"),
    "meridian_national_weekly_sim": lambda: meridian("meridian_national_weekly_sim.csv.gz"),
}


def told_of_public_histories() -> list[str]:
    lines = []
    for name, read in HISTORIES.items():
        if not (DATA / f"{name}.csv.gz").exists():
            lines.append(f"{name:28} not beside the checkout")
            continue
        panel = read()
        fit = MediaMix().fit(panel, draws=DRAWS, seed=1)
        held = fit.holdout
        scores = "   ".join(
            f"{label} R2 {one.r2:6.3f} MAPE {one.mape:6.1%} total {one.total_error:+6.1%}"
            for label, one in (("media:", held.with_media), ("without:", held.without_media))
        )
        brought = fit.contribution.sum() / panel.outcome.sum()
        codes = sorted({finding.code for finding in fit.findings})
        lines.append(f"{name:28} {scores}   media bring {brought:.0%}   {' '.join(codes)}")
    return lines


def figure(value: float, bar: object, holds: bool) -> dict[str, object]:
    return {"value": round(value, 4), "peer": None, "ratio": None, "bar": bar, "holds": holds}


def main() -> None:
    regional, national = against_truth(national=False), against_truth(national=True)
    near, covered = regional["within"], national["coverage"]
    found = {
        "marginal_within_20": figure(near, 0.8, near >= 0.8),
        "national_coverage": figure(covered, [FLOOR, CEILING], FLOOR <= covered <= CEILING),
    }
    if "--json" in sys.argv[1:]:
        print(json.dumps(found))
        return
    for name, one in found.items():
        print(f"{name:20} {one['value']:>7}   bar {one['bar']}   {'holds' if one['holds'] else 'MISSED'}")
    for name, one in (("regions", regional), ("national sum", national)):
        print(f"{name:20} " + "   ".join(f"{key} {value:.3f}" for key, value in one.items()))
    for name, make, code in (
        ("bought together", collinear_panel, "W422"),
        ("follows demand", demand_panel, "W424"),
        ("neither", regional_panel, "W422"),
        ("neither", regional_panel, "W424"),
    ):
        shares = warned(make, code), warned(make, code, national=True)
        print(f"{name:20} {code} raised by regions {shares[0]:.0%}, on the national sum {shares[1]:.0%}")
    print("\n".join(told_of_public_histories()))


if __name__ == "__main__":
    main()
