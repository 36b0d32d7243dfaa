"""The search for a maximum."""

from __future__ import annotations

import numpy as np

from allocator.models.newton import maximise


def test_it_climbs_where_the_ground_bends_upwards() -> None:
    """A bump whose curvature is positive at the start: a bare Newton step would go the wrong way."""

    def bump(theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        height = np.exp(-0.5 * theta @ theta)
        return float(height), -height * theta, height * (np.outer(theta, theta) - np.eye(2))

    top = maximise(bump, np.array([2.5, -1.5]))
    assert top.converged
    assert np.abs(top.theta).max() < 1e-4


def test_it_gives_up_where_a_parameter_runs_away() -> None:
    def slope(theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        return float(-np.exp(-theta[0])), np.exp(-theta), -np.exp(-theta)[:, None]

    assert not maximise(
        lambda t: (1e6 * slope(t)[0], 1e6 * slope(t)[1], 1e6 * slope(t)[2]), np.zeros(1)
    ).converged


def test_a_covariance_needs_a_maximum() -> None:
    sharp = maximise(lambda t: (-2 * float(t @ t), -4 * t, -4 * np.eye(2)), np.ones(2))
    assert sharp.covariance(np.array([1.0, 2.0])).tolist() == [[0.25, 0.0], [0.0, 1.0]]
    flat = maximise(lambda t: (-float(t[0] ** 2), np.array([-2 * t[0], 0]), np.diag([-2.0, 0])), np.ones(2))
    assert flat.covariance(np.ones(2)) is None
