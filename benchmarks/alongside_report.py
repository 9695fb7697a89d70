"""The report of "does training alongside pay?": tables, what held, one plot, results.json."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from alongside_plan import CONDITIONS, SYSTEMS, System
from alongside_results import (
    FUSED,
    HEAD,
    JOINT,
    Pieces,
    Written,
    agreement,
    beside_heads,
    label_table,
    losses,
    verdicts,
    written,
)
from alongside_says import parts
from alongside_scores import LabelFigures, accuracy, chance, nll, uar

from emer.bench import plots
from emer.bench.answers import Answers
from emer.bench.comparison import Comparison, Measure, compare
from emer.bench.environment import environment
from emer.bench.scoring import Scores, scores
from emer.files import write_text
from emer.metrics.bootstrap import Interval

MEASURES: tuple[Measure, ...] = ("accuracy", "aurc", "nll")
AGREE, GROUNDED, POINTS = 0.95, 0.95, 0.03
"""What the aims ask for: agreement of labels and verdict, grounded claims, points below the frozen head."""
FEW = (
    "Intervals resample the four test actors, which are few: they are too narrow, and say what other actors might show "
    "with these trained seeds. Differences are paired."
)


@dataclass(frozen=True, slots=True)
class Figures:
    """One way of being sure on one set of clips."""

    accuracy: Interval
    uar: Interval
    nll: Interval
    seeds: tuple[Scores, ...]
    chance: float
    joint_less_this: tuple[Comparison, ...] = ()
    """By accuracy, AURC and NLL; empty for the joint head itself."""

    @property
    def inside(self) -> int:
        """Seeds whose ECE is inside the band of perfect calibration."""
        return sum(each.inside for each in self.seeds)


def figures_of(methods: Mapping[str, Sequence[Answers]]) -> dict[str, Figures]:
    """Every method with its differences from the joint head."""
    return {
        method: Figures(
            accuracy(seeds),
            uar(seeds),
            nll(seeds),
            tuple(map(scores, seeds)),
            chance(seeds),
            () if method == JOINT else tuple(compare(methods[JOINT], seeds, measure) for measure in MEASURES),
        )
        for method, seeds in methods.items()
    }


@dataclass(frozen=True, slots=True)
class Told:
    """All figures of a run."""

    verdicts: dict[str, dict[str, Figures]]
    """By condition and method."""
    beside_heads: dict[str, Figures]
    fused_less: dict[str, Comparison]
    """Accuracy of the fused opinion less that of each part."""
    labels: dict[str, dict[str, list[LabelFigures]]]
    texts: dict[tuple[System, str], Written]
    agreement: dict[str, Interval]
    explanation_loss: dict[str, Interval]

    @property
    def first(self) -> str:
        """The condition that the aims are about."""
        return next(iter(self.verdicts))


def report(pieces: Pieces, folder: Path, command: str) -> None:
    """Write report.md, summary.md, risk.png and results.json."""
    names = pieces.plan.conditions
    said = {name: verdicts(pieces, name) for name in names}
    heads = beside_heads(pieces, names[0])
    plots.risk_coverage_curves(said[names[0]], folder / "risk.png")
    told = Told(
        {name: figures_of(methods) for name, methods in said.items()},
        figures_of(heads),
        {other: compare(heads[FUSED], heads[other], "accuracy") for other in (HEAD, JOINT)},
        {name: label_table(pieces, name) for name in names},
        {(system, name): written(pieces, system, name) for name in names for system in SYSTEMS},
        {name: agreement(pieces, name) for name in names},
        losses(pieces),
    )
    head = list(_head(pieces, command))
    write_text(folder / "report.md", "\n".join([*head, *_whole(told)]) + "\n")
    write_text(folder / "summary.md", "\n".join([*head[2:], *_short(told)]) + "\n")
    write_text(folder / "results.json", json.dumps(finite(_numbers(pieces, command, told)), indent=1) + "\n")


def _short(told: Told) -> Iterator[str]:
    yield from ("", *_verdict_table(told, told.first), "", *_loss_lines(told), "", *aims(told), "")
    yield "[The whole report](alongside/report.md)."


def _whole(told: Told) -> Iterator[str]:
    yield from ("", "## What held", "", *aims(told), "", "## Explanation loss", "", *_loss_lines(told), "")
    yield "## Verdicts"
    for name, methods in told.verdicts.items():
        yield from ("", *_verdict_table(told, name), "", *_differences(methods))
    yield from ("", "![Risk against coverage](risk.png)", "", "## Beside the frozen audio head", "")
    yield from (*_method_rows(told.beside_heads), "", *_differences(told.beside_heads), "", "## Generated labels")
    for name, sure in told.labels.items():
        yield from ("", *_label_rows(name, sure))
    yield from ("", "## Texts", "", *_text_rows(told))


def _head(pieces: Pieces, command: str) -> Iterator[str]:
    plan, (calibration, test) = pieces.plan, parts()
    n = len(pieces.asked.where(test))
    chosen = [plan.llm(system, plan.seeds[0]).evaluation.choose_by for system in SYSTEMS]
    yield "# Does training alongside pay?"
    yield ""
    yield f"`{command}`, base {Path(plan.base).name}, seeds {', '.join(map(str, plan.seeds))}, means over them."
    yield f"n = {n} clips of {', '.join(test)}; temperatures, slopes and thresholds from {', '.join(calibration)}."
    yield FEW
    yield ""
    yield (
        "SFT learns to write alone; its *label tokens* are the probabilities of the first tokens of training labels "
        'behind its own explanation and `Emotions: ["`, summed by cluster and normalised; its *post-hoc head* is '
        f"trained on its frozen states; *self-consistency* counts {plan.samples} answers drawn at temperature "
        f"{plan.temperature:g}; *verbalised* is the percentage that it states when asked. The *joint head* is trained "
        f"alongside. The state that is kept has the best {' (SFT) or '.join(chosen)} (joint) on validation clips, "
        "which bears on the explanation loss. `band`: the ECE that 95 % of perfectly calibrated systems stay under at "
        "this n; `inside`: seeds."
    )


# ---------------------------------------------------------------- tables


def _verdict_table(told: Told, name: str) -> Iterator[str]:
    yield from (f"### {CONDITIONS[name].title}", "", *_method_rows(told.verdicts[name]))


def _method_rows(methods: Mapping[str, Figures]) -> Iterator[str]:
    yield "| method | accuracy | UAR | AURC | NLL | ECE | band | inside |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for method, found in methods.items():
        cells = (
            _with(found.accuracy),
            _with(found.uar),
            _number(_mean(found.seeds, "aurc")),
            _with(found.nll, 2),
            _number(_mean(found.seeds, "ece")),
            _number(_mean(found.seeds, "ece_band")),
            f"{found.inside} of {len(found.seeds)}",
        )
        yield f"| {method} | {' | '.join(cells)} |"


def _differences(methods: Mapping[str, Figures]) -> Iterator[str]:
    """The joint head less each other method."""
    yield "| joint head less … | accuracy | AURC | NLL |"
    yield "|---|---:|---:|---:|"
    for method, found in methods.items():
        if method != JOINT:
            yield f"| {method} | {' | '.join(_gap(each) for each in found.joint_less_this)} |"


def _label_rows(name: str, methods: Mapping[str, Sequence[LabelFigures]]) -> Iterator[str]:
    yield f"### {CONDITIONS[name].title}"
    yield ""
    yield f"The {JOINT} is sure of the labels that its own model wrote, all others of those that SFT wrote."
    yield ""
    yield "| sure by | labels | right | NLL | AURC | ECE | band |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for method, seeds in methods.items():
        n = np.mean([each.n for each in seeds])
        cells = (_mean(seeds, field) for field in ("right", "nll", "aurc", "ece", "band"))
        yield f"| {method} | {n:.0f} | {' | '.join(_number(cell) for cell in cells)} |"


def _text_rows(told: Told) -> Iterator[str]:
    yield "| shown | system | claims a clip | grounded | with a known label | first label right | agrees | failed |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for (system, name), each in told.texts.items():
        cells = (
            _with(each.claims, 1),
            _with(each.grounded, 2),
            _number(each.labelled),
            _number(each.right),
            _with(told.agreement[name], 2) if system == "joint" else "",
            str(each.failed),
        )
        yield f"| {CONDITIONS[name].title} | {system} | {' | '.join(cells)} |"


def _loss_lines(told: Told) -> Iterator[str]:
    text = told.explanation_loss
    yield (
        f"Reference explanations of the test clips, nats a token: {_with(text['sft'])} without the head, "
        f"{_with(text['joint'])} with it; difference {_signed(text['difference'])}."
    )


# ---------------------------------------------------------------- aims


def aims(told: Told) -> Iterator[str]:
    """What was aimed at, held or missed, each with its figures."""
    ours, head = (told.beside_heads[method].accuracy for method in (JOINT, HEAD))
    yield _aim(
        ours.score >= head.score - POINTS,
        "verdict accuracy within three points of the frozen audio head",
        f"{_with(ours)} against {_with(head)}",
    )
    for other, gap in told.fused_less.items():
        yield _aim(gap.finding != "worse", f"fused opinion not shown less accurate than the {other}", _gap(gap))
    agreed, text = told.agreement[told.first], told.texts["joint", told.first]
    yield _aim(agreed.score >= AGREE, "labels agree with the verdict in 95 % of clips", _with(agreed))
    claimed = f"{_with(text.grounded)}, {_with(text.claims, 1)} claims a clip" if text.claims.score else "no claims"
    yield _aim(text.grounded.score >= GROUNDED, "95 % of claims are grounded", claimed)
    sure = told.verdicts[told.first][JOINT]
    yield _aim(
        sure.inside == len(sure.seeds),
        "calibration inside the band of perfect calibration",
        f"{sure.inside} of {len(sure.seeds)} seeds",
    )
    if "shuffled" in told.verdicts:
        found = told.verdicts["shuffled"][JOINT]
        yield _aim(
            found.accuracy.low <= found.chance <= found.accuracy.high,
            "with the sound of another clip, accuracy is at chance",
            f"{_with(found.accuracy)}, chance {found.chance:.3f}",
        )


def _aim(held: bool, text: str, figures: str) -> str:
    return f"* **{'Held' if held else 'Missed'}**: {text}. {figures}."


# ---------------------------------------------------------------- numbers


def _numbers(pieces: Pieces, command: str, told: Told) -> dict[str, Any]:
    calibration, test = parts()
    return {
        "command": command,
        "environment": environment(),
        "plan": asdict(pieces.plan),
        "n": {"calibration": len(pieces.asked.where(calibration)), "test": len(pieces.asked.where(test))},
        **asdict(replace(told, texts={})),
        "texts": {f"{system}/{name}": asdict(each) for (system, name), each in told.texts.items()},
    }


def finite(value: Any) -> Any:
    """The same with null for what is not a number, which JSON has no word for, and five digits behind the point.

    >>> finite({"share": float("nan"), "n": 3, "seeds": [0.1234567]})
    {'share': None, 'n': 3, 'seeds': [0.12346]}
    """
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value


def _mean(seeds: Sequence[Scores] | Sequence[LabelFigures], field: str) -> float:
    return float(np.mean([getattr(each, field) for each in seeds]))


def _number(value: float) -> str:
    return f"{value:.3f}"


def _with(found: Interval, digits: int = 3) -> str:
    """A score and its interval."""
    return f"{found.score:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def _signed(found: Interval) -> str:
    return f"{found.score:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def _gap(found: Comparison) -> str:
    return f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}], {found.finding}"
