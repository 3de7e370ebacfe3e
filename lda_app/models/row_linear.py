"""A linear layer whose answer for a document does not depend on the batch that it comes in."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from lda_app.models import kernels
from lda_app.system.compiled import over_rows, runs_compiled


class RowLinear(nn.Linear):
    """``nn.Linear`` computed row by row.

    A matrix product sums in another order for other numbers of rows, so the last digits of a row depend on
    its batch; a user who looks up one document again must get the same figures. Where there are no compiled
    loops it is ``nn.Linear``.

    Examples
    --------
    >>> layer = RowLinear(3, 2)
    >>> inputs = torch.randn(500, 3)
    >>> bool((layer(inputs)[7] == layer(inputs[7:8])[0]).all())
    True
    """

    def forward(self, inputs: Float[Tensor, "B n"]) -> Float[Tensor, "B m"]:
        """Return inputs · weightᵀ + bias."""
        if not runs_compiled(inputs):
            return super().forward(inputs)
        result: Tensor = _RowLinear.apply(inputs, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return result


class _RowLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        outputs = inputs.new_empty(len(inputs), len(weight))
        arrays = (inputs.contiguous(), weight.T.contiguous(), bias, outputs)
        over_rows(kernels.linear_forward, len(inputs), *(array.detach().numpy() for array in arrays))
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inputs, weight = ctx.saved_tensors
        return upstream @ weight, upstream.T @ inputs, upstream.sum(0)
