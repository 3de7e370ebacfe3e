"""All figures of a model together, on a corpus made by hand."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.vocabulary import Vocabulary
from lda_app.errors import CorpusError
from lda_app.evaluation.coherence import npmi
from lda_app.evaluation.evaluate import evaluate
from lda_app.evaluation.perplexity import Effort, perplexities

ALPHA = np.full(3, 0.1)
WORDS = Vocabulary(tuple(f"w{number:02}" for number in range(40)))
BETA = np.random.default_rng(0).dirichlet(np.full(40, 0.1), size=3)


def sample(num_documents, seed):
    generator = np.random.default_rng(seed)
    theta = generator.dirichlet(ALPHA, num_documents)
    return DocTermMatrix.from_scipy(generator.poisson(20 * theta @ BETA))


@dataclass
class FakeCorpus:
    matrices: dict
    path: Path = Path("corpus")
    fingerprint: str = "f00d"
    pruned: int | None = 7
    vocabulary: Vocabulary = WORDS
    preprocessor: None = None
    splits: tuple = field(init=False)

    def __post_init__(self):
        self.splits = tuple(self.matrices)

    def split(self, name):
        return self.matrices[name]

    def num_pruned(self, name):
        return self.pruned


def infer(doc_term):
    responsibilities = BETA / BETA.sum(axis=0)
    return ALPHA + doc_term.to_scipy() @ responsibilities.T


@pytest.fixture
def model(inferred):
    return inferred(ALPHA, BETA, infer)


@pytest.fixture
def corpus():
    return FakeCorpus({"train": sample(200, 1), "test": sample(80, 2)})


def test_each_figure_has_its_protocol_and_is_the_one_of_its_function(model, corpus):
    result = evaluate(model, corpus, seed=5).to_dict()
    test = corpus.split("test")
    perplexity = result["perplexity"]
    assert list(perplexity) == ["elbo", "elbo_document_mean", "importance", "document_completion"]
    expected = perplexities(list(perplexity), test, infer, ALPHA, BETA, seed=5)
    assert [p["value"] for p in perplexity.values()] == [p.value for p in expected]
    assert all(p["num_documents"] > 0 and p["num_tokens"] > 0 for p in perplexity.values())
    measured = [(c["reference_split"], c["protocol"]) for c in result["coherence"]]
    assert measured == [("train", "document_npmi"), ("train", "u_mass"), ("test", "document_npmi")]
    top = np.argsort(-BETA, axis=1)[:, :10]
    assert result["coherence"][2]["value"] == pytest.approx(npmi(top, test).mean())
    assert "imported" in result["coherence_left_out"]
    assert result["live_topics"]["value"] == 3
    assert result["schema_version"] == 2


def test_each_perplexity_has_an_interval_around_it_and_says_what_was_sampled(model, corpus):
    found = evaluate(model, corpus, confidence=0.8).to_dict()["perplexity"]
    for figure in found.values():
        assert figure["interval"]["low"] < figure["value"] < figure["interval"]["high"]
        assert figure["interval"]["confidence"] == 0.8
        assert "bootstrap over documents" in figure["interval"]["method"]
    assert found["importance"]["settings"] == {"num_samples": 100}


def test_protocols_are_chosen_by_name_and_as_much_is_sampled_as_asked(model, corpus):
    effort = Effort(left_to_right_particles=2, max_documents=5)
    found = evaluate(model, corpus, protocols=["left_to_right"], effort=effort).to_dict()
    assert list(found["perplexity"]) == ["left_to_right"]
    figure = found["perplexity"]["left_to_right"]
    assert figure["settings"] == {"num_particles": 2, "num_runs": 2}
    assert (figure["num_documents"], figure["num_not_drawn"]) == (5, 75)


def test_words_out_of_the_vocabulary_are_counted(model, corpus):
    found = evaluate(model, corpus).to_dict()["out_of_vocabulary"]
    tokens = corpus.split("test").num_tokens
    assert found == {
        "split": "test",
        "num_tokens": 7,
        "share": pytest.approx(7 / (7 + tokens)),
        "why_unknown": None,
    }


def test_words_out_of_the_vocabulary_are_unknown_where_counts_were_imported(model, corpus):
    corpus.pruned = None
    found = evaluate(model, corpus).to_dict()["out_of_vocabulary"]
    assert found["num_tokens"] is None
    assert found["share"] is None
    assert "imported as counts" in found["why_unknown"]


def test_the_document_is_json_and_the_same_each_time(model, corpus):
    first, again = (json.dumps(evaluate(model, corpus).to_dict(), allow_nan=False) for _ in range(2))
    assert first == again


def test_the_training_split_is_its_own_reference(model, corpus):
    result = evaluate(model, corpus, split="train").to_dict()
    assert {c["reference_split"] for c in result["coherence"]} == {"train"}


def test_duplicate_topics_are_counted_and_listed(inferred, corpus):
    twice = np.vstack([BETA[:2], BETA[:1]])
    result = evaluate(inferred(ALPHA, twice, infer), corpus).to_dict()["duplicate_topics"]
    assert result["value"] == 2
    assert result["pairs"][0] == {"topic": 0, "other": 2, "shared_words": 10}


def test_a_split_without_words_is_named(model):
    corpus = FakeCorpus({"train": sample(9, 0), "test": DocTermMatrix.from_scipy(np.zeros((3, 40)))})
    with pytest.raises(CorpusError, match="'test' has a word"):
        evaluate(model, corpus)
