"""Where words stand in texts, against the tokenizer's own list of words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lda_app.corpus import counting, positions
from lda_app.corpus.phrases import Phrases
from lda_app.corpus.positions import positions_in_texts, positions_in_tokens
from lda_app.corpus.tokenize import Tokenizer, TokenizerOptions

OPTIONS = TokenizerOptions(stop_words=("the", "we"))
NUMBERS = {"orbit": 0, "moon": 1, "café": 2}
TEXTS = st.lists(
    st.lists(st.sampled_from(["orbit", "moon's", "The", "rock'n'roll", "42", "café"])).map(" ".join)
)


def as_lists(found):
    """Return (length, [(place, word), …]) of each document."""
    return [
        (
            int(part.lengths[d]),
            [(int(part.places[i]), int(part.words[i])) for i in range(*part.indptr[d : d + 2])],
        )
        for part in found
        for d in range(len(part.lengths))
    ]


def by_definition(documents):
    return [
        (len(words), [(place, NUMBERS[word]) for place, word in enumerate(words) if word in NUMBERS])
        for words in documents
    ]


@settings(deadline=None)
@given(TEXTS)
def test_places_are_those_of_the_tokenizer(texts):
    documents = list(map(Tokenizer(TokenizerOptions()), texts))
    expected = by_definition(documents)
    assert as_lists(positions_in_texts(texts, TokenizerOptions(), NUMBERS)) == expected
    assert as_lists(positions_in_tokens(documents, NUMBERS)) == expected


@settings(deadline=None)
@given(TEXTS)
def test_a_text_in_pieces_gives_the_same_places(texts):
    expected = by_definition(map(Tokenizer(TokenizerOptions()), texts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_TOKENS_HELD", 1)
        patch.setattr("lda_app.corpus.tokenize._PIECE", 5)
        assert as_lists(positions_in_texts(texts, TokenizerOptions(), NUMBERS)) == expected


def test_workers_give_the_same_places_in_order(monkeypatch):
    monkeypatch.setattr(counting, "_CHUNK_DOCUMENTS", 3)
    texts = [f"{'orbit ' * (n % 4)}sun {'moon ' * (n % 3)}" for n in range(20)]
    alone, shared = (as_lists(positions_in_texts(texts, TokenizerOptions(), NUMBERS, n)) for n in (1, 2))
    assert alone == shared == by_definition(text.split() for text in texts)


def test_lists_of_words_come_in_blocks(monkeypatch):
    monkeypatch.setattr(positions, "_DOCUMENTS_AT_A_TIME", 2)
    documents = [["moon"], [], ["orbit", "moon"], ["sun"], ["sun", "moon", "moon"]]
    blocks = list(positions_in_tokens(iter(documents), NUMBERS))
    assert len(blocks) == 3
    assert as_lists(blocks) == by_definition(documents)
    assert blocks[0].places.dtype == np.int64


def test_a_phrase_is_a_word_at_one_place():
    phrases = Phrases(((("new", "york"),), (("new york", "times"),)))
    numbers = {"new york": 0, "new york times": 1, "york": 2, "read": 3}
    texts = ["We read the New York Times", "", "york, new York read"]
    found = as_lists(positions_in_texts(texts, OPTIONS, numbers, phrases=phrases))
    assert found == [(2, [(0, 3), (1, 1)]), (0, []), (3, [(0, 2), (1, 0), (2, 3)])]


def test_an_n_gram_stands_where_its_first_word_does():
    phrases = Phrases(((("new", "york"), ("york", "times")),), keep_parts=True)
    numbers = {"new york": 0, "york": 1, "york times": 2}
    found = as_lists(positions_in_texts(["the new york times"], OPTIONS, numbers, phrases=phrases))
    assert found == [(3, [(0, 0), (1, 1), (1, 2)])]


@settings(deadline=None)
@given(TEXTS)
def test_without_any_phrase_places_are_those_of_words(texts):
    plain, none = (
        as_lists(positions_in_texts(texts, TokenizerOptions(), NUMBERS, phrases=phrases))
        for phrases in (None, Phrases(()))
    )
    assert plain == none
