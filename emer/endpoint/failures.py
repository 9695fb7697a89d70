"""What can go wrong with a model endpoint: all of it, or one request."""

from emer.errors import EmerError


class EndpointError(EmerError):
    """A model endpoint cannot be used: its address, its key, its model, or what it sends."""


class Unanswered(EndpointError):
    """One request got no usable answer; others may."""
