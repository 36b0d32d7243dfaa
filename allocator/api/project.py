"""What a newcomer meets first: an example project that runs at once."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from allocator.errors import DataError, Finding
from allocator.scenario.jsonschema import scenario_schema

START = "q1_base.yaml"
"""The scenario a newcomer begins with: the others extend it."""

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped() -> Path:
    """Give the folder of the example project: inside the installed package, or beside it in a checkout."""
    inside = _PACKAGE / "_shipped"
    return inside if inside.is_dir() else _PACKAGE.parent / "scenarios"


def init(folder: str | os.PathLike[str] = ".") -> tuple[Path, ...]:
    """Write the example project and the scenario schema for editors into `folder`.

    Parameters
    ----------
    folder : path
        Made when it does not exist.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    DataError
        When one of the files is already there, or the folder cannot be written; nothing is written then.
    """
    target = Path(folder)
    contents = _contents()
    taken = [name for name in contents if (target / name).exists()]
    if taken:
        raise DataError(
            [Finding("E011", None, f"{target / name} exists; nothing was written") for name in taken]
        )
    try:
        _write_all(target, contents)
    except OSError as error:
        raise DataError(
            Finding("E011", None, f"{target}: {error.strerror or error}; nothing was written")
        ) from error
    return tuple(target / name for name in contents)


def _contents() -> dict[str, bytes]:
    source = shipped()
    files = sorted(source.rglob("*"), key=lambda path: (path.name != START, path))
    contents = {path.relative_to(source).as_posix(): path.read_bytes() for path in files if path.is_file()}
    schema = json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"
    return {**contents, ".allocator/scenario.schema.json": schema.encode()}


def _write_all(target: Path, contents: dict[str, bytes]) -> None:
    """Write beside the target first, so that a full disk leaves nothing half done."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".allocator-init-") as waiting:
        for name, content in contents.items():
            path = Path(waiting) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for name in contents:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(waiting) / name).replace(target / name)
