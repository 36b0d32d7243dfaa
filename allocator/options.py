"""Base of every option object, and the value types its fields are made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from allocator import quantities


class Options(BaseModel):
    """Frozen, strict about unknown keys; changing one gives a new object."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
