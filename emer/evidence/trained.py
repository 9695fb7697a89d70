"""Running trained heads on the features of one clip. Loads torch: import it only where heads are run."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from emer.errors import ConfigError, OpinionError
from emer.evidence.calibration import Calibration, read_calibration
from emer.evidence.domain import ARRAYS, RECORD, Domain, load_domains, place, save_domains
from emer.evidence.head_files import TENSORS, HeadRecord, TrainedHeads, load_heads, save_heads
from emer.evidence.head_opinions import opinions_of
from emer.evidence.heads import MultiViewHeads
from emer.evidence.judgement import Heard
from emer.evidence.speaker_baseline import relative
from emer.evidence.weights import HEADS, Weights
from emer.files import write_text
from emer.jsonio import dumps
from emer.types import JOINT, Features, Notice, WeightsRecord

CALIBRATION = "calibration.json"
AS_MEASURED = ":plain"
"""Ends the key of a domain over features as measured, for heads that read differences: those hide the recording."""
LEAST_SHARE = 0.5
"""Share of a head's features below which it is not asked: it would speak of what it did not hear."""


@dataclass(frozen=True, slots=True)
class Trained:
    """Heads with all that is needed to believe them or not."""

    heads: TrainedHeads
    calibration: Calibration | None
    domains: Mapping[str, Domain]
    """By view; with `AS_MEASURED` behind it, over features before the speaker's own are taken off."""


def write_weights(
    folder: Path,
    network: MultiViewHeads,
    record: HeadRecord,
    calibration: Calibration | None,
    domains: Mapping[str, Domain],
) -> HeadRecord:
    """Write heads, calibration and domains into a folder that `emer explain --weights` reads; the record as written.

    Raises ConfigError when the parts do not belong together, OutputError when the folder cannot be written.
    """
    _refuse_strangers(record, calibration, domains)
    written = save_heads(folder, network, record)
    if calibration is not None:
        write_text(folder / CALIBRATION, dumps(calibration) + "\n")
    if domains:
        save_domains(folder, domains)
    return written


def load_trained(folder: Path) -> Trained:
    """What `write_weights` wrote. Files that did not change since are not read again. Raises ConfigError."""
    names = (HEADS, TENSORS, CALIBRATION, RECORD, ARRAYS)
    stamps = tuple((folder / name).stat().st_mtime_ns if (folder / name).exists() else 0 for name in names)
    return _loaded(os.path.abspath(folder), stamps)


@lru_cache(maxsize=8)
def _loaded(path: str, stamps: tuple[int, ...]) -> Trained:
    folder = Path(path)
    heads, domains = load_heads(folder), load_domains(folder)
    calibration = None
    if (folder / CALIBRATION).exists():
        try:
            calibration = read_calibration((folder / CALIBRATION).read_bytes())
        except (ConfigError, OSError) as error:
            raise ConfigError(f"{folder / CALIBRATION} cannot be used: {error}") from error
    _refuse_strangers(heads.record, calibration, domains)
    return Trained(heads, calibration, domains)


def _refuse_strangers(record: HeadRecord, calibration: Calibration | None, domains: Mapping[str, Domain]) -> None:
    spec = record.spec
    if calibration is not None:
        for name, ours in (("label_set", spec.label_set), ("labels", spec.labels), ("prior_weight", spec.weight)):
            if (theirs := getattr(calibration, name)) != ours:
                raise ConfigError(
                    f"the calibration has {name} {theirs!r} and the heads {ours!r}; calibrate these heads"
                )
    for key, domain in domains.items():
        view = key.removesuffix(AS_MEASURED)
        if domain.record.names != spec.features.get(view):
            raise ConfigError(f"the domain of {view} has other features than its head; fit it on the heads' features")


# ---------------------------------------------------------------- use


def hear(weights: Weights, features: Mapping[str, Features], baseline: Features | None) -> Heard:
    """What the heads say of a clip or a segment.

    Installed heads that do not fit the features (another extractor version) say nothing and are noted; heads that the
    user named raise ConfigError.
    """
    folder = weights.folder(with_baseline=baseline is not None)
    if folder is None:
        reason = f"{weights.name} has only heads for speakers whose neutral voice is known; give --speaker-baseline"
        return Heard(notices=(Notice("no_heads", reason),))
    try:
        return _heard(weights, load_trained(folder), features, baseline)
    except (ConfigError, OpinionError) as error:
        if not weights.installed:
            raise
        return Heard(notices=(Notice("heads_do_not_fit", f"{weights.name} was not used: {error}"),))


def _heard(weights: Weights, trained: Trained, features: Mapping[str, Features], baseline: Features | None) -> Heard:
    record = trained.heads.record
    usable, notices = usable_features(record, read_by(record, features, baseline))
    places = {
        key: place(domain, features[view] if key.endswith(AS_MEASURED) else usable[view])
        for key, domain in trained.domains.items()
        if (view := key.removesuffix(AS_MEASURED)) in usable
    }
    outside = {key: found.why for key, found in places.items() if not found.inside}
    # A head is as sure of clips that it knows nothing about as of others: outside its domain it is not asked, and
    # the joint head, which reads every view, is asked only where all are inside.
    silent = {key.removesuffix(AS_MEASURED) for key in outside} | ({JOINT} if outside else set())
    said = opinions_of(trained.heads.network, usable)
    return Heard(
        opinions={view: opinion for view, opinion in said.items() if view not in silent},
        outside=tuple(outside.values()),
        notices=notices,
        data=record.data,
        weights=WeightsRecord(weights.name, record.licence or "unknown"),
        fusion=record.fusion,
        reliabilities=record.reliabilities,
        calibration=trained.calibration,
    )


def read_by(record: HeadRecord, features: Mapping[str, Features], baseline: Features | None) -> dict[str, Features]:
    """The features as heads of this record read them: of the variant `baseline`, the voice relative to the speaker's.

    Raises ConfigError where that needs a baseline and there is none.
    """
    if record.variant == "plain" or "audio" not in features:
        return dict(features)
    if baseline is None:
        raise ConfigError("these heads read differences from the speaker's neutral voice; give its recordings")
    return {**features, "audio": relative(features["audio"], baseline)}


def usable_features(
    record: HeadRecord, features: Mapping[str, Features]
) -> tuple[dict[str, Features], tuple[Notice, ...]]:
    """Features of the views that have a head; a view with too few of them is left out, so that it is vacuous."""
    usable, notices = {}, []
    for view, names in record.spec.features.items():
        if (found := features.get(view)) is None:
            continue
        there = {name for name, mask in zip(found.names, found.mask, strict=True) if mask}
        count = sum(name in there for name in names)
        if count < LEAST_SHARE * len(names):
            told = f"only {count} of {len(names)} {view} features could be measured: the trained head was not asked"
            notices.append(Notice("little_measured", told))
        else:
            usable[view] = found
    return usable, tuple(notices)
