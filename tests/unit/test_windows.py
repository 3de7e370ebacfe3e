"""Counts of sliding windows against visiting every window."""

import numpy as np
import pytest

from lda_app.corpus.positions import positions_in_tokens
from lda_app.evaluation.windows import WHOLE_DOCUMENT, WindowCounter

WORDS = [f"w{number}" for number in range(30)]
TOPICS = np.array([[0, 3, 5, 9], [1, 2, 3, 4], [9, 8, 0, 29], [20, 21, 22, 0]])


def documents(seed, lengths=(0, 1, 2, 9, 10, 11, 40, 130, 0, 25)):
    rng = np.random.default_rng(seed)
    return [[WORDS[i] for i in np.minimum(29, rng.geometric(0.15, size=n) - 1)] for n in lengths]


def counted(texts, window, *, as_gensim):
    counter = WindowCounter(TOPICS, len(WORDS), window, as_gensim=as_gensim)
    for found in positions_in_tokens(texts, {word: i for i, word in enumerate(WORDS)}):
        counter.add(found)
    return counter


def windows_of(text, window):
    return [text[s : s + window] for s in range(max(1, len(text) - window + 1))]


def visited(texts, window, *, as_gensim):
    """Keep the set of words inside from window to window, as gensim does, or make it anew."""
    together = np.zeros((*TOPICS.shape, TOPICS.shape[1]), dtype=np.int64)
    for text in texts:
        inside, leaving = set(), None
        for number, words in enumerate(windows_of(text, window)):
            slides = as_gensim and number > 0
            inside = (inside - {leaving}) | {words[-1]} if slides else set(words)
            leaving = words[0] if words else None
            has = np.array([[WORDS[i] in inside for i in topic] for topic in TOPICS])
            together += has[:, :, None] & has[:, None, :]
    return together


@pytest.mark.parametrize("as_gensim", [True, False])
@pytest.mark.parametrize("window", [1, 2, 5, 10, 110, WHOLE_DOCUMENT])
@pytest.mark.parametrize("seed", [0, 1])
def test_counts_are_those_of_visiting_each_window(seed, window, as_gensim):
    texts = documents(seed)
    counter = counted(texts, window, as_gensim=as_gensim)
    assert counter.num_windows == sum(len(windows_of(text, window)) for text in texts)
    assert np.array_equal(counter.together(), visited(texts, window, as_gensim=as_gensim))


def test_a_word_that_recurs_is_where_the_two_ways_differ():
    texts = [["w0", "w1", "w0", "w3", "w3", "w3"]]
    exact, gensim = (counted(texts, 3, as_gensim=way).together()[0, 0, 0] for way in (False, True))
    assert (exact, gensim) == (3, 1)


def test_the_walk_is_the_same_without_compilation(monkeypatch):
    texts = documents(2)
    compiled = counted(texts, 10, as_gensim=True).together()
    from lda_app.evaluation import windows

    monkeypatch.setattr(windows, "_leave", getattr(windows._leave, "py_func", windows._leave))
    walk = windows._count_overlaps
    monkeypatch.setattr(windows, "_count_overlaps", getattr(walk, "py_func", walk))
    assert np.array_equal(counted(texts, 10, as_gensim=True).together(), compiled)


def test_blocks_of_documents_add_up(monkeypatch):
    texts = documents(3)
    whole = counted(texts, 10, as_gensim=True)
    monkeypatch.setattr("lda_app.corpus.positions._DOCUMENTS_AT_A_TIME", 3)
    parts = counted(texts, 10, as_gensim=True)
    assert parts.num_windows == whole.num_windows
    assert np.array_equal(parts.together(), whole.together())


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one word, got 0"):
        WindowCounter(TOPICS, len(WORDS), 0)
