r"""Dirichlet samples with implicit reparameterization gradients.

θ = softmax(log z), z_k ~ Gamma(c_k, 1) independent: the logarithms keep concentrations of 1e-4 from
underflowing, and each ∂ log z_k/∂c_k comes from :mod:`lda_app.gradients.gamma`, so that

    ∂L/∂c_k = θ_k (∂L/∂θ_k − Σ_j θ_j ∂L/∂θ_j) ∂ log z_k/∂c_k.
"""

from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.distributions import Dirichlet
from torch.distributions.kl import register_kl

from lda_app.gradients import kernels
from lda_app.gradients.gamma import (
    check_concentration,
    compiles,
    draw_log_gamma,
    run_rows,
    sample_log_gamma,
)
from lda_app.gradients.special import slope_in_torch
from lda_app.system.compiled import over_rows


class _Softmax(torch.autograd.Function):
    """θ = softmax(log z) with the gradient taken straight to the concentrations."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor, generator: torch.Generator | None) -> Tensor:
        log_gamma = draw_log_gamma(concentration, generator)
        theta = torch.softmax(log_gamma, dim=-1)
        ctx.save_for_backward(concentration, log_gamma, theta)
        return theta

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        concentration, log_gamma, theta = ctx.saved_tensors
        return _chain(concentration, log_gamma, theta, upstream), None


def _chain(concentration: Tensor, log_gamma: Tensor, theta: Tensor, upstream: Tensor) -> Tensor:
    if compiles(concentration):
        return run_rows("dirichlet_backward", concentration, log_gamma, theta, upstream)
    weights, slopes = theta.to(torch.float64), slope_in_torch(concentration, log_gamma)
    mean = (weights * upstream).sum(-1, keepdim=True) / weights.sum(-1, keepdim=True)
    return (weights * (upstream - mean) * slopes).to(concentration.dtype)


def dirichlet_gradient(
    concentration: Float[Tensor, "*batch K"],
    log_gamma: Float[Tensor, "*batch K"],
    upstream: Float[Tensor, "*batch K"],
) -> Float[Tensor, "*batch K"]:
    """Chain ``upstream``, a gradient in θ, to the concentrations at given log z: the backward pass.

    Examples
    --------
    Nothing comes of a gradient that is the same for all shares:

    >>> dirichlet_gradient(torch.ones(2), torch.zeros(2), torch.ones(2))
    tensor([0., 0.])
    """
    return _chain(concentration, log_gamma, torch.softmax(log_gamma, -1), upstream)


def sample_dirichlet(
    concentration: Float[Tensor, "*batch K"], generator: torch.Generator | None = None
) -> Float[Tensor, "*batch K"]:
    """Draw θ ~ Dirichlet(concentration), with the implicit gradient.

    Parameters
    ----------
    concentration
        Positive and finite.
    generator
        The source of randomness; torch's global one by default.

    Returns
    -------
    Tensor
        Points on the simplex. A θ_k below the smallest float is zero, and its gradient is too;
        :func:`sample_log_dirichlet` keeps such numbers.

    Raises
    ------
    ValueError
        A concentration is NaN, infinite, zero or negative, or there is none.

    Examples
    --------
    >>> concentration = torch.tensor([[0.1, 2.0, 30.0]], requires_grad=True)
    >>> theta = sample_dirichlet(concentration, torch.Generator().manual_seed(0))
    >>> round(theta.sum().item(), 6)
    1.0
    >>> theta[0, 2].backward()
    >>> concentration.grad.shape
    torch.Size([1, 3])
    """
    _check(concentration)
    return _Softmax.apply(concentration, generator)  # type: ignore[no-any-return, no-untyped-call]


def sample_log_dirichlet(
    concentration: Float[Tensor, "*batch K"], generator: torch.Generator | None = None
) -> Float[Tensor, "*batch K"]:
    """Draw log θ, θ ~ Dirichlet(concentration): finite where θ_k itself is too small for a float.

    Parameters and errors are those of :func:`sample_dirichlet`; the same generator gives the same draw.

    Examples
    --------
    >>> concentration = torch.full((1000,), 1e-4)
    >>> bool(sample_log_dirichlet(concentration).isfinite().all())
    True
    """
    _check(concentration)
    return torch.log_softmax(sample_log_gamma(concentration, generator), dim=-1)


def sample_beta(
    a: Float[Tensor, "*shape"], b: Float[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draw from Beta(a, b), the first share of a Dirichlet of two, differentiable in both.

    Errors are those of :func:`sample_dirichlet`.

    Examples
    --------
    >>> a = torch.full((100,), 2.0, requires_grad=True)
    >>> share = sample_beta(a, torch.ones(100))
    >>> bool((torch.autograd.grad(share.sum(), a)[0] > 0).all())
    True
    """
    return sample_dirichlet(torch.stack([a, b], dim=-1), generator)[..., 0]


