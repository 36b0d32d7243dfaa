"""Retention: whether customers buy again."""

from __future__ import annotations

from allocator.models.retention.activity import Activity

MODELS = (Activity,)
