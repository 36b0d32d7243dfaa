"""How customers were forecast, for people: the models, how they compare, how good the forecast was."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.models.clv.leaderboard import Row
from allocator.models.clv.level import Level
from allocator.models.clv.record import ForecastRecord
from allocator.models.drift import SURE, DriftReport
from allocator.quantities import count, percent, ratio, signed_money
from allocator.report.document import Column, Entry, Figure, Money, Percent, Table, Text
from allocator.stages.judge import Judged
from allocator.stages.kept import RetentionRecord
from allocator.stages.outlook import Trend


def model_figures(record: ForecastRecord) -> Iterator[Figure]:
    """Say which model values the customers, and why."""
    board = record.leaderboard
    lines = [", ".join(_parts(record))]
    if board is not None:
        lines.append(board.reason)
        lines.append(_level(record.level))
    yield Figure("Model", Text(record.model), tuple(lines))


def _level(level: Level) -> str:
    error = f"(error {percent(level.log_error)})"
    if not level.weeks:
        return f"no earlier window tells whether revenue is too high or too low {error}"
    return f"revenue is {ratio(level.factor, 3)} times what the models say, as earlier windows tell {error}"


def _parts(record: ForecastRecord) -> list[str]:
    """Name the models with their shares; that of the value of a purchase stands with its partner."""
    words: list[str] = []
    for part in record.parts:
        if part.model == "gamma_gamma" and words:
            words[-1] += f" with {part.model}"
        else:
            words.append(f"{percent(part.weight)} {part.model}")
    return words


def retention_figure(record: RetentionRecord) -> Figure:
    """Say how good the probabilities to buy again were on customers left out."""
    parts = [
        f"{label} {ratio(record.scores[name], 3)} ± {ratio(record.spreads[name], 3)}"
        for name, label in (("auc", "AUC"), ("brier", "Brier"), ("slope", "calibration slope"))
        if name in record.scores and name in record.spreads
    ]
    return Figure("Retention", Text(record.model), (f"on customers left out: {', '.join(parts)}",))


def leaderboard_table(record: ForecastRecord | None) -> Table:
    """Give how all members did on earlier windows, the best first."""
    columns = (
        Column("model", "left"), Column("Gini"), Column("behind"), Column("± noise"),
        Column("rank corr.", drop=3), Column("total"), Column("decile error", drop=2),
        Column("top tenth", drop=4), Column("AUC"), Column("Brier", drop=5), Column("MAE", drop=6),
        Column("", "left"),
    )  # fmt: skip
    board = record.leaderboard if record else None
    if board is None or not board.rows:
        return Table("", columns, ())
    days = " and ".join(board.origins)
    title = f"Leaderboard: learned until {days}, judged by the {count(board.weeks)} weeks after"
    return Table(title, columns, tuple(_entries(row, board.chosen) for row in board.rows))


def _entries(row: Row, chosen: str) -> tuple[Entry, ...]:
    name = Text(f"{row.name} *" if row.name == chosen else row.name)
    if row.scores is None:
        return (name, *(Text("") for _ in range(10)), Text(f"could not learn: {row.note}"))
    scores = row.scores
    return (
        name,
        Text(ratio(scores.normalised_gini, 3)),
        Text(ratio(row.behind, 3)),
        Text(ratio(row.noise, 3)),
        Text(ratio(scores.spearman, 3)),
        Percent(scores.total_error),
        Percent(scores.decile_mape),
        Percent(scores.top_tenth),
        Text(ratio(scores.auc, 3)),
        Text(ratio(scores.brier, 3)),
        Money(scores.mae, decimals=2),
        Text(row.note),
    )


def holdout_figure(judged: Judged) -> Figure:
    """Say how the models did on the days held out."""
    gap = judged.revenue_forecast - judged.revenue
    share = percent(gap / judged.revenue, 1) if judged.revenue else "–"
    scores = judged.scores
    return Figure(
        "Holdout",
        Money(judged.revenue_forecast),
        (
            f"revenue forecast, {count(judged.revenue)} came ({signed_money(gap)}, {share})",
            f"{judged.model}, from orders until {judged.start}, judged by what followed until {judged.end}",
            f"order of customers: Gini {ratio(scores.normalised_gini)}, rank correlation "
            f"{ratio(scores.spearman)}",
            f"who buys: AUC {ratio(scores.auc)}",
            f"the best tenth as forecast brought {percent(scores.top_tenth)}",
        ),
    )


def trend_figure(trend: Trend) -> Figure:
    """Say how repeat purchases of all customers grow."""
    sure = abs(trend.per_year) > 2 * trend.error
    note = "" if sure else ", which may be chance"
    return Figure(
        "Trend",
        Text(percent(trend.per_year)),
        (f"a year, of repeat purchases of all customers (± {percent(trend.error)}{note})",),
    )


def drift_figure(drift: DriftReport) -> Figure:
    """Say whether an earlier forecast has aged."""
    verdict = "has aged" if drift.has_aged else "too little to tell" if drift.too_little_to_tell else "holds"
    lines = [f"customers: {', '.join(f'{one.feature} PSI {ratio(one.psi)}' for one in drift.features)}"]
    came = drift.calibration
    if came is not None:
        off = f"{ratio(came.ratio)} of what was expected (± {ratio(SURE * came.noise)} by chance)"
        lines.insert(0, f"{count(came.actual)} came since from its customers, {off}")
    else:
        lines.insert(0, "no time has passed since it was made")
    return Figure("Forecast before", Text(verdict), tuple(lines))
