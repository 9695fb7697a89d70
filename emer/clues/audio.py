"""Audio clues: what a voice does, in sentences with their numbers, and the features of clip and utterances."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from emer.clues.events import Event, strongest
from emer.clues.frames import STEP
from emer.clues.grid import to_look_at
from emer.clues.listening import Listening
from emer.clues.prosody import Voice, listen
from emer.clues.prosody_events import Usual, find_events, usual_course
from emer.clues.tempo import smoothed
from emer.clues.voice_description import describe
from emer.clues.voice_features import semitones
from emer.clues.voice_levels import CLIP, SPEAKER, clip_levels, pausing, segment_levels, stretch
from emer.kinds import kinds
from emer.types import Clue, Extract, Features, Media, Notice, Span, Track

LEAST_VOICE = 0.5
"""Seconds of voice below which every number is doubtful."""
MOST_CLIPPED = 0.001
LEAST_SNR = 10.0
"""dB between voice and background below which pitch and voice quality suffer."""
LEAST_BACKGROUND = 30
"""Frames without speech (0.3 s) needed to know the background."""


class AudioClues:
    """Measures the voice. Needs voice activity; without it there is nothing to tell."""

    name = "audio"
    version = "2"

    def extract(self, media: Media, listening: Listening) -> Extract:
        """Clues against the speaker's neutral voice where `listening.baseline` is given, else the clip and norms."""
        if listening.activity is None:
            return Extract((), None)
        voice = listen(media, listening.activity)
        features = describe(voice, self.version)
        span = media.facts.span
        parts = tuple(describe(voice.part(s, span.start), self.version) for s in listening.segments)
        doubts = _doubts(voice)
        clues = [
            *clip_levels(features, listening.baseline, span),
            *pausing(voice, features, span),
            *(c for part, s in zip(parts, listening.segments, strict=True) for c in segment_levels(part, features, s)),
            *_event_clues(voice, listening, span),
        ]
        return Extract(
            clues=tuple(_doubted(clue, doubts) for clue in clues),
            features=features,
            segment_features=parts,
            tracks=_tracks(voice, span.start),
            warnings=doubts,
        )


# ---------------------------------------------------------------- events as sentences


def _event_clues(voice: Voice, listening: Listening, span: Span) -> list[Clue]:
    usual, references = _references(voice, listening.baseline)
    on_own_clock = [Span(s.start - span.start, s.end - span.start) for s in listening.segments]
    events = strongest(find_events(voice, usual), on_own_clock)
    return [_event_clue(event, references.get(event.kind, "speech before and after"), span.start) for event in events]


def _references(voice: Voice, baseline: Features | None) -> tuple[Usual, dict[str, str]]:
    """What events are measured against, and its name for each kind.

    Loudness stays with the clip: a baseline recording may have been made at another distance or gain.
    """
    own = usual_course(voice)
    pitch = baseline.get("f0_median_st") if baseline is not None else None
    rate = baseline.get("syllable_rate") if baseline is not None else None
    usual = replace(
        own,
        semitones=own.semitones if pitch is None else pitch,
        syllable_rate=own.syllable_rate if rate is None else rate,
    )
    pitch_name = CLIP if pitch is None else SPEAKER
    rate_name = "this clip's mean" if rate is None else SPEAKER
    return usual, {
        "pitch_rise": pitch_name,
        "pitch_fall": pitch_name,
        "loudness_burst": CLIP,
        "tremor": "steady voice",
        "speed_up": rate_name,
        "slow_down": rate_name,
    }


SENTENCES: dict[str, Callable[[float, str], str]] = {
    "pitch_rise": lambda value, reference: f"voice {value:.1f} semitones above {reference}",
    "pitch_fall": lambda value, reference: f"voice {-value:.1f} semitones below {reference}",
    "loudness_burst": lambda value, reference: f"burst of loudness {value:.1f} dB above {reference}",
    "tremor": lambda value, reference: f"voice trembles {value:.1f} times a second",
    "pause": lambda value, reference: f"pause of {value:.1f} s",
    "speed_up": lambda value, reference: f"speech {value:.1f} syllables per second above {reference}",
    "slow_down": lambda value, reference: f"speech {-value:.1f} syllables per second below {reference}",
}


def _event_clue(event: Event, reference: str, begin: float) -> Clue:
    value = round(event.value, 1)
    start, end = round(begin + event.start, 2), round(begin + event.end, 2)
    text = f"{SENTENCES[event.kind](value, reference)}, {stretch(start, end)}"
    return Clue("", "audio", event.kind, text, start, end, value, kinds()[event.kind].unit, reference)


# ---------------------------------------------------------------- doubts


def _doubts(voice: Voice) -> tuple[Notice, ...]:
    """Why the voice may have been measured badly."""
    if not voice.speech.any():
        return (Notice("no_speech", "no speech was found in the sound: the voice says nothing"),)
    found = []
    voiced = float(voice.voiced.sum()) * STEP
    if voiced < LEAST_VOICE:
        found.append(Notice("little_voice", f"only {voiced:.1f} s of voice"))
    if voice.clipped > MOST_CLIPPED:
        found.append(Notice("clipped", f"{100 * voice.clipped:.1f} % of the sound is clipped"))
    ratio = _signal_to_noise_db(voice)
    if ratio is not None and ratio < LEAST_SNR:
        found.append(Notice("noisy", f"the voice is only {ratio:.0f} dB above the background"))
    return tuple(found)


def _signal_to_noise_db(voice: Voice) -> float | None:
    """Median level of the voice over that of the background; None where the clip has no background to hear."""
    background = ~voice.speech | voice.paused
    if background.sum() < LEAST_BACKGROUND or not voice.voiced.any():
        return None
    level = voice.curves.intensity_db
    return float(np.median(level[voice.voiced]) - np.median(level[background]))


def _doubted(clue: Clue, doubts: Sequence[Notice]) -> Clue:
    reasons = [*([clue.quality] if clue.quality else []), *(notice.text for notice in doubts)]
    return replace(clue, quality="; ".join(reasons) or None)


# ---------------------------------------------------------------- curves


def _tracks(voice: Voice, begin: float) -> tuple[Track, ...]:
    """Pitch of the speech and loudness; medians, so that a single octave error is not seen."""
    pitch = np.where(voice.voiced, semitones(voice.curves.hz), np.nan)
    loudness = smoothed(voice.curves.intensity_db).astype(np.float64)
    middle = begin + 0.5 * STEP
    return (
        to_look_at("pitch", "audio", "semitones", pitch, middle, STEP, np.median, digits=2),
        to_look_at("loudness", "audio", "dB", loudness, middle, STEP, np.median, digits=2),
    )
