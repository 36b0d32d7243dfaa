"""Spend history on its way to a plan: what is read, refused, fitted, blended and said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import allocator as al
from allocator.response.curves import Curves, Evidence
from allocator.response.history import beyond_observed
from allocator.stages.media import Modelled, fit_media
from allocator.stages.opinions import bold_opinions
from allocator.stages.panel import panel_of
from allocator.stages.reading import read_tables
from allocator.stages.responses import draw_curves
from tests.small_history import history_project, revenue
from tests.small_project import Project

PERIODS = 12  # weeks in the horizon
MARGIN = 0.4
EXPERT = "response: {source: expert, trust: 50%, estimates: [{spend: 20k, low: 10k, likely: 30k, high: 50k}]}"


def scenario_of(case: Project, folder: Path) -> al.Scenario:
    return al.load_scenario(case.write(folder))


def fitted(scenario: al.Scenario) -> Modelled:
    found = fit_media(scenario, read_tables(scenario))
    assert found is not None
    return found


def drawn(scenario: al.Scenario, modelled: Modelled | None) -> Curves:
    return draw_curves(scenario, read_tables(scenario), None, {}, modelled)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> al.Scenario:
    return scenario_of(history_project(), tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def modelled(scenario: al.Scenario) -> Modelled:
    return fitted(scenario)


@pytest.fixture(scope="module")
def curves(scenario: al.Scenario, modelled: Modelled) -> Curves:
    return drawn(scenario, modelled)


class TestCurves:
    def test_a_curve_is_the_margin_of_the_horizon(self, curves: Curves) -> None:
        for channel, weekly in (("tv", 1500.0), ("search", 1000.0)):
            (one,) = curves.of(channel)
            truth = MARGIN * PERIODS * revenue(channel, weekly)
            assert float(one.curve.at(PERIODS * weekly)) == pytest.approx(truth, rel=0.15)
            assert (one.evidence, one.source, one.tier) == (Evidence.MODELLED, "history", None)

    def test_revenue_stands_beside_the_margin(self, curves: Curves) -> None:
        for one in curves:
            assert one.curve.revenue == pytest.approx(one.curve.value / MARGIN)

    def test_draws_are_as_many_as_asked_for_and_average_to_the_curve(self, curves: Curves) -> None:
        assert curves.n_draws == 40
        for one in curves:
            assert one.curve.draws.mean(axis=0) == pytest.approx(one.curve.value)
            assert one.curve.draws[:, -1].std() > 0

    def test_it_reaches_past_the_budget_and_says_where_data_end(
        self, curves: Curves, scenario: al.Scenario
    ) -> None:
        for one in curves:
            assert one.curve.end >= scenario.budget.total
            assert 0 < one.observed_to < one.curve.end

    def test_the_same_history_gives_the_same_bits(self, scenario: al.Scenario, curves: Curves) -> None:
        for one, again in zip(curves, drawn(scenario, fitted(scenario)), strict=True):
            assert np.array_equal(one.curve.draws, again.curve.draws)

    def test_half_the_horizon_brings_half_for_half_the_money(
        self, tmp_path: Path, curves: Curves, modelled: Modelled
    ) -> None:
        case = history_project()
        case.set("end: 2027-03-28", "end: 2027-02-14")
        (half,) = drawn(shorter := scenario_of(case, tmp_path), fitted(shorter)).of("tv")
        (whole,) = curves.of("tv")
        assert 2 * float(half.curve.at(5000)) == pytest.approx(float(whole.curve.at(10_000)), rel=1e-3)
        assert 2 * half.observed_to == pytest.approx(whole.observed_to)

    def test_without_a_fit_a_channel_of_history_has_no_curve(self, scenario: al.Scenario) -> None:
        with pytest.raises(al.ScenarioError, match=r"data\.spend_history"):
            drawn(scenario, None)

    def test_the_plan_rests_on_it(self, scenario: al.Scenario, curves: Curves) -> None:
        plan = al.solve(scenario, curves)
        assert plan.status.value == "optimal"
        kinds = {row["channel"]: row["kind"] for row in plan.to_dict()["evidence"]}
        assert kinds == {"tv": "modelled", "search": "modelled"}

    def test_a_table_of_curves_outranks_it(self, scenario: al.Scenario, modelled: Modelled) -> None:
        assert fit_media(scenario, replace(read_tables(scenario), spend_history=None)) is None


def conversions(case: Project) -> None:
    case.set("outcome: revenue", "outcome: {conversions: revenue, value_per_conversion: 0.4}")
    case.set(", margin: 40%", "")


def test_conversions_have_their_own_worth_and_no_revenue(tmp_path: Path, curves: Curves) -> None:
    case = history_project()
    conversions(case)
    scenario = scenario_of(case, tmp_path)
    for one, other in zip(drawn(scenario, fitted(scenario)), curves, strict=True):
        assert one.curve.revenue is None
        assert one.curve.value == pytest.approx(other.curve.value)


class TestPlans:
    """From file to plan, as `allocator run` goes."""

    def test_money_beyond_the_history_is_named_in_the_plan(self, tmp_path: Path) -> None:
        case = history_project()
        case.set("budget: {total: 40k,", "budget: {total: 400k, spend: exactly,")
        case.set("tv: {response: {source: history}}", "tv: {max: 10k, response: {source: history}}")
        scenario = scenario_of(case, tmp_path)
        forecast = al.fit(scenario)
        plan = al.solve(scenario, forecast)
        assert plan.status.value == "optimal"
        (finding,) = (one for one in plan.warnings if one.code == "W425")
        assert "'search'" in finding.what
        modest = scenario.override({"budget.total": "30k", "budget.spend": "up_to"})
        assert "W425" not in [one.code for one in al.solve(modest, forecast).warnings]


class TestGroups:
    TIERS = "tiers: {by: kind, levels: {high: {share: top 20%}, low: {share: rest}}}\nchannels:"

    def case(self, groups: tuple[str, ...]) -> Project:
        case = history_project(groups)
        case.set("channels:", self.TIERS)
        case.set("data:", "data:\n  customers: {path: customers.csv}")
        case.files["customers.csv"] = b"customer_id,kind\n1,5\n2,3\n3,2\n4,1\n5,0\n"
        return case

    def test_the_tiers_as_groups_give_a_curve_a_tier(self, tmp_path: Path) -> None:
        scenario = scenario_of(self.case(("low", "high")), tmp_path)
        modelled = fitted(scenario)
        curves = drawn(scenario, modelled)
        assert set(modelled.fits) == {"high", "low"}
        assert [one.tier for one in curves.of("tv")] == ["high", "low"]
        assert not curves.tied("tv")
        half = float(modelled.observed.totals["tv"].at(18_000))
        assert half == pytest.approx(MARGIN * PERIODS * revenue("tv", 1500), rel=0.25)

    def test_some_tiers_as_groups_are_read_as_regions_and_said(self, tmp_path: Path) -> None:
        scenario = scenario_of(self.case(("low", "other")), tmp_path)
        modelled = fitted(scenario)
        assert list(modelled.fits) == [None]
        assert "W428" in [one.code for one in modelled.findings]
        assert drawn(scenario, modelled).tied("tv")

    def test_regions_need_no_word(self, modelled: Modelled) -> None:
        assert "W428" not in [one.code for one in modelled.findings]


class TestExperts:
    def expert(self, folder: Path) -> al.Scenario:
        case = history_project()
        case.set("tv: {response: {source: history}}", f"tv: {{{EXPERT}}}")
        return scenario_of(case, folder)

    def test_trust_weighs_an_expert_against_the_own_history(
        self, tmp_path: Path, curves: Curves, modelled: Modelled
    ) -> None:
        (one,) = drawn(self.expert(tmp_path), modelled).of("tv")
        own = float(curves.of("tv")[0].curve.at(10_000))
        assert float(one.curve.at(10_000)) == pytest.approx(0.5 * 15_000 + 0.5 * own, rel=0.01)
        assert one.curve.draws.mean(axis=0) == pytest.approx(one.curve.value)
        assert (one.evidence, one.curve.end) == (Evidence.OPINION, 20_000)

    def test_without_an_own_history_other_channels_make_up_for_trust(
        self, tmp_path: Path, modelled: Modelled
    ) -> None:
        case = history_project()
        case.set("  search:", f"  radio: {{{EXPERT}}}\n  search:")
        scenario = scenario_of(case, tmp_path)
        usual = modelled.observed.usual.values()
        mean = sum(one.margin for one in usual) / sum(one.spend for one in usual)
        (one,) = drawn(scenario, modelled).of("radio")
        assert float(one.curve.at(10_000)) == pytest.approx(0.5 * 15_000 + 0.5 * 10_000 * mean, rel=1e-6)

    def test_a_bold_opinion_is_named_with_both_returns(self, tmp_path: Path, modelled: Modelled) -> None:
        case = history_project()
        case.set("  search:", "  radio: {response: {source: points, points: [[1k, 9k]]}}\n  search:")
        scenario = scenario_of(case, tmp_path)
        (finding,) = bold_opinions(scenario, drawn(scenario, modelled), {}, modelled)
        best = max(one.margin / one.spend for one in modelled.observed.usual.values())
        assert (finding.code, finding.where.line) == ("W427", 19)
        assert "9.00" in finding.what
        assert f"{best:.2f}" in finding.what

    def test_a_modest_one_is_not(self, tmp_path: Path, modelled: Modelled) -> None:
        case = history_project()
        case.set("  search:", "  radio: {response: {source: points, points: [[1k, 0.1k]]}}\n  search:")
        scenario = scenario_of(case, tmp_path)
        assert not list(bold_opinions(scenario, drawn(scenario, modelled), {}, modelled))

    def test_where_nothing_is_measured_there_is_nothing_to_compare(self, tmp_path: Path) -> None:
        case = history_project()
        for name in ("tv", "search"):
            case.set(
                f"{name}: {{response: {{source: history}}}}",
                f"{name}: {{response: {{source: points, points: [[1k, 9k]]}}}}",
            )
        scenario = scenario_of(case, tmp_path)
        assert fit_media(scenario, read_tables(scenario)) is None
        assert not list(bold_opinions(scenario, drawn(scenario, None), {}))


def test_money_beyond_the_history_is_named(curves: Curves) -> None:
    seen = {one.channel: one.observed_to for one in curves}
    assert beyond_observed(curves, seen) == ()
    assert beyond_observed(curves, {}) == ()
    (finding,) = beyond_observed(curves, seen | {"tv": 1.1 * seen["tv"]})
    assert finding.code == "W425"
    assert "'tv'" in finding.what


def test_a_curve_that_bends_upwards_is_named_and_enveloped(tmp_path: Path) -> None:
    case = history_project()
    case.set("harmonics: 0", "harmonics: 0, s_shaped: true")
    rows = case.files["weekly.csv"].decode().splitlines()
    case.files["weekly.csv"] = ("\n".join(map(s_shaped, rows)) + "\n").encode()
    scenario = scenario_of(case, tmp_path)
    modelled = fitted(scenario)
    assert "W426" in [one.code for one in modelled.findings]
    (curve,) = (one.curve for one in drawn(scenario, modelled).of("tv"))
    fit = modelled.fits[None]
    assert not fit.is_concave("tv")
    exact = MARGIN * PERIODS * fit.value("tv", curve.spend / PERIODS)
    assert curve.value == pytest.approx(exact)  # on the hull, at its breakpoints
    between = (curve.spend[0] + curve.spend[1]) / 2
    assert float(curve.at(between)) > MARGIN * PERIODS * float(fit.value("tv", [between / PERIODS])[0])


def s_shaped(line: str) -> str:
    """Let tv bring 3,000 a week and group, but only from about 400 on."""
    week, region, outcome, tv, *others = line.split(",")
    if week == "week":
        return line
    spend = float(tv)
    brought = float(outcome) + 3000 * spend**4 / (400**4 + spend**4)
    return ",".join([week, region, f"{brought:.2f}", tv, *others])


def without(place: int) -> Callable[[list[str]], list[str]]:
    return lambda rows: rows[:place] + rows[place + 1 :]


def put(place: int, old: str, new: str) -> Callable[[list[str]], list[str]]:
    def change(rows: list[str]) -> list[str]:
        assert re.search(old, rows[place])
        return [re.sub(old, new, row, count=1) if i == place else row for i, row in enumerate(rows)]

    return change


def every(change: Callable[[int, str], str]) -> Callable[[list[str]], list[str]]:
    return lambda rows: [rows[0], *(change(i, row) for i, row in enumerate(rows[1:]))]


def cell(at: int, value: object) -> Callable[[int, str], str]:
    """Write `value` (or what it gives for a row) into a column of every row."""

    def change(i: int, row: str) -> str:
        cells = row.split(",")
        cells[at] = str(value(i) if callable(value) else value)
        return ",".join(cells)

    return change


def german(rows: list[str]) -> list[str]:
    """Write dates, decimals and columns as a German spreadsheet does."""
    lines = (row.replace(",", ";").replace(".", ",") for row in rows)
    return [re.sub(r"(\d+)-(\d+)-(\d+)", r"\3.\2.\1", line) for line in lines]


class TestPanel:
    """Rows of the file as arrays by group, period and channel."""

    def panel(self, case: Project, folder: Path) -> object:
        return panel_of(read_tables(scenario_of(case, folder)).spend_history)

    def test_order_of_rows_does_not_matter(self, tmp_path: Path) -> None:
        case = history_project()
        one = self.panel(case, tmp_path)
        case.edit("weekly.csv", lambda rows: [rows[0], *sorted(rows[1:])])
        other = self.panel(case, tmp_path)
        assert set(one.groups) == set(other.groups)
        at = [other.groups.index(name) for name in one.groups]
        assert np.array_equal(one.spend, other.spend[at])
        assert np.array_equal(one.outcome, other.outcome[at])
        assert (one.period_days, one.spend.shape) == (7.0, (4, 60, 2))

    def test_texts_become_indicators(self, tmp_path: Path) -> None:
        case = history_project(("all",))
        words = ["na", "event1", "na", "event2"]
        case.edit("weekly.csv", every(cell(5, lambda i: words[i % 4])))
        panel = self.panel(case, tmp_path)
        assert panel.control_names == ("promotion=event1", "promotion=event2")
        assert panel.controls[0, :4].tolist() == [[0, 0], [1, 0], [0, 0], [0, 1]]

    def test_the_most_frequent_text_is_usual(self, tmp_path: Path) -> None:
        case = history_project(("all",))
        case.edit("weekly.csv", every(cell(5, lambda i: "open" if i else "shut")))
        panel = self.panel(case, tmp_path)
        assert panel.control_names == ("promotion=shut",)

    def test_months_are_periods_too(self, tmp_path: Path) -> None:
        case = history_project(("all",))
        months = np.datetime64("2022-01") + np.arange(60)
        case.edit("weekly.csv", every(cell(0, lambda i: f"{months[i]}-01")))
        assert self.panel(case, tmp_path).period_days == pytest.approx(30.4375)

    def test_another_spelling_is_declared_as_for_other_tables(self, tmp_path: Path) -> None:
        case = history_project(("all",))
        plain = self.panel(case, tmp_path)
        case.edit("weekly.csv", german)
        options = ('decimal: ","', 'delimiter: ";"', 'date_format: "%d.%m.%Y"')
        case.set("date: week", "\n    ".join(["date: week", *options]))
        other = self.panel(case, tmp_path)
        assert np.array_equal(plain.spend, other.spend)
        assert np.array_equal(plain.starts, other.starts)


ONE, FOUR = ("all",), ("north", "east", "south", "west")
BAD_FILES = {
    # groups, what happens to the file, code, parts of the message
    "a group lacks a period": (FOUR, without(3), "E315", ["'north'", "2025-01-20"]),
    "a gap": (ONE, without(5), "E315", ["2025-02-03", "7 days"]),
    "a row twice": (ONE, lambda rows: [*rows, rows[4]], "E306", ["2025-01-27", "row"]),
    "two rows a day": (
        ONE,
        lambda rows: [*rows, rows[4].replace("2025-01-27", "2025-01-27 12:00")],
        "E315",
        ["2025-01-27", "several rows"],
    ),
    "unequal steps": (ONE, put(9, "2025-03-03", "2025-03-05"), "E315", ["2025-02-24 to 2025-03-05 are 9"]),
    "negative spend": (ONE, put(2, r"(\d+\.\d+),(\d+\.\d+),(\d)$", r"\1,-\2,\3"), "E309", ["spend.search"]),
    "an unusable row": (ONE, put(8, r"\d+\.\d+,", "lots,"), "E315", ["2025-02-24", "row 9", "'lots'"]),
    "a channel never used": (ONE, every(cell(3, 0)), "E315", ["tv"]),
    "too short": (ONE, lambda rows: rows[:12], "E315", ["11 periods"]),
    "one row": (ONE, lambda rows: rows[:2], "E315", ["1 periods"]),
    "an empty control": (ONE, put(4, r"\d$", ""), "E315", ["'promotion'", "2025-01-27"]),
    "a control of many texts": (ONE, every(cell(5, lambda i: f"t{i}")), "E315", ["'promotion'", "60 values"]),
    "no such column": (ONE, put(0, "tv_S", "tv_s"), "E303", ["'tv_S'", "did you mean 'tv_s'"]),
    "no such control": (ONE, put(0, "promotion", "promo"), "E303", ["'promotion'", "did you mean 'promo'"]),
    "no such group": (ONE, put(0, "region", "area"), "E303", ["'region'"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_clear_error(name: str, tmp_path: Path) -> None:
    groups, change, code, parts = BAD_FILES[name]
    case = history_project(groups)
    case.edit("weekly.csv", change)
    scenario = scenario_of(case, tmp_path)
    with pytest.raises(al.AllocatorError) as caught:
        fitted(scenario)
    (finding,) = caught.value.findings
    assert finding.code == code
    assert finding.where is not None
    for part in parts:
        assert part in f"{finding.what} {finding.fix}", str(finding)
    if code == "E303":
        assert [(one.code, one.where) for one in al.check(tmp_path / "q.yaml")] == [(code, finding.where)]


BAD_SCENARIOS = {
    # what is replaced, by what, code, line, part of the message
    "no horizon": ("horizon: {start: 2027-01-04, end: 2027-03-28}\n", "", "E101", 7, "horizon: {start"),
    "no margin": (", margin: 40%", "", "E101", 6, "objective.margin"),
    "spend of no channel": ("spend: {tv: tv_S", "spend: {tvs: tv_S", "E201", 12, "did you mean 'tv'"),
    "a channel without spend": (", search: search_S", "", "E209", 19, "data.spend_history.spend.search"),
    "one column for two": ("search: search_S", "search: tv_S", "E311", 12, "spend.tv and as spend.search"),
    "a control that is spend": ("[promotion]", "[tv_S]", "E311", 13, "spend.tv and as control.tv_S"),
    "no such model": ("name: media_mix, ", "name: media_mixer, ", "E103", 16, "media_mix"),
}


@pytest.mark.parametrize("name", BAD_SCENARIOS)
def test_check_finds_what_the_scenario_does_wrong(name: str, tmp_path: Path) -> None:
    old, new, code, line, words = BAD_SCENARIOS[name]
    case = history_project()
    case.set(old, new)
    found = al.check(case.write(tmp_path))
    assert code in [one.code for one in found], found
    finding = next(one for one in found if one.code == code)
    assert finding.where.line == line, str(finding)
    assert words in f"{finding.what} {finding.fix}", str(finding)


def test_a_good_scenario_checks_without_advice(tmp_path: Path) -> None:
    assert al.check(history_project().write(tmp_path)) == ()


def test_half_trust_is_no_fault_for_check_where_history_makes_up_for_it(tmp_path: Path) -> None:
    case = history_project()
    case.set("tv: {response: {source: history}}", f"tv: {{{EXPERT}}}")
    assert al.check(case.write(tmp_path)) == ()
    case.set(", margin: 40%", "")
    assert [one.code for one in al.check(case.write(tmp_path))] == ["E101"]
