"""Chat models behind OpenAI-compatible addresses: asked with patience, their answers kept."""

from emer.endpoint.chat import Endpoint, Reply
from emer.endpoint.failures import EndpointError, Unanswered

__all__ = ["Endpoint", "EndpointError", "Reply", "Unanswered"]
