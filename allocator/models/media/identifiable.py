"""What a spend history cannot tell: collinear channels, too little variation, spend that follows demand."""

from __future__ import annotations

from allocator.errors import Finding
from allocator.models.media.curves import MediaFit
from allocator.models.media.panel import MediaPanel
from allocator.models.media.problem import Problem


def findings(panel: MediaPanel, problem: Problem, fit: MediaFit) -> tuple[Finding, ...]:
    """Give what limits how far the curves may be believed."""
    return ()
