"""The scenario: every section as an option object of its stage, and where each value was written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, WithJsonSchema

from allocator.customers.tiers import Tiers
from allocator.errors import Finding, Origin, ScenarioError, closest, raise_findings
from allocator.options import Currency, Options, Text, fault
from allocator.plan.constraints import Constraint
from allocator.plan.objectives import Budget, Objective
from allocator.quantities import CURRENCIES, SpellingError, parse_count, parse_number, quoted
from allocator.response.curves import ALL
from allocator.scenario.check import semantic
from allocator.scenario.faults import findings_of
from allocator.scenario.later import unsupported
from allocator.scenario.merge import Merger
from allocator.scenario.sections import Channel, Horizon, Later, Models, Rate, Risk
from allocator.scenario.shape import Straightener, keys_at
from allocator.scenario.tree import Node, Path, from_python, origins
from allocator.tables.contracts import Data

VERSION = 1


def read_version(value: object) -> int:
    """Give the version number a file states.

    Raises
    ------
    PydanticCustomError
        E103 for what is no version, E112 for a newer one.
    """
    try:
        version = parse_count(value)
    except SpellingError:
        version = 0
    if version > VERSION:
        what = f"the file is made for a newer allocator: version {version}, this one reads {VERSION}"
        raise fault("E112", what, "update allocator")
    if version < VERSION:
        raise fault("E103", f"{quoted(value)} is no version", f"write version: {VERSION}")
    return version


@dataclass(frozen=True, eq=False)
class Source:
    """What a scenario was made of.

    Parameters
    ----------
    tree : Node
        The resolved data with their places.
    file : str
        As the user named it.
    folders : mapping of str to path
        Folder of every file the scenario was put together from, by the file's shown name.
    root : path or None
        The folder that paths may not leave; None where they may.
    """

    tree: Node
    file: str
    folders: Mapping[str, FilePath] = field(default_factory=dict)
    root: FilePath | None = None


class Scenario(Options):
    """A question to the allocator: budget, channels, limits, objective.

    Raises
    ------
    ScenarioError
        From `from_dict`, `override` and `load_scenario`, with every finding.

    Examples
    --------
    >>> scenario = Scenario.from_dict({
    ...     "version": 1, "name": "Two channels", "budget": {"total": "100k"},
    ...     "channels": {
    ...         "email": {"response": {"source": "points", "points": [["50k", "120k"]]}},
    ...         "search": {"response": {"source": "points", "points": [["80k", "140k"]]}},
    ...     },
    ... })
    >>> scenario.budget.total, scenario.override({"budget.total": "base - 20%"}).budget.total
    (100000.0, 80000.0)
    """

    version: Annotated[int, BeforeValidator(read_version), WithJsonSchema({"const": VERSION})]
    """Version of the file format: 1."""
    name: Text
    """What the scenario is called in every output."""
    description: Text | None = None
    """What it is about."""
    owner: Text | None = None
    """Who answers for it."""
    currency: Currency = ""
    """ISO 4217 code of every amount without a currency of its own."""
    fx: Mapping[Currency, Rate] = Field(default_factory=dict)
    """Rates for amounts in foreign currencies."""
    horizon: Horizon | None = None
    """The time the plan is for."""
    budget: Budget
    """How much money there is."""
    objective: Objective = Objective()
    """What the plan is for."""
    data: Data = Data()
    """Tables to read."""
    models: Models = Models()
    """Models that turn data into forecasts."""
    tiers: Tiers | None = None
    """How customers are grouped; absent means one tier, all."""
    channels: Annotated[Mapping[str, Channel], Field(min_length=1)]
    """Where money can go, by name."""
    constraints: Mapping[str, Constraint] = Field(default_factory=dict)
    """Limits of the plan, by name."""
    risk: Risk = Risk()
    """How uncertainty counts."""
    sweep: Later = None
    """Values to try, by dotted path."""
    meta: Any = None
    """Free for notes; nothing reads it."""

    _source: Source = PrivateAttr()
    _origins: dict[str, Origin] = PrivateAttr()
    _warnings: tuple[Finding, ...] = PrivateAttr(())

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """Give a scenario from Python data shaped like a file; findings point at the lines it would have."""
        merger = Merger(known_keys)
        tree = merger.merge(None, from_python(data, "<dict>"))
        return cls.from_tree(Source(tree, "<dict>"), merger.findings, merger.broken)

    @classmethod
    def from_tree(cls, source: Source, findings: Iterable[Finding] = (), broken: Iterable[Path] = ()) -> Self:
        """Check a resolved tree and give its scenario.

        Parameters
        ----------
        source : Source
        findings : iterable of Finding
            From reading and merging.
        broken : iterable of Path
            Places that were emptied because of one of them.

        Raises
        ------
        ScenarioError
            With these and all further findings.
        """
        straightener = Straightener(broken=set(broken))
        tree = straightener.straighten(source.tree, cls)
        found = [*findings, *straightener.findings, *unsupported(tree), *_outside(tree, source)]
        found += semantic(tree, straightener.broken)
        scenario = None
        try:
            scenario = cls.model_validate(tree.plain(), context=_context(tree))
        except ValidationError as error:
            found += findings_of(error, tree, straightener.broken)
        found = ordered(found)
        raise_findings(found, ScenarioError)
        if scenario is None:
            raise ScenarioError(found)
        scenario._source = source
        scenario._origins = origins(source.tree)
        scenario._warnings = tuple(found)
        return scenario

    @property
    def file(self) -> str:
        """The file as the user named it."""
        return self._source.file

    @property
    def origins(self) -> Mapping[str, Origin]:
        """Where every value was written, by dotted path."""
        return MappingProxyType(self._origins)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Advice from checking."""
        return self._warnings

    @property
    def sha256(self) -> str:
        """Hash of the resolved data as they are written, in order of declaration."""
        text = json.dumps(self._source.tree.plain(), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def tree(self) -> Node:
        """The resolved data as they are written, with their places."""
        return self._source.tree

    @property
    def tier_names(self) -> tuple[str, ...]:
        """The tiers in order; ``("all",)`` without any."""
        return tuple(self.tiers.levels) if self.tiers else (ALL,)

    def origin_of(self, path: str) -> Origin | None:
        """Give the place of a dotted path, or of the nearest thing above it that was written."""
        steps = path.split(".")
        above = (".".join(steps[:length]) for length in range(len(steps), 0, -1))
        return next((self._origins[name] for name in above if name in self._origins), None)

    def override(self, changes: Mapping[str, object], *, name: str | None = None) -> Self:
        """Give the scenario with other values.

        Parameters
        ----------
        changes : mapping of str to value
            Dotted path to value; values may be relative (``base - 20%``), None removes.
        name : str, optional
            The new scenario's name.

        Raises
        ------
        ScenarioError
            When a path does not exist (E204) or a value does not fit.
        """
        merger = Merger(known_keys)
        renamed = {**changes, "name": name} if name is not None else changes
        tree = merger.override(self._source.tree, from_python(renamed, "<override>"))
        folders = {**self._source.folders, "<override>": FilePath.cwd()}
        return type(self).from_tree(
            replace(self._source, tree=tree, folders=folders), merger.findings, merger.broken
        )

    def folder_of(self, path: str) -> FilePath:
        """Give the folder of the scenario file that wrote a value, which paths in it are relative to."""
        origin = self.origin_of(path)
        return self._source.folders.get(origin.file if origin else "", FilePath())

    def path_of(self, path: str) -> FilePath:
        """Give the file a value names, relative to the scenario file that wrote it.

        Parameters
        ----------
        path : str
            Dotted, such as ``data.curves.path``.

        Raises
        ------
        ScenarioError
            E001 when there is no such file.
        """
        node = self._source.tree.get(*path.split("."))
        if node is None or not isinstance(node.value, str):
            raise KeyError(path)
        found = _real(node, self._source)
        if not found.is_file():
            raise ScenarioError(
                node.mark.finding("E001", f"there is no file {quoted(node.value)}", near_file(found))
            )
        return found


def known_keys(tree: Node | None, path: Path) -> tuple[str, ...] | None:
    """Give the keys that may stand at a path of a scenario; None where names are free."""
    return keys_at(Scenario, tree, path)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Give findings by file, line and column; of one kind one a place, as the first to see it put it."""
    unique: dict[object, Finding] = {}
    for finding in findings:
        several = finding.what if finding.code == "E101" else ""  # a mapping can miss several keys
        unique.setdefault((finding.where, finding.code, several), finding)
    return sorted(unique.values(), key=lambda f: (f.where is None, f.where or Origin("", 0), f.code, f.what))


def near_file(path: FilePath) -> str:
    """Give the file beside a missing one that is most alike, as a suggestion."""
    try:
        # compared without their endings, which they share
        names = {entry.stem: entry.name for entry in sorted(path.parent.iterdir()) if entry.is_file()}
    except OSError:
        return f"there is no folder {quoted(path.parent)}"
    near = names.get(closest(path.stem, names) or "")
    return f"did you mean {quoted(near)}?" if near else "check the path"


def _real(node: Node, source: Source) -> FilePath:
    folder = source.folders.get(node.mark.origin.file, FilePath())
    return FilePath(os.path.normpath(folder / str(node.value)))


def _outside(tree: Node, source: Source) -> Iterator[Finding]:
    """Report data files outside the project folder."""
    for _, entry in tree.select(("data", "*", "path")):
        if source.root is None or not isinstance(entry.node.value, str):
            continue
        if not inside(_real(entry.node, source), source.root):
            what = f"{quoted(entry.node.value)} is outside the project folder"
            yield entry.node.mark.finding("E005", what, "move it there, or use --allow-outside")


def inside(path: FilePath, root: FilePath) -> bool:
    """Whether a path, links followed, is below a folder."""
    return followed(path).is_relative_to(followed(root))


def followed(path: FilePath) -> FilePath:
    """Give a path with links followed; as it is where they lead in a circle or it is no path at all."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path.absolute()


def _context(tree: Node) -> dict[str, object]:
    """Give what values need to know of each other: the scenario's currency and its rates."""
    currency = tree.get("currency")
    if currency is not None and str(currency.value) not in CURRENCIES:
        # one error about the currency is enough: every amount passes
        return {"currency": "?", "fx": dict.fromkeys(CURRENCIES, 1.0)}
    rates = {str(path[-1]): _rate(entry.node) for path, entry in tree.select(("fx", "*"))}
    return {"currency": currency.value if currency else None, "fx": rates}


def _rate(node: Node) -> float:
    """Give a rate; 1 for one whose fault is reported where it is written."""
    rate = node.get("rate")
    try:
        number = parse_number(rate.value) if rate is not None else 0.0
    except SpellingError:
        number = 0.0
    return number if number > 0 else 1.0
