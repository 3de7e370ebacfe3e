"""Phrases: NPMI, what is found in a stream, how texts are counted, and n-grams as scikit-learn has them."""

import itertools
import json
import math
from collections import Counter
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from lda_app.corpus import phrases, two_pass
from lda_app.corpus.counting import read_tokens
from lda_app.corpus.documents import Document
from lda_app.corpus.folder import build_corpus, open_corpus
from lda_app.corpus.phrases import PhraseOptions, Phrases, as_phrases, learn, npmi
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources.base import BaseSource
from lda_app.corpus.tokenize import Tokenizer, TokenizerOptions
from lda_app.errors import ConfigError

FEW_STOP_WORDS = TokenizerOptions(stop_words=("the", "of", "met", "over"))
PLAIN = TokenizerOptions(stop_words="none", min_length=1)
WORDS = ["a", "b", "c", "d"]
STREAM = st.lists(st.sampled_from([0, 1, 2, 3, -1]), max_size=60)


class Listed(BaseSource):
    def __init__(self, documents):
        super().__init__("listed")
        self.documents = documents

    def _read(self):
        yield from self.documents

    def describe(self):
        return {}


def listed(texts, split="train"):
    return [Document(f"{split}{number}", text, split=split) for number, text in enumerate(texts)]


def ids(*numbers):
    return np.array([*numbers, -1], dtype=np.int32)


def reaches(pair, left, right, total, tenths):
    """Whether NPMI is at least so many tenths, in whole numbers: ln(x) / ln(y) >= t / 10 if x^10 >= y^t."""
    return Fraction(pair * total, left * right) ** 10 >= Fraction(total, pair) ** tenths or pair == total


def slow_pairs(stream, min_count, tenths):
    """Count all adjacent pairs of a list one by one, and choose among them without rounding."""
    single = Counter(word for word in stream if word != -1)
    pair = Counter(pair for pair in itertools.pairwise(stream) if -1 not in pair)
    total = sum(single.values())
    return {
        (left, right): count
        for (left, right), count in pair.items()
        if count >= min_count and reaches(count, single[left], single[right], total, tenths)
    }


def slow_join(stream, pairs):
    """Join pairs from left to right, one by one."""
    joined = []
    while stream:
        width = 2 if tuple(stream[:2]) in pairs else 1
        joined.append(stream[0] if width == 1 else tuple(stream[:2]))
        stream = stream[width:]
    return joined


@settings(deadline=None)
@given(STREAM, st.integers(1, 3), st.integers(-10, 10), st.integers(1, 10))
@example([0, 0, 0], 1, -10, 1)  # NPMI is -1, which floating-point numbers miss by a digit
def test_pairs_are_those_of_an_exact_count(stream, min_count, tenths, block):
    blocks, begin = [], 0
    for place, word in enumerate([*stream, -1]):
        if word == -1 and place - begin >= block:
            blocks.append(np.array([*stream, -1][begin : place + 1], dtype=np.int32))
            begin = place + 1
    blocks.append(np.array([*stream, -1][begin:], dtype=np.int32))
    options = PhraseOptions(2, min_count, tenths / 10)
    (found,) = learn(lambda: blocks, WORDS, options, min_count)
    counted = {(WORDS.index(p.left), WORDS.index(p.right)): p.count for p in found}
    assert counted == slow_pairs(stream, min_count, tenths)


@settings(deadline=None)
@given(STREAM)
def test_phrases_are_joined_from_left_to_right(stream):
    pairs = {(0, 1), (1, 0), (2, 2)}
    names = tuple((WORDS[left], WORDS[right]) for left, right in pairs)
    found, counts = Phrases((names,)).count(ids(*stream), np.array([len(stream) + 1]), WORDS)
    expected = Counter(
        WORDS[word] if isinstance(word, int) else " ".join(WORDS[part] for part in word)
        for word in slow_join(stream, pairs)
        if word != -1
    )
    assert {name: n for name, n in zip(found, counts.toarray()[0].tolist(), strict=True) if n} == expected


COUNTS = st.integers(1, 10**12)


@st.composite
def occurrences(draw):
    """Draw counts of a pair, of its parts, and of all tokens, of which a pair takes two."""
    pair = draw(COUNTS)
    left, right = (pair + draw(st.integers(0, 10**12)) for _ in range(2))
    return pair, left, right, left + right + draw(st.integers(0, 10**12))


