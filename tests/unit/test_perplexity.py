"""Perplexity on problems small enough to work out by hand."""

import math

import numpy as np
import pytest
from scipy import special, stats

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.errors import CorpusError
from lda_app.evaluation import bounds
from lda_app.evaluation.bounds import dirichlet_kl, elbo_scores
from lda_app.evaluation.completion import document_completion, split_tokens
from lda_app.evaluation.scores import DocumentScores

BETA = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
ALPHA = np.array([0.5, 0.5])


def matrix(rows):
    return DocTermMatrix.from_scipy(np.array(rows))


def infer(doc_term):
    """A stand-in for inference: one fold-in step from the uniform theta."""
    responsibilities = BETA / BETA.sum(axis=0)
    return ALPHA + doc_term.to_scipy() @ responsibilities.T


def elbo(documents, infer, alpha, beta, **options):
    return elbo_scores(documents, infer, alpha, beta, **options).token_weighted("elbo")


def elbo_document_mean(documents, infer, alpha, beta, **options):
    return elbo_scores(documents, infer, alpha, beta, **options).document_mean("elbo_document_mean")


def by_definition(doc_term, theta):
    counts = doc_term.to_scipy().toarray()
    return (counts * np.log(theta @ BETA)).sum(axis=1)


def test_kl_equals_the_expectation_it_stands_for():
    q, p = np.array([2.0, 0.7, 3.1]), np.array([0.4, 1.0, 0.9])
    draws = np.random.default_rng(0).dirichlet(q, 200_000)
    sampled = stats.dirichlet.logpdf(draws.T, q) - stats.dirichlet.logpdf(draws.T, p)
    error = sampled.std() / math.sqrt(len(sampled))
    assert dirichlet_kl(q[None], p)[0] == pytest.approx(sampled.mean(), abs=5 * error)


def test_kl_of_a_tiny_difference_survives_many_dimensions():
    """The second-order term, ½ (Σ δ² ψ'(a) − (Σ δ)² ψ'(Σ a)), is far below what float32 sums can resolve."""
    a, delta = np.full(50_000, 0.5), 1e-5
    second_order = (delta**2 * special.polygamma(1, a)).sum() - (50_000 * delta) ** 2 * special.polygamma(
        1, a.sum()
    )
    assert dirichlet_kl((a + delta)[None], a)[0] == pytest.approx(second_order / 2, rel=0.01)


def test_completion_by_hand():
    documents = matrix([[4, 0, 0], [0, 0, 2], [0, 1, 0]])
    observed = matrix([[2, 0, 0], [0, 0, 1], [0, 0, 0]])
    held_out = matrix([[2, 0, 0], [0, 0, 1], [0, 1, 0]])
    gamma = infer(observed)
    scores = by_definition(held_out, gamma / gamma.sum(axis=1, keepdims=True))
    result = document_completion(documents, infer, BETA, seed=3)
    assert result.value == pytest.approx(np.exp(-scores.sum() / 4))
    assert (result.protocol, result.num_documents, result.num_tokens) == ("document_completion", 3, 4)


def test_completion_is_the_same_for_the_same_seed_alone():
    documents = matrix(np.random.default_rng(1).integers(0, 5, (40, 3)))
    first, again, other = (document_completion(documents, infer, BETA, seed=s).value for s in (0, 0, 1))
    assert first == again
    assert first != other


def test_halves_add_up_and_are_drawn_without_bias():
    documents = matrix([[6, 0, 2]] * 4_000)
    observed, held_out = split_tokens(documents, np.random.default_rng(0))
    together = observed.to_scipy() + held_out.to_scipy()
    assert (together.toarray() == [6, 0, 2]).all()
    assert (observed.lengths() == 4).all()
    drawn = observed.to_scipy().toarray()[:, 2]
    expected = stats.hypergeom(8, 2, 4).pmf([0, 1, 2]) * len(drawn)
    assert stats.chisquare(np.bincount(drawn, minlength=3), expected).pvalue > 1e-4


