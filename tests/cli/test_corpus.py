"""``lda-app corpus``: the commands, what they say and where, and every way to end without a folder."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from lda_app.cli.corpus import resolve_corpus
from lda_app.corpus.folder import open_corpus
from lda_app.corpus.options import SourceOptions, WordOptions
from tests.cli.conftest import overriding

TEXTS = [
    "the shuttle reached its orbit around the moon",
    "hockey teams score goals every season",
    "a rocket launch puts satellites into orbit",
    "the goal of the season, scored by the hockey team",
]


@pytest.fixture
def news(tmp_path):
    path = tmp_path / "news.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["key", "body", "year"])
        writer.writerows([f"n{number}", TEXTS[number % 4], 1993] for number in range(30))
    return path


@pytest.fixture
def built(cli, news):
    out = news.parent / "corpus"
    done = cli("corpus", "build", news, "--text-column", "body", "--id-column", "key", "--out", out)
    assert done.code == 0, done.stderr
    return out


def test_build_says_what_it_made_on_stderr(cli, news):
    out = news.parent / "corpus"
    done = cli("corpus", "build", news, "--text-column", "body", "--out", out, "--test-fraction", "0.2")
    assert (done.code, done.stdout) == (0, "")
    corpus = open_corpus(out)
    train, test = (corpus.split(name).num_documents for name in ("train", "test"))
    assert f"news.csv: 30 documents ({train} train, {test} test)" in done.stderr
    assert f"{len(corpus.vocabulary)} words" in done.stderr
    assert f"Next: lda-app train {out}" in done.stderr


def test_build_keeps_ids_and_metadata(built):
    documents = open_corpus(built).documents("train")
    assert documents.columns.tolist() == ["id", "text", "year"]
    assert documents["id"][0] == "n0"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--normalize", "stem", "--min-df", "0.5"], {"orbit", "goal", "hockey", "season", "score", "team"}),
        (["--stop-words", "none", "--min-df", "0.4", "--min-length", "4"], {"hockey", "orbit", "season"}),
        (["--max-vocab", "2", "--max-df", "1.0"], {"hockey", "orbit"}),
    ],
)
def test_flags_choose_the_words(cli, news, flags, words):
    out = news.parent / "corpus"
    done = cli("corpus", "build", news, "--text-column", "body", "--out", out, "--test-fraction", "0", *flags)
    assert done.code == 0, done.stderr
    assert set(open_corpus(out).vocabulary.words) == words


def test_stop_words_of_a_file(cli, news):
    (news.parent / "stop.txt").write_text("orbit hockey\n")
    out = news.parent / "corpus"
    flags = ["--stop-words", news.parent / "stop.txt"]
    assert cli("corpus", "build", news, "--text-column", "body", "--out", out, *flags).code == 0
    words = open_corpus(out).vocabulary.words
    assert "the" in words
    assert "orbit" not in words


def test_lists_of_the_analyst_s_own(cli, news):
    lists = {"keep": "its\n", "drop": "moon team\n", "replace": "goals,goal\nrocket launch\tliftoff\n"}
    flags = []
    for name, content in lists.items():
        (news.parent / name).write_text(content)
        flags += [f"--{name}{'' if name == 'replace' else '-words'}", news.parent / name]
    out = news.parent / "corpus"
    assert cli("corpus", "build", news, "--text-column", "body", *flags, "--out", out).code == 0
    words = open_corpus(out).vocabulary.words
    assert {"its", "goal", "liftoff"} <= set(words)
    assert {"moon", "team", "goals", "rocket", "launch"}.isdisjoint(words)


def test_phrases_are_shown_with_a_space_from_end_to_end(cli, tmp_path, quick):
    texts = ["the prime minister took office", "the white house is painted", "a garden of white roses"]
    (tmp_path / "news.txt").write_text("\n".join(texts * 20) + "\n")
    run, corpus = tmp_path / "run", tmp_path / "corpus"
    assert cli("corpus", "build", tmp_path / "news.txt", "--phrases", "--out", corpus).code == 0
    assert cli("train", corpus, "--out", run, *quick).code == 0
    topics = json.loads(cli("topics", run, "--format", "json").stdout)["topics"]
    assert {"prime minister", "white house"} <= {word["word"] for topic in topics for word in topic["words"]}
    assert "prime minister" in (run / "model_card.md").read_text()
    (document,) = json.loads(
        cli("transform", run, _line(tmp_path, "prime minister, prime"), "--json").stdout
    )["documents"]
    assert (document["known_tokens"], document["unknown_tokens"]) == (1, 1)


def _line(folder, text):
    (folder / "line.txt").write_text(text)
    return folder / "line.txt"


def test_a_language_that_is_detected(cli, news):
    out = news.parent / "corpus"
    done = cli("corpus", "build", news, "--text-column", "body", "--language", "auto", "--out", out)
    assert (done.code, done.stdout) == (0, "")
    assert "language: en in 30 of 30 sampled documents" in done.stderr
    assert "language detected" in cli("corpus", "info", out).stdout
    again = resolve_corpus(str(news), out, SourceOptions(text_column="body"), WordOptions(language="auto"))
    assert again.manifest == open_corpus(out).manifest


def test_an_empty_list_of_stop_words_is_warned_of(cli, news):
    (news.parent / "stop.txt").write_text("")
    out = news.parent / "corpus"
    flags = ["--stop-words", news.parent / "stop.txt"]
    done = cli("corpus", "build", news, "--text-column", "body", "--out", out, *flags)
    assert done.code == 0
    assert "contains no stop words" in done.stderr


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--min-df", "50"], 3, "no words left with min_df=50 in 30 documents"),
        (["--min-df", "ten"], 2, "neither a number of documents nor a fraction"),
        (["--min-df", "0"], 2, "--min-df must be a number of documents from 1"),
        (["--max-df", "1.5"], 2, "--max-df must be"),
        (["--min-df", "5", "--max-df", "4"], 2, "--max-df 4 is below --min-df 5"),
        (["--max-vocab", "0"], 2, "--max-vocab"),
        (["--max-vocab", "2.5"], 2, "--max-vocab"),
        (["--phrases", "--ngram", "2"], 2, "give either --phrases or --ngram, not both"),
        (["--ngram", "4"], 2, "--ngram"),
        (["--phrase-npmi", "nan"], 2, "--phrase-npmi"),
        (["--replace", "missing.csv"], 3, "missing.csv: cannot read the replacements"),
        (["--language", "english"], 2, "closest: en"),
        (["--stop-words", "missing.txt"], 3, "missing.txt: cannot read the stop words"),
        (["--normalize", "lemmas"], 2, "--normalize"),
        (["--min-length", "0"], 2, "--min-length"),
        (["--max-length", "2"], 2, "--max-length"),
        (["--test-fraction", "1"], 2, "--test-fraction must be at least 0"),
        (["--test-fraction", "nan"], 2, "--test-fraction must be at least 0"),
        (["--seed", "-1"], 2, "--seed"),
        (["--workers", "0"], 2, "--workers"),
        (["--min-length", "30"], 3, "no words left"),
        (["--no-such-flag"], 2, "--no-such-flag"),
    ],
)
def test_a_bad_option_is_one_line_and_no_folder(cli, news, flags, code, message):
    done = cli(
        "corpus", "build", news, "--text-column", "body", "--out", news.parent / "corpus",
        *overriding(("--test-fraction", "0"), *flags),
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert (done.code, done.stdout, len(lines)) == (code, "", 1)
    assert message in lines[0]
    assert sorted(entry.name for entry in news.parent.iterdir()) == ["news.csv"]


def test_an_existing_folder_is_replaced_only_if_told(cli, news, built):
    again = ["corpus", "build", news, "--text-column", "body", "--out", built]
    before = open_corpus(built).documents("train")["id"][0]
    assert cli(*again).code == 2
    assert open_corpus(built).documents("train")["id"][0] == before
    assert cli(*again, "--overwrite").code == 0
    assert open_corpus(built).documents("train")["id"][0] == "1"


def test_a_corpus_folder_is_no_source(cli, built):
    done = cli("corpus", "build", built, "--out", built.parent / "other")
    assert done.code == 2
    assert "is already a corpus folder" in done.stderr


def test_trouble_is_counted_in_the_summary(cli, tmp_path):
    (tmp_path / "a.txt").write_text("moon orbit\nthe\norbit\n")
    done = cli("corpus", "build", tmp_path / "a.txt", "--out", tmp_path / "out", "--test-fraction", "0")
    assert "warning: documents without any vocabulary word, kept as empty rows: 1" in done.stderr
    assert "left_out.csv lists 1: only stop words, or words that are too short or too long" in done.stderr


def test_a_corpus_without_test_documents_says_how_to_measure(cli, tmp_path):
    (tmp_path / "a.txt").write_text("moon orbit\norbit\n")
    done = cli("corpus", "build", tmp_path / "a.txt", "--out", tmp_path / "out", "--test-fraction", "0")
    assert "no test split: evaluate a model with lda-app eval RUN --split train" in done.stderr


def test_info_shows_the_folder(cli, built):
    done = cli("corpus", "info", built)
    assert done.code == 0
    assert "news.csv" in done.stdout
    assert "train" in done.stdout


def test_info_as_json_is_one_document(cli, built):
    content = json.loads(cli("corpus", "info", built, "--json").stdout)
    assert content["schema_version"] == 1
    assert content["splits"]["train"]["documents"] == open_corpus(built).split("train").num_documents
    assert content["fingerprint"] == open_corpus(built).fingerprint


@pytest.mark.parametrize("break_it", ["truncate", "newer", "missing", "empty"])
def test_info_of_a_broken_folder(cli, built, break_it):
    manifest = built / "manifest.json"
    if break_it == "truncate":
        (built / "vocabulary.txt").write_text("moon\n")
    elif break_it == "newer":
        manifest.write_text(manifest.read_text().replace('"format_version": 1', '"format_version": 99'))
    elif break_it == "missing":
        built.rename(built.parent / "elsewhere")
    else:
        built = built.parent / "nothing"
        built.mkdir()
    done = cli("corpus", "info", built)
    assert (done.code, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1


def test_list_names_the_corpora(cli):
    assert "20newsgroups" in cli("corpus", "list").stdout
    corpora = json.loads(cli("corpus", "list", "--json").stdout)["corpora"]
    assert {corpus["name"] for corpus in corpora} == {"pydocs", "20newsgroups"}


def test_import_and_info(cli, tmp_path):
    sparse.save_npz(tmp_path / "counts.npz", sparse.csr_array(np.eye(3, dtype=int)))
    (tmp_path / "vocab.txt").write_text("moon\norbit\ngoal\n")
    (tmp_path / "labels.txt").write_text("a\na\nb\n")
    done = cli(
        "corpus", "import", tmp_path / "counts.npz", "--vocab", tmp_path / "vocab.txt",
        "--labels", tmp_path / "labels.txt", "--out", tmp_path / "out", "--test-fraction", "0",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "3 documents (3 train)" in done.stderr
    assert cli("corpus", "info", tmp_path / "out").code == 0


def test_import_of_counts_that_do_not_fit(cli, tmp_path):
    sparse.save_npz(tmp_path / "counts.npz", sparse.csr_array(np.eye(3, dtype=int)))
    (tmp_path / "vocab.txt").write_text("moon\norbit\n")
    flags = ["--vocab", tmp_path / "vocab.txt", "--out", tmp_path / "out"]
    done = cli("corpus", "import", tmp_path / "counts.npz", *flags)
    assert done.code == 3
    assert "3 columns, but the vocabulary has 2 words" in done.stderr
    assert not (tmp_path / "out").exists()


def test_resolve_builds_once_and_again_when_something_changes(news):
    out = news.parent / "built"
    reading = SourceOptions(text_column="body")

    def resolved(**flags):
        corpus = resolve_corpus(str(news), out, reading, WordOptions(**flags), overwrite=True)
        return corpus, (out / "manifest.json").stat().st_ino

    first, inode = resolved()
    assert resolved()[1] == inode
    assert resolved(max_vocab=3)[1] != inode
    _, inode = resolved()
    news.write_text(news.read_text() + "n30,more orbits,1994\n")
    changed, new_inode = resolved()
    assert new_inode != inode
    assert changed.fingerprint != first.fingerprint
    assert resolve_corpus(str(out), news.parent / "none", reading, WordOptions()).path == out


@pytest.mark.slow
@pytest.mark.skipif(
    "SCIKIT_LEARN_DATA" not in os.environ, reason="SCIKIT_LEARN_DATA does not name 20 Newsgroups"
)
def test_20_newsgroups_keep_their_rows_and_their_split(cli, tmp_path):
    assert Path(os.environ["SCIKIT_LEARN_DATA"]).is_dir()
    assert cli("corpus", "build", "20newsgroups", "--out", tmp_path / "out").code == 0
    corpus = open_corpus(tmp_path / "out")
    assert [corpus.split(name).num_documents for name in corpus.splits] == [11314, 7532]
    assert (
        len(corpus.left_out())
        == corpus.manifest["splits"]["train"]["empty"] + (corpus.manifest["splits"]["test"]["empty"])
    )
    assert {"space", "hockey", "encryption", "gun"} <= set(corpus.vocabulary.words)
