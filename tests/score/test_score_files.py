"""What stands in prediction and gold files, in every form that people keep it in."""

import json
from pathlib import Path

import numpy as np
import pytest

from emer.bench.records import Prediction, Refusal
from emer.errors import ConfigError
from emer.jsonio import dumps
from emer.score.files import read_gold, read_predictions
from emer.types import Emotion

ROWS = [("a", ["sad", "angry"]), ("b", []), ("c", ["happy"])]
"""What every file below says, written by hand."""


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def said(path: Path) -> list[tuple[str, list[str]]]:
    column = read_predictions(path)
    return [(name, list(labels)) for name, labels in zip(column.names, column.labels, strict=True)]


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        (".csv", "name,openset\na,\"['Sad', 'angry']\"\nb,\nc,[happy]\n"),
        (".csv", 'name,openset\r\na,"[""sad"", ""angry""]"\r\n\r\nb,NaN\r\nc, happy \r\n'),
        (".csv", "name;openset\na;[sad, angry]\nb;nan\nc;happy\n"),
        (".csv", 'other,openset,name\n1,"sad,angry",a\n2,None,b\n3,happy,c\n'),
        (".tsv", "name\topenset\na\t[sad, angry]\nb\t[]\nc\thappy\n"),
        (".jsonl", '{"name":"a","openset":["Sad","angry"]}\n{"name":"b"}\n{"name":"c","openset":"[happy]"}\n'),
        (
            ".jsonl",
            '{"name":"a","labels":["sad","angry"]}\n\n{"name":"b","labels":NaN}\n{"name":"c","labels":"happy"}\n',
        ),
        (".json", '[{"name":"a","labels":"sad, angry"},{"name":"b","labels":null},{"name":"c","labels":["happy"]}]'),
        (".json", '{"name":["a","b","c"],"labels":[["sad","angry"],[],"happy"]}'),
        (".json", '{"a":["sad","angry"],"b":[],"c":"happy"}'),
        (".json", '{"a":{"openset":["sad","angry"]},"b":{"openset":""},"c":{"openset":"happy"}}'),
    ],
)
def test_the_same_labels_are_read_from_every_form(ending: str, content: str, tmp_path: Path) -> None:
    assert said(written(tmp_path / f"answers{ending}", content)) == ROWS


def test_parquet_holds_lists_or_texts(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for column in ([["sad", "angry"], None, ["happy"]], ["[sad, angry]", None, "happy"]):
        table = pyarrow.table({"name": ["a", "b", "c"], "openset": column, "other": [1, 2, 3]})
        parquet.write_table(table, tmp_path / "answers.parquet")
        assert said(tmp_path / "answers.parquet") == ROWS


def test_npz_holds_texts(tmp_path: Path) -> None:
    np.savez(tmp_path / "answers.npz", names=np.array(["a", "b", "c"]), labels=np.array(["[sad,angry]", "", "happy"]))
    assert said(tmp_path / "answers.npz") == ROWS


def test_the_archives_of_the_released_scorers_are_read(tmp_path: Path) -> None:
    """AffectGPT keeps answers as two arrays, `filenames` and `fileitems`; texts may be bytes."""
    for kind in ("U", "S"):
        path = tmp_path / f"openset_{kind}.npz"
        np.savez(path, filenames=np.array(["a", "b"], dtype=kind), fileitems=np.array(["[sad, tired]", ""], dtype=kind))
        column = read_predictions(path)
        assert (list(column.names), [list(labels) for labels in column.labels]) == (["a", "b"], [["sad", "tired"], []])


def test_half_a_character_becomes_a_question_mark(tmp_path: Path) -> None:
    path = written(tmp_path / "answers.jsonl", '{"name": "a", "labels": ["\\ud800x", "sad"]}')
    assert said(path) == [("a", ["?x", "sad"])]


def test_names_may_be_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "answers.json", '[{"name": 7, "labels": "sad"}, {"name": 8, "labels": [3, "sad"]}]')
    assert said(path) == [("7", ["sad"]), ("8", ["3", "sad"])]


def test_the_same_cell_is_kept_once(tmp_path: Path) -> None:
    lines = "".join(f'{number},"[sad, angry]"\n' for number in range(100))
    column = read_predictions(written(tmp_path / "answers.csv", f"name,openset\n{lines}"))
    assert len({id(labels) for labels in column.labels}) == 1


