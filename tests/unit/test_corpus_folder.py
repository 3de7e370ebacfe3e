"""The corpus folder: nothing lost, the same bytes for the same input, and what cannot be built."""

import csv
import json
import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lda_app.corpus import counting, document_table
from lda_app.corpus.document_table import DocumentWriter, read_documents
from lda_app.corpus.documents import Document
from lda_app.corpus.folder import build_corpus, open_corpus
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources.base import BaseSource
from lda_app.corpus.tokenize import TokenizerOptions
from lda_app.corpus.two_pass import SplitRule
from lda_app.errors import ConfigError, CorpusError, FolderError

# Every script and oddity, counted by default: of these counts are the fingerprints that models name.
ODD_TEXTS = (
    "The shuttle's 3 engines don't reach Málaga’s orbit, 42 ft. above the café",
    "e\u0301te\u0301 naïve Straße so\u00adft or\u200bbit \u202elunar\u202c co2 2nd state-of-the-art",
    "कार्यक्रम مرحبا объект 计算机 科学 我们今天讨论计算机科学的发展历史和未来",
    "İSTANBUL Istanbul rock'n'roll O’Brien <script>alert(1)</script>",
    "ภาษาไทย こんにちは 한국어 Ελληνικά עברית",
    "",
    "the of and",
    "orbit orbit moon shuttle engines",
)
FINGERPRINT = "40010c15563d03fb45a8e9257870b7a5554ff96086c321cf6b633115e09b0374"

OPTIONS = PreprocessOptions(TokenizerOptions(stop_words=("the",)))


class Listed(BaseSource):
    """Documents of a list, one of which was dropped."""

    def __init__(self, documents, dropped=()):
        super().__init__("listed")
        self.documents, self.dropped = documents, dropped

    def _read(self):
        self.left_out.extend(self.dropped)
        yield from self.documents

    def describe(self):
        return {"kind": "listed", "documents": len(self.documents)}


def texts(*texts, **more):
    return Listed([Document(f"d{number}", text) for number, text in enumerate(texts)], **more)


def some_documents(number=40):
    topics = ["orbit moon rocket", "goal team season", "soil seed rain"]
    return Listed(
        [
            Document(f"d{i}", f"{topics[i % 3]} word{i % 7}", metadata={"topic": str(i % 3)})
            for i in range(number)
        ]
    )


NO_WORDS = "only stop words, or words that are too short or too long"


