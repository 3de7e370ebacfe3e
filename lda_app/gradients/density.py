"""Logarithms of densities, summed over the last dimension, differentiable in the parameters."""

import torch
from jaxtyping import Float
from torch import Tensor

Vectors = Float[Tensor, "*batch d"]
Scalars = Float[Tensor, "*batch"]


def log_normal_density(z: Vectors, mean: Vectors, scale: Vectors) -> Scalars:
    """Return log q of independent Normal numbers, but for the constant −(d/2) log 2π."""
    return (-0.5 * ((z - mean) / scale) ** 2 - torch.log(scale)).sum(-1)


def log_exponential_density(z: Vectors, rate: Vectors) -> Scalars:
    """Return log q of independent exponential numbers."""
    return (torch.log(rate) - rate * z).sum(-1)


def log_gamma_density(z: Vectors, concentration: Vectors) -> Scalars:
    """Return log q of independent Gamma numbers of rate 1."""
    return ((concentration - 1) * torch.log(z) - z - torch.lgamma(concentration)).sum(-1)


def log_beta_density(z: Vectors, a: Vectors, b: Vectors) -> Scalars:
    """Return log q of independent Beta numbers."""
    constant = torch.lgamma(a + b) - torch.lgamma(a) - torch.lgamma(b)
    return ((a - 1) * torch.log(z) + (b - 1) * torch.log1p(-z) + constant).sum(-1)


def log_dirichlet_density(theta: Vectors, concentration: Vectors) -> Scalars:
    """Return log q of a point of the simplex.

    Examples
    --------
    Dirichlet(1, 1) is uniform:

    >>> log_dirichlet_density(torch.tensor([0.3, 0.7]), torch.ones(2))
    tensor(0.)
    """
    constant = torch.lgamma(concentration.sum(-1)) - torch.lgamma(concentration).sum(-1)
    return ((concentration - 1) * torch.log(theta)).sum(-1) + constant


def log_categorical_mass(one_hot: Float[Tensor, "*batch K"], logits: Float[Tensor, "*batch K"]) -> Scalars:
    """Return log π_k of the category that is marked by a one."""
    return (one_hot * torch.log_softmax(logits, -1)).sum(-1)
