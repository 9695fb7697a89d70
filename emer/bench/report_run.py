"""What a run folder holds, read for its report: the gold rows, the answers of every system, what is missing.

config.resolved.yaml              the configuration, and in its first line the command
gold/DATA.jsonl                   one row a clip that was asked about: name, labels, value, speaker, explanation
predictions/DATA/SYSTEM.jsonl     one `Prediction` a line
clips/DATA.jsonl                  where each clip lies, for the reports of single clips
timings/DATA/SYSTEM.jsonl         seconds each answer took
seen/DATA/SYSTEM.json             how many clips the system's heads were trained or calibrated on
missing/DATA.txt                  rows whose clip is not there
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from emer.bench.prediction_files import read_lines
from emer.bench.records import Prediction
from emer.bench.run_configuration import RunConfig, RunData
from emer.bench.run_data import ClipFile
from emer.bench.run_seen import Seen
from emer.config import build, read_yaml
from emer.errors import ConfigError
from emer.jsonio import loads
from emer.runs import CONFIG
from emer.score.result import Column
from emer.types import Emotion

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Truth:
    """What people said about one clip: a line of a gold file."""

    name: str
    labels: tuple[str, ...] = ()
    value: float | None = None
    speaker: str | None = None
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A data set of which nothing was asked: a line of `skipped.jsonl`."""

    data: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """What a run noted of a data set: `data/DATA.json`."""

    name: str
    title: str
    source: str
    licence: str
    metric: str
    sha256: str
    """Of the rows and their clips."""
    n_rows: int
    """Rows of the part, before a limit."""
    n_asked: int
    n_missing: int
    metrics: tuple[str, ...] = ()
    part: str | None = None
    label_set: str | None = None
    """What its closed labels are: the draw of a small sample must not decide it."""
    verified: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long one answer took: a line of a file of timings."""

    name: str
    seconds: float


@dataclass(frozen=True)
class DataRun:
    """All that the folder holds of one data set."""

    name: str
    """As its files are called."""
    record: Record
    gold: tuple[Truth, ...]
    systems: Mapping[str, Mapping[str, Prediction]]
    """System to clip to answer; a clip without an entry was not asked about yet."""
    missing: tuple[str, ...] = ()
    """One line a row whose clip is not there."""
    clips: Mapping[str, ClipFile] = field(default_factory=dict)
    seconds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """System to seconds an answer."""
    seen: Mapping[str, Seen] = field(default_factory=dict)
    """System to the clips that its heads were trained or calibrated on."""

    @property
    def metric(self) -> str:
        """The one that the field reports on this data set, or that the configuration names."""
        return self.record.metric

    def truths(self, system: str) -> tuple[Truth, ...]:
        """Rows that a system was asked about, in the order of the data set."""
        return tuple(truth for truth in self.gold if truth.name in self.systems[system])


@dataclass(frozen=True)
class Run:
    """A folder of `emer bench run`."""

    folder: Path
    command: str
    config: RunConfig
    data: tuple[DataRun, ...]
    absent: Mapping[str, str] = field(default_factory=dict)
    """Data sets of the configuration of which nothing was run, and why."""


def read_run_folder(folder: str | Path) -> Run:
    """Everything that a report needs. Raises ConfigError where the folder holds no run, or nothing to report."""
    folder = Path(folder)
    if not (folder / CONFIG).is_file():
        raise ConfigError(f"{folder} holds no run: there is no {CONFIG}; name a folder that `emer bench run` wrote")
    config = build(RunConfig, read_yaml(folder / CONFIG), str(folder / CONFIG))
    there = [data for data in config.data if (folder / "gold" / f"{data.stem}.jsonl").is_file()]
    found = tuple(_data(folder, data, [system.name for system in config.systems]) for data in there)
    answered = tuple(data for data in found if data.systems)
    if not answered:
        raise ConfigError(f"{folder} holds no answers yet; run `emer bench run` with its configuration first")
    names = {data.name for data in answered}
    why = {each.data: each.reason for each in _lines(folder / "skipped.jsonl", Skipped)}
    absent = {data.stem: why.get(data.stem, "not answered yet") for data in config.data if data.stem not in names}
    first = (folder / CONFIG).read_text(encoding="utf-8").partition("\n")[0]
    return Run(folder, first.removeprefix("#").strip(), config, answered, absent)


def _data(folder: Path, data: RunData, systems: list[str]) -> DataRun:
    name = data.stem
    files = {system: folder / "predictions" / name / f"{system}.jsonl" for system in systems}
    missing = folder / "missing" / f"{name}.txt"
    return DataRun(
        name=name,
        record=_one(folder / "data" / f"{name}.json", Record),
        gold=_lines(folder / "gold" / f"{name}.jsonl", Truth),
        systems={system: _answers(path) for system, path in files.items() if path.is_file()},
        missing=tuple(missing.read_text(encoding="utf-8").splitlines()) if missing.is_file() else (),
        clips={each.name: each for each in _lines(folder / "clips" / f"{name}.jsonl", ClipFile)},
        seconds={
            system: tuple(each.seconds for each in _lines(folder / "timings" / name / f"{system}.jsonl", Seconds))
            for system in systems
        },
        seen={
            system: _one(path, Seen)
            for system in systems
            if (path := folder / "seen" / name / f"{system}.json").is_file()
        },
    )


def _one(path: Path, kind: type[T]) -> T:
    try:
        return loads(path.read_text(encoding="utf-8"), kind)
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); run the command in the folder's config again") from error


def _answers(path: Path) -> dict[str, Prediction]:
    """Answers by clip; torn lines of an unfinished run are no answers."""
    return {prediction.name: prediction for _, prediction in read_lines(path) if prediction is not None}


def _lines(path: Path, kind: type[T]) -> tuple[T, ...]:
    """Every line of a file that may be absent. Raises ConfigError that names the file and the line."""
    if not path.is_file():
        return ()
    found = []
    # Not splitlines: people's texts hold U+2028 and the like, at which no line of JSON ends.
    texts = path.read_text(encoding="utf-8").split("\n")
    for number, text in enumerate(texts[:-1] if texts[-1] == "" else texts, 1):
        try:
            found.append(loads(text, kind))
        except ConfigError as error:
            raise ConfigError(f"{path}, line {number}: {error}; make the folder again") from error
    return tuple(found)


# ---------------------------------------------------------------- columns


def gold_column(data: DataRun, truths: tuple[Truth, ...]) -> Column:
    """Some gold rows as `emer.score` takes them."""
    speakers = [truth.speaker for truth in truths]
    values, texts = [truth.value for truth in truths], [truth.explanation for truth in truths]
    return Column(
        source=f"gold of {data.name}",
        names=[truth.name for truth in truths],
        labels=[tuple(label.lower() for label in truth.labels) for truth in truths],
        values=values if any(value is not None for value in values) else None,
        speakers=[speaker or "unknown" for speaker in speakers] if len(set(speakers) - {None}) > 1 else None,
        texts=texts if any(texts) else None,
    )


def answer_column(data: DataRun, system: str, truths: tuple[Truth, ...]) -> Column:
    """A system's answers to some rows; a failure is an answer without labels, so that it costs what it should."""
    answers = [data.systems[system].get(truth.name, Prediction(truth.name)) for truth in truths]
    emotions: list[tuple[Emotion, ...]] = [answer.emotions for answer in answers]
    sentiment = [answer.sentiment for answer in answers]
    return Column(
        source=f"{system} on {data.name}",
        names=[answer.name for answer in answers],
        labels=[tuple(emotion.label.lower() for emotion in each) for each in emotions],
        sentiment=sentiment if any(sentiment) else None,
        emotions=emotions,
        confidence=[answer.confidence for answer in answers],
        texts=[answer.explanation or None for answer in answers],
    )
