"""Money, shares, durations: the one place that reads their spellings and the one that renders them.

STUB: owner scenario helper
"""
