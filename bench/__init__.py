"""Benchmarks: ratios against a floor of the same run. Never a test, never timed in one."""
