"""Time forward and backward of the app's Dirichlet sampler against torch's, on concentrations as trained.

python scripts/benchmark_dirichlet.py
"""

import statistics
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


def seconds(run: Callable[[], None]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    """Print a row for each size; the two samplers take turns, so that both see the same machine."""
    torch.manual_seed(0)
    print(f"float32, {torch.get_num_threads()} threads, median of {ROUNDS} rounds, milliseconds")
    print("documents  topics   torch     app   torch / app")
    for documents, topics in SIZES:
        concentration = trained_concentrations(documents, topics)
        weights = torch.randn(documents, topics)
        times: dict[Callable[[Tensor], Dirichlet], list[float]] = {Dirichlet: [], ImplicitDirichlet: []}
        for family in times:
            step(family, concentration, weights)
        for _ in range(ROUNDS):
            for family, taken in times.items():
                taken.append(1e3 * seconds(lambda chosen=family: step(chosen, concentration, weights)))
        theirs, ours = (statistics.median(taken) for taken in times.values())
        print(f"{documents:9}  {topics:6}  {theirs:6.2f}  {ours:6.2f}  {theirs / ours:11.1f}")


if __name__ == "__main__":
    main()
