"""``lda-app eval --topic-words``: a model of another tool."""

import json

import numpy as np
import pytest


@pytest.fixture
def topics(tiny_run, tmp_path):
    """The tiny run's topics as a table, and even shares of the test documents."""
    from lda_app.corpus.folder import open_corpus
    from lda_app.fitted.folder import open_model

    model, corpus = open_model(tiny_run.run), open_corpus(tiny_run.corpus)
    rows = (",".join(map(str, (k, *row))) for k, row in enumerate(model.beta.tolist()))
    lines = [",".join(["topic", *corpus.vocabulary.words]), *rows]
    (tmp_path / "topics.csv").write_text("\n".join(lines) + "\n")
    ids = corpus.documents("test")["id"]
    shares = "".join(f"{id_},0.2,0.3,0.5\n" for id_ in ids)
    (tmp_path / "theta.csv").write_text(f"id,0,1,2\n{shares}")
    return tmp_path / "topics.csv"


def test_a_table_of_topics_is_measured_like_a_run(cli, tiny_run, topics):
    done = cli("eval", "--topic-words", topics, "--corpus", tiny_run.corpus, "--json")
    assert done.code == 0, done.stderr
    assert "topics.csv has no alpha" in done.stderr
    figures = json.loads(done.stdout)
    ours = json.loads(cli("eval", tiny_run.run, "--json").stdout)
    assert figures.keys() - ours.keys() == {"model", "given_theta"}
    assert figures["coherence"] == ours["coherence"]
    completion = (found["perplexity"]["document_completion"]["value"] for found in (figures, ours))
    assert np.isclose(*completion, rtol=0.2)


def test_the_table_says_what_either_side_lacks(cli, tiny_run, topics):
    topics.write_text(topics.read_text().replace(",moon,", ",carburettor,"))
    done = cli(
        "eval", "--topic-words", topics, "--corpus", tiny_run.corpus,
        "--doc-topics", topics.with_name("theta.csv"), "--alpha", "0.1,0.2,0.3",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "alpha from 0.1 to 0.3" in done.stdout
    assert "in the corpus but not in the model: 1 (moon" in done.stdout
    assert "in the model but not in the corpus: 1 (carburettor)" in done.stdout
    assert "perplexity with the given shares" in done.stdout


@pytest.mark.parametrize(("shares", "suffix"), [("document-topics", "csv"), ("mallet", "txt")])
def test_what_is_exported_comes_in_again(cli, tiny_run, tmp_path, shares, suffix):
    words, theta = tmp_path / "words.csv", tmp_path / f"theta.{suffix}"
    table = ("export", tiny_run.run, "--to", "csv", "--split", "test", "--table")
    layout = (*table[:2], "--to", "mallet", "--split", "test") if shares == "mallet" else (*table, shares)
    assert cli(*table, "topic-words", "--top", 24, "--output", words).code == 0
    assert cli(*layout, "--output", theta).code == 0
    done = cli("eval", "--topic-words", words, "--doc-topics", theta, "--corpus", tiny_run.corpus, "--json")
    figures, ours = json.loads(done.stdout), json.loads(cli("eval", tiny_run.run, "--json").stdout)
    assert figures["given_theta"]["num_documents"] == 16
    assert figures["given_theta"]["num_without_shares"] == 0
    assert 7 < figures["given_theta"]["value"] < 9
    assert figures["diversity"] == ours["diversity"]


REFUSED = {
    "no model": ((), 2, "needs a RUN"),
    "no corpus": (("--topic-words", "{topics}"), 2, "needs --corpus"),
    "two models": (("{run}", "--topic-words", "{topics}", "--corpus", "{corpus}"), 2, "one model"),
    "shares of a run": (
        ("{run}", "--doc-topics", "{topics}"),
        2,
        "--doc-topics applies only to --topic-words",
    ),
    "an alpha that is none": (
        ("--topic-words", "{topics}", "--corpus", "{corpus}", "--alpha", "much"),
        2,
        "'much'",
    ),
    "too many": (
        ("--topic-words", "{topics}", "--corpus", "{corpus}", "--alpha", "1,2"),
        3,
        "2 values of alpha",
    ),
    "a missing file": (("--topic-words", "nowhere.csv", "--corpus", "{corpus}"), 3, "nowhere.csv"),
    "words of a table": (("--topic-words", "{topics}", "--corpus", "{corpus}", "--vocab", "w"), 2, "--vocab"),
    "a run as topics": (("--topic-words", "{run}", "--corpus", "{corpus}"), 3, "is a folder"),
}


@pytest.mark.parametrize(("arguments", "code", "part"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused(cli, assert_refused, tiny_run, topics, arguments, code, part):
    places = {"topics": topics, "run": tiny_run.run, "corpus": tiny_run.corpus}
    assert_refused(cli("eval", *(argument.format(**places) for argument in arguments)), code, part)
