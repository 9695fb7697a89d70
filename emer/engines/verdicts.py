"""A model's verdict beside the opinions of trained heads: which of them are fused, and what calibration holds.

Opinions can be fused only over one label set and in one form. Where the heads speak in another one than the verdict,
the verdict stands alone, and they are shown beside it. The opinions of the model with one modality alone are shown and
enter the conflict, but are never fused: they would count the model several times.
"""

from collections.abc import Mapping

from emer.evidence.conflict import conflict
from emer.types import MODALITIES, VERDICT, Conflict, Modality, Notice, Opinion

FORM = ("label_set", "labels", "kind", "prior_weight", "base_rate")
ALONE: Mapping[Modality, str] = {modality: f"model_{modality}" for modality in MODALITIES}
"""The view of a model that is given one modality alone."""


def fusable(opinions: Mapping[str, Opinion]) -> tuple[dict[str, Opinion], tuple[Notice, ...]]:
    """The opinions that are fused, and a notice that names trained views that are not.

    Without a verdict all of them are.
    """
    verdict = opinions.get(VERDICT)
    if verdict is None:
        return dict(opinions), ()
    whole = {view: opinion for view, opinion in opinions.items() if view not in ALONE.values()}
    like = {view: opinion for view, opinion in whole.items() if _form(opinion) == _form(verdict)}
    others = [view for view, opinion in whole.items() if view not in like and opinion.trained and opinion.present]
    if not others:
        return like, ()
    told = (
        f"the model's verdict is {_told(verdict)}, and the trained heads say {_told(whole[others[0]])} "
        f"({', '.join(others)}): they are shown and not fused with it"
    )
    return like, (Notice("not_fused", told),)


def conflict_among(opinions: Mapping[str, Opinion]) -> Conflict:
    """The conflict between views of one form. The verdict, which reads all that the others read, is no side of it."""
    verdict = opinions.get(VERDICT)
    if verdict is None:
        return conflict(opinions)
    sides = {view: opinion for view, opinion in opinions.items() if view != VERDICT}
    alike = {view: opinion for view, opinion in sides.items() if _form(opinion) == _form(verdict)}
    return conflict(alike)


def _form(opinion: Opinion) -> tuple[object, ...]:
    return tuple(getattr(opinion, field) for field in FORM)


def _told(opinion: Opinion) -> str:
    return f"a {opinion.kind} opinion over {opinion.label_set} with prior weight {opinion.prior_weight:g}"
