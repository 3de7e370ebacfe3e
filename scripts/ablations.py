"""Train one corpus in several ways, each differing from the default in one choice, and print a table.

Everything is scored on held-out training documents, so that no choice is made on a test set::

    lda-app corpus build 20newsgroups --out data/processed/20newsgroups
    python scripts/ablations.py data/processed/20newsgroups --num-topics 50 --seeds 0 1
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from lda_app.config import TrainConfig
from lda_app.corpus.folder import open_corpus
from lda_app.evaluation.coherence import npmi
from lda_app.evaluation.diversity import live_topics
from lda_app.inference import concentration, topic_proportions
from lda_app.runtime import Interruption
from lda_app.training.data import TrainingData, divide
from lda_app.training.train import make_state, train

VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "topics learn from the ELBO alone": {"topic_update": "elbo"},
    "the same, eta 0.01": {"topic_update": "elbo", "eta": 0.01},
    "one mean-field step": {"unroll": 1},
    "two mean-field steps": {"unroll": 2},
    "eta 0.01": {"eta": 0.01},
    "alpha starts at 0.5": {"alpha": 0.5},
}


class Figures(NamedTuple):
    """What is told of a run."""

    perplexity: float
    coherence: float
    live: int
    cpu_seconds: float


def run(data: TrainingData, config: TrainConfig) -> Figures:
    """Train, and score on the validation documents."""
    begun = time.process_time()
    state = make_state(config, data, torch.device("cpu"))
    train(state, config, data, save=lambda _: None, interruption=Interruption())
    seconds = time.process_time() - begun
    best = next(row for row in state.history if row["step"] == state.best_step)
    top = np.argsort(-state.lda.topics.beta().numpy(), axis=1, kind="stable")[:, :10]
    shares = topic_proportions(concentration(state.lda, data.validation)).mean(axis=0)
    coherence = float(npmi(top, data.validation).mean())
    return Figures(float(best["validation_perplexity"] or 0), coherence, live_topics(shares), seconds)


def main() -> None:
    """Print the table as it grows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--num-topics", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    options = parser.parse_args()
    doc_term = open_corpus(options.corpus).split("train")
    print("| | document_completion perplexity | NPMI on the same documents | live topics | CPU s |")
    print("|---|---:|---:|---:|---:|")
    for name, changes in VARIANTS.items():
        runs = []
        for seed in options.seeds:
            config = TrainConfig(num_topics=options.num_topics, seed=seed, validation_fraction=0.1, **changes)
            runs.append(run(divide(doc_term, config), config))
        means = [statistics.mean(column) for column in zip(*runs, strict=True)]
        print(f"| {name} | {means[0]:,.0f} | {means[1]:.3f} | {means[2]:.0f} | {means[3]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
