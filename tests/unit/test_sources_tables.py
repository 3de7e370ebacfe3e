"""Parquet files and Excel workbooks as sources: every row and column, and what cannot be read."""

import datetime as dt
import sys

import pandas as pd
import pytest

from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.errors import ConfigError, CorpusError

ROWS = {
    "key": ["a", "b", "c"],
    "text": ["The orbit", "a goal\nof the season", None],
    "year": [1993, 1994, 1995],
    "day": [dt.date(1993, 4, 1), dt.date(1993, 4, 2), None],
}


def written(path):
    frame = pd.DataFrame(ROWS)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_excel(path, index=False)
    return path


def read(path, **options):
    source = open_source(str(path), SourceOptions(**options))
    return source, list(source)


@pytest.mark.parametrize("suffix", ["parquet", "xlsx"])
def test_every_row_and_column_is_read(tmp_path, suffix):
    source, documents = read(written(tmp_path / f"news.{suffix}"), id_column="key")
    assert source.columns == ("key", "text", "year", "day")
    assert [document.id for document in documents] == ["a", "b", "c"]
    assert [document.text for document in documents] == ["The orbit", "a goal\nof the season", ""]
    assert [document.metadata["year"] for document in documents] == ["1993", "1994", "1995"]
    assert documents[0].metadata["day"].startswith("1993-04-01")
    assert documents[2].metadata["day"] == ""
    assert source.warnings["empty texts"] == 1
    assert documents == list(source)
    assert source.describe()["files"][0]["name"] == f"news.{suffix}"


@pytest.mark.parametrize("suffix", ["parquet", "xlsx"])
def test_a_column_that_is_not_there(tmp_path, suffix):
    with pytest.raises(CorpusError, match="no column 'body'; the columns are 'key', 'text'"):
        read(written(tmp_path / f"news.{suffix}"), text_column="body")


@pytest.mark.parametrize(("suffix", "what"), [("parquet", "Parquet"), ("xlsx", "an Excel workbook")])
def test_a_damaged_file_is_named(tmp_path, suffix, what):
    path = written(tmp_path / f"news.{suffix}")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CorpusError, match=rf"news\.{suffix}: cannot be read as {what}"):
        read(path)


def test_values_of_parquet_that_are_no_text(tmp_path):
    path = tmp_path / "news.parquet"
    pd.DataFrame({"text": ["moon"], "tags": [["a", "b"]], "share": [0.5], "raw": [b"\xff"]}).to_parquet(path)
    (document,) = read(path)[1]
    assert document.metadata == {"tags": '["a", "b"]', "share": "0.5", "raw": "b'\\xff'"}
    assert document.metadata["share"].value == 0.5


def workbook(path, rows):
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_blank_rows_are_passed_over_and_short_ones_filled(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["text", "year"], ["moon"], [], ["orbit", 3]])
    source, documents = read(path)
    assert [(d.id, d.text, d.metadata["year"], d.place) for d in documents] == [
        ("1", "moon", "", "a.xlsx:2"),
        ("2", "orbit", "3", "a.xlsx:4"),
    ]
    assert source.warnings["blank rows skipped"] == 1


def test_a_row_wider_than_the_header_is_a_bad_row(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["text"], ["moon", "more"], ["orbit"]])
    with pytest.raises(CorpusError, match=r"a\.xlsx:2: more cells than the 1 columns"):
        read(path)
    source, documents = read(path, skip_bad_lines=True)
    assert [document.text for document in documents] == ["orbit"]
    assert source.left_out == [("a.xlsx:2", "more cells than the 1 columns in the header")]


def test_an_empty_sheet(tmp_path):
    with pytest.raises(CorpusError, match="the first sheet is empty"):
        read(workbook(tmp_path / "a.xlsx", []))


def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch):
    path = written(tmp_path / "a.xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ConfigError, match=r"install lda-app\[excel\], or save the sheet as csv"):
        read(path)
