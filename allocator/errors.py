"""The one error shape: what was found, where, what was expected, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Origin:
    """Where a value was written: ``file:line:column``, lines and columns counted from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Finding:
    """One fault or warning, carried as fields; the text is made from them.

    Parameters
    ----------
    code : str
        Such as ``E102``; ``allocator explain E102`` prints its page.
    where : Origin or None
        The place, when there is one.
    what : str
        What is wrong, in one line.
    fix : str
        What was expected or the closest match; empty when there is nothing to add.
    excerpt : str
        The source line at ``where``; shown only together with ``fix``.
    width : int
        Characters under which the caret line is drawn.

    Examples
    --------
    >>> print(Finding("E102", Origin("q1.yaml", 3), "unknown key 'currancy'",
    ...               "did you mean 'currency'?", "currancy: EUR", 8))
    q1.yaml:3:1: error[E102]: unknown key 'currancy'
       3 | currancy: EUR
         | ^^^^^^^^ did you mean 'currency'?
    """

    code: str
    where: Origin | None
    what: str
    fix: str = ""
    excerpt: str = ""
    width: int = 1

    @property
    def severity(self) -> Severity:
        """A code that starts with W is advice, all others stop the run."""
        return "warning" if self.code.startswith("W") else "error"

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        head = f"{place}{self.severity}[{self.code}]: {self.what}"
        if not self.fix:
            return head
        if not (self.where and self.excerpt):
            return f"{head}\n  {self.fix}"
        number = f"{self.where.line:>4}"
        caret = " " * (self.where.column - 1) + "^" * max(self.width, 1)
        return f"{head}\n{number} | {self.excerpt}\n{' ' * len(number)} | {caret} {self.fix}"


class AllocatorError(Exception):
    """Base of every error this package raises on purpose; carries its findings."""

    def __init__(self, findings: Finding | Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = (findings,) if isinstance(findings, Finding) else tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))


class ScenarioError(AllocatorError, ValueError):
    """A scenario file cannot be used as it is written."""


class DataError(AllocatorError, ValueError):
    """A table cannot be used as it is."""


class ArgumentError(AllocatorError, TypeError):
    """A function was given something of another kind than it takes."""


class NoPlanError(AllocatorError, RuntimeError):
    """No plan satisfies every limit, or none could be proven."""


class SolverError(AllocatorError, RuntimeError):
    """No solver gave an answer that passes the checks."""


def closest(name: str, options: Iterable[str], cutoff: float = 0.7) -> str | None:
    """Give the option most alike to `name`, or None when none is alike enough.

    Examples
    --------
    >>> closest("currancy", ["currency", "channels"])
    'currency'
    >>> closest("xyz", ["currency"]) is None
    True
    """
    matches = difflib.get_close_matches(name, list(options), n=1, cutoff=cutoff)
    return matches[0] if matches else None


def raise_findings(findings: Sequence[Finding], error: type[AllocatorError]) -> None:
    """Raise `error` with every finding that is not mere advice; do nothing without one."""
    faults = [finding for finding in findings if finding.severity == "error"]
    if faults:
        raise error(faults)
