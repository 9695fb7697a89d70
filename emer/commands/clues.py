"""`emer clues`: only the measuring, as a table or JSON."""

from argparse import Namespace

from emer.commands.explain import explainer_of
from emer.commands.progress import progress_bar
from emer.commands.sources import clips_of, is_batch
from emer.errors import ConfigError
from emer.jsonio import dumps
from emer.types import Clues

SHOWN = 32
"""Features of a view that are printed; those that people read come first."""


def run(options: Namespace) -> int:
    """Measure one clip and print its clues."""
    if is_batch(options.path):
        raise ConfigError(
            f"{options.path} stands for many clips; emer clues takes one, emer explain --out DIR takes many"
        )
    (clip,) = clips_of(options)
    with progress_bar(1) as bar:
        clues = explainer_of(options, bar.stage).clues(clip)
    if options.json:
        print(dumps(clues))
    else:
        show(clues)
    return 0


def show(clues: Clues) -> None:
    """A line a clue, then the features, warnings and failures."""
    for clue in clues.items:
        doubt = f"  ({clue.quality})" if clue.quality else ""
        print(f"{clue.id:>4}  {clue.start:7.2f}–{clue.end:<7.2f}  {clue.text}{doubt}")
    for view, features in clues.features.items():
        measured = [f"{n} {features.values[i]:.3g}" for i, n in enumerate(features.names) if features.mask[i]]
        more = f", and {len(measured) - SHOWN} more (--json has them all)" if len(measured) > SHOWN else ""
        print(f"\n{view}: {', '.join(measured[:SHOWN]) or 'nothing could be measured'}{more}")
    for notice in clues.warnings:
        print(f"\nnote: {notice.text}")
    for failure in clues.failed:
        print(f"\n{failure.extractor} failed: {failure.reason}")
