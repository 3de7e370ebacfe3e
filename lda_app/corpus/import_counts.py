"""Counts that were made elsewhere, in the formats of the field, into a corpus folder.

=============  =====================================================================================
npz            a sparse matrix as ``scipy.sparse.save_npz`` writes it, (documents, words)
lda-c          a document a line, ``N word:count word:count …``, words from 0 (Blei's lda-c)
uci            the numbers of documents, words and entries, a line each, then a line
               ``document word count`` for each entry, both from 1 (UCI's Bag of Words)
matrix-market  a coordinate matrix, (documents, words)
=============  =====================================================================================
"""

from __future__ import annotations

import gzip
import itertools
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import io, sparse

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.document_table import DocumentWriter
from lda_app.corpus.documents import Document
from lda_app.corpus.folder import CORPUS_FORMAT, Corpus, open_corpus, require_words, write_summary
from lda_app.corpus.two_pass import EmptyRow, SplitRule
from lda_app.corpus.vocabulary import Vocabulary
from lda_app.errors import ConfigError, CorpusError
from lda_app.system.storage import sealed_folder, sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader
    from pathlib import Path

    Reader = Callable[[Path, int], Any]

_ROWS_AT_A_TIME = 50_000


@dataclass(frozen=True)
class CountFiles:
    """The files of counts made elsewhere.

    Parameters
    ----------
    train
        Counts of the training documents.
    vocabulary
        One word a line, in the order of the columns.
    test
        Counts of the test documents; without it, some of `train` are put aside.
    train_labels, test_labels
        A label a line, kept as metadata ``label``.
    format
        ``npz``, ``lda-c``, ``uci`` or ``matrix-market``; None finds out by the content.
    """

    train: Path
    vocabulary: Path
    test: Path | None = None
    train_labels: Path | None = None
    test_labels: Path | None = None
    format: str | None = None

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in _READERS:
            raise ConfigError(f"--format must be one of {', '.join(_READERS)}, got {self.format!r}")
        if self.test_labels is not None and self.test is None:
            raise ConfigError("--test-labels needs --test")

    def describe(self) -> dict[str, Any]:
        """Return the names and the sha256 of the files, for manifests."""
        files = (self.train, self.test, self.vocabulary, self.train_labels, self.test_labels)
        hashes = {file.name: sha256_of(file) for file in files if file is not None}
        return {"kind": "counts", "format": self.format, "files": hashes}


def import_counts(
    files: CountFiles, out: Path, *, test_fraction: float = 0.1, seed: int = 0, overwrite: bool = False
) -> Corpus:
    """Write a corpus folder of counts made elsewhere.

    Parameters
    ----------
    files
        What to read.
    out
        The folder to write.
    test_fraction, seed
        Which share of the documents is put aside for testing, and which ones, if there is no test file.
    overwrite
        Replace a corpus folder.

    Raises
    ------
    ConfigError
        If `out` exists and may not be replaced, or the format cannot be told.
    CorpusError
        If a file cannot be read, a count is no whole number from 0, or the files disagree.
    FileSystemError
        If the folder cannot be written.
    """
    if not 0 <= test_fraction < 1:
        raise ConfigError(f"--test-fraction must be at least 0 and below 1, got {test_fraction}")
    vocabulary = Vocabulary.open(files.vocabulary)
    require_words(vocabulary, str(files.vocabulary))
    splits = _read_splits(files, vocabulary, SplitRule(test_fraction, seed))
    if not splits["train"][1].num_tokens:
        raise CorpusError(f"{files.train}: no words left: all counts of the training documents are 0")
    details: dict[str, Any] = {}
    with sealed_folder(
        out, kind="corpus", format_version=CORPUS_FORMAT, overwrite=overwrite, details=details
    ) as staging:
        empty = [row for name, split in splits.items() for row in _write_split(staging, name, *split)]
        options = {} if files.test else {"test_fraction": test_fraction, "seed": seed}
        details |= {
            "name": files.train.name,
            "source": files.describe(),
            "options": options,
            "tools": {name: metadata.version(name) for name in ("numpy", "scipy")},
            **write_summary(staging, vocabulary, empty, dropped=(), warnings=Counter()),
        }
    return open_corpus(out)


