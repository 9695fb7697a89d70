"""One rich explanation, made by hand: a job interview of 14 s in three utterances, with every field set."""

import math
from dataclasses import replace

from emer.types import (
    CalibrationRecord,
    ClipRecord,
    Clue,
    Conflict,
    Emotion,
    Explanation,
    Failure,
    Notice,
    Opinion,
    PromptRecord,
    Provenance,
    Statement,
    Track,
    Transcript,
    Utterance,
    WeightsRecord,
    Word,
)

LABELS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
END = 14.2


def opinion(*evidence: float, trained: bool = False, present: bool = True) -> Opinion:
    """A Dirichlet opinion over emer8 with prior weight 8 (alpha = e + 1)."""
    values = tuple(float(e) for e in evidence) or (0.0,) * 8
    return Opinion("emer8", LABELS, "dirichlet", values, 8.0, (0.125,) * 8, trained=trained, present=present)


def multi_label() -> Opinion:
    """A Beta opinion over three labels: 6 for and 2 against, 0 and 0, 1 and 9."""
    return Opinion("mosei3", ("happy", "sad", "angry"), "beta", (6.0, 2.0, 0.0, 0.0, 1.0, 9.0), 2.0, (0.5, 0.5, 0.5))


CLIP_MEDIAN = "this clip's median"
CLUES = (
    Clue(
        "a1",
        "audio",
        "pitch_level",
        "median pitch 13.2 semitones above 100 Hz (214 Hz)",
        0.0,
        END,
        13.2,
        "semitones",
        "100 Hz",
    ),
    Clue(
        "a2",
        "audio",
        "speech_rate",
        "speaks at 3.4 syllables a second",
        0.0,
        END,
        3.4,
        "syllables/s",
        "speech alone, pauses left out",
    ),
    Clue(
        "a3",
        "audio",
        "pitch_rise",
        "voice 4.1 semitones above this clip's median",
        1.3,
        2.1,
        4.1,
        "semitones",
        CLIP_MEDIAN,
    ),
    Clue("a4", "audio", "pause", "pause of 0.9 s inside a sentence", 3.5, 4.4, 0.9, "s", "between words"),
    Clue(
        "a5",
        "audio",
        "tremor",
        "voice trembles at 5.6 Hz",
        5.2,
        6.3,
        5.6,
        "Hz",
        "modulation of the pitch",
        "only 0.6 s of it voiced",
    ),
    Clue(
        "a6", "audio", "loudness_burst", "7.5 dB above this clip's median loudness", 10.4, 10.9, 7.5, "dB", CLIP_MEDIAN
    ),
    Clue("a7", "audio", "speed_up", "speeds up to 5.1 syllables a second", 11.0, 12.6, 5.1, "syllables/s", CLIP_MEDIAN),
    Clue("v1", "visual", "face_presence", "a face is seen 92 % of the time", 0.0, END, 92.0, "%", "this clip"),
    Clue(
        "v2",
        "visual",
        "brow_raise",
        "brows raised by 6.4 % of the eye distance",
        1.1,
        2.4,
        6.4,
        "inter-ocular %",
        "this face at rest",
    ),
    Clue(
        "v3",
        "visual",
        "lip_press",
        "lips pressed by 3.0 % of the eye distance",
        3.6,
        4.3,
        3.0,
        "inter-ocular %",
        "this face at rest",
    ),
    Clue("v4", "visual", "gaze_aside", "looks aside by 18 degrees", 5.0, 6.6, 18.0, "degrees", "the camera"),
    Clue(
        "v5",
        "visual",
        "lip_corner_pull",
        "lip corners pulled up by 8.2 % of the eye distance",
        10.6,
        13.0,
        8.2,
        "inter-ocular %",
        "this face at rest",
    ),
    Clue("v6", "visual", "blink", "blink", 12.2, 12.4, 0.2, "s", "eye opening"),
    Clue("t1", "text", "emotion_word", "says “afraid” (fearful)", 6.0, 6.5, 1.0, "weight", "emotion word list"),
    Clue(
        "t2",
        "text",
        "negative_words",
        "“I was afraid you'd say no.” has a negative tone (-0.30)",
        4.6,
        7.4,
        -0.3,
        "compound",
        "VADER",
    ),
    Clue(
        "t3",
        "text",
        "positive_words",
        "“Das ist so schön – 太好了!” has a positive tone (+0.61)",
        9.8,
        13.1,
        0.61,
        "compound",
        "VADER",
    ),
)

