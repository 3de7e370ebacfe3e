r"""Expectations with closed forms, whose gradients the estimators have to meet."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lda_app.gradients import density
from lda_app.gradients.scalar_families import BOUNDS
from lda_app.gradients.score import Parameters

_DTYPE = torch.float64


@dataclass(frozen=True)
class Problem:
    """An integrand f and its expectation under q(z; λ) at some λ.

    Parameters
    ----------
    family
        The distribution q.
    name
        Unique within the family.
    parameters
        λ, float64, each (…, d).
    integrand
        f, (S, …, d) → (S, …).
    expectation
        E[f(z)] as a differentiable function of the parameters, (…).
    """

    family: str
    name: str
    parameters: Parameters
    integrand: Callable[[Tensor], Tensor]
    expectation: Callable[..., Tensor]

    def gradient(self) -> Tensor:
        """Return the exact gradient, all parameters in one row.

        Examples
        --------
        The second moment of Gamma(a, 1), a (a + 1), has the slope 2 a + 1; the problem has a = 0.3, 1 and 4:

        >>> problems_of("gamma")[0].gradient()
        tensor([1.6000, 3.0000, 9.0000], dtype=torch.float64)
        """
        leaves = tuple(parameter.clone().requires_grad_() for parameter in self.parameters)
        slopes = torch.autograd.grad(self.expectation(*leaves).sum(), leaves)
        return torch.cat([slope.flatten() for slope in slopes])


def problems_of(family: str) -> tuple[Problem, ...]:
    """Return the problems of a family.

    Examples
    --------
    >>> [problem.name for problem in problems_of("dirichlet")]
    ['distance', 'negative entropy', 'kl', 'corner']
    """
    return tuple(problem for problem in PROBLEMS if problem.family == family)


def _row(*values: float) -> Tensor:
    return torch.tensor(values, dtype=_DTYPE)


def _sum_of_squares(z: Tensor) -> Tensor:
    return z.square().sum(-1)


def _linear_gaussian_elbo() -> Problem:
    """Return the ELBO of z ~ Normal(0, I), x | z ~ Normal(W z, σ² I) for a guide of independent Normals.

    −log q is taken at the present parameters: its own gradient in λ has the expectation 0.
    """
    weights = torch.tensor([[1.0, 0.5], [-0.3, 0.8], [0.2, -1.0]], dtype=_DTYPE)
    x, variance = _row(1.0, -0.5, 2.0), 0.5
    mean, scale = _row(0.2, -0.4), _row(0.7, 0.5)

    def integrand(z: Tensor) -> Tensor:
        log_joint = -0.5 * ((x - z @ weights.T).square() / variance).sum(-1) - 0.5 * z.square().sum(-1)
        return log_joint - density.log_normal_density(z, mean, scale)

    def expectation(m: Tensor, s: Tensor) -> Tensor:
        residual = (x - m @ weights.T).square().sum(-1) + (s.square() * weights.square().sum(0)).sum(-1)
        entropy = (0.5 * (s.square() + (m - mean).square()) / scale.square() + torch.log(scale)).sum(-1)
        return -0.5 * residual / variance - 0.5 * (m.square() + s.square()).sum(-1) + entropy

    return Problem("normal", "linear-gaussian elbo", (mean, scale), integrand, expectation)


def _log_ratio_squared(z: Tensor) -> Tensor:
    return (torch.log(z[..., 0]) - torch.log(z[..., 1])).square()


def _truncated_mean(mean: Tensor, scale: Tensor) -> Tensor:
    low, high = ((bound - mean) / scale for bound in BOUNDS)
    bump = torch.exp(-0.5 * low.square()) - torch.exp(-0.5 * high.square())
    mass = torch.special.ndtr(high) - torch.special.ndtr(low)
    result: Tensor = (mean + scale * bump / (math.sqrt(2 * math.pi) * mass)).sum(-1)
    return result


def _mixture_second_moment(logits: Tensor, means: Tensor, scales: Tensor) -> Tensor:
    return (torch.softmax(logits, -1) * (means.square() + scales.square())).sum(-1)


def _gamma_kl() -> Problem:
    """Return KL(Gamma(a) ‖ Gamma(2)); log q is taken at the present parameters."""
    a, prior = _row(0.5, 3.0), _row(2.0, 2.0)

    def integrand(z: Tensor) -> Tensor:
        return density.log_gamma_density(z, a) - density.log_gamma_density(z, prior)

    def expectation(c: Tensor) -> Tensor:
        constant = torch.lgamma(prior) - torch.lgamma(a)
        return ((a - prior) * torch.digamma(c) + constant).sum(-1)

    return Problem("gamma", "kl", (a,), integrand, expectation)


def _dirichlet_mean(c: Tensor) -> Tensor:
    return c / c.sum(-1, keepdim=True)


def _dirichlet_distance() -> Problem:
    """Return E‖θ − t‖² for a point t of the simplex."""
    c, target = _row(0.3, 1.0, 4.0, 0.7), _row(0.1, 0.2, 0.3, 0.4)

    def expectation(c: Tensor) -> Tensor:
        mean, total = _dirichlet_mean(c), c.sum(-1, keepdim=True)
        return (mean * (1 - mean) / (total + 1) + (mean - target).square()).sum(-1)

    return Problem("dirichlet", "distance", (c,), lambda z: (z - target).square().sum(-1), expectation)


def _dirichlet_entropy() -> Problem:
    """Return E[Σ θ log θ]."""

    def expectation(c: Tensor) -> Tensor:
        total = c.sum(-1, keepdim=True)
        return (_dirichlet_mean(c) * (torch.digamma(c + 1) - torch.digamma(total + 1))).sum(-1)

    parameters = (_row(0.2, 0.9, 3.0, 12.0),)
    return Problem(
        "dirichlet", "negative entropy", parameters, lambda z: torch.xlogy(z, z).sum(-1), expectation
    )


def _dirichlet_kl() -> Problem:
    """Return KL(Dirichlet(c) ‖ Dirichlet(1)); log q is taken at the present parameters."""
    c, prior = _row(0.5, 2.0, 6.0), _row(1.0, 1.0, 1.0)

    def integrand(z: Tensor) -> Tensor:
        return density.log_dirichlet_density(z, c) - density.log_dirichlet_density(z, prior)

    def expectation(d: Tensor) -> Tensor:
        mean_log = torch.digamma(d) - torch.digamma(d.sum(-1, keepdim=True))
        constant = torch.lgamma(prior) - torch.lgamma(c)
        totals = torch.lgamma(c.sum()) - torch.lgamma(prior.sum())
        return ((c - prior) * mean_log + constant).sum(-1) + totals

    return Problem("dirichlet", "kl", (c,), integrand, expectation)


def _dirichlet_corner() -> Problem:
    """Return E[log θ_1] where the other concentration is large: there torch's own derivative is wrong."""

    def expectation(c: Tensor) -> Tensor:
        return torch.digamma(c[..., 0]) - torch.digamma(c.sum(-1))

    return Problem("dirichlet", "corner", (_row(1.0, 31622.8),), lambda z: torch.log(z[..., 0]), expectation)