def read_counts(path: Path, num_words: int, format: str | None = None) -> DocTermMatrix:  # noqa: A002
    r"""Read one file of counts.

    Parameters
    ----------
    path
        The file; all formats but npz may be gzipped.
    num_words
        The number of words of its vocabulary.
    format
        One of the four; None finds out by the content.

    Raises
    ------
    ConfigError
        If the format cannot be told.
    CorpusError
        If the file cannot be read or does not fit the vocabulary.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "counts.ldac"
    >>> _ = path.write_text("2 0:1 2:3\n1 1:1\n")
    >>> read_counts(path, num_words=3).lengths().tolist()
    [4, 1]
    """
    try:
        with _opened(path) as stream:
            head = stream.read(4096)
        if not head.strip():
            raise CorpusError(f"{path} is empty; it must contain word counts")
        counts = _READERS[format or _sniffed(path, head)](path, num_words)
        if counts.shape[1] != num_words:
            raise CorpusError(
                f"{path}: {counts.shape[1]} columns, but the vocabulary has {num_words} words; "
                "rows must be documents and columns words"
            )
        return DocTermMatrix.from_scipy(counts)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error or "truncated"
        raise CorpusError(f"{path}: cannot read the counts: {reason}") from error
    except (TypeError, ValueError) as error:
        raise CorpusError(f"{path}: {error}") from error


def _read_splits(
    files: CountFiles, vocabulary: Vocabulary, rule: SplitRule
) -> dict[str, tuple[list[Document], DocTermMatrix]]:
    """Read documents and counts of each split."""
    counts = read_counts(files.train, len(vocabulary), files.format)
    if files.test is not None:
        test = read_counts(files.test, len(vocabulary), files.format)
        return {
            "train": (_documents(counts, files.train_labels, "train-"), counts),
            "test": (_documents(test, files.test_labels, "test-"), test),
        }
    documents = _documents(counts, files.train_labels)
    is_test = np.array([rule.split_of(document) == "test" for document in documents])
    is_test[0] = False  # even a single document can be trained on
    rows = {"train": np.flatnonzero(~is_test), "test": np.flatnonzero(is_test)}
    return {
        name: ([documents[row] for row in index.tolist()], counts.rows(index))
        for name, index in rows.items()
        if index.size
    }


def _documents(counts: DocTermMatrix, labels: Path | None, prefix: str = "") -> list[Document]:
    ids = [f"{prefix}{number}" for number in range(1, counts.num_documents + 1)]
    if labels is None:
        return [Document(id_, "") for id_ in ids]
    try:
        given = labels.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{labels}: byte {error.start} is not UTF-8; save the labels as UTF-8") from error
    except OSError as error:
        raise CorpusError(f"{labels}: cannot read the labels: {error.strerror}") from error
    if len(given) != len(ids):
        raise CorpusError(f"{labels}: {len(given)} labels for {len(ids)} documents; give one label per line")
    return [Document(id_, "", metadata={"label": label}) for id_, label in zip(ids, given, strict=True)]


def _write_split(
    folder: Path, name: str, documents: list[Document], counts: DocTermMatrix
) -> Iterator[EmptyRow]:
    counts.save(folder / name)
    with DocumentWriter(folder / f"documents-{name}.parquet", texts=False) as writer:
        for start in range(0, len(documents), _ROWS_AT_A_TIME):
            writer.append(documents[start : start + _ROWS_AT_A_TIME])
    for row in np.flatnonzero(np.diff(counts.indptr) == 0).tolist():
        yield EmptyRow(name, row, documents[row].id, "all counts are 0")


def _opened(path: Path) -> BufferedReader | gzip.GzipFile:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _sniffed(path: Path, head: bytes) -> str:
    """Tell the format by the first bytes."""
    lines = head.splitlines()
    if head.startswith(b"PK"):
        return "npz"
    if head.startswith(b"%%MatrixMarket"):
        return "matrix-market"
    if len(lines) >= 3 and all(line.strip().isdigit() for line in lines[:3]):
        return "uci"
    if any(b":" in line for line in lines):
        return "lda-c"
    raise ConfigError(f"{path}: unknown format; set --format to one of {', '.join(_READERS)}")


