"""The nouns of emer: a clip yields clues, clues yield opinions, and all three yield an explanation.

Data crosses a module border only as one of these frozen values. They hold no behaviour beyond small
derived properties, and everything in `Explanation` goes to JSON and back unchanged (`emer.jsonio`).

All times are seconds on the clip's own clock: 0 is the first presentable instant of the file,
also when only a part of it (`start`, `end`) is read, so that a time can always be handed to a player.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

Modality = Literal["audio", "visual", "text"]
MODALITIES: tuple[Modality, ...] = ("audio", "visual", "text")
JOINT = "joint"
"""The view that reads all others together: no witness of its own, so it conflicts with none."""
VERDICT = "verdict"
"""What a model says of all that it was given: like `JOINT` no witness of its own."""

SAMPLE_RATE = 16_000
"""Hz. All sound inside emer is mono at this rate."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in seconds; `end >= start`."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        return self.end - self.start

    def overlap(self, other: "Span") -> float:
        """Seconds that both spans share."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))


# ---------------------------------------------------------------- what goes in


@dataclass(frozen=True, slots=True)
class Clip:
    """What the user asks about: a file, or a part of it."""

    path: str
    start: float | None = None
    end: float | None = None
    transcript: str | None = None
    """Path of a transcript (.srt, .vtt, .txt); without it side-car files and subtitle tracks are looked for."""
    said: str | None = None
    """What is said, as text, where a data set gives it; used when no transcript file is named."""
    speaker_baseline: str | None = None
    """A neutral recording of the speaker, or a folder of them: clues become relative to that person."""
    without: frozenset[Modality] = frozenset()
    """Modalities to leave out."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence or subtitle cue; times are None where the source has none (plain text)."""

    text: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    text: str
    source: str
    """Where it came from: `sidecar:NAME`, `track:N`, `file:NAME`, `data set`, `whisper:MODEL`, or `pocketsphinx`, which
    is unreliable."""
    language: str | None
    """ISO 639-1 code, or None when too short to tell."""
    utterances: tuple[Utterance, ...] = ()
    words: tuple[Word, ...] | None = None


# ---------------------------------------------------------------- media


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader should know before believing the result."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What the container says, and what is there; read before anything is decoded."""

    path: str
    sha256: str
    span: Span
    """The part that is read: the whole clip, or `--start/--end` cut to it."""
    container_duration: float | None
    has_audio: bool
    has_video: bool
    is_image: bool = False
    width: int | None = None
    height: int | None = None
    """Pixels as displayed (after rotation)."""
    frame_rate: float | None = None
    rotation: int = 0
    sample_rate: int | None = None
    channels: int | None = None
    audio_codec: str | None = None
    video_codec: str | None = None
    notices: tuple[Notice, ...] = ()
    """What was met while opening: a transcript that could not be read, for instance."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Damage that decoding met so far; all zero for a sound file."""

    bad_packets: int = 0
    corrupt_frames: int = 0
    decoded_audio: float | None = None
    """Seconds of sound actually decoded; None until a whole pass was made."""
    decoded_video: float | None = None
    """Seconds of picture actually decoded."""


