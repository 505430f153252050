"""Benchmarks: closed loops of the three-activity pipeline, and the memory of sleeping workflows."""
