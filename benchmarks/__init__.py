"""Measures the portal against what limits it and against the usual design; see docs/benchmarks.md.

`python -m benchmarks` (or `./portal bench`) starts a portal of its own in a temporary directory,
loads it from separate processes and prints medians, spread and ratios of interleaved rounds.
"""
