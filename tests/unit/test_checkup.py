"""What is found in a collection of texts before it is counted, and what is advised."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lda_app.corpus import checkup, counting
from lda_app.corpus.advice import advise, advise_on_encodings
from lda_app.corpus.checkup import check_up
from lda_app.corpus.documents import Document
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.corpus.sources.base import BaseSource
from lda_app.corpus.sources.encodings import encodings_of, read_anyway
from lda_app.corpus.tokenize import Tokenizer, TokenizerOptions

TOKENIZER = Tokenizer(TokenizerOptions(max_length=10))


class Listed(BaseSource):
    def __init__(self, texts):
        super().__init__("listed")
        self.texts = texts

    def _read(self):
        yield from (Document(f"d{number}", text) for number, text in enumerate(self.texts))

    def describe(self):
        return {}


@settings(deadline=None)
@given(st.text())
def test_a_form_is_explained_where_it_gives_no_word(text):
    for forms in TOKENIZER.forms(text):
        for form in forms:
            assert (TOKENIZER.explain(form) is None) == bool(TOKENIZER.read(form))


@pytest.mark.parametrize(
    ("form", "rule"),
    [
        ("the", "stop word"),
        ("don't", "stop word"),
        ("42", "number"),
        ("2nd", "number"),
        ("zz", "too short"),
        ("abcdefghijk", "too long"),
        ("我们今天讨论计算机科学的发展历史和未来", "clause"),
        ("orbit", None),
        ("shuttle's", None),
    ],
)
def test_the_rule_that_leaves_a_form_out(form, rule):
    assert TOKENIZER.explain(form) == rule


TEXTS = [
    *(
        f"Daily News\n\nthe rocket {name} reached orbit {n}\n-- \nsent from home"
        for n, name in enumerate("αβγδε")
    ),
    "Daily News\nthe goal of the season, a goal in the last minute of the game",
    "a seed in the soil and rain on it",
    "a  seed in the soil\nand rain on it",
    "",
    "12 34",
    "caf\ufffd cr\ufffdme",
]


def test_what_is_found():
    found = check_up(Listed(TEXTS), PreprocessOptions(min_df=2, max_df=5))
    assert (found.num_documents, found.num_empty, found.num_without_words) == (11, 1, 2)
    dropped = {rule.rule: rule for rule in found.dropped}
    assert dropped["number"].examples["12"] == 1
    assert dropped["stop word"].examples["the"] == 11
    words = Counter(word for text in TEXTS for word in Tokenizer(TokenizerOptions())(text))
    rare = dropped["in fewer than 2 documents"]
    assert rare.examples["goal"] == words["goal"] == 2
    assert dropped["in more than 5 documents"].examples == {"daily": 6, "news": 6}
    assert found.num_tokens + rare.tokens + dropped["in more than 5 documents"].tokens == words.total()
    assert found.num_garbled == 1
    assert (found.num_exact, found.num_near) == (1, 0)
    assert [(one.id, one.of, one.kind) for one in found.repeated] == [
        ("d7", "d6", "exact duplicate of an earlier document")
    ]
    assert {line.line: line.documents for line in found.boilerplate} == {"Daily News": 6, "sent from home": 5}
    assert found.lengths["max"] == max(len(Tokenizer(TokenizerOptions())(text)) for text in TEXTS)
    assert found.troubles == {"empty texts": 1}


def test_workers_and_chunks_change_nothing(monkeypatch):
    whole = check_up(Listed(TEXTS), PreprocessOptions(), workers=1)
    monkeypatch.setattr(counting, "_CHUNK_DOCUMENTS", 2)
    assert check_up(Listed(TEXTS), PreprocessOptions(), workers=2) == whole


def test_lines_are_counted_once_a_document():
    texts = ["page\npage\nmoon", "page\norbit", "page\nsun", "page"]
    assert [
        (line.line, line.documents) for line in check_up(Listed(texts), PreprocessOptions()).boilerplate
    ] == [("page", 3)]


def test_other_lines_in_the_same_counter_are_told_apart(monkeypatch):
    monkeypatch.setattr(checkup, "_line_hash", lambda line: 0)
    texts = [f"page\nline {name}" for name in ("one", "two", "three", "four")]
    assert [line.line for line in check_up(Listed(texts), PreprocessOptions()).boilerplate] == ["page"]


def troubles(texts, num_topics=2, language="en", **options):
    found = check_up(Listed(texts), PreprocessOptions(**options))
    return " | ".join(advice.trouble for advice in advise(found, num_topics, language))


def good_texts(number=60):
    names = [
        f"{first}{second}"
        for first in ("moon", "star", "sun", "comet")
        for second in ("light", "rise", "dust")
    ]
    words = [
        f"{name}{ending}"
        for name in names
        for ending in ("", "er", "ing", "ish", "less", "ward", "like", "hood", "ness")
    ]
    rng = random.Random(0)
    return [" ".join(rng.choices(words, k=30)) for _ in range(number)]


@pytest.mark.parametrize(
    ("texts", "more", "trouble"),
    [
        (good_texts(), {"num_topics": 20}, "60 documents with words for 20 topics: fewer than ten per topic"),
        ([*good_texts(), " ".join(good_texts())], {}, "document d60 has 50% of all tokens"),
        (["rocket orbit", "moon sun"] * 30, {}, "half of the documents have 2 counted words or fewer"),
        ([*good_texts(), *[""] * 9], {}, "documents without any counted word: 9 (9 of them empty)"),
        ([*good_texts(), *good_texts(3)], {}, "documents that repeat an earlier one: 3 (3 of them exactly)"),
        (
            [f"Daily News\n{text}" for text in good_texts()],
            {},
            "lines repeated in many documents: 1, one in 60",
        ),
        ([*good_texts(), "caf\ufffd"], {}, "documents with signs of a wrong encoding"),
        ([*good_texts(), "我们今天讨论计算机科学的发展历史和未来"], {}, "matched no word: 1"),
        (["Der Mond kreist heute um die Erde und die Sonne"] * 30, {}, "most documents are in de, but"),
        (["rocket orbit"] * 30, {}, "only 2 words would be counted"),
    ],
)
def test_what_is_warned_of(texts, more, trouble):
    assert trouble in troubles(texts, **more)


def test_nothing_is_warned_of_without_reason():
    assert troubles(good_texts()) == ""


def test_encodings_of_files(tmp_path):
    for name, data in {
        "a.txt": b"plain",
        "b.txt": "Málaga".encode(),
        "c.txt": "Málaga is a town".encode("cp1252"),
        "d.txt": "плохо".encode("cp1251"),
        "e.txt": bytes(range(256)),
    }.items():
        (tmp_path / name).write_bytes(data)
    source = open_source(str(tmp_path), SourceOptions())
    files = encodings_of(source)
    assert [file.encoding for file in files] == ["ascii", "utf-8", "cp1252", "unknown"]
    assert files[2].problem == "byte 1 (0xe1) is not utf-8"
    (advice,) = advise_on_encodings(files, "utf-8")
    assert "c.txt: byte 1 (0xe1) is not utf-8; similar files: 1" in advice.trouble
    read_anyway(source, files)
    assert [document.text for document in source][2] == "M\ufffdlaga is a town"


def test_a_file_in_utf_16_is_read_as_that(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("text\nMálaga\n".encode("utf-16"))
    source = open_source(str(path), SourceOptions())
    files = encodings_of(source)
    assert files[0].guess == "utf-16"
    read_anyway(source, files)
    assert [document.text for document in source] == ["Málaga"]


def test_a_byte_far_into_a_file_is_named(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("é".encode() * 600_000 + b"\xe9 and")
    assert (
        encodings_of(open_source(str(path), SourceOptions()))[0].problem == "byte 1200000 (0xe9) is not utf-8"
    )