def all_bytes(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_document_keeps_its_row(tmp_path):
    source = texts("moon orbit", "the", "orbit orbit", "", dropped=[("listed:9", "no text")])
    corpus = build_corpus(source, tmp_path / "corpus", OPTIONS, test_fraction=0)
    assert corpus.splits == ("train",)
    assert corpus.vocabulary.words == ("moon", "orbit")
    assert corpus.split("train").to_scipy().toarray().tolist() == [[1, 1], [0, 0], [0, 2], [0, 0]]
    assert corpus.documents("train")["id"].tolist() == ["d0", "d1", "d2", "d3"]
    assert corpus.left_out().to_numpy().tolist() == [
        ["train", "1", "d1", NO_WORDS],
        ["train", "3", "d3", NO_WORDS],
        ["", "", "listed:9", "no text"],
    ]
    message = "documents without any vocabulary word, kept as empty rows"
    assert corpus.manifest["warnings"][message] == 2


def test_default_counts_are_those_of_earlier_versions(tmp_path):
    corpus = build_corpus(texts(*ODD_TEXTS), tmp_path / "corpus", PreprocessOptions(), test_fraction=0)
    assert corpus.fingerprint == FINGERPRINT


def test_the_language_is_detected(tmp_path):
    words = [
        "Der Mond kreist um die Erde",
        "Die Erde kreist um die Sonne",
        "Der Mond scheint heute sehr hell",
    ]
    automatic = PreprocessOptions(TokenizerOptions(language="auto", normalize="stem"))
    corpus = build_corpus(texts(*words), tmp_path / "auto", automatic, test_fraction=0)
    german = PreprocessOptions(TokenizerOptions(language="de", normalize="stem"))
    given = build_corpus(texts(*words), tmp_path / "de", german, test_fraction=0)
    assert corpus.fingerprint == given.fingerprint
    assert corpus.manifest["language"] == {"code": "de", "documents": {"de": 3}}
    assert corpus.manifest["options"]["language"] == "auto"
    assert corpus.manifest["stop_word_list"].endswith(", de")
    assert "py3langid" in corpus.manifest["tools"]
    assert corpus.preprocessor.options.tokenizer.language == "de"


def test_the_user_s_lists_are_named_in_the_manifest_and_kept_with_the_counts(tmp_path):
    tokenizer = TokenizerOptions(
        keep_words=("it",), drop_words=("goal",), replacements=(("moon", "luna"), ("C++", "cplusplus"))
    )
    source = texts("it is the moon, a goal", "it runs C++", "moon of it")
    corpus = build_corpus(
        source, tmp_path / "corpus", PreprocessOptions(tokenizer, min_df=2), test_fraction=0
    )
    assert corpus.vocabulary.words == ("it", "luna")
    options = corpus.manifest["options"]
    assert options["keep_words"].startswith("1 given words, sha256 ")
    assert options["replacements"].startswith("2 given words, sha256 ")
    assert corpus.manifest["stop_word_list"].endswith(", en, plus 1 from --drop-words")
    reopened = open_corpus(corpus.path).preprocessor.options.tokenizer
    assert (reopened.keep_words, reopened.replacements) == (tokenizer.keep_words, tokenizer.replacements)
    assert "goal" in reopened.stop_words


def test_words_to_keep_are_not_pruned(tmp_path):
    tokenizer = TokenizerOptions(keep_words=("moon", "common", "nowhere"))
    source = texts("moon common orbit goal", "common orbit goal", "common orbit goal")
    options = PreprocessOptions(tokenizer, min_df=2, max_df=2, max_vocab=2)
    corpus = build_corpus(source, tmp_path / "corpus", options, test_fraction=0)
    assert corpus.vocabulary.words == ("common", "moon")
    assert corpus.manifest["pruning"]["words_too_common"] == 2


def test_what_pruning_leaves_out_is_counted_and_named(tmp_path):
    source = texts("moon orbit", "apogee", "moon orbit apogees")
    corpus = build_corpus(source, tmp_path / "corpus", PreprocessOptions(min_df=2), test_fraction=0)
    assert corpus.left_out()["reason"].tolist() == ["no words left after pruning"]
    assert corpus.manifest["pruning"]["tokens"] == {"train": 2}
    assert corpus.manifest["splits"]["train"]["tokens"] == 4
    assert corpus.manifest["warnings"]["documents without any vocabulary word, kept as empty rows"] == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_input_gives_the_same_bytes(tmp_path, monkeypatch, workers):
    monkeypatch.setattr(counting, "_CHUNK_DOCUMENTS", 7)
    build_corpus(some_documents(), tmp_path / "first", OPTIONS, workers=1)
    build_corpus(some_documents(), tmp_path / "second", OPTIONS, workers=workers)
    first, second = all_bytes(tmp_path / "first"), all_bytes(tmp_path / "second")
    assert sorted(first) == [
        "documents-test.parquet", "documents-train.parquet",
        "left_out.csv", "manifest.json", "preprocess.json",
        "test/counts.npy", "test/indices.npy", "test/indptr.npy",
        "train/counts.npy", "train/indices.npy", "train/indptr.npy", "vocabulary.txt",
    ]  # fmt: skip
    assert first == second


def test_the_folder_holds_no_place_and_no_leftovers(tmp_path):
    build_corpus(some_documents(), tmp_path / "corpus", OPTIONS)
    assert all(str(tmp_path).encode() not in content for content in all_bytes(tmp_path / "corpus").values())
    assert [entry.name for entry in tmp_path.iterdir()] == ["corpus"]


def test_splits_of_the_source_are_kept(tmp_path):
    splits = ["test", "train", "test", "train"]
    source = Listed([Document(str(i), "moon orbit", split=split) for i, split in enumerate(splits)])
    corpus = build_corpus(source, tmp_path / "corpus", OPTIONS, test_fraction=0.9)
    assert corpus.documents("train")["id"].tolist() == ["1", "3"]
    assert corpus.documents("test")["id"].tolist() == ["0", "2"]


def test_the_vocabulary_is_fitted_on_the_training_split_alone(tmp_path):
    source = Listed([Document("a", "moon orbit", split="train"), Document("b", "apogee moon", split="test")])
    corpus = build_corpus(source, tmp_path / "corpus", OPTIONS)
    assert corpus.vocabulary.words == ("moon", "orbit")
    assert corpus.split("test").to_scipy().toarray().tolist() == [[1, 0]]


def test_the_split_is_of_the_expected_size_and_depends_on_the_seed():
    documents = [Document(str(number), "") for number in range(2000)]
    chosen = [{d.id for d in documents if SplitRule(0.1, seed).split_of(d) == "test"} for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert 150 < len(chosen[0]) < 250


def test_a_documents_split_does_not_depend_on_the_others(tmp_path):
    whole = build_corpus(some_documents(40), tmp_path / "whole", OPTIONS, test_fraction=0.4)
    part = build_corpus(some_documents(20), tmp_path / "part", OPTIONS, test_fraction=0.4)
    assert set(part.documents("test")["id"]) <= set(whole.documents("test")["id"])


def test_a_single_document_is_trained_on_and_warned_of(tmp_path):
    corpus = build_corpus(texts("moon orbit"), tmp_path / "corpus", OPTIONS, test_fraction=0.99)
    assert corpus.splits == ("train",)
    assert corpus.manifest["warnings"]["training documents, too few for topics"] == 1


def test_identical_documents_and_single_words_are_warned_of(tmp_path):
    source = texts(*["moon orbit"] * 300, "moon")
    corpus = build_corpus(source, tmp_path / "corpus", OPTIONS, test_fraction=0)
    warnings = corpus.manifest["warnings"]
    assert warnings["documents with a single word"] == 1
    assert warnings["words kept although the default --min-df or --max-df excludes them"] == 2


def test_texts_that_are_hardly_read_are_warned_of(tmp_path):
    source = texts("我们今天讨论计算机科学的发展历史和未来", "moon orbit")
    corpus = build_corpus(source, tmp_path / "corpus", OPTIONS, test_fraction=0)
    message = "documents in which more than half of the characters matched no token"
    assert corpus.manifest["warnings"][message] == 1


def test_more_words_than_wanted_are_warned_of(tmp_path):
    options = PreprocessOptions(max_vocab=2)
    source = texts("moon orbit", "moon orbit shuttle")
    corpus = build_corpus(source, tmp_path / "corpus", options, test_fraction=0)
    assert corpus.vocabulary.words == ("moon", "orbit")
    assert corpus.manifest["warnings"]["words pruned beyond --max-vocab 2"] == 1


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (texts("the", "the the"), OPTIONS, "no words left: 2 training documents contain only stop words"),
        (texts("", ""), OPTIONS, "no words left"),
        (texts(), OPTIONS, "listed contains no documents"),
        (texts("moon", "moon"), OPTIONS, "only one word left, 'moon'"),
        (texts(*["moon"] * 12), PreprocessOptions(min_df=50), "no words left with min_df=50 in 12 documents"),
        (Listed([Document("a", "moon", split="test")]), OPTIONS, "all documents are in the test split"),
    ],
)
def test_nothing_is_written_where_no_word_is_left(tmp_path, source, options, message):
    with pytest.raises(CorpusError, match=message):
        build_corpus(source, tmp_path / "corpus", options, test_fraction=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fraction", [-0.1, 1.0, float("nan")])
def test_a_share_of_test_documents_that_cannot_be(tmp_path, fraction):
    with pytest.raises(ConfigError, match="--test-fraction must be at least 0"):
        build_corpus(texts("moon"), tmp_path / "corpus", OPTIONS, test_fraction=fraction)


def test_raw_text_is_counted_as_the_corpus_was(tmp_path):
    corpus = build_corpus(some_documents(), tmp_path / "corpus", OPTIONS)
    assert corpus.preprocessor is not None
    counted = corpus.preprocessor.counts(corpus.documents("train")["text"])
    assert np.array_equal(counted.indices, corpus.split("train").indices)
    assert np.array_equal(counted.counts, corpus.split("train").counts)


def test_texts_may_stay_out(tmp_path):
    corpus = build_corpus(some_documents(), tmp_path / "corpus", OPTIONS, texts=False)
    assert corpus.documents("train").columns.tolist() == ["id", "topic"]
    assert b"orbit moon" not in b"".join(all_bytes(tmp_path / "corpus").values())


def test_ids_that_a_spreadsheet_would_run_are_made_inert(tmp_path):
    source = Listed([Document("a", "moon orbit"), Document("=1+1", "", metadata={"@x": "=2"})])
    corpus = build_corpus(source, tmp_path / "corpus", OPTIONS, test_fraction=0)
    with (corpus.path / "left_out.csv").open(newline="") as stream:
        assert [row[2] for row in csv.reader(stream)] == ["id", "'=1+1"]
    assert corpus.documents("train")["id"].tolist() == ["a", "=1+1"]


def test_fingerprints_tell_counts_apart_and_nothing_else(tmp_path):
    prints = [
        build_corpus(source, tmp_path / str(number), OPTIONS, test_fraction=0).fingerprint
        for number, source in enumerate(
            [
                texts("moon orbit"),
                Listed([Document("other id", "orbit, moon")]),
                texts("moon orbit orbit"),
                texts("moon apogee"),
            ]
        )
    ]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_a_damaged_file_is_named(tmp_path):
    corpus = build_corpus(some_documents(), tmp_path / "corpus", OPTIONS)
    file = corpus.path / "train" / "counts.npy"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(FolderError, match=r"counts\.npy"):
        open_corpus(corpus.path)


def test_a_split_that_is_not_there(tmp_path):
    corpus = build_corpus(texts("moon orbit"), tmp_path / "corpus", OPTIONS)
    with pytest.raises(ConfigError, match="no split 'test'; set --split to one of train"):
        corpus.split("test")


METADATA = st.dictionaries(st.sampled_from(["id", "text", "metadata.id", "year", "ä b"]), st.text(max_size=3))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(METADATA, min_size=1, max_size=3), min_size=1, max_size=4))
def test_documents_come_back_as_they_were(tmp_path_factory, groups):
    path = tmp_path_factory.mktemp("table") / "documents.parquet"
    with DocumentWriter(path) as writer:
        for group in groups:
            writer.append([Document("i", "t", metadata=metadata) for metadata in group])
    rows = read_documents(path).to_dict("records")
    for row, metadata in zip(rows, [metadata for group in groups for metadata in group], strict=True):
        named = {document_table._column(name): value for name, value in metadata.items()}
        assert {name: value for name, value in row.items() if not pd.isna(value)} == {
            "id": "i", "text": "t", **named,
        }  # fmt: skip
    assert [file.name for file in path.parent.iterdir()] == ["documents.parquet"]


def test_manifest_counts_are_those_of_the_matrices(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "lda_app"):
        corpus = build_corpus(some_documents(), tmp_path / "corpus", OPTIONS)
    manifest = json.loads((corpus.path / "manifest.json").read_text())
    for split in corpus.splits:
        matrix = corpus.split(split)
        assert manifest["splits"][split]["documents"] == matrix.num_documents
        assert manifest["splits"][split]["tokens"] == matrix.num_tokens
    assert manifest["num_words"] == len(corpus.vocabulary)
    assert not caplog.records
