"""Measure how often intervals hold the truth, on documents drawn from a model, and print Markdown tables.

    python scripts/interval_coverage.py RUN

The tables are those of docs/uncertainty.md. The true shares of a document are drawn from Dirichlet(α), those
of a group's documents from Dirichlet(α₀ μ), whose mean μ is drawn for each group from Dirichlet(K α / α₀).
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lda_app.analysis.composition import NUM_DRAWS
from lda_app.analysis.intervals import credible_intervals
from lda_app.analysis.prevalence import GroupDraws, MeanShare, group_draws
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted.folder import ModelDir, open_model
from lda_app.fitted.topics import topic_proportions
from lda_app.models.simulation import simulate

LEVEL = 0.9
LENGTHS = (10, 20, 50, 100, 200, 500)
DOCUMENTS = 2_000
GROUP_LENGTHS, GROUP_SIZES = (50, 150, 500), (30, 100, 400)
LARGE_GROUP = 50, 1_600  # words, documents: where one prior for all groups misleads
GROUPS = 24
LEAST_SHARE = 0.05
LEAST_PREVALENCE = 0.01

Array = npt.NDArray[np.float64]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    model = open_model(parser.parse_args().run)
    print(
        "| words | q(θ|w), all shares | above 0.05 | sampled, all shares | above 0.05 | RMSE of q | sampled |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for length in LENGTHS:
        print(share_row(model, length), flush=True)
    print("\n| words | documents | one prior | groups' priors | differences |\n|---:|---:|---:|---:|---:|")
    for length in GROUP_LENGTHS:
        for size in GROUP_SIZES:
            print(prevalence_row(model, length, size), flush=True)
    print(prevalence_row(model, *LARGE_GROUP), flush=True)


def share_row(model: ModelDir, length: int) -> str:
    """Coverage and error of shares, by the guide's Dirichlet and by samples."""
    documents, theta = simulate(model.alpha, model.beta, np.full(DOCUMENTS, length), seed=length)
    guide = model.posterior(documents)
    sampled = model.intervals(documents, LEVEL)
    means = topic_proportions(guide), sampled.mean
    cells = [str(length)]
    for mean, ends in zip(
        means, (credible_intervals(guide, LEVEL), (sampled.lower, sampled.upper)), strict=True
    ):
        held = (ends[0] <= theta) & (theta <= ends[1])
        cells += [f"{held.mean():.1%}", f"{held[mean > LEAST_SHARE].mean():.1%}"]
    cells += [f"{np.sqrt(np.mean((mean - theta) ** 2)):.4f}" for mean in means]
    return f"| {' | '.join(cells)} |"


def prevalence_row(model: ModelDir, length: int, size: int) -> str:
    """Coverage of the mean shares of groups of at least 1 %, and of differences between pairs of groups."""
    documents, truth = simulated_groups(model, length, size)
    groups = np.repeat(np.arange(GROUPS), size)
    own = group_draws(model.labelled(), documents, groups, seed=1)
    common = one_prior(model, documents, size)
    chosen = truth >= LEAST_PREVALENCE
    cells = [str(length), str(size)]
    for draws in (common, own):
        ends = [MeanShare.of(draws.mean([group])).interval(LEVEL) for group in range(GROUPS)]
        held = np.array(
            [(low <= mean) & (mean <= high) for (low, high), mean in zip(ends, truth, strict=True)]
        )
        cells.append(f"{held[chosen].mean():.1%}")
    held_differences = []
    for group in range(0, GROUPS, 2):
        one, other = (MeanShare.of(own.mean([number])) for number in (group, group + 1))
        low, high, _ = one.minus(other, LEVEL)
        difference = truth[group] - truth[group + 1]
        held_differences.append(
            ((low <= difference) & (difference <= high))[chosen[group] | chosen[group + 1]]
        )
    cells.append(f"{np.concatenate(held_differences).mean():.1%}")
    return f"| {' | '.join(cells)} |"


def simulated_groups(model: ModelDir, length: int, size: int) -> tuple[DocTermMatrix, Array]:
    """Documents of all groups, and the mean of each group's θ, (GROUPS, K)."""
    alpha = model.alpha.astype(np.float64)
    means = np.random.default_rng(size + length).dirichlet(len(alpha) * alpha / alpha.sum(), GROUPS)
    means = np.maximum(means, 1e-4)
    means /= means.sum(axis=1, keepdims=True)
    parts = [
        simulate(alpha.sum() * mean, model.beta, np.full(size, length), seed=1000 * size + group)[0]
        for group, mean in enumerate(means)
    ]
    return DocTermMatrix.concatenate(parts, model.beta.shape[1]), means


def one_prior(model: ModelDir, documents: DocTermMatrix, size: int) -> GroupDraws:
    """Sums by group of draws that do not know the groups, as one would make them at first."""
    draws = np.concatenate(list(model.draws(documents, NUM_DRAWS, seed=1, thin=5)))
    grouped = draws.reshape(GROUPS, size, NUM_DRAWS, -1)
    squares = (grouped**2).mean(axis=2).sum(axis=1)
    return GroupDraws(np.full(GROUPS, size), grouped.sum(axis=1).transpose(1, 0, 2), squares)


if __name__ == "__main__":
    main()
