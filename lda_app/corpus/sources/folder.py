"""A folder of text files, a document each; the subfolder is the label."""

from __future__ import annotations

import hashlib
import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lda_app.corpus.documents import Document
from lda_app.corpus.sources.base import BaseSource
from lda_app.corpus.sources.text_file import TextFile, looks_binary
from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lda_app.corpus.options import SourceOptions


class FolderSource(BaseSource):
    """Files below a folder in the order of their paths, which are their ids.

    Parameters
    ----------
    root
        The folder.
    options
        Their pattern says which files are read.

    Raises
    ------
    CorpusError
        No file matches the pattern, or a folder cannot be read.
    """

    def __init__(self, root: Path, options: SourceOptions) -> None:
        super().__init__(root.resolve().name)
        self.root = root
        self.options = options
        self._paths, self._not_files = _listing(root, options.pattern)
        self.labelled = any("/" in path for path in self._paths)
        if self.labelled:
            self.columns = ("id", "label", "text")
        if not self._paths:
            raise CorpusError(
                f"{self.name}: no file in this folder matches {options.pattern!r}; set --pattern"
            )

    def _read(self) -> Iterator[Document]:
        seen: set[int] = set()
        for path, reason in self._not_files:
            self._leave_out(path, reason)
        for path in self._paths:
            file = self._file(path)
            if looks_binary(file.head(), self.options.encoding):
                self._leave_out(path, "a binary file")
                continue
            text = "".join(file.lines(self.warnings))
            if text and hash(text) in seen:
                self.warnings["files with the same text as an earlier one"] += 1
            seen.add(hash(text))
            label = {"label": _printable(path.rpartition("/")[0])} if self.labelled else {}
            yield Document(_printable(path), text, metadata=label, place=file.name)

    def files(self) -> Iterator[TextFile]:
        """Yield the files that match, binary ones among them."""
        return map(self._file, self._paths)

    def _file(self, path: str) -> TextFile:
        name = f"{self.name}/{_printable(path)}"
        return TextFile(self.root / path, name, self.options.encoding, self.options.encoding_errors)

    def _leave_out(self, path: str, reason: str) -> None:
        self.warnings[f"skipped: {reason}"] += 1
        self.left_out.append((_printable(path), reason))

    def describe(self) -> dict[str, Any]:
        """Name the folder, how much is in it, and one hash of all names and contents."""
        files = [self._file(path).describe() for path in self._paths]
        lines = "".join(f"{file['sha256']}  {file['name']}\n" for file in files)
        names = ("pattern", "encoding", "encoding_errors")
        return {
            "kind": "folder",
            "name": self.name,
            "num_files": len(files),
            "bytes": sum(file["bytes"] for file in files),
            "sha256": hashlib.sha256(lines.encode()).hexdigest(),
            "options": {name: getattr(self.options, name) for name in names},
        }


def _listing(root: Path, pattern: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the relative paths of the files that match, sorted, and (path, reason) of what is no file."""
    files: list[str] = []
    others: list[tuple[str, str]] = []
    visited: set[tuple[int, int]] = set()
    for folder, subfolders, names in os.walk(root, onerror=_unreadable, followlinks=True):
        subfolders.sort()
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in visited:
            others.append(
                (Path(folder).relative_to(root).as_posix(), "a link to a folder that was already read")
            )
            subfolders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        for path in (Path(folder, name) for name in names):
            relative = path.relative_to(root).as_posix()
            if not _matches(relative, pattern):
                continue
            if path.is_file():
                files.append(relative)
            else:
                others.append((relative, "not a regular file"))
    return sorted(files, key=lambda path: path.split("/")), sorted(others)


def _matches(path: str, pattern: str) -> bool:
    """Match the name, or the whole path where the pattern has a slash, with or without its .gz."""
    subject = path if "/" in pattern else path.rpartition("/")[2]
    return fnmatchcase(subject, pattern) or fnmatchcase(subject.removesuffix(".gz"), pattern)


def _unreadable(error: OSError) -> None:
    raise CorpusError(f"{error.filename}: cannot read this folder: {error.strerror}") from error


def _printable(path: str) -> str:
    """Replace the bytes of a file name that are no UTF-8, which no output could hold."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
