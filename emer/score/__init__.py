"""Scores of prediction files against gold files: what `emer score` and `emer bench` compute."""
