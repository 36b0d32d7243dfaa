"""What all studies give: a table, plain data, and text in plain words."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, TextIO

import pandas as pd

from allocator.report.document import Document
from allocator.report.render.json import finite
from allocator.report.render.text import Terminal, render_text
from allocator.report.view import package_version
from allocator.scenario.schema import Scenario


class Study(ABC):
    """A result that can be printed, tabulated and passed on; never changed."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Give the result as a table."""

    @abstractmethod
    def _data(self) -> dict[str, Any]:
        """Give the result as plain data; numbers may be of any kind."""

    @property
    @abstractmethod
    def _document(self) -> Document:
        """What people are told."""

    def to_dict(self) -> dict[str, Any]:
        """Give the result as plain data, numbers unrounded, what is not known as None."""
        return {key: finite(value) for key, value in self._data().items()}

    def to_json(self) -> str:
        """Give `to_dict` as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=2) + "\n"

    def to_text(self, stream: TextIO | None = None) -> str:
        """Give the result in plain words, fitted to a stream.

        Parameters
        ----------
        stream : text stream, optional
            Default: 120 columns, no colours, any character.
        """
        return render_text(self._document, Terminal.of(stream) if stream else None)

    def __str__(self) -> str:
        return self.to_text().rstrip("\n")


def header(kind: str, scenario: Scenario) -> dict[str, Any]:
    """Give what every study's data begin with."""
    return {
        "schema": f"allocator.{kind}/1",
        "scenario": scenario.name,
        "scenario_sha256": scenario.sha256,
        "allocator_version": package_version(),
        "currency": scenario.currency or None,
        "seed": scenario.risk.seed,
    }


def subtitle(kind: str, scenario: Scenario) -> tuple[str, ...]:
    """Give what stands beside the title."""
    return tuple(item for item in (kind, scenario.currency) if item)


def objective_of(scenario: Scenario) -> str:
    """Name what is maximised as people read it."""
    if scenario.objective.minimize is not None:
        return "objective, minus spend,"
    return scenario.objective.name.replace("_", " ")
