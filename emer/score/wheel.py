"""Metrics through emotion tables: wheel F1, precision, M1, M2, the twelve columns, hit rate, MER2024-OV.

The arithmetic and its sources stand in `emer.metrics.wheel_scores`; here clips are chosen, floors are laid, and what
the tables did not know is counted.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emer.emotions.wheel_files import load_wheels
from emer.emotions.wheels import UNKNOWN, WheelTables
from emer.errors import ConfigError
from emer.metrics.open_vocabulary import numbered, overlaps, set_scores
from emer.metrics.wheel_scores import GroupingScores, HitRates, WheelScores, grouping_scores, hit_rates, mapping_scores
from emer.score.metric import (
    Measured,
    OfMeans,
    constants,
    gold_vocabulary,
    most_frequent,
    named,
    skipping,
    unknown_words,
)
from emer.score.options import Options
from emer.score.pairs import Pairs
from emer.score.result import TablesRecord

if TYPE_CHECKING:  # loads torch when it is used
    from emer.score.embedding import Encoder

CONSTANT = ("angry", "sad", "happy")
"""The answer that methods are held against: it gets 42 of 100 on OV-MERD+."""
NINE = ("angry", "happy", "neutral", "sad", "surprise", "fear", "disgust", "worried", "contempt")
"""Nine names of basic emotions, as data sets write them; said of every clip, they always hit."""
NO_GOLD = "gold has no label"
NOT_ON_WHEEL = "no gold label has a cluster in the tables"


@lru_cache(maxsize=8)
def tables_of(path: str | None) -> WheelTables:
    """The tables of a path, read once in a process."""
    return load_wheels(path)


def tables_for(pairs: Pairs, options: Options) -> WheelTables:
    """The tables that the options name; with `nearest`, the words of these files that they do not know take a
    neighbour's clusters."""
    if options.nearest is None:
        return tables_of(options.wheels)
    return _with_nearest(options.wheels, options.nearest, tuple(pairs.vocabulary[0]))


@lru_cache(maxsize=8)
def _with_nearest(path: str | None, folder: str, words: tuple[str, ...]) -> WheelTables:
    from emer.emotions.wheel_nearest import with_nearest

    encoder = _encoder(folder)
    return with_nearest(tables_of(path), words, encoder.sentences, name=encoder.name)


@lru_cache(maxsize=1)
def _encoder(folder: str) -> "Encoder":
    from emer.score.embedding import Encoder

    return Encoder.load(folder)


def record(tables: WheelTables) -> TablesRecord:
    return TablesRecord(tables.name, tables.sha256)


def is_wheel(name: str) -> bool:
    """Whether a name stands for the clusters of one wheel: `wheel1`."""
    return name.startswith("wheel") and name.removeprefix("wheel").isdigit()


def noted(tables: WheelTables, options: Options) -> tuple[str, ...]:
    """What the reader of a score must know about the tables."""
    nearest = () if options.nearest is None else (f"{tables.name}: no published score is made so",)
    return (*(() if tables.note is None else (tables.note,)), *nearest)


# ---------------------------------------------------------------- sets against sets


@dataclass(frozen=True)
class OpenVocabulary:
    """F, or precision, over some mappings of the tables."""

    of_means: OfMeans
    mappings: Callable[[WheelTables, Options], Sequence[str]]

    def measure(self, pairs: Pairs, options: Options) -> Measured:
        tables = tables_for(pairs, options)
        words, gold, predicted = pairs.vocabulary
        mappings = self.mappings(tables, options)
        found = mapping_scores(gold, predicted, words, tables, mappings, strict=options.strict)
        return _measured(pairs, options, tables, found, self.of_means, ("f1", "precision", "recall"))

    def floors(self, pairs: Pairs, options: Options) -> Mapping[str, float]:
        tables = tables_for(pairs, options)
        mappings = self.mappings(tables, options)
        words, gold = gold_vocabulary(pairs)
        answers = {CONSTANT: "", **{most_frequent(words, gold, n): "most frequent gold: " for n in (1, 3)}}
        words, made = constants(words, len(gold), list(answers))
        means = np.zeros((len(made), len(mappings), 3))
        for column, mapping in enumerate(mappings):
            cluster = numbered(words, lambda word, to=mapping: tables.map(to, word))[1]  # type: ignore[misc]
            for row, answer in enumerate(made):
                found = set_scores(overlaps(gold, answer, cluster))
                counting = found.n / len(gold)
                means[row, column] = found.precision * counting, found.recall * counting, counting
        values = [float(self.of_means(one.ravel())) for one in means]
        return {f"{why}{named(a)}": value for (a, why), value in zip(answers.items(), values, strict=True)}