def test_elbo_with_a_point_posterior_is_the_likelihood_less_the_divergence():
    """A posterior of huge concentration samples one theta: nothing is left to the Monte Carlo error."""
    documents = matrix([[3, 1, 0], [0, 2, 5]])
    theta = np.array([0.3, 0.7])

    def certain(doc_term):
        return np.tile(theta * 1e9, (doc_term.num_documents, 1))

    expected = by_definition(documents, np.tile(theta, (2, 1))) - dirichlet_kl(theta[None] * 1e9, ALPHA)
    per_token = elbo(documents, certain, ALPHA, BETA, seed=0)
    per_document = elbo_document_mean(documents, certain, ALPHA, BETA, seed=0)
    assert per_token.value == pytest.approx(np.exp(-expected.sum() / 11), rel=1e-4)
    assert per_document.value == pytest.approx(np.exp(-(expected / [4, 7]).mean()), rel=1e-4)


def test_monte_carlo_error_is_the_spread_between_seeds():
    documents = matrix(np.random.default_rng(2).integers(0, 4, (60, 3)))
    runs = [elbo(documents, infer, ALPHA, BETA, seed=seed, num_samples=4) for seed in range(80)]
    spread = np.std([run.value for run in runs])
    claimed = np.mean([run.monte_carlo_error for run in runs])
    assert claimed == pytest.approx(spread, rel=0.35)


def test_one_sample_has_no_known_error():
    assert elbo(matrix([[1, 1, 1]]), infer, ALPHA, BETA, seed=0, num_samples=1).monte_carlo_error is None


@pytest.mark.parametrize("measure", [elbo, elbo_document_mean])
def test_blocks_do_not_change_an_elbo_beyond_its_samples(measure, monkeypatch):
    documents = matrix(np.random.default_rng(3).integers(0, 4, (50, 3)))
    whole = measure(documents, infer, ALPHA, BETA, seed=0, num_samples=200)
    monkeypatch.setattr(bounds, "_BLOCK_FLOATS", 200 * 2 * 7)
    blocks = measure(documents, infer, ALPHA, BETA, seed=0, num_samples=200)
    assert blocks.value == pytest.approx(whole.value, abs=6 * whole.monte_carlo_error)
    assert blocks.num_tokens == whole.num_tokens


def test_blocks_do_not_change_a_completion_at_all(monkeypatch):
    documents = matrix(np.random.default_rng(3).integers(0, 4, (50, 3)))
    whole = document_completion(documents, infer, BETA, seed=0)
    monkeypatch.setattr(bounds, "_BLOCK_FLOATS", 14)
    assert document_completion(documents, infer, BETA, seed=0).value == pytest.approx(whole.value, rel=1e-12)


def test_documents_without_tokens_are_counted_and_left_out():
    documents = matrix([[0, 0, 0], [2, 1, 1], [0, 0, 0]])
    result = elbo(documents, infer, ALPHA, BETA, seed=0)
    assert (result.num_documents, result.num_empty, result.num_tokens) == (1, 2, 4)
    assert document_completion(documents, infer, BETA, seed=0).num_empty == 2


def test_nothing_to_score_is_an_error():
    with pytest.raises(CorpusError, match="none of the 2 documents has a word of the vocabulary"):
        elbo(matrix([[0, 0, 0], [0, 0, 0]]), infer, ALPHA, BETA, seed=0)


def test_small_concentrations_do_not_underflow():
    def sparse_posterior(doc_term):
        return np.full((doc_term.num_documents, 2), 1e-4)

    scores = elbo_scores(matrix([[3, 1, 2]] * 50), sparse_posterior, ALPHA, BETA, seed=0)
    assert np.isfinite(scores.log_likelihood).all()


def test_a_hopeless_score_is_infinite_not_an_overflow():
    assert DocumentScores(np.array([-1e6]), np.array([1])).token_weighted("elbo").value == math.inf
