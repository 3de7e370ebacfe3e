"""Where documents come from: named corpora, the user's files and folders, standard input.

Examples
--------
>>> sorted(CORPORA)
['20newsgroups', 'pydocs']
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lda_app.corpus.options import FORMATS, SourceOptions
from lda_app.corpus.sources.base import Source
from lda_app.corpus.sources.folder import FolderSource
from lda_app.corpus.sources.spool import spooled, spooled_stdin
from lda_app.corpus.sources.text_file import TextFile
from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CORPORA", "NamedCorpus", "Source", "SourceOptions", "open_source"]


@dataclass(frozen=True)
class NamedCorpus:
    """A corpus that the app knows by name."""

    description: str
    licence: str
    open: Callable[[], Source]
    offline: Callable[[], bool] = lambda: True
    """Whether it can be opened without network access."""


def _pydocs() -> Source:
    from lda_app.corpus.sources.pydocs import PyDocsSource

    return PyDocsSource()


def _newsgroups() -> Source:
    from lda_app.corpus.sources.newsgroups import NewsgroupsSource

    return NewsgroupsSource()


def _has_newsgroups() -> bool:
    from lda_app.corpus.sources.newsgroups import is_cached

    return is_cached()


CORPORA: dict[str, NamedCorpus] = {
    "pydocs": NamedCorpus(
        description="documentation of the Python packages installed with the app; works offline",
        licence="that of each package (BSD, MIT, Apache-2.0)",
        open=_pydocs,
    ),
    "20newsgroups": NamedCorpus(
        description="18,846 messages from 20 Usenet groups, 1993; downloaded with scikit-learn",
        licence="none stated: the authors keep the rights to their messages",
        open=_newsgroups,
        offline=_has_newsgroups,
    ),
}


def open_source(spec: str, options: SourceOptions) -> Source:
    """Open a corpus name, a path, or ``-`` for standard input.

    Parameters
    ----------
    spec
        A key of `CORPORA` (write ``./pydocs`` for a file of that name), a path, or ``-``.
    options
        How to read a file, a folder or standard input; a named corpus has no use for them.

    Raises
    ------
    CorpusError
        The path is missing, of the wrong kind, or of unknown format; standard input is empty.

    Examples
    --------
    >>> open_source("no-such-file.csv", SourceOptions())
    Traceback (most recent call last):
    lda_app.errors.CorpusError: no-such-file.csv: no such file or folder
    """
    if spec == "-":
        return _file_source(options.format or "txt", spooled_stdin(options), options)
    if spec in CORPORA:
        return CORPORA[spec].open()
    if not spec:
        raise CorpusError("the input name is empty; give a file, a folder or the name of a corpus")
    path = Path(spec)
    if _is_folder(path):
        if options.format not in (None, "folder"):
            raise CorpusError(f"{spec} is a folder, but --format {options.format} needs a file")
        return FolderSource(path, options)
    return _file_source(_format(path, options), _text_file(path, options), options)


def _is_folder(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        close = get_close_matches(str(path), CORPORA, n=1)
        hint = f"; did you mean the corpus {close[0]}?" if close else ""
        raise CorpusError(f"{path}: no such file or folder{hint}") from None
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror}") from error
    return path.is_dir()


def _file_source(format: str, file: TextFile, options: SourceOptions) -> Source:  # noqa: A002  the option's name
    if format == "folder":
        raise CorpusError(f"{file.name}: --format folder needs a folder")
    reader = FORMATS[format].reader
    source: Source = getattr(import_module(f"{__name__}.{reader.module}"), reader.name)(file, options)
    return source


def _format(path: Path, options: SourceOptions) -> str:
    if options.format:
        return options.format
    name = path.name.lower().removesuffix(".gz")
    suffix = Path(name).suffix
    for known, described in FORMATS.items():
        if suffix in described.suffixes:
            return known
    if name.endswith((".zip", ".tar", ".tgz", ".bz2", ".xz", ".7z")):
        raise CorpusError(f"{path}: archives are not supported; unpack it and give the folder or file")
    raise CorpusError(f"{path}: unknown suffix; set --format to csv, tsv, jsonl, parquet, xlsx or txt")


def _text_file(path: Path, options: SourceOptions) -> TextFile:
    """Name the file; a pipe, which can be read only once, is copied first."""
    if path.is_file():
        return TextFile(path, path.name, options.encoding, options.encoding_errors)
    try:
        with path.open("rb") as pipe:
            return spooled(pipe, str(path), options)
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror}") from error
