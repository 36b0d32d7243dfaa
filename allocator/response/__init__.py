"""Response curves: what spending earns."""
