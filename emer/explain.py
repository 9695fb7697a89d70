"""The whole of emer in one file: a clip in, an explanation out.

    from emer import Explainer
    explanation = Explainer().explain("clip.mp4")

`Explainer.explain` is the path itself; every line of it is the name of the part that does the work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from emer import media as media_
from emer.clues.cache import Cache
from emer.clues.extract import Progress, extract
from emer.emotions import label_set
from emer.engines.engine import Preparing, make_engine, name_of, record_folder
from emer.engines.verdicts import conflict_among, fusable
from emer.errors import EmerError
from emer.evidence.fusion import fuse
from emer.evidence.hints import hint
from emer.evidence.judgement import Heard, Judgement, judge
from emer.evidence.opinion import vacuous
from emer.evidence.weights import HEADS, INSTALLED, Weights, find_weights
from emer.files import cache_folder
from emer.shipped import shipped_adapter
from emer.types import (
    MODALITIES,
    VERDICT,
    Answer,
    Clip,
    ClipRecord,
    Clues,
    Emotion,
    Explanation,
    Media,
    Modality,
    Opinion,
    Provenance,
    Request,
    Segment,
)
from emer.version import __version__


@dataclass(frozen=True, kw_only=True)
class Explainer:
    """Explains clips with one engine and one way to fuse opinions."""

    engine: str = "composer"
    """A name from `emer.registry.ENGINES`, or `package.module:Class`."""
    model: str | None = None
    """For engines with a language model: its folder, or its id on the hub."""
    adapter: str | None = None
    """The folder of an adapter on it; without a verdict from one there is no confidence in what the model says."""
    prompt: str | None = None
    """What the model is asked with: a prompt that ships, or a file; None takes the engine's own."""
    stages: int | None = None
    """2: the model describes voice and face first, and explains then."""
    views: str | None = None
    """`full`: the model's verdict is also read with each modality alone."""
    seed: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    """Whatever else the engine takes: temperature, batch_size, device, …"""
    weights: str | Path | None = INSTALLED
    """Trained heads: those of the distribution emer-weights where it is installed, those of a folder, or None."""
    fusion: str | None = None
    """A rule of `emer.evidence.fusion`; None takes that of the trained heads, and the weighted one for hints."""
    reliabilities: Mapping[str, float] | None = None
    """Weight of each view in the fusion; None takes those of the heads, if their rule is used, else equal ones."""
    transcriber: str | None = None
    """`whisper:MODEL` or `pocketsphinx`, for clips that bring no transcript; None recognises nothing."""
    cache: Path | None = field(default_factory=cache_folder)
    """Where clues are kept by content hash; None measures anew each time."""
    limits: media_.Limits = field(default_factory=media_.Limits)
    progress: Progress | None = None

    def __post_init__(self) -> None:
        _ = self.answering  # so that a wrong setting is told before a clip is measured

    def explain(self, clip: Clip | str | Path) -> Explanation:
        """Explain one clip. Raises EmerError when it cannot be explained at all."""
        clip = clip if isinstance(clip, Clip) else Clip(str(clip))
        media = media_.open(clip, self.limits)
        clues = self.clues(clip, media)
        ask = partial(self.request, media, clues, without=clip.without)
        requests = [ask(), *map(ask, clues.segments)]
        answers = list(self.answering.answer(requests))
        whole, *parts = [self.explanation(*pair) for pair in zip(requests, answers, strict=True)]
        return replace(whole, segments=tuple(parts) or None, tracks=clues.tracks)

    def clues(self, clip: Clip, media: Media | None = None) -> Clues:
        """Only the measuring: everything the extractors find."""
        media = media or media_.open(clip, self.limits)
        return extract(clip, media, cache=Cache(self.cache), transcriber=self.transcriber, progress=self.progress)

    @cached_property
    def answering(self) -> Any:
        """The engine (`emer.engines.engine.Engine`), made once. Raises ConfigError where it cannot be made."""
        own = ("model", "adapter", "prompt", "stages", "views", "seed")
        return make_engine(self.engine, {name: getattr(self, name) for name in own} | dict(self.settings))

    def prepare(self) -> None:
        """Load the engine's model, where it has one: for many clips, or to know at once that it is not there."""
        if isinstance(self.answering, Preparing):
            self.answering.prepare()

    def request(
        self, media: Media, clues: Clues, segment: Segment | None = None, *, without: frozenset[Modality] = frozenset()
    ) -> Request:
        """What the engine is asked, about the whole clip or about one segment."""
        span = segment.span if segment else media.facts.span
        clues = clues_within(clues, segment) if segment else clues
        heard = self.heard(clues)
        opinions = {view: opinion_of(clues, view) for view in MODALITIES} | (trained_opinions(heard) if heard else {})
        prior = self.fused(opinions, heard)
        settings = ({"without": without} if without else {}) | ({"heard": heard} if heard else {})
        return Request(media, clues, span, opinions, prior, transcript=clues.transcript, settings=settings)

    def heard(self, clues: Clues) -> Heard | None:
        """What trained heads say; None where there are none to ask."""
        if self.trained is None:
            return None
        from emer.evidence.trained import hear  # loads torch

        return hear(self.trained, clues.features, clues.baseline)

    @cached_property
    def trained(self) -> Weights | None:
        """Where the trained heads lie; an adapter's own go before those that are installed."""
        own = record_folder(self.model, self.adapter)
        if self.weights == INSTALLED and own is not None and (Path(own) / HEADS).is_file():
            return find_weights(own)
        return find_weights(self.weights)

    def fused(self, opinions: Mapping[str, Opinion], heard: Heard | None) -> Opinion:
        """All views as one, by the rule that was asked for, else by that of the heads."""
        rule, reliabilities = self.fusion or "weighted", self.reliabilities
        speaking = {view for view, opinion in opinions.items() if opinion.trained and opinion.present}
        if heard is not None and speaking and self.fusion is None:
            fitted = heard.reliabilities if speaking <= set(heard.reliabilities or ()) else None
            rule, reliabilities = heard.fusion, reliabilities or fitted
        return fuse(opinions, rule, reliabilities)

    def judged_by(self, heard: Heard | None, answer: Answer) -> Heard | None:
        """What fusion and confidence go by: with a verdict, by what the adapter that gave it was calibrated for."""
        folder = record_folder(self.model, self.adapter)
        if answer.verdict is None or folder is None:
            return heard
        from emer.engines.tuned import heard_with  # loads torch

        return heard_with(folder, heard)

    def explanation(self, request: Request, answer: Answer) -> Explanation:
        """Opinions and answer as one value. An engine's failure is an error for the user, never a silent gap."""
        if answer.error is not None:
            raise EmerError(f"the {self.engine} engine could not answer: {answer.error}")
        heard = self.judged_by(heard_of(request), answer)
        opinions = dict(request.opinions) | ({VERDICT: answer.verdict} if answer.verdict else {}) | dict(answer.alone)
        together, left_out = fusable(opinions)
        fused = self.fused(together, heard) if answer.verdict else request.prior
        own = self.fusion is None and self.reliabilities is None
        judgement = judge(heard, together, fused, as_calibrated=own, shown=answer.shown, behind=answer.behind)
        return Explanation(
            clip=_record(request),
            transcript=request.transcript,
            clues=request.clues.items,
            opinions=opinions,
            fused=fused,
            conflict=conflict_among(opinions),
            emotions=tuple(with_confidence(emotion, judgement) for emotion in answer.labels),
            explanation=answer.text,
            statements=answer.statements,
            confidence=judgement.confidence,
            calibrated=judgement.confidence is not None,
            trusted=judgement.trusted,
            out_of_domain=judgement.out_of_domain,
            warnings=(*request.clues.warnings, *answer.warnings, *left_out, *judgement.notices),
            failed=request.clues.failed,
            provenance=Provenance(
                emer=__version__,
                engine=self.engine,
                model=name_of(self.model),
                adapter=name_of(self.adapter or shipped_adapter(self.model)),
                prompt=answer.prompt,
                seed=getattr(self.answering, "seed", None),
                weights=heard.weights if heard and heard.views else None,
                calibration=judgement.record,
            ),
        )


