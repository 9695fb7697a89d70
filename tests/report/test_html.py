"""The page as text: one file, nothing loaded, everything from the clip escaped. Read with Python's own HTML parser."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import sample

from emer.report import html
from emer.report.page import MOST_CLUES
from emer.types import Clue, Emotion, Explanation, Failure, Notice, Provenance, Statement, Track, Transcript, Utterance

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'--><b>&amp;\u2028{{ 7*7 }}"


class Page(HTMLParser):
    """Elements with their attributes, and the text of scripts, styles and all the rest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {}
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.inside.setdefault(tag, []).append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] in ("script", "style") and self.cdata_elem:
            self.inside[self.elements[-1][0]][-1] += data
        else:
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def policy(self) -> str:
        return next(str(meta["content"]) for meta in self.all("meta") if meta.get("http-equiv"))

    @property
    def data(self) -> dict[str, object]:
        return json.loads(self.inside["script"][0])


def nasty() -> Explanation:
    """The sample with an attack wherever text can come from a clip, a file name or a model."""
    whole = sample.explanation()
    clues = tuple(replace(c, text=NASTY, quality=NASTY, reference=NASTY, kind=NASTY, unit=NASTY) for c in whole.clues)
    return replace(
        whole,
        clip=sample.clip("/tmp/" + NASTY.replace("/", "") + ".mp4"),
        clues=clues,
        transcript=Transcript(NASTY, NASTY, NASTY, (Utterance(NASTY, 1.0, 2.0),), sample.words()),
        emotions=(Emotion(NASTY, NASTY),),
        explanation=NASTY,
        statements=(Statement(NASTY, ("a1",), "grounded"),),
        opinions={NASTY: replace(whole.fused, labels=tuple(f"{NASTY}{i}" for i in range(8)))},
        warnings=(Notice(NASTY, NASTY),),
        failed=(Failure(NASTY, NASTY),),
        provenance=Provenance(NASTY, NASTY, NASTY, NASTY),
        tracks=(Track(NASTY, "audio", NASTY, 0.0, 0.1, (1.0, None, 2.0)),),
    )


