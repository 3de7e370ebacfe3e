"""Vocabulary: order, ids, fingerprint, and the file with one word a line."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lda_app.corpus.vocabulary import Vocabulary
from lda_app.errors import CorpusError

WORDS = st.lists(
    st.text(st.characters(categories=["L", "M", "N", "P", "S"]), min_size=1, max_size=12),
    min_size=1,
    unique=True,
).map(tuple)


@settings(deadline=None)
@given(WORDS)
def test_saved_and_opened_is_the_same(words):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocabulary.txt"
        Vocabulary(words).save(path)
        again = Vocabulary.open(path)
    assert again.words == words
    assert again.fingerprint == Vocabulary(words).fingerprint


@settings(deadline=None)
@given(WORDS)
def test_ids_are_places(words):
    vocabulary = Vocabulary(words)
    assert [vocabulary.index[word] for word in words] == list(range(len(vocabulary)))


def test_fingerprint_depends_on_order_and_boundaries():
    prints = {Vocabulary(words).fingerprint for words in [("a", "b"), ("b", "a"), ("ab",)]}
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"moon\n\norbit\n", "line 2 is blank"),
        (b"moon\norbit\nmoon\n", "line 3 repeats the word 'moon' of line 1"),
        (b"", "empty"),
        (b"\n", "line 1 is blank"),
        (b"caf\xe9\n", "byte 3 is not UTF-8"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, content, message):
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=message) as caught:
        Vocabulary.open(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(CorpusError, match="No such file"):
        Vocabulary.open(tmp_path / "none.txt")


def test_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes(b"\xef\xbb\xbfmoon\r\norbit\r\n")
    assert Vocabulary.open(path).words == ("moon", "orbit")


@pytest.mark.parametrize("words", [("a", ""), ("a", "a"), ("a\nb",)])
def test_no_vocabulary_of_blanks_or_duplicates(words):
    with pytest.raises(CorpusError):
        Vocabulary(words)
