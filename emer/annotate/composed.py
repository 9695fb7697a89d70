"""The composer as a teacher: what it tells of each modality, then what this would fit, without any model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from emer.annotate.lessons import Draft, Lesson
from emer.emotions import cluster_of
from emer.engines.composer import Composer, clues_of, measured, reasons_of, told_of
from emer.engines.labels import labels
from emer.engines.together import Lean, emotions, shows
from emer.evidence.hints import affect
from emer.types import MODALITIES, Emotion, Request

NO_CLUE = "No single clue tells this apart from other states."


@dataclass(frozen=True, slots=True)
class ComposedTeacher:
    """Writes English. Where people gave labels, it concludes with a word for their cluster and the clues for that."""

    most: int = 4
    """Clues told per modality."""

    @property
    def at_once(self) -> int:
        return 1

    def drafts(self, lessons: Sequence[Lesson]) -> Iterator[Draft]:
        """One draft a lesson, in order."""
        for lesson in lessons:
            yield self.draft(lesson)

    def draft(self, lesson: Lesson) -> Draft:
        """The explanation of one clip. Without labels of people it takes the composer's own, which are hints."""
        request = lesson.request
        told = told_of(request, self.most)
        paragraphs = [" ".join(measured(request, told[modality])) for modality in MODALITIES]
        found = _labels(lesson)
        clusters = {emotion.cluster for emotion in found if emotion.cluster}
        why = reasons_of(request)
        shown = [
            Lean(modality, cluster, clue, belief=1.0)
            for modality in MODALITIES
            for cluster in sorted(clusters)
            if (clue := shows(told[modality].clues, cluster, why)) is not None
        ]
        last = [emotions(shown, found), *([] if shown or not found else [NO_CLUE])]
        text = "\n\n".join(filter(None, [*paragraphs, " ".join(last)]))
        return Draft(text, tuple(emotion.label for emotion in found))

    def record(self) -> Mapping[str, object]:
        return {"by": "composer"}


def _labels(lesson: Lesson) -> tuple[Emotion, ...]:
    """Words for what people said, near what was measured; a word without a cluster stands for itself."""
    if not lesson.gold:
        return _own(lesson.request)
    clusters = {label: cluster_of(label) for label in lesson.gold}
    alone = [Emotion(label) for label, cluster in clusters.items() if cluster is None]
    baseline = lesson.request.clues.baseline
    feeling = affect(lesson.request.clues.features, {"audio": baseline} if baseline else None)
    known = tuple(dict.fromkeys(cluster for cluster in clusters.values() if cluster is not None))
    return (*labels(known, feeling.valence, feeling.arousal, clues_of(lesson.request)), *alone)


def _own(request: Request) -> tuple[Emotion, ...]:
    return Composer().compose(request).labels
