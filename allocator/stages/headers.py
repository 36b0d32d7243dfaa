"""The headers of the tables against what the scenario asks of them; reads no row and loads no engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from allocator.errors import DataError, Finding, closest
from allocator.quantities import quoted
from allocator.scenario.references import COUNTED, PREDICTED
from allocator.scenario.schema import Scenario
from allocator.stages.contact_log import tested_channels
from allocator.stages.history import need_contacts, need_sorting
from allocator.stages.outcomes import outcome_findings
from allocator.stages.places import placed
from allocator.stages.reading import option_origin, sorting_column
from allocator.tables.contracts import CONTRACTS
from allocator.tables.headers import check_columns, chosen_columns, read_header

Headers = Mapping[str, tuple[str, ...]]


def header_findings(scenario: Scenario) -> tuple[Finding, ...]:
    """Give everything about the tables that their headers tell: files, columns, what is asked of them.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    tuple of Finding
        Places are in the scenario, or in the file where the fault is there.
    """
    headers: dict[str, tuple[str, ...]] = {}
    findings: list[Finding] = []
    for name, contract in CONTRACTS.items():
        options = getattr(scenario.data, name, None)
        if options is None:
            continue
        origin_of = partial(option_origin, scenario, name)
        try:
            header = read_header(options, scenario.folder_of(f"data.{name}.path"), origin_of)
        except DataError as error:
            findings += placed(error, origin_of("path"))
            continue
        extra = sorting_column(scenario, name, header)
        findings += check_columns(options, contract, header, extra, origin_of)
        headers[name] = header
    if not findings:
        findings += list(_sorting(scenario, headers)) or list(_testing(scenario, headers))
    return tuple(findings)


def _sorting(scenario: Scenario, headers: Headers) -> Iterator[Finding]:
    """Find tiers sorted by a column that no table has."""
    by = scenario.tiers.by if scenario.tiers else PREDICTED
    found = list(dict.fromkeys(column for table in COUNTED for column in headers.get(table, ())))
    if by == PREDICTED or by in found:
        return
    near = closest(by, [PREDICTED, *found])
    fix = f"did you mean {quoted(near)}?" if near else f"columns found: {', '.join(map(quoted, found[:12]))}"
    what = f"no table has the column {quoted(by)} that tiers are sorted by"
    yield Finding("E303", scenario.origin_of("tiers.by"), what, fix)


def _testing(scenario: Scenario, headers: Headers) -> Iterator[Finding]:
    """Find what an experiment has to tell besides its arms, once a channel rests on it."""
    options = scenario.data.experiments
    if options is None or "experiments" not in headers or not tested_channels(scenario):
        return
    columns = chosen_columns(options, CONTRACTS["experiments"], headers["experiments"])
    yield from outcome_findings(scenario, columns)
    yield from need_sorting(scenario, headers["experiments"])
    predicted = scenario.tiers is not None and scenario.tiers.by == PREDICTED
    if predicted or "retained" in columns:
        yield from need_contacts(scenario, columns)
