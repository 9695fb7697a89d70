"""Exports are read back by programs that nobody here wrote: praatio, Praat itself, pympi, csv, pysubs2."""

import csv
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import parselmouth
import praatio.textgrid
import pysubs2
import pytest
import sample

from emer.errors import OutputError
from emer.report import export
from emer.types import Clue, Emotion, Explanation, Utterance

HOSTILE = '</a> "quoted" \x00\x08 & <b>{\\an8}</b> \n=1+1 太好了 \ud800'


def hostile() -> Explanation:
    """The sample with markup, quotes, control characters and a lone surrogate wherever text can come from a clip."""
    whole = sample.explanation()
    assert whole.transcript is not None
    clues = tuple(replace(clue, text=HOSTILE, quality=HOSTILE) for clue in whole.clues)
    transcript = replace(whole.transcript, utterances=(Utterance(HOSTILE, 1.0, 2.0),))
    return replace(
        whole, clues=clues, transcript=transcript, explanation=HOSTILE, emotions=(Emotion(HOSTILE),), segments=None
    )


def read_textgrid(path: Path) -> dict[str, list[tuple[float, float, str]]]:
    grid = praatio.textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    return {name: [tuple(entry) for entry in grid.getTier(name).entries] for name in grid.tierNames}


def read_elan(path: Path) -> dict[str, list[tuple[int, int, str]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pympi does not know format 3.0 by name and says so
        from pympi import Elan

        document = Elan.Eaf(str(path))
    return {
        name: [entry[:3] for entry in document.get_annotation_data_for_tier(name)] for name in document.get_tier_names()
    }


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_praatio_finds_every_clue_word_and_emotion_in_the_textgrid(tmp_path: Path) -> None:
    whole = sample.explanation()
    export.write(whole, tmp_path / "x.TextGrid")
    tiers = read_textgrid(tmp_path / "x.TextGrid")
    assert tiers["utterances"] == [(u.start, u.end, u.text) for u in sample.UTTERANCES]
    assert tiers["emotions"] == [(0.6, 3.4, "surprised"), (4.6, 7.4, "afraid, insecure"), (9.8, 13.1, "relieved")]
    found = [entry for name, entries in tiers.items() if " clues" in name for entry in entries]
    assert len(found) == len(whole.clues)
    for clue in whole.clues:
        assert (clue.start, clue.end, f"{clue.id} {clue.text}") in found


def test_words_of_the_transcript_and_clues_of_the_words_are_different_tiers(tmp_path: Path) -> None:
    export.write(sample.explanation(), tmp_path / "x.TextGrid")
    tiers = read_textgrid(tmp_path / "x.TextGrid")
    assert [text for _, _, text in tiers["words"]] == [word.text for word in sample.words()]


def test_praat_itself_reads_the_textgrid_and_ends_where_the_clip_ends(tmp_path: Path) -> None:
    export.write(sample.explanation(), tmp_path / "x.TextGrid")
    grid = parselmouth.read(str(tmp_path / "x.TextGrid"))
    assert (grid.xmin, grid.xmax) == (0.0, sample.END)
    assert parselmouth.praat.call(grid, "Get number of tiers") == len(read_textgrid(tmp_path / "x.TextGrid"))


def test_quotes_in_a_textgrid_come_back_as_they_were(tmp_path: Path) -> None:
    whole = replace(sample.explanation(), emotions=(Emotion('so-called "fine"'),), segments=None)
    export.write(whole, tmp_path / "x.TextGrid")
    assert read_textgrid(tmp_path / "x.TextGrid")["emotions"] == [(0.0, 14.2, 'so-called "fine"')]
    grid = parselmouth.read(str(tmp_path / "x.TextGrid"))
    names = [
        parselmouth.praat.call(grid, "Get tier name", i + 1) for i in range(len(read_textgrid(tmp_path / "x.TextGrid")))
    ]
    assert parselmouth.praat.call(grid, "Get label of interval", names.index("emotions") + 1, 1) == 'so-called "fine"'


def test_pympi_finds_tiers_times_and_media_in_the_elan_file(tmp_path: Path) -> None:
    whole = replace(sample.explanation(), clip=sample.clip(str(tmp_path / "inter view.mp4")))
    export.write(whole, tmp_path / "x.eaf")
    tiers = read_elan(tmp_path / "x.eaf")
    assert tiers["utterances"] == [
        (600, 3400, sample.UTTERANCES[0].text),
        (4600, 7400, sample.UTTERANCES[1].text),
        (9800, 13100, sample.UTTERANCES[2].text),
    ]
    labels = {text.split()[0] for name in tiers if " clues" in name for *_, text in tiers[name]}
    assert labels == {clue.id for clue in whole.clues}
    text = (tmp_path / "x.eaf").read_text(encoding="utf-8")
    assert 'MIME_TYPE="video/mp4"' in text
    assert 'RELATIVE_MEDIA_URL="./inter view.mp4"' in text
    assert "/inter%20view.mp4" in text


@pytest.mark.parametrize("read", [("x.TextGrid", read_textgrid), ("x.eaf", read_elan)], ids=["praat", "elan"])
def test_no_two_intervals_of_a_tier_overlap(tmp_path: Path, read: tuple[str, object]) -> None:
    name, reader = read
    crowd = tuple(Clue(f"a{i + 1}", "audio", "pause", "x", i * 0.1, i * 0.1 + 0.35, 1.0, "s", "-") for i in range(50))
    export.write(replace(sample.explanation(), clues=crowd), tmp_path / name)
    tiers = reader(tmp_path / name)  # type: ignore[operator]
    assert sum(len(tiers[tier]) for tier in tiers if tier.startswith("voice")) == 50
    for entries in tiers.values():
        ordered = sorted(entries)
        assert all(a[1] <= b[0] for a, b in pairwise(ordered))


@pytest.mark.parametrize("name", ["x.TextGrid", "x.eaf", "x.csv", "x.segments.csv", "x.srt"])
def test_hostile_text_breaks_no_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    export.write(hostile(), path)
    if name.endswith("TextGrid"):
        assert len(read_textgrid(path)["utterances"]) == 1
    elif name.endswith("eaf"):
        assert "<b>" in read_elan(path)["utterances"][0][2]
    elif name.endswith("csv"):
        assert all(None not in row and None not in row.values() for row in read_csv(path))
    else:
        (cue,) = pysubs2.load(str(path))
        assert "‹b›(/an8)‹/b›" in cue.plaintext


def test_a_formula_in_a_csv_is_text(tmp_path: Path) -> None:
    clue = replace(sample.CLUES[0], text="=HYPERLINK(1)", value=-3.5)
    export.write(replace(sample.explanation(), clues=(clue,)), tmp_path / "x.csv")
    (row,) = read_csv(tmp_path / "x.csv")
    assert row["text"] == "'=HYPERLINK(1)"
    assert row["value"] == "-3.5"


def test_the_csv_has_one_row_a_clue_with_its_numbers(tmp_path: Path) -> None:
    export.write(sample.explanation(), tmp_path / "x.csv")
    rows = read_csv(tmp_path / "x.csv")
    assert [row["id"] for row in rows] == [clue.id for clue in sample.CLUES]
    third = rows[2]
    assert (third["start"], third["end"], third["value"], third["unit"], third["cited"]) == (
        "1.3",
        "2.1",
        "4.1",
        "semitones",
        "1",
    )
    assert rows[4]["quality"] == "only 0.6 s of it voiced"
    assert rows[0]["quality"] == ""


def test_the_segments_csv_has_one_row_a_segment_whose_probabilities_add_up_to_one(tmp_path: Path) -> None:
    export.write(sample.explanation(), tmp_path / "x.segments.csv")
    rows = read_csv(tmp_path / "x.segments.csv")
    assert [row["emotions"] for row in rows] == ["surprised", "afraid, insecure", "relieved"]
    for row in rows:
        assert sum(float(value) for name, value in row.items() if name.startswith("p_")) == pytest.approx(1, abs=5e-4)
    # by hand: evidence sums to 2.0 with W = 8, so u = 8 / 10; p_surprised = 1.1 / 10 + 0.8 / 8
    assert float(rows[0]["uncertainty"]) == pytest.approx(0.8)
    assert float(rows[0]["p_surprised"]) == pytest.approx(0.21)


def test_subtitles_have_one_cue_a_segment_without_citations(tmp_path: Path) -> None:
    export.write(sample.explanation(), tmp_path / "x.srt")
    cues = pysubs2.load(str(tmp_path / "x.srt"))
    assert [(cue.start, cue.end) for cue in cues] == [(600, 3400), (4600, 7400), (9800, 13100)]
    assert cues[0].plaintext == "surprised\nThe voice rises by 4.1 semitones while the brows go up."


def test_a_clip_without_segments_gives_one_cue_over_its_span(tmp_path: Path) -> None:
    whole = replace(sample.explanation(), segments=None)
    export.write(whole, tmp_path / "x.srt")
    (cue,) = pysubs2.load(str(tmp_path / "x.srt"))
    assert (cue.start, cue.end) == (0, 14200)


def test_an_image_without_transcript_or_clues_still_exports(tmp_path: Path) -> None:
    still = replace(
        sample.explanation(),
        clip=replace(sample.clip("face.png"), end=0.0, duration=0.0),
        clues=(),
        transcript=None,
        segments=None,
    )
    for name in ("x.TextGrid", "x.eaf", "x.csv", "x.segments.csv", "x.srt"):
        export.write(still, tmp_path / name)
    assert set(read_textgrid(tmp_path / "x.TextGrid")) == {"emotions", "explanation"}


def test_subtitles_never_take_the_place_of_the_clip_s_transcript(tmp_path: Path) -> None:
    whole = replace(sample.explanation(), clip=sample.clip(str(tmp_path / "interview.mp4")))
    with pytest.raises(
        OutputError, match=r"would be taken for the transcript of interview\.mp4; name it interview\.emer\.srt"
    ):
        export.write(whole, tmp_path / "interview.srt")
    assert list(tmp_path.iterdir()) == []
    export.write(whole, tmp_path / "interview.emer.srt")
    export.write(whole, tmp_path / "elsewhere" / "interview.srt")


def test_an_unknown_suffix_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"x\.docx has no suffix to export to; use \.TextGrid"):
        export.write(sample.explanation(), tmp_path / "x.docx")
    assert list(tmp_path.iterdir()) == []
