"""Trained audio heads for emer, as data files; `emer.evidence.weights` finds them here."""
