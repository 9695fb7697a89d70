"""Benchmarks: methods side by side on the same data, scored, compared and drawn."""
