"""Embeddings of explanations from a language model in a local folder; nothing is ever fetched.

    encoder = Encoder.load("models/all-MiniLM-L6-v2")
    encoder.sentences(["The voice trembles."])       # one vector a text: the mean over its tokens

Any encoder that `transformers` reads will do: BERT, RoBERTa, a sentence transformer's own folder. Sentence vectors are
means over tokens of the last layer (Reimers & Gurevych 2019, "Sentence-BERT", EMNLP); tokens are matched as in
BERTScore (Zhang et al. 2020), whose published numbers use a layer chosen for each model: give its number as `layer`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from emer.errors import ConfigError, MissingExtra
from emer.metrics.explanations import Match, greedy_match

LONGEST = 512
"""Tokens that are read at most; few encoders know more places."""
BATCH = 16


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """A model that reads text, with its tokeniser."""

    name: str
    """Of its folder, and the beginning of the hash of its configuration: what a score names."""
    model: Any
    tokeniser: Any
    layer: int = -1
    """Which layer's tokens are matched; -1 is the last one."""

    @classmethod
    def load(cls, folder: str | Path, layer: int = -1) -> "Encoder":
        """The model in a folder, on the CPU.

        Raises ConfigError when it holds none, MissingExtra when transformers is not installed.
        """
        path = Path(folder)
        if not (path / "config.json").is_file():
            raise ConfigError(f"{path} holds no model: there is no config.json; name the folder of a text encoder")
        import emer.torchvision_ops  # noqa: F401  before transformers, which may import torchvision

        try:
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise MissingExtra("similarity by embeddings needs transformers: pip install 'emer[asr]'") from error
        try:
            tokeniser = AutoTokenizer.from_pretrained(path, local_files_only=True)
            model = AutoModel.from_pretrained(path, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path} cannot be read as a text encoder: {' '.join(str(error).split())}") from error
        known = sha256((path / "config.json").read_bytes()).hexdigest()[:8]
        return cls(f"{path.name} ({known})", model.eval(), tokeniser, layer)

    def sentences(self, texts: Sequence[str]) -> Float32[np.ndarray, "text dimension"]:
        """One vector for each text."""
        found = []
        for begin in range(0, len(texts), BATCH):
            hidden, mask = self._run(texts[begin : begin + BATCH], -1)
            weight = mask[..., None].astype(np.float32)
            found.append((hidden * weight).sum(axis=1) / weight.sum(axis=1))
        return np.concatenate(found).astype(np.float32)

    def matches(self, texts: Sequence[str], references: Sequence[str]) -> list[Match]:
        """Each text's tokens against its reference's; no text may be empty."""
        return [self._match(text, reference) for text, reference in zip(texts, references, strict=True)]

    def _match(self, text: str, reference: str) -> Match:
        hidden, mask = self._run([text, reference], self.layer)
        ours, theirs = (hidden[i][mask[i]] for i in (0, 1))
        counted = [self._counted(each) for each in (text, reference)]
        return greedy_match(ours, theirs, (counted[0], counted[1]))

    @property
    def longest(self) -> int:
        """Tokens of a text that are read; the rest is cut off."""
        places = getattr(self.model.config, "max_position_embeddings", LONGEST)
        return min(LONGEST, int(self.tokeniser.model_max_length), int(places))

    def _counted(self, text: str) -> list[bool]:
        """Which tokens are the text's own, and not marks that the model wants at its ends."""
        given = self.tokeniser(text, truncation=True, max_length=self.longest, return_special_tokens_mask=True)
        return [not special for special in given["special_tokens_mask"]]

    def _run(self, texts: Sequence[str], layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Vectors (text, token, dimension) of a layer, and which tokens are there (text, token)."""
        import torch

        given = self.tokeniser(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self.longest,
            return_tensors="pt",
            padding_side="right",
        )
        with torch.inference_mode():
            hidden = self.model(**given, output_hidden_states=True).hidden_states
        if not -len(hidden) <= layer < len(hidden):
            raise ConfigError(f"{self.name} has layers 0 to {len(hidden) - 1}; layer {layer} is none of them")
        return hidden[layer].float().numpy(), given["attention_mask"].numpy().astype(bool)
