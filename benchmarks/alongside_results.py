"""From the pieces of a run to its figures: verdicts, generated labels, losses, and what the aims are held against."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from alongside_plan import SYSTEMS, Answered, Heads, Losses, Plan, ReadOff, Said, System
from alongside_says import LABELS, Asked, Shares, clusters, of_evidence, of_stated, of_votes, parts, predictions
from alongside_scores import LabelFigures, agreements, by_cluster, calibrated, label_claims, label_figures, likeliest
from jaxtyping import Float64

from emer.bench.answers import Answers
from emer.engines.label_confidence import TOKEN, VERBALISED, sampled_scores
from emer.errors import ConfigError
from emer.evidence.fusion import fuse
from emer.evidence.opinion import dirichlet
from emer.jsonio import loads
from emer.metrics.bootstrap import Interval, difference_of_means, interval_of_means
from emer.types import Emotion

TOKENS, POSTHOC, JOINT, VOTES, STATED = (
    "SFT, label tokens",
    "SFT, post-hoc head",
    "joint head",
    "SFT, self-consistency",
    "SFT, verbalised",
)
HEAD, FUSED = "frozen audio head", "joint head and audio head, fused"
AS_WRITTEN = "SFT, tokens as written"
Scores = list[dict[str, float | None]]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A finished run, read piece by piece."""

    plan: Plan
    asked: Asked

    def answered(self, system: System, seed: int, name: str) -> list[Said]:
        return list(self._named(loads(self._bytes(system, seed, name), Answered).said))

    def samples(self, seed: int, name: str) -> list[list[Said]]:
        return [self.answered("sft", seed, f"{name}-sample{draw}") for draw in range(1, self.plan.samples + 1)]

    def read_off(self, seed: int, name: str) -> ReadOff:
        return loads(self._bytes("sft", seed, f"{name}-read"), ReadOff)

    def losses(self, system: System, seed: int) -> Losses:
        return loads(self._bytes(system, seed, "losses"), Losses)

    def heads(self) -> Heads:
        return loads((self.plan.folder / "pieces" / "heads.json").read_bytes(), Heads)

    def _bytes(self, system: System, seed: int, name: str) -> bytes:
        return self.plan.piece(system, seed, name).read_bytes()

    def _named(self, said: Sequence[Said]) -> Sequence[Said]:
        if tuple(each.name for each in said) != self.asked.rows:
            raise ConfigError(f"{self.plan.folder} has pieces about other clips; name another folder with out=…")
        return said


# ---------------------------------------------------------------- the verdict


def verdicts(pieces: Pieces, name: str) -> dict[str, list[Answers]]:
    """Every way of being sure in one condition, a list over seeds."""
    made: dict[str, list[Answers]] = {}
    for seed in pieces.plan.seeds:
        for method, (p, prior) in _said(pieces, seed, name).items():
            made.setdefault(method, []).append(_calibrated(pieces, p, prior))
    return made


def _said(pieces: Pieces, seed: int, name: str) -> dict[str, tuple[Shares, float | None]]:
    """Probabilities, or alphas with their prior weight, by method."""
    read, weight = pieces.read_off(seed, name), pieces.plan.spec.weight
    found: dict[str, tuple[Shares, float | None]] = {
        TOKENS: (np.array(read.tokens), None),
        POSTHOC: (of_evidence(read.posthoc, weight), weight),
        JOINT: (of_evidence([each.evidence for each in pieces.answered("joint", seed, name)], weight), weight),
    }
    if name in pieces.plan.sampled:
        found[VOTES] = (of_votes([[each.labels for each in one] for one in pieces.samples(seed, name)]), None)
        alone = pieces.answered("sft", seed, name)
        found[STATED] = (of_stated([each.labels for each in alone], [_stated(each) for each in alone]), None)
    return found


def _stated(said: Said) -> float | None:
    """What the model says of its first label that has a cluster."""
    first = next((label for label in said.labels if clusters([label])), None)
    return None if first is None else said.scores.get(first, {}).get(VERBALISED)


def _calibrated(pieces: Pieces, p: Shares, prior: float | None) -> Answers:
    return calibrated(predictions(pieces.asked, p, prior), pieces.asked, *parts())


def beside_heads(pieces: Pieces, name: str) -> dict[str, list[Answers]]:
    """The joint head, the frozen audio head and both fused by averaging their evidence, a list over seeds.

    Where the audio head was not asked its opinion is vacuous, and the fused one is the verdict's.
    """
    heads, weight = pieces.heads(), pieces.plan.spec.weight
    if heads.names != pieces.asked.rows:
        raise ConfigError(f"{pieces.plan.folder} has opinions about other clips; name another folder with out=…")
    if heads.prior_weight != weight:
        raise ConfigError(f"the audio head has prior weight {heads.prior_weight:g}; set verdict.prior_weight to it")
    alone = _calibrated(pieces, of_evidence(heads.evidence, weight), weight)
    made: dict[str, list[Answers]] = {HEAD: [alone] * len(pieces.plan.seeds), JOINT: [], FUSED: []}
    for seed in pieces.plan.seeds:
        evidence = [each.evidence for each in pieces.answered("joint", seed, name)]
        for method, each in ((JOINT, evidence), (FUSED, fused(evidence, heads))):
            made[method].append(_calibrated(pieces, of_evidence(each, weight), weight))
    return made


