"""Benchmarks are run by hand, each as a script beside its own modules; none is a test."""

collect_ignore_glob = ["*.py"]
