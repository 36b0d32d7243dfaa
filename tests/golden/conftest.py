"""How the kept outputs are written anew."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to write the outputs that are kept: ``python -m pytest tests/golden --update-golden``."""
    parser.addoption("--update-golden", action="store_true", help="write the kept outputs anew")
