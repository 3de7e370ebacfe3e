"""Tokenizer: what a word is in any script, stop words, stems and lemmas, and what options are refused."""

import logging
import unicodedata

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from lda_app.corpus import tokenize
from lda_app.corpus.tokenize import Tokenizer, TokenizerOptions, resolve_stop_words
from lda_app.corpus.word_lists import read_replacements, read_stop_words, read_words
from lda_app.errors import ConfigError, CorpusError

PLAIN = TokenizerOptions(stop_words="none")


@settings(deadline=None)
@given(st.text())
def test_words_are_clean_whatever_the_text(text):
    for word in Tokenizer(PLAIN)(text):
        assert word[0].isalpha()
        assert unicodedata.is_normalized("NFC", word)
        assert not regex.search(r"[\p{C}\p{Z}\p{P}]", word)
        assert word == word.lower()
        assert len(word) <= PLAIN.max_length


@settings(deadline=None)
@given(st.text(st.characters(codec="ascii")))
def test_the_quick_way_for_ascii_is_the_general_way(text):
    quick = Tokenizer(PLAIN)(text)
    general = Tokenizer(PLAIN)(text + " é")
    assert quick == general


@settings(deadline=None)
@given(st.lists(st.sampled_from(["orbit", "don't", "3d", "Málaga", "计算机", "\u200b"])))
def test_a_long_text_is_cut_between_words(words):
    text = " ".join(words)
    with pytest.MonkeyPatch.context() as patch:
        whole = Tokenizer(PLAIN)(text)
        patch.setattr(tokenize, "_PIECE", 4)
        assert Tokenizer(PLAIN)(text) == whole


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The shuttle's orbit; 42 ft, co2 2nd", ["shuttle", "orbit", "co2"]),
        ("state-of-the-art rock'n'roll O’Brien", ["art", "rock", "roll", "brien"]),
        ("e\u0301te\u0301 naïve Straße", ["été", "naïve", "straße"]),
        ("so\u00adft or\u200bbit \u202elunar\u202c", ["soft", "orbit", "lunar"]),
        ("<script>alert(1)</script> a\u2028b `tick`", ["script", "alert", "script", "tick"]),
        ("कार्यक्रम مرحبا объект", ["कार्यक्रम", "مرحبا", "объект"]),
        ("İSTANBUL Istanbul", ["istanbul", "istanbul"]),
        ("计算机 科学 机", ["计算机", "科学"]),
        ("我们今天讨论计算机科学的发展历史和未来", []),
        ("a" * 41 + " " + "b" * 40, ["b" * 40]),
        ("", []),
    ],
)
def test_words(text, words):
    assert Tokenizer(TokenizerOptions())(text) == words


@pytest.mark.parametrize(
    ("options", "text", "words"),
    [
        (TokenizerOptions(language="fr"), "C'est l'amour qu'il aime", ["amour", "aime"]),
        (TokenizerOptions(language="uk"), "здоров'я", ["здоров'я"]),
        (TokenizerOptions(language="tr", stop_words="none"), "IŞIK İPEK", ["ışık", "ipek"]),
        (TokenizerOptions(lowercase=False), "The US Congress", ["Congress"]),
        (TokenizerOptions(min_length=1, stop_words="none"), "x y2 the", ["x", "y2", "the"]),
        (TokenizerOptions(stop_words=("Orbit",)), "orbit ORBIT the moon", ["the", "moon"]),
        (TokenizerOptions(normalize="stem"), "orbiting orbits", ["orbit", "orbit"]),
        (TokenizerOptions(normalize="lemma"), "mice orbits", ["mouse", "orbit"]),
        (TokenizerOptions(language="de", normalize="lemma"), "Die Häuser", ["haus"]),
        (TokenizerOptions(normalize="lemma", stop_words=("mouse",)), "mice", []),
        (TokenizerOptions(keep_words=("US", "911", "it's")), "it's the us, 911 42", ["it's", "us", "911"]),
        (TokenizerOptions(keep_words=("US",), lowercase=False), "US Us us", ["US"]),
        (TokenizerOptions(keep_words=("mice",), normalize="lemma"), "mice geese", ["mice", "goose"]),
        (TokenizerOptions(language="zh", keep_words=("月",)), "月球 月", ["月球", "月"]),
        (TokenizerOptions(drop_words=("Moon",)), "the moon's orbit", ["orbit"]),
        (TokenizerOptions(drop_words=("mouse",), normalize="lemma"), "mice orbit", ["orbit"]),
    ],
)
def test_options(options, text, words):
    assert Tokenizer(options)(text) == words


