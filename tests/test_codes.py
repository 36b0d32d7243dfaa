"""Every code people can meet has a page, and no page describes a code nobody raises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from allocator.codes import pages

PACKAGE = Path(__file__).resolve().parents[1] / "allocator"
USED = {
    code
    for path in PACKAGE.rglob("*.py")
    if path.name != "codes.py"
    for code in re.findall(r"""["']([EW]\d{3})["']""", path.read_text(encoding="utf-8"))
}


def test_every_code_in_the_sources_has_a_page() -> None:
    assert sorted(USED - set(pages())) == []


def test_every_page_describes_a_code_in_the_sources() -> None:
    assert sorted(set(pages()) - USED) == []


@pytest.mark.parametrize("code", pages())
def test_a_page_has_a_title_and_a_text(code: str) -> None:
    page = pages()[code]
    assert page.title
    assert len(page.text) > 20
    assert str(page).startswith(f"{code}: {page.title}\n")


def test_pages_come_in_order() -> None:
    assert list(pages()) == sorted(pages())