def _read_npz(path: Path, num_words: int) -> Any:  # noqa: ARG001
    try:
        matrix: Any = sparse.load_npz(path)  # never unpickles
    except (KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"not a sparse matrix from scipy.sparse.save_npz: {error}") from error
    if matrix.format in ("csr", "csc", "bsr"):
        matrix.check_format(full_check=True)
    return matrix


def _read_matrix_market(path: Path, num_words: int) -> Any:  # noqa: ARG001
    with _opened(path) as stream:
        if b"coordinate" not in stream.readline():
            raise ValueError("a dense Matrix Market file; save it in coordinate format")
    return io.mmread(path)


def _read_lda_c(path: Path, num_words: int) -> Any:
    words: list[int] = []
    counts: list[int] = []
    ends = [0]
    with _opened(path) as stream:
        for number, line in enumerate(stream, start=1):
            announced, *entries = line.split() or [b""]
            try:
                pairs = [(int(word), int(count)) for word, count in (entry.split(b":") for entry in entries)]
                wrong = int(announced) != len(pairs)
            except ValueError:
                raise ValueError(
                    f"line {number}: expected 'N word:count word:count …' in whole numbers, "
                    f"got {line[:40].decode(errors='replace').strip()!r}"
                ) from None
            if wrong:
                raise ValueError(f"line {number} declares {int(announced)} words but has {len(pairs)}")
            for word, count in pairs:
                if not 0 <= word < num_words:
                    raise ValueError(f"line {number}: word {word}, but the vocabulary has {num_words} words")
                words.append(word)
                counts.append(count)
            ends.append(len(words))
    return sparse.csr_array((np.array(counts, dtype=np.int64), words, ends), (len(ends) - 1, num_words))


def _read_uci(path: Path, num_words: int) -> Any:
    with _opened(path) as stream:
        num_documents, columns, entries = _uci_header(stream)
        if columns != num_words:
            raise ValueError(f"line 2 declares {columns} words, but the vocabulary has {num_words}")
        triples = _triples(path, stream)
    if len(triples) != entries:
        raise ValueError(
            f"line 3 declares {entries} entries, but there are {len(triples)}; is the file truncated?"
        )
    for column, (what, largest) in enumerate((("document", num_documents), ("word", num_words))):
        wrong = (triples[:, column] < 1) | (triples[:, column] > largest)
        if wrong.any():
            line = int(np.argmax(wrong))
            raise ValueError(f"line {line + 4}: {what} {triples[line, column]} is not in 1 … {largest}")
    parts = triples[:, 2], (triples[:, 0] - 1, triples[:, 1] - 1)
    return sparse.coo_array(parts, shape=(num_documents, num_words))


def _uci_header(stream: BufferedReader | gzip.GzipFile) -> tuple[int, int, int]:
    lines = list(itertools.islice(stream, 3))
    if len(lines) < 3 or not all(line.strip().isdigit() for line in lines):
        raise ValueError("the first three lines must give the numbers of documents, words and entries")
    return int(lines[0]), int(lines[1]), int(lines[2])


def _triples(path: Path, stream: BufferedReader | gzip.GzipFile) -> Any:
    """Read lines of three whole numbers, (lines, 3)."""
    if not stream.peek(1):
        return np.zeros((0, 3), dtype=np.int64)
    try:
        return np.loadtxt(stream, dtype=np.int64, ndmin=2).reshape(-1, 3)
    except ValueError:
        with _opened(path) as again:
            for number, line in enumerate(itertools.islice(again, 3, None), start=4):
                cells = line.split()
                if len(cells) != 3 or not all(cell.lstrip(b"-").isdigit() for cell in cells):
                    raise ValueError(
                        f"line {number}: expected 'document word count' in whole numbers, "
                        f"got {line[:40].decode(errors='replace').strip()!r}"
                    ) from None
        raise


_READERS: dict[str, Reader] = {
    "npz": _read_npz,
    "lda-c": _read_lda_c,
    "uci": _read_uci,
    "matrix-market": _read_matrix_market,
}
