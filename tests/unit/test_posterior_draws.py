"""Draws of θ from the exact posterior, and the intervals made of them."""

import numpy as np
import pytest
import torch

from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted import model as fitted_model
from lda_app.fitted.folder import untrained
from lda_app.models.topic_word import TopicWordCounts
from lda_app.system.compiled import why_not_compiled


@pytest.fixture(scope="module")
def model(fitted):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        lda = untrained(TrainConfig(num_topics=3, alpha=0.2), num_documents=10, num_words=6)
    lda.topics = TopicWordCounts(torch.eye(3).repeat(2, 1) * 50 + 1, eta=0.01)
    return fitted(lda)


# Elsewhere the documents of a block share a stream, as `FittedModel.intervals` says.
COMPILED = pytest.mark.skipif(why_not_compiled() is not None, reason=f"{why_not_compiled()}")
COUNTS = np.array([[3, 0, 1, 2, 0, 0], [0, 0, 0, 0, 0, 0], [0, 9, 0, 0, 9, 0], [1, 1, 1, 1, 1, 1]])


@pytest.fixture
def documents():
    return DocTermMatrix.from_scipy(COUNTS)


@COMPILED
def test_a_document_depends_on_its_words_alone(model, documents, monkeypatch):
    whole = model.intervals(documents)
    order = [2, 0, 3, 2]
    monkeypatch.setattr(fitted_model, "_BLOCK_FLOATS", 2 * fitted_model.INTERVAL_DRAWS * 3)
    part = model.intervals(documents.rows(order))
    for name in ("mean", "lower", "upper"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[order])


def test_documents_have_streams_of_their_own(model):
    documents = DocTermMatrix.from_scipy(np.array([[4, 0, 0, 0, 0, 0], [0, 0, 0, 4, 0, 0]]))
    (draws,) = model.draws(documents, 20)  # words 0 and 3 have one and the same topic
    assert not np.allclose(draws[0], draws[1])


def test_a_seed_gives_the_same_draws_and_another_others(model, documents):
    one, same, other = (next(model.draws(documents, 5, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)
    assert one.sum(axis=2) == pytest.approx(1)


def test_ends_hold_the_mean_of_what_matters_and_widen_with_the_level(model, documents):
    narrow, wide = model.intervals(documents, 0.5), model.intervals(documents, 0.95)
    assert (wide.lower <= narrow.lower).all()
    assert (wide.upper >= narrow.upper).all()
    large = narrow.mean > 0.1
    assert ((wide.lower <= wide.mean) & (wide.mean <= wide.upper))[large].all()


@COMPILED
def test_a_prior_of_each_document_can_be_given(model, documents):
    prior = np.full((4, 3), 0.2)
    prior[1] = [30.0, 10.0, 0.0]
    draws = np.concatenate(list(model.draws(documents, 400, prior=lambda rows: prior[rows])))
    assert draws[1].mean(axis=0) == pytest.approx([0.75, 0.25, 0.0], abs=0.02)
    np.testing.assert_allclose(draws[0], next(model.draws(documents, 400))[0], atol=0.02)


@pytest.mark.parametrize("level", [0.0, 0.995, 1.0, 90, float("nan")])
def test_a_level_is_a_probability_that_draws_can_tell(model, documents, level):
    with pytest.raises(ValueError, match=r"at most 0\.99"):
        model.intervals(documents, level)


def test_no_documents_have_no_intervals(model, documents):
    assert model.intervals(documents.rows([])).mean.shape == (0, 3)
