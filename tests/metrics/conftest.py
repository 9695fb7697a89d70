"""Input that a type checker would stop before our own messages are reached."""

from collections.abc import Iterator

import jaxtyping
import pytest


@pytest.fixture
def as_users_run_it() -> Iterator[None]:
    """Without run-time type checks: what a user's mistake meets is our message alone."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