def _measured(
    pairs: Pairs,
    options: Options,
    tables: WheelTables,
    found: WheelScores | HitRates,
    of_means: OfMeans,
    names: Sequence[str],
) -> Measured:
    """Scores under each mapping as one measurement; `names` are those of its numbers."""
    words, gold, predicted = pairs.vocabulary
    clips, skipped = skipping(len(gold), {NO_GOLD: np.diff(gold.starts) == 0, NOT_ON_WHEEL: ~found.scored})
    each = zip(found.mappings, found.each, strict=True)
    return Measured(
        clips=clips,
        columns=found.columns[clips],
        of_means=of_means,
        skipped=skipped,
        detail={
            **{name: getattr(found, name) for name in names},
            "each": {mapping: {name: getattr(one, name) for name in (*names, "n")} for mapping, one in each},
        },
        unknown=unknown_words(words, predicted, _known_to(tables, found.mappings)),
        tables=record(tables),
        notes=noted(tables, options),
    )


def _known_to(tables: WheelTables, mappings: Sequence[str]) -> Callable[[str], bool]:
    """Whether at least one of the mappings has a cluster for a word."""
    return lambda word: any(tables.map(mapping, word) != UNKNOWN for mapping in mappings)


WHEEL_F1 = OpenVocabulary(WheelScores.f1_of_means, lambda tables, options: tables.ring(options.ring))
PRECISION = OpenVocabulary(WheelScores.precision_of_means, lambda tables, options: tables.ring(options.ring))
M1 = OpenVocabulary(WheelScores.f1_of_means, lambda tables, options: ("case1",))
M2 = OpenVocabulary(WheelScores.f1_of_means, lambda tables, options: ("case2",))
OVMERD12 = OpenVocabulary(WheelScores.f1_of_means, lambda tables, options: tables.mappings)


# ---------------------------------------------------------------- one gold label a clip


@dataclass(frozen=True)
class Hits:
    """Hit rate, or its twin that wrong basic emotions lower."""

    of_means: OfMeans

    def measure(self, pairs: Pairs, options: Options) -> Measured:
        refuse_several(pairs, "hit rate")
        tables = tables_for(pairs, options)
        words, gold, predicted = pairs.vocabulary
        found = hit_rates(gold, predicted, words, tables, options.ring, options.strict)
        return _measured(pairs, options, tables, found, self.of_means, ("hit", "mscore", "precision"))

    def floors(self, pairs: Pairs, options: Options) -> Mapping[str, float]:
        words, gold = gold_vocabulary(pairs)
        every = most_frequent(words, gold, len(words))
        answers = {NINE: "", every[:1]: "most frequent gold: ", every: "every gold label: "}
        words, made = constants(words, len(gold), list(answers))
        tables = tables_for(pairs, options)
        return {
            f"{why}{named(a)}": self._value(hit_rates(gold, answer, words, tables, options.ring))
            for (a, why), answer in zip(answers.items(), made, strict=True)
        }

    def _value(self, found: HitRates) -> float:
        return float(self.of_means(found.columns.mean(axis=0)))


