"""What every posterior of θ promises, whatever the model's weights."""

import numpy as np
import pytest
import torch
from pyro import poutine
from scipy import sparse

from lda_app.corpus.batches import make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted.inference import concentration
from lda_app.fitted.topics import topic_proportions
from lda_app.models.encoder import UnrolledEncoder
from lda_app.models.lda import LDA
from lda_app.models.mlp_encoder import MLPEncoder
from lda_app.models.topic_word import TopicWordCounts
from lda_app.system.compiled import why_not_compiled

NUM_WORDS, NUM_TOPICS = 80, 6


@pytest.fixture(scope="module", params=["unrolled", "mlp"])
def lda(request):
    generator = torch.Generator().manual_seed(0)
    topics = TopicWordCounts(torch.rand(NUM_WORDS, NUM_TOPICS, generator=generator) ** 4 * 100, eta=0.05)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        unrolled = request.param == "unrolled"
        encoder = UnrolledEncoder(NUM_TOPICS) if unrolled else MLPEncoder(NUM_WORDS, NUM_TOPICS, hidden=30)
        model = LDA(100, topics, encoder)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.3)
    return model


@pytest.fixture(scope="module")
def doc_term():
    counts = np.random.default_rng(0).poisson(0.5, size=(150, NUM_WORDS))
    counts[17] = 0
    counts[18] = np.eye(NUM_WORDS, dtype=int)[3]
    counts[19] = 2500
    return DocTermMatrix.from_scipy(sparse.csr_array(counts))


def test_shares_lie_on_the_simplex(lda, doc_term):
    shares = topic_proportions(concentration(lda, doc_term))
    assert shares.shape == (150, NUM_TOPICS)
    assert (shares > 0).all()
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_document_has_the_same_answer_in_every_batch_to_the_bit(lda, doc_term, size):
    whole = concentration(lda, doc_term)
    parts = [
        concentration(lda, doc_term.rows(np.arange(start, min(start + size, 150))))
        for start in range(0, 150, size)
    ]
    assert_same(np.concatenate(parts), whole)


def assert_same(one, other):
    """Compare to the bit; without compiled loops, torch's own sums depend on the batch."""
    np.testing.assert_allclose(one, other, rtol=0 if why_not_compiled() is None else 1e-5)


def test_the_order_of_documents_does_not_matter(lda, doc_term):
    order = np.random.default_rng(1).permutation(150)
    assert_same(concentration(lda, doc_term.rows(order)), concentration(lda, doc_term)[order])


def test_a_document_without_words_has_the_prior(lda, doc_term):
    np.testing.assert_allclose(concentration(lda, doc_term)[17], lda.alpha.detach(), rtol=1e-6)


def test_documents_may_all_be_without_words(lda):
    empty = DocTermMatrix.from_scipy(sparse.csr_array((2, NUM_WORDS), dtype=int))
    np.testing.assert_allclose(concentration(lda, empty), np.tile(lda.alpha.detach(), (2, 1)), rtol=1e-6)


def test_more_words_make_a_posterior_narrower(lda, doc_term):
    totals = concentration(lda, doc_term).sum(1)
    assert totals[17] < totals[19]


def test_a_document_of_a_hundred_million_words_has_the_shares_of_a_long_one(lda, doc_term):
    rows = doc_term.rows(np.arange(10)).to_scipy().toarray()
    long, longest = (
        topic_proportions(concentration(lda, DocTermMatrix.from_scipy(rows * times)))
        for times in (10**4, 25 * 10**5)
    )
    np.testing.assert_allclose(longest, long, atol=0.03)


def test_the_posterior_is_the_guides(lda, doc_term):
    with torch.inference_mode():
        np.testing.assert_array_equal(guides_concentration(lda, doc_term), concentration(lda, doc_term))


def test_in_training_the_guide_adds_up_in_another_order_alone(lda, doc_term):
    guide = guides_concentration(lda, doc_term)
    np.testing.assert_allclose(guide, concentration(lda, doc_term), rtol=5e-5)


def guides_concentration(lda, doc_term):
    trace = poutine.trace(lda.guide).get_trace(make_batch(doc_term, np.arange(150)))
    return trace.nodes["theta"]["fn"].concentration.detach()


def test_single_precision_is_close_to_double(lda, doc_term):
    batch = make_batch(doc_term, np.arange(150))
    single = lda.posterior(batch).detach()
    double = lda.double().posterior(batch._replace(counts=batch.counts.double())).detach()
    lda.float()
    torch.testing.assert_close(single.double(), double, rtol=2e-3, atol=1e-4)


def test_counts_over_another_vocabulary_are_refused(lda):
    with pytest.raises(ValueError, match="the counts have 3 words, but the model has 80"):
        concentration(lda, DocTermMatrix.from_scipy(np.ones((1, 3), dtype=int)))
