"""Where words are looked up: splits, files, and what is said where the order of words is not known."""

import math

import numpy as np
import pytest

from lda_app.corpus.folder import build_corpus
from lda_app.corpus.import_counts import CountFiles, import_counts
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.corpus.tokenize import Tokenizer
from lda_app.errors import CorpusError
from lda_app.evaluation.coherence import EPSILON, MEASURES, coherences
from lda_app.evaluation.reference import Reference

TEXTS = ["The orbit of the moon, and rockets", "Soil, seed and rain", "A moon's orbit; a rare apogee"] * 9


@pytest.fixture
def build(tmp_path):
    def made(**options):
        (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
        source = open_source(str(tmp_path / "texts.txt"), SourceOptions())
        return build_corpus(
            source, tmp_path / "corpus", PreprocessOptions(max_vocab=6), overwrite=True, **options
        )

    return made


def measured(corpus, reference, *names):
    topics = np.array([[corpus.vocabulary.index[word] for word in ("moon", "orbit", "rain")]])
    return {
        c.protocol: c for c in coherences(topics, corpus.vocabulary.words, reference, names or [*MEASURES])
    }


def test_a_split_is_measured_by_its_texts_with_the_words_that_were_pruned(build):
    corpus = build(test_fraction=0.3)
    by_split = measured(corpus, Reference.of_split(corpus, "train"))
    tokenizer = Tokenizer(corpus.preprocessor.options.tokenizer)
    documents = [tokenizer(text) for text in corpus.texts("train")]
    by_tokens = measured(corpus, Reference.of_tokens("train", documents))
    assert by_split["c_npmi"].num_tokens == sum(map(len, documents)) > corpus.split("train").num_tokens
    for name in MEASURES:
        assert by_split[name].per_topic == pytest.approx(by_tokens[name].per_topic, abs=1e-12)


def test_a_file_of_the_texts_gives_the_scores_of_the_split(build, tmp_path):
    corpus = build(test_fraction=0)
    file = measured(corpus, Reference.of_file(tmp_path / "texts.txt", corpus.preprocessor))
    split = measured(corpus, Reference.of_split(corpus, "train"))
    assert file["c_v"].reference == "texts.txt"
    for name in MEASURES:
        assert file[name].per_topic == pytest.approx(split[name].per_topic, abs=1e-12)
        assert file[name].num_documents == split[name].num_documents == len(TEXTS)


def test_without_texts_the_order_is_not_known_and_documents_remain(build):
    corpus = build(texts=False)
    reference = Reference.of_split(corpus, "train")
    assert set(measured(corpus, reference, "document_npmi", "u_mass")) == {"document_npmi", "u_mass"}
    with pytest.raises(CorpusError, match=r"c_v need the order of words.*--no-texts"):
        measured(corpus, reference, "c_v")


def test_imported_counts_have_no_order(tmp_path):
    (tmp_path / "counts.txt").write_text("2 0:1 1:2\n1 1:1\n")
    (tmp_path / "words.txt").write_text("moon\norbit\n")
    corpus = import_counts(CountFiles(tmp_path / "counts.txt", tmp_path / "words.txt"), tmp_path / "corpus")
    assert "imported" in Reference.of_split(corpus, "train").why_no_order
    with pytest.raises(CorpusError, match="imported as counts"):
        Reference.of_file(tmp_path / "words.txt", corpus.preprocessor)


def test_a_missing_file_and_one_without_words_are_named(build, tmp_path):
    corpus = build()
    with pytest.raises(CorpusError, match=r"gone.txt: no such file; --reference takes train, test"):
        Reference.of_file(tmp_path / "gone.txt", corpus.preprocessor)
    with pytest.raises(CorpusError, match="is a folder; --reference takes"):
        Reference.of_file(tmp_path, corpus.preprocessor)
    (tmp_path / "blank.txt").write_text("the\n\n42\n")
    with pytest.raises(CorpusError, match=r"blank.txt: no word in it"):
        measured(corpus, Reference.of_file(tmp_path / "blank.txt", corpus.preprocessor))


@pytest.mark.parametrize(
    ("name", "one_unseen", "all_unseen"),
    [
        ("document_npmi", (1 - 1 - 1) / 3, -1),
        ("c_npmi", (1 - 1 - 1) / 3, -1),
        ("c_uci", (math.log(2) + 2 * math.log(EPSILON)) / 3, math.log(EPSILON)),
        ("u_mass", (2 * math.log(2 * EPSILON) + 0) / 3, math.log(EPSILON)),
        ("c_v", 2 / 3, 0),
    ],
)
def test_words_that_never_occur_have_the_lowest_score_and_are_counted(name, one_unseen, all_unseen):
    words = ["moon", "orbit", "unseen", "nowhere", "never"]
    reference = Reference.of_tokens("mine", [["moon", "orbit"], ["soil"]])
    found = coherences(np.array([[0, 1, 2], [2, 3, 4]]), words, reference, [name])[0]
    assert found.unseen_words.tolist() == [1, 3]
    assert found.per_topic == pytest.approx([one_unseen, all_unseen], abs=1e-9)


def test_an_unseen_word_comes_first():
    reference = Reference.of_tokens("mine", [["moon", "orbit"], ["soil"]])
    score = coherences(np.array([[0, 1]]), ["unseen", "moon"], reference, ["u_mass"])[0].per_topic
    assert score == pytest.approx([math.log(EPSILON)])
