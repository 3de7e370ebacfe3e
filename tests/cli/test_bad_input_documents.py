"""The rows "vocabulary", "words" and "documents" of the bad-input contract, from text to topics."""

import csv
import json

import pytest

SUBJECT = ("orbit shuttle moon rocket", "goal hockey puck player")


@pytest.fixture
def build(cli, tmp_path):
    """Build a corpus of some lines."""

    def call(lines, *options):
        (tmp_path / "lines.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return cli("corpus", "build", tmp_path / "lines.txt", "--out", tmp_path / "out", *options)

    return call


TEXT = [*SUBJECT] * 6
REFUSED = {
    "min_df above the documents": (TEXT, ["--min-df", "50"], ["no words left with min_df=50", "documents"]),
    "only stop words": (["the of and", "is was"] * 5, [], ["no words left", "--stop-words"]),
    "only empty documents": ([""] * 5, [], ["no words left"]),
    "one word": (["orbit"] * 9, [], ["only one word left, 'orbit'"]),
    "one word by --max-vocab": (TEXT, ["--max-vocab", "1"], ["only one word", "--max-vocab"]),
    "stop words that are missing": (TEXT, ["--stop-words", "none.txt"], ["none.txt"]),
}


@pytest.mark.parametrize(("lines", "options", "parts"), REFUSED.values(), ids=REFUSED)
def test_a_corpus_without_words_is_refused(build, assert_refused, tmp_path, lines, options, parts):
    assert_refused(build(lines, *options), 3, *parts)
    assert [path.name for path in tmp_path.iterdir()] == ["lines.txt"]


@pytest.mark.parametrize(
    ("words", "part"),
    [("orbit\n\nmoon\n", "2"), ("orbit\nmoon\norbit\n", "'orbit'"), ("orbit\n", "one word")],
)
def test_a_given_vocabulary_of_blanks_duplicates_or_one_word(cli, assert_refused, tmp_path, words, part):
    (tmp_path / "words.txt").write_text(words)
    (tmp_path / "counts.ldac").write_text("1 0:2\n2 0:1 1:1\n")
    arguments = (tmp_path / "counts.ldac", "--vocab", tmp_path / "words.txt", "--out", tmp_path / "out")
    assert_refused(cli("corpus", "import", *arguments), 3, "words.txt", part)
    assert not (tmp_path / "out").exists()


COUNTS = {
    "not there": (None, "no such file"),
    "empty": ("", "empty"),
    "a word beyond the vocabulary": ("1 7:1\n", "line 1"),
    "a count below 0": ("1 0:-1\n", "row 0, column 0"),
    "a fraction": ("1 0:0.5\n", "line 1"),
    "no pair": ("1 0\n1 0:1\n", "line 1"),
    "all counts 0": ("0\n0 1:0\n", ""),
}


@pytest.mark.parametrize(("content", "part"), COUNTS.values(), ids=COUNTS)
def test_counts_that_cannot_be_taken(cli, assert_refused, tmp_path, content, part):
    (tmp_path / "words.txt").write_text("orbit\nmoon\n")
    counts = tmp_path / "counts.ldac"
    if content is not None:
        counts.write_text(content)
    arguments = (counts, "--vocab", tmp_path / "words.txt", "--out", tmp_path / "out", "--format", "lda-c")
    done = cli("corpus", "import", *arguments)
    assert_refused(done, 3, "counts.ldac")
    assert part.lower() in done.stderr.lower()
    assert not (tmp_path / "out").exists()


WARNED = {
    "more words than --max-vocab": (TEXT, ["--max-vocab", "4"], "words pruned beyond --max-vocab 4"),
    "an empty list of stop words": (TEXT, ["--stop-words", "EMPTY"], "contains no stop words"),
    "empty documents": ([*TEXT, ""], [], "without any vocabulary word"),
    "documents of one word": ([*TEXT, "moon"], [], "documents with a single word"),
    "a single document": (["orbit moon"], [], "too few for topics"),
    "hardly a token": (
        [*TEXT, "🚀🌕🚀🌕 1234567890"],
        [],
        "more than half of the characters matched no token",
    ),
    "NUL bytes": ([*TEXT, "mo\0on"], [], "NUL characters dropped"),
}


@pytest.mark.parametrize(("lines", "options", "warning"), WARNED.values(), ids=WARNED)
def test_oddities_are_warned_of_and_the_run_goes_on(build, tmp_path, lines, options, warning):
    (tmp_path / "empty.txt").write_text("")
    done = build(lines, *(str(tmp_path / "empty.txt") if option == "EMPTY" else option for option in options))
    assert done.code == 0, done.stderr
    assert any(line.startswith("warning: ") and warning in line for line in done.stderr.splitlines()), (
        done.stderr
    )


def test_hostile_words_and_ids_are_inert(cli, tmp_path):
    marks = ["=1+1", "<script>alert(1)</script>", "`ls`", "\u2028", "\u202eorbit", "@SUM", "+1", "-2+3"]
    with (tmp_path / "in.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = [(f"{mark}{n}", f"{mark} {TEXT[n % 2]}") for n in range(4) for mark in marks]
        csv.writer(stream).writerows([("id", "text"), *rows, ("=empty", "the"), ("@empty", "")])
    columns = ("--text-column", "text", "--id-column", "id")
    assert cli("corpus", "build", tmp_path / "in.csv", "--out", tmp_path / "out", *columns).code == 0
    words = (tmp_path / "out" / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    assert all(word.isprintable() and word.isalnum() for word in words if word)
    with (tmp_path / "out" / "left_out.csv").open(newline="", encoding="utf-8") as stream:
        assert {row["id"] for row in csv.DictReader(stream)} == {"'=empty", "'@empty"}


COMMON = "orbit moon rocket goal puck soil seed rain harvest spade "
RARE = "tree lake stone cloud river meadow castle bridge candle mirror ladder window"
CORPORA = {
    "a single document": (["orbit moon rocket"], "only one document has words"),
    "all alike": (["orbit moon rocket"] * 30, "documents are identical"),
    "topics alike": (
        [COMMON * 3 + RARE] * 30 + ["puck rain"],
        "top words with another",
    ),
}


@pytest.mark.parametrize(("lines", "warning"), CORPORA.values(), ids=CORPORA)
def test_a_corpus_that_can_hardly_have_topics(build, cli, quick, tmp_path, lines, warning):
    assert build(lines, "--test-fraction", 0).code == 0
    done = cli("train", tmp_path / "out", "--out", tmp_path / "run", *quick)
    assert done.code == 0, done.stderr
    assert warning in done.stderr
    assert cli("topics", tmp_path / "run").code == 0
    assert cli("eval", tmp_path / "run", "--split", "train").code == 0


def test_an_empty_document_keeps_its_row_and_stays_out_of_the_loss(build, cli, quick, tmp_path):
    assert build([*TEXT, "", "the of"], "--test-fraction", 0).code == 0
    done = cli("train", tmp_path / "out", "--out", tmp_path / "run", *quick)
    assert done.code == 0, done.stderr
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["num_documents"] == len(TEXT) - int(0.2 * len(TEXT)) * (int(0.2 * len(TEXT)) >= 5)
    info = json.loads(cli("corpus", "info", tmp_path / "out", "--json").stdout)
    assert info["splits"]["train"]["documents"] == len(TEXT) + 2


def test_unknown_documents_get_the_prior_and_are_flagged(cli, trained_run, tmp_path):
    (tmp_path / "in.txt").write_text("\nzebra yak\nmoon " + "zebra " * 20 + "\nmoon orbit\n")
    done = cli("transform", trained_run.run, tmp_path / "in.txt", "--json")
    empty, unknown, little, known = json.loads(done.stdout)["documents"]
    assert empty["shares"] == unknown["shares"]
    assert (empty["known_tokens"], unknown["known_tokens"]) == (0, 0)
    assert (empty["top_topic"], unknown["top_topic"]) == (None, None)
    assert [d["too_little_known"] for d in (empty, unknown, little, known)] == [True, True, True, False]
    assert "3 of 4 documents" in done.stderr