def test_the_tolerant_parser_reads_what_the_published_one_does_not(tmp_path: Path) -> None:
    path = written(tmp_path / "answers.csv", "name,openset\na,happy and sad\n")
    assert list(read_predictions(path).labels[0]) == ["happy and sad"]
    assert list(read_predictions(path, parser="tolerant").labels[0]) == ["happy", "sad"]


# ---------------------------------------------------------------- columns


def test_own_column_names_are_no_guess(tmp_path: Path) -> None:
    path = written(tmp_path / "answers.csv", "name,openset,sentiment\na,[sad],negative\n")
    assert read_predictions(path).notes == ()


@pytest.mark.parametrize("header", ["Video_ID,Emotion", "文件名,情绪", "clip id,Discrete", "编号,标签"])
def test_other_column_names_are_guessed_and_said(header: str, tmp_path: Path) -> None:
    column = read_gold(written(tmp_path / "gold.csv", f"{header}\na,sad\n"))
    assert list(column.names) == ["a"]
    assert [list(labels) for labels in column.labels] == [["sad"]]
    assert len([note for note in column.notes if "is read as" in note]) == 2


def test_of_several_columns_of_labels_the_reader_is_told_which_was_taken(tmp_path: Path) -> None:
    column = read_gold(written(tmp_path / "gold.csv", "name,openset,label\na,[glad],happy\n"))
    assert [list(labels) for labels in column.labels] == [["happy"]]
    assert "labels are read from 'label', not from 'openset'" in column.notes[0]


def test_numbers_among_gold_labels_are_values(tmp_path: Path) -> None:
    column = read_gold(written(tmp_path / "gold.csv", "name,label\na,-0.4\nb,\nc,1\n"))
    assert column.values == [-0.4, None, 1.0]
    assert "read as sentiment values" in column.notes[0]


def test_labels_and_values_may_stand_side_by_side(tmp_path: Path) -> None:
    column = read_gold(written(tmp_path / "gold.csv", "name,discrete,valence,speaker\na,happy,2.5,ann\n"))
    assert (list(column.labels[0]), column.values, column.speakers) == (["happy"], [2.5], ["ann"])


def test_gold_sentiment_may_be_a_word(tmp_path: Path) -> None:
    column = read_gold(written(tmp_path / "gold.csv", "name,Emotion,Sentiment\na,joy,positive\nb,anger,Negative\n"))
    assert column.values == [1.0, -1.0]


def test_a_guessed_column_of_values_that_holds_none_is_left_and_told(tmp_path: Path) -> None:
    column = read_gold(written(tmp_path / "gold.csv", "name,label,sentiment\na,joy,mixed\n"))
    assert column.values is None
    assert "no values are read" in column.notes[-1]
    with pytest.raises(ConfigError, match="the value of a is 'mixed'"):
        read_gold(written(tmp_path / "gold.csv", "name,label,value\na,joy,mixed\n"))


def test_sentiments_are_the_three_words_as_the_field_reads_them(tmp_path: Path) -> None:
    """The released scorer of AffectGPT compares each cell with three words and takes 0 for whatever else it finds."""
    text = "name,sentiment\na,Positive\nb,negative\nc,\nd,mixed\ne,positive\n"
    path = written(tmp_path / "answers.csv", text)
    column = read_predictions(path)
    assert column.sentiment == ["neutral", "negative", "neutral", "neutral", "positive"]
    assert column.notes[0].startswith("3 sentiments are none of positive, negative, neutral and count as neutral (")
    assert "'Positive'" in column.notes[0]
    assert "--parser tolerant" in column.notes[0]
    assert read_predictions(path, parser="tolerant").sentiment == ["positive", "negative", *["neutral"] * 2, "positive"]


def test_sentiments_that_no_other_scorer_could_read_are_read_as_they_are_meant(tmp_path: Path) -> None:
    column = read_predictions(written(tmp_path / "answers.csv", "name,sentiment\na,Positive.\nb,消极\nc,\n"))
    assert column.sentiment == ["positive", "negative", "neutral"]
    assert column.notes == ("1 sentiments are none of positive, negative, neutral and count as neutral ('')",)


