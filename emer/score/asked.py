"""What only a language model can say, asked of an endpoint: labels in a text, sentiment, groups of labels, a judgement.

    asked = labels_in(endpoint, texts)
    asked.values        # one a text, None where the reply could not be used
    asked.unusable      # which replies, and why
    asked.record        # model, prompt with its hash, seed: what a result must name

Replies are read strictly: the format that the prompt asks for, alone or in a code fence, after any thoughts in
`<think>`. Whatever else is said is counted and listed and never guessed at.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar, get_args

from emer.data.rows import some
from emer.emotions.sentiment import Sentiment
from emer.endpoint import Endpoint
from emer.errors import ConfigError
from emer.prompts import Prompt, prompt
from emer.score.result import Column
from emer.types import PromptRecord

T = TypeVar("T")
Progress = Callable[[int, int], None]
Judgement = Literal["clue_overlap", "label_overlap"]

POINTS = 10
"""The best score that a judge may give."""
SHOWN = 120
"""Characters of an unusable reply that are shown."""


class Unreadable(ValueError):
    """A reply without the format that was asked for."""


@dataclass(frozen=True, slots=True)
class AskedRecord:
    """What made the answers."""

    model: str
    prompt: PromptRecord
    seed: int
    temperature: float

    def __str__(self) -> str:
        return f"{self.model} (prompt {self.prompt.name} {self.prompt.sha256[:12]}, seed {self.seed})"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A question without a usable reply."""

    place: int
    """Of the question."""
    why: str
    reply: str = ""
    """Its beginning."""


@dataclass(frozen=True)
class Asked(Generic[T]):
    """The answers to several questions."""

    values: tuple[T | None, ...]
    """One a question; None where there is no usable reply, or nothing was asked."""
    unusable: tuple[Unusable, ...]
    record: AskedRecord
    kept: int
    """How many answers came from disk."""


def labels_in(
    endpoint: Endpoint, texts: Sequence[str], language: str = "en", progress: Progress | None = None
) -> Asked[tuple[str, ...]]:
    """The emotion labels that each text ascribes to its person; none in an empty text, which is not asked about."""
    questions = [{"text": text} if text.strip() else None for text in texts]
    asked = _ask(endpoint, prompt("extract_labels", language), questions, lambda reply, _: read_labels(reply), progress)
    bare = [() if question is None else value for question, value in zip(questions, asked.values, strict=True)]
    return replace(asked, values=tuple(bare))


def sentiments_of(
    endpoint: Endpoint, label_sets: Sequence[Sequence[str]], language: str = "en", progress: Progress | None = None
) -> Asked[Sentiment]:
    """The sentiment of each set of labels; None for an empty one, which is not asked about."""
    questions = [{"labels": ", ".join(labels)} if labels else None for labels in label_sets]
    return _ask(endpoint, prompt("sentiment", language), questions, lambda reply, _: read_sentiment(reply), progress)


def groups_of(
    endpoint: Endpoint,
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    language: str = "en",
    progress: Progress | None = None,
) -> Asked[Mapping[str, str]]:
    """For each clip, label to the first label of its group, over gold and predicted labels together.

    The grouping of MER2024-OV (Lian et al. 2024, https://arxiv.org/abs/2404.17113), with words and a model of one's
    own: numbers compare only between runs with the same prompt and model. A label that the reply leaves out stands for
    itself; a reply with a label in two groups is not used. Clips with fewer than two labels are not asked about.
    """
    both = [tuple(dict.fromkeys([*true, *said])) for true, said in zip(gold, predicted, strict=True)]
    questions = [{"labels": json.dumps(labels, ensure_ascii=False)} if len(labels) > 1 else None for labels in both]
    asked = _ask(
        endpoint, prompt("group_labels", language), questions, lambda reply, i: read_groups(reply, both[i]), progress
    )
    alone: list[Mapping[str, str] | None] = [
        {label: label for label in labels} if question is None else value
        for labels, question, value in zip(both, questions, asked.values, strict=True)
    ]
    return Asked(tuple(alone), asked.unusable, asked.record, asked.kept)


def judged(
    endpoint: Endpoint,
    what: Judgement,
    candidates: Sequence[str],
    references: Sequence[str],
    language: str = "en",
    progress: Progress | None = None,
) -> Asked[float]:
    """How far each candidate overlaps with its reference in clues or in labels, as a fraction of ten points.

    After the two scores of EMER (Lian et al. 2023, https://arxiv.org/abs/2306.15401), which has 1 to 10 points and
    other words: numbers do not compare with published ones. A candidate without words has 0 and is not asked about.
    """
    questions = [
        {"candidate": candidate, "reference": reference} if candidate.strip() else None
        for candidate, reference in zip(candidates, references, strict=True)
    ]
    asked = _ask(endpoint, prompt(f"judge_{what}", language), questions, lambda reply, _: read_points(reply), progress)
    bare = [0.0 if question is None else value for question, value in zip(questions, asked.values, strict=True)]
    return replace(asked, values=tuple(bare))


