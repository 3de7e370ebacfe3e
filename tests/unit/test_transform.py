"""Documents to rows, and rows to files."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from lda_app.corpus.documents import Document
from lda_app.corpus.preprocess import PreprocessOptions, Preprocessor
from lda_app.corpus.vocabulary import Vocabulary
from lda_app.errors import ConfigError
from lda_app.fitted.transform import Table, Transformed, check_output, transform, write_table

NASTY = 'a "quoted", cell\nwith a line break, ünïcode \u2028 and =1+1'


def infer(counts):
    return 1 + counts.to_scipy().toarray()


@pytest.fixture
def model(inferred):
    return inferred(np.ones(2), np.eye(2), infer).labelled()


@pytest.fixture
def preprocessor():
    return Preprocessor(PreprocessOptions(), Vocabulary(("moon", "orbit")))


def transformed(texts, **metadata):
    documents = [Document(str(n), text, metadata=metadata) for n, text in enumerate(texts)]
    shares = np.tile(np.array([0.25, 0.75], dtype=np.float32), (len(texts), 1))
    return Transformed(documents, shares, np.full(len(texts), 3), np.full(len(texts), 1))


def table(*columns, id_column=None):
    return Table(columns, "text", id_column, {0: "moon, orbit", 1: "engine"})


def test_shares_and_token_counts(preprocessor, model):
    (result,) = transform([Document("1", "Moon, moon! Orbit: apogee.")], preprocessor, model)
    assert result.shares[0] == pytest.approx([3 / 5, 2 / 5])
    assert (result.known_tokens[0], result.unknown_tokens[0]) == (3, 1)
    assert result.top_topics[0] == 0


def test_documents_come_in_chunks_and_in_order(preprocessor, model):
    documents = (Document(str(n), "moon " * (n % 3)) for n in range(5_001))
    chunks = list(transform(documents, preprocessor, model))
    assert len(chunks) > 1
    assert [d.id for chunk in chunks for d in chunk.documents] == [str(n) for n in range(5_001)]
    assert np.concatenate([chunk.known_tokens for chunk in chunks]).tolist() == [n % 3 for n in range(5_001)]


@pytest.mark.parametrize(
    ("known", "unknown", "flagged"), [(0, 0, True), (0, 5, True), (1, 9, False), (1, 10, True), (5, 0, False)]
)
def test_less_than_a_tenth_known_is_flagged(known, unknown, flagged):
    result = Transformed([], np.ones((1, 1)), np.array([known]), np.array([unknown]))
    assert result.too_little_known.tolist() == [flagged]


def test_a_tenth_known_is_enough_whatever_the_number_of_tokens():
    known = np.arange(1, 10_000)
    result = Transformed([], np.ones((1, 1)), known, 9 * known)
    assert not result.too_little_known.any()
    assert replace(result, unknown_tokens=9 * known + 1).too_little_known.all()


def test_the_app_s_columns_give_way_however_often():
    columns = ("text", "topic_0", "lda_top_topic")
    header = table(*columns).header
    assert header[:3] == columns
    assert header[3] == "lda_lda_known_tokens"
    assert len(set(header)) == len(header)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_any_text_survives(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    write_table(
        path, table("day", "text", "id", id_column="id"), [transformed([NASTY, "plain"], day="Monday")]
    )
    match suffix:
        case ".csv":
            with path.open(newline="", encoding="utf-8") as stream:
                rows = list(csv.DictReader(stream))
        case ".jsonl":
            rows = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
        case _:
            rows = parquet.read_table(path).to_pylist()
    assert [row["text"] for row in rows] == [NASTY, "plain"]
    assert [row["id"] for row in rows] == ["0", "1"]
    assert list(rows[0])[:3] == ["day", "text", "id"]
    assert [float(row["topic_1"]) for row in rows] == [0.75, 0.75]
    assert {row["top_topic_words"] for row in rows} == {"engine"}


def test_formulas_are_made_inert_in_csv_and_kept_elsewhere(tmp_path):
    for suffix in (".csv", ".jsonl"):
        write_table(tmp_path / f"out{suffix}", table("text"), [transformed(["=1+1", "-3.5"])])
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[1].startswith("'=1+1,")
    assert lines[2].startswith("-3.5,")
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])["text"] == "=1+1"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_column_that_a_document_lacks(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    write_table(path, table("text", "day"), [transformed(["a"]), transformed(["b"], day="Monday")])
    if suffix == ".parquet":
        assert parquet.read_table(path)["day"].to_pylist() == [None, "Monday"]
    elif suffix == ".jsonl":
        assert [b"day" in line for line in path.read_bytes().splitlines()] == [False, True]
    else:
        assert path.read_text().splitlines()[1].startswith("a,,3,1,")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_failure_on_the_way_leaves_what_was_there(tmp_path, suffix):
    def failing():
        yield transformed(["a"])
        raise RuntimeError("on the way")

    path = tmp_path / f"out{suffix}"
    path.write_text("before")
    with pytest.raises(RuntimeError, match="on the way"):
        write_table(path, table("text"), failing())
    assert path.read_text() == "before"
    assert [other.name for other in tmp_path.iterdir() if not other.name.endswith(".lock")] == [path.name]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_the_same_rows_make_the_same_file(tmp_path, suffix):
    paths = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
    for path in paths:
        write_table(path, table("text"), [transformed(["a", "b"])])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_suffix_is_needed():
    with pytest.raises(ConfigError, match="got ''"):
        check_output(Path("shares"), overwrite=False)
