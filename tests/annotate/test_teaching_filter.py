"""What may be learned from: sentences and labels, by hand-made clues whose truth is plain."""

from emer.annotate.filtering import filtered, together
from emer.annotate.lessons import Draft
from emer.types import Clue

MEDIAN = "this clip's median"
CLUES = (
    Clue("a1", "audio", "pitch_rise", f"voice 4.1 semitones above {MEDIAN}", 1.0, 1.5, 4.1, "semitones", MEDIAN),
    Clue("v1", "visual", "lip_corner_pull", "lip corners pulled up by 9.4 % of the inter-ocular distance from this "
         "face's neutral", 0.5, 2.0, 9.4, "inter-ocular %", "this face's neutral in this clip"),
)  # fmt: skip
GOOD = "The pitch rises by 4.1 semitones [a1]. The face smiles [v1]."
END = "Taken together, this would fit someone who is happy."


def test_a_draft_that_the_clues_bear_out_is_kept_whole() -> None:
    found = filtered(Draft(f"{GOOD}\n\n{END}", ("happy",)), CLUES, gold=["happy"])
    assert found.reason is None
    assert found.explanation == f"{GOOD}\n\n{END}"
    assert (found.claims, found.grounded, found.dropped) == (2, 1.0, ())


def test_contradicted_and_unsupported_sentences_go_and_the_others_stay() -> None:
    text = f"{GOOD} The pitch falls by 4.1 semitones [a1]. The voice trembles [a7]. It was so.\n\n{END}"
    found = filtered(Draft(text, ("happy",)), CLUES, least_grounded=0.5)
    assert found.reason is None
    assert found.explanation == f"{GOOD} It was so.\n\n{END}"
    assert [one.why for one in found.dropped] == ["contradicted", "unsupported"]
    assert (found.claims, found.grounded) == (4, 0.5)


def test_a_draft_with_too_few_grounded_claims_is_refused_as_a_whole() -> None:
    text = f"{GOOD} The pitch falls by 4.1 semitones [a1].\n\n{END}"
    assert filtered(Draft(text, ("happy",)), CLUES, least_grounded=0.6).reason is None
    found = filtered(Draft(text, ("happy",)), CLUES, least_grounded=0.7)
    assert found.reason == "few_grounded"
    assert found.told == "the clues bear out 67% of its claims, and 70% are wanted"
    assert filtered(Draft(END, ("happy",)), CLUES).reason == "no_claim"


def test_a_draft_without_text_or_labels_is_refused() -> None:
    assert filtered(Draft("", ("happy",), strayed="there is no explanation"), CLUES).reason == "no_explanation"
    assert filtered(Draft(GOOD), CLUES).reason == "no_label"


def test_labels_that_were_told_are_no_evidence() -> None:
    text = f"{GOOD} The annotators say so. The happy voice rises [a1]. 正如标注所说。\n\n{END}"
    found = filtered(Draft(text, ("happy",)), CLUES, gold=["happy"], least_grounded=0.0)
    assert [one.why for one in found.dropped] == ["echo"] * 3
    assert found.explanation == f"{GOOD}\n\n{END}"


def test_nothing_is_left_where_every_claim_begs_the_question() -> None:
    found = filtered(Draft("The happy voice rises [a1].", ("happy",)), CLUES, gold=["happy"], least_grounded=0.0)
    assert found.reason == "no_claim_left"


def test_labels_of_another_emotion_than_peoples_are_refused() -> None:
    draft = Draft(GOOD, ("relieved",))
    assert filtered(draft, CLUES, gold=["calm"]).reason is None, "relief belongs to calm in emer's own table"
    found = filtered(draft, CLUES, gold=["angry"])
    assert (found.reason, found.told) == ("other_emotion", "the draft says relieved, people say angry")
    assert found.labels == ("relieved",)
    assert filtered(Draft(GOOD, ("angry", "relieved")), CLUES, gold=["angry"]).reason == "other_emotion"


def test_words_that_no_table_knows_are_not_guessed() -> None:
    assert filtered(Draft(GOOD, ("zorp",)), CLUES, gold=["angry"]).reason == "unknown_labels"
    assert filtered(Draft(GOOD, ("angry",)), CLUES, gold=["zorp"]).reason == "unknown_gold"
    assert filtered(Draft(GOOD, ("zorp",)), CLUES, gold=["Zorp"]).reason is None
    assert filtered(Draft(GOOD, ("zorp",)), CLUES).reason is None
    assert filtered(Draft(GOOD, ("zorp", "angry")), CLUES, gold=["angry"]).labels == ("angry", "zorp")


def test_a_text_that_speaks_of_another_emotion_than_its_labels_is_refused() -> None:
    text = f"{GOOD}\n\nTaken together, she is furious."
    assert filtered(Draft(text, ("happy",)), CLUES).reason == "text_disagrees"
    assert filtered(Draft(text, ("happy",)), CLUES, gold=["happy"]).reason == "text_disagrees"
    assert filtered(Draft(text, ("irritated",)), CLUES).reason is None


def test_what_people_said_comes_first_and_forms_of_a_word_are_one() -> None:
    assert together(["afraid", "fearful", "worried"], ["fearful"]) == ("fearful", "worried"), "one family of words"
    assert together(["happily"], ["Happy"]) == ("Happy",)


def test_chinese_sentences_are_filtered_by_their_citations_and_numbers() -> None:
    text = "音高上升了4.1个半音[a1]。音高上升了9.9个半音[a1]。她的愤怒的声音变高[a1]。嘴角上扬[v7]。"
    text += "\n\n综合来看，她很高兴。"
    found = filtered(Draft(text, ("高兴",)), CLUES, gold=["愤怒", "高兴"], least_grounded=0.0)
    assert [one.why for one in found.dropped] == ["contradicted", "echo", "unsupported"]
    assert found.explanation == "音高上升了 4.1 个半音[a1]。\n\n综合来看，她很高兴。"


def test_chinese_that_the_check_cannot_read_is_neither_for_nor_against_a_draft() -> None:
    assert filtered(Draft("她的嘴角上扬[v1]，显得很高兴。", ("高兴",)), CLUES).reason is None
    assert filtered(Draft("她的嘴角上扬，显得很高兴。", ("高兴",)), CLUES).reason == "no_claim"
    wrong = "她的嘴角上扬[v1]。音高上升了 9.9 个半音[a1]。"
    assert filtered(Draft(wrong, ("高兴",)), CLUES).reason == "few_grounded"
