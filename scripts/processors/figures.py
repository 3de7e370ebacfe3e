"""Figures of a model and of trainings on this processor: ``python scripts/processors/figures.py -h``."""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors.torch
import torch
from scipy import sparse

from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted.folder import untrained
from lda_app.fitted.inference import concentration
from lda_app.fitted.topics import topic_proportions
from lda_app.models.lda import LDA
from lda_app.models.simulation import simulate
from lda_app.system.runtime import Interruption
from lda_app.training.data import divide
from lda_app.training.state import RunState
from lda_app.training.train import make_state, train

NUM_DOCUMENTS, NUM_WORDS, NUM_TOPICS, NUM_TOKENS = 1000, 500, 10, 60
CORPUS, MODEL = "corpus.npz", "model.safetensors"


class Figures(NamedTuple):
    """What is compared between processors.

    Attributes
    ----------
    theta, beta
        (D, K) posterior means and (K, V) topics of the saved model.
    losses, perplexities
        (S,) at the end of the training with each of S seeds.
    """

    theta: np.ndarray
    beta: np.ndarray
    losses: np.ndarray
    perplexities: np.ndarray


def prepare(folder: Path) -> None:
    """Draw a corpus and train a model of it: all processors are given the same files."""
    generator = np.random.default_rng(0)
    beta = generator.dirichlet(np.full(NUM_WORDS, 0.05), NUM_TOPICS)
    lengths = generator.poisson(NUM_TOKENS, NUM_DOCUMENTS)
    doc_term, _ = simulate(np.full(NUM_TOPICS, 0.1), beta, lengths, seed=0)
    sparse.save_npz(folder / CORPUS, doc_term.to_scipy())
    weights = trained(doc_term, seed=0).lda.state_dict()
    safetensors.torch.save_file({name: t.contiguous() for name, t in weights.items()}, folder / MODEL)


def configuration(seed: int) -> TrainConfig:
    """Return the settings of a training: the defaults, and a tenth of the documents to score it."""
    return TrainConfig(num_topics=NUM_TOPICS, seed=seed, validation_fraction=0.1)


def trained(doc_term: DocTermMatrix, seed: int) -> RunState:
    """Train from the beginning."""
    config = configuration(seed)
    data = divide(doc_term, config)
    state = make_state(config, data, torch.device("cpu"))
    train(state, config, data, save=lambda _: None, interruption=Interruption())
    return state


def saved_model(folder: Path) -> LDA:
    """Read the model that `prepare` trained."""
    lda = untrained(configuration(0), NUM_DOCUMENTS, NUM_WORDS)
    lda.load_state_dict(safetensors.torch.load_file(folder / MODEL))
    return lda


def figures(folder: Path, seeds: range) -> Figures:
    """Compute all figures on this processor."""
    doc_term = DocTermMatrix.from_scipy(sparse.csr_array(sparse.load_npz(folder / CORPUS)))
    lda = saved_model(folder)
    theta, beta = topic_proportions(concentration(lda, doc_term)), lda.topics.beta().numpy()
    ends = [trained(doc_term, seed).history[-1] for seed in seeds]
    columns = (np.array([end[name] for end in ends]) for name in ("loss", "validation_perplexity"))
    return Figures(theta, beta, *columns)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of the corpus and the model")
    parser.add_argument("out", type=Path, help="an npz file")
    parser.add_argument("--seeds", type=int, default=3, help="trainings")
    options = parser.parse_args()
    if not (options.folder / MODEL).exists():
        prepare(options.folder)
    np.savez(options.out, **figures(options.folder, range(options.seeds))._asdict())
