"""From what a model replied to all questions about one request to one answer. Loads torch."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from emer.engines.generation import Written
from emer.engines.label_confidence import SAMPLED, TOKEN, VERBALISED, merged, percentages, sampled_scores, token_scores
from emer.engines.model_answers import answer_of, labels_of, listed
from emer.engines.model_requests import modalities
from emer.engines.transformers_engine import Transformers
from emer.engines.tuned import Tuned
from emer.engines.verdicts import ALONE
from emer.prompts import Prompt, prompt
from emer.types import Answer, Emotion, Modality, Notice, Request

TEXT, VERDICT, AGAIN, SAMPLE = "text", "verdict", "again", "sample"
"""Names of questions; those for samples have a number behind."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model wrote to one question, and what it was not given of the clip."""

    written: Written
    notices: tuple[Notice, ...]


Given = Mapping[str, Reply]
"""Question to the reply to it, of one request."""


def about_labels(question: str) -> bool:
    """Whether a question is about the labels of an answer that stands without it."""
    return question in (AGAIN, VERBALISED) or question.startswith(SAMPLE)


def second_list(given: Given) -> str | None:
    """What the model wrote when it was asked for its labels once more; None where it was not."""
    return given[AGAIN].written.text if AGAIN in given else None


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the answers of one engine and its loaded model."""

    engine: Transformers
    tuned: Tuned

    def whole(self, request: Request, given: Given) -> Answer:
        """Text, labels, statements, verdict, and how sure the model is of its labels by the ways that were asked."""
        engine = self.engine
        asked = None if request.messages else prompt(engine.prompt_name, engine.language_of(request))
        answer = answer_of(request, given[TEXT].written.text, second_list(given), self.tuned.cluster)
        judged = self.judged(request, {VERDICT: given[TEXT], **given})
        alone = {view: self.tuned.opinion(given[view].written.logits) for view in ALONE.values() if view in given}
        scores = self._scores(answer, given)
        return replace(
            judged,
            text=answer.text,
            labels=answer.labels,
            statements=answer.statements,
            alone={view: opinion for view, opinion in alone.items() if opinion is not None},
            scores=merged([label.label for label in answer.labels], list(scores.values())),
            prompt=None if asked is None else asked.record,
            warnings=(*judged.warnings, *answer.warnings, *_mute(answer, scores)),
            usage=usage(given.values()),
        )

    def judged(self, request: Request, given: Given) -> Answer:
        """What the pass over the prompt gives: the verdict, what it was read from, and what the reader should know."""
        engine = self.engine
        asked = None if request.messages else prompt(engine.verdict_prompt, engine.language_of(request))
        replies = [reply for name, reply in given.items() if not about_labels(name)]
        notices = dict.fromkeys(notice for reply in replies for notice in reply.notices)
        return Answer(
            "",
            verdict=self.tuned.opinion(given[VERDICT].written.logits),
            shown=self._shown(request),
            behind=None if asked is None else asked.record,
            prompt=None if asked is None else asked.record,
            warnings=(*notices, *self._other_prompt(asked)),
            usage=usage(given.values()),
        )

    def _shown(self, request: Request) -> tuple[Modality, ...]:
        """What of a clip the model is given, as media, clues or words; nobody knows of a caller's own messages."""
        if request.messages:
            return ()
        return modalities(request, media=self.tuned.streams)

    def _scores(self, answer: Answer, given: Given) -> dict[str, dict[str, dict[str, float]]]:
        """Way to label to numbers, for the ways that were asked for."""
        wanted, labels = self.engine.label_confidence, [label.label for label in answer.labels]
        found: dict[str, dict[str, dict[str, float]]] = {}
        if TOKEN in wanted:
            again = second_list(given)
            wrote = given[AGAIN if again is not None and listed(again) is not None else TEXT].written
            found[TOKEN] = token_scores(wrote.text, wrote.pieces, labels)
        if SAMPLED in wanted:
            drawn = [labels_of(reply.written.text) for name, reply in given.items() if name.startswith(SAMPLE)]
            samples = [[Emotion(label, self.tuned.cluster(label)) for label in each] for each in drawn]
            found[SAMPLED] = {label: {SAMPLED: p} for label, p in sampled_scores(answer.labels, samples).items()}
        if VERBALISED in wanted:
            told = percentages(given[VERBALISED].written.text, len(labels)) if VERBALISED in given else None
            found[VERBALISED] = {
                label: {VERBALISED: p} for label, p in zip(labels, told or (), strict=told is not None)
            }
        return found

    def _other_prompt(self, behind: Prompt | None) -> Iterator[Notice]:
        """That the verdict is read behind another prompt than the one that it was trained behind."""
        record = self.tuned.record
        if record is None or record.verdict is None or record.prompt is None:
            return
        if behind is None or behind.sha256 != record.prompt.sha256:
            read = "messages of its own" if behind is None else f"{behind.record.name} ({behind.sha256[:8]}…)"
            told = f"{record.prompt.name} ({record.prompt.sha256[:8]}…)"
            yield Notice("other_prompt", f"the verdict was trained behind the prompt {told} and is read behind {read}")


def _mute(answer: Answer, scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[Notice]:
    """That a way of asking gave no number for any label."""
    mute = [way for way, found in scores.items() if answer.labels and not found]
    if mute:
        yield Notice("label_confidence", f"how sure the model is of its labels could not be had by {', '.join(mute)}")


def usage(replies: Iterable[Reply]) -> dict[str, float]:
    """Tokens and seconds of all questions about one request."""
    written = [reply.written for reply in replies]
    return {
        "prompt_tokens": float(sum(each.prompt_tokens for each in written)),
        "new_tokens": float(sum(each.new_tokens for each in written)),
        "seconds": sum(each.seconds for each in written),
    }
