"""Adam: torch's own, to the bit, without its compiler."""

import copy
import subprocess
import sys

import pytest
import torch

from lda_app.training.adam import Adam


def weights_and_gradients(num_steps):
    """Two weights, of which the second moves in every other step."""
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(shape, generator=generator) for shape in ((40, 7), ())]
    gradients = [[torch.randn(w.shape, generator=generator) for w in weights] for _ in range(num_steps)]
    for late in gradients[::2]:
        late[1] = None
    return weights, gradients


def walk(optimizer, weights, gradients):
    for step in gradients:
        for weight, gradient in zip(weights, step, strict=True):
            weight.grad = gradient
        optimizer.step()


@pytest.mark.parametrize("fused", [True, False])
def test_its_steps_are_those_of_torch(fused):
    ours, gradients = weights_and_gradients(20)
    theirs = copy.deepcopy(ours)
    walk(Adam(ours, 0.03, fused=fused), ours, gradients)
    walk(torch.optim.Adam(theirs, lr=0.03, fused=fused or None), theirs, gradients)
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("fused", [True, False])
def test_it_goes_on_from_its_moments(fused):
    whole, gradients = weights_and_gradients(20)
    parts = copy.deepcopy(whole)
    walk(Adam(whole, 0.03, fused=fused), whole, gradients)
    first, second = Adam(parts, 0.03, fused=fused), Adam(parts, 0.03, fused=fused)
    walk(first, parts, gradients[:7])
    second.restore(first.moments())
    walk(second, parts, gradients[7:])
    assert all(torch.equal(one, other) for one, other in zip(whole, parts, strict=True))


def test_weights_without_gradients_stay():
    weight = torch.ones(3)
    Adam([weight], 0.1).step()
    assert torch.equal(weight, torch.ones(3))


def test_torch_s_compiler_is_not_imported():
    code = (
        "import sys; import torch; from lda_app.training.adam import Adam\n"
        "weight = torch.ones(1); weight.grad = torch.ones(1)\n"
        "Adam([weight], 0.1).step(); Adam([weight], 0.1, fused=True).step()\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
