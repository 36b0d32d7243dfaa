"""Public names that are imported on first use, so that ``allocator --help`` loads no numerical library."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence


def lazy_names(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Give the ``__getattr__`` and ``__dir__`` (PEP 562) of a package whose names live in `modules`.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    modules : mapping of str to sequence of str
        Full module name to the names it provides.

    Examples
    --------
    >>> get, names = lazy_names("demo", {"math": ["pi"]})
    >>> round(get("pi"), 2), names()
    (3.14, ['pi'])
    """
    home = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> object:
        if name not in home:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        return getattr(importlib.import_module(home[name]), name)

    def names() -> list[str]:
        return sorted({*home, *getattr(sys.modules.get(package), "__all__", ())})

    return get, names
