"""The only module that talks to solvers: CBC through PuLP, HiGHS through highspy.

Both get the same program, always minimised (dual signs agree only there), with neutral names (PuLP rewrites
others) and rows added up beforehand. No answer is taken on its status: `solve_program` recomputes it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import highspy
import numpy as np
import pulp

from allocator.plan.certify import is_proven
from allocator.plan.linear import Entries, Interval, LinearProgram
from allocator.plan.solution import Status
from allocator.response.curve import FloatArray

Engine = Literal["cbc", "highs"]

_HIGHS_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kModelEmpty: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
    highspy.HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
    highspy.HighsModelStatus.kSolutionLimit: Status.FEASIBLE_GAP,
}
FEW = 60
"""Whole numbers up to which a plan is proven to rounding, and CBC makes it on its own as well."""
VAST = 1e6
"""In the program's units, where the budget is below 1024: no column of a plan is ever this large."""
GAPS = (1e-9, 1e-4)
"""Relative gaps to which programs with few and with many whole numbers are solved."""
_DECIDED = set(_HIGHS_STATUS) - {highspy.HighsModelStatus.kInfeasible}
_OPTIONS = {
    "presolve": "off",
    "simplex_strategy": 1,
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
}
_MIXED = {"presolve": "on", "mip_feasibility_tolerance": 1e-9, "mip_max_nodes": 20_000}
_PRIMAL = {"simplex_strategy": 4}
_USUAL = {"primal_feasibility_tolerance": 1e-7, "dual_feasibility_tolerance": 1e-7}
_CBC_STATUS = {
    pulp.constants.LpStatusOptimal: Status.OPTIMAL,
    pulp.constants.LpStatusInfeasible: Status.INFEASIBLE,
    pulp.constants.LpStatusUnbounded: Status.UNBOUNDED,
}


@dataclass(frozen=True, eq=False)
class RawSolution:
    """A solver's answer in the program's own units, of a minimisation.

    ``row_dual`` is the change of the objective per unit of right-hand side, ``reduced_cost`` the cost of a
    column less what its rows pay. Arrays are empty without a plan, duals also with integer columns. ``doubt``
    says where two solvers contradicted each other.
    """

    status: Status
    engine: Engine
    x: FloatArray
    row_dual: FloatArray
    reduced_cost: FloatArray
    objective: float = float("nan")
    bound: float = float("nan")
    gap: float = float("nan")
    doubt: str = ""


def solve_program(lp: LinearProgram, engine: Engine = "cbc") -> RawSolution:
    """Solve a program and check the answer; HiGHS gives the second opinion on every doubtful one of CBC.

    Parameters
    ----------
    lp : LinearProgram
        Scaled so that numbers lie between about 1e-3 and 1e4.
    engine : {"cbc", "highs"}

    Returns
    -------
    RawSolution
        ``OPTIMAL`` only when feasible and, without integer columns, when the duals prove it;
        ``FEASIBLE_GAP`` with the gap left when whole numbers were not settled within the nodes allowed.

    Examples
    --------
    >>> from allocator.plan.linear import Entries, Interval
    >>> lp = LinearProgram.build([-2.0, -1.0], Interval([0, 0], [5, 9]),
    ...                          Entries([0, 0], [0, 1], [1.0, 1.0]), Interval([-np.inf], [8]))
    >>> answer = solve_program(lp, "highs")
    >>> answer.x, answer.row_dual, answer.objective
    (array([5., 3.]), array([-1.]), -13.0)
    """
    if bool((lp.col_lower > lp.col_upper).any() or (lp.row_lower > lp.row_upper).any()):
        return _without_plan(Status.INFEASIBLE, engine)
    if engine == "highs" or lp.integer.sum() > FEW:
        return _checked(lp, HotModel(lp).run())
    first = _checked(lp, _solve_cbc(lp))
    if first.status is Status.OPTIMAL:
        return first
    second = _checked(lp, HotModel(lp).run())
    if second.status is first.status:
        return first
    return replace(second, doubt=f"CBC says {first.status}, HiGHS says {second.status}")