def fused(verdict: Sequence[tuple[float, ...] | None], heads: Heads) -> list[tuple[float, ...] | None]:
    """Evidence of verdict and audio head together (`emer.evidence.fusion`, weighted rule)."""

    def one(*said: tuple[float, ...] | None) -> tuple[float, ...] | None:
        there = {
            str(place): dirichlet("emer8", LABELS, each, prior_weight=heads.prior_weight, trained=True)
            for place, each in enumerate(said)
            if each is not None
        }
        return fuse(there).evidence if there else None

    return [one(*pair) for pair in zip(verdict, heads.evidence, strict=True)]


# ---------------------------------------------------------------- generated labels


def label_table(pieces: Pieces, name: str) -> dict[str, list[LabelFigures]]:
    """Every way of being sure of the labels that were generated in one condition, a list over seeds."""
    made: dict[str, list[LabelFigures]] = {}
    for seed in pieces.plan.seeds:
        for method, scores in label_scores(pieces, seed, name).items():
            claimed = label_claims(pieces.asked, scores)
            calibration, test = parts()
            if (figures := label_figures(claimed.of(calibration), claimed.of(test))) is not None:
                made.setdefault(method, []).append(figures)
    return made


def label_scores(pieces: Pieces, seed: int, name: str) -> dict[str, Scores]:
    """Raw confidences of generated labels, clip by clip. The joint head speaks of the labels that its own model wrote,
    all others of those of the model that learned to write alone."""
    alone, together = pieces.answered("sft", seed, name), pieces.answered("joint", seed, name)
    p = {
        method: shares / shares.sum(axis=1, keepdims=True) for method, (shares, _) in _said(pieces, seed, name).items()
    }
    found = {
        TOKENS: _of_clusters(alone, p[TOKENS]),
        POSTHOC: _of_clusters(alone, p[POSTHOC]),
        JOINT: _of_clusters(together, p[JOINT]),
        AS_WRITTEN: _of_way(alone, TOKEN),
    }
    if name in pieces.plan.sampled:
        samples = pieces.samples(seed, name)
        found[VOTES] = [
            dict(sampled_scores(_emotions(each), [_emotions(sample[clip]) for sample in samples]))
            for clip, each in enumerate(alone)
        ]
        found[STATED] = _of_way(alone, VERBALISED)
    return found


def _of_clusters(said: Sequence[Said], p: Shares) -> Scores:
    return [by_cluster(each.labels, row) for each, row in zip(said, p, strict=True)]


def _of_way(said: Sequence[Said], way: str) -> Scores:
    return [{label: each.scores.get(label, {}).get(way) for label in each.labels} for each in said]


def _emotions(said: Said) -> list[Emotion]:
    return [Emotion(label, next(iter(clusters([label])), None)) for label in said.labels]


# ---------------------------------------------------------------- what was written


@dataclass(frozen=True, slots=True)
class Written:
    """What one system wrote in one condition about the test clips, over all seeds."""

    grounded: Interval
    """Share of all claims."""
    claims: Interval
    """Per clip."""
    labelled: float
    """Share of clips with a label that has a cluster."""
    right: float
    """Share of clips whose first such label is right."""
    failed: int
    """Clips without an answer."""


def written(pieces: Pieces, system: System, name: str) -> Written:
    """Figures of the texts. Intervals draw actors."""
    places = pieces.asked.where(parts()[1])
    seeds = [[pieces.answered(system, seed, name)[place] for place in places] for seed in pieces.plan.seeds]
    gold, speakers = ([of[place] for place in places] for of in (pieces.asked.gold, pieces.asked.speakers))
    counts = np.array([[[each.grounded, each.claims] for each in said] for said in seeds], dtype=float).mean(axis=0)
    first = [[next(iter(clusters(each.labels)), None) for each in said] for said in seeds]
    return Written(
        grounded=interval_of_means(counts, _ratio, groups=speakers),
        claims=interval_of_means(counts[:, 1:], groups=speakers),
        labelled=float(np.mean([[label is not None for label in said] for said in first])),
        right=float(np.mean([[label == true for label, true in zip(said, gold, strict=True)] for said in first])),
        failed=sum(each.error is not None for said in seeds for each in said),
    )


def agreement(pieces: Pieces, name: str) -> Interval:
    """Share of test clips in which a label that the joint model wrote stands for its verdict's likeliest label."""
    places = pieces.asked.where(parts()[1])
    speakers = [pieces.asked.speakers[place] for place in places]
    seeds = []
    for seed in pieces.plan.seeds:
        said = [pieces.answered("joint", seed, name)[place] for place in places]
        best = likeliest(of_evidence([each.evidence for each in said]))
        seeds.append(agreements([each.labels for each in said], best).astype(float))
    return interval_of_means(np.mean(seeds, axis=0)[:, None], groups=speakers)


def losses(pieces: Pieces) -> dict[str, Interval]:
    """Nats a token of the reference explanations of test clips: without the head, with it, and with less without."""
    places = {name: place for place, name in enumerate(pieces.asked.rows)}
    columns: dict[System, Float64[np.ndarray, "clip 2"]] = {}
    speakers: list[str] = []
    for system in SYSTEMS:
        seeds = [pieces.losses(system, seed) for seed in pieces.plan.seeds]
        columns[system] = np.mean([np.array([each.nats, each.tokens]).T for each in seeds], axis=0)
        speakers = [pieces.asked.speakers[places[name]] for name in seeds[0].names]
    found: dict[str, Interval] = {
        system: interval_of_means(columns[system], _ratio, groups=speakers) for system in SYSTEMS
    }
    return found | {"difference": difference_of_means(columns["joint"], columns["sft"], _ratio, groups=speakers)}


def _ratio(means: np.ndarray) -> np.ndarray:
    """First over second column; not a number where the second is 0."""
    above, below = means[..., 0], means[..., 1]
    return np.asarray(np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0))
