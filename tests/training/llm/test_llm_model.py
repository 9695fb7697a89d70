"""The loss of joint training: of text against transformers' own, of opinions against `emer.evidence`, by hand."""

from dataclasses import replace

import pytest
import torch
from joint_runs import CONFIG, SAID, asking, batch_of, tiny_backbone, tiny_joint

from emer.errors import ConfigError
from emer.evidence.heads import HeadSpec, MultiViewHeads, ViewInput
from emer.evidence.losses import digamma, two_sided
from emer.evidence.verdict import alpha, evidence, verdict_loss
from emer.training.llm.configuration import LoraSettings, VerdictSettings
from emer.training.llm.example import JointBatch
from emer.training.llm.joint_model import Counts, JointModel, counts_of, make_joint_model, warmed


def gradients(joint: JointModel) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in joint.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("family", ["text_clues", "qwen2_5_omni"])
def test_the_text_loss_is_the_mean_over_answer_tokens_that_transformers_itself_takes(family: str) -> None:
    """Oracle: transformers' causal loss on all logits, one row at a time, weighed by hand with the rows' tokens."""
    joint = tiny_joint(family=family).eval()
    batch = batch_of(joint, [0, 1, 2])
    with torch.no_grad():
        found = joint(batch, 0.0)
        total, tokens = 0.0, 0
        for i in range(3):
            one = batch_of(joint, [i]).batch
            assert one.labels is not None
            count = int((one.labels != -100).sum())
            total += count * float(joint.model(**one.inputs, labels=one.labels).loss)
            tokens += count
    assert float(found.text) == pytest.approx(total / tokens, abs=2e-5)
    assert int(found.tokens) == tokens
    assert float(found.loss) == float(found.text)


def test_padding_on_either_side_gives_the_same_losses() -> None:
    joint = tiny_joint().eval()
    right = batch_of(joint, [0, 1])
    left = joint.backbone.encode([asking(0), asking(1)], [SAID[0][1], SAID[1][1]], side="left")
    with torch.no_grad():
        a, b = joint(right), joint(replace(right, batch=left))
    assert torch.allclose(a.verdict_logits, b.verdict_logits, atol=1e-4)
    assert float(a.loss) == pytest.approx(float(b.loss), abs=1e-4)


def test_the_verdict_is_the_same_with_the_answer_and_without() -> None:
    """The state at the last prompt token cannot have seen what comes after it."""
    joint = tiny_joint().eval()
    with torch.no_grad():
        taught = joint(batch_of(joint, [1]))
        bare = joint.backbone.encode([asking(1)])
        state = joint.backbone.hidden_at(bare, bare.last_prompt)
        assert joint.head is not None
    assert torch.allclose(taught.verdict_logits, joint.head(state), atol=1e-5)


def test_the_verdict_loss_is_the_mean_over_clips_whose_label_is_known() -> None:
    joint = tiny_joint().eval()
    batch = batch_of(joint, [0, 1, 2])
    batch = replace(batch, known=torch.tensor([True, False, True]))
    with torch.no_grad():
        found = joint(batch, 0.5)
    assert joint.head is not None
    by_hand = digamma(alpha(found.verdict_logits, joint.head.spec), batch.target)
    assert float(found.verdict) == pytest.approx(float(by_hand[[0, 2]].mean()), rel=1e-6)
    assert float(found.loss) == pytest.approx(float(found.text) + 0.5 * float(found.verdict), rel=1e-6)
    assert int(found.known) == 2


