"""A model of another tool is measured as ours are."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lda_app.corpus.folder import Corpus, build_corpus
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.errors import CorpusError
from lda_app.evaluation.evaluate import evaluate
from lda_app.evaluation.imported import evaluate_imported
from lda_app.fitted.model import MeanFieldModel
from lda_app.interchange import DocTopics, ImportedModel

if TYPE_CHECKING:
    from pathlib import Path

PROTOCOLS = ("elbo", "document_completion")


@pytest.fixture
def corpus(tmp_path: Path, tiny_csv: Path) -> Corpus:
    """Sixty texts on three subjects, 24 words."""
    source = open_source(str(tiny_csv), SourceOptions(text_column="text", id_column="id"))
    return build_corpus(source, tmp_path / "corpus", PreprocessOptions(min_df=1), test_fraction=0.3)


def topics_of(corpus: Corpus) -> np.ndarray:
    """Counts (3, V) of the words of each subject, and a little of the others."""
    subject = np.array([int(id_.removeprefix("doc")) % 3 for id_ in corpus.documents("train")["id"]])
    rows = corpus.split("train").to_scipy().toarray()
    return np.array([rows[subject == k].sum(axis=0) for k in range(3)]) + 0.1


def model_of(corpus: Corpus, **parts: object) -> ImportedModel:
    words = corpus.vocabulary.words
    return ImportedModel.of("mine", topics_of(corpus), words, alpha=0.2, **parts)  # type: ignore[arg-type]


def test_figures_are_those_of_evaluate_whatever_the_order_of_words(corpus: Corpus) -> None:
    words, model = corpus.vocabulary.words, model_of(corpus)
    mixed = np.random.default_rng(0).permutation(len(words))
    shuffled = ImportedModel.of("m", topics_of(corpus)[:, mixed], [words[v] for v in mixed], alpha=0.2)
    fitted = MeanFieldModel(model.alpha, model.beta, corpus.vocabulary)
    expected = evaluate(fitted, corpus, protocols=PROTOCOLS).to_dict()
    found = evaluate_imported(shuffled, corpus, protocols=PROTOCOLS).to_dict()
    assert found["model"]["unknown_words"] == found["model"]["foreign_words"] == 0
    assert found["given_theta"] is None
    for name, perplexity in expected.pop("perplexity").items():
        assert found["perplexity"][name]["value"] == pytest.approx(perplexity["value"], rel=1e-12)
    # Sums over words differ in their last digit.
    assert found["significance"] == pytest.approx(expected.pop("significance"))
    for topic, known in zip(found["topics"], expected.pop("topics"), strict=True):
        divergences = {name: known.pop(name) for name in ("kl_uniform", "kl_vacuous")}
        assert {name: topic[name] for name in divergences} == pytest.approx(divergences)
        assert {name: topic[name] for name in known} == known
    assert {name: found[name] for name in expected} == expected


def test_words_that_either_side_lacks_are_counted(corpus: Corpus) -> None:
    words, counts = list(corpus.vocabulary.words), topics_of(corpus)
    unknown = corpus.vocabulary.index["moon"]
    foreign = np.full((3, 1), counts.sum(axis=1).min())
    kept = [v for v in range(len(words)) if v != unknown]
    model = ImportedModel.of(
        "m", np.hstack([counts[:, kept], foreign]), [words[v] for v in kept] + ["carburettor"]
    )
    found = evaluate_imported(model, corpus, protocols=PROTOCOLS).to_dict()
    moons = int(corpus.split("test").to_scipy()[:, [unknown]].sum())
    assert moons > 0
    assert found["out_of_vocabulary"]["num_tokens"] == moons
    assert found["perplexity"]["elbo"]["num_tokens"] == corpus.split("test").num_tokens - moons
    about = found["model"]
    assert (about["unknown_words"], about["unknown_words_examples"]) == (1, ["moon"])
    assert (about["foreign_words"], about["foreign_words_examples"]) == (1, ["carburettor"])
    assert 0.4 < about["foreign_mass_mean"] < 0.6
    assert about["alpha_is_known"] is False
    assert 1 < found["perplexity"]["document_completion"]["value"] < 24


def test_given_shares_are_scored_by_their_documents_ids(corpus: Corpus) -> None:
    ids = corpus.documents("test")["id"].tolist()
    shares = np.eye(3)[[int(id_.removeprefix("doc")) % 3 for id_ in ids]] * 0.9 + 0.1 / 3
    model = model_of(corpus)
    counts = corpus.split("test").to_scipy().toarray()
    expected = np.exp(-(counts * np.log(shares @ model.beta)).sum() / counts.sum())
    turned = DocTopics.of(shares[::-1], [*ids[::-1][:-1], "elsewhere"], name="theta")
    in_order = DocTopics.of(shares, name="theta")
    for doc_topics, missing in ((in_order, 0), (turned, 1)):
        given = evaluate_imported(
            model_of(corpus, doc_topics=doc_topics), corpus, protocols=PROTOCOLS
        ).given_theta
        assert given is not None
        assert (given.num_without_shares, given.num_without_document) == (missing, missing)
        assert given.value == pytest.approx(expected, rel=0.1 if missing else 1e-12)
    assert given.num_documents == len(ids) - 1


def test_a_token_that_the_given_shares_exclude_is_counted_and_makes_no_number(corpus: Corpus) -> None:
    beta = np.zeros((3, len(corpus.vocabulary)))
    beta[0, :12], beta[1:, 12:] = 1, 1
    num_documents = corpus.split("test").num_documents
    shares = DocTopics.of(np.tile([1.0, 0, 0], (num_documents, 1)), name="theta")
    model = ImportedModel.of("m", beta, corpus.vocabulary.words, doc_topics=shares)
    given = evaluate_imported(model, corpus, protocols=PROTOCOLS).given_theta
    assert given is not None
    assert given.value is None
    assert given.num_impossible == int(corpus.split("test").to_scipy()[:, 12:].sum())


def test_shares_of_other_documents_are_refused(corpus: Corpus, caplog: pytest.LogCaptureFixture) -> None:
    some = DocTopics.of(np.ones((5, 3)) / 3, name="theta")
    with pytest.raises(CorpusError, match="have no ids, and the 16 documents"):
        evaluate_imported(model_of(corpus, doc_topics=some), corpus, protocols=PROTOCOLS)
    foreign = DocTopics.of(np.ones((5, 3)) / 3, list("abcde"), name="theta")
    with pytest.raises(CorpusError, match="no id of the shares"):
        evaluate_imported(model_of(corpus, doc_topics=foreign), corpus, protocols=PROTOCOLS)
    named = DocTopics.of(np.ones((16, 3)) / 3, list(map(str, range(16))), name="theta")
    with caplog.at_level(logging.WARNING):
        evaluate_imported(model_of(corpus, doc_topics=named), corpus, protocols=PROTOCOLS)
    assert "taken in order" in caplog.text
