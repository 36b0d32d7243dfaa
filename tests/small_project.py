"""A project so small that it runs in a moment: 120 customers, their orders, a test with two channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SCENARIO = """\
version: 1
name: Small
currency: EUR
horizon: {start: 2027-01-01, end: 2027-03-31}
budget: {total: 2k, reason: Test}
objective: {maximize: profit, margin: 40%}
data:
  transactions: {path: orders.csv}
  customers: {path: customers.csv, attributes: [age], population: 6_000}
  experiments: {path: contacts.csv, covariates: [before], window: 4 weeks}
tiers:
  by: predicted_clv
  levels: {high: {share: top 30%}, low: {share: rest}}
channels:
  email: {current: 500, cost_per_contact: 0.10, response: {source: experiment}}
  letter: {current: 500, cost_per_contact: 0.90, response: {source: experiment}}
  search: {response: {source: points, points: [[1k, 1.8k]]}}
constraints:
  floor: {reason: Promise, where: {tier: low}, measure: share_of_spend, min: 10%}
risk: {draws: 20}
"""


@dataclass
class Project:
    """The files of a small project; a case changes them."""

    scenario: str = SCENARIO
    files: dict[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write all files and give the scenario's."""
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        path = folder / "q.yaml"
        path.write_text(self.scenario, encoding="utf-8")
        return path

    def set(self, old: str, new: str) -> None:
        assert old in self.scenario, f"the scenario holds no {old!r}"
        self.scenario = self.scenario.replace(old, new, 1)

    def edit(self, name: str, change: Callable[[list[str]], list[str]]) -> None:
        lines = self.files[name].decode().splitlines()
        changed = change(lines)
        assert changed != lines
        self.files[name] = ("\n".join(changed) + "\n").encode()


def project() -> Project:
    rng = np.random.default_rng(11)
    names = [f"{i:03d}" for i in range(1, 121)]
    orders = ["customer_id,ordered_on,amount"]
    contacts = ["customer_id,arm,contacted_on,revenue,converted,before"]
    for i, name in enumerate(names):
        days = np.unique(rng.integers(0, 600, 1 + i % 7))
        orders += [f"{name},{np.datetime64('2025-01-01') + day},{20 + i % 5 * 10}.50" for day in days]
        arm = ("control", "email", "letter")[i % 3]
        bought = int(rng.random() < 0.4 + 0.2 * (arm != "control"))
        contacts.append(f"{name},{arm},2026-09-01,{bought * rng.integers(10, 90)},{bought},{i % 4}")
    customers = ["customer_id,age", *(f"{name},{20 + i % 50}" for i, name in enumerate(names))]
    tables = {"orders.csv": orders, "customers.csv": customers, "contacts.csv": contacts}
    return Project(files={name: ("\n".join(rows) + "\n").encode() for name, rows in tables.items()})
