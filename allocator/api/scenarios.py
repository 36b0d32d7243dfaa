"""Reading, validating and showing scenarios; imports nothing that fits or solves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from allocator.errors import Finding, ScenarioError
from allocator.scenario.load import load_scenario as _load
from allocator.scenario.schema import Scenario

__all__ = ["Scenario", "check", "load_scenario", "show"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


def load_scenario(
    path: str | os.PathLike[str], *, allow_outside: bool = False, sets: Mapping[str, str] = _NOTHING
) -> Scenario:
    """Read a scenario file with everything it extends.

    Parameters
    ----------
    path : path
    allow_outside : bool
        Whether `extends` and `data` paths may leave the project folder.
    sets : mapping of str to str
        Dotted path to value, as ``--set`` takes them; they outrank everything else.

    Raises
    ------
    ScenarioError
        With every finding; each has its file, line and column.

    Examples
    --------
    >>> load_scenario("scenarios/media_plan.yaml", sets={"budget.total": "base - 10%"}).budget.total
    900000.0
    """
    return _load(os.fspath(path), allow_outside=allow_outside, sets=sets)


def check(
    path: str | os.PathLike[str], *, strict: bool = False, data: bool = True, allow_outside: bool = False
) -> tuple[Finding, ...]:
    """Give every error and warning about a scenario; empty when there is nothing to say.

    Parameters
    ----------
    path : path
    strict : bool
        Give warnings as errors.
    data : bool
        Whether to look at the data files.
    allow_outside : bool
        Whether `extends` and `data` paths may leave the project folder.

    Examples
    --------
    >>> check("scenarios/media_plan.yaml")
    ()
    """
    try:
        found = load_scenario(path, allow_outside=allow_outside).warnings
    except ScenarioError as error:
        found = error.findings
    return tuple(replace(finding, strict=True) for finding in found) if strict else found
