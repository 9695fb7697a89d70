"""The supervised contrastive loss against its equation written as plain loops over pairs, and the queue by hand."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from emer.evidence.contrastive import Queue, supervised_contrastive

torch.set_num_threads(1)
NOTHING = (torch.zeros(0, 5, dtype=torch.float64), torch.zeros(0, dtype=torch.long))


def unit(count: int, seed: int) -> Tensor:
    drawn = torch.randn(count, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn / drawn.norm(dim=1, keepdim=True)


def by_loops(z: np.ndarray, y: list[int], anchors: int, temperature: float) -> float:
    """L_out of Khosla et al. 2020 (equation 2), pair by pair; the first `anchors` vectors are the anchors."""
    losses = []
    for i in range(anchors):
        others = [a for a in range(len(z)) if a != i]
        below = sum(math.exp(float(np.dot(z[i], z[a])) / temperature) for a in others)
        terms = [math.log(math.exp(float(np.dot(z[i], z[p])) / temperature) / below) for p in others if y[p] == y[i]]
        if terms:
            losses.append(-sum(terms) / len(terms))
    return sum(losses) / len(losses)


def test_loss_is_the_double_loop_of_the_equation_with_a_lone_anchor_and_earlier_vectors() -> None:
    z, y = unit(11, seed=0), [0, 0, 1, 1, 1, 7, 0, 1, 3, 3, 0]
    told = supervised_contrastive(z[:6], torch.tensor(y[:6]), z[6:], torch.tensor(y[6:]), 0.3)
    assert told.item() == pytest.approx(by_loops(z.numpy(), y, 6, 0.3), rel=1e-12)


def test_loss_at_the_paper_s_temperature_is_finite_in_single_precision() -> None:
    z, y = unit(200, seed=1).float().requires_grad_(), torch.arange(200) % 4
    loss = supervised_contrastive(z, y, z[:0].detach(), y[:0], 0.07)
    loss.backward()
    assert loss.item() == pytest.approx(by_loops(z.detach().numpy(), y.tolist(), 200, 0.07), rel=1e-4)
    assert z.grad is not None
    assert z.grad.isfinite().all()


def test_two_pairs_at_right_angles_by_hand() -> None:
    # Each anchor has one companion at cosine 1 and two others at cosine 0: log(e^1 + 2 e^0) - 1.
    z = torch.eye(2)[[0, 0, 1, 1]]
    told = supervised_contrastive(z, torch.tensor([0, 0, 1, 1]), z[:0], torch.tensor([]).long(), 1.0)
    assert told.item() == pytest.approx(math.log(math.e + 2) - 1)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_vectors_without_companions_cost_nothing_and_have_a_finite_gradient(count: int) -> None:
    z = unit(count, seed=2).requires_grad_()
    loss = supervised_contrastive(z, torch.arange(count), *NOTHING, 0.07)
    loss.backward()
    assert loss.item() == 0
    assert z.grad is not None
    assert (z.grad == 0).all()


# ---------------------------------------------------------------- the queue


def pushed(queue: Queue, *numbers: int) -> list[int]:
    """What is in a queue after these numbers went in: each as a vector and as its own class."""
    queue.push(torch.tensor(numbers)[:, None].float(), torch.tensor(numbers))
    vectors, classes = queue.content()
    assert vectors.flatten().tolist() == classes.tolist()
    return sorted(classes.tolist())


def test_queue_fills_up_and_then_forgets_the_oldest() -> None:
    queue = Queue(5, 1)
    assert queue.content()[0].shape == (0, 1)
    assert pushed(queue, 1, 2, 3) == [1, 2, 3]
    assert pushed(queue, 4, 5, 6) == [2, 3, 4, 5, 6]
    assert pushed(queue, 7, 8, 9, 10) == [6, 7, 8, 9, 10]


def test_queue_keeps_the_last_of_a_batch_larger_than_itself_and_goes_on_from_there() -> None:
    queue = Queue(3, 1)
    assert pushed(queue, 1, 2, 3, 4, 5, 6, 7) == [5, 6, 7]
    assert pushed(queue, 8) == [6, 7, 8]


def test_cleared_queue_is_empty_and_a_queue_of_no_size_stays_so() -> None:
    queue, none = Queue(3, 1), Queue(0, 1)
    assert pushed(queue, 1, 2) == [1, 2]
    queue.clear()
    assert pushed(queue, 3) == [3]
    assert pushed(none, 1, 2) == []


def test_queue_holds_no_gradient_and_is_not_saved_with_weights() -> None:
    queue = Queue(4, 1)
    queue.push(torch.ones(2, 1, requires_grad=True), torch.zeros(2, dtype=torch.long))
    assert not queue.content()[0].requires_grad
    assert not queue.state_dict()
