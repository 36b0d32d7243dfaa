"""The scenario file: read, merged, checked."""
