"""Similarity by a model in a local folder: a tiny one with random numbers, against BERTScore's own code."""

import json
from pathlib import Path

import numpy as np
import pytest

from emer.emotions.wheel_nearest import LEAST
from emer.errors import ConfigError
from emer.score.embedding import Encoder
from emer.score.explanations import embedding_metric, token_metric
from emer.score.options import Options
from emer.score.result import Column
from emer.score.scoring import score, score_by

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "voice", "trembles", "she", "smiles", "and", ".", "looks"]
TEXTS = ["the voice trembles and she looks .", "she smiles ."]
REFERENCES = ["she looks and the voice trembles", "the voice smiles and smiles ."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers that knows twelve words; its weights are drawn with a fixed seed."""
    transformers, torch = pytest.importorskip("transformers"), pytest.importorskip("torch")
    path = tmp_path_factory.mktemp("encoder") / "tiny"
    path.mkdir()
    (path / "vocab.txt").write_text("\n".join(WORDS))
    (path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True}))
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.BertConfig(vocab_size=len(WORDS), max_position_embeddings=64, **sizes)
    transformers.BertModel(config).save_pretrained(path)
    transformers.BertTokenizerFast(vocab_file=str(path / "vocab.txt"), model_max_length=64).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return Encoder.load(folder)


def test_tokens_are_matched_as_in_bertscore(folder: Path, encoder: Encoder) -> None:
    oracle = pytest.importorskip("bert_score")
    precision, recall, f1 = oracle.score(TEXTS, REFERENCES, model_type=str(folder), num_layers=2, idf=False)
    ours = encoder.matches(TEXTS, REFERENCES)
    assert [m.precision for m in ours] == pytest.approx(precision.tolist(), abs=1e-5)
    assert [m.recall for m in ours] == pytest.approx(recall.tolist(), abs=1e-5)
    assert [m.f1 for m in ours] == pytest.approx(f1.tolist(), abs=1e-5)


def test_the_marks_at_both_ends_do_not_count(encoder: Encoder) -> None:
    """Worked with numpy from the model's own states: rows 1 to -1 are the words."""
    torch = pytest.importorskip("torch")

    def states(text: str) -> np.ndarray:
        with torch.inference_mode():
            found = encoder.model(**encoder.tokeniser(text, return_tensors="pt")).last_hidden_state[0].numpy()
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    cosines = states(TEXTS[0]) @ states(REFERENCES[0]).T
    (match,) = encoder.matches(TEXTS[:1], REFERENCES[:1])
    assert match.precision == pytest.approx(cosines.max(axis=1)[1:-1].mean(), abs=1e-5)
    assert match.recall == pytest.approx(cosines.max(axis=0)[1:-1].mean(), abs=1e-5)


def test_a_sentence_is_the_mean_of_its_tokens_whatever_it_is_padded_with(encoder: Encoder) -> None:
    alone, together = encoder.sentences(TEXTS[1:]), encoder.sentences(TEXTS)[1:]
    assert alone == pytest.approx(together, abs=1e-5)


def test_a_text_that_is_too_long_is_cut_to_what_the_model_can_read(encoder: Encoder) -> None:
    long = " ".join(["voice"] * 500)
    assert encoder.longest == 64
    assert encoder.sentences([long]).shape == (1, 16)
    assert encoder.matches([long], [long])[0].f1 == pytest.approx(1.0)


def test_both_similarities_are_scores_with_floors_and_name_the_model(encoder: Encoder) -> None:
    names = ["a", "b"]
    said = Column("answers", names, [(), ()], texts=[TEXTS[0], ""])
    gold = Column("gold", names, [(), ()], texts=[TEXTS[0], REFERENCES[1]])
    for metric in (embedding_metric(encoder), token_metric(encoder)):
        found = score_by(metric, "similarity", said, gold)
        assert found.score == pytest.approx(0.5, abs=1e-5)  # one is its reference, one is empty
        assert encoder.name in found.detail["compares"]
        assert set(found.floors) > {"another clip's reference"}
    assert encoder.name.startswith("tiny (")


def test_a_layer_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="has layers 0 to 2; layer 7 is none of them"):
        Encoder.load(folder, layer=7).matches(TEXTS, REFERENCES)


def test_a_folder_without_a_model_is_refused_and_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no model: there is no config\.json"):
        Encoder.load("bert-base-uncased")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="cannot be read as a text encoder"):
        Encoder.load(tmp_path)


def test_unknown_words_count_as_their_nearest_known_word_and_the_score_says_so(folder: Path) -> None:
    """`trembles` stands in no table; the encoder knows it and no emotion word, so all emotion words are as near."""
    gold = Column("gold", ["a", "b"], [["happy"], ["sad"]])
    said = Column("said", ["a", "b"], [["trembles"], ["sad"]])
    plain = score("wheel_f1", said, gold, Options(bootstrap=0))
    found = score("wheel_f1", said, gold, Options(bootstrap=0, nearest=str(folder)))
    assert plain.unknown_share == 0.5
    assert plain.tables is not None
    assert found.tables is not None
    assert found.tables.name.startswith(f"{plain.tables.name}, unknown words by tiny (")
    assert found.tables.sha256 == plain.tables.sha256
    assert any("no published score is made so" in note for note in found.detail["notes"])
    near = encoder_cosine(folder, "trembles", "[UNK]")
    assert found.unknown_share == (0.0 if near >= LEAST else 0.5)


def encoder_cosine(folder: Path, *words: str) -> float:
    a, b = Encoder.load(folder).sentences(words).astype(float)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))
