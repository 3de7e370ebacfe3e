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
from lda_app.models.gibbs import refine, sample_theta
from lda_app.system.compiled import why_not_compiled

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
        monkeypatch.setattr("lda_app.system.compiled.cpu_count", lambda cores=cores: cores)
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


def exact_moments(counts, alpha):
    """Posterior mean and variance of θ_0, by the density on a grid."""
    share = (np.arange(20_000) + 0.5) / 20_000
    log_density = (alpha[0] - 1) * np.log(share) + (alpha[1] - 1) * np.log1p(-share)
    for count, (first, second) in zip(counts, BETA.double().numpy(), strict=True):
        log_density += count * np.log(share * first + (1 - share) * second)
    weights = np.exp(log_density - log_density.max())
    mean = np.average(share, weights=weights)
    return mean, np.average((share - mean) ** 2, weights=weights)


def sampled(batch, alpha, *, burn_in=5, thin=2, num_draws=1000, seed=1):
    prior = torch.tensor(alpha).expand(batch.num_documents, 2)
    settings = {"num_draws": num_draws, "burn_in": burn_in, "thin": thin, "seed": seed}
    return sample_theta(uniform_theta(batch), prior, BETA, batch, **settings).numpy()[:, :, 0]


@pytest.mark.usefixtures("_implementation")
@pytest.mark.parametrize("alpha", [(1.5, 2.0), (4.0, 1.2)])
def test_draws_of_theta_have_the_moments_of_the_exact_posterior(alpha):
    counts = [2, 1, 2]
    draws = sampled(batch_of([counts] * 20), alpha)
    mean, variance = exact_moments(counts, alpha)
    # 20,000 draws; they are correlated, but the standard errors are below 0.003 and 3%.
    assert draws.mean() == pytest.approx(mean, abs=0.012)
    assert draws.var() == pytest.approx(variance, rel=0.12)


@pytest.mark.usefixtures("_implementation")
def test_negative_control_another_prior_has_other_moments():
    counts = [2, 1, 2]
    draws = sampled(batch_of([counts] * 20), (1.5, 2.0))
    mean, _ = exact_moments(counts, (2.0, 2.0))
    assert abs(draws.mean() - mean) > 0.03


@pytest.mark.skipif(why_not_compiled() is not None, reason="torch draws for a whole batch from one stream")
def test_each_document_has_a_prior_and_a_stream_of_its_own():
    batch = batch_of([[2, 1, 2]] * 4)._replace(rows=torch.tensor([7, 7, 7, 8]))
    alpha = torch.tensor([[1.0, 2.0], [1.0, 2.0], [5.0, 2.0], [1.0, 2.0]])
    one, same, other_prior, other_stream = sample_theta(
        uniform_theta(batch), alpha, BETA, batch, num_draws=50, burn_in=2, thin=1, seed=0
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other_prior)
    assert not torch.equal(one, other_stream)


@pytest.mark.usefixtures("_implementation")
def test_a_document_without_words_has_the_prior():
    draws = sampled(batch_of([[0, 0, 0], [1, 0, 0]]), (3.0, 1.0), burn_in=0, thin=1, num_draws=4000)
    assert draws[0].mean() == pytest.approx(0.75, abs=0.015)


@pytest.mark.usefixtures("_implementation")
def test_a_weight_counts_as_much_as_it_says_on_average():
    copies, calls = 50, 40
    weights = np.tile([0.25, 0.0, 1.5], (copies, 1))
    batch = make_batch(DocTermMatrix.from_scipy(weights, weights=True), np.arange(copies))
    beta = BETA[batch.words]
    drawn = [refine(uniform_theta(batch), ALPHA, beta, batch, burn_in=1, seed=seed) for seed in range(calls)]
    tokens = torch.cat([refined.document_topic.sum(1) for refined in drawn])
    assert set(tokens.tolist()) == {1.0, 2.0, 3.0}
    word_sums = torch.stack([refined.word_topic for refined in drawn]).mean(0).sum(1) / copies
    torch.testing.assert_close(word_sums, torch.tensor([0.25, 1.5]), atol=0.04, rtol=0)
