"""Top words, prevalence and representative documents."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted import topics
from lda_app.fitted.topics import describe, top_columns, top_words, usage


def infer(doc_term):
    """Stand-in inference: two words, a topic each."""
    return 0.5 + doc_term.to_scipy().toarray()


@pytest.fixture
def documents():
    return DocTermMatrix.from_scipy(np.random.default_rng(0).poisson(1.0, (100, 2)))


def test_top_words_are_those_of_a_full_sort():
    beta = np.random.default_rng(0).dirichlet(np.ones(40), size=6)
    assert (top_words(beta, 7) == np.argsort(-beta, axis=1)[:, :7]).all()


def test_equally_probable_words_come_in_the_vocabulary_s_order():
    assert top_words(np.full((2, 30), 1 / 30), 4).tolist() == [[0, 1, 2, 3]] * 2


ROW = st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=40, max_size=40)


@given(st.lists(ROW, min_size=1, max_size=5), st.integers(1, 40))
def test_of_equal_values_those_of_the_first_columns_are_the_largest(values, number):
    expected = [sorted(range(40), key=lambda column, row=row: -row[column])[:number] for row in values]
    assert top_columns(np.array(values), number).tolist() == expected


def test_a_small_vocabulary_gives_all_its_words():
    assert top_words(np.array([[0.2, 0.5, 0.3]]), 10).tolist() == [[1, 2, 0]]


def test_usage_by_definition(documents):
    gamma = infer(documents)
    theta = gamma / gamma.sum(axis=1, keepdims=True)
    filled = documents.lengths() > 0
    used = usage(documents, infer, num_documents=4)
    assert used.prevalence == pytest.approx(theta[filled].mean(axis=0))
    assert used.num_documents == filled.sum()
    assert used.num_tokens == documents.num_tokens
    for topic in range(2):
        shares = theta[filled, topic]
        assert used.shares[topic] == pytest.approx(np.sort(shares)[::-1][:4])
        assert theta[used.rows[topic], topic] == pytest.approx(used.shares[topic])


def test_usage_does_not_depend_on_blocks(documents, monkeypatch):
    whole = usage(documents, infer, num_documents=3)
    monkeypatch.setattr(topics, "_BLOCK", 7)
    blocks = usage(documents, infer, num_documents=3)
    assert blocks.prevalence == pytest.approx(whole.prevalence)
    assert blocks.rows.tolist() == whole.rows.tolist()


@pytest.mark.parametrize(("asked", "given"), [(0, 0), (2, 2), (9, 3)])
def test_there_are_no_more_representative_documents_than_documents(asked, given):
    few = DocTermMatrix.from_scipy([[1, 0], [0, 2], [0, 0], [1, 1]])
    assert usage(few, infer, num_documents=asked).rows.shape == (2, given)


def test_usage_needs_a_word():
    with pytest.raises(ValueError, match="at least one document with a word"):
        usage(DocTermMatrix.from_scipy([[0, 0]]), infer)


def test_topics_are_ordered_by_prevalence_and_keep_their_ids():
    beta = np.array([[0.9, 0.1], [0.2, 0.8]])
    used = usage(DocTermMatrix.from_scipy([[0, 5], [0, 3], [1, 0]]), infer, num_documents=1)
    described = describe(beta, ["moon", "engine"], 2, used=used, coherence=np.array([0.5, -0.25]))
    assert [topic.id for topic in described] == [1, 0]
    first = described[0]
    assert [(word.word, word.probability) for word in first.words] == [("engine", 0.8), ("moon", 0.2)]
    assert first.coherence == -0.25
    assert first.documents[0].row == 0
    assert first.documents[0].share == pytest.approx(5.5 / 6)


def test_without_a_corpus_the_model_s_order_stays():
    described = describe(np.array([[0.9, 0.1], [0.2, 0.8]]), ["moon", "engine"], 1)
    assert [(topic.id, topic.prevalence, topic.coherence, topic.documents) for topic in described] == [
        (0, None, None, ()),
        (1, None, None, ()),
    ]
