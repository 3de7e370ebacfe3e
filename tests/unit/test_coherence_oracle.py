"""All four coherences of every topic against gensim's ``CoherenceModel``; wrong variants must differ."""

import dataclasses
import warnings

import numpy as np
import pytest

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.evaluation import coherence
from lda_app.evaluation.coherence import MEASURES, coherences, document_counts, u_mass
from lda_app.evaluation.reference import Reference

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from gensim.corpora import Dictionary
    from gensim.models import CoherenceModel

NAMES = ("u_mass", "c_uci", "c_npmi", "c_v")
VOCABULARY = [f"w{number:02}" for number in range(60)]


def corpus(seed, lengths, num_subjects=3):
    """Texts of a few subjects, whose words recur within a window, beside words that no topic has."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(60, 0.1), size=num_subjects)
    mixed = 0.9 * shares[rng.integers(num_subjects, size=len(lengths))] + 0.1 / 60
    return [[VOCABULARY[i] for i in rng.choice(60, size=n, p=p)] for n, p in zip(lengths, mixed, strict=True)]


CORPORA = {
    "short": corpus(0, [0, 1, 2, 5, 9, 10, 11, 12] * 8),
    "long": corpus(1, [109, 110, 111, 112, 300, 500, 0, 40, 90] * 3),
    "mixed": corpus(2, [0, 3, 30, 250, 8, 10, 110, 60, 60] * 6, num_subjects=6),
}


def top_words(texts, num_topics=8, num_top=6, seed=0):
    """Topics of words that occur; some pairs never meet."""
    seen = sorted({VOCABULARY.index(word) for text in texts for word in text})
    rng = np.random.default_rng(seed)
    return np.array([rng.choice(seen, size=num_top, replace=False) for _ in range(num_topics)])


def by_gensim(name, topics, texts, **options):
    dictionary = Dictionary([VOCABULARY])
    model = CoherenceModel(
        topics=[[VOCABULARY[i] for i in topic] for topic in topics],
        texts=texts,
        corpus=[dictionary.doc2bow(text) for text in texts],
        dictionary=dictionary,
        coherence=name,
        processes=1,
        **options,
    )
    return np.array(model.get_coherence_per_topic())


def ours(name, topics, texts, **options):
    reference = Reference.of_tokens("texts", texts)
    return coherences(topics, VOCABULARY, reference, [name], **options)[0].per_topic


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("texts", CORPORA.values(), ids=CORPORA)
def test_every_topic_has_gensim_s_score(name, texts):
    topics = top_words(texts)
    expected = by_gensim(name, topics, texts)
    assert np.isfinite(expected).all()
    assert ours(name, topics, texts) == pytest.approx(expected, abs=1e-9)


def test_u_mass_of_counts_is_that_of_gensim():
    texts = CORPORA["mixed"]
    columns = {word: i for i, word in enumerate(VOCABULARY)}
    rows = np.zeros((len(texts), len(VOCABULARY)), dtype=int)
    for row, text in enumerate(texts):
        np.add.at(rows[row], [columns[word] for word in text], 1)
    topics = top_words(texts)
    counts = document_counts(topics, DocTermMatrix.from_scipy(rows))
    assert u_mass(counts) == pytest.approx(by_gensim("u_mass", topics, texts), abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_words_in_every_context_follow_gensim(name):
    texts = [["w00", "w01", "w02"], ["w01", "w00"]]
    topics = np.array([[0, 1], [1, 2]])
    assert ours(name, topics, texts) == pytest.approx(by_gensim(name, topics, texts), abs=1e-9)


def other_window(name, topics, texts):
    measure = dataclasses.replace(MEASURES[name], window=(MEASURES[name].window or 0) + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(coherence.MEASURES, name, measure)
        return ours(name, topics, texts)


def other_epsilon(name, topics, texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coherence, "EPSILON", 1e-8)
        return ours(name, topics, texts)


def turned_round(name, topics, texts):
    return ours(name, topics[:, ::-1], texts)


def every_window(name, topics, texts):
    return ours(name, topics, texts, as_gensim=False)


def padded(name, topics, texts):
    """Give short documents windows as if they were as long as one."""
    return ours(name, topics, [text + ["-"] * (12 - len(text)) for text in texts])


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *((name, wrong) for name in NAMES[1:] for wrong in (other_window, every_window)),
        *((name, other_epsilon) for name in NAMES[1:]),
        ("u_mass", turned_round),
        ("c_uci", padded),
        ("c_npmi", padded),
    ],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_negative_control_a_wrong_variant_is_noticed(name, wrong):
    texts = CORPORA["short" if wrong is padded else "mixed"]
    topics = top_words(texts)
    assert np.abs(wrong(name, topics, texts) - by_gensim(name, topics, texts)).max() > 1e-6
