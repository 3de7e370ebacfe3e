r"""Categories: the exponential race, the Gumbel trick, and its differentiable relaxation.

If c_k are independent exponential numbers of rate 1, argmin_k c_k / π_k is k with probability π_k. With c_k
= −log u_k, −log(c_k / π_k) = log π_k + g_k where g_k = −log(−log u_k) is a Gumbel number: the race and
Gumbel-max are one draw, written twice. Neither has a derivative; Gumbel-softmax (Jang, Gu and Poole 2017;
Maddison, Mnih and Teh 2017) puts softmax((log π + g) / τ) in place of the maximum. Its gradient is that of
another integral, which tends to the wanted one as τ → 0, while the variance grows.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from lda_app.gradients.exponential import open_uniform


def exponential_race(
    logits: Float[Tensor, "*batch K"], uniform: Float[Tensor, "*batch K"]
) -> Int[Tensor, "*batch"]:
    """Return argmin_k c_k / π_k, where c_k = −log u_k.

    Parameters
    ----------
    logits
        log π, up to a constant.
    uniform
        u, from (0, 1).

    Examples
    --------
    >>> logits, uniform = torch.randn(1000, 5), torch.rand(1000, 5).clamp(1e-6, 1 - 1e-6)
    >>> torch.equal(exponential_race(logits, uniform), gumbel_max(logits, uniform))
    True
    """
    return (-torch.log(uniform) / torch.softmax(logits, -1)).argmin(-1)


def gumbel_max(
    logits: Float[Tensor, "*batch K"], uniform: Float[Tensor, "*batch K"]
) -> Int[Tensor, "*batch"]:
    """Return argmax_k log π_k + g_k: what :func:`exponential_race` returns for the same uniform numbers."""
    return (logits + gumbel(uniform)).argmax(-1)


def gumbel(uniform: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Turn uniform numbers into Gumbel numbers, −log(−log u)."""
    return -torch.log(-torch.log(uniform))


def sample_one_hot(
    logits: Float[Tensor, "*batch K"], generator: torch.Generator | None = None
) -> Float[Tensor, "*batch K"]:
    """Draw a category by the exponential race, marked by a one; it has no derivative.

    Examples
    --------
    >>> sample_one_hot(torch.tensor([0.0, -1000.0]))
    tensor([1., 0.])
    """
    winner = exponential_race(logits.detach(), _uniform(logits, generator))
    return one_hot(winner, logits.shape[-1]).to(logits.dtype)


def sample_gumbel_softmax(
    logits: Float[Tensor, "*batch K"],
    generator: torch.Generator | None = None,
    *,
    temperature: float,
    straight_through: bool = False,
) -> Float[Tensor, "*batch K"]:
    """Draw softmax((log π + g) / τ), differentiable in the logits.

    Parameters
    ----------
    logits
        log π, up to a constant.
    generator
        The source of randomness; torch's global one by default.
    temperature
        τ > 0: near 0 the result is near a corner of the simplex.
    straight_through
        Return the corner itself, a draw of the category, with the derivative of the relaxed point.

    Raises
    ------
    ValueError
        The temperature is not positive.

    Examples
    --------
    >>> logits = torch.zeros(3, requires_grad=True)
    >>> sample_gumbel_softmax(logits, temperature=0.5, straight_through=True).detach().sort().values
    tensor([0., 0., 1.])
    """
    if not temperature > 0:
        raise ValueError(f"a temperature must be positive: got {temperature}")
    relaxed = torch.softmax((logits + gumbel(_uniform(logits, generator))) / temperature, -1)
    if not straight_through:
        return relaxed
    hard = one_hot(relaxed.argmax(-1), logits.shape[-1]).to(logits.dtype)
    return hard + (relaxed - relaxed.detach())


def annealed_temperature(share: float, first: float = 1.0, last: float = 0.1) -> float:
    """Return the temperature after a share of a run, falling geometrically from ``first`` to ``last``.

    Examples
    --------
    >>> [round(annealed_temperature(share, 1.0, 0.25), 3) for share in (0, 0.5, 1)]
    [1.0, 0.5, 0.25]
    """
    return float(first * (last / first) ** share)


def _uniform(like: Tensor, generator: torch.Generator | None) -> Tensor:
    largest_below_one = 1 - torch.finfo(like.dtype).eps / 2
    return open_uniform(like, generator).clamp(max=largest_below_one)
