"""Parts of a test that judge each other."""

from __future__ import annotations

import numpy as np

from allocator.models.uplift.base import Codes, ContactTest


def fold_codes(test: ContactTest, *, n_folds: int, repeats: int, seed: int) -> Codes:
    """Deal customers out to folds, those of an arm and tier evenly; clusters stay whole.

    Parameters
    ----------
    test : ContactTest
    n_folds, repeats : int
    seed : int

    Returns
    -------
    int array, shape (repeats, n)
    """
    rng = np.random.default_rng([seed, n_folds])
    group = test.stratum * test.n_arms + test.arm
    if test.cluster is None:
        return np.array([_dealt(group, n_folds, rng) for _ in range(repeats)])
    _, first, place = np.unique(test.cluster, return_index=True, return_inverse=True)
    return np.array([_dealt(group[first], n_folds, rng)[place] for _ in range(repeats)])


def _dealt(group: Codes, n_folds: int, rng: np.random.Generator) -> Codes:
    """Deal units out in random order, group by group, going on where the last group ended."""
    order = np.lexsort((rng.random(len(group)), group))
    codes = np.empty(len(group), dtype=np.intp)
    codes[order] = np.arange(len(group)) % n_folds
    return codes