UTTERANCES = (
    Utterance("So you really read my whole application?", 0.6, 3.4),
    Utterance("I was afraid you'd say no.", 4.6, 7.4),
    Utterance("Das ist so schön – 太好了!", 9.8, 13.1),
)


def words() -> tuple[Word, ...]:
    """Every word, spread evenly over its utterance."""
    found = []
    for utterance in UTTERANCES:
        assert utterance.start is not None
        assert utterance.end is not None
        texts = utterance.text.split()
        step = (utterance.end - utterance.start) / len(texts)
        found += [
            Word(text, round(utterance.start + i * step, 3), round(utterance.start + (i + 0.9) * step, 3))
            for i, text in enumerate(texts)
        ]
    return tuple(found)


TRANSCRIPT = Transcript(" ".join(u.text for u in UTTERANCES), "sidecar:interview.srt", "en", UTTERANCES, words())

STATEMENTS = (
    Statement(
        "The voice lies 4.1 semitones above this clip's median at 1.3 s [a3], pauses for 0.9 s inside a sentence [a4] "
        "and then trembles [a5].",
        ("a3", "a4", "a5"),
        "grounded",
    ),
    Statement(
        "The brows go up with the first question [v2]; later the lip corners are pulled up [v5].",
        ("v2", "v5"),
        "grounded",
    ),
    Statement("The speaker frowns throughout [v3].", ("v3",), "contradicted"),
    Statement("The words name fear once [t1, t2].", ("t1", "t2"), "grounded"),
    Statement("The hands are clenched.", (), "unsupported"),
    Statement("Taken together this may be worry that gives way to relief.", (), "uncheckable"),
)


def speech(t: float) -> bool:
    return any(u.start <= t < u.end for u in UTTERANCES)  # type: ignore[operator]


def bump(t: float, start: float, end: float, height: float) -> float:
    middle, half = (start + end) / 2, (end - start) / 2
    return height * math.exp(-(((t - middle) / half) ** 2))


def tracks(step: float = 0.05, start: float = 0.0) -> tuple[Track, ...]:
    """Curves as the extractors draw them; pitch is missing where nobody speaks."""
    times = [i * step for i in range(int(END / step))]
    wave = [math.sin(2.1 * t) + 0.5 * math.sin(5.3 * t) for t in times]
    pitch = tuple(
        round(13.2 + 1.2 * w + bump(t, 1.3, 2.1, 4.1), 2) if speech(t) and math.sin(9 * t) > -0.8 else None
        for t, w in zip(times, wave, strict=True)
    )
    loud = tuple(
        round(-24 + 4 * w + bump(t, 10.4, 10.9, 7.5) if speech(t) else -58 + w, 1)
        for t, w in zip(times, wave, strict=True)
    )
    voiced = tuple(0.96 if speech(t) else 0.04 for t in times)

    def face(name: str, *bumps: tuple[float, float, float]) -> Track:
        values = tuple(
            None if 8.0 < t < 9.1 else round(0.4 + 0.3 * math.sin(3 * t) + sum(bump(t, *b) for b in bumps), 2)
            for t in times
        )
        return Track(name, "visual", "inter-ocular %", start, step, values)

    return (
        Track("pitch", "audio", "semitones", start, step, pitch),
        Track("loudness", "audio", "dB", start, step, loud),
        Track("speech", "audio", "probability", start, step, voiced),
        face("brow_raise", (1.1, 2.4, 6.4)),
        face("brow_lower"),
        face("lip_corner_pull", (10.6, 13.0, 8.2)),
        face("lip_press", (3.6, 4.3, 3.0)),
        face("jaw_drop", (0.8, 1.2, 4.0), (5.2, 5.6, 5.0), (10.2, 10.8, 6.0)),
    )


def clip(path: str = "/clips/interview.mp4") -> ClipRecord:
    return ClipRecord(path, "ab" * 32, 0.0, END, END)