def test_nothing_is_loaded_from_anywhere() -> None:
    page = Page(html.render(sample.trained()))
    for _tag, attributes in page.elements:
        for name in ("src", "href", "data", "action", "srcset", "poster", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in page.inside["style"][0]
    assert not re.search(r"url\((?!#)", page.inside["style"][0])


def test_the_policy_forbids_all_but_this_very_style_and_script() -> None:
    page = Page(html.render(sample.explanation()))
    assert "default-src 'none'" in page.policy
    assert "unsafe" not in page.policy
    assert "http" not in page.policy
    for kind, text in (("script", page.inside["script"][1]), ("style", page.inside["style"][0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in page.policy


def test_hostile_text_stays_text() -> None:
    plain, attacked = Page(html.render(sample.explanation())), Page(html.render(nasty()))
    assert len(attacked.all("script")) == len(plain.all("script")) == 2
    assert not attacked.all("b")
    assert not any("onerror" in attributes for _, attributes in attacked.elements)
    assert "{{ 7*7 }}" in attacked.words
    assert attacked.data["utterances"] == [[1.0, 2.0, NASTY]]
    assert attacked.inside["script"][1] == plain.inside["script"][1]


def test_odd_characters_do_not_stop_the_page(tmp_path: Path) -> None:
    html.write(replace(sample.explanation(), explanation="a\x00b \ud800 \u202e c"), tmp_path / "r.html")
    assert "a" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_the_page_says_what_was_found_and_how_sure_it_is() -> None:
    words = " ".join(Page(html.render(sample.explanation())).words.split())
    for said in (
        "no calibrated confidence: untrained",
        "conflict not measured: no two trained views",
        "hint, untrained",
        "No face from 8.0 s to 9.1 s.",
        "transcript gave nothing: no model was named",
        "3 of 6 sentences are borne out by the clues (1 contradicted, 1 unsupported, 1 uncheckable).",
        "this is a self-test, not a result",
        "only 0.6 s of it voiced",
        "not a reading of anyone's mind",
        "afraid, insecure",
        "uncertainty 0.81",
    ):
        assert said in words
    assert words.count("hint, untrained") == 3


def test_a_trained_page_shows_confidence_conflict_and_provenance() -> None:
    words = " ".join(Page(html.render(sample.trained())).words.split())
    for said in (
        "confidence 0.41, calibrated on RAVDESS speech, actors 15-16 (n = 120, voice + face)",
        "strong conflict 0.48 between voice and face",
        "not trusted: unlike the clips of training or calibration",
        "out of domain",
        "no opinion",
        "emer-weights 0.1, CC BY-NC-SA 4.0",
        "fearful 0.41",
    ):
        assert said in words
    assert "hint, untrained" not in words
    assert "untrained" not in words


def test_bars_have_the_lengths_of_belief_and_uncertainty() -> None:
    text = html.render(replace(sample.explanation(), opinions={"audio": sample.opinion(8, 0, 0, 0, 0, 24, 0, 0)}))
    # by hand: S = 8 + 24 + 8 = 40: belief .2 and .6, uncertainty .2
    bar = text.split("<h3>voice")[1].split("</svg>")[0]
    assert re.findall(r'class="(\w+)[^"]*" x="([\d.]+)%" width="([\d.]+)%"', bar) == [
        ("belief", "0.00", "20.00"),
        ("belief", "20.00", "60.00"),
        ("uncertainty", "80.00", "20.00"),
    ]


def test_a_multi_label_opinion_is_one_bar_a_label() -> None:
    page = Page(html.render(replace(sample.explanation(), opinions={"verdict": sample.multi_label()})))
    bars = [svg["aria-label"] for svg in page.all("svg") if svg.get("class") == "bar"]
    assert "happy 0.60, not happy 0.20, uncertain 0.20" in bars


def test_every_citation_of_a_clue_leads_to_its_row_and_others_lead_nowhere() -> None:
    whole = replace(sample.explanation(), explanation="Up [a3], [t1, t2] and [v99].", statements=())
    page = Page(html.render(whole))
    links = [link["href"] for link in page.all("a")]
    assert links[:3] == ["#clue-a3", "#clue-t1", "#clue-t2"]
    assert "#clue-v99" not in links
    ids = {item.get("id") for item in page.all("li")}
    assert {"clue-a3", "clue-t1", "clue-t2"} <= ids


def test_statements_that_are_not_in_the_text_are_shown_with_their_citations() -> None:
    whole = replace(
        sample.explanation(),
        explanation="Other words.",
        statements=(Statement("The voice rises.", ("a3",), "grounded"),),
    )
    page = Page(html.render(replace(whole, segments=None)))
    assert "The voice rises." in page.words
    assert [link["data-clue"] for link in page.all("a")] == ["a3"]


def long_explanation() -> Explanation:
    """An hour with every curve at its most points, 4,000 clues, 900 utterances of ten words."""
    whole = sample.explanation()
    clip = replace(whole.clip, end=3600.0, duration=3600.0)
    tracks = tuple(replace(t, step=1.8, values=(t.values * 20)[:2000]) for t in whole.tracks * 2)
    clues = tuple(
        Clue(
            f"a{i + 1}",
            "audio",
            "pitch_rise",
            "voice 4.1 semitones above this clip's median",
            i * 0.9,
            i * 0.9 + 0.5,
            4.1,
            "semitones",
            "-",
        )
        for i in range(4000)
    )
    utterances = tuple(
        Utterance("these are just ten words that somebody says in it", i * 4.0, i * 4.0 + 3) for i in range(900)
    )
    parts = tuple(
        replace(
            p,
            clip=replace(clip, start=u.start, end=u.end, duration=3.0),
            clues=(),
            transcript=Transcript(u.text, "x", "en"),
        )
        for p, u in zip(whole.segments * 300, utterances, strict=True)
    )
    transcript = Transcript(" ".join(u.text for u in utterances), "x", "en", utterances, sample.words() * 600)
    return replace(whole, clip=clip, tracks=tracks, clues=clues, segments=parts, transcript=transcript)


@pytest.mark.parametrize("whole", [sample.trained(), long_explanation()], ids=["short", "an hour"])
def test_the_page_is_under_600_kilobytes_besides_the_clip(whole: Explanation) -> None:
    assert len(html.render(whole).encode()) < 600_000


def test_an_hour_s_page_says_what_it_leaves_out() -> None:
    page = Page(html.render(long_explanation()))
    assert f"and {4000 - MOST_CLUES} more" in page.words
    assert "and 800 more, all of them on the timeline" in page.words
    assert len([i for i in page.all("li") if i.get("class") == "clue a"]) == MOST_CLUES


def test_the_clues_that_are_kept_lie_all_over_the_clip() -> None:
    """Also where a sentence refers to the whole list: the first 300 would leave the second half of the hour bare."""
    whole = long_explanation()
    rest = Statement("All can be read in the list [a1]–[a4000].", tuple(f"a{i + 1}" for i in range(4000)), "grounded")
    page = Page(html.render(replace(whole, statements=(*whole.statements, rest), explanation="")))
    starts = [float(str(item["data-start"])) for item in page.all("li") if item.get("class") == "clue a"]
    assert len(starts) == MOST_CLUES
    quarters = [sum(q * 900 <= start < (q + 1) * 900 for start in starts) for q in range(4)]
    assert min(quarters) > MOST_CLUES / 5


def test_numbers_that_are_not_finite_become_gaps() -> None:
    track = Track("pitch", "audio", "Hz", 0.0, 0.1, (1.0, float("nan"), float("inf"), None, 123.456789))
    page = Page(html.render(replace(sample.explanation(), tracks=(track,))))
    (curve,) = page.data["tracks"]  # type: ignore[misc]
    assert curve["values"] == [1.0, None, None, None, 123.5]


# ---------------------------------------------------------------- the clip


def test_a_small_clip_is_inside_the_page_unchanged(tmp_path: Path) -> None:
    (tmp_path / "c.mp4").write_bytes(bytes(range(256)))
    (video,) = Page(html.render(sample.explanation(), tmp_path / "c.mp4")).all("video")
    assert str(video["src"]).startswith("data:video/mp4;base64,")
    assert base64.b64decode(str(video["src"]).split(",")[1]) == bytes(range(256))


def test_a_large_clip_is_linked_from_where_the_report_lies(tmp_path: Path) -> None:
    clip = tmp_path / "clips" / "a b#1%.mp4"
    clip.parent.mkdir()
    clip.write_bytes(bytes(100))
    page = Page(html.render(sample.explanation(), clip, beside=tmp_path / "out" / "r.html", limit=99))
    (video,) = page.all("video")
    assert video["src"] == "./../clips/a%20b%231%25.mp4"
    assert "is not inside this page but linked" in page.words
    assert "media-src 'self' file:" in page.policy


@pytest.mark.parametrize(
    ("name", "tag"), [("s.wav", "audio"), ("s.FLAC", "audio"), ("p.png", "img"), ("v.mkv", "video")]
)
def test_sound_pictures_and_videos_have_their_own_player(tmp_path: Path, name: str, tag: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    page = Page(html.render(sample.explanation(), tmp_path / name))
    assert [t for t in ("video", "audio", "img") if page.all(t)] == [tag]


def test_a_clip_that_is_gone_leaves_a_note(tmp_path: Path) -> None:
    page = Page(html.render(sample.explanation(), tmp_path / "gone.mp4"))
    assert "The clip could not be read (No such file or directory)" in page.words
    assert not page.all("video")


def test_a_picture_has_no_timeline(tmp_path: Path) -> None:
    whole = sample.explanation(with_segments=False)
    still = replace(whole, clip=replace(whole.clip, end=0.0, duration=0.0), transcript=None, clues=())
    page = Page(html.render(still))
    assert not [div for div in page.all("div") if div.get("id") == "timeline"]
    assert "No clue was found in this clip." in page.words
    (tmp_path / "p.png").write_bytes(b"x")
    page = Page(html.render(sample.explanation(), tmp_path / "p.png"))
    assert not [div for div in page.all("div") if div.get("id") == "timeline"]


def test_a_report_is_written_whole(tmp_path: Path) -> None:
    html.write(sample.explanation(), tmp_path / "new" / "r.html")
    assert (tmp_path / "new" / "r.html").read_text(encoding="utf-8") == html.render(sample.explanation())