@pytest.mark.parametrize("none", ["", "0", "False", "None"])
def test_a_column_of_errors_may_say_that_there_were_none(none: str, tmp_path: Path) -> None:
    column = read_predictions(written(tmp_path / "answers.csv", f"name,openset,error\na,sad,{none}\nb,,no sound\n"))
    assert list(column.names) == ["a"]
    assert column.notes[-1].endswith("1 clips failed and have no answer")


# ---------------------------------------------------------------- runs of emer bench


def test_predictions_of_a_run_are_answers_with_confidences(tmp_path: Path) -> None:
    emotions = (Emotion("Worried", "fearful", 0.8), Emotion("tense", None, None))
    rows = [
        Prediction("a", emotions=emotions, confidence=0.7, explanation="A raised voice [a1]."),
        Prediction("b", error=Refusal("MediaError", "no sound")),
        Prediction("c"),
    ]
    column = read_predictions(written(tmp_path / "predictions.jsonl", "\n".join(map(dumps, rows)) + "\n"))
    assert list(column.names) == ["a", "c"]
    assert column.emotions is not None
    assert column.emotions[0] == (Emotion("worried", "fearful", 0.8), Emotion("tense", None, None))
    assert column.confidence == [0.7, None]
    assert column.texts is not None
    assert column.texts[0] == "A raised voice [a1]."
    assert any("1 clips failed and have no answer" in note for note in column.notes)


def test_explanations_of_clips_are_answers_by_file_name(tmp_path: Path) -> None:
    row = {"schema": "emer.explanation/1", "clip": {"path": "in/a.mp4"}, "emotions": [{"label": "sad"}]}
    column = read_predictions(written(tmp_path / "explained.jsonl", json.dumps(row)))
    assert (list(column.names), [list(labels) for labels in column.labels]) == (["a"], [["sad"]])


def test_a_run_that_failed_everywhere_is_refused(tmp_path: Path) -> None:
    row = Prediction("a", error=Refusal("MediaError", "no sound"))
    with pytest.raises(ConfigError, match="all 1 clips failed"):
        read_predictions(written(tmp_path / "predictions.jsonl", dumps(row) + "\n"))


def test_labels_may_come_with_their_confidence_as_a_mapping(tmp_path: Path) -> None:
    rows = {"name": "a", "emotions": {"happy": 0.9, "proud": 0.25}}
    column = read_predictions(written(tmp_path / "answers.jsonl", json.dumps(rows)))
    assert column.emotions == [(Emotion("happy", None, 0.9), Emotion("proud", None, 0.25))]


def test_confidences_may_stand_in_a_column_of_their_own(tmp_path: Path) -> None:
    path = written(tmp_path / "answers.csv", 'name,openset,confidences\na,"[sad, calm]","[0.8, 0.25]"\nb,[],[]\n')
    assert read_predictions(path).emotions == [(Emotion("sad", None, 0.8), Emotion("calm", None, 0.25)), ()]
    for wrong in ("[0.8]", "[0.8, 2]"):
        with pytest.raises(ConfigError, match="a has 2 labels and the confidences"):
            read_predictions(written(path, f'name,openset,confidences\na,"[sad, calm]","{wrong}"\n'))


def test_a_key_that_first_comes_late_is_found(tmp_path: Path) -> None:
    lines = ['{"name":"a"}', '{"name":"b","openset":["sad"]}']
    assert said(written(tmp_path / "answers.jsonl", "\n".join(lines))) == [("a", []), ("b", ["sad"])]


# ---------------------------------------------------------------- real files


def test_every_released_file_is_read_without_a_guess_about_its_columns(real_data: Path) -> None:
    """Rows counted with `wc -l`: 532, 332, 2,610 and 457."""
    counts = {"ovmerdplus": 532, "ovmerd": 332, "meld": 2610, "sims": 457}
    for data, count in counts.items():
        gold = read_gold(real_data / "parity" / f"{data}.gold.csv")
        assert len(gold.names) == count
        for path in sorted((real_data / "parity").glob(f"{data}.*.pred.csv")):
            answers = read_predictions(path)
            assert sorted(answers.names) == sorted(gold.names)
            assert not [note for note in answers.notes if "is read as" in note]
