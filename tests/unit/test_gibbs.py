"""Local Gibbs sweeps: what they conserve, and what they converge to."""

import itertools

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import gammaln

from lda_app.corpus.batches import make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.models import gibbs
from lda_app.models.gibbs import refine

ALPHA = torch.tensor([0.3, 0.8])
BETA = torch.tensor([[0.7, 0.1], [0.2, 0.3], [0.1, 0.6]])  # rows are words


@pytest.fixture(params=["compiled", "torch"])
def _implementation(request, monkeypatch):
    """Both the compiled sweeps and what stands in for them."""
    if request.param == "torch":
        monkeypatch.setattr(gibbs, "runs_compiled", lambda tensor: False)


def batch_of(rows):
    doc_term = DocTermMatrix.from_scipy(sparse.csr_array(np.asarray(rows)))
    return make_batch(doc_term, np.arange(doc_term.num_documents))


def uniform_theta(batch):
    return torch.full((batch.num_documents, 2), 0.5)


def exact_expected_counts(counts):
    """Posterior mean of the tokens of each word in each topic, by summing over all assignments."""
    words = np.repeat(np.arange(3), counts)
    alpha, beta = ALPHA.double().numpy(), BETA.double().numpy()
    weighted, total = np.zeros((3, 2)), 0.0
    for z in itertools.product(range(2), repeat=len(words)):
        topics = np.bincount(z, minlength=2)
        weight = np.exp(gammaln(alpha + topics).sum()) * beta[words, z].prod()
        np.add.at(weighted, (words, np.array(z)), weight)
        total += weight
    return weighted / total


@pytest.mark.usefixtures("_implementation")
def test_every_token_is_accounted_for():
    batch = batch_of([[3, 0, 2], [0, 0, 0], [1, 4, 1]])
    refined = refine(uniform_theta(batch), ALPHA, BETA, batch, burn_in=2, seed=0)
    torch.testing.assert_close(refined.word_topic.sum(1), torch.tensor([4.0, 4.0, 3.0]))
    torch.testing.assert_close(refined.document_topic.sum(1), batch.lengths())


@pytest.mark.usefixtures("_implementation")
def test_sweeps_converge_to_the_exact_posterior():
    copies, counts = 4000, [2, 1, 2]
    batch = batch_of([counts] * copies)
    refined = refine(uniform_theta(batch), ALPHA, BETA, batch, burn_in=30, seed=1)
    # Rao-Blackwellised means of 4,000 documents: the standard error is below 0.01.
    np.testing.assert_allclose(refined.word_topic.numpy() / copies, exact_expected_counts(counts), atol=0.03)


@pytest.mark.usefixtures("_implementation")
def test_negative_control_no_sweep_is_not_the_exact_posterior():
    copies, counts = 4000, [2, 1, 2]
    batch = batch_of([counts] * copies)
    skewed = torch.tensor([[0.99, 0.01]]).expand(copies, 2)
    refined = refine(skewed, ALPHA, BETA, batch, burn_in=0, seed=1)
    assert np.abs(refined.word_topic.numpy() / copies - exact_expected_counts(counts)).max() > 0.05


def test_without_compiled_sweeps_a_seed_gives_the_same_counts(monkeypatch):
    monkeypatch.setattr(gibbs, "runs_compiled", lambda tensor: False)
    batch = batch_of(np.random.default_rng(0).poisson(2.0, size=(50, 3)))
    one, other = (refine(uniform_theta(batch), ALPHA, BETA, batch, burn_in=1, seed=5) for _ in range(2))
    assert torch.equal(one.word_topic, other.word_topic)


def test_a_seed_gives_the_same_sweeps_whatever_the_threads(monkeypatch):
    batch = batch_of(np.random.default_rng(0).poisson(2.0, size=(200, 3)))
    results = []
    for cores in (1, 4):
        monkeypatch.setattr("lda_app.compiled.cpu_count", lambda cores=cores: cores)
        results.append(refine(uniform_theta(batch), ALPHA, BETA, batch, burn_in=3, seed=5))
    assert torch.equal(results[0].word_topic, results[1].word_topic)
    assert torch.equal(results[0].document_topic, results[1].document_topic)


@pytest.mark.usefixtures("_implementation")
@pytest.mark.parametrize("seed", [0, 1, 2**62])
def test_another_seed_gives_other_sweeps(seed):
    batch = batch_of(np.random.default_rng(0).poisson(2.0, size=(50, 3)))
    one = refine(uniform_theta(batch), ALPHA, BETA, batch, burn_in=1, seed=seed)
    other = refine(uniform_theta(batch), ALPHA, BETA, batch, burn_in=1, seed=seed + 1)
    assert not torch.equal(one.document_topic, other.document_topic)
