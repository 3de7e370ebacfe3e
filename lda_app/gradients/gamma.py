r"""Gamma samples with implicit reparameterization gradients, in logarithms so that nothing underflows.

A sample z ~ Gamma(a, 1) moves with a so as to stay at its quantile, P(a, z) = const., with P the regularised
incomplete gamma function and p its density (Figurnov, Mohamed and Mnih 2018):

    ∂z/∂a = −(∂P(a, z)/∂a) / p(z; a).

∂P/∂a comes from differentiating, in forward mode, the very formula that gives P for that (a, z): its series,
its continued fraction, or for large a the uniform expansion of :mod:`lda_app.gradients.special`. P and p
share the factor z^a e^{-z}, which cancels in each, so that only ∂ log z/∂a is ever computed.
The loops are compiled by numba; where that cannot be, and away from the CPU, the same formulas run in torch.
"""

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from lda_app.gradients import kernels
from lda_app.gradients.special import accuracy, slope_in_torch
from lda_app.system.compiled import over_rows, runs_compiled


def check_concentration(concentration: Tensor) -> None:
    """Require that all concentrations are positive and finite.

    Raises
    ------
    ValueError
        Naming the first offender and its place.

    Examples
    --------
    >>> check_concentration(torch.tensor([0.1, -2.0]))
    Traceback (most recent call last):
    ...
    ValueError: concentrations must be positive and finite: got -2.0 at index (1,)
    """
    if not concentration.is_floating_point():
        raise ValueError(f"concentrations must be floating-point numbers: got {concentration.dtype}")
    if concentration.numel() == 0:
        return
    low, high = torch.aminmax(concentration.detach())
    if low > 0 and high < math.inf:
        return
    wrong = ~((concentration > 0) & (concentration < math.inf))
    place = tuple(wrong.nonzero()[0].tolist())
    value = concentration[place].item()
    raise ValueError(f"concentrations must be positive and finite: got {value} at index {place}")


def log_gamma_slope(concentration: Float[Tensor, "*shape"], log_value: Float[Tensor, "*shape"]) -> Tensor:
    """Return ∂ log z/∂a of a sample z ~ Gamma(a, 1) that keeps its quantile.

    Parameters
    ----------
    concentration
        a > 0.
    log_value
        log z, of the same shape and dtype.

    Returns
    -------
    Tensor
        The derivative, positive; multiply it by z for ∂z/∂a.

    Examples
    --------
    An exponential sample z has, at a = 1, the derivative that its series gives:

    >>> one = torch.ones(1, dtype=torch.float64)
    >>> log_gamma_slope(one, torch.log(one / 2))
    tensor([1.6140], dtype=torch.float64)
    """
    return log_gamma_backward(concentration, log_value, torch.ones_like(concentration))


def log_gamma_backward(concentration: Tensor, log_value: Tensor, upstream: Tensor) -> Tensor:
    """Return ``upstream`` times ∂ log z/∂a, elementwise."""
    if compiles(concentration):
        return run_rows("log_gamma_backward", concentration, log_value, upstream)
    return (upstream * slope_in_torch(concentration, log_value)).to(concentration.dtype)


def compiles(concentration: Tensor) -> bool:
    """Whether the compiled loops serve this tensor."""
    return runs_compiled(concentration) and concentration.dtype in {torch.float32, torch.float64}


def run_rows(name: str, *inputs: Tensor) -> Tensor:
    """Run a backward kernel over the rows of tensors of one shape; the first gives shape and dtype."""
    shape, dtype = inputs[0].shape, inputs[0].dtype
    rows = [tensor.detach().reshape(as_rows(shape)).contiguous().numpy() for tensor in inputs]
    out = torch.empty(as_rows(shape), dtype=dtype)
    over_rows(getattr(kernels, name), len(out), *rows, accuracy(dtype), out.numpy())
    return out.reshape(shape)


def as_rows(shape: torch.Size) -> tuple[int, int]:
    """Return (B, K) for any shape, K its last dimension."""
    width = shape[-1] if shape else 1
    return (shape.numel() // width if width else 0, width)


def draw_log_gamma(concentration: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw log z, z ~ Gamma(concentration, 1), without a gradient; see :func:`sample_log_gamma`."""
    if not compiles(concentration):
        return _draw_in_torch(concentration, generator)
    seed = int(torch.empty((), dtype=torch.int64).random_(generator=generator))
    out = torch.empty(as_rows(concentration.shape), dtype=concentration.dtype)
    rows = concentration.detach().reshape(out.shape).contiguous().numpy()
    over_rows(kernels.draw_log_gamma, len(out), rows, np.uint64(seed), out.numpy())
    return out.reshape(concentration.shape)


def _draw_in_torch(concentration: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw with torch's own sampler, at a + 1, brought down by log u / a."""
    a = concentration.detach().to(torch.float64)
    above = torch.log(torch._standard_gamma(a + 1.0, generator=generator))
    uniform = 1.0 - torch.rand(a.shape, dtype=a.dtype, device=a.device, generator=generator)
    return (above + torch.log(uniform) / a).to(concentration.dtype)


class _LogGamma(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, concentration: Tensor, generator: torch.Generator | None) -> Tensor:
        log_value = draw_log_gamma(concentration, generator)
        ctx.save_for_backward(concentration, log_value)
        return log_value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        concentration, log_value = ctx.saved_tensors
        return log_gamma_backward(concentration, log_value, upstream), None


def sample_log_gamma(
    concentration: Float[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draw log z, z ~ Gamma(concentration, 1), with the implicit gradient.

    Parameters
    ----------
    concentration
        Positive, of any shape.
    generator
        The source of randomness; torch's global one by default.

    Raises
    ------
    ValueError
        A concentration is NaN, infinite, zero or negative.

    Examples
    --------
    A Gamma(0.0001) sample is often smaller than any float; its logarithm is not:

    >>> tiny = torch.tensor([1e-4], requires_grad=True)
    >>> log_value = sample_log_gamma(tiny, torch.Generator().manual_seed(0))
    >>> log_value.backward()
    >>> bool(log_value.isfinite() and tiny.grad.isfinite())
    True
    """
    check_concentration(concentration)
    return _LogGamma.apply(concentration, generator)  # type: ignore[no-any-return, no-untyped-call]
