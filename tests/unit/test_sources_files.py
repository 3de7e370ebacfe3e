"""Documents from csv, tsv, JSON lines and plain lines: what is read, what is refused, what is warned of."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lda_app.corpus.sources import Source, SourceOptions, open_source
from lda_app.errors import ConfigError, CorpusError

if TYPE_CHECKING:
    from pathlib import Path

NEWS = "key,text,group\na,The shuttle reached orbit,space\nb,The goalie saved it,hockey\n"


def source(path: Path, content: str | bytes, **options: Any) -> Source:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_source(str(path), SourceOptions(**options))


def texts(of: Source) -> list[str]:
    return [document.text for document in of]


def test_a_csv_row_is_a_document_with_its_other_columns_as_metadata(tmp_path: Path) -> None:
    news = source(tmp_path / "news.csv", NEWS, id_column="key")
    first, second = news
    assert (first.id, first.text, first.split) == ("a", "The shuttle reached orbit", None)
    assert first.metadata == {"group": "space"}
    assert second.place == "news.csv:3"
    assert (news.columns, news.text_column, news.id_column) == (("key", "text", "group"), "text", "key")


def test_without_an_id_column_documents_are_numbered(tmp_path: Path) -> None:
    documents = list(source(tmp_path / "news.csv", NEWS))
    assert [document.id for document in documents] == ["1", "2"]
    assert documents[0].metadata == {"key": "a", "group": "space"}


def test_places_are_physical_lines_even_after_texts_of_many_lines(tmp_path: Path) -> None:
    documents = list(source(tmp_path / "a.csv", 'text,n\n"one\ntwo",1\nthree,2\n'))
    assert [document.place for document in documents] == ["a.csv:2", "a.csv:4"]
    assert documents[0].text == "one\ntwo"


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.csv", NEWS, {"text_column": "group"}),
        ("a.tsv", "text\tgroup\nx y\tspace\nz\thockey\n", {"text_column": "group"}),
        ("a.csv", "text;group\nx, y;space\nz;hockey\n", {"text_column": "group", "delimiter": ";"}),
        (
            "a.dat",
            "text|group\nx|space\nz|hockey\n",
            {"format": "csv", "text_column": "group", "delimiter": "|"},
        ),
        ("a.csv", "only\nspace\nhockey\n", {}),
        ("a.csv", '"text, in full"\nspace\nhockey\n', {}),
        ("a.csv", "text;full\nspace\nhockey\n", {"text_column": "text;full"}),
        ("a.csv", "n,Body\n1,space\n2,hockey\n", {}),
        ("a.jsonl", '{"text": "space", "n": 1}\n{"text": "hockey"}\n', {}),
        ("a.ndjson", '{"body": "space"}\n{"body": "hockey"}', {"text_column": "body"}),
        ("a.txt", "space\nhockey\n", {}),
        ("a.txt", "space\nhockey", {}),
        ("a.txt", "space\r\nhockey\r\n", {}),
        ("a.txt", "space\rhockey\r", {}),
        ("a.txt", "\ufeffspace\rhockey\r\n", {}),
        ("a.csv", "\ufefftext\rspace\rhockey\r", {"text_column": "text"}),
        ("a.csv", "text\nspace\r\nhockey\r", {}),
        ("a.txt", "space\nhockey".encode("utf-16"), {"encoding": "utf-16"}),
        ("a.csv", "\ufefftext,n\nspace,1\nhockey,2".encode("utf-16-le"), {"encoding": "utf-16-le"}),
        ("a.txt.gz", gzip.compress(b"space\nhockey\n", mtime=0), {}),
        ("a.csv.gz", gzip.compress(b"text\nspace\n", mtime=0) + gzip.compress(b"hockey\n", mtime=0), {}),
        ("a.txt", gzip.compress(b"space\nhockey\n", mtime=0), {}),
    ],
)
def test_every_format_delimiter_line_end_and_packing_is_read_twice_alike(
    tmp_path: Path, name: str, content: str | bytes, options: dict[str, Any]
) -> None:
    documents = source(tmp_path / name, content, **options)
    assert texts(documents) == ["space", "hockey"]
    assert texts(documents) == ["space", "hockey"]


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.csv", "", {}, "a.csv: the file is empty"),
        ("a.csv", "text,n\n", {}, "a.csv contains no documents"),
        ("a.txt", "", {}, "a.txt contains no documents"),
        ("a.txt.gz", b"", {}, "no document"),
        ("a.jsonl", "\n \n", {}, "no document"),
        ("a.csv", NEWS, {"text_column": "txt"}, "no column 'txt'; the columns are 'key', 'text', 'group'"),
        ("a.csv", NEWS, {"id_column": "nr"}, "no column 'nr'; the columns are 'key', 'text', 'group'"),
        ("a.csv", "n,m\n1,2\n", {}, "set --text-column.* 'n', 'm'"),
        ("a.csv", "text,body\n1,2\n", {}, "set --text-column.* 'text', 'body'"),
        ("a.csv", "text,n,text\n1,2,3\n", {}, "a.csv:1: duplicate column name 'text'"),
        ("a.csv", "text;n\nx;1\n", {}, "a.csv:1: only one column, 'text;n'.*--delimiter ';'"),
        ("a.csv", "text\tn\nx\t1\n", {}, "--delimiter tab"),
        ("a.tsv", "text,n\nx,1\n", {}, "--delimiter ','"),
        ("a.csv", "text,n\nx,1\ny\n", {}, "a.csv:3: 1 cells, but the header has 2 columns.*--skip-bad-lines"),
        ("a.csv", "text,n\nx,1,2\n", {}, "a.csv:2: 3 cells, but the header has 2 columns"),
        ("a.csv", 'text,n\n"x"y,1\n', {}, "a.csv:2: malformed quoting"),
        (
            "a.csv",
            'text,n\nx,1\n"y,2\nz,3\n',
            {},
            r'a.csv:3: the quote \("\) opened in this row is never closed',
        ),
        ("a.csv", 'text,n\n"y,2\nz,3\n', {"skip_bad_lines": True}, "never closed"),
        ("a.csv", '"te"xt,n\ny,2\n', {"skip_bad_lines": True}, "a.csv:1: malformed quoting in the header"),
        ("a.csv", f"text,{'n' * 10_000}\n", {"id_column": "x"}, "n{55}...'$"),
        (
            "a.csv",
            "key,text\na,x\nb,y\na,z\n",
            {"id_column": "key"},
            "a.csv:4: the ID 'a' is also used at a.csv:2",
        ),
        ("a.jsonl", '{"text": "x"}\n{"text": \n', {}, "a.jsonl:2: invalid JSON: .* at column"),
        ("a.jsonl", '["x"]\n', {}, "a.jsonl:1: expected one JSON object per line"),
        ("a.jsonl", "[" * 100_000 + "\n", {}, "a.jsonl:1: the JSON is nested too deeply"),
        ("a.jsonl", '{"text": 3}\n', {}, "a.jsonl:1: the text must be a string, got 3"),
        ("a.jsonl", '{"text": null}\n', {}, "a.jsonl:1: the text must be a string, got null"),
        (
            "a.jsonl",
            '{"body": "x"}\n',
            {},
            r"a.jsonl:1: no key 'text' \(give --text-column\); the keys are 'body'",
        ),
        ("a.jsonl", '{"text": "x"}\n', {"id_column": "k"}, "no key 'k'"),
        ("a.jsonl", '{"text": "x", "k": null}\n', {"id_column": "k"}, "a.jsonl:1: the ID 'k' is null"),
        (
            "a.jsonl",
            '{"text": "x", "k": 1}\n{"text": "y", "k": "1"}\n',
            {"id_column": "k"},
            "the ID '1' is also used at",
        ),
        (
            "a.txt",
            "x\ny\nna\u00efve\n".encode("latin-1"),
            {},
            r"a.txt:3: byte 6 \(0xef\) is not utf-8.*--encoding",
        ),
        ("a.txt", b"\xef\xbb\xbfx\n\xff", {}, r"a.txt:2: byte 5 \(0xff\)"),
        ("a.txt", b"ok\r" * 9000 + b"\xff", {}, r"a.txt:9001: byte 27000 \(0xff\)"),
        ("a.txt", b"x\ny\xc3", {}, r"a.txt:2: byte 3 \(0xc3\)"),
        ("a.csv", b"text\nx\n\xe9t\xe9\n", {}, r"a.csv:3: byte 7 \(0xe9\)"),
        ("a.txt", "space".encode("utf-16"), {}, "this is utf-16, not utf-8; give --encoding utf-16"),
        ("a.txt", "space shuttle".encode("utf-16-be"), {}, "this is utf-16-be, not utf-8"),
        ("a.txt", "space".encode("utf-32"), {"encoding": "latin-1"}, "this is utf-32, not latin-1"),
        ("a.txt", b"\xff\xfeodd", {"encoding": "utf-16"}, r"a.txt:1: byte 4 \(0x64\) is not utf-16"),
        (
            "a.txt",
            b"no mark",
            {"encoding": "utf-16"},
            "byte 0: no byte order mark; give --encoding utf-16-le",
        ),
        ("a.txt.gz", gzip.compress(b"space " * 99, mtime=0)[:-9], {}, "a.txt.gz: damaged or truncated gzip"),
        ("a.txt.gz", gzip.compress(b"space " * 99, mtime=0)[:5], {}, "a.txt.gz: damaged or truncated gzip"),
        ("a.txt.gz", b"no gzip", {}, "a.txt.gz: damaged or truncated gzip"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_the_place(
    tmp_path: Path, name: str, content: str | bytes, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(CorpusError, match=message) as caught:
        list(source(tmp_path / name, content, **options))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "options", "expected", "warning", "count"),
    [
        ("a.csv", "text,n\nx,1\ny\nz,3\n", {"skip_bad_lines": True}, ["x", "z"], "bad rows skipped", 1),
        ("a.csv", 'text,n\n"x"y,1\nz,3\n', {"skip_bad_lines": True}, ["z"], "bad rows skipped", 1),
        ("a.jsonl", 'x\n{"text": "z"}\n[]', {"skip_bad_lines": True}, ["z"], "bad rows skipped", 2),
        ("a.csv", "text,n\nx,1\n\n\nz,3\n", {}, ["x", "z"], "blank lines skipped", 2),
        ("a.csv", "text,n\n,1\n ,2\nz,3\n", {}, ["", " ", "z"], "empty texts", 2),
        ("a.csv", "text,n\n3.5,1\n-2e3,2\n", {}, ["3.5", "-2e3"], "texts that look like a number", 2),
        (
            "a.csv",
            "text,n\nNaN,1\nN/A,2\n",
            {},
            ["NaN", "N/A"],
            "texts that look like a missing value, such as NaN",
            2,
        ),
        ("a.txt", "x\n\ny\n", {}, ["x", "", "y"], "empty texts", 1),
        ("a.txt", "x\0y\0\nz", {}, ["xy", "z"], "NUL characters dropped", 2),
        ("a.jsonl", r'{"text": "x\u0000y"}', {}, ["xy"], "NUL characters dropped", 1),
        (
            "a.jsonl",
            r'{"text": "x\ud83dy"}',
            {},
            ["x\ufffdy"],
            "texts with an unpaired surrogate, repaired",
            1,
        ),
        ("a.jsonl", '{"text": "x"}\n\n', {}, ["x"], "blank lines skipped", 1),
    ],
)
def test_oddities_are_counted_and_the_run_goes_on(
    tmp_path: Path,
    name: str,
    content: str,
    options: dict[str, Any],
    expected: list[str],
    warning: str,
    count: int,
) -> None:
    documents = source(tmp_path / name, content, **options)
    for _ in range(2):  # a second reading counts anew
        assert texts(documents) == expected
        assert documents.warnings == {warning: count}


def test_rows_left_out_are_listed_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    documents = source(tmp_path / "a.csv", "text,n\nx,1\ny\nz,3\n", skip_bad_lines=True)
    assert [document.id for document in documents] == ["1", "3"]
    assert documents.left_out == [("a.csv:3", "1 cells, but the header has 2 columns")]


@pytest.mark.parametrize(("errors", "expected"), [("replace", "na\ufffdve"), ("ignore", "nave")])
def test_undecodable_bytes_are_replaced_or_dropped_on_demand(
    tmp_path: Path, errors: str, expected: str
) -> None:
    content = "na\u00efve".encode("latin-1")
    assert texts(source(tmp_path / "a.txt", content, encoding_errors=errors)) == [expected]
    assert texts(source(tmp_path / "a.txt", content, encoding="latin-1")) == ["na\u00efve"]


def test_of_a_json_key_given_twice_the_last_counts(tmp_path: Path) -> None:
    assert texts(source(tmp_path / "a.jsonl", '{"text": "x", "text": "y"}')) == ["y"]


def test_json_values_become_text(tmp_path: Path) -> None:
    line = '{"text": "x", "k": 7, "tags": ["\u00e9", 1], "ok": true, "none": null}'
    documents = source(tmp_path / "a.jsonl", line, id_column="k")
    (document,) = documents
    assert document.id == "7"
    assert document.metadata == {"tags": '["\u00e9", 1]', "ok": "true", "none": ""}
    assert documents.columns == ("text", "k", "tags", "ok", "none")


def test_columns_of_json_lines_are_all_keys_in_the_order_of_their_appearance(tmp_path: Path) -> None:
    documents = source(tmp_path / "a.jsonl", '{"b": 1, "text": "x"}\n{"a": 2, "text": "y", "b": 3}')
    list(documents)
    assert documents.columns == ("b", "text", "a")
    next(iter(documents))
    assert documents.columns == ("b", "text", "a")


def test_a_text_beyond_the_field_limit_of_csv_is_read(tmp_path: Path) -> None:
    long = "orbit " * 50_000
    assert texts(source(tmp_path / "a.csv", f"text,n\n{long},1\n")) == [long]


def test_equal_hashes_are_no_equal_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lda_app.corpus.sources.base.hash", lambda _: 7, raising=False)
    documents = source(tmp_path / "a.txt", "x\n\ny\n")
    assert texts(documents) == ["x", "", "y"]
    assert documents.warnings == {"empty texts": 1}


def test_huge_texts_are_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lda_app.corpus.sources.base.HUGE_TEXT", 1000)
    documents = source(tmp_path / "a.txt", "orbit " * 200 + "\nmoon\n")
    assert len(texts(documents)) == 2
    assert documents.warnings == {"texts of more than 1,000 characters": 1}


def test_lines_are_streamed(tmp_path: Path) -> None:
    documents = iter(source(tmp_path / "a.txt", b"space\n" * 50_000 + b"\xff"))
    assert next(documents).text == "space"  # the error at the end has not been met


def test_the_description_depends_on_content_and_options_alone(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    here = source(tmp_path / "news.csv", NEWS).describe()
    there = source(tmp_path / "elsewhere" / "news.csv", NEWS).describe()
    changed = source(tmp_path / "news.csv", NEWS + "c,x,y\n").describe()
    other = source(tmp_path / "news.csv", NEWS, id_column="key").describe()
    assert json.dumps(here) == json.dumps(there)
    assert str(tmp_path) not in json.dumps(here)
    assert here not in (changed, other)


@pytest.mark.parametrize(
    "options",
    [
        {"format": "xls"},
        {"encoding": "utf-9"},
        {"encoding": "base64"},
        {"encoding_errors": "surrogateescape"},
        {"delimiter": ";;"},
        {"delimiter": ""},
        {"delimiter": "\n"},
        {"text_column": "x", "id_column": "x"},
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SourceOptions(**options)


# Any text without the characters that are dropped (NUL) or cannot be encoded (surrogates).
cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
rows = st.lists(st.tuples(cells, cells), min_size=1, max_size=8)
round_trip = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


@round_trip
@given(rows=rows, delimiter=st.sampled_from(",;\t|"))
def test_csv_round_trip(tmp_path: Path, rows: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([("text", "other"), *rows])
    documents = list(source(tmp_path / "a.csv", file.getvalue(), delimiter=delimiter))
    assert [(document.text, document.metadata["other"]) for document in documents] == rows


@round_trip
@given(rows=rows, ascii_only=st.booleans())
def test_json_lines_round_trip(tmp_path: Path, rows: list[tuple[str, str]], ascii_only: bool) -> None:
    lines = [json.dumps({"text": text, "other": other}, ensure_ascii=ascii_only) for text, other in rows]
    documents = list(source(tmp_path / "a.jsonl", "\n".join(lines)))
    assert [(document.text, document.metadata["other"]) for document in documents] == rows


@round_trip
@given(data=st.binary(max_size=200), name=st.sampled_from(["a.txt", "a.csv", "a.jsonl", "a.txt.gz"]))
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes, name: str) -> None:
    with contextlib.suppress(CorpusError):  # of any other error, the test fails
        assert all("\0" not in text for text in texts(source(tmp_path / name, data)))
