"""Models: what customers will buy, and what a contact changes."""
