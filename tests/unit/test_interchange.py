"""Models of other tools: every format in, and what is wrong with one."""

from __future__ import annotations

import gzip
import logging
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lda_app.corpus.vocabulary import Vocabulary
from lda_app.errors import ConfigError, CorpusError
from lda_app.interchange import (
    DocTopics,
    ImportedModel,
    align,
    from_gensim,
    from_sklearn,
    from_tomotopy,
    from_topica,
    read_doc_topics,
    read_topics,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORDS = ("moon", "orbit", "goal", "puck")
BETA = np.array([[0.5, 0.3, 0.2, 0.0], [0.0, 0.1, 0.6, 0.3]])
SHARES = np.array([[0.75, 0.25], [0.1, 0.9], [0.5, 0.5]])
IDS = ("a", "b", "c")
TEXTS = [["moon", "orbit", "moon", "orbit"], ["goal", "puck", "goal", "puck"]] * 20

STATE = """\
#doc source pos typeindex type topic
#alpha : 0.5 1.5
#beta : 0.25
0 my file.txt 0 0 moon 0
0 my file.txt 1 1 orbit 0
2 third.txt 0 0 moon 1
2 third.txt 1 2 goal 1
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of a name and a content."""

    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


TABLES = {
    "a row a topic": "topic,moon,orbit,goal,puck\n0,.5,.3,.2,0\n1,0,.1,.6,.3\n",
    "a row a topic, counts": "topic,moon,orbit,goal,puck\n0,5,3,2,0\n1,0,1,6,3\n",
    "of pandas": ",moon,orbit,goal,puck\n0,.5,.3,.2,0\n1,0,.1,.6,.3\n",
    "without topics' names": "moon,orbit,goal,puck\n.5,.3,.2,0\n0,.1,.6,.3\n",
    "a row a word": "word;first;second\nmoon;.5;0\norbit;.3;.1\ngoal;.2;.6\npuck;0;.3\n",
    "an entry a row": "topic,term,beta\n1,moon,0\n0,moon,.5\n0,orbit,.3\n1,orbit,.1\n0,goal,.2\n1,goal,.6\n"
    "1,puck,.3\n",
    "with a rank": "topic\trank\tword\tprobability\n0\t1\tmoon\t.5\n0\t2\torbit\t.3\n0\t3\tgoal\t.2\n"
    "1\t1\tgoal\t.6\n1\t2\tpuck\t.3\n1\t3\torbit\t.1\n",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_topics_are_read_from_a_table_of_any_layout(write: Callable[..., Path], table: str) -> None:
    model = read_topics(write("topics.csv", table))
    places = [model.vocabulary.index[word] for word in WORDS]
    np.testing.assert_allclose(model.beta[:, places], BETA)
    assert (model.name, model.alpha.tolist(), model.alpha_is_known) == ("topics.csv", [0.1, 0.1], False)


def test_a_compressed_table_and_words_that_look_like_missing_values(write: Callable[..., Path]) -> None:
    table = gzip.compress(b"word,0,1\nnull,3,0\nNaN,1,1\n")
    assert read_topics(write("topics.csv.gz", table)).vocabulary.words == ("null", "NaN")


SHARE_TABLES = {
    "with ids": "id,0,1\na,.75,.25\nb,.1,.9\nc,.5,.5\n",
    "without": "0,1\n.75,.25\n.1,.9\n.5,.5\n",
    "an entry a row, from 1": "document,topic,gamma\na,1,.75\na,2,.25\nb,1,.1\nb,2,.9\nc,1,.5\nc,2,.5\n",
    "of lda-app transform": "text,id,top_topic,topic_0,topic_1\nx,a,0,.75,.25\ny,b,1,.1,.9\nz,c,0,.5,.5\n",
    "of MALLET": "0\ta\t.75\t.25\n1\tb\t.1\t.9\n2\tc\t.5\t.5\n",
    "of MALLET, listed": "#doc name topic proportion ...\n0 a 0 .75 1 .25\n1 b 1 .9 0 .1\n2 c 0 .5 1 .5\n",
}


@pytest.mark.parametrize("layout", SHARE_TABLES)
def test_shares_are_read_from_a_table_of_any_layout(write: Callable[..., Path], layout: str) -> None:
    shares = read_doc_topics(write("theta.csv", SHARE_TABLES[layout]), 2)
    np.testing.assert_allclose(shares.theta, SHARES)
    assert shares.document_ids == (None if layout == "without" else IDS)


def test_arrays_are_read_with_all_that_they_hold(tmp_path: Path) -> None:
    arrays = {"beta": BETA, "vocabulary": WORDS, "alpha": [0.2, 0.3], "theta": SHARES, "document_ids": IDS}
    np.savez(tmp_path / "model.npz", **arrays)
    model = read_topics(tmp_path / "model.npz")
    np.testing.assert_allclose(model.beta, BETA)
    assert (model.vocabulary.words, model.alpha.tolist()) == (WORDS, [0.2, 0.3])
    assert model.doc_topics is not None
    assert model.doc_topics.document_ids == IDS
    np.testing.assert_allclose(read_doc_topics(tmp_path / "model.npz", 2).theta, SHARES)


def test_an_array_alone_needs_its_words(tmp_path: Path, write: Callable[..., Path]) -> None:
    np.save(tmp_path / "beta.npy", BETA)
    words = write("words.txt", "\n".join(WORDS))
    assert read_topics(tmp_path / "beta.npy", words).vocabulary.words == WORDS
    with pytest.raises(ConfigError, match="--vocab"):
        read_topics(tmp_path / "beta.npy")


def test_mallet_s_weights_and_counts_are_the_same_topics(write: Callable[..., Path]) -> None:
    weights = "".join(
        f"{k}\t{word}\t{10 * BETA[k, v] + 0.01}\n" for k in range(2) for v, word in enumerate(WORDS)
    )
    counts = "0 moon 0:5\n1 orbit 0:3 1:1\n2 goal 1:6 0:2\n3 puck 1:3\n"
    smoothed = (10 * BETA + 0.01) / 10.04
    for name, content in (("weights.txt", weights), ("counts.txt", counts)):
        model = read_topics(write(name, content))
        np.testing.assert_allclose(model.beta, smoothed)
        assert model.vocabulary.words == WORDS


@pytest.mark.parametrize("compress", [gzip.compress, lambda content: content])
def test_mallet_s_state_gives_topics_prior_and_shares(write: Callable[..., Path], compress: Any) -> None:
    model = read_topics(write("state.gz", compress(STATE.encode())))
    np.testing.assert_allclose(
        model.beta, [[1.25 / 2.75, 1.25 / 2.75, 0.25 / 2.75], [1.25 / 2.75, 0.25 / 2.75, 1.25 / 2.75]]
    )
    assert model.alpha.tolist() == [0.5, 1.5]
    assert model.doc_topics is not None
    np.testing.assert_allclose(model.doc_topics.theta, [[0.625, 0.375], [0.25, 0.75], [0.125, 0.875]])
    assert model.doc_topics.document_ids == ("my file.txt", "NA", "third.txt")


BAD = {
    "empty": ("", "empty"),
    "a header alone": ("topic,moon,orbit\n", "a header but no rows"),
    "no number": ("topic,moon,orbit\n0,1,2\n1,3,many\n", "line 3, column 3: expected a number, got 'many'"),
    "an empty cell": ("topic,moon,orbit\n0,1,\n", "line 2, column 3: expected a number, got ''"),
    "a negative one": ("topic,moon,orbit\n0,1,-2\n", "topic 0, word 1: -2"),
    "not a number": ("topic,moon,orbit\n0,1,nan\n", "topic 0, word 1: nan"),
    "a topic without words": ("topic,moon,orbit\n0,1,2\n1,0,0\n", "topic 1 is empty"),
    "a word twice": ("topic,moon,moon\n0,1,2\n", "repeats the word 'moon'"),
    "an entry twice": ("topic,word,weight\n0,moon,1\n0,moon,2\n", "line 3 repeats"),
    "Latin-1": ("topic,Brücke\n0,1\n".encode("latin-1"), "byte 8 is not UTF-8"),
    "MALLET's weights": ("0\tmoon\t1\n0\torbit\n", "line 2: expected 'topic⇥word⇥weight'"),
    "MALLET's counts": ("0 moon 1:3\n1 orbit many\n", "line 2: expected 'type word topic:count …'"),
    "MALLET's state": (f"{STATE}3 x 0 moon\n", "line 8"),
    "a state without a prior": ("#doc source pos typeindex type topic\n0 a 0 0 moon 1\n", "#alpha"),
    "a topic beyond the prior": (STATE.replace("goal 1", "goal 7"), "topic 7, but there are 2"),
    "no zip": (b"PK\x03\x04", "cannot be read"),
    "half a gzip": (gzip.compress(STATE.encode())[:40], "cannot be read"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_is_named(write: Callable[..., Path], content: str | bytes, message: str) -> None:
    path = write("topics.txt", content)
    with pytest.raises(CorpusError) as caught:
        read_topics(path)
    assert message in str(caught.value)
    assert "topics.txt" in str(caught.value)


def test_a_pickle_is_never_loaded(tmp_path: Path, write: Callable[..., Path]) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (tmp_path / "exploded").mkdir, ()

    np.savez(tmp_path / "beta.npz", beta=BETA, vocabulary=np.array([Bomb()], dtype=object))
    for path in (write("model.csv", pickle.dumps(Bomb())), tmp_path / "beta.npz"):
        with pytest.raises(CorpusError, match="pickle"):
            read_topics(path)
    with pytest.raises(CorpusError, match=r"np\.savez"):
        read_doc_topics(write("theta.pkl", pickle.dumps(Bomb())), 2)
    assert not (tmp_path / "exploded").exists()


def test_truncated_topics_are_told(write: Callable[..., Path], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read_topics(write("top.csv", "topic,word,probability\n0,moon,.2\n0,orbit,.1\n1,goal,.3\n1,puck,.1\n"))
    assert "sum to only 0.30" in caplog.text


def test_shares_of_another_number_of_topics_are_refused(write: Callable[..., Path]) -> None:
    path = write("theta.csv", "id,0,1\na,.5,.5\n")
    with pytest.raises(CorpusError, match="3 columns for 5 topics"):
        read_doc_topics(path, 5)
    with pytest.raises(CorpusError, match="5 shares"):
        read_doc_topics(write("mallet.txt", "0\ta\t.5\t.5\n"), 5)
    with pytest.raises(CorpusError, match="5 topics, but the documents have shares for 2"):
        ImportedModel.of("m", np.ones((5, 4)), WORDS, doc_topics=DocTopics.of(SHARES, name="theta"))
    with pytest.raises(CorpusError, match="'a' occurs twice"):
        DocTopics.of(SHARES, "aba", name="theta")


@pytest.mark.parametrize("alpha", [0, -1, [0.1, np.nan], [0.1, 0.1, 0.1]])
def test_a_prior_that_is_none_is_refused(alpha: Any) -> None:
    with pytest.raises(CorpusError, match="alpha"):
        ImportedModel.of("mine", BETA, WORDS, alpha=alpha)


def test_topics_that_share_no_words_with_the_corpus_are_refused() -> None:
    model = ImportedModel.of("mine", BETA, WORDS)
    with pytest.raises(CorpusError, match="the corpus has 1"):
        align(model, Vocabulary(("moon", "soil", "seed")))
    with pytest.raises(CorpusError, match="topic 1 contains none"):
        align(
            ImportedModel.of("mine", [[1, 1, 0], [0, 0, 1]], ["moon", "orbit", "goal"]),
            Vocabulary(("moon", "orbit")),
        )


def _same_subjects(model: ImportedModel) -> None:
    """Check that each of two topics has the words of one kind of text."""
    top = [{model.vocabulary.words[v] for v in np.argsort(-topic)[:2]} for topic in model.beta]
    assert sorted(map(sorted, top)) == [["goal", "puck"], ["moon", "orbit"]]


def _counts() -> np.ndarray:
    return np.array([[text.count(word) for word in WORDS] for text in TEXTS])


def test_a_model_of_scikit_learn_is_taken() -> None:
    from sklearn.decomposition import LatentDirichletAllocation

    lda = LatentDirichletAllocation(2, doc_topic_prior=0.3, random_state=0).fit(_counts())
    model = from_sklearn(lda, WORDS)
    _same_subjects(model)
    assert model.alpha.tolist() == [0.3, 0.3]
    with pytest.raises(ConfigError, match="the words are missing"):
        from_sklearn(lda)
    with pytest.raises(ConfigError, match="fitted"):
        from_sklearn(LatentDirichletAllocation(2), WORDS)
    with pytest.raises(CorpusError, match="the topics have 4 columns, but there are 3 words"):
        from_sklearn(lda, WORDS[:3])


@pytest.mark.filterwarnings("ignore")  # of gensim's own imports
def test_a_model_of_gensim_is_taken() -> None:
    gensim = pytest.importorskip("gensim", reason="the extra `compare` installs it")
    words = gensim.corpora.Dictionary(TEXTS)
    bags = [words.doc2bow(text) for text in TEXTS]
    lda = gensim.models.LdaModel(bags, 2, id2word=words, random_state=1, alpha=[0.2, 0.4])
    model = from_gensim(lda)
    for topic in range(2):
        for word, probability in lda.show_topic(topic, 4):
            assert model.beta[topic, model.vocabulary.index[word]] == pytest.approx(probability, rel=1e-6)
    assert model.alpha.round(6).tolist() == [0.2, 0.4]


def test_a_model_of_tomotopy_is_taken_from_memory_and_from_its_file(tmp_path: Path) -> None:
    tomotopy = pytest.importorskip("tomotopy", reason="the extra `compare` installs it")
    lda = tomotopy.LDAModel(k=2, seed=1)
    for text in TEXTS:
        lda.add_doc(text)
    lda.train(100, workers=1)
    model = from_tomotopy(lda)
    _same_subjects(model)
    assert model.doc_topics is not None
    assert model.doc_topics.theta.shape == (40, 2)
    lda.save(str(tmp_path / "model.bin"))
    np.testing.assert_allclose(read_topics(tmp_path / "model.bin").beta, model.beta)


def test_a_model_of_topica_is_taken() -> None:
    topica = pytest.importorskip("topica", reason="the extra `compare` installs it")
    lda = topica.LDA(2, seed=1)
    lda.fit(topica.Corpus.from_documents(TEXTS), iters=100)
    model = from_topica(lda)
    _same_subjects(model)
    assert model.doc_topics is not None
    assert model.doc_topics.theta.shape == (40, 2)
