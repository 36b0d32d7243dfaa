"""What the outcome would be without media: level of each group, trend, season and controls."""

from __future__ import annotations

import numpy as np

from allocator.models.base import FloatArray
from allocator.models.media.panel import MediaPanel


def trend_and_season(panel: MediaPanel, harmonics: int) -> FloatArray:
    """Give a straight trend and the sines and cosines of a year, shape (t, 1 + 2 * harmonics).

    A history of less than a year has no season of its own: then the trend is alone.
    """
    import pandas as pd
    from statsmodels.tsa.deterministic import DeterministicProcess, Fourier

    t, year = len(panel.starts), panel.periods_per_year
    most = min(harmonics, int((year - 1) // 2)) if t >= year else 0
    terms = [Fourier(year, most)] if most else []
    process = DeterministicProcess(pd.RangeIndex(t), constant=False, order=1, additional_terms=terms)
    columns = process.in_sample().to_numpy(dtype=np.float64, copy=True)
    columns[:, 0] = (columns[:, 0] - columns[:, 0].mean()) / t
    return np.asarray(columns)


def baseline_columns(panel: MediaPanel, shared: FloatArray) -> FloatArray:
    """Give the columns of the outcome per size without media, shape (g * t, g + p + q), groups outermost.

    Parameters
    ----------
    panel : MediaPanel
    shared : array, shape (t, p)
        Trend and season, alike for all groups.
    """
    g, t = panel.outcome.shape
    controls = panel.controls.reshape(g * t, -1)
    spread = controls.std(axis=0)
    scaled = (controls - controls.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([np.kron(np.eye(g), np.ones((t, 1))), np.tile(shared, (g, 1)), scaled])


def independent(columns: FloatArray) -> FloatArray:
    """Give an orthonormal basis of the columns, those that repeat others left out."""
    left, size, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, size > 1e-9 * size[0]])
