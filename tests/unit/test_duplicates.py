"""Duplicates: exact ones, near ones as their similarity says, and what is left out of a corpus."""

import random

import numpy as np
import pytest

from lda_app.corpus import counting, duplicates
from lda_app.corpus.documents import Document
from lda_app.corpus.duplicates import find_duplicates, fingerprints
from lda_app.corpus.folder import build_corpus
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources.base import BaseSource
from lda_app.corpus.tokenize import Tokenizer, TokenizerOptions
from lda_app.errors import ConfigError

WORDS = [f"w{number}" for number in range(3_000)]
TOKENIZER = Tokenizer(TokenizerOptions())


class Listed(BaseSource):
    def __init__(self, texts):
        super().__init__("listed")
        self.texts = texts

    def _read(self):
        yield from (Document(f"d{number}", text) for number, text in enumerate(self.texts))

    def describe(self):
        return {}


def shingles(text):
    words = text.split()
    return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


def jaccard(one, other):
    one, other = shingles(one), shingles(other)
    return len(one & other) / len(one | other)


def changed(text, words, rng):
    """Put other words in the place of some."""
    parts = text.split()
    for place in rng.sample(range(len(parts)), words):
        parts[place] = rng.choice(WORDS)
    return " ".join(parts)


def some_text(rng, length):
    return " ".join(rng.choices(WORDS, k=length))


@pytest.mark.parametrize("length", [20, 100, 400])
@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_signatures_estimate_the_similarity(length, share):
    rng = random.Random(0)
    texts = [some_text(rng, length) for _ in range(60)]
    others = [changed(text, round(share * length), rng) for text in texts]
    one, other = (fingerprints(TOKENIZER, part, near=True).near for part in (texts, others))
    estimate = (one == other).mean(axis=1)
    truth = np.array([jaccard(a, b) for a, b in zip(texts, others, strict=True)])
    assert abs((estimate - truth).mean()) < 0.02
    assert np.sqrt(((estimate - truth) ** 2).mean()) < 0.08


def test_texts_that_share_nothing_are_not_similar():
    rng = random.Random(1)
    signatures = fingerprints(TOKENIZER, [some_text(rng, 100) for _ in range(50)], near=True).near
    agreement = [(signatures[0] == row).mean() for row in signatures[1:]]
    assert max(agreement) < 0.05


def test_near_duplicates_are_found_and_others_are_not():
    rng = random.Random(2)
    originals = [some_text(rng, 200) for _ in range(200)]
    near = [changed(text, 3, rng) for text in originals[:100]]
    far = [changed(text, 40, rng) for text in originals[100:]]
    assert min(jaccard(*pair) for pair in zip(originals, near, strict=False)) > 0.9
    assert max(jaccard(*pair) for pair in zip(originals[100:], far, strict=True)) < 0.7
    found = find_duplicates([*originals, *near, *far], "near")
    assert {place: duplicate.of for place, duplicate in found.items()} == {200 + n: n for n in range(100)}
    assert not any(duplicate.exact for duplicate in found.values())
    assert find_duplicates([*originals, *near, *far], "exact") == {}


@pytest.mark.parametrize("way", ["exact", "near"])
def test_workers_and_blocks_change_nothing(monkeypatch, way):
    rng = random.Random(3)
    texts = [some_text(rng, 50) for _ in range(40)]
    texts += [changed(text, 1, rng) for text in texts] + texts
    whole = find_duplicates(texts, way, workers=1)
    monkeypatch.setattr(counting, "_CHUNK_DOCUMENTS", 7)
    monkeypatch.setattr(duplicates, "_PAIRS_AT_A_TIME", 5)
    assert find_duplicates(texts, way, workers=2) == whole
    assert len(whole) >= 40


@pytest.mark.parametrize("way", ["exact", "near"])
def test_empty_texts_are_no_duplicates(way):
    assert find_duplicates(["", "  ", "", "\n"], way) == {}
    assert find_duplicates([], way) == {}


def test_texts_without_a_space_between_words():
    text = "今天我们讨论计算机科学的发展，还有历史。明天见"
    assert find_duplicates([text, text], "near")[1].exact


TEXTS = ["the orbit of the moon is round", "a goal", "The orbit of the moon is round!", "a  goal", "", ""]


@pytest.mark.parametrize(
    ("way", "rows", "kinds"),
    [
        ("none", ["d0", "d1", "d2", "d3", "d4", "d5"], {}),
        ("exact", ["d0", "d1", "d2", "d4", "d5"], {"d3": "exact duplicate of an earlier document: d1"}),
        (
            "near",
            ["d0", "d1", "d4", "d5"],
            {
                "d2": "near duplicate of an earlier document: d0",
                "d3": "exact duplicate of an earlier document: d1",
            },
        ),
    ],
)
def test_duplicates_are_left_out_of_a_corpus_with_the_reason(tmp_path, way, rows, kinds):
    options = PreprocessOptions(drop_duplicates=way)
    corpus = build_corpus(Listed(TEXTS), tmp_path / "corpus", options, test_fraction=0)
    assert corpus.documents("train")["id"].tolist() == rows
    left_out = corpus.left_out()
    dropped = left_out[left_out["split"] == ""]
    assert dict(zip(dropped["id"], dropped["reason"], strict=True)) == kinds
    counted = {reason: n for reason, n in corpus.manifest["left_out"].items() if "duplicate" in reason}
    assert sum(counted.values()) == len(kinds)
    assert all(":" not in reason for reason in counted)
    assert corpus.manifest["options"]["drop_duplicates"] == way


def test_another_way_is_refused():
    with pytest.raises(ConfigError, match="--drop-duplicates must be none, exact or near, got 'all'"):
        PreprocessOptions(drop_duplicates="all")