@given(occurrences())
def test_npmi_is_what_its_formula_says_and_between_its_bounds(counts):
    with mpmath.workdps(60):
        pair, left, right, total = map(mpmath.mpf, counts)
        exact = float(mpmath.log(pair * total / (left * right)) / mpmath.log(total / pair))
    assert npmi(*counts) == pytest.approx(exact, rel=1e-15, abs=1e-15)
    assert -1 <= npmi(*counts) <= 1


@given(st.integers(1, 10**6), st.integers(0, 10), st.integers(1, 10))
def test_a_limit_that_is_reached_exactly_is_reached(base, tenths, pair):
    # A pair of t tenths: p N / (l r) = (N / p)^(t / 10), of N / p = base^10 and l r = p² base^(10 - t).
    total, right = pair * (base + 1) ** 10, pair * (base + 1) ** (10 - tenths)
    assert npmi(pair, pair, right, total) == tenths / 10


def test_a_phrase_of_three_words_is_a_phrase_and_a_word():
    stream = np.concatenate([ids(0, 1, 2)] * 9 + [ids(0, 1)] * 3 + [ids(3), ids(2)] * 3)
    options = PhraseOptions(min_count=5, min_npmi=0.3)
    pairs, triples = learn(lambda: [stream], ["new", "york", "times", "moon"], options, 5)
    assert [phrase.text for phrase in pairs] == ["new york", "york times"]
    # New York comes first in each text, so York Times is left in none.
    assert [(phrase.text, phrase.count) for phrase in triples] == [("new york times", 9)]
    found = as_phrases([pairs, triples], options)
    names, counts = found.count(ids(0, 1, 2, 3, 0, 1), np.array([7]), ["new", "york", "times", "moon"])
    counted = dict(zip(names, counts.toarray()[0].tolist(), strict=True))
    assert {name: n for name, n in counted.items() if n} == {"new york times": 1, "new york": 1, "moon": 1}


def test_a_phrase_has_one_stop_word_at_most_and_no_frequent_one():
    stream = np.concatenate([ids(0, 1, 2)] * 9 + [ids(2, 3)] * 9 + [ids(0, 3)] * 3_000)
    stop = np.array([True, True, False, False])
    (found,) = learn(lambda: [stream], ["the", "new", "york", "moon"], PhraseOptions(2, 5, -1.0), 5, stop)
    assert [phrase.text for phrase in found] == ["new york", "york moon"]
    names, counts = as_phrases([found], PhraseOptions()).count(
        ids(0, 1, 2, 1), np.array([5]), ["the", "new", "york", "moon"], stop
    )
    assert {name: n for name, n in zip(names, counts.toarray()[0].tolist(), strict=True) if n} == {
        "new york": 1
    }


def test_few_counters_find_the_same(monkeypatch):
    stream = np.random.default_rng(0).integers(-1, 30, 4_000).astype(np.int32)
    words = [f"w{n}" for n in range(30)]
    found = learn(lambda: [stream], words, PhraseOptions(2, 6, 0.0), 6)
    monkeypatch.setattr(phrases, "_COUNTER_BITS", 4)
    monkeypatch.setattr(phrases, "_COUNTERS", 16)
    assert learn(lambda: [stream], words, PhraseOptions(2, 6, 0.0), 6) == found
    assert found[0]


@pytest.mark.parametrize(
    ("text", "sequence"),
    [
        ("New York", ["new", "york"]),
        ("new-york new_york", ["new", "york", "new", "york"]),
        ("new, york", ["new", None, "york"]),
        ("bank of america", ["bank", None, "america"]),
        ("new 5 york", ["new", None, "york"]),
        ("Málaga: café", ["málaga", None, "café"]),
        ("the orbit don't", ["the", "orbit", None]),
    ],
)
def test_what_stands_between_words(text, sequence):
    stream = read_tokens(Tokenizer(TokenizerOptions()), [text])
    assert [None if number < 0 else stream.words[number] for number in stream.ids[:-1]] == sequence


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["orbit", "moon's", "The", "rock'n'roll", "42", "café", "."])).map(" ".join)
    )
)
def test_a_stream_has_the_words_of_the_tokenizer(texts):
    tokenizer = Tokenizer(TokenizerOptions())
    stream = read_tokens(tokenizer, texts)
    rows = np.split(stream.ids, stream.ends[:-1]) if texts else []
    assert [[stream.words[n] for n in row if n >= 0 and not stream.stop[n]] for row in rows] == [
        tokenizer(text) for text in texts
    ]


