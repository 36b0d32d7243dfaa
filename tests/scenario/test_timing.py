"""Keys about periods, carry-over, promised money and bad cases: their meaning, and where they are refused."""

import copy
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from allocator.errors import Finding
from allocator.scenario.check import names_of
from allocator.scenario.jsonschema import scenario_schema
from allocator.scenario.sections import Channel, Horizon, Risk, Span
from allocator.scenario.show import resolved
from tests.scenario.samples import SAMPLE, TIMED, changed, findings, load

MONTHS = changed("periods: none", "periods: month")
EMAIL = "    capacity: 2M\n"
LIMIT = "    each: channel\n"


def with_email(line: str, text: str = MONTHS) -> str:
    """Give the sample with one more line for its first channel."""
    return changed(EMAIL, f"{EMAIL}    {line}\n", text)


def with_budget(line: str, text: str = MONTHS) -> str:
    return changed("  spend: up_to\n", f"  spend: up_to\n  {line}\n", text)


def email(folder: Path, line: str) -> Channel:
    return load(folder, with_email(line)).channels["email"]


def place(finding: Finding, text: str) -> str:
    """Give the text a finding points at."""
    assert finding.where is not None
    line = text.split("\n")[finding.where.line - 1]
    return line[finding.where.column - 1 :][: finding.width]


def periods(kind: str = "month", start: str = "2027-01-01", end: str = "2027-03-31") -> Horizon:
    return Horizon(start=start, end=end, periods=kind)


def names(found: Horizon) -> list[str]:
    return [period.name for period in found.all_periods()]


def test_a_horizon_has_periods() -> None:
    assert names(periods()) == ["2027-01", "2027-02", "2027-03"]
    assert names(periods("quarter")) == ["2027-Q1"]
    assert names(periods("none")) == ["all"]
    assert names(periods("week"))[:2] == ["2026-W53", "2027-W01"]
    assert len(names(periods("week", "2027-01-04", "2028-02-27"))) == 60


def test_lots_carry_over_and_promises_are_read(tmp_path: Path) -> None:
    assert email(tmp_path, "step: 5k").step == 5_000
    assert email(tmp_path, "committed: 20k").committed == 20_000
    assert email(tmp_path, "committed: {2027-02: 20k}").committed == {"2027-02": 20_000}
    carrying = email(tmp_path, "{carryover: 40%, carry_in: USD 10k}"[1:-1].replace(", ", "\n    "))
    assert (carrying.carryover, carrying.carry_in) == (0.4, 9_200)
    assert email(tmp_path, "carryover: 0").carryover == 0


def test_a_season_is_an_index(tmp_path: Path) -> None:
    channel = email(tmp_path, "season: {2027-01: 120%, 2027-02: 0.8, 2027-03: 1200%}")
    assert channel.season == {"2027-01": 1.2, "2027-02": 0.8, "2027-03": 12.0}


AVAILABLE = {
    "2027-02": ["2027-02"],
    "[2027-03, 2027-01]": ["2027-01", "2027-03"],
    "{from: 2027-02, to: 2027-03}": ["2027-02", "2027-03"],
    "{from: 2027-02-28}": ["2027-02", "2027-03"],
    "{to: 2027-01-01}": ["2027-01"],
    "{from: 2027-01, to: 2027-03-31}": ["2027-01", "2027-02", "2027-03"],
}


@pytest.mark.parametrize("written", AVAILABLE)
def test_a_channel_is_available_in_some_periods(written: str, tmp_path: Path) -> None:
    found = email(tmp_path, f"available: {written}").available_in(periods().all_periods())
    assert list(found) == AVAILABLE[written]


def test_a_channel_is_available_always_where_nothing_is_said() -> None:
    assert Channel().available_in(periods().all_periods()) == ("2027-01", "2027-02", "2027-03")


def test_a_span_takes_days_and_finds_nothing_where_there_is_nothing() -> None:
    months = periods().all_periods()
    assert Span(**{"from": date(2027, 3, 3)}).names(months) == ("2027-03",)
    assert Span(to="2028-01").names(months) == ()


def test_the_budget_by_period_is_read(tmp_path: Path) -> None:
    text = with_budget("by_period: {2027-01: 300k, 2027-03: USD 100k}\n  roll_over: true\n  reserve: 50k")
    budget = load(tmp_path, text).budget
    assert budget.by_period == {"2027-01": 300_000, "2027-03": 92_000}
    assert (budget.roll_over, budget.reserve) == (True, 50_000)
    plain = load(tmp_path, SAMPLE).budget
    assert (plain.by_period, plain.roll_over, plain.reserve) == (None, False, None)


