"""Where training begins: documents, or noise that no document has a part in."""

import numpy as np
import pytest
from scipy import sparse

from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.training.start import noise_counts, start_model

NUM_DOCUMENTS, NUM_WORDS, NUM_TOPICS = 300, 400, 6


@pytest.fixture(scope="module")
def doc_term():
    """Documents of one word each, 40 times over."""
    words = np.random.default_rng(0).integers(NUM_WORDS, size=NUM_DOCUMENTS)
    counts = 40 * np.eye(NUM_WORDS, dtype=int)[words]
    return DocTermMatrix.from_scipy(sparse.csr_array(counts))


def beta(doc_term, **options):
    config = TrainConfig(num_topics=NUM_TOPICS, **options)
    return start_model(config, doc_term, np.arange(NUM_DOCUMENTS)).topics.beta().numpy()


def test_from_documents_each_topic_has_words_of_its_own(doc_term):
    assert beta(doc_term).max() > 10 / NUM_WORDS


@pytest.mark.parametrize("options", [{}, {"topic_update": "elbo", "beta_optimizer": "adam"}])
def test_from_noise_words_are_nearly_even(doc_term, options):
    shares = beta(doc_term, init="random", **options)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)
    assert np.std(shares * NUM_WORDS) == pytest.approx(0.1, rel=0.1)
    assert np.abs(np.corrcoef(shares)[~np.eye(NUM_TOPICS, dtype=bool)]).max() < 0.2


def test_both_optimizers_start_from_the_same_topics(doc_term):
    adam = beta(doc_term, topic_update="elbo", beta_optimizer="adam")
    np.testing.assert_allclose(adam, beta(doc_term), rtol=1e-4)


def test_noise_follows_the_seed_and_the_number_of_tokens_alone(doc_term):
    other = DocTermMatrix.from_scipy(doc_term.to_scipy()[:, ::-1])
    first, same, another = (
        noise_counts(TrainConfig(seed=seed), counts)
        for seed, counts in ((0, doc_term), (0, other), (1, doc_term))
    )
    np.testing.assert_array_equal(first, same)
    assert (first != another).all()
    assert first.sum() == pytest.approx(doc_term.num_tokens, rel=1e-4)
