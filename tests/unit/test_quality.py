"""What is said of topics, put together."""

import json

import numpy as np
import pytest

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.errors import ConfigError
from lda_app.evaluation.coherence import MEASURES
from lda_app.evaluation.quality import Lookup, look_up, topic_quality
from lda_app.evaluation.reference import Reference
from lda_app.fitted.topics import usage

WORDS = tuple(f"w{number:02}" for number in range(24))
DOCUMENTS = [[WORDS[(8 * (d % 3) + (5 * d + 3 * i) % 8) % 24] for i in range(15)] for d in range(30)]
COUNTS = DocTermMatrix.from_scipy(np.array([[text.count(word) for word in WORDS] for text in DOCUMENTS]))
BETA = np.kron(np.eye(3), np.full(8, 0.12)) + 0.04 / 24
BETA = np.vstack([BETA, BETA[0], np.full(24, 1 / 24)])
BETA[:, ::2] *= 1.1
BETA /= BETA.sum(axis=1, keepdims=True)


def infer(block):
    shares = BETA / BETA.sum(axis=0)
    return 1e-3 + block.to_scipy() @ shares.T * np.array([1, 1, 1, 1, 1e-4])


@pytest.fixture(scope="module")
def figures():
    lookups = [Lookup(Reference.of_tokens("mine", DOCUMENTS), tuple(MEASURES))]
    quality = topic_quality(BETA, usage(COUNTS, infer), WORDS, lookups, num_top_words=6)
    return quality.to_dict("test", WORDS)


def test_dead_and_duplicate_topics_are_listed(figures):
    assert figures["live_topics"]["dead"] == [4]
    assert figures["live_topics"]["value"] == 4
    assert figures["topics"][4]["dead"]
    assert {"topic": 0, "other": 3, "shared_words": 6} in figures["duplicate_topics"]["pairs"]
    assert 3 in figures["topics"][0]["duplicate_of"]
    assert 0 in figures["topics"][3]["duplicate_of"]


def test_a_topic_that_says_nothing_is_told_from_the_others(figures):
    junk, *others = figures["topics"][::-1]
    assert junk["kl_uniform"] < min(topic["kl_uniform"] for topic in others)
    assert junk["exclusivity"] < figures["topics"][1]["exclusivity"]


def test_the_mean_over_topics_is_what_the_summary_says(figures):
    for key in ("exclusivity", "kl_uniform", "kl_vacuous", "kl_background"):
        mean = np.mean([topic[key] for topic in figures["topics"]])
        told = figures["exclusivity"]["value"] if key == "exclusivity" else figures["significance"][key]
        assert told == pytest.approx(mean)
    assert figures["effective_topics"]["value"] < 5


def test_all_of_it_is_json(figures):
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert figures["labels"] is None


def test_an_unknown_measure_is_named():
    with pytest.raises(ConfigError, match=r"'c_x' is unknown; there are document_npmi, u_mass"):
        look_up(None, "test", ["c_v", "c_x"])
