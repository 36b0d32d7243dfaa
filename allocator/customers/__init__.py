"""Customers: what each bought until a day, and the tier each belongs to."""
