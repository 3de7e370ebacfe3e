"""Time forward and backward of the app's Dirichlet sampler against torch's, on concentrations as trained.

python scripts/benchmark_dirichlet.py
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Dirichlet

from lda_app.gradients.dirichlet import ImplicitDirichlet

SIZES = ((256, 50), (1024, 100), (4096, 200))
ROUNDS = 15


def trained_concentrations(documents: int, topics: int) -> Tensor:
    """Return α = 0.05 plus 70 words, most of them in a few topics."""
    shares = torch.distributions.Dirichlet(torch.full((topics,), 0.1)).sample((documents,))
    return (0.05 + 70 * shares).requires_grad_()


def step(family: Callable[[Tensor], Dirichlet], concentration: Tensor, weights: Tensor) -> None:
    """Draw, and take a gradient."""
    concentration.grad = None
    (family(concentration).rsample() * weights).sum().backward()


def milliseconds(family: Callable[[Tensor], Dirichlet], concentration: Tensor, weights: Tensor) -> float:
    """Return how long one step takes."""
    start = time.perf_counter()
    step(family, concentration, weights)
    return 1e3 * (time.perf_counter() - start)


def compare(concentration: Tensor, weights: Tensor) -> tuple[float, float]:
    """Return the best times of torch and of the app; they take turns, so that both see the same machine."""
    step(ImplicitDirichlet, concentration, weights)  # compiles
    rounds = [
        [milliseconds(family, concentration, weights) for family in (Dirichlet, ImplicitDirichlet)]
        for _ in range(ROUNDS)
    ]
    theirs, ours = zip(*rounds, strict=True)
    return min(theirs), min(ours)


def main() -> None:
    """Print a row for each size."""
    torch.manual_seed(0)
    print(f"float32, {torch.get_num_threads()} threads, best of {ROUNDS} rounds, milliseconds")
    print("documents  topics   torch     app   torch / app")
    for documents, topics in SIZES:
        concentration = trained_concentrations(documents, topics)
        weights = torch.randn(documents, topics)
        theirs, ours = compare(concentration, weights)
        print(f"{documents:9}  {topics:6}  {theirs:6.2f}  {ours:6.2f}  {theirs / ours:11.1f}")


if __name__ == "__main__":
    main()