class HotModel:
    """A program kept in HiGHS, so that the next solve starts from the last basis.

    Examples
    --------
    >>> from allocator.plan.linear import Entries, Interval
    >>> rows = Interval([-np.inf], [4])
    >>> lp = LinearProgram.build([-1.0], Interval([0], [9]), Entries([0], [0], [1.0]), rows)
    >>> hot = HotModel(lp)
    >>> hot.run().objective
    -4.0
    >>> hot.bound_rows(np.array([-np.inf]), np.array([5.0]))
    >>> hot.run().objective
    -5.0
    """

    def __init__(self, lp: LinearProgram) -> None:
        self.lp = lp
        self._cuts: list[tuple[FloatArray, float]] = []
        self._highs: Any = highspy.Highs()
        self._set({"output_flag": False, "threads": 1, **_OPTIONS})
        if lp.integer.any():
            self._set({**_MIXED, "mip_rel_gap": GAPS[int(lp.integer.sum() > FEW)]})
        self._highs.passModel(_highs_model(lp))

    def bound_rows(self, lower: FloatArray, upper: FloatArray) -> None:
        """Set the bounds of all rows; only those that differ are touched."""
        lp = self.lp
        for i in np.flatnonzero((lower != lp.row_lower) | (upper != lp.row_upper)):
            self._highs.changeRowBounds(int(i), float(lower[i]), float(upper[i]))
        self.lp = replace(lp, row_lower=lower, row_upper=upper)

    def bound_columns(self, lower: FloatArray, upper: FloatArray) -> None:
        """Set the bounds of all columns; only those that differ are touched."""
        lp = self.lp
        moved = np.flatnonzero((lower != lp.col_lower) | (upper != lp.col_upper)).astype(np.int32)
        if len(moved):
            self._highs.changeColsBounds(len(moved), moved, lower[moved], upper[moved])
        self.lp = replace(lp, col_lower=lower, col_upper=upper)

    def cut(self, coef: FloatArray, upper: float) -> None:
        """Append the row ``coef @ x <= upper``; the next run starts from the basis before."""
        used = np.flatnonzero(coef)
        self._highs.addRow(-highspy.kHighsInf, upper, len(used), used.astype(np.int32), coef[used])
        self._cuts.append((coef, upper))

    def above(self, coef: FloatArray, least: float, by: FloatArray) -> RawSolution:
        """Solve once with all rows moved by `by` and ``coef @ x >= least`` as the last row."""
        lp, basis = self.lp, self.basis()
        self.bound_rows(lp.row_lower + by, lp.row_upper + by)
        used = np.flatnonzero(coef)
        self._highs.addRow(least, highspy.kHighsInf, len(used), used.astype(np.int32), coef[used])
        self._cuts.append((coef, np.inf))  # its reduced costs are not asked for
        answer = self.run()
        self._cuts.pop()
        self._highs.deleteRows(1, np.array([lp.n_rows], dtype=np.int32))
        self.bound_rows(lp.row_lower, lp.row_upper)
        self.restore(basis)
        return answer

    def settled(self) -> LinearProgram:
        """Give the program with all cuts as rows."""
        if self._cuts:
            coef = np.array([row for row, _ in self._cuts])
            row, col = np.nonzero(coef)
            upper = np.array([limit for _, limit in self._cuts])
            sides = Interval(np.full(len(upper), -np.inf), upper)
            self.lp, self._cuts = self.lp.with_rows(Entries(row, col, coef[row, col]), sides), []
        return self.lp

    def charge(self, cost: FloatArray) -> None:
        """Set the cost of all columns."""
        every = np.arange(len(cost), dtype=np.int32)
        self._highs.changeColsCost(len(cost), every, cost)
        self.lp = replace(self.lp, cost=cost)

    def run(self) -> RawSolution:
        """Minimise from the last basis; a run without a plan is repeated from scratch, then less strictly."""
        self._highs.run()
        for again in (_PRIMAL, _USUAL):
            if self._highs.getModelStatus() in _DECIDED:
                break
            self._highs.clearSolver()
            self._set(again)
            self._highs.run()
            self._set(_OPTIONS)
        found = _HIGHS_STATUS.get(self._highs.getModelStatus(), Status.ERROR)
        if found is Status.FEASIBLE_GAP and not self._highs.getSolution().value_valid:
            found = Status.ERROR
        carries = found in (Status.OPTIMAL, Status.FEASIBLE_GAP)
        return self._answer(found) if carries else _without_plan(found, "highs")

    def _set(self, options: Mapping[str, object]) -> None:
        for option, value in options.items():
            self._highs.setOptionValue(option, value)

    def basis(self) -> object:
        """Give the basis of the last solve, for `restore`."""
        return self._highs.getBasis()

    def restore(self, basis: object) -> None:
        """Start the next solve from `basis`."""
        self._highs.setBasis(basis)

    def follow(self, by: FloatArray) -> FloatArray:
        """Give how the columns move, with the same basis, when the bounds of all rows move by `by`."""
        _, basic = self._highs.getBasicVariables()
        held = by.copy()
        held[-1 - basic[basic < 0]] = 0.0  # a row that is not at its bound does not feel it move
        _, moved = self._highs.getBasisSolve(held)
        move = np.zeros(self.lp.n_cols)
        move[basic[basic >= 0]] = np.asarray(moved)[basic >= 0]
        return move

    def _answer(self, found: Status) -> RawSolution:
        lp, solution = self.lp, self._highs.getSolution()
        x = np.clip(np.array(solution.col_value, dtype=float), lp.col_lower, lp.col_upper)
        objective = float(lp.cost @ x)
        if lp.integer.any():
            info = self._highs.getInfo()
            return RawSolution(
                found, "highs", _rounded(lp, x), np.zeros(0), np.zeros(0), objective,
                float(info.mip_dual_bound), float(info.mip_gap),
            )  # fmt: skip
        dual = np.array(solution.row_dual, dtype=float)
        reduced = np.zeros(0) if self._cuts else lp.reduced_cost(dual)
        return RawSolution(Status.OPTIMAL, "highs", x, dual, reduced, objective, objective, 0.0)