def test_a_word_is_read_once():
    tokenizer = Tokenizer(PLAIN)
    assert tokenizer.read("orbit") is tokenizer.read("orbit")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"language": "english"}, "--language 'english' has no stop words; closest: en"),
        ({"language": "EN"}, "closest: en"),
        ({"language": "tr", "normalize": "stem"}, "--language 'tr' has no stemmer"),
        ({"language": "zh", "normalize": "lemma"}, "--language 'zh' has no lemmas"),
        ({"normalize": "lemmas"}, "must be none, stem or lemma"),
        ({"stop_words": "some"}, "stop words must be"),
        ({"min_length": 0}, "--min-length must be at least 1"),
        ({"min_length": 5, "max_length": 4}, "at most --max-length"),
    ],
)
def test_options_that_cannot_be_used(options, message):
    with pytest.raises(ConfigError, match=message):
        TokenizerOptions(**options)


def test_any_language_does_without_its_list():
    assert resolve_stop_words(TokenizerOptions(language="xx", stop_words="none")) == frozenset()


def test_stop_words_of_a_file(tmp_path):
    path = tmp_path / "stop.txt"
    path.write_text("\ufeff# mine\nThe moon\n\ncafe\u0301\n", encoding="utf-8")
    options = TokenizerOptions(stop_words=read_stop_words(path))
    assert resolve_stop_words(options) == {"the", "moon", "café"}


def test_a_missing_or_undecodable_list_is_an_input_error(tmp_path):
    with pytest.raises(CorpusError, match="cannot read the stop words: No such file"):
        read_stop_words(tmp_path / "none.txt")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(CorpusError, match="byte 3 is not UTF-8"):
        read_stop_words(tmp_path / "latin.txt")


def test_an_empty_list_is_warned_of(tmp_path, caplog):
    (tmp_path / "empty.txt").write_text("# none\n")
    with caplog.at_level(logging.WARNING, "lda_app"):
        assert read_stop_words(tmp_path / "empty.txt") == ()
    assert "contains no stop words" in caplog.text


REPLACEMENTS = (
    ("C++", "cplusplus"), ("C", "clang"), ("united states of america", "usa"), ("U.S.A.", "usa"),
    ("cafe\u0301s", "coffee house"), ("sic", ""), ("月球", "月亮"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C++ and C, not Cobol or C++11", ["cplusplus", "clang", "cobol", "clang"]),
        ("The United\n States  of America; the U.S.A.", ["usa", "usa"]),
        ("cafés Cafe\u0301s", ["coffee", "house", "coffee", "house"]),
        ("orbit sic moon", ["orbit", "moon"]),
        ("classic unsic", ["classic", "unsic"]),
        ("我看月球吧", ["我看 月亮 吧"]),
    ],
)
def test_replacements(text, words):
    options = TokenizerOptions(replacements=REPLACEMENTS)
    assert Tokenizer(options)(text) == [word for part in words for word in Tokenizer(PLAIN)(part)]


def test_replacements_of_the_case_that_is_kept():
    options = TokenizerOptions(replacements=(("US", "USA"),), lowercase=False, stop_words="none")
    assert Tokenizer(options)("US saw us") == ["USA", "saw"]


def test_a_word_to_keep_and_to_drop():
    with pytest.raises(ConfigError, match="'moon' is in both --keep-words and --drop-words"):
        TokenizerOptions(keep_words=("moon",), drop_words=("moon", "orbit"))


def test_words_of_a_file(tmp_path):
    path = tmp_path / "keep.txt"
    path.write_text("# mine\nUS us\n\nit\n", encoding="utf-8")
    assert read_words(path, "--keep-words") == ("US", "it", "us")
    path.write_text("# none\n")
    with pytest.raises(CorpusError, match="contains no words; --keep-words needs a file"):
        read_words(path, "--keep-words")


def test_replacements_of_a_file(tmp_path):
    path = tmp_path / "replace.tsv"
    path.write_text('# mine\nUnited  States\tusa\n\n"a, b",ab\nsic,\n', encoding="utf-8")
    assert read_replacements(path) == (("United States", "usa"), ("a, b", "ab"), ("sic", ""))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# one\nmoon\n", ":2: expected two columns"),
        ("a,b,c\n", ":1: expected two columns"),
        (" ,b\n", ":1: expected two columns"),
        ("a,b\n\na,c\n", ":3: 'a' already has a replacement in an earlier line"),
        ("", "contains no replacements"),
    ],
)
def test_replacements_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "replace.csv"
    path.write_text(content)
    with pytest.raises(CorpusError, match=message):
        read_replacements(path)