def test_a_reserve_needs_no_periods(tmp_path: Path) -> None:
    assert findings(tmp_path, with_budget("reserve: 50k", SAMPLE)) == ()
    assert findings(tmp_path, with_email("committed: 20k", SAMPLE)) == ()
    assert findings(tmp_path, with_email("step: 20k", SAMPLE)) == ()


@pytest.mark.parametrize("method", ["expected", "lower_quantile", "cvar", "worst_case", "regret"])
def test_every_method_of_risk_is_read(method: str, tmp_path: Path) -> None:
    risk = load(tmp_path, changed("method: expected", f"method: {method}")).risk
    assert risk.method == method
    assert risk.level == (0.1 if method in {"lower_quantile", "cvar"} else None)
    assert risk.weight == 1


def test_the_share_and_the_weight_of_bad_cases_are_read(tmp_path: Path) -> None:
    risk = load(tmp_path, changed("method: expected", "method: cvar, level: 50%, weight: 30%")).risk
    assert (risk.level, risk.weight) == (0.5, 0.3)
    assert Risk(method="lower_quantile", level=0.05).level == 0.05


def test_limits_select_periods(tmp_path: Path) -> None:
    text = changed("where: {tier: low", "where: {period: [2027-01, 2027-03], tier: low", MONTHS)
    assert load(tmp_path, text).constraints["low_tier_floor"].where.period == ("2027-01", "2027-03")
    assert (
        load(tmp_path, changed(LIMIT, "    each: period\n", MONTHS)).constraints["no_shock"].each == "period"
    )


def test_names_of_periods_are_known(tmp_path: Path) -> None:
    assert names_of(load(tmp_path, MONTHS).tree)["period"] == ("2027-01", "2027-02", "2027-03")
    assert names_of(load(tmp_path, SAMPLE).tree)["period"] == ("all",)
    without = changed("horizon: {start: 2027-01-01, end: 2027-03-31, periods: none}\n", "")
    assert names_of(load(tmp_path, without).tree)["period"] == ("all",)