def _category() -> Problem:
    """Return E[log Σ_k z_k b_k] for one-hot z: what a word's log likelihood is to its topic."""
    chances = _row(0.5, 0.1, 0.02, 0.3)
    return Problem(
        "categorical",
        "word",
        (_row(0.4, -0.2, 1.0, 0.1),),
        lambda z: torch.log(z @ chances),
        lambda logits: (torch.softmax(logits, -1) * torch.log(chances)).sum(-1),
    )


PROBLEMS: tuple[Problem, ...] = (
    Problem(
        "normal",
        "second moment",
        (_row(0.5, -1.0), _row(1.0, 0.3)),
        _sum_of_squares,
        lambda mean, scale: (mean.square() + scale.square()).sum(-1),
    ),
    _linear_gaussian_elbo(),
    Problem(
        "log-normal",
        "mean",
        (_row(0.5, -1.0), _row(0.5, 0.3)),
        lambda z: z.sum(-1),
        lambda mean, scale: torch.exp(mean + 0.5 * scale.square()).sum(-1),
    ),
    Problem(
        "logistic-normal",
        "squared log ratio",
        (_row(0.5, -1.0), _row(0.5, 0.3)),
        _log_ratio_squared,
        lambda mean, scale: (mean[..., 0] - mean[..., 1]).square() + scale.square().sum(-1),
    ),
    Problem(
        "exponential",
        "second moment",
        (_row(0.5, 2.0),),
        _sum_of_squares,
        lambda rate: (2 / rate.square()).sum(-1),
    ),
    Problem(
        "truncated-normal", "mean", (_row(0.5, -2.0), _row(1.0, 0.8)), lambda z: z.sum(-1), _truncated_mean
    ),
    Problem(
        "normal-mixture",
        "second moment",
        (_row(0.5, -0.2, 0.1), _row(-2.0, 0.0, 3.0), _row(1.0, 0.5, 0.8)),
        _sum_of_squares,
        _mixture_second_moment,
    ),
    Problem(
        "student-t",
        "second moment",
        (_row(9.0, 20.0),),
        _sum_of_squares,
        lambda degrees: (degrees / (degrees - 2)).sum(-1),
    ),
    Problem(
        "von-mises",
        "mean cosine",
        (_row(0.5, 4.0),),
        lambda z: torch.cos(z).sum(-1),
        lambda kappa: (torch.special.i1e(kappa) / torch.special.i0e(kappa)).sum(-1),
    ),
    Problem(
        "gamma", "second moment", (_row(0.3, 1.0, 4.0),), _sum_of_squares, lambda a: (a * (a + 1)).sum(-1)
    ),
    Problem(
        "gamma",
        "mean logarithm",
        (_row(0.3, 1.0, 4.0),),
        lambda z: torch.log(z).sum(-1),
        lambda a: torch.digamma(a).sum(-1),
    ),
    _gamma_kl(),
    Problem(
        "beta",
        "second moment",
        (_row(0.5, 3.0), _row(2.0, 0.8)),
        _sum_of_squares,
        lambda a, b: (a * (a + 1) / ((a + b) * (a + b + 1))).sum(-1),
    ),
    _dirichlet_distance(),
    _dirichlet_entropy(),
    _dirichlet_kl(),
    _dirichlet_corner(),
    _category(),
)
