r"""Implicit reparameterization in general (Figurnov, Mohamed and Mnih 2018).

A standardization s(z, λ) has a distribution that does not depend on λ; for a scalar, the cumulative
distribution function will do. A sample that moves with λ so as to keep s constant has the gradient

    ∇_λ z = −(∇_z s)^{-1} ∇_λ s,

whatever drew it: s is differentiated, never inverted.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Standardization = Callable[[Tensor], Tensor]


def attach_scalar(sample: Tensor, standardize: Standardization) -> Tensor:
    """Return ``sample`` with implicit gradients, where each element is an independent scalar sample.

    Parameters
    ----------
    sample
        Drawn by any means, of any shape; its own history is ignored.
    standardize
        Elementwise s(z), differentiable in z and in the parameters that it closes over.

    Returns
    -------
    Tensor
        The same numbers, differentiable in those parameters (once).

    Examples
    --------
    For a Normal number z, dz/dμ = 1 and dz/dσ = (z − μ)/σ:

    >>> mean = torch.tensor(1.0, requires_grad=True)
    >>> scale = torch.tensor(2.0, requires_grad=True)
    >>> z = attach_scalar(torch.tensor(4.0), lambda z: torch.special.ndtr((z - mean) / scale))
    >>> [round(slope.item(), 6) for slope in torch.autograd.grad(z, (mean, scale))]
    [1.0, 1.5]
    """
    with torch.enable_grad():
        fixed = sample.detach().requires_grad_()
        standardized = standardize(fixed)
    (density,) = torch.autograd.grad(standardized.sum(), fixed, retain_graph=True)
    return sample.detach() - (standardized - standardized.detach()) / density


def attach_vector(sample: Tensor, standardize: Standardization) -> Tensor:
    """Return ``sample (…, d)`` with implicit gradients, each row a sample whose s is triangular.

    Parameters
    ----------
    sample
        Drawn by any means; its own history is ignored.
    standardize
        s(z), (…, d) → (…, d), row by row, where s_i depends on z_1 … z_i only, as in the distributional
        transform [F(z_1), F(z_2 | z_1), …]; differentiable in z and in the parameters that it closes over.

    Returns
    -------
    Tensor
        The same numbers, differentiable in those parameters (once).

    Examples
    --------
    For z = L ε with L triangular, the gradient in L_{21} is ε_1:

    >>> scale = torch.tensor([[2.0, 0.0], [1.0, 3.0]], requires_grad=True)
    >>> sample = torch.tensor([4.0, 5.0])
    >>> def noise(z):
    ...     return torch.linalg.solve_triangular(scale, z[:, None], upper=False)[:, 0]
    >>> z = attach_vector(sample, noise)
    >>> torch.autograd.grad(z[1], scale)[0][1]
    tensor([2., 1.])
    """
    with torch.enable_grad():
        fixed = sample.detach().requires_grad_()
        standardized = standardize(fixed)
    parts = standardized.unbind(-1)
    rows = [torch.autograd.grad(part.sum(), fixed, retain_graph=True)[0] for part in parts]
    change = (standardized - standardized.detach()).unsqueeze(-1)
    step: Tensor = torch.linalg.solve_triangular(torch.stack(rows, dim=-2), change, upper=False)
    return sample.detach() - step.squeeze(-1)