def heard_of(request: Request) -> Heard | None:
    """What trained heads said of the clip or segment that a request is about."""
    heard = request.settings.get("heard")
    assert heard is None or isinstance(heard, Heard)
    return heard


def with_confidence(emotion: Emotion, judgement: Judgement) -> Emotion:
    """An emotion with the calibrated probability of the label that it belongs to."""
    if emotion.confidence is not None or emotion.cluster is None:
        return emotion
    return replace(emotion, confidence=judgement.probability.get(emotion.cluster))


def opinion_of(clues: Clues, view: str) -> Opinion:
    """What one view says without a trained head: its rule table's hint, or vacuous where nothing was measured."""
    features = clues.features.get(view)
    if features is None:
        return vacuous("emer8", label_set("emer8"))
    return hint(features, clues.baseline if view == "audio" else None)


def trained_opinions(heard: Heard) -> dict[str, Opinion]:
    """What the heads say. Where one was not asked its view says nothing, in the form in which hints say nothing: the
    heads may have another prior weight, and what is fused must be of one form."""
    nothing = vacuous("emer8", label_set("emer8"))
    return {
        view: opinion if opinion.present else nothing
        for view, opinion in heard.opinions.items()
        if opinion.present or view in MODALITIES
    }


def clues_within(clues: Clues, segment: Segment) -> Clues:
    """Clues at least half of which lie in the segment, and its own features; ids stay those of the whole clip."""
    inside = [c for c in clues.items if c.span.overlap(segment.span) >= max(0.5 * c.span.duration, 1e-9)]
    transcript = clues.transcript and replace(clues.transcript, text=segment.text, utterances=(), words=None)
    return replace(
        clues,
        items=tuple(inside),
        features=segment.features,
        transcript=transcript if segment.text else None,
        segments=(),
        tracks=(),
        warnings=(),
        failed=(),
    )


def _record(request: Request) -> ClipRecord:
    assert request.media is not None
    facts, span = request.media.facts, request.span
    return ClipRecord(facts.path, facts.sha256, span.start, span.end, span.duration)
