"""Where documents are looked for: names, paths, folders, pipes and standard input."""

from __future__ import annotations

import gzip
import io
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from lda_app.corpus.sources import CORPORA, Source, SourceOptions, open_source
from lda_app.errors import CorpusError, FileSystemError


def opened(path: Path | str, **options: Any) -> Source:
    return open_source(str(path), SourceOptions(**options))


def folder(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return folder(
        tmp_path / "texts", {"b.txt": "three", "a/2.txt": "two", "a/1.txt": "one\nline", "c.md": "no"}
    )


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        ("missing.csv", {}, "missing.csv: no such file or folder"),
        ("a.txt/b.txt", {}, "no such file or folder"),
        ("20newsgroup", {}, "did you mean the corpus 20newsgroups"),
        ("x" * 300, {}, "cannot be read: File name too long"),
        ("texts", {"format": "csv"}, "is a folder, but --format csv needs a file"),
        ("a.txt", {"format": "folder"}, "--format folder needs a folder"),
        (
            "a.xyz",
            {},
            "unknown suffix; set --format to csv, tsv, jsonl, parquet, xlsx or txt",
        ),
        ("a.zip", {}, "archives are not supported; unpack it"),
        ("a.tar.gz", {}, "archives are not supported"),
        ("texts", {"pattern": "*.rst"}, "texts: no file in this folder matches '\\*.rst'; set --pattern"),
        ("empty", {}, "no file in this folder matches '\\*.txt'"),
    ],
)
def test_what_cannot_be_opened_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, options: dict[str, Any], message: str
) -> None:
    folder(tmp_path, {"a.txt": "x", "a.xyz": "x", "a.zip": "x", "a.tar.gz": "x", "texts/a.txt": "x"})
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError, match=message):
        opened(spec, **options)


def test_a_file_that_vanishes_is_an_error_of_the_input(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")
    documents = opened(path)
    path.unlink()
    with pytest.raises(CorpusError, match=r"a\.txt: cannot be read: No such file"):
        list(documents)


def test_a_folder_is_read_in_the_order_of_its_paths_with_subfolders_as_labels(texts: Path) -> None:
    documents = opened(texts)
    assert [(document.id, document.text, document.metadata["label"]) for document in documents] == [
        ("a/1.txt", "one\nline", "a"),
        ("a/2.txt", "two", "a"),
        ("b.txt", "three", ""),
    ]
    assert documents.columns == ("id", "label", "text")
    assert next(iter(documents)).place == "texts/a/1.txt"


def test_a_folder_without_subfolders_has_no_labels(tmp_path: Path) -> None:
    (document,) = opened(folder(tmp_path / "flat", {"a.txt": "x"}))
    assert document.metadata == {}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("*", ["a/1.txt", "a/2.txt", "b.txt", "c.md"]), ("*.md", ["c.md"]), ("a/*", ["a/1.txt", "a/2.txt"])],
)
def test_the_pattern_says_which_files_are_read(texts: Path, pattern: str, expected: list[str]) -> None:
    assert [document.id for document in opened(texts, pattern=pattern)] == expected


def test_gzipped_files_of_a_folder_match_by_their_inner_name(tmp_path: Path) -> None:
    (document,) = opened(folder(tmp_path / "packed", {"a.txt.gz": gzip.compress(b"packed text", mtime=0)}))
    assert document.text == "packed text"


def test_binary_files_links_that_lead_nowhere_and_pipes_are_skipped_and_listed(texts: Path) -> None:
    folder(
        texts, {"noise.txt": bytes(range(256)), "page.txt": b"%PDF-1.7 ...", "nul.txt": "a text with\0a NUL"}
    )
    (texts / "nowhere.txt").symlink_to("missing")
    os.mkfifo(texts / "pipe.txt")
    documents = opened(texts)
    for _ in range(2):
        assert [document.id for document in documents] == ["a/1.txt", "a/2.txt", "b.txt", "nul.txt"]
        assert dict(documents.left_out) == {
            "noise.txt": "a binary file",
            "page.txt": "a binary file",
            "nowhere.txt": "not a regular file",
            "pipe.txt": "not a regular file",
        }
        assert documents.warnings == {
            "skipped: a binary file": 2,
            "skipped: not a regular file": 2,
            "NUL characters dropped": 1,
        }


def test_links_in_a_circle_end(texts: Path) -> None:
    (texts / "a" / "loop").symlink_to(texts)
    documents = opened(texts)
    assert len(list(documents)) == 3
    assert documents.left_out == [("a/loop", "a link to a folder that was already read")]


def test_the_same_file_twice_is_warned_of(texts: Path) -> None:
    (texts / "copy.txt").symlink_to("b.txt")
    documents = opened(texts)
    assert len(list(documents)) == 4
    assert documents.warnings == {"files with the same text as an earlier one": 1}


def test_an_undecodable_file_of_a_folder_is_named(texts: Path) -> None:
    folder(texts, {"a/3.txt": "na\u00efve".encode("latin-1")})
    with pytest.raises(CorpusError, match=r"texts/a/3\.txt:1: byte 2 \(0xef\)"):
        list(opened(texts))


def test_names_that_are_no_utf8_become_ids_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "odd") + b"/\xff.txt")).write_text("x")
    (document,) = opened(tmp_path / "odd")
    assert document.id == "\ufffd.txt"


def test_the_description_of_a_folder_changes_with_its_content(texts: Path) -> None:
    before = opened(texts).describe()
    assert before == opened(texts).describe()
    assert str(texts.parent) not in str(before)
    folder(texts, {"b.txt": "other"})
    assert opened(texts).describe() != before


def pipe_in(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"space\nhockey\n", {}),
        (gzip.compress(b"space\nhockey\n", mtime=0), {}),
        (b"text,n\nspace,1\nhockey,2\n", {"format": "csv"}),
    ],
)
def test_standard_input_can_be_read_twice(
    monkeypatch: pytest.MonkeyPatch, content: bytes, options: dict[str, Any]
) -> None:
    pipe_in(monkeypatch, content)
    documents = opened("-", **options)
    for _ in range(2):
        assert [document.text for document in documents] == ["space", "hockey"]
    assert next(iter(documents)).place.startswith("standard input:")


def test_the_copy_of_standard_input_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pipe_in(monkeypatch, b"space\n")
    documents = opened("-")
    assert len(list(tmp_path.iterdir())) == 1
    del documents
    assert not list(tmp_path.iterdir())


def test_standard_input_empty_closed_or_without_room_for_its_copy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pipe_in(monkeypatch, b"")
    with pytest.raises(CorpusError, match="standard input is empty"):
        opened("-")
    sys.stdin.close()
    with pytest.raises(CorpusError, match="standard input is closed"):
        opened("-")
    pipe_in(monkeypatch, b"space\n")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(FileSystemError, match="set TMPDIR"):
        opened("-")


def test_a_named_pipe_is_read_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("space\nhockey\n",))
    writer.start()
    documents = opened(path)
    writer.join()
    for _ in range(2):
        assert [document.text for document in documents] == ["space", "hockey"]


def test_every_named_corpus_opens_and_has_its_name() -> None:
    for name, corpus in CORPORA.items():
        assert opened(name).name == name
        assert corpus.description
        assert corpus.licence
