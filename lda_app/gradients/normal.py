r"""Explicit reparameterization: samples that are a differentiable function of their parameters and of noise.

A Normal sample is z = μ + σ ε, so that ∂z/∂μ = 1 and ∂z/∂σ = ε; a log-normal one is e^z, a logistic-normal
one softmax(z).
"""

import torch
from jaxtyping import Float
from torch import Tensor


def sample_normal(
    mean: Float[Tensor, "*shape"], scale: Float[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draw z ~ Normal(mean, scale²), differentiable in both.

    Parameters
    ----------
    mean
        Any finite numbers.
    scale
        Standard deviations, positive; broadcast against ``mean``.
    generator
        The source of randomness; torch's global one by default.

    Raises
    ------
    ValueError
        A mean is NaN or infinite, or a scale is not positive and finite.

    Examples
    --------
    >>> scale = torch.tensor([2.0], requires_grad=True)
    >>> z = sample_normal(torch.zeros(1), scale, torch.Generator().manual_seed(0))
    >>> (noise,) = torch.autograd.grad(z, scale)
    >>> torch.equal(z, 2 * noise)
    True
    """
    check_normal(mean, scale)
    mean, scale = torch.broadcast_tensors(mean, scale)  # type: ignore[no-untyped-call]
    noise = torch.randn(mean.shape, dtype=mean.dtype, device=mean.device, generator=generator)
    return mean + scale * noise


def check_normal(mean: Tensor, scale: Tensor) -> None:
    """Require finite means, and positive and finite scales.

    Raises
    ------
    ValueError
        Saying which are not.
    """
    if not bool(mean.isfinite().all()):
        raise ValueError("means must be finite")
    if not bool(((scale > 0) & scale.isfinite()).all()):
        raise ValueError("scales must be positive and finite")


def sample_logistic_normal(
    mean: Float[Tensor, "*batch K"],
    scale: Float[Tensor, "*batch K"],
    generator: torch.Generator | None = None,
) -> Float[Tensor, "*batch K"]:
    """Draw θ = softmax(z), z ~ Normal(mean, scale²): points on the simplex, differentiable in both.

    Parameters and errors are those of :func:`sample_normal`.

    Examples
    --------
    >>> theta = sample_logistic_normal(torch.zeros(2, 3), torch.ones(3), torch.Generator().manual_seed(0))
    >>> torch.allclose(theta.sum(dim=-1), torch.ones(2))
    True
    """
    return torch.softmax(sample_normal(mean, scale, generator), dim=-1)


def sample_log_normal(
    mean: Float[Tensor, "*shape"], scale: Float[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draw exp(z), z ~ Normal(mean, scale²), differentiable in both.

    Parameters and errors are those of :func:`sample_normal`.

    Examples
    --------
    >>> mean = torch.zeros(1, requires_grad=True)
    >>> value = sample_log_normal(mean, torch.ones(1))
    >>> torch.equal(torch.autograd.grad(value, mean)[0], value)
    True
    """
    return torch.exp(sample_normal(mean, scale, generator))