PROVENANCE = Provenance(
    emer="0.1.0",
    engine="composer",
    model="example/omni-7b",
    adapter="adapters/example",
    prompt=PromptRecord("explain", "cd" * 32),
    weights=WeightsRecord("emer-weights 0.1", "CC BY-NC-SA 4.0"),
    seed=7,
    calibration=CalibrationRecord("RAVDESS speech, actors 15-16", 120, ("audio", "visual")),
)


def segment(utterance: Utterance, text: str, emotions: tuple[Emotion, ...], fused: Opinion) -> Explanation:
    """The explanation of one utterance."""
    assert utterance.start is not None
    assert utterance.end is not None
    start, end = utterance.start, utterance.end
    whole = explanation(with_segments=False)
    return replace(
        whole,
        clip=ClipRecord(whole.clip.path, whole.clip.sha256, start, end, round(end - start, 3)),
        transcript=Transcript(utterance.text, "sidecar:interview.srt", "en", (utterance,)),
        clues=tuple(clue for clue in CLUES if start <= clue.start < end),
        fused=fused,
        emotions=emotions,
        explanation=text,
        statements=(Statement(text, tuple(c.id for c in CLUES if f"[{c.id}]" in text), "grounded"),),
        tracks=(),
        warnings=(),
        failed=(),
    )


def segments() -> tuple[Explanation, ...]:
    return (
        segment(
            UTTERANCES[0],
            "The voice rises by 4.1 semitones [a3] while the brows go up [v2].",
            (Emotion("surprised", "surprised"),),
            opinion(0.3, 0.1, 0.2, 0, 0, 0.3, 0, 1.1),
        ),
        segment(
            UTTERANCES[1],
            "The voice trembles [a5], the gaze turns aside [v4] and the words name fear [t1].",
            (Emotion("afraid", "fearful"), Emotion("insecure")),
            opinion(0.1, 0, 0, 0.5, 0.1, 1.3, 0, 0),
        ),
        segment(
            UTTERANCES[2],
            "A loud burst [a6] and raised lip corners [v5] go with positive words [t3].",
            (Emotion("relieved", "happy"),),
            opinion(0.1, 0.3, 1.4, 0, 0, 0, 0, 0.2),
        ),
    )


def explanation(*, with_segments: bool = True) -> Explanation:
    """An untrained explanation: hints, no confidence, no conflict degree."""
    return Explanation(
        clip=clip(),
        transcript=TRANSCRIPT,
        clues=CLUES,
        opinions={
            "audio": opinion(0.2, 0, 0.1, 0.2, 0.2, 0.9, 0, 0.3),
            "visual": opinion(0.2, 0.1, 0.9, 0, 0, 0.2, 0, 0.5),
            "text": opinion(0.1, 0, 0.3, 0.1, 0, 0.7, 0, 0),
        },
        fused=opinion(0.2, 0, 0.4, 0.1, 0.1, 0.6, 0, 0.3),
        conflict=Conflict(None),
        emotions=(Emotion("worried", "fearful"), Emotion("relieved", "happy"), Emotion("unsure")),
        explanation=" ".join(statement.text for statement in STATEMENTS),
        statements=STATEMENTS,
        confidence=None,
        calibrated=False,
        trusted=None,
        out_of_domain=False,
        warnings=(
            Notice("short_speech", "Only 8.9 s of speech: levels of the voice are less certain."),
            Notice("face_gap", "No face from 8.0 s to 9.1 s."),
        ),
        failed=(Failure("transcript", "no model was named"),),
        provenance=Provenance(emer="0.1.0", engine="composer"),
        segments=segments() if with_segments else None,
        tracks=tracks() if with_segments else (),
    )


def trained() -> Explanation:
    """The same clip after training: two trained views, confidence, conflict, everything set."""
    return replace(
        explanation(),
        opinions={
            "audio": opinion(2, 0, 1, 2, 1, 28, 0, 3, trained=True),
            "visual": opinion(2, 1, 24, 0, 0, 2, 0, 5, trained=True),
            "text": replace(opinion(), present=False),
        },
        fused=opinion(2, 0.5, 12, 1, 0.5, 15, 0, 4, trained=True),
        conflict=Conflict(0.48, ("audio", "visual")),
        emotions=(Emotion("worried", "fearful", 0.41), Emotion("relieved", "happy", 0.33)),
        confidence=0.41,
        calibrated=True,
        trusted=False,
        out_of_domain=True,
        provenance=PROVENANCE,
    )
