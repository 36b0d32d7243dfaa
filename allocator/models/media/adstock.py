"""Carry-over: the pressure of a period is its own spend and what is left of the spend before."""

from __future__ import annotations

import numpy as np

from allocator.models.base import FloatArray

OPENING = 8  # periods whose mean stands for the time before the first


def adstock(spend: FloatArray, decay: float) -> FloatArray:
    """Give the pressure of geometric carry-over, steady spend being its own pressure.

    ``p_t = decay * p_(t-1) + (1 - decay) * x_t`` (Broadbent 1979, One way TV advertisements work). Before
    the first period spend is taken as the mean of the first eight.

    Parameters
    ----------
    spend : array, shape (..., t)
    decay : float
        Share of the pressure left after a period, from 0 to below 1.

    Returns
    -------
    array, shape (..., t)

    Examples
    --------
    >>> adstock(np.array([4.0, 4.0, 4.0]), 0.5).tolist()
    [4.0, 4.0, 4.0]
    """
    return adstock_and_slope(spend, decay)[0]


def adstock_and_slope(spend: FloatArray, decay: float) -> tuple[FloatArray, FloatArray]:
    """Give the pressure and its derivative by `decay`, both of the shape of `spend`.

    ``q_t = decay * q_(t-1) + p_(t-1) - x_t`` follows from differentiating the recursion.
    """
    from scipy.signal import lfilter

    opening = spend[..., :OPENING].mean(axis=-1, keepdims=True)
    whole, back = np.array([1.0 - decay]), np.array([1.0, -decay])
    pressure, _ = lfilter(whole, back, spend, zi=decay * opening)
    before = np.concatenate([opening, pressure[..., :-1]], axis=-1)
    slope = lfilter(np.ones(1), back, before - spend)
    return np.asarray(pressure), np.asarray(slope)
