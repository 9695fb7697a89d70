"""The error of this folder."""

from emer.errors import EmerError


class MetricError(EmerError):
    """Something that cannot be scored: lengths differ, a number is missing or out of range, rows are not allowed."""