TEXTS = [
    *["the mayor of new york met the new york times"] * 6,
    *["new moon over york", "times change", "a new day", "the moon and the york river"] * 2,
]


def build(tmp_path, options, *, train=TEXTS, test=(), **more):
    source = Listed([*listed(train), *listed(test, "test")])
    return build_corpus(source, tmp_path / f"corpus{len(list(tmp_path.iterdir()))}", options, **more)


def test_phrases_of_a_corpus_are_counted_alike_in_any_text(tmp_path, monkeypatch):
    monkeypatch.setattr(two_pass, "_TOKENS_AT_A_TIME", 5)
    options = PreprocessOptions(FEW_STOP_WORDS, phrases=PhraseOptions(min_count=5, min_npmi=0.3))
    corpus = build(tmp_path, options, test=["old york times", "new york"])
    assert {"new york", "new york times"} <= set(corpus.vocabulary.words)
    assert corpus.manifest["phrases"] == 3  # "york times" too, which "new york" leaves nothing of
    assert corpus.manifest["options"]["phrases"] == "up to 3 words, at least 5 times, NPMI at least 0.3"
    assert (corpus.path / "phrases.csv").read_text().splitlines()[0] == "phrase,count,npmi"
    preprocessor = open_corpus(corpus.path).preprocessor
    for split in corpus.splits:
        raw = preprocessor.counts(corpus.documents(split)["text"]).to_scipy().toarray()
        assert raw.tolist() == corpus.split(split).to_scipy().toarray().tolist()
    assert json.loads((corpus.path / "preprocess.json").read_text())["found_phrases"]["rounds"]


def test_phrases_are_learned_from_training_documents_alone(tmp_path):
    options = PreprocessOptions(phrases=PhraseOptions(2, 5, 0.3))
    elsewhere = ["white house"] * 9
    assert "white house" not in build(tmp_path, options, test=elsewhere).vocabulary.words
    assert "white house" in build(tmp_path, options, train=[*TEXTS, *elsewhere]).vocabulary.words


def test_phrases_do_not_depend_on_the_number_of_workers(tmp_path):
    options = PreprocessOptions(FEW_STOP_WORDS, phrases=PhraseOptions(min_count=5, min_npmi=0.3))
    one, two = (build(tmp_path, options, workers=n) for n in (1, 2))
    assert one.fingerprint == two.fingerprint


def test_a_corpus_in_which_none_is_found_is_as_it_would_be_without(tmp_path):
    none = PreprocessOptions(phrases=PhraseOptions(min_count=1_000))
    assert build(tmp_path, none).fingerprint == build(tmp_path, PreprocessOptions()).fingerprint


@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("min_df", [1, 3])
def test_ngrams_are_those_of_scikit_learn(tmp_path, width, min_df):
    options = PreprocessOptions(PLAIN, min_df=min_df, max_df=1.0, phrases=PhraseOptions.ngrams(width))
    corpus = build(tmp_path, options)
    vectorizer = CountVectorizer(ngram_range=(1, width), min_df=min_df, token_pattern=r"\w+")
    expected = vectorizer.fit_transform(TEXTS)
    assert corpus.vocabulary.words == tuple(vectorizer.get_feature_names_out())
    assert corpus.split("train").to_scipy().toarray().tolist() == expected.toarray().tolist()
    other = ["new york river", "times of the moon over the old river"]
    counted = corpus.preprocessor.count_all(other)
    assert counted.matrix.to_scipy().toarray().tolist() == vectorizer.transform(other).toarray().tolist()


def test_a_pruned_ngram_is_no_unknown_token(tmp_path):
    options = PreprocessOptions(PLAIN, min_df=6, max_df=1.0, phrases=PhraseOptions.ngrams(2))
    counted = build(tmp_path, options).preprocessor.count_all(["new moon", "old york"])
    assert counted.unknown_tokens.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_words": 4}, "take 2 or 3 words"),
        ({"min_count": 0}, "--phrase-count must be at least 1"),
        ({"min_npmi": 1.5}, "--phrase-npmi must be between -1 and 1"),
        ({"min_npmi": math.nan}, "--phrase-npmi must be between -1 and 1"),
    ],
)
def test_options_that_cannot_be_used(values, message):
    with pytest.raises(ConfigError, match=message):
        PhraseOptions(**values)
