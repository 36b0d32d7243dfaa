"""What every error code means; ``allocator explain E104`` prints a page of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_HEADING = re.compile(r"^## ([EW]\d{3}) (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """The explanation of one code.

    Examples
    --------
    >>> print(pages()["E006"])
    E006: a key is written twice
    <BLANKLINE>
    YAML readers usually let the last one win in silence; here it is an error. Keep one of the two.
    """

    code: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.code}: {self.title}\n\n{self.text}"


@cache
def pages() -> Mapping[str, Page]:
    """Give every page by its code, in order of the codes, as written in ``codes.md``."""
    text = (Path(__file__).parent / "codes.md").read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    found = (
        Page(heading[1], heading[2], text[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=True)
    )
    return MappingProxyType({page.code: page for page in found})
