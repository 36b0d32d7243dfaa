from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from allocator.errors import Finding
from allocator.report.build import build
from allocator.report.render.text import Terminal, render_text
from tests.report import made_up_plans as plans

WIDE = """\
Q1 2027 base plan   2027-01-01 to 2027-03-31 · EUR · optimal

  Spend     1,200,000   of 1,200,000 budget, 0 left
  Return    2,275,986   margin · 1.90 per EUR · likely 1.94M to 2.64M (8 in 10)
                        48% of the budget rests on tests, 35% on models, 17% on opinion
  vs now     +180,087   margin · spend ±0 · beats today's plan in 93% of draws
  Next 1k       1,214   above break-even: more budget would pay

Where the money goes   ° a limit other than the budget stops more
 channel             now        plan    change                   return   per 1   next 1   evidence
 Paid search     420,000     425,223    +5,223   ██████████     772,383    1.82    1.21    modelled
 E-mail          180,000     252,000   +72,000   █████▉         712,688    2.83    1.35°   tested
 Paid social     300,000     204,000   -96,000   ████▊          300,112    1.47    1.21    opinion
 Direct mail     300,000     318,777   +18,777   ███████▌       490,803    1.54    1.21    tested
 ──────────────────────────────────────────────────────────────────────────────────────────────────
 total         1,200,000   1,200,000        ±0                2,275,986    1.90    1.21

Plan by tier and channel (thousand)   * split over tiers assumed
 tier         Paid search*   E-mail   Paid social*   Direct mail   total   share   return
 High value             85      129             41           223     478     40%      924
 Medium                127       76             61            96     360     30%      683
 Low                   213       47            102             0     362     30%      669
 ────────────────────────────────────────────────────────────────────────────────────────
 total                 425      252            204           319   1,200    100%    2,276

What holds the plan back
 limit                          at   1k looser earns   why                             set in
 budget.total      max   1,200,000              +214   Budget for the horizon          q1_base.yaml:11
 no_shock[email]   max     252,000              +132   Agencies need 8 weeks' notice   q1_base.yaml:50
  Not binding: low_tier_floor (18k spare), earn_it (90% against min 20%), 1 end of a curve

Keep in mind
 W302  low_tier_floor counts tied channels; the split is assumed · q1_base.yaml:44
"""

NARROW_TABLES = """\
 channel        High value   Medium   Low   total
 Paid search*           85      127   213     425
 E-mail                129       76    47     252
 Paid social*           41       61   102     204
 Direct mail           223       96     0     319
 ────────────────────────────────────────────────
 total                 478      360   362   1,200
 share                 40%      30%   30%    100%
 return                924      683   669   2,276

What holds the plan back
 limit                          at   1k looser earns
 budget.total      max   1,200,000              +214
     Budget for the horizon · q1_base.yaml:11
"""

REFUSED = """\
no plan[E401]: the limits contradict each other. Smallest changes that would each work:
  raise budget.total by 120,000            Budget for the horizon · q1_base.yaml:11
  or lower channels.search.min to 80,000   Lower limit of Paid search · q1_base.yaml:27

These limits cannot all hold
 limit                              at   why                          set in
 budget.total          max   1,200,000   Budget for the horizon       q1_base.yaml:11
 channels.search.min   min   1,000,000   Lower limit of Paid search   q1_base.yaml:27
"""


def shown(view=None, **place) -> str:
    return render_text(build(view or plans.view()), Terminal(**place))


def test_the_five_answers_on_a_wide_terminal():
    assert shown(width=120) == WIDE


def test_a_narrow_terminal_turns_the_table_and_moves_words_below():
    assert NARROW_TABLES in shown(width=80)


def test_a_contradiction():
    assert shown(plans.contradiction(), width=120) == REFUSED