def test_small_batches_add_up_to_one_large_batch_in_loss_and_gradient() -> None:
    """Three batches of one step, uneven in tokens and in known labels, against all their rows at once."""
    joint = tiny_joint()
    joint.eval()
    whole = batch_of(joint, [0, 1, 2, 3])
    whole = replace(whole, known=torch.tensor([True, True, True, False]))
    at_once = joint(whole, 0.7)
    at_once.loss.backward()
    expected = gradients(joint)
    joint.zero_grad(set_to_none=True)
    parts = [
        batch_of(joint, [0, 1]),
        batch_of(joint, [2]),
        batch_of(joint, [3], known=False),
    ]
    counts = Counts(*(torch.stack(each).sum() for each in zip(*map(counts_of, parts), strict=True)))
    total = 0.0
    for part in parts:
        found = joint(part, 0.7, counts=counts)
        found.loss.backward()
        total += float(found.loss.detach())
    assert total == pytest.approx(float(at_once.loss.detach()), abs=1e-5)
    found_gradients = gradients(joint)
    assert found_gradients.keys() == expected.keys()
    for name, gradient in expected.items():
        assert torch.allclose(found_gradients[name], gradient, atol=1e-5), name


def test_a_batch_that_teaches_nothing_costs_nothing_and_reaches_every_parameter() -> None:
    joint = tiny_joint()
    found = joint(batch_of(joint, [0, 1], taught=False, known=False))
    assert float(found.loss.detach()) == 0.0
    found.loss.backward()
    trained = [p for p in joint.parameters() if p.requires_grad]
    assert trained
    assert all(p.grad is not None and not p.grad.any() for p in trained)


def test_labels_alone_teach_the_verdict_and_explanations_alone_the_text() -> None:
    joint = tiny_joint().eval()
    with torch.no_grad():
        labels = joint(batch_of(joint, [0, 1], taught=False))
        texts = joint(batch_of(joint, [0, 1], known=False))
    assert (float(labels.text), int(labels.tokens)) == (0.0, 0)
    assert float(labels.verdict) > 0
    assert (float(texts.verdict), int(texts.known)) == (0.0, 0)
    assert float(texts.text) > 0


def test_lora_and_head_are_trained_and_nothing_else_and_the_head_is_float32() -> None:
    """Hand count: rank 4 on seven projections of two layers, A and B each; eight rows of the hidden size."""
    joint = tiny_joint()
    trained = {name: p for name, p in joint.named_parameters() if p.requires_grad}
    assert len([name for name in trained if "lora_" in name]) == 2 * 7 * 2
    assert trained["head.linear.weight"].shape == (8, joint.backbone.hidden_size)
    assert trained["head.linear.weight"].dtype == torch.float32
    assert len(trained) == 29


def test_the_same_seed_gives_the_same_first_weights_and_leaves_others_random_numbers_alone() -> None:
    torch.manual_seed(3)
    before = torch.rand(1)
    backbones = [tiny_backbone(), tiny_backbone()]
    torch.manual_seed(3)
    one, other = (make_joint_model(CONFIG, backbone) for backbone in backbones)
    assert torch.equal(torch.rand(1), before)
    first, second = (dict(joint.named_parameters()) for joint in (one, other))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_checkpointed_gradients_are_the_same() -> None:
    plain = tiny_joint()
    saving = tiny_joint(replace(CONFIG, schedule=replace(CONFIG.schedule, checkpointing=True)))
    for joint in (plain, saving):
        joint.train()
        joint(batch_of(joint, [0, 1])).loss.backward()
    found, expected = gradients(saving), gradients(plain)
    assert found.keys() == expected.keys()
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in expected)


# ---------------------------------------------------------------- heads of views


def heads_of_views(kind: str = "dirichlet") -> MultiViewHeads:
    torch.manual_seed(0)
    spec = HeadSpec(
        label_set="emer8",
        labels=VerdictSettings(label_set="emer8").spec.labels,
        features={"audio": ("a", "b"), "text": ("c",)},
        kind=kind,  # type: ignore[arg-type]
        dropout=0.0,
    )
    return MultiViewHeads(spec)


def with_views(batch: JointBatch) -> JointBatch:
    """Sound of the first two clips, words of the last two."""
    rows = len(batch.known)
    measured = {"audio": torch.zeros(rows, 2, dtype=torch.bool), "text": torch.zeros(rows, 1, dtype=torch.bool)}
    measured["audio"][:2], measured["text"][-2:] = True, True
    generator = torch.Generator().manual_seed(1)
    features = {view: torch.randn(mask.shape, generator=generator) for view, mask in measured.items()}
    return replace(batch, features=features, measured=measured)


