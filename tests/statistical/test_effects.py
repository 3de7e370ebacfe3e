"""Intervals of coefficients cover the truth of simulated documents; shuffled covariates have no effect."""

import numpy as np
import pandas as pd
import pytest
import torch

from lda_app.analysis.design import make_design
from lda_app.analysis.effects import regress
from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted.folder import untrained
from lda_app.models.simulation import simulate
from lda_app.models.topic_word import TopicWordCounts

K, V, N, LEVELS, REPEATS = 6, 200, 480, 24, 4
LEVEL = 0.9


@pytest.fixture(scope="module")
def lda():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = untrained(TrainConfig(num_topics=K, alpha=0.3), num_documents=N, num_words=V)
        counts = torch.distributions.Gamma(0.1, 0.001).sample((V, K))
    model.topics = TopicWordCounts(counts, eta=0.01)
    return model


@pytest.fixture(scope="module")
def model(lda, fitted):
    return fitted(lda).labelled()


@pytest.fixture(scope="module")
def regressions(lda):
    """Documents, metadata and true coefficients: shares linear in a number, other for two parties."""
    return [_simulated(lda, seed) for seed in range(REPEATS)]


def _simulated(lda, seed):
    generator = np.random.default_rng(seed)
    low, high, other = generator.dirichlet(np.full(K, 2.0), 3)
    year, party = np.repeat(np.linspace(0, 1, LEVELS), 2), np.tile([0, 1], LEVELS)
    means = (1 - 0.4 * party)[:, None] * ((1 - year)[:, None] * low + year[:, None] * high)
    means += (0.4 * party)[:, None] * other
    alpha, beta = lda.alpha.detach().numpy().sum(), lda.topics.beta().numpy()
    size = N // len(means)
    lengths = np.full(size, 60)
    parts = [simulate(alpha * mean, beta, lengths, seed=1000 * seed + i)[0] for i, mean in enumerate(means)]
    metadata = pd.DataFrame(
        {
            "year": np.repeat(year, size).round(6).astype(str),
            "party": np.repeat(np.array(["a", "b"])[party], size),
        }
    )
    # Intercept, party, year, party × year of ~ party * year.
    truth = np.stack([low, 0.4 * (other - low), high - low, -0.4 * (high - low)])
    return DocTermMatrix.concatenate(parts, V), metadata, truth


def test_intervals_of_coefficients_cover_what_they_promise(model, regressions):
    covered = []
    for seed, (documents, metadata, truth) in enumerate(regressions):
        design = make_design("~ party * year", metadata)
        estimate = regress(model, documents, design, seed=seed).estimate(design.coefficients())
        lower, upper = estimate.interval(LEVEL)
        covered.append((lower <= truth) & (truth <= upper))
    # 96 coefficients, some of them correlated: the standard error is about 0.04.
    assert 0.8 <= np.mean(covered) <= 0.98


def test_negative_control_shuffled_covariates_have_no_effect(model, regressions):
    documents, metadata, truth = regressions[0]
    order = np.random.default_rng(9).permutation(len(metadata))
    design = make_design("~ party + year", metadata.iloc[order].reset_index(drop=True))
    table = regress(model, documents, design, seed=3).table(LEVEL)
    effects = table[table["coefficient"] != "Intercept"]
    assert (effects["p_value"] < 0.001).sum() == 0
    strongest = int(np.abs(truth[2]).argmax())
    slope = effects.query("topic == @strongest and coefficient == 'year'").iloc[0]
    assert not slope["lower"] <= truth[2, strongest] <= slope["upper"]