NEED = "needs a horizon in periods"
REFUSED = {
    # scenario, code, the text at the reported place, what, fix
    "carryover without periods": (
        with_email("carryover: 40%", SAMPLE), "E113", "carryover", f"'carryover' {NEED}",
        "add horizon.periods: month",
    ),
    "available without periods": (
        with_email("available: 2027-01", SAMPLE), "E113", "available", f"'available' {NEED}",
        "add horizon.periods: month",
    ),
    "season without periods": (
        with_email("season: {2027-01: 120%}", SAMPLE), "E113", "season", f"'season' {NEED}",
        "add horizon.periods: month",
    ),
    "committed without periods": (
        with_email("committed: {2027-01: 5k}", SAMPLE), "E113", "committed", f"'committed' by period {NEED}",
        "add horizon.periods: month",
    ),
    "budget without periods": (
        with_budget("by_period: {2027-01: 5k}", SAMPLE), "E113", "by_period", f"'by_period' {NEED}",
        "add horizon.periods: month",
    ),
    "limits without periods": (
        changed(LIMIT, "    each: period\n"), "E113", "period", f"'each: period' {NEED}",
        "add horizon.periods: month",
    ),
    "no horizon at all": (
        changed("horizon: {start: 2027-01-01, end: 2027-03-31, periods: none}\n", "",
                with_email("season: {2027-01: 120%}", SAMPLE)),
        "E113", "season", f"'season' {NEED}", "add 'horizon: {start: …, end: …, periods: month}'",
    ),
    "periods not stated": (
        changed(", periods: none", "", with_email("carryover: 40%", SAMPLE)), "E113", "carryover",
        f"'carryover' {NEED}", "add horizon.periods: month",
    ),
    "season of nowhen": (
        with_email("season: {2027-04: 120%}"), "E203", "2027-04", "there is no period '2027-04'",
        "did you mean '2027-03'?",
    ),
    "promise of nowhen": (
        with_email("committed: {2027-01: 5k, May: 6k}"), "E203", "May", "there is no period 'May'",
        "periods in this scenario: 2027-01, 2027-02, 2027-03",
    ),
    "budget of nowhen": (
        with_budget("by_period: {2027-01: 5k, 2027-1: 6k}"), "E203", "2027-1", "there is no period '2027-1'",
        "did you mean '2027-01'?",
    ),
    "available nowhen": (
        with_email("available: [2027-02, 2027_03]"), "E203", "2027_03", "there is no period '2027_03'",
        "did you mean '2027-03'?",
    ),
    "available in May": (
        with_email("available: May"), "E203", "May", "there is no period 'May'",
        "periods in this scenario: 2027-01, 2027-02, 2027-03",
    ),
    "available from May": (
        with_email("available: {from: May}"), "E203", "May", "there is no period 'May'",
        "periods in this scenario: 2027-01, 2027-02, 2027-03",
    ),
    "many periods are not listed": (
        with_email("available: May", changed("periods: none", "periods: week")), "E203", "May",
        "there is no period 'May'", "periods in this scenario: 2026-W53 to 2027-W13",
    ),
    "available after the end": (
        with_email("available: {from: 2027-02, to: 2027-04-01}"), "E203", "2027-04-01",
        "'2027-04-01' lies outside the horizon", "it runs from 2027-01-01 to 2027-03-31",
    ),
    "available until no such day": (
        with_email("available: {to: 2027-02-30}"), "E107", "2027-02-30",
        "'2027-02-30' is not a date: February 2027 has 28 days", "",
    ),
    "available backwards": (
        with_email("available: {from: 2027-03, to: 2027-02-01}"), "E106", "2027-02-01",
        "'2027-02-01' lies before '2027-03'", "swap the two",
    ),
    "available from nowhere to nowhere": (
        with_email("available: {}"), "E101", "available", "neither 'from' nor 'to' is given",
        "add 'from: …' or 'to: …'",
    ),
    "available never": (
        with_email("available: []"), "E103", "[", "an empty list selects nothing",
        "name at least one, or leave the key out for all",
    ),
    "misspelt end": (
        with_email("available: {form: 2027-01}"), "E102", "form", "unknown key 'form'",
        "did you mean 'from'?",
    ),
    "limit of nowhen": (
        changed("where: {tier: low", "where: {period: 2027-06, tier: low", MONTHS), "E203", "2027-06",
        "there is no period '2027-06'", "did you mean '2027-03'?",
    ),
    "exception of nowhen": (
        changed("except: {channel: tv}", "except: {period: 2027-Q1}", MONTHS), "E203", "2027-Q1",
        "there is no period '2027-Q1'", "did you mean '2027-01'?",
    ),
    "carries over for good": (
        with_email("carryover: 100%"), "E106", "100%", "with a carry-over of 100% an effect would never end",
        "write the share of the effect that reaches into the next period, such as 40%",
    ),
    "bare carry-over": (
        with_email("carryover: 40"), "E105", "40", "'40' is not a share", "did you mean 40% ?",
    ),
    "carries in without carrying over": (
        with_email("carry_in: 40k"), "E113", "40k", "'carry_in' needs 'carryover'",
        "add 'carryover: 40%', say",
    ),
    "no lots": (with_email("step: 0"), "E106", "0", "0 is not above 0", ""),
    "negative promise": (
        with_email("committed: {2027-01: -5k}"), "E106", "-5k", "'-5k' is negative",
        "an amount of 0 or more is expected",
    ),
    "promise as a share": (
        with_email("committed: 20%"), "E104", "20%", "'20%' is a share where an amount of money is expected",
        "write 250k or 1.2M",
    ),
    "no season": (
        with_email("season: {2027-01: 0%}"), "E106", "0%", "'0%' is not above 0",
        "a period without any response is not available",
    ),
    "bare season": (
        with_email("season: {2027-01: 120}"), "E105", "120",
        "'120' is ambiguous as an index, of which 100% is the mean", "write 120%, or 12000% if that is meant",
    ),
    "season in words": (with_email("season: {2027-01: high}"), "E104", "high", "'high' is not a number", ""),
    "misspelt roll_over": (
        with_budget("by_period: {2027-01: 5k}\n  rollover: true"), "E102", "rollover",
        "unknown key 'rollover'", "did you mean 'roll_over'?",
    ),
    "rolls over perhaps": (
        with_budget("by_period: {2027-01: 5k}\n  roll_over: maybe"), "E103", "maybe",
        "'maybe' is neither true nor false", "write true or false",
    ),
    "rolls over nothing": (
        with_budget("roll_over: true"), "E113", "true", "'roll_over' needs 'by_period'",
        "add by_period, or remove roll_over: the money of the horizon can go out at any time",
    ),
    "reserves too much": (
        with_budget("reserve: 1.3M"), "E106", "1.3M", "1,300,000 cannot be held back of 1,200,000", "",
    ),
    "too many periods": (
        changed("end: 2027-03-31, periods: none", "end: 2028-03-31, periods: week"), "E106", "week",
        "66 weeks are more than 60 periods", "write longer periods, or a shorter horizon",
    ),
    "no such periods": (
        changed("periods: none", "periods: monthly"), "E103", "monthly",
        "'monthly' is no choice for 'periods'", "did you mean 'month'?",
    ),
    "nearly certain": (
        changed("method: expected", "method: cvar, level: 95%"), "E106", "95%",
        "95% is not above 0% and at most 50%: level is the share of bad cases",
        "write 10% for the worst tenth",
    ),
    "no bad cases": (
        changed("method: expected", "method: lower_quantile, level: 0%"), "E106", "0%",
        "0% is not above 0% and at most 50%: level is the share of bad cases",
        "write 10% for the worst tenth",
    ),
    "level of the worst case": (
        changed("method: expected", "method: worst_case, level: 5%"), "E113", "5%",
        "'level' means nothing with method worst_case", "remove it, or choose lower_quantile or cvar",
    ),
    "level of regret": (
        changed("method: expected", "method: regret, level: 5%"), "E113", "5%",
        "'level' means nothing with method regret", "remove it, or choose lower_quantile or cvar",
    ),
    "weight of a quantile": (
        changed("method: expected", "method: lower_quantile, weight: 50%"), "E113", "50%",
        "'weight' means nothing with method lower_quantile", "remove it, or choose cvar",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_one_refusal_at_its_place(case: str, tmp_path: Path) -> None:
    text, code, at, what, fix = REFUSED[case]
    (found,) = findings(tmp_path, text)
    assert (found.code, place(found, text), found.what, found.fix) == (code, at, what, fix)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("end: 2027-03-31", "end: 2027-02-30"),
        ("periods: month", "periods: mnth"),
        ("2027-03-31", "2037-03-31"),
    ],
)
def test_a_fault_in_the_horizon_is_told_once(old: str, new: str, tmp_path: Path) -> None:
    text = with_budget("by_period: {2027-01: 5k}", with_email("available: {from: 2027-01}"))
    text = changed("where: {tier: low", "where: {period: 2027-01, tier: low", text)
    assert len(findings(tmp_path, changed(old, new, text))) == 1


