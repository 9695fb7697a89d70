"""The model card of a distribution of heads, written from what the files themselves record."""

from collections.abc import Iterator, Mapping

from emer.evidence.trained import AS_MEASURED, Trained

FRONT = """\
# {name}

Trained audio heads for [emer](https://pypi.org/project/emer/): how the voice of a clip speaks for emotions, as evidence
with calibrated confidence. `emer explain` uses them in place of its rule table as soon as they are installed; `emer
explain --weights none` leaves them out. Licence: **{licence}**, non-commercial, because of the recordings that they
were trained on (see `LICENSE`).

This page is written from the files' own records by `python weights/make.py`.
"""

LIMITS = (
    "They were trained on actors who said given sentences. Nobody felt what was acted, and everyday speech differs.",
    "They hear the voice alone: not the words, not the face. Text and face stay hints from published rules in emer.",
    "Calibration holds for voices like those it was fitted on. A clip unlike them is called out of domain.",
    "They say nothing of who someone is, and no decision about a person may rest on them.",
)


def model_card(name: str, parts: Mapping[str, Trained]) -> str:
    """Markdown: what each folder of heads is, what it was trained and calibrated on, what it reaches, its limits."""
    licence = ", ".join(dict.fromkeys(part.heads.record.licence or "unknown" for part in parts.values()))
    own = [limit for part in parts.values() for limit in part.heads.record.limits]
    limits = "\n".join(f"* {limit}" for limit in dict.fromkeys([*LIMITS, *own]))
    described = "\n".join("\n".join(_part(folder, part)) for folder, part in parts.items())
    return f"{FRONT.format(name=name, licence=licence)}\n{described}\n## Limits\n\n{limits}\n"


def _part(folder: str, part: Trained) -> Iterator[str]:
    record, made = part.heads.record, part.calibration
    spec = record.spec
    views = ", ".join(f"{view} ({len(names)} features)" for view, names in spec.features.items())
    yield f"## {folder}\n"
    if record.variant == "baseline":
        yield "Reads differences from the speaker's own neutral recordings (`--speaker-baseline`).\n"
    else:
        yield "Reads the features as they were measured; nothing need be known of the speaker.\n"
    yield f"* labels: {', '.join(spec.labels)}"
    yield f"* views: {views}"
    yield f"* trained on: {record.data}, {len(record.trained_rows)} ids of training and validation rows on record"
    yield f"* tensors: SHA-256 `{record.tensors_sha256[:16]}…`, written by emer {record.emer}"
    if made is None:
        yield "* calibration: none"
    else:
        sets = "; ".join(f"{' + '.join(one.views)} (n = {one.n})" for one in made.sets)
        yield f"* calibration: {made.data}, {made.method}, {sets}"
        yield f"* {_threshold(part)}"
    for view, domain in part.domains.items():
        told = domain.record
        share = f"{100 * told.quantile:g} %"
        name = view.replace(AS_MEASURED, ", as measured")
        yield f"* domain of {name}: distance up to {told.limit:.2f} ({share} of {told.n_held_out} held-out clips)"
    if record.figures:
        yield "\n| on speakers that were not heard before | |\n|---|---|"
        yield from (f"| {measure} | {value} |" for measure, value in record.figures.items())
    yield ""


def _threshold(part: Trained) -> str:
    threshold = part.calibration.threshold if part.calibration else None
    if threshold is None:
        return "trust: no threshold was fitted"
    asked = f"at most {threshold.target_risk:g} wrong of {threshold.n} clips"
    if threshold.value is None:
        return f"trust: no confidence kept {asked}, so no clip is trusted"
    return f"trust: confidence above {max(threshold.value, 0):.2f} ({asked}; {100 * threshold.coverage:.0f} % covered)"
