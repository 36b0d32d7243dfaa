"""Media: response curves of channels from a history of spend and outcome."""

from __future__ import annotations

from allocator.models.media.calibrate import calibrated
from allocator.models.media.curves import Calibration, MediaFit
from allocator.models.media.fit import MediaMix
from allocator.models.media.panel import MediaPanel

__all__ = ["Calibration", "MediaFit", "MediaMix", "MediaPanel", "calibrated"]
