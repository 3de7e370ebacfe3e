"""Minibatches: what an epoch visits, and that a step's batch depends on nothing but seed and step."""

import numpy as np
import pytest
from scipy import sparse

from lda_app.corpus.batches import ShuffledBatches, consecutive_batches, make_batch
from lda_app.corpus.doc_term import DocTermMatrix

NUM_DOCUMENTS = 57


@pytest.fixture(scope="module")
def doc_term():
    counts = np.random.default_rng(0).poisson(0.3, size=(NUM_DOCUMENTS, 40))
    return DocTermMatrix.from_scipy(sparse.csr_array(counts))


def dense(batch, num_words):
    counts = np.zeros((batch.num_documents, num_words), dtype=int)
    counts[batch.document_of, batch.words[batch.columns]] = batch.counts
    return counts


def test_a_batch_has_the_counts_of_its_rows(doc_term):
    rows = np.array([5, 3, 40])
    batch = make_batch(doc_term, rows)
    assert (dense(batch, 40) == doc_term.to_scipy().toarray()[rows]).all()
    assert batch.lengths().tolist() == doc_term.lengths()[rows].tolist()


def test_consecutive_batches_are_the_matrix(doc_term):
    whole = np.vstack([dense(batch, 40) for batch in consecutive_batches(doc_term, 10)])
    assert (whole == doc_term.to_scipy().toarray()).all()


@pytest.mark.parametrize("batch_size", [1, 7, 10, 30, 57, 1000])
def test_an_epoch_visits_every_document_once(doc_term, batch_size):
    rows = np.arange(2, NUM_DOCUMENTS)
    batches = ShuffledBatches(doc_term, rows, batch_size, seed=0)
    orders = []
    for epoch in range(2):
        steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
        orders.append(np.concatenate([batches[step].rows for step in steps]))
        assert sorted(orders[-1]) == rows.tolist()
    assert batch_size >= len(rows) or not np.array_equal(*orders)


@pytest.mark.parametrize(("batch_size", "sizes"), [(30, {27, 28}), (20, {18, 19}), (40, {55}), (1000, {55})])
def test_batches_are_of_one_size_near_the_one_asked_for(doc_term, batch_size, sizes):
    batches = ShuffledBatches(doc_term, np.arange(55), batch_size, seed=0)
    assert {batches[step].num_documents for step in range(20)} == sizes


def test_documents_visited_are_those_of_the_batches(doc_term):
    batches = ShuffledBatches(doc_term, np.arange(NUM_DOCUMENTS), 10, seed=0)
    sizes = [batches[step].num_documents for step in range(15)]
    assert [batches.num_visited(step) for step in range(16)] == [0, *np.cumsum(sizes)]


def test_a_step_is_the_same_whichever_came_before_and_another_by_another_seed(doc_term):
    rows = np.arange(NUM_DOCUMENTS)
    forwards, backwards, other = (ShuffledBatches(doc_term, rows, 10, seed=seed) for seed in (3, 3, 4))
    first = [forwards[step].rows.tolist() for step in range(12)]
    assert [backwards[step].rows.tolist() for step in reversed(range(12))] == first[::-1]
    assert [other[step].rows.tolist() for step in range(12)] != first
