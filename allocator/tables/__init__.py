"""Tables come in here, whatever their file: read, checked, and given our names and types."""