@dataclass(frozen=True, slots=True)
class Frame:
    time: float
    pixels: UInt8[np.ndarray, "height width rgb=3"]
    corrupt: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of decoded clip. Windows follow each other without gap or overlap.

    `samples` is mono at 16 kHz in [-1, 1]; sample i is heard at `start + i / 16000`
    (holes in the stream are filled with silence, so that the clock stays true).
    `frames` are those with `start <= time < end`.
    """

    start: float
    end: float
    samples: Float32[np.ndarray, "sample"]
    frames: tuple[Frame, ...] = ()


@runtime_checkable
class Media(Protocol):
    """A clip that can be decoded as often as wanted, never held in memory as a whole."""

    @property
    def facts(self) -> MediaFacts: ...

    @property
    def transcript(self) -> Transcript | None: ...

    @property
    def faults(self) -> Faults: ...

    def windows(
        self, *, seconds: float = 30.0, audio: bool = True, fps: float | None = None, max_width: int = 960
    ) -> Iterator[Window]:
        """Stream the clip in windows of `seconds`; with `fps`, frames at about that rate, none without."""
        ...

    def sample(self, n: int, *, max_width: int = 960) -> tuple[Frame, ...]:
        """`n` frames spread evenly over the clip."""
        ...


# ---------------------------------------------------------------- clues


@dataclass(frozen=True, slots=True)
class Clue:
    """One measured sentence: a number, its unit, its time, and what it is relative to.

    Example: "voice 4.1 semitones above this clip's median" (value 4.1, unit "semitones",
    reference "this clip's median").
    """

    id: str
    """`a3`, `v1`, `t2`: first letter of the modality and a running number in time order."""
    modality: Modality
    kind: str
    """What was measured: `pitch_rise`, `lip_corner_pull`, `emotion_word`, ... (see `emer/kinds.yaml`)."""
    text: str
    start: float
    end: float
    value: float | None
    unit: str
    reference: str
    quality: str | None = None
    """Why to doubt it, in words (`face seen 31 % of the time`); None when nothing speaks against it."""

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Features:
    """Named numbers of one view. `mask[i]` is False where the number could not be measured (value 0 there)."""

    view: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    mask: tuple[bool, ...]
    version: str

    def get(self, name: str) -> float | None:
        """The named number, or None when it is unknown or masked."""
        if name not in self.names:
            return None
        i = self.names.index(name)
        return self.values[i] if self.mask[i] else None


@dataclass(frozen=True, slots=True)
class Track:
    """A curve for people to look at, at most 2,000 points; None where nothing was measured."""

    name: str
    modality: Modality
    unit: str
    start: float
    step: float
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """An extractor that gave nothing, and why."""

    extractor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One utterance of a longer clip, with the features of that stretch alone."""

    span: Span
    text: str
    features: Mapping[str, Features]


@dataclass(frozen=True, slots=True)
class Extract:
    """What one extractor gives: its clues, its features for the clip and for each segment, its curves."""

    clues: tuple[Clue, ...]
    features: Features | None
    segment_features: tuple[Features, ...] = ()
    tracks: tuple[Track, ...] = ()
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Clues:
    """All that was measured in a clip. `speech` is where someone speaks; `segments` are its utterances."""

    items: tuple[Clue, ...]
    features: Mapping[str, Features]
    transcript: Transcript | None = None
    baseline: Features | None = None
    """Audio features of the speaker's neutral recordings, where some were given."""
    speech: tuple[Span, ...] = ()
    segments: tuple[Segment, ...] = ()
    tracks: tuple[Track, ...] = ()
    warnings: tuple[Notice, ...] = ()
    failed: tuple[Failure, ...] = ()


# ---------------------------------------------------------------- opinions


@dataclass(frozen=True, slots=True)
class Opinion:
    """A subjective-logic opinion as evidence over a named label set.

    `kind` "dirichlet": one number per label, `alpha_k = e_k + W a_k`.
    `kind` "beta": two numbers per label (for, against; label-major), each label an opinion of its own.
    A missing view is the vacuous opinion with `present` False: rules that average leave it out.
    """

    label_set: str
    labels: tuple[str, ...]
    kind: Literal["dirichlet", "beta"]
    evidence: tuple[float, ...]
    prior_weight: float
    base_rate: tuple[float, ...]
    trained: bool = False
    present: bool = True


@dataclass(frozen=True, slots=True)
class Conflict:
    """Largest conflict between two trained views (0 none, 1 full); None when fewer than two are present."""

    degree: float | None
    between: tuple[str, ...] = ()


