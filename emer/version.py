"""The one place that knows emer's version."""

__version__ = "0.1.0"
