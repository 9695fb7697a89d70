"""A calibration put into an adapter's own record, in place: its tensors and their hashes stay as they are."""

from dataclasses import replace
from pathlib import Path

from emer.adapters.card import adapter_card
from emer.adapters.files import CARD, RECORD, read_record
from emer.adapters.record import write_record
from emer.errors import ConfigError
from emer.evidence.calibration import Calibration
from emer.files import write_text


def put_calibration(folder: str | Path, calibration: Calibration) -> bool:
    """Write a calibration into `emer.json` of an adapter or a merged model, whole or not at all.

    The model card is written anew as well, unless somebody has changed it by hand; the answer is whether it now tells
    of the calibration. Raises ModelError where there is no adapter, ConfigError for a calibration of other labels, and
    OutputError where nothing can be written.
    """
    folder = Path(folder)
    before = read_record(folder)
    if before.verdict is None:
        raise ConfigError(f"{folder} has no verdict that a calibration could be of; train it with one")
    after = replace(before, calibration=calibration)
    card = folder / CARD
    as_written = card.is_file() and card.read_text(encoding="utf-8", errors="replace") == adapter_card(before)
    write_text(folder / RECORD, write_record(after) + "\n")
    if as_written:
        write_text(card, adapter_card(after))
    return as_written
