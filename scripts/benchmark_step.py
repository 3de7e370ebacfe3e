r"""Time a training step beside what its arithmetic and its memory traffic would take at this core's best.

    python scripts/benchmark_step.py [--bound] [--vocabulary] [--topics] [--pyro]

Without a flag, all four tables. Everything runs on one core, on documents of 52 distinct words each, drawn by
Zipf's law; each time is the best of many, so that other programs matter little.

The hand count, for B documents, nnz nonzero counts, N tokens, U distinct words, K topics, a network of H
units and J mean-field steps. An addition, a product and a comparison are one flop each, an exponential or a
logarithm 20; all are put against the peak of float32 fused multiply-adds, though elementwise functions are
computed in float64, and random numbers and branches are not counted at all.

===================  =====================  =======================================================
guide: flops
4 nnz K (J + 2)      words, forward         a product e·β_w and a sum over β_w, for the network's
                                            input, each mean-field step and the likelihood
6 nnz K J            words, backward        two products and a sum for each mean-field step
6 B H (2 K + 1)      network                two layers, forward and both gradients
650 B K              elementwise            ψ, ψ′ and softmax of J − 1 steps 100 each; KL 150;
                                            draw 110; its implicit gradient 150; the rest 40
guide: bytes
4 U K                β                      read once, it stays in the cache
16 nnz (2 J + 2)     counts and columns     16 bytes a nonzero, in each pass forward and backward
4 B K · 30           (B, K) arrays          written and read
sweep: flops
4 N K                conditional            (n + α) β, its sum, and half a scan of it for the draw
sweep: bytes
4 U K + 16 nnz + 8N  β, counts, assignments
===================  =====================  =======================================================

The bound is the greater of flops / peak and bytes / bandwidth. The sweep's count is that of all topics; a
sweep that looks at those present in the document alone can be faster.
"""

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np
import pyro
import torch

from lda_app.config import TrainConfig
from lda_app.corpus.batches import Batch, make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.models.elbo import SampledELBO, sampled_elbo
from lda_app.models.gibbs import refine
from lda_app.models.guides import make_lda
from lda_app.models.lda import LDA
from lda_app.models.threads import one_torch_thread
from lda_app.models.topic_word import TopicWordCounts

DOCUMENTS, WORDS_A_DOCUMENT = 200, 52
SECONDS_A_MEASUREMENT = 1.0
NUM_DOCUMENTS = 10_000  # of the corpus that the batch is said to come from


class Bound(NamedTuple):
    """What a piece of work needs at least."""

    flops: float
    bytes: float

    def milliseconds(self, machine: "Bound") -> float:
        """Return the least time on a machine of so many flops and bytes a second."""
        return 1e3 * max(self.flops / machine.flops, self.bytes / machine.bytes)


def best(function: Callable[[], object]) -> float:
    """Return the shortest of many runs, in milliseconds; the first compiles and does not count."""
    function()
    shortest, end = float("inf"), time.perf_counter() + SECONDS_A_MEASUREMENT
    while time.perf_counter() < end:
        start = time.perf_counter()
        function()
        shortest = min(shortest, time.perf_counter() - start)
    return 1e3 * shortest


@numba.njit(fastmath=True)
def _multiply_add(values: np.ndarray, rounds: int, factor: float, offset: float) -> None:
    """Multiply and add 32 times while the values are in registers."""
    for _ in range(rounds):
        for k in range(len(values)):
            value = values[k]
            for _ in range(32):
                value = value * factor + offset
            values[k] = value


def machine() -> Bound:
    """Measure this core: float32 multiply-adds in its registers, and copying 64 MB."""
    values, rounds = np.ones(256, dtype=np.float32), 1_000
    taken = best(lambda: _multiply_add(values, rounds, np.float32(0.999), np.float32(0.001)))
    source = np.ones(2**23)
    target = np.empty_like(source)
    copied = best(lambda: np.copyto(target, source))
    return Bound(2 * 32 * len(values) * rounds / (1e-3 * taken), 2 * source.nbytes / (1e-3 * copied))


def problem(num_words: int, num_topics: int) -> tuple[LDA, Batch]:
    """Return a model and a batch, of the same number of nonzeros whatever the vocabulary."""
    generator = np.random.default_rng(0)
    frequency = 1 / (np.arange(num_words) + 2.7)
    rows = [
        np.sort(generator.choice(num_words, WORDS_A_DOCUMENT, replace=False, p=frequency / frequency.sum()))
        for _ in range(DOCUMENTS)
    ]
    indptr = np.arange(DOCUMENTS + 1, dtype=np.int64) * WORDS_A_DOCUMENT
    counts = generator.geometric(0.75, size=DOCUMENTS * WORDS_A_DOCUMENT).astype(np.int32)
    doc_term = DocTermMatrix(indptr, np.concatenate(rows).astype(np.int32), counts, num_words)
    topics = torch.from_numpy(generator.gamma(0.1, size=(num_words, num_topics)).astype(np.float32) * 100)
    lda = make_lda(TrainConfig(num_topics=num_topics), NUM_DOCUMENTS, TopicWordCounts(topics, 0.05))
    lda.generator = torch.Generator().manual_seed(0)
    return lda, make_batch(doc_term, np.arange(DOCUMENTS))