def _ask(
    endpoint: Endpoint,
    asking: Prompt,
    questions: Sequence[Mapping[str, str] | None],
    read: Callable[[str, int], T],
    progress: Progress | None,
) -> Asked[T]:
    """Ask what is to be asked; `read` takes a reply and the place of its question.

    Raises ConfigError where no reply at all can be used: a score of nothing but failures would be taken for one.
    """
    places = [place for place, question in enumerate(questions) if question is not None]
    conversations = [asking.messages(**(questions[place] or {})) for place in places]
    values: list[T | None] = [None] * len(questions)
    unusable, kept = [], 0
    for place, reply in zip(places, endpoint.ask_all(conversations, progress), strict=True):
        kept += reply.kept
        if reply.text is None:
            unusable.append(Unusable(place, str(reply.error)))
            continue
        try:
            values[place] = read(reply.text, place)
        except Unreadable as error:
            unusable.append(Unusable(place, str(error), " ".join(reply.text[:1000].split())[:SHOWN]))
    if places and len(unusable) == len(places):
        raise ConfigError(
            f"{endpoint.model} gave no usable reply to any of {len(places)} questions (the last: "
            f"{_shown(unusable[-1])}); look at the endpoint, or ask another model"
        )
    record = AskedRecord(endpoint.model, asking.record, endpoint.seed, endpoint.temperature)
    return Asked(tuple(values), tuple(unusable), record, kept)


def _shown(one: Unusable) -> str:
    return one.why + (f": {one.reply!r}" if one.reply else "")


# ---------------------------------------------------------------- columns


def with_labels(column: Column, endpoint: Endpoint, language: str = "en", progress: Progress | None = None) -> Column:
    """The column with labels drawn from its explanations; none where the reply could not be used, which is noted.

    Raises ConfigError for a column without explanations.
    """
    if column.texts is None:
        raise ConfigError(f"{column.source} has no explanations to draw labels from; give a column explanation")
    asked = labels_in(endpoint, [text or "" for text in column.texts], language, progress)
    note = _note("labels drawn from the explanations", asked, column)
    return replace(column, labels=[value or () for value in asked.values], notes=(*column.notes, note))


def with_sentiment(
    column: Column, endpoint: Endpoint, language: str = "en", progress: Progress | None = None
) -> Column:
    """The column with the sentiment of its labels; None where the reply could not be used, which is noted."""
    asked = sentiments_of(endpoint, column.labels, language, progress)
    note = _note("sentiment of the labels", asked, column)
    return replace(column, sentiment=list(asked.values), notes=(*column.notes, note))


def _note(what: str, asked: Asked[Any], column: Column) -> str:
    lost = [column.names[one.place] for one in asked.unusable]
    if not lost:
        return f"{what} by {asked.record}"
    first = _shown(asked.unusable[0])
    return f"{what} by {asked.record}; {len(lost)} replies could not be used ({some(lost)}; the first because {first})"


# ---------------------------------------------------------------- reading replies


def read_labels(reply: str) -> tuple[str, ...]:
    """A JSON array of strings, in lower case, each once. Raises Unreadable for anything else.

    >>> read_labels('```json\\n["Worried", "relieved"]\\n```')
    ('worried', 'relieved')
    """
    return tuple(dict.fromkeys(label for label in _strings(_json(reply), "labels") if label))


def read_sentiment(reply: str) -> Sentiment:
    """One of three words, with a full stop or quotes at most. Raises Unreadable for anything else.

    >>> read_sentiment("Negative.")
    'negative'
    """
    word = _bare(reply).strip("\"'`*.。 \n").lower()
    for sentiment in get_args(Sentiment):
        if word == sentiment:
            return sentiment  # type: ignore[no-any-return]
    raise Unreadable("the reply is none of positive, negative, neutral")


def read_points(reply: str) -> float:
    """`{"score": 0 to 10, …}` as a fraction. Raises Unreadable for anything else.

    >>> read_points('{"score": 7, "reason": "both name the smile"}')
    0.7
    """
    given = _json(reply)
    points = given.get("score") if isinstance(given, dict) else None
    if isinstance(points, bool) or not isinstance(points, int | float) or not math.isfinite(points):
        raise Unreadable("the reply is no JSON object with a number as score")
    if not 0 <= points <= POINTS:
        raise Unreadable(f"the score {points} is not between 0 and {POINTS}")
    return points / POINTS


def read_groups(reply: str, labels: Sequence[str]) -> dict[str, str]:
    """A JSON array of arrays of strings, as label to first label of its group; labels that were not given are dropped.

    Raises Unreadable for anything else, and for a label in two groups.

    >>> read_groups('[["angry", "mad"], ["sad"]]', ["mad", "sad", "angry"])
    {'angry': 'angry', 'mad': 'angry', 'sad': 'sad'}
    """
    given = _json(reply)
    if not isinstance(given, list):
        raise Unreadable("the reply is no JSON array of groups")
    groups: dict[str, str] = {}
    for group in given:
        known = [label for label in dict.fromkeys(_strings(group, "groups")) if label in labels]
        if doubled := [label for label in known if label in groups]:
            raise Unreadable(f"the label {doubled[0]} stands in two groups")
        groups |= dict.fromkeys(known, known[0]) if known else {}
    return groups


def _strings(given: object, what: str) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise Unreadable(f"the reply is no JSON array of strings for {what}")
    return [" ".join(one.lower().split()) for one in given]


def _json(reply: str) -> Any:
    try:
        return json.loads(_bare(reply))
    except (ValueError, RecursionError) as error:
        raise Unreadable("the reply is not JSON") from error


def _bare(reply: str) -> str:
    """A reply without thoughts before it and the one code fence round it."""
    text = reply.rpartition("</think>")[2].strip()
    if text.startswith("```") and text.endswith("```") and text.count("```") == 2:
        return text[3:-3].removeprefix("json").strip()
    return text
