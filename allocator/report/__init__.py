"""What people see: one document, several renderers."""
