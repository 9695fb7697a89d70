"""`verified` is for readers whose layout and counts were held against the release itself."""

from emer.data.dataset import about
from emer.registry import DATASETS


def test_only_sets_whose_files_were_at_hand_are_called_verified() -> None:
    """RAVDESS, EmoDB and CREMA-D's votes lie among the real material of these tests. Of the others only labels do, or
    nothing: where their clips and tables lie is known from descriptions, which `verified` must not hide."""
    verified = {name for name in DATASETS if about(name).verified}
    assert verified == {"ravdess", "emodb", "cremad", "cremad_voice"}