# ---------------------------------------------------------------- engines


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    text: str
    media: tuple[str, ...] = ()
    """Which of `audio`, `video` are attached to this message."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that a model hears and sees of one clip; what is beyond is left out before anything is tokenised."""

    seconds: float = 30.0
    """Sound and pictures come from the first so many seconds."""
    frames: int = 16
    """The most pictures of one clip; of a longer one they lie further apart."""
    fps: float = 2.0
    """Pictures a second as long as `frames` suffice."""
    pixels: int = 128 * 28 * 28
    """The largest area of one picture; pictures are made smaller, never larger."""
    multiple: int = 28
    """Sides are multiples of so many pixels, so that no processor needs to resize again."""
    face_side: int = 224
    """Width and height of the face's own crop."""


@dataclass(frozen=True, slots=True)
class Emotion:
    label: str
    cluster: str | None = None
    confidence: float | None = None


Status = Literal["grounded", "contradicted", "unsupported", "uncheckable"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the explanation, the clues that it cites, and whether they bear it out."""

    text: str
    clue_ids: tuple[str, ...] = ()
    status: Status = "uncheckable"


@dataclass(frozen=True, slots=True)
class Request:
    """What an engine is asked: everything known about one clip or one segment of it."""

    media: Media | None
    clues: Clues
    span: Span
    opinions: Mapping[str, Opinion]
    prior: Opinion
    transcript: Transcript | None = None
    messages: tuple[Message, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PromptRecord:
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    labels: tuple[Emotion, ...] = ()
    statements: tuple[Statement, ...] = ()
    verdict: Opinion | None = None
    alone: Mapping[str, Opinion] = field(default_factory=dict)
    """The model's verdict when it is given one modality alone: `model_audio`, `model_visual`, `model_text`."""
    shown: tuple[Modality, ...] = ()
    """What of the clip a model was given for its verdict."""
    behind: PromptRecord | None = None
    """The prompt behind which the verdict was read."""
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Label to how sure it seems by other ways than the verdict, each 0 to 1 and not calibrated: `token`,
    `token_plain`, `sampled`, `verbalised` (`emer.engines.label_confidence`). Empty unless asked for."""
    prompt: PromptRecord | None = None
    """What a model was asked with."""
    warnings: tuple[Notice, ...] = ()
    usage: Mapping[str, float] = field(default_factory=dict)
    """`prompt_tokens`, `new_tokens` and `seconds` of a model."""
    error: str | None = None


# ---------------------------------------------------------------- what comes out


@dataclass(frozen=True, slots=True)
class ClipRecord:
    """Which clip, and which part of it, an explanation is about."""

    path: str
    sha256: str
    start: float
    end: float
    duration: float


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    name: str
    licence: str


@dataclass(frozen=True, slots=True)
class CalibrationRecord:
    data: str
    n: int
    views: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made this explanation, so that it can be made again."""

    emer: str
    engine: str
    model: str | None = None
    adapter: str | None = None
    prompt: PromptRecord | None = None
    weights: WeightsRecord | None = None
    seed: int | None = None
    calibration: CalibrationRecord | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer about one clip, schema `emer.explanation/1`."""

    clip: ClipRecord
    transcript: Transcript | None
    clues: tuple[Clue, ...]
    opinions: Mapping[str, Opinion]
    fused: Opinion
    conflict: Conflict
    emotions: tuple[Emotion, ...]
    explanation: str
    statements: tuple[Statement, ...]
    confidence: float | None
    calibrated: bool
    trusted: bool | None
    out_of_domain: bool
    warnings: tuple[Notice, ...]
    failed: tuple[Failure, ...]
    provenance: Provenance
    segments: "tuple[Explanation, ...] | None" = None
    """One explanation per utterance where the clip has several; clue ids are those of the whole clip."""
    tracks: tuple[Track, ...] = field(default=(), compare=False)
    """Curves for the report; not part of the JSON."""
    schema: str = "emer.explanation/1"


@dataclass(frozen=True, slots=True)
class Annotation:
    """What people said about a clip: gold labels, an explanation, or both."""

    labels: tuple[str, ...] = ()
    explanation: str | None = None
    votes: Mapping[str, float] = field(default_factory=dict)
    value: float | None = None
    """Sentiment on the data set's own scale, below 0 negative; None where nobody rated it."""
