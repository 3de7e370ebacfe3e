"""Counting words of many texts, choosing the vocabulary, and counting raw text as the corpus was counted."""

import json
import os
import random
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lda_app.corpus import counting
from lda_app.corpus.counting import count_chunks, count_words
from lda_app.corpus.preprocess import PreprocessOptions, Preprocessor, prune
from lda_app.corpus.tokenize import Tokenizer, TokenizerOptions
from lda_app.corpus.vocabulary import Vocabulary
from lda_app.errors import ConfigError, CorpusError, FolderError, LdaAppError

TEXTS = st.lists(
    st.lists(st.sampled_from(["orbit", "moon's", "The", "rock'n'roll", "42", "café"])).map(" ".join)
)


def as_counters(counted):
    rows = counted.matrix.to_scipy()
    return [
        Counter({counted.words[word]: int(n) for word, n in zip(row.indices, row.data, strict=True)})
        for row in (rows[[i]] for i in range(counted.matrix.num_documents))
    ]


@settings(deadline=None)
@given(TEXTS)
def test_counts_are_those_of_the_tokenizer(texts):
    tokenizer = Tokenizer(TokenizerOptions())
    assert as_counters(count_words(tokenizer, texts)) == [Counter(tokenizer(text)) for text in texts]


@settings(deadline=None)
@given(TEXTS)
def test_counts_do_not_depend_on_how_many_tokens_are_held(texts):
    tokenizer = Tokenizer(TokenizerOptions())
    whole = as_counters(count_words(tokenizer, texts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_TOKENS_HELD", 2)
        assert as_counters(count_words(tokenizer, texts)) == whole


def test_workers_give_the_same_chunks_in_order(monkeypatch):
    monkeypatch.setattr(counting, "_CHUNK_DOCUMENTS", 3)
    texts = [f"orbit{number} moon" for number in range(20)]
    alone, shared = (list(count_chunks(texts, str, TokenizerOptions(), workers=n)) for n in (1, 2))
    assert [chunk for chunk, _ in alone] == [chunk for chunk, _ in shared]
    for (_, one), (_, other) in zip(alone, shared, strict=True):
        assert one.words == other.words
        assert np.array_equal(one.matrix.indices, other.matrix.indices)


@pytest.mark.skipif(sys.platform != "linux", reason="workers elsewhere do not see the patch")
def test_a_worker_that_is_killed_is_named(monkeypatch):
    monkeypatch.setattr(counting, "cpu_count", lambda: 2)  # on one core the killed process would be this one
    monkeypatch.setattr(Tokenizer, "forms", lambda *_: os._exit(9))
    with pytest.raises(LdaAppError, match="killed, possibly because memory ran out; use --workers 1"):
        list(count_chunks(["orbit"], str, TokenizerOptions(), workers=2))


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("the orbit of the moon", False),
        ("123456789 123456789 moon", True),
        ("我们今天讨论计算机科学的发展历史和未来 moon", True),
        ("", False),
        ("?!", False),
    ],
)
def test_texts_of_which_little_is_read(text, unread):
    assert count_words(Tokenizer(TokenizerOptions()), [text]).unread.tolist() == [unread]


WORDS = ["common", "often", "pair", "twin", "rare"]
FREQUENCY = np.array([10, 6, 2, 2, 1])


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, ["common", "often", "pair", "rare", "twin"]),
        ({"min_df": 2}, ["common", "often", "pair", "twin"]),
        ({"min_df": 0.2}, ["common", "often", "pair", "twin"]),
        ({"max_df": 6}, ["often", "pair", "rare", "twin"]),
        ({"max_df": 0.6}, ["often", "pair", "rare", "twin"]),
        ({"max_df": 1.0}, ["common", "often", "pair", "rare", "twin"]),
        ({"max_vocab": 3}, ["common", "often", "pair"]),
    ],
)
def test_pruning(options, kept):
    pruning = prune(WORDS, FREQUENCY, 10, PreprocessOptions(**options))
    assert list(pruning.words) == kept
    assert len(kept) + pruning.num_rare + pruning.num_common + pruning.num_beyond == len(WORDS)


