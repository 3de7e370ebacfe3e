"""Train one corpus in several ways, each differing from the default in one choice, and print a table.

Everything is scored on held-out training documents, so that no choice is made on a test set::

    lda-app corpus build 20newsgroups --out data/processed/20newsgroups
    python scripts/ablations.py data/processed/20newsgroups --num-topics 50 --seeds 0 1

The preset figurnov alone takes minutes a seed; ``--only`` names the rows to make.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from lda_app.config import TrainConfig, resolve_config
from lda_app.corpus.folder import open_corpus
from lda_app.evaluation.coherence import npmi
from lda_app.evaluation.diversity import live_topics
from lda_app.fitted.inference import concentration
from lda_app.fitted.topics import topic_proportions
from lda_app.system.runtime import Interruption
from lda_app.training.data import TrainingData, divide
from lda_app.training.train import make_state, train

ELBO = {"topic_update": "elbo"}
ADAM = {**ELBO, "beta_optimizer": "adam"}
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "preset fast": {"preset": "fast"},
    "preset figurnov": {"preset": "figurnov"},
    "topics learn from the ELBO alone": ELBO,
    "the same, eta 0.01": {**ELBO, "eta": 0.01},
    "the same, topics by Adam": ADAM,
    "an mlp": {"encoder": "mlp", "hidden": 300},
    "an mlp, the ELBO alone": {**ELBO, "encoder": "mlp", "hidden": 300},
    "no network": {"inference": "cavi"},
    "one mean-field step": {"unroll": 1},
    "two mean-field steps": {"unroll": 2},
    "from noise": {"init": "random"},
    "from noise, the ELBO alone": {**ELBO, "init": "random"},
    "from noise, topics by Adam": {**ADAM, "init": "random"},
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
    top = np.argsort(-state.lda.topics.beta().numpy(), axis=1, kind="stable")[:, :10]
    shares = topic_proportions(concentration(state.lda, data.validation)).mean(axis=0)
    coherence = float(npmi(top, data.validation).mean())
    return Figures(
        float(state.history[-1]["validation_perplexity"] or 0), coherence, live_topics(shares), seconds
    )


def main() -> None:
    """Print the table as it grows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--num-topics", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="ROW")
    options = parser.parse_args()
    doc_term = open_corpus(options.corpus).split("train")
    print("| | document_completion perplexity | NPMI on the same documents | live topics | CPU s |")
    print("|---|---:|---:|---:|---:|")
    for name in options.only:
        runs = []
        for seed in options.seeds:
            common = {"num_topics": options.num_topics, "seed": seed, "validation_fraction": 0.1}
            config = resolve_config({**common, **VARIANTS[name]})
            runs.append(run(divide(doc_term, config), config))
        means = [statistics.mean(column) for column in zip(*runs, strict=True)]
        print(f"| {name} | {means[0]:,.0f} | {means[1]:.3f} | {means[2]:.0f} | {means[3]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