def refuse_several(pairs: Pairs, what: str) -> None:
    """Raises ConfigError when a clip has several gold labels."""
    several = [place for place, labels in enumerate(pairs.gold.labels) if len(labels) > 1]
    if several:
        place = several[0]
        raise ConfigError(
            f"{what} is for gold of one label a clip, but {len(several)} clips of {pairs.gold.source} have several "
            f"({pairs.names[place]}: {', '.join(pairs.gold.labels[place][:5])}); use wheel_f1, jaccard or micro_f1"
        )


HIT_RATE = Hits(HitRates.hit_of_means)
MSCORE = Hits(HitRates.mscore_of_means)


# ---------------------------------------------------------------- groups that someone else made


Asking = Callable[[Sequence[Sequence[str]], Sequence[Sequence[str]]], tuple[list[Mapping[str, str]], str]]


@dataclass(frozen=True)
class Grouping:
    """MER2024-OV: mean of accuracy and recall over groups of like labels."""

    ask: Asking | None = None
    """Makes the groups of each clip from its gold and predicted labels, and says who did: a language model."""

    def measure(self, pairs: Pairs, options: Options) -> Measured:
        words, gold, predicted = pairs.vocabulary
        clips, skipped = skipping(len(gold), {NO_GOLD: np.diff(gold.starts) == 0})
        if self.ask is not None:
            each, said = self.ask(pairs.gold.labels, pairs.labels)
            found, unknown, tables = grouping_scores(pairs.gold.labels, pairs.labels, each), None, None
        else:
            groups, said, tables = groups_of(pairs, options)
            found = grouping_scores(pairs.gold.labels, pairs.labels, groups)
            unknown = unknown_words(words, predicted, groups.__contains__)
        return Measured(
            clips=clips,
            columns=found.columns[clips],
            of_means=GroupingScores.average_of_means,
            skipped=skipped,
            detail={"accuracy": found.accuracy, "recall": found.recall, "groups": said},
            unknown=unknown,
            tables=tables,
            notes=(f"groups of labels are {said}",),
        )

    def floors(self, pairs: Pairs, options: Options) -> Mapping[str, float]:
        """None where a model makes the groups: each constant answer would have to be asked about."""
        if self.ask is not None:
            return {}
        words, gold, _ = pairs.vocabulary
        groups, _, _ = groups_of(pairs, options)
        found = {}
        for answer in (CONSTANT, most_frequent(words, gold, 3)):
            alike = grouping_scores(pairs.gold.labels, pairs.always(answer).labels, groups)
            found[named(answer)] = alike.average
        return found


def groups_of(pairs: Pairs, options: Options) -> tuple[Mapping[str, str], str, TablesRecord | None]:
    """Word to group, what made the groups, and the tables where some were used."""
    asked = options.groups or "wheel1"
    if not is_wheel(asked):
        return _groups_file(Path(asked)), f"those of {asked}", None
    tables = tables_for(pairs, options)
    mapping = f"case3_{asked}_level{options.ring}"
    words = list(dict.fromkeys([*pairs.vocabulary[0], *CONSTANT]))
    groups = {word: cluster for word in words if (cluster := tables.map(mapping, word)) != UNKNOWN}
    return (
        groups,
        f"the clusters of {asked}, ring {options.ring}, of {tables.name}, not those of a language model",
        record(tables),
    )


def _groups_file(path: Path) -> Mapping[str, str]:
    """`{word: group}`, or a list of groups that are lists of words."""
    if path.exists() and not path.is_file():
        raise ConfigError(f"the groups {path} are no regular file; give a JSON file {{word: group}}")
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"the groups {path} cannot be read: {error}; give a JSON file {{word: group}}") from error
    if isinstance(given, list) and all(isinstance(group, list) and group for group in given):
        given = {word: group[0] for group in given for word in group}
    if not isinstance(given, dict) or not all(isinstance(group, str) for group in given.values()):
        raise ConfigError(f"the groups {path} are neither {{word: group}} nor a list of lists of words; write them so")
    return {str(word).strip().lower(): group for word, group in given.items()}


MER2024_OV = Grouping()