@pytest.mark.parametrize("view", [plans.view(), plans.contradiction()], ids=["plan", "contradiction"])
@pytest.mark.parametrize("width", [48, 60, 72, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(view, width):
    assert max(map(cell_len, shown(view, width=width).splitlines())) <= width


def test_wide_characters_keep_columns_aligned():
    channels = (replace(plans.CHANNELS[0], label="搜索广告"), *plans.CHANNELS[1:])
    lines = shown(plans.view(channels=channels), width=120).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("Where the money goes")) + 2
    words = ("modelled", "tested", "opinion", "tested")
    starts = [
        cell_len(line[: line.index(word)]) for line, word in zip(lines[first : first + 4], words, strict=True)
    ]
    assert len(set(starts)) == 1


def test_without_colour_there_is_not_one_terminal_code():
    assert "\x1b" not in shown(width=100)
    assert "\x1b[1m" in shown(width=100, color=True)


def test_colour_changes_nothing_but_the_look():
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", shown(width=100, color=True))
    assert [line.rstrip() for line in coloured.splitlines()] == shown(width=100).splitlines()


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "cp936", "ascii", "latin-1"])
def test_windows_code_pages_can_hold_every_character(encoding):
    text = shown(width=100, encoding=encoding)
    assert text.encode(encoding).decode(encoding) == text
    for line, same in zip(text.splitlines(), shown(width=100).splitlines(), strict=True):
        assert cell_len(line.rstrip()) == cell_len(same.rstrip()) or "#" in line


def test_bars_are_signs_where_blocks_do_not_exist():
    assert "##########" in shown(width=100, encoding="cp1252")
    assert "██████████" in shown(width=100, encoding="utf-8")


HOSTILE = "\x1b[31mred\x07 \u202egnp\r\n[bold]x[/bold] \u2028 end"


def test_text_of_users_can_do_nothing_but_be_read():
    rows = tuple(replace(r, row=replace(r.row, name=HOSTILE, reason=HOSTILE)) for r in plans.solution().rows)
    solution = replace(plans.solution(), rows=rows)
    view = plans.view(
        name=HOSTILE,
        currency=HOSTILE,
        tiers=tuple(replace(tier, label=HOSTILE) for tier in plans.TIERS),
        channels=tuple(replace(channel, label=HOSTILE) for channel in plans.CHANNELS),
        solution=solution,
        findings=(Finding("W305", None, HOSTILE, HOSTILE),),
    )
    for width in (60, 80, 120, 300):
        text = shown(view, width=width)
        assert not set(text) & set("\x1b\x07\r\u202e\u2028")
        assert "[bold]x[/bold]" in text


def test_a_refusal_is_as_harmless():
    conflict = plans.contradiction().solution.conflict
    repairs = tuple(replace(repair, text=HOSTILE) for repair in conflict.repairs)
    rows = tuple(replace(row, name=HOSTILE, reason=HOSTILE) for row in conflict.rows)
    solution = replace(plans.contradiction().solution, conflict=replace(conflict, repairs=repairs, rows=rows))
    assert not set(shown(plans.view(solution=solution), width=90)) & set("\x1b\x07\r\u202e\u2028")


class Screen(io.StringIO):
    """A text stream that is a terminal or not, with an encoding of its own."""

    def __init__(self, *, tty: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self._tty, self._encoding = tty, encoding

    @property
    def encoding(self) -> str:
        return self._encoding

    def isatty(self) -> bool:
        return self._tty


def test_a_pipe_has_a_fixed_width_and_no_colour():
    assert Terminal.of(Screen(tty=False, encoding="cp1252"), {}) == Terminal(120, False, "cp1252")


def test_a_terminal_tells_its_width_and_shows_colour():
    found = Terminal.of(Screen(tty=True), {"COLUMNS": "90", "LINES": "30", "TERM": "xterm-256color"})
    assert (found.width, found.color) == (90, True)


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_refused(variable):
    environ = {"COLUMNS": "90", "LINES": "30", "TERM": "xterm", **variable}
    assert Terminal.of(Screen(tty=True), environ).color is False
