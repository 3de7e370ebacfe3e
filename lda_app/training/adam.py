"""Adam over a list of tensors, by the functions that torch's own optimizer calls.

The first :class:`torch.optim.Adam` of a process imports torch's compiler: a second before the first step, and
nothing of it is used here.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adam import adam

Moments = dict[str, Tensor]


class Adam:
    """Adam (Kingma and Ba 2015) with the defaults of :class:`torch.optim.Adam`, and its numbers to the bit.

    Parameters
    ----------
    weights
        What learns.
    rate
        The learning rate; it may be set anew before each step.
    fused
        Whether one kernel does the whole step; its numbers differ in the last digits.

    Examples
    --------
    >>> weight = torch.ones(1, requires_grad=True)
    >>> optimizer = Adam([weight], rate=0.1)
    >>> weight.grad = torch.full((1,), 5.0)
    >>> optimizer.step()
    >>> weight.detach()
    tensor([0.9000])
    """

    def __init__(self, weights: Iterable[Tensor], rate: float, *, fused: bool = False) -> None:
        self.rate = rate
        self._weights = list(weights)
        self._fused = fused
        self._moments: dict[int, Moments] = {}

    def step(self) -> None:
        """Move each weight that has a gradient."""
        gradients = {i: weight.grad for i, weight in enumerate(self._weights) if weight.grad is not None}
        for index in gradients.keys() - self._moments.keys():
            self._moments[index] = self._fresh(self._weights[index])
        moments = [self._moments[index] for index in gradients]
        with torch.no_grad():
            adam(
                [self._weights[index] for index in gradients],
                list(gradients.values()),
                [part["exp_avg"] for part in moments],
                [part["exp_avg_sq"] for part in moments],
                [],
                [part["step"] for part in moments],
                fused=self._fused or None,
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=self.rate,
                weight_decay=0.0,
                eps=1e-8,
                maximize=False,
            )

    def _fresh(self, weight: Tensor) -> Moments:
        device = weight.device if self._fused else torch.device("cpu")
        zeros = {name: torch.zeros_like(weight) for name in ("exp_avg", "exp_avg_sq")}
        return {"step": torch.zeros((), dtype=torch.float32, device=device), **zeros}

    def moments(self) -> dict[int, Moments]:
        """Return the moments of each weight that has moved, by its place among the weights."""
        return self._moments

    def restore(self, moments: dict[int, Moments]) -> None:
        """Go on from moments; they are copied."""
        self._moments = {}
        for index, saved in moments.items():
            fresh = self._fresh(self._weights[index])
            self._moments[index] = {name: zeros.copy_(saved[name]) for name, zeros in fresh.items()}