def _highs_model(lp: LinearProgram) -> Any:  # noqa: ANN401 - highspy has no types
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = lp.n_cols, lp.n_rows
    lower, upper = lp.col_lower, lp.col_upper
    if lp.integer.any():  # presolve of HiGHS 1.15 can crash on unbounded columns beside whole numbers
        lower, upper = np.maximum(lower, -VAST), np.minimum(upper, VAST)
    model.col_cost_, model.col_lower_, model.col_upper_ = lp.cost, lower, upper
    model.row_lower_, model.row_upper_ = lp.row_lower, lp.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = lp.starts.astype(np.int32)
    model.a_matrix_.index_ = lp.index.astype(np.int32)
    model.a_matrix_.value_ = lp.coef
    if lp.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[int(whole)] for whole in lp.integer]
    return model


def _solve_cbc(lp: LinearProgram) -> RawSolution:
    problem, columns, rows = _pulp_problem(lp)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            problem.solve(
                pulp.PULP_CBC_CMD(msg=False, options=["primalTolerance 1e-9", "dualTolerance 1e-9"])
            )
        except (pulp.PulpSolverError, OSError):
            return _without_plan(Status.ERROR, "cbc")
    status = _CBC_STATUS.get(problem.status, Status.ERROR)
    if status is not Status.OPTIMAL or problem.sol_status != pulp.constants.LpSolutionOptimal:
        return _without_plan(status if status is not Status.OPTIMAL else Status.ERROR, "cbc")
    values = np.array([column.varValue or 0.0 for column in columns], dtype=float)
    x = _rounded(lp, np.clip(values, lp.col_lower, lp.col_upper))
    objective = float(lp.cost @ x)
    if lp.integer.any():
        return RawSolution(status, "cbc", x, np.zeros(0), np.zeros(0), objective, objective, 0.0)
    dual = np.zeros(lp.n_rows)
    for i, row in rows:
        dual[i] += row.pi or 0.0
    return RawSolution(status, "cbc", x, dual, lp.reduced_cost(dual), objective, objective, 0.0)


def _pulp_problem(lp: LinearProgram) -> tuple[Any, list[Any], list[tuple[int, Any]]]:
    problem = pulp.LpProblem("plan", pulp.LpMinimize)
    kinds = (pulp.LpContinuous, pulp.LpInteger)
    columns = [
        problem.add_variable(f"x{j}", _finite(low), _finite(high), kinds[int(whole)])
        for j, (low, high, whole) in enumerate(
            zip(lp.col_lower.tolist(), lp.col_upper.tolist(), lp.integer.tolist(), strict=True)
        )
    ]
    problem.setObjective(pulp.LpAffineExpression(dict(zip(columns, lp.cost.tolist(), strict=True))))
    rows: list[tuple[int, Any]] = []
    for i in range(lp.n_rows):
        part = slice(int(lp.starts[i]), int(lp.starts[i + 1]))
        terms = {columns[j]: a for j, a in zip(lp.index[part].tolist(), lp.coef[part].tolist(), strict=True)}
        for sense, limit in _senses(float(lp.row_lower[i]), float(lp.row_upper[i])):
            row = pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, f"r{len(rows)}", limit)
            problem.addConstraint(row)
            rows.append((i, row))
    return problem, columns, rows


def _senses(lower: float, upper: float) -> list[tuple[int, float]]:
    if lower == upper:
        return [(pulp.LpConstraintEQ, lower)]
    sides = [(pulp.LpConstraintGE, lower), (pulp.LpConstraintLE, upper)]
    return [(sense, limit) for sense, limit in sides if np.isfinite(limit)]


def _finite(bound: float) -> float | None:
    return bound if np.isfinite(bound) else None


def _rounded(lp: LinearProgram, x: FloatArray) -> FloatArray:
    return np.where(lp.integer, np.round(x), x)


def _without_plan(status: Status, engine: Engine) -> RawSolution:
    nothing = np.zeros(0)
    return RawSolution(status, engine, nothing, nothing, nothing)


def _checked(lp: LinearProgram, answer: RawSolution) -> RawSolution:
    """Take back an "optimal" that recomputation does not confirm."""
    carries = answer.status in (Status.OPTIMAL, Status.FEASIBLE_GAP)
    if carries and not is_proven(lp, answer.x, answer.row_dual):
        return _without_plan(Status.ERROR, answer.engine)
    return answer