def _check(concentration: Tensor) -> None:
    if concentration.dim() == 0 or concentration.shape[-1] == 0:
        shape = tuple(concentration.shape)
        raise ValueError(f"a Dirichlet needs concentrations (…, K) with K ≥ 1: got shape {shape}")
    check_concentration(concentration)


class ImplicitDirichlet(Dirichlet):
    """A Dirichlet distribution whose samples carry implicit reparameterization gradients.

    Parameters
    ----------
    concentration
        Positive, (…, K).
    validate_args
        As in torch: whether log_prob checks that its argument lies on the simplex.
    generator
        The source of randomness of all samples; torch's global one by default.

    Raises
    ------
    ValueError
        A concentration is NaN, infinite, zero or negative.

    Examples
    --------
    >>> posterior = ImplicitDirichlet(torch.tensor([0.5, 1.5]), generator=torch.Generator().manual_seed(0))
    >>> posterior.rsample((3,)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        concentration: Tensor,
        validate_args: bool | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        _check(concentration)
        self.generator = generator
        super().__init__(concentration, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        """Return the distribution with its batch dimensions expanded; it shares the generator."""
        expanded = self._get_checked_instance(ImplicitDirichlet, _instance)  # type: ignore[no-untyped-call]
        expanded.generator = self.generator
        return super().expand(batch_shape, _instance=expanded)  # type: ignore[no-any-return, no-untyped-call]

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples (*sample_shape, …, K), each at least the smallest normal number, as torch's are."""
        concentration = self.concentration.expand(self._extended_shape(torch.Size(sample_shape)))
        theta = sample_dirichlet(concentration, self.generator)
        return theta.clamp(min=torch.finfo(theta.dtype).tiny)


class _Divergence(torch.autograd.Function):
    """KL(Dirichlet(c) ‖ Dirichlet(α)) without log Γ(Σα) − Σ log Γ(α), in float64 within each row."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor, prior: Tensor) -> Tensor:
        rows = concentration.detach().contiguous()
        divergence = torch.empty(len(rows), dtype=torch.float64)
        gradient, mean_log = torch.empty_like(rows), torch.empty_like(rows)
        arrays = (rows, prior.detach(), divergence, gradient, mean_log)
        over_rows(kernels.dirichlet_divergence, len(rows), *(array.numpy() for array in arrays))
        ctx.save_for_backward(gradient, mean_log)
        return divergence

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor | None]:
        gradient, mean_log = ctx.saved_tensors
        weights = upstream.unsqueeze(-1).to(gradient.dtype)
        prior_gradient = None
        if ctx.needs_input_grad[1]:
            prior_gradient = -(upstream @ mean_log.to(upstream.dtype))
        return weights * gradient, prior_gradient


def dirichlet_divergence(
    concentration: Float[Tensor, "*batch K"], prior: Float[Tensor, "*prior K"]
) -> Float[Tensor, "*batch"]:
    """Return KL(Dirichlet(concentration) ‖ Dirichlet(prior)) of each row, differentiable in both.

    Its terms are large and nearly cancel, so they are summed in float64. Compiled loops serve where one
    prior (K,) is shared by the rows (B, K).

    Examples
    --------
    >>> dirichlet_divergence(torch.ones(1, 2), torch.tensor([1.0, 2.0]))
    tensor([0.3069])
    """
    prior64 = prior.to(torch.float64)
    if not (compiles(concentration) and concentration.dim() == 2 and prior.dim() == 1):
        return _divergence_in_torch(concentration.to(torch.float64), prior64).to(concentration.dtype)
    constant = torch.lgamma(prior64).sum() - torch.lgamma(prior64.sum())
    divergence: Tensor = _Divergence.apply(concentration, prior64)  # type: ignore[no-untyped-call]
    return (divergence + constant).to(concentration.dtype)


def _divergence_in_torch(c: Tensor, prior: Tensor) -> Tensor:
    total, prior_total = c.sum(-1), prior.sum(-1)
    expected_log = torch.digamma(c) - torch.digamma(total).unsqueeze(-1)
    terms = torch.lgamma(prior) - torch.lgamma(c) + (c - prior) * expected_log
    return torch.lgamma(total) - torch.lgamma(prior_total) + terms.sum(-1)


@register_kl(ImplicitDirichlet, Dirichlet)  # type: ignore[no-untyped-call, untyped-decorator]
def kl_divergence(q: ImplicitDirichlet, p: Dirichlet) -> Float[Tensor, "*batch"]:
    """Return KL(q ‖ p), in the dtype of q's concentrations; see :func:`dirichlet_divergence`."""
    return dirichlet_divergence(q.concentration, p.concentration)
