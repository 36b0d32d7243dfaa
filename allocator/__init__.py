"""Decides where a marketing budget goes, and can defend the answer."""
