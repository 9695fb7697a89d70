"""What one clip teaches, and what of it a model is shown in one step."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from emer.backbones.backbone import Batch
from emer.types import Annotation, Request, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One clip of the training data, measured, with what people say of it. Media are decoded when it is collated."""

    id: str
    request: Request
    annotation: Annotation
    """Labels or votes, an explanation, or both."""
    statements: tuple[Statement, ...] = ()
    """The explanation's sentences with the clues that each cites: a sentence goes with the clues that are not shown."""
    target: Float[np.ndarray, "label"] | None = None
    """Over the verdict's label set (`emer.evidence.verdict_labels.targets`); None where nobody's label reaches it."""
    speaker: str | None = None
    row: str = ""
    """The id by the clip's content (`emer.evidence.rows.clip_row`): calibration refuses clips that training saw."""

    @property
    def teaches_text(self) -> bool:
        """Whether there is an explanation; a clip with labels alone teaches the verdict alone."""
        return self.annotation.explanation is not None

    @property
    def teaches_verdict(self) -> bool:
        return self.target is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class JointBatch:
    """Examples as tensors. Rows that teach no text have no label ids above IGNORED; such that teach no verdict are not
    `known`. All of its tensors are always there, so that every process of a distributed run does the same work."""

    batch: Batch
    target: Float[Tensor, "batch label"]
    known: Bool[Tensor, "batch"]
    features: Mapping[str, Float[Tensor, "batch feature"]] = field(default_factory=dict)
    """View to its measured features, for the heads of the views; 0 where not measured."""
    measured: Mapping[str, Bool[Tensor, "batch feature"]] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Clips that could not be decoded now, and why: reported, never silently missing."""
    lengths: Int[Tensor, "batch"] | None = None
    """Tokens of each row, prompt and answer."""

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "JointBatch":
        """The same elsewhere; `dtype` is that of the model and is given to media alone."""
        return replace(
            self,
            batch=self.batch.to(device, dtype),
            target=self.target.to(device),
            known=self.known.to(device),
            features={view: each.to(device) for view, each in self.features.items()},
            measured={view: each.to(device) for view, each in self.measured.items()},
        )