def guide_bound(lda: LDA, batch: Batch) -> Bound:
    """Return the hand count of the guide's part of a step; see the top of this file."""
    rows, nonzeros, words = batch.num_documents, len(batch.counts), len(batch.words)
    topics, steps, hidden = len(lda.alpha), lda.encoder.num_steps, lda.encoder.inner.out_features
    flops = 4 * nonzeros * topics * (steps + 2) + 6 * nonzeros * topics * steps
    flops += 6 * rows * hidden * (2 * topics + 1) + 650 * rows * topics
    moved = 4 * words * topics + 16 * nonzeros * (2 * steps + 2) + 4 * rows * topics * 30
    return Bound(flops, moved)


def sweep_bound(lda: LDA, batch: Batch) -> Bound:
    """Return the hand count of a Gibbs sweep; see the top of this file."""
    tokens, topics = float(batch.counts.sum()), len(lda.alpha)
    moved = 4 * len(batch.words) * topics + 16 * len(batch.counts) + 8 * tokens
    return Bound(4 * tokens * topics, moved)


def guide_step(lda: LDA, batch: Batch) -> float:
    """Time the loss and its gradients."""

    def step() -> None:
        lda.zero_grad()
        sampled_elbo(lda, batch).loss.backward()

    return best(step)


def pyro_step(lda: LDA, batch: Batch) -> float:
    """Time the loss and its gradients by Pyro's traces."""

    def step() -> None:
        lda.zero_grad()
        with pyro.validation_enabled(is_validate=False):
            SampledELBO().differentiable_loss(lda.model, lda.guide, batch).backward()

    return best(step)


def sweep(lda: LDA, batch: Batch) -> float:
    """Time one Gibbs sweep: what ten take more than none, by ten."""
    with torch.no_grad():
        beta, alpha = lda.topics.rows(batch.words), lda.alpha
        theta = torch.full((batch.num_documents, len(alpha)), 1 / len(alpha))
    none, ten = (best(lambda n=n: refine(theta, alpha, beta, batch, burn_in=n, seed=0)) for n in (0, 10))
    return (ten - none) / 10


def print_table(columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Print a table as Markdown."""
    for row in (columns, ("---:",) * len(columns), *rows):
        print(
            "| " + " | ".join(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row) + " |"
        )
    print()


def print_bound() -> None:
    """Print how far the guide's step and a sweep are from their bounds."""
    core, (lda, batch) = machine(), problem(2_000, 50)
    print(
        f"One core: {core.flops / 1e9:.1f} Gflop/s, {core.bytes / 1e9:.1f} GB/s. {DOCUMENTS} documents, "
        f"{len(batch.counts):,} nonzeros, {int(batch.counts.sum()):,} tokens, K = 50, V = 2,000.\n"
    )
    works = ("guide", guide_bound, guide_step), ("Gibbs sweep", sweep_bound, sweep)
    rows = []
    for name, bound_of, measure in works:
        bound, taken = bound_of(lda, batch), measure(lda, batch)
        least = bound.milliseconds(core)
        rows.append((name, bound.flops / 1e6, bound.bytes / 1e6, least, taken, taken / least))
    print_table(("", "Mflop", "MB", "bound, ms", "measured, ms", "ratio"), rows)


def print_sizes(name: str, sizes: list[tuple[int, int]]) -> None:
    """Print times for vocabularies or topics of several sizes, and their ratios to the first."""
    times = [(guide_step(*made), sweep(*made)) for made in (problem(*size) for size in sizes)]
    rows = [
        (f"{words:,}", f"{topics:,}", guide, guide / times[0][0], gibbs, gibbs / times[0][1])
        for (words, topics), (guide, gibbs) in zip(sizes, times, strict=True)
    ]
    print(f"By the {name}, at {DOCUMENTS * WORDS_A_DOCUMENT:,} nonzeros a batch.\n")
    print_table(("V", "K", "guide, ms", "ratio", "Gibbs sweep, ms", "ratio"), rows)


def print_pyro() -> None:
    """Print what Pyro's traces add to a step."""
    made = problem(2_000, 50)
    direct, traced = guide_step(*made), pyro_step(*made)
    print("Pyro's traces of the same step, which training does not make for the default guide.\n")
    print_table(("direct, ms", "traced, ms", "Pyro's share, traced"), [(direct, traced, 1 - direct / traced)])


def main() -> None:
    """Print the tables that are asked for, or all."""
    tables = {
        "bound": print_bound,
        "vocabulary": lambda: print_sizes("vocabulary", [(v, 50) for v in (2_000, 20_000, 100_000)]),
        "topics": lambda: print_sizes("topics", [(2_000, k) for k in (50, 200, 1_000)]),
        "pyro": print_pyro,
    }
    parser = argparse.ArgumentParser(description="Time a training step beside its bounds.")
    for name in tables:
        parser.add_argument(f"--{name}", action="store_true")
    asked = vars(parser.parse_args())
    with one_torch_thread():
        for name, print_it in tables.items():
            if asked[name] or not any(asked.values()):
                print_it()


if __name__ == "__main__":
    main()
