"""Fixtures for the tests of clues."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def photograph() -> np.ndarray:
    """Eileen Collins, NASA, public domain: 384 pixels square around the face, enlarged twice."""
    data = pytest.importorskip("skimage.data", reason="scikit-image is absent: install emer[dev]")
    return np.ascontiguousarray(data.astronaut()[6:198, 128:320].repeat(2, axis=0).repeat(2, axis=1))
