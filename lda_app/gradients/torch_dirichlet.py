"""torch's own Dirichlet gradient, as an estimator to compare with.

torch samples θ and multiplies by ``torch._dirichlet_grad``, the derivative of each share along its Beta
marginal. Some values of that function are wrong; ``docs/gradients.md`` has a map.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from lda_app.gradients.gamma import check_concentration


class _TorchDirichlet(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, concentration: Tensor, generator: torch.Generator | None) -> Tensor:
        theta = torch._sample_dirichlet(concentration, generator)
        ctx.save_for_backward(concentration, theta)
        return theta

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        concentration, theta = ctx.saved_tensors
        total = concentration.sum(-1, keepdim=True).expand_as(concentration)
        slope = torch._dirichlet_grad(theta, concentration, total)
        return slope * (upstream - (theta * upstream).sum(-1, keepdim=True)), None


def sample_torch_dirichlet(
    concentration: Float[Tensor, "*batch K"], generator: torch.Generator | None = None
) -> Float[Tensor, "*batch K"]:
    """Draw θ as ``torch.distributions.Dirichlet.rsample`` does, from a generator of one's own.

    Raises
    ------
    ValueError
        A concentration is NaN, infinite, zero or negative.

    Examples
    --------
    >>> concentration = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> theta = sample_torch_dirichlet(concentration, torch.Generator().manual_seed(0))
    >>> theta[0].backward()
    >>> round(theta.sum().item(), 6)
    1.0
    """
    check_concentration(concentration)
    return _TorchDirichlet.apply(concentration, generator)  # type: ignore[no-any-return, no-untyped-call]
