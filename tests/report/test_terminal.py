"""What people read in a terminal, and what programs get through a pipe."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sample
from rich.cells import cell_len

from emer.report import terminal
from emer.types import Emotion, Explanation, Notice


class Screen(io.StringIO):
    """A terminal that remembers what was written to it."""

    def isatty(self) -> bool:
        return True


def shown(explanation: Explanation, file: io.StringIO | None = None, width: int = 80) -> str:
    file = file or io.StringIO()
    terminal.show(explanation, file, width)
    return file.getvalue()


@pytest.mark.parametrize("whole", [sample.explanation(), sample.trained()], ids=["untrained", "trained"])
@pytest.mark.parametrize("width", [80, 40])
def test_no_line_is_wider_than_asked(whole: Explanation, width: int) -> None:
    assert max(cell_len(line) for line in shown(whole, width=width).splitlines()) <= width


def test_everything_a_reader_needs_is_there() -> None:
    text = " ".join(shown(sample.explanation()).split())
    assert "worried, relieved, unsure" in text
    assert "[a3]" in text
    assert "[t1, t2]" in text
    assert "no calibrated confidence: untrained" in text
    assert "conflict not measured: no two trained views" in text
    assert text.count("(hint)") == 3
    assert "a hint comes from rules, untrained" in text
    assert "note: No face from 8.0 s to 9.1 s." in text
    assert "failed: transcript: no model was named" in text
    for clue in sample.CLUES:
        assert f"{clue.id} " in text
    assert "(only 0.6 s of it voiced)" in text


def test_uncertainty_is_the_one_of_subjective_logic() -> None:
    # by hand: voice evidence sums to 1.9, W = 8: u = 8 / 9.9 = .81; belief in fear .9 / 9.9 = .09
    line = next(line for line in shown(sample.explanation()).splitlines() if line.strip().startswith("voice "))
    assert "u 0.81  fearful 0.09" in line
    assert line.count("█") == round(20 * 0.19)


def test_a_trained_explanation_says_what_its_confidence_rests_on() -> None:
    text = " ".join(shown(sample.trained()).split())
    assert "confidence 0.41, calibrated on RAVDESS speech, actors 15-16 (n = 120, voice + face)" in text
    assert "not trusted: unlike the clips of training or calibration (out of domain)" in text
    assert "strong conflict 0.48 between voice and face" in text
    assert "words missing" in text


def test_a_model_that_names_another_emotion_than_its_evidence_gets_no_confidence_for_it() -> None:
    """Of the sample the fused opinion is strongest in fearful, by hand; the model is made to write angry or nothing."""
    angry = replace(sample.trained(), emotions=(Emotion("furious", "angry", 0.02),))
    text = " ".join(shown(angry).split())
    assert "furious confidence 0.41 in fearful, 0.02 in furious, calibrated on RAVDESS speech" in text
    silent = " ".join(shown(replace(sample.trained(), emotions=())).split())
    assert "no emotion named confidence 0.41 in fearful, calibrated on RAVDESS speech" in silent


def test_temperatures_that_turn_two_labels_round_are_followed() -> None:
    """A Beta opinion has a temperature a label: by the second label's own confidence it is the one that is meant,
    though the opinion itself is strongest in happy."""
    labels = (Emotion("glad", "happy", 0.3), Emotion("gloomy", "sad", 0.41))
    turned = replace(sample.trained(), fused=sample.multi_label(), emotions=labels)
    assert "confidence 0.41 in sad, 0.30 in glad, calibrated" in " ".join(shown(turned).split())


def test_trust_is_told_by_its_reason() -> None:
    below = replace(sample.trained(), out_of_domain=False)
    assert "below the trust threshold" in shown(below)
    text = " ".join(shown(replace(below, warnings=(Notice("no_threshold", "none was found"),))).split())
    assert "not trusted: calibration found no threshold" in text
    assert "below" not in text.split("Clues")[0]


def test_what_a_model_wrote_against_the_clues_is_counted_under_its_text() -> None:
    """By hand: of the sample's six sentences three are grounded. The composer's own are no result."""
    line = "3 of 6 sentences are borne out by the clues (1 contradicted, 1 unsupported, 1 uncheckable)."
    whole = sample.explanation()
    for engine, told in (("transformers", True), ("composer", False)):
        by = replace(whole, provenance=replace(whole.provenance, engine=engine))
        assert (line in " ".join(shown(by).split())) is told


def test_a_multi_label_opinion_has_one_bar_a_label() -> None:
    text = shown(replace(sample.explanation(), opinions={"verdict": sample.multi_label()}))
    assert "u 0.20  happy 0.60" in text  # by hand: 6 for, 2 against, W = 2
    assert "u 1.00" in text
    assert "not angry 0.75" in text  # 9 / (1 + 9 + 2)


def test_segments_are_one_line_each() -> None:
    lines = shown(sample.explanation()).splitlines()
    assert sum("u 0.80  “" in line for line in lines) == 3
    assert any("4.6–7.4 s  afraid, insecure" in line for line in lines)


def test_colour_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" not in shown(sample.explanation())
    assert "\x1b[34m" in shown(sample.explanation(), Screen())
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[34m" not in shown(sample.explanation(), Screen())


def test_escape_codes_in_a_transcript_do_not_reach_the_terminal() -> None:
    nasty = "\x1b[2J\x1b]0;owned\x07 \u202eevil \x9b31m"
    whole = sample.explanation()
    clue = replace(whole.clues[0], text=nasty, quality=nasty)
    whole = replace(whole, explanation=nasty, clues=(clue,), warnings=(Notice("x", nasty),), segments=None)
    text = shown(whole)
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
    assert "evil" in text


def test_square_brackets_are_not_markup() -> None:
    assert "[bold]x[/bold] :smile:" in shown(replace(sample.explanation(), explanation="[bold]x[/bold] :smile:"))


def test_many_clues_are_counted_and_the_cited_ones_kept() -> None:
    many = tuple(replace(sample.CLUES[0], id=f"a{i}", text=f"clue number {i}") for i in range(1, 500))
    statement = replace(sample.STATEMENTS[0], clue_ids=("a444",))
    text = shown(replace(sample.explanation(), clues=many, statements=(statement,)))
    assert "clue number 444" in text
    assert "and 459 more, all of them in --json" in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_locale_can_show_it(encoding: str, tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import sample; from emer.report.terminal import show; "
        "show(sample.explanation())"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent)],
        capture_output=True,
        env={"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": encoding, "PATH": "", "PYTHONUTF8": "0"},
        timeout=60,
    )
    assert run.returncode == 0, run.stderr.decode()
    assert "worried, relieved" in run.stdout.decode(encoding)
    assert ("太好了" in run.stdout.decode(encoding)) == (encoding == "utf-8")


def test_a_clip_with_nothing_in_it_is_still_shown() -> None:
    bare = replace(
        sample.explanation(),
        clues=(),
        emotions=(),
        statements=(),
        explanation="",
        segments=None,
        warnings=(),
        failed=(),
    )
    assert "no emotion named" in shown(bare)
    silent = shown(replace(bare, opinions={}, fused=sample.opinion(present=False)))
    assert "  fused    missing" in silent


def test_the_line_of_labels_at_the_end_of_an_answer_is_shown_once_as_labels() -> None:
    for line in ('Emotions: ["worried", "tense"]', '**Emotions:** ["worried", "tense"]', 'emotions: ["worried"].'):
        whole = replace(sample.explanation(), explanation=f"The voice rises [a3].\n{line}\n")
        assert "motions:" not in shown(whole)
    assert "The voice rises [a3]." in shown(whole)


def test_a_closed_standard_output_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """`emer explain clip.mp4 --html >&-`: Python has no standard output then, and print() says nothing."""
    monkeypatch.setattr("sys.stdout", None)
    terminal.show(sample.explanation())