@given(st.integers(1, 10**8), st.integers(1, 200), st.integers(0, 200))
def test_a_share_of_documents_is_the_fraction_that_was_meant(num_documents, part, rest):
    share, whole = part / (part + rest), part + rest
    least, most = -(-part * num_documents // whole), part * num_documents // whole
    frequencies = np.array([least - 1, least, most, most + 1])
    words = ["below", "least", "most", "above"]
    kept = prune(words, frequencies, num_documents, PreprocessOptions(min_df=share, max_df=1.0)).words
    assert "least" in kept
    assert "below" not in kept
    if most:
        kept = prune(words, frequencies, num_documents, PreprocessOptions(min_df=1, max_df=share)).words
        assert "most" in kept
        assert "above" not in kept


def test_pruning_does_not_depend_on_the_order_of_words():
    order = list(range(len(WORDS)))
    random.Random(0).shuffle(order)
    options = PreprocessOptions(max_vocab=3)
    shuffled = prune([WORDS[i] for i in order], FREQUENCY[order], 10, options)
    assert shuffled == prune(WORDS, FREQUENCY, 10, options)


@pytest.mark.parametrize(
    ("num_documents", "limits"),
    [(12, (1, 12)), (99, (1, 99)), (100, (1, 50)), (600, (3, 300)), (5000, (5, 2500))],
)
def test_default_limits_grow_with_the_corpus(num_documents, limits):
    pruning = prune(["orbit"], np.array([10]), num_documents, PreprocessOptions())
    assert (pruning.min_documents, pruning.max_documents) == limits


def test_default_limits_give_way_where_they_would_leave_no_word():
    pruning = prune(["same"], np.array([1000]), 1000, PreprocessOptions())
    assert pruning.words == ("same",)
    assert pruning.relaxed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_df": 50}, r"no words left with min_df=50 in 12 documents"),
        ({"max_df": 1, "min_df": 1}, r"no words left with min_df=1, max_df=1 in 12 documents"),
    ],
)
def test_limits_that_leave_no_word(options, message):
    with pytest.raises(CorpusError, match=message):
        prune(["orbit", "moon"], np.array([12, 9]), 12, PreprocessOptions(**options))


def test_documents_without_words():
    with pytest.raises(CorpusError, match="no words left: 12 training documents contain only stop words"):
        prune([], np.zeros(0, dtype=np.int64), 12, PreprocessOptions())


def test_a_share_below_a_number_is_found_when_the_documents_are_known():
    with pytest.raises(ConfigError, match=r"--max-df 0\.1 is below --min-df 5 for 20 training documents"):
        prune(["orbit"], np.array([3]), 20, PreprocessOptions(min_df=5, max_df=0.1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_df": 5, "max_df": 4}, "--max-df 4 is below --min-df 5"),
        ({"min_df": 0}, "--min-df must be"),
        ({"min_df": -1}, "--min-df must be"),
        ({"min_df": 1.5}, "--min-df must be"),
        ({"min_df": True}, "--min-df must be"),
        ({"max_df": float("nan")}, "--max-df must be"),
        ({"max_df": 0.0}, "--max-df must be"),
        ({"max_vocab": 0}, "--max-vocab must be"),
        ({"max_vocab": 2.5}, "--max-vocab must be"),
    ],
)
def test_options_that_cannot_be_used(options, message):
    with pytest.raises(ConfigError, match=message):
        PreprocessOptions(**options)


@pytest.fixture
def preprocessor():
    options = PreprocessOptions(TokenizerOptions(normalize="stem", stop_words=("the",)), min_df=2)
    return Preprocessor(options, Vocabulary(("moon", "orbit")))


def test_counts_of_raw_text(preprocessor):
    counted = preprocessor.count_all(["the moon orbits", "", "apogee apogee moon"])
    assert counted.matrix.to_scipy().toarray().tolist() == [[1, 1], [0, 0], [1, 0]]
    assert counted.unknown_tokens.tolist() == [0, 0, 2]
    assert preprocessor.counts([]).shape == (0, 2)


def test_counts_do_not_depend_on_the_company(preprocessor):
    texts = ["moon orbit orbit", "apogee", "orbit"]
    together = preprocessor.counts(texts)
    for row, text in enumerate(texts):
        indices, counts, _ = preprocessor.count(text)
        alone = together.rows([row])
        assert indices.tolist() == alone.indices.tolist()
        assert counts.tolist() == alone.counts.tolist()


def test_json_holds_all_that_counting_needs(preprocessor):
    content = json.loads(json.dumps(preprocessor.to_json()))
    assert content["tokenizer"]["stop_words"] == ["the"]
    again = Preprocessor.from_json(content, preprocessor.vocabulary)
    assert again.options == preprocessor.options
    assert again.count("the orbits, the apogee")[1:] == (np.array([1]), 1)


def test_json_names_the_default_stop_words():
    content = Preprocessor(PreprocessOptions(), Vocabulary(("moon",))).to_json()
    assert "the" in content["tokenizer"]["stop_words"]


@pytest.mark.parametrize("content", [{}, {"tokenizer": 1}, {"tokenizer": {"stop_words": [], "what": 1}}])
def test_damaged_json(content):
    with pytest.raises(FolderError, match=r"preprocess\.json is damaged"):
        Preprocessor.from_json(content, Vocabulary(("moon",)))
