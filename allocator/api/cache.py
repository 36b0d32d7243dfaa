"""Where forecasts of customers are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "ALLOCATOR_CACHE"
OFF = "off"


def cache_folder() -> Path | None:
    """Give the folder of kept forecasts: the user's cache, or what ALLOCATOR_CACHE names; None where off.

    What is kept lies under the hash of data, options, code and libraries, so it can be deleted at any time.
    """
    stated = os.environ.get(VARIABLE, "").strip()
    if stated.lower() == OFF:
        return None
    if stated:
        return Path(stated)
    from platformdirs import user_cache_path

    return user_cache_path("allocator") / "forecasts"
