r"""RSVI, the acceptance–rejection estimator (Naesseth et al. 2017), for Gamma and Dirichlet.

Marsaglia and Tsang's sampler proposes z = h(ε, a) = d (1 + c ε)³, d = a − 1/3, c = 1/√(9d), and accepts
some ε. The accepted ε have the density π(ε; a) = q(h(ε, a); a) |∂h/∂ε|, which still depends on a; so that

    ∇_a E[f(z)] = E[f′(z) ∂h/∂a] + E[f(z) ∇_a log π(ε; a)].

Only its second term has the variance of a score function. It falls as a grows, so a Gamma(a) number is made
of a Gamma(a + B) number and B uniform ones, z = z′ Π_i u_i^{1/(a+i)}, i = 0 … B − 1 (*shape augmentation*).
"""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from lda_app.gradients.exponential import open_uniform
from lda_app.gradients.gamma import check_concentration, draw_log_gamma
from lda_app.gradients.score import Draw, Parameters, Sampler, repeated


def rejection_log_gamma(
    concentration: Float[Tensor, "*shape"], augmentation: int = 1, generator: torch.Generator | None = None
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """Draw log z, z ~ Gamma(concentration, 1), and log π of the noise that was accepted.

    The noise is recovered from an exact sample, so that no loop is needed: it has the same distribution.

    Parameters
    ----------
    concentration
        Positive and finite.
    augmentation
        B, at least 1, for concentrations below 1 are then sampled as others are.
    generator
        The source of randomness; torch's global one by default.

    Examples
    --------
    >>> concentration = torch.tensor([0.5, 20.0], requires_grad=True)
    >>> log_z, log_density = rejection_log_gamma(concentration, generator=torch.Generator().manual_seed(0))
    >>> bool(log_z.requires_grad and log_density.requires_grad)
    True
    """
    check_concentration(concentration)
    a = concentration + augmentation
    d = a - 1 / 3
    accepted = draw_log_gamma(a.detach(), generator)
    noise = torch.expm1((accepted - torch.log(d.detach())) / 3) * torch.sqrt(9 * d.detach())
    root = torch.log1p(noise / torch.sqrt(9 * d))
    log_z = torch.log(d) + 3 * root
    # log |∂h/∂ε| = log(3 d c) + 2 log(1 + c ε), and 3 d c = √d
    log_density = (a - 1) * log_z - torch.exp(log_z) - torch.lgamma(a) + 0.5 * torch.log(d) + 2 * root
    for i in range(augmentation):
        log_z = log_z + torch.log(open_uniform(concentration, generator)) / (concentration + i)
    return log_z, log_density


def rejection_gamma(augmentation: int) -> Sampler:
    """Make the estimator for Gamma(a, 1), with B = ``augmentation``."""
    return partial(_draw, augmentation, torch.exp)


def rejection_dirichlet(augmentation: int) -> Sampler:
    """Make the estimator for Dirichlet(a), with B = ``augmentation``."""
    return partial(_draw, augmentation, partial(torch.softmax, dim=-1))


def _draw(
    augmentation: int,
    transform: Callable[[Tensor], Tensor],
    parameters: Parameters,
    num_samples: int,
    generator: torch.Generator | None,
) -> Draw:
    (concentration,) = repeated(parameters, num_samples)
    log_z, log_density = rejection_log_gamma(concentration, augmentation, generator)
    return Draw(transform(log_z), log_density.sum(-1))
