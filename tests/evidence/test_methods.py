"""Softmax baselines, evidential methods, ensembles, and their files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from emer.errors import ConfigError
from emer.evidence.ensemble import Ensemble
from emer.evidence.evidential import Evidential, EvidentialOptions, fit_reliabilities
from emer.evidence.fusion import fuse
from emer.evidence.heads import ViewInput
from emer.evidence.method import Batch, Method, Shape, two_outcomes
from emer.evidence.method_files import MethodRecord, load_method, make_method, save_method
from emer.evidence.opinion import beta, dirichlet, probability
from emer.evidence.softmax import Softmax, SoftmaxOptions
from emer.evidence.view_losses import Objective

FEATURES = {"voice": ("pitch", "pace"), "face": ("smile", "frown", "gaze"), "words": ("joy",)}
SINGLE = Shape(label_set="mood", labels=("calm", "tense", "glad"), features=FEATURES)
MULTI = Shape(label_set="mood", labels=("calm", "tense", "glad"), features=FEATURES, kind="beta")


def inputs(rows: int, seed: int = 0) -> dict[str, ViewInput]:
    generator = torch.Generator().manual_seed(seed)
    return {
        view: ViewInput(
            torch.randn(rows, len(names), generator=generator), torch.ones(rows, len(names), dtype=torch.bool)
        )
        for view, names in FEATURES.items()
    }


def without(rows: dict[str, ViewInput], view: str) -> dict[str, ViewInput]:
    return rows | {view: ViewInput(torch.full_like(rows[view].values, 7.0), torch.zeros_like(rows[view].mask))}


def made(method: str, shape: Shape = SINGLE, **options: object) -> Method:
    torch.manual_seed(0)
    one = make_method(method, shape, dict(options)).eval()
    one.fit_inputs(inputs(50, seed=9))
    return one


def test_softmax_options_tell_all_their_mistakes() -> None:
    with pytest.raises(ConfigError, match=r"hidden \[0\] must be sizes above 0; dropout 1.5 must lie"):
        made("softmax", hidden=[0], dropout=1.5)


# ---------------------------------------------------------------- evidential


@pytest.mark.parametrize("rule", ["dempster", "average", "cumulative", "confidence_weighted", "weighted", "log_linear"])
@pytest.mark.parametrize("shape", [SINGLE, MULTI], ids=["dirichlet", "beta"])
def test_what_a_method_fuses_is_what_the_rule_says_of_its_views(rule: str, shape: Shape) -> None:
    """Oracle: `emer.evidence.fusion.fuse` (numpy), opinion by opinion, with the face missing in the clips."""
    method = made("evidential", shape, fusion=rule, joint=True)
    spoken = method.speak(without(inputs(4), "face"))
    assert spoken.views == ("voice", "face", "words", "joint")
    assert spoken.present.all(1).tolist() == [True, False, True, True]
    assert spoken.prior is not None
    for row in range(4):
        evidence = (spoken.alpha[:, row] - spoken.prior).clamp(min=0).detach().double().numpy()
        make = dirichlet if shape.kind == "dirichlet" else beta
        opinions = {
            view: make("mood", shape.labels, each)
            for view, each in zip(spoken.views, evidence, strict=True)
            if view != "face"
        }
        alpha = spoken.fused[row].detach().numpy()
        share = alpha / alpha.sum(-1, keepdims=True)
        expected = probability(fuse(opinions, rule))
        assert np.allclose(share if shape.kind == "dirichlet" else share[:, 0], expected, atol=1e-5)


def test_the_joint_head_alone_speaks_where_reliabilities_say_so() -> None:
    method = made("evidential", joint=True, reliabilities="joint", prior_weight=0.1)
    spoken = method.speak(inputs(5))
    assert torch.allclose(spoken.fused, spoken.alpha[-1])
    assert spoken.prior is not None
    assert spoken.prior.sum().item() == pytest.approx(0.1 * 3)  # R-EDL: a tenth of the usual W = K


def test_learned_reliabilities_start_as_the_average_and_have_a_gradient() -> None:
    learned, average = made("evidential", reliabilities="learned"), made("evidential", fusion="average")
    assert torch.allclose(learned.speak(inputs(5)).fused, average.speak(inputs(5)).fused, atol=1e-6)
    batch = Batch(inputs(8), torch.eye(3)[torch.arange(8) % 3], torch.arange(8))
    learned.loss(batch, 0, torch.Generator()).backward()  # type: ignore[no-untyped-call]
    assert isinstance(learned, Evidential)
    assert learned.learned is not None
    assert learned.learned.free.grad is not None
    assert learned.learned.free.grad.abs().min() > 0


def told(y: np.ndarray, share: float) -> np.ndarray:
    """Five pieces of evidence for one of three labels, the right one in a share of the rows (the first of them)."""
    return 5 * np.eye(3)[np.where(np.arange(len(y)) < share * len(y), y, (y + 1) % 3)]


def test_the_weight_of_a_view_that_is_right_four_times_of_five_makes_it_say_so() -> None:
    """Closed form: (1 + 5 w) / (3 + 5 w) = .8 at w = 7 / 5."""
    y = np.arange(300) % 3
    found = fit_reliabilities(told(y, 0.8)[None], np.eye(3)[y], np.ones(3))
    assert found == pytest.approx([1.4], rel=1e-3)


def test_fitted_reliabilities_are_those_of_least_likelihood_loss() -> None:
    """Oracle: a derivative-free search (Nelder-Mead) over the same two weights."""
    y = np.arange(300) % 3
    order = np.random.default_rng(0).permutation(300)
    good, poor = told(y, 0.8), told(y[order], 0.55)[np.argsort(order)]
    evidence, target, prior = np.stack([good, poor]), np.eye(3)[y], np.ones(3)

    def loss(log_weight: np.ndarray) -> float:
        alpha = prior + np.exp(log_weight[0]) * good + np.exp(log_weight[1]) * poor
        return float(-np.log(alpha[np.arange(300), y] / alpha.sum(1)).mean())

    other = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-10, "maxiter": 2000})
    found = fit_reliabilities(evidence, target, prior)
    assert np.log(found) == pytest.approx(other.x, abs=0.01)
    assert found[0] > 2 * found[1]


def test_reliabilities_are_fitted_on_validation_where_the_options_ask_for_it() -> None:
    method = made("evidential", reliabilities="fitted")
    before = method.speak(inputs(5)).fused
    method.finish(Batch(inputs(60, 3), torch.eye(3)[torch.arange(60) % 3], torch.arange(60)))
    assert not torch.allclose(before, method.speak(inputs(5)).fused)


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="fusion dempster takes no reliabilities"):
        EvidentialOptions(fusion="dempster", reliabilities="learned")
    with pytest.raises(ConfigError, match="reliabilities: joint needs joint: true"):
        EvidentialOptions(reliabilities="joint")
    with pytest.raises(ConfigError, match=r"options of evidential has 2 mistakes: .*hiden is not known.*rates"):
        make_method("evidential", SINGLE, {"hiden": [3], "reliabilities": "rates"})
    with pytest.raises(ConfigError, match="loss 'mse' is not known"):
        make_method("evidential", SINGLE, {"objective": {"loss": "mse"}})


def test_the_conflict_term_reaches_the_loss() -> None:
    batch = Batch(inputs(8), torch.eye(3)[torch.arange(8) % 3], torch.arange(8))
    calm, strict = (made("evidential", objective={"conflict": weight}) for weight in (0.0, 1.0))
    difference = strict.loss(batch, 0, torch.Generator()) - calm.loss(batch, 0, torch.Generator())
    spoken = calm.speak(batch.inputs)
    # by hand, from Xu et al. 2024: mean over the three pairs of views of 1/2 sum |p - q| (1 - u)(1 - v)
    total = spoken.alpha.sum(-1)
    p, u = spoken.alpha / total[..., None], 3 / total
    pairs = [(0, 1), (0, 2), (1, 2)]
    degrees = [(p[i] - p[j]).abs().sum(-1) / 2 * (1 - u[i]) * (1 - u[j]) for i, j in pairs]
    assert difference.item() == pytest.approx(torch.stack(degrees).mean().item(), rel=1e-4)
    assert Objective(conflict=1.0).conflict == 1.0


# ---------------------------------------------------------------- softmax


def test_late_fusion_is_the_mean_over_the_views_that_are_there() -> None:
    method = made("softmax", mode="late")
    spoken = method.speak(without(inputs(5), "face"))
    assert torch.allclose(spoken.fused, (spoken.alpha[0] + spoken.alpha[2]) / 2)
    assert spoken.prior is None


def test_what_stands_in_a_missing_view_changes_nothing() -> None:
    for mode in ("concat", "late"):
        method = made("softmax", mode=mode)
        gone = without(inputs(5), "voice")
        other = gone | {"voice": ViewInput(gone["voice"].values * -3, gone["voice"].mask)}
        assert torch.equal(method.speak(gone).fused, method.speak(other).fused)


def test_views_can_be_taken_out_clip_by_clip() -> None:
    method = made("softmax", mode="late")
    present = torch.tensor([[True, False], [False, False], [True, True]])
    spoken = method.speak(inputs(2), present)
    assert torch.allclose(spoken.fused[1], spoken.alpha[2, 1])


def test_a_clip_without_any_view_gets_an_even_answer() -> None:
    nothing = without(without(without(inputs(2), "voice"), "face"), "words")
    assert torch.allclose(made("softmax", mode="late").speak(nothing).fused, torch.full((2, 3), 1 / 3))
    assert torch.allclose(made("softmax", MULTI, mode="late").speak(nothing).fused, torch.full((2, 3, 2), 0.5))
    spoken = made("evidential", joint=True).speak(nothing)
    assert torch.equal(spoken.fused, torch.ones(2, 3))


def test_the_loss_for_several_labels_is_binary_cross_entropy() -> None:
    """Oracle: the closed form, -sum y log p + (1 - y) log (1 - p), from what the method itself says."""
    method = made("softmax", MULTI)
    target = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    loss = method.loss(Batch(inputs(2), target, torch.arange(2)), 0, torch.Generator())
    p = method.speak(inputs(2)).fused
    assert loss.item() == pytest.approx(
        -(target * p[..., 0].log() + (1 - target) * p[..., 1].log()).sum(1).mean().item()
    )


def test_two_outcomes_sum_to_one_and_stay_off_zero() -> None:
    pair = two_outcomes(torch.tensor([0.0, 0.25, 1.0]))
    assert torch.allclose(pair.sum(-1), torch.ones(3))
    assert (pair > 0).all()


# ---------------------------------------------------------------- ensembles and files


def test_an_ensemble_says_the_mean_of_its_members_probabilities() -> None:
    members = [Softmax(SINGLE, SoftmaxOptions()).eval() for _ in range(3)]
    said = torch.stack([member.speak(inputs(4)).fused for member in members])
    assert torch.allclose(Ensemble(members).speak(inputs(4)).fused, said.mean(0))
    with pytest.raises(ConfigError, match="needs members"):
        Ensemble([])


@pytest.mark.parametrize("members", [1, 2])
def test_a_method_written_reads_back_and_says_the_same(tmp_path: Path, members: int) -> None:
    options = {"joint": True, "reliabilities": "learned", "hidden": [8]}
    methods = [make_method("evidential", SINGLE, options).eval() for _ in range(members)]
    for method in methods:
        method.fit_inputs(inputs(20, 4))
    whole = methods[0] if members == 1 else Ensemble(methods)
    record = MethodRecord(
        method="evidential",
        options=options,
        shape=SINGLE,
        members=members,
        data="toy",
        data_sha256="0",
        trained_rows=(),
        seed=0,
    )
    save_method(tmp_path, whole, record)
    again, read = load_method(tmp_path)
    assert torch.equal(again.speak(inputs(4)).fused, whole.speak(inputs(4)).fused)
    assert (read.options, read.shape, read.members) == (options, SINGLE, members)


def test_files_of_a_method_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    record = MethodRecord(
        method="softmax", options={}, shape=SINGLE, data="toy", data_sha256="0", trained_rows=(), seed=0
    )
    save_method(tmp_path / "a", made("softmax"), record)
    save_method(tmp_path / "b", made("softmax", mode="late"), record)
    (tmp_path / "b" / "method.json").write_bytes((tmp_path / "a" / "method.json").read_bytes())
    with pytest.raises(ConfigError, match="is not the file that method"):
        load_method(tmp_path / "b")
    with pytest.raises(ConfigError, match="no method can be read there"):
        load_method(tmp_path / "c")
