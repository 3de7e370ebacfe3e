"""Train corpora with ten seeds each, and with very few and very many topics, and print how the runs differ.

    python scripts/robustness.py data/bench/corpora/*

Perplexity is that of document_completion on the test documents, by the guide. Seconds are not told: run
several corpora at once if there are cores for them.
"""

import argparse
import math
from functools import partial
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import torch

from lda_app.config import TrainConfig
from lda_app.corpus.folder import Corpus, open_corpus
from lda_app.evaluation.completion import document_completion
from lda_app.evaluation.diversity import live_topics
from lda_app.fitted.inference import concentration
from lda_app.fitted.topics import topic_proportions
from lda_app.system.runtime import Interruption
from lda_app.training.data import divide
from lda_app.training.train import make_state, train

SEEDS = range(10)
NUM_TOPICS, EXTREMES = 50, (2, 500)


class Outcome(NamedTuple):
    """What came of a run."""

    perplexity: float
    live: int


def outcome(corpus: Corpus, num_topics: int, seed: int) -> Outcome:
    """Train, and measure on the test documents."""
    config = TrainConfig(num_topics=num_topics, seed=seed)
    data = divide(corpus.split("train"), config)
    state = make_state(config, data, torch.device("cpu"))
    train(state, config, data, save=lambda _: None, interruption=Interruption())
    infer, test = partial(concentration, state.lda), corpus.split("test")
    perplexity = document_completion(test, infer, state.lda.topics.beta().numpy(), seed=0).value
    return Outcome(perplexity, live_topics(topic_proportions(infer(test)).mean(axis=0)))


def main() -> None:
    """Print a line for each corpus as it is done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path, nargs="+")
    print(
        f"| corpus | mean of {len(SEEDS)} seeds | worst / mean | fewest live | K = 2 | K = 500 | all finite |"
    )
    print("|---|---:|---:|---:|---:|---:|---|")
    for path in parser.parse_args().corpora:
        corpus = open_corpus(path)
        runs = [outcome(corpus, NUM_TOPICS, seed) for seed in SEEDS]
        few, many = (outcome(corpus, num_topics, 0) for num_topics in EXTREMES)
        average = mean(run.perplexity for run in runs)
        worst = max(run.perplexity for run in runs)
        finite = all(math.isfinite(run.perplexity) for run in (*runs, few, many))
        fewest = min(run.live for run in runs)
        print(
            f"| {path.name} | {average:,.1f} | {worst / average:.3f} | {fewest} | {few.perplexity:,.0f} | "
            f"{many.perplexity:,.0f} | {'yes' if finite else 'NO'} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