@pytest.mark.parametrize("kind", ["dirichlet", "beta"])
def test_views_and_their_average_with_the_verdict_have_losses_of_their_own(kind: str) -> None:
    """By hand from the heads' evidence: each view over the clips that have it, the fused one as the mean evidence of
    those that speak in a clip; all divided by the clips whose label is known."""
    settings = VerdictSettings(label_set="emer8", kind=kind)  # type: ignore[arg-type]
    joint = tiny_joint(replace(CONFIG, verdict=settings), heads_of_views(kind)).eval()
    batch = with_views(batch_of(joint, [0, 1, 2, 3]))
    batch = replace(batch, known=torch.tensor([True, True, True, False]))
    with torch.no_grad():
        found = joint(batch, 0.3)
    assert joint.views is not None
    assert joint.head is not None
    spec = joint.head.spec
    target = batch.target if kind == "dirichlet" else two_sided(batch.target)
    weight = joint.views.prior

    def loss(e: torch.Tensor, clip: int) -> float:
        with torch.no_grad():
            return float(digamma(e + weight, target[clip]).sum())

    own = {
        view: joint.views.heads[view](joint.views.standardisers[view](_input(batch, view)))
        for view in ("audio", "text")
    }
    said = evidence(found.verdict_logits, spec)
    audio = (loss(own["audio"][0], 0) + loss(own["audio"][1], 1)) / 3
    text = loss(own["text"][2], 2) / 3
    assert found.views.tolist() == pytest.approx([audio, text], rel=1e-5)
    together = [(own["audio"][0] + said[0]) / 2, (own["audio"][1] + said[1]) / 2, (own["text"][2] + said[2]) / 2]
    fused = sum(loss(e, i) for i, e in enumerate(together)) / 3
    assert float(found.fused) == pytest.approx(fused, rel=1e-5)
    verdict = verdict_loss(found.verdict_logits, batch.target, batch.known, spec, settings.objective).sum() / 3
    expected = float(found.text) + 0.3 * (float(verdict) + audio + text + fused)
    assert float(found.loss) == pytest.approx(expected, rel=1e-5)


def _input(batch: JointBatch, view: str) -> ViewInput:
    return ViewInput(batch.features[view], batch.measured[view])


def test_heads_of_views_stay_in_the_graph_when_no_clip_of_a_batch_has_them() -> None:
    joint = tiny_joint(views=heads_of_views())
    batch = with_views(batch_of(joint, [0, 1]))
    batch = replace(batch, measured={view: torch.zeros_like(mask) for view, mask in batch.measured.items()})
    joint(batch).loss.backward()
    assert all(p.grad is not None for p in joint.parameters() if p.requires_grad)


# ---------------------------------------------------------------- settings


def test_the_evidential_weight_grows_evenly() -> None:
    """By hand: a tenth of 50 steps is five, so step 2 has two fifths of the weight."""
    assert warmed(1.0, 2, 0.1 * 50) == pytest.approx(0.4)
    assert warmed(0.5, 80, 5.0) == 0.5
    assert warmed(0.5, 0, 0.0) == 0.5


def test_lora_that_cannot_hold_the_verdict_or_suits_no_module_is_refused() -> None:
    with pytest.raises(ConfigError, match="is no power of two"):
        tiny_joint(replace(CONFIG, lora=LoraSettings(rank=4, alpha=12)))
    with pytest.raises(ConfigError, match="suit no module of this model"):
        tiny_joint(replace(CONFIG, lora=LoraSettings(rank=4, alpha=8, targets="nothing")))


def test_without_a_verdict_the_loss_is_that_of_the_text() -> None:
    joint = tiny_joint(replace(CONFIG, verdict=None)).eval()
    with torch.no_grad():
        found = joint(batch_of(joint, [0, 1]))
    assert float(found.loss) == float(found.text)
    assert found.verdict_logits.shape == (2, 0)
