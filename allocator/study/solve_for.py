"""Goal seek: the value of one input at which a plan reaches a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, zip_longest

import numpy as np

from allocator.errors import AllocatorError, ArgumentError, Finding
from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem
from allocator.plan.refine import locate
from allocator.plan.solution import Solution, Status
from allocator.study.hot import certain
from allocator.study.outputs import checked_output, outputs
from allocator.study.sweep import why_not

LOOKS = 6  # how often it is doubled and halved to see which way the output moves
PEAKS = 12  # how often a peak is enclosed more closely
STILL = 3  # an output that did not move for so many doublings will not
DOUBLINGS = 24  # how often the input is doubled (or halved) in search of the target
PRECISE = 1e-7  # of the input: how closely its value is found
MOST_STEPS = 60
STEADY = 1e-6  # of the output's size: it may move against its direction by so much
EDGE = 1e-5  # of the input: how closely the last value that allows a plan is found
FLAT = 1e-9  # of the output's size: it does not move any more

MakeProblem = Callable[[float], Problem]


@dataclass(frozen=True, eq=False)
class Tried:
    """One value of the input, what the plan comes to there, or why there is none."""

    value: float
    output: float | None
    solution: Solution | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Solved:
    """Where a plan reaches a target, or the nearest it gets.

    Parameters
    ----------
    output, target
        Name of the output, and the least it has to be.
    reached : bool
    best : Tried or None
        With `reached` the least value of the input that reaches the target (the most, where more of it
        gives less); else the value with the highest output. None where no value allows a plan.
    rising : bool or None
        Whether the output rises with the input; None where it does not move.
    steady : bool
        Whether it moved one way on all values tried; otherwise another value may reach the target as well.
    tried : tuple of Tried
        In increasing order of the input.
    """

    output: str
    target: float
    reached: bool
    best: Tried | None
    rising: bool | None
    steady: bool
    tried: tuple[Tried, ...]

    @property
    def value(self) -> float | None:
        """The input that reaches the target; None where none does."""
        return self.best.value if self.best and self.reached else None

    @property
    def solution(self) -> Solution | None:
        """The plan at the value found, or the best reachable."""
        return self.best.solution if self.best else None


@dataclass
class _Search:
    """Solves, each value once."""

    make: MakeProblem
    output: str
    target: float
    unit: float = 0.0
    seen: dict[float, Tried] = field(default_factory=dict)

    def rounded(self, value: float) -> float:
        return round(value / self.unit) * self.unit if self.unit else value

    def at(self, value: float) -> Tried:
        value = self.rounded(value)
        if value not in self.seen:
            self.seen[value] = self._tried(value)
        return self.seen[value]

    def _tried(self, value: float) -> Tried:
        try:
            solution = optimise(certain(self.make(value)), "highs")
        except AllocatorError as error:
            return Tried(value, None, None, error.findings[0].what)
        return Tried(value, outputs(solution)[self.output], solution, why_not(solution))

    def whole(self, value: float) -> Tried:
        """Solve once more with the draws that tell how sure the plan is."""
        found = self.at(value)
        solution = None if found.solution is None else optimise(self.make(self.rounded(value)), "highs")
        return replace(found, solution=solution)

    def reaches(self, value: float) -> bool:
        output = self.at(value).output
        return output is not None and output >= self.target - FLAT * abs(self.target)

    def allows(self, value: float) -> bool:
        """Say whether there is a plan, without asking what stands against one."""
        value = self.rounded(value)
        if value not in self.seen:
            try:
                located = locate(certain(self.make(value)))
            except AllocatorError:
                return False
            if located.answer.status is Status.INFEASIBLE:
                return False
        return self.at(value).output is not None

    def any_plan(self, start: float, ends: tuple[float, float]) -> float | None:
        """Give the value next to `start` that allows a plan, and is of use for a comparison."""
        if self.at(start).output is not None:
            return start
        for places in islice(zip_longest(*(_walk(start, end) for end in ends)), LOOKS):
            found = next((one for one in places if one is not None and self.allows(one)), None)
            if found is not None:
                return found
        return None

    def highest(self) -> float:
        """Give the value with the highest output, the one next to 0 of several."""
        known = [one for one in self.in_order() if one.output is not None]
        top = max(one.output or 0.0 for one in known)
        within = FLAT * abs(top)
        return min((one.value for one in known if (one.output or 0.0) >= top - within), key=abs)

    def in_order(self) -> tuple[Tried, ...]:
        return tuple(self.seen[value] for value in sorted(self.seen))


def solve_for(
    make_problem: MakeProblem,
    *,
    target: tuple[str, float],
    start: float,
    between: tuple[float, float] | None = None,
    unit: float = 0.0,
) -> Solved:
    """Find the value of one input at which the best plan's output is at least a target.

    Parameters
    ----------
    make_problem : callable
        From a value of the input to a problem; an `AllocatorError` means that there is no plan.
    target : tuple of str and float
        An output (see `allocator.study.outputs`) and the least it has to be, such as ``("return", 2.5e6)``.
    start : float
        A value of the input to start from; the search doubles and halves it.
    between : tuple of float, optional
        The least and the most value allowed.
    unit : float
        Values are multiples of it, such as 0.01 for money, which plans are made of to the cent; 0 for any.

    Returns
    -------
    Solved

    Raises
    ------
    ArgumentError
        For an output that does not exist, a target that is no number, or a range without room.
    """
    name, least = checked_output(target[0]), float(target[1])
    low, high = between if between is not None else _around(start)
    if not (np.isfinite([least, low, high]).all() and low < high):
        what = "a target is a number, and a value is looked for between a lower and a higher one"
        raise ArgumentError(Finding("E103", None, what))
    search = _Search(make_problem, name, least, unit)
    first = search.any_plan(float(np.clip(start, low, high)), (low, high))
    rising = None if first is None else _direction(search, first, (low, high))
    found = first
    if first is not None and rising is not None:
        found = _crossing(search, first, (low, high) if rising else (high, low))
    return _told(search, rising=rising, found=found)


def _around(start: float) -> tuple[float, float]:
    size = (abs(start) or 1.0) * 2.0**DOUBLINGS
    return (0.0, size) if start >= 0 else (-size, 0.0)


def _walk(first: float, end: float) -> Iterator[float]:
    """Give places from `first` to `end` in steps that double; the last is the end itself."""
    size, sign = (abs(first) or 1.0) / 2, 1.0 if end > first else -1.0
    for k in range(1, 2 * DOUBLINGS):
        place = first + sign * size * (2.0**k - 1)
        if (end - place) * sign <= 0:
            break
        yield place
    if end != first:
        yield end


def _direction(search: _Search, first: float, ends: tuple[float, float]) -> bool | None:
    """Say whether the output rises with the input, looking ever further; None where it does not move."""
    walks = zip_longest(_walk(first, ends[0]), _walk(first, ends[1]))
    for places in islice(walks, LOOKS):
        for place in places:
            if place is not None:
                search.at(place)
        known = [one.output for one in search.in_order() if one.output is not None]
        if abs(known[-1] - known[0]) > STEADY * max(map(abs, known)):
            return known[-1] > known[0]
    return None


def _crossing(search: _Search, first: float, ends: tuple[float, float]) -> float:
    """Give the last value that reaches the target on the way to the worse end; else the best there is."""
    worse, better = ends
    sought = search.reaches(first)
    last, still = first, 0
    for place in _walk(first, worse if sought else better):
        at = place if search.allows(place) else _edge(search, last, place)
        if search.reaches(at) is not sought:
            return _root(search, *((at, last) if sought else (last, at)))
        moved = abs((search.at(at).output or 0.0) - (search.at(last).output or 0.0))
        still = still + 1 if moved <= FLAT * abs(search.target) else 0
        last = at
        if at != place or (still == STILL and not sought):
            break
    return last if sought else _peak(search)


def _peak(search: _Search) -> float:
    """Give the value with the highest output, looking between those tried where it lies inside.

    Where the output rises and falls again, the target may be reached on the way only.
    """
    for _ in range(PEAKS):
        top = search.highest()
        known = [one.value for one in search.in_order() if one.output is not None]
        place = known.index(top)
        if search.reaches(top) or not 0 < place < len(known) - 1:
            break
        beside = (known[place - 1], known[place + 1])
        heights = [search.at(one).output or 0.0 for one in (*beside, top)]
        if heights[2] - max(heights[:2]) <= FLAT * abs(heights[2]):
            break
        for one in beside:
            middle = (one + top) / 2
            if search.allows(middle):
                search.at(middle)
    top = search.highest()
    lower = [one.value for one in search.in_order() if one.output is not None and one.value < top]
    return _root(search, lower[-1], top) if lower and search.reaches(top) else top


def _edge(search: _Search, inside: float, outside: float) -> float:
    """Give the last value that allows a plan between one that does and one that does not."""
    for _ in range(MOST_STEPS):
        if abs(outside - inside) <= EDGE * max(abs(inside), abs(outside)):
            break
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if search.allows(middle) else (inside, middle)
    return inside


def _root(search: _Search, bad: float, good: float) -> float:
    """Give the value next to `bad` that still reaches, both ends having plans.

    Brent's method finds about where the output crosses the target, halves on which side it still reaches.
    """
    precise = max(search.unit, PRECISE * max(abs(bad), abs(good)))
    for value in _about(search, bad, good, precise):
        if (value - bad) * (good - value) > 0:
            search.at(value)
    bad, good = _tightened(search, bad, good)
    while abs(good - bad) > precise * (1 + 1e-6):
        middle = search.rounded((bad + good) / 2)
        if middle in (bad, good):
            break
        bad, good = (bad, middle) if search.reaches(middle) else (middle, good)
    return good


def _about(search: _Search, bad: float, good: float, precise: float) -> tuple[float, ...]:
    """Give values on both sides of where the output crosses the target; none where it only touches it."""
    from scipy.optimize import brentq

    def ahead(value: float) -> float:
        output = search.at(value).output
        return -abs(search.target) - 1.0 if output is None else output - search.target

    if ahead(good) <= FLAT * abs(search.target) or ahead(bad) >= 0:
        return ()
    near = float(brentq(ahead, bad, good, xtol=precise, rtol=1e-14, maxiter=MOST_STEPS))
    return near - precise, near, near + precise


def _tightened(search: _Search, bad: float, good: float) -> tuple[float, float]:
    """Take the first value tried that reaches, and the one before it, on the way from `bad` to `good`."""
    between = sorted((one for one in search.seen if (one - bad) * (good - one) > 0), reverse=bad > good)
    for value in between:
        if search.reaches(value):
            return bad, value
        bad = value
    return bad, good


def _told(search: _Search, *, rising: bool | None, found: float | None) -> Solved:
    tried = search.in_order()
    moves = np.array([one.output for one in tried if one.output is not None])
    size = float(np.abs(moves).max(initial=0.0))
    against = np.diff(moves) * (1 if rising else -1) < -STEADY * size
    return Solved(
        output=search.output,
        target=search.target,
        reached=found is not None and search.reaches(found),
        best=None if found is None else search.whole(found),
        rising=rising,
        steady=rising is None or not bool(against.any()),
        tried=tried,
    )
