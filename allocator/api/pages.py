"""What an error code means; light, because people ask while they are stuck."""

from __future__ import annotations

from allocator.codes import pages
from allocator.errors import Finding, ScenarioError, closest


def explain(code: str | None = None) -> str:
    """Give the page of an error code, in any letter case; without a code, the titles of all.

    Raises
    ------
    ScenarioError
        When there is no such code; the closest one is offered.

    Examples
    --------
    >>> explain("e007").splitlines()[0]
    'E007: the files extend each other in a circle'
    """
    known = pages()
    if code is None:
        return "\n".join(f"{page.code}  {page.title}" for page in known.values())
    page = known.get(code.upper())
    if page is None:
        match = closest(code.upper(), known)
        fix = f"did you mean {match}?" if match else "'allocator explain' lists them"
        raise ScenarioError(Finding("E103", None, f"there is no error code {code!r}", fix))
    return str(page)