def test_faults_of_several_keys_are_told_together(tmp_path: Path) -> None:
    text = with_email("carryover: 40%\n    carry_in: 5k\n    season: {2027-01: 120%}", SAMPLE)
    assert [place(f, text) for f in findings(tmp_path, text)] == ["carryover", "carry_in", "season"]


def test_every_key_is_shown_as_written(tmp_path: Path) -> None:
    rows = {row.path: row.value for row in resolved(load(tmp_path, TIMED))}
    assert rows["channels.email.available.from"] == "2027-02-15"
    assert rows["channels.email.season.2027-02"] == "120%"
    assert rows["budget.by_period.2027-01"] == "300k"
    quiet = {
        row.path: row.value for row in resolved(load(tmp_path, changed("method: expected", "method: cvar")))
    }
    assert (quiet["risk.level"], quiet["risk.weight"]) == ("0.1", "1")


def test_editors_know_every_key(tmp_path: Path) -> None:
    validator = jsonschema.Draft7Validator(scenario_schema())
    good = load(tmp_path, TIMED).tree.plain()
    assert isinstance(good, dict)
    assert [error.message for error in validator.iter_errors({**good, "version": 1})] == []
    slips: list[tuple[str, object]] = [
        ("available", {"form": "2027-02"}), ("available", []), ("season", {"2027-01": "high"}),
        ("committed", {"2027-01": "much"}), ("carryover", "much"), ("step", "-5k"),
    ]  # fmt: skip
    for key, value in slips:
        bad = copy.deepcopy(good)
        bad["channels"]["email"][key] = value
        assert list(validator.iter_errors({**bad, "version": 1})), key


def test_dumped_keys_are_read_again(tmp_path: Path) -> None:
    dumped = load(tmp_path, TIMED).channels["email"].model_dump(mode="json", by_alias=True)
    again = Channel(
        **{key: dumped[key] for key in ("available", "season", "committed", "carryover", "carry_in")}
    )
    assert again.model_dump(mode="json", by_alias=True)["available"] == dumped["available"]
    assert (again.season, again.committed) == ({"2027-02": 1.2, "2027-03": 0.9}, {"2027-02": 10_000})


def test_overrides_reach_every_key(tmp_path: Path) -> None:
    scenario = load(tmp_path, TIMED)
    other = scenario.override({
        "channels.email.available": ["2027-03"],
        "channels.email.committed": "30k",
        "budget.by_period.2027-01": "base + 10%",
        "channels.email.season.2027-02": "150%",
    })  # fmt: skip
    assert other.channels["email"].available == ("2027-03",)
    assert other.channels["email"].committed == 30_000
    assert other.budget.by_period == {"2027-01": 330_000, "2027-03": 500_000}
