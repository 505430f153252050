"""The same closed loop on other engines, each in an environment of its own: python -m benchmarks.rivals."""
