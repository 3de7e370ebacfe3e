"""The document-term matrix: word counts in compressed sparse rows, on disk as plain .npy files.

Three arrays hold the counts of D documents over V words; row ``d`` occupies the places
``indptr[d]:indptr[d + 1]`` of ``indices`` (word ids, ascending) and ``counts``.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import numpy.typing as npt

    IntArray = npt.NDArray[np.integer[Any]]
    Counts = npt.NDArray[np.int32] | npt.NDArray[np.float32]

_DTYPES: dict[str, np.dtype[Any]] = {
    "indptr": np.dtype("<i8"),
    "indices": np.dtype("<i4"),
    "counts": np.dtype("<i4"),
}
_MAX_COUNT = int(np.iinfo(np.int32).max)


@dataclass(frozen=True, eq=False)
class DocTermMatrix:
    """Counts of V words in D documents; nothing of size D x V is ever made.

    Parameters
    ----------
    indptr
        (D + 1,) int64, where each row begins; starts with 0.
    indices
        (nnz,) int32 word ids in 0 … V - 1, strictly ascending within a row.
    counts
        (nnz,) int32, positive; float32 where documents are weights of words, see :meth:`from_scipy`.
    num_words
        V, the number of columns.

    Examples
    --------
    >>> matrix = DocTermMatrix.from_scipy(sparse.csr_array([[0, 2, 1], [0, 0, 0]]))
    >>> matrix.shape, matrix.num_tokens, matrix.lengths().tolist()
    ((2, 3), 3, [3, 0])
    """

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    counts: Counts
    num_words: int

    @property
    def num_documents(self) -> int:
        """D, the number of rows."""
        return len(self.indptr) - 1

    @property
    def num_tokens(self) -> int:
        """Sum of all counts; that of weights is rounded up."""
        return math.ceil(float(self.counts.sum(dtype=self._wide)))

    @property
    def shape(self) -> tuple[int, int]:
        """(D, V)."""
        return self.num_documents, self.num_words

    @property
    def has_weights(self) -> bool:
        """Whether the entries are real numbers, not counts."""
        return self.counts.dtype.kind == "f"

    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens a document, (D,); of weights their sum, in float64."""
        running = np.zeros(len(self.counts) + 1, dtype=self._wide)
        np.cumsum(self.counts, out=running[1:])
        return np.diff(running[self.indptr])

    def filled(self) -> npt.NDArray[np.int64]:
        """Numbers of the rows that have a token, in ascending order.

        Examples
        --------
        >>> DocTermMatrix.from_scipy([[0, 1], [0, 0], [2, 3]]).filled().tolist()
        [0, 2]
        """
        return np.flatnonzero(np.diff(self.indptr))

    @property
    def _wide(self) -> type[np.int64]:
        """What sums of entries are taken in."""
        return np.float64 if self.has_weights else np.int64  # type: ignore[return-value]

    def rows(self, index: npt.ArrayLike) -> DocTermMatrix:
        """Rows by number, in the order given; a row may be taken several times.

        Parameters
        ----------
        index
            (N,) row numbers, none negative.

        Returns
        -------
        DocTermMatrix
            N rows over the same words, in memory.

        Raises
        ------
        IndexError
            If a number is negative or beyond the last row.

        Examples
        --------
        >>> matrix = DocTermMatrix.from_scipy(sparse.csr_array([[1, 0], [2, 3]]))
        >>> matrix.rows([1, 0]).counts.tolist()
        [2, 3, 1]
        """
        chosen = np.asarray(index, dtype=np.int64).reshape(-1)
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < self.num_documents:
            raise IndexError(
                f"rows {chosen.min()} … {chosen.max()} requested from a matrix with {self.num_documents} rows"
            )
        starts = self.indptr[chosen]
        sizes = self.indptr[chosen + 1] - starts
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        places = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], sizes)
        return DocTermMatrix(indptr, self.indices[places], self.counts[places], self.num_words)

    def blocks(self, size: int) -> Iterator[DocTermMatrix]:
        """Yield consecutive rows, ``size`` at a time, the last block shorter; nothing is copied but indptr.

        Examples
        --------
        >>> matrix = DocTermMatrix.from_scipy(sparse.csr_array([[1, 0], [2, 3], [0, 4]]))
        >>> [block.lengths().tolist() for block in matrix.blocks(2)]
        [[1, 5], [4]]
        """
        for start in range(0, self.num_documents, size):
            indptr = self.indptr[start : start + size + 1]
            entries = slice(indptr[0], indptr[-1])
            yield DocTermMatrix(
                indptr - indptr[0], self.indices[entries], self.counts[entries], self.num_words
            )

    def with_words(self, is_kept: npt.NDArray[np.bool_]) -> DocTermMatrix:
        """Leave out the tokens of some words; rows and columns stay.

        Parameters
        ----------
        is_kept
            (V,) whether a word's tokens stay.

        Examples
        --------
        >>> matrix = DocTermMatrix.from_scipy(sparse.csr_array([[1, 4], [0, 3]]))
        >>> matrix.with_words(np.array([True, False])).lengths().tolist()
        [1, 0]
        """
        kept = is_kept[self.indices]
        indptr = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)[self.indptr]
        return DocTermMatrix(indptr, self.indices[kept], self.counts[kept], self.num_words)

    def to_scipy(self) -> sparse.csr_array[Any, Any]:
        """Return the same counts as a scipy array that shares the memory of ``counts``."""
        return sparse.csr_array((self.counts, self.indices, self.indptr), shape=self.shape)

    @classmethod
    def from_scipy(cls, matrix: Any, *, weights: bool = False) -> DocTermMatrix:
        """Take the counts of any scipy sparse or dense two-dimensional matrix.

        Unsorted indices are sorted, duplicate ones summed, stored zeros dropped, whole floats accepted.

        Parameters
        ----------
        matrix
            (D, V).
        weights
            Whether fractions are accepted as well, such as those of tf-idf; if there are any, all entries
            are kept as float32.

        Raises
        ------
        TypeError
            If the entries are no real numbers.
        ValueError
            If an entry is negative, fractional, not finite or above 2**31 - 1, or if there is no row or
            no column.

        Examples
        --------
        >>> DocTermMatrix.from_scipy(sparse.csr_array([[0.0, 2.0]])).counts.tolist()
        [2]
        >>> DocTermMatrix.from_scipy([[0.0, 2.5]], weights=True).counts.tolist()
        [2.5]
        """
        entries: Any = matrix if sparse.issparse(matrix) else np.asarray(matrix)
        if entries.dtype.kind not in "biuf":
            raise TypeError(f"counts must be whole numbers, got entries of type {entries.dtype}")
        csr = sparse.csr_array(entries)
        _check_entries(csr, fractions=weights)
        fractions = weights and bool((csr.data != np.floor(csr.data)).any())
        summed, stored = (np.float64, np.float32) if fractions else (np.int64, np.int32)
        wide = sparse.csr_array((csr.data.astype(summed), csr.indices, csr.indptr), csr.shape, copy=True)
        wide.sum_duplicates()
        wide.data[wide.data < np.finfo(np.float32).tiny] = 0  # too small for float32
        wide.eliminate_zeros()
        _check_entries(wide, fractions=fractions)
        counts: Any = wide.data.astype(stored)
        return cls(wide.indptr.astype(np.int64), wide.indices.astype(np.int32), counts, wide.shape[1])

    @classmethod
    def concatenate(cls, matrices: Sequence[DocTermMatrix], num_words: int) -> DocTermMatrix:
        """Put the rows of matrices over the same V words below each other; of none, it has no rows.

        Examples
        --------
        >>> matrix = DocTermMatrix.from_scipy(sparse.csr_array([[1, 0], [2, 3]]))
        >>> DocTermMatrix.concatenate([matrix, matrix], num_words=2).shape
        (4, 2)
        """
        sizes = [np.zeros(1, dtype=np.int64), *(np.diff(matrix.indptr) for matrix in matrices)]
        return cls(
            np.cumsum(np.concatenate(sizes)),
            np.concatenate([np.zeros(0, dtype=np.int32), *(matrix.indices for matrix in matrices)]),
            np.concatenate([np.zeros(0, dtype=np.int32), *(matrix.counts for matrix in matrices)]),
            num_words,
        )

    def save(self, folder: Path) -> None:
        """Write ``indptr.npy``, ``indices.npy`` and ``counts.npy`` into a folder, which is made."""
        with DocTermWriter(folder) as writer:
            writer.append(self)

    @classmethod
    def open(cls, folder: Path, num_words: int) -> DocTermMatrix:
        """Map the three files of a folder into memory, read-only; nothing is read until it is used.

        Raises
        ------
        OSError, ValueError
            If a file is missing or no .npy file, or the three disagree.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp()) / "train"
        >>> DocTermMatrix.from_scipy(sparse.csr_array([[1, 0], [2, 3]])).save(folder)
        >>> DocTermMatrix.open(folder, num_words=2).num_tokens
        6
        """
        arrays = {name: _open_array(folder / f"{name}.npy", dtype) for name, dtype in _DTYPES.items()}
        stored, announced = len(arrays["indices"]), int(arrays["indptr"][-1]) if len(arrays["indptr"]) else -1
        if not stored == len(arrays["counts"]) == announced:
            raise ValueError(f"{folder}: indptr declares {announced} entries, but indices.npy has {stored}")
        return cls(arrays["indptr"], arrays["indices"], arrays["counts"], num_words)


class DocTermWriter:
    """Writes a document-term matrix a few rows at a time, so that it need not fit into memory.

    Use it as a context manager; the files are complete when it exits.

    Parameters
    ----------
    folder
        Where ``indptr.npy``, ``indices.npy`` and ``counts.npy`` go; it is made.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> with DocTermWriter(folder) as writer:
    ...     for _ in range(3):
    ...         writer.append(DocTermMatrix.from_scipy(sparse.csr_array([[1, 0], [2, 3]])))
    >>> DocTermMatrix.open(folder, num_words=2).shape
    (6, 2)
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files = ExitStack()
        self._arrays = {
            name: self._files.enter_context(_GrowingArray(folder / f"{name}.npy", dtype))
            for name, dtype in _DTYPES.items()
        }
        self._end = 0
        self._arrays["indptr"].append(np.zeros(1, dtype=np.int64))

    def append(self, rows: DocTermMatrix) -> None:
        """Add the rows of a matrix; its number of words is not compared.

        Raises
        ------
        ValueError
            If it has weights, for the files hold whole counts.
        """
        if rows.has_weights:
            raise ValueError("a corpus must have whole-number counts, not weights")
        self._arrays["indptr"].append(self._end + rows.indptr[1:])
        self._arrays["indices"].append(rows.indices)
        self._arrays["counts"].append(rows.counts)
        self._end += len(rows.indices)

    def __enter__(self) -> DocTermWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)


class _GrowingArray:
    """A one-dimensional .npy file that is appended to; its length is written when it is closed."""

    def __init__(self, path: Path, dtype: np.dtype[Any]) -> None:
        self._file: BinaryIO = path.open("wb")
        self._dtype = dtype
        self._length = 0
        self._write_header()

    def append(self, values: IntArray | Counts) -> None:
        self._file.write(np.ascontiguousarray(values, dtype=self._dtype).data)
        self._length += len(values)

    def __enter__(self) -> _GrowingArray:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            self._file.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        # The format pads a header such that the first dimension may grow without moving the data.
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": (self._length,)}
        np.lib.format.write_array_header_1_0(self._file, header)


def _open_array(path: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """One array, mapped; an empty one is read, because nothing can be mapped."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.ndim != 1 or array.dtype != dtype:
        raise ValueError(
            f"{path}: expected a 1-dimensional array of {dtype}, got {array.ndim} dimensions of {array.dtype}"
        )
    return np.asarray(array)


def _check_entries(csr: sparse.csr_array[Any, Any], *, fractions: bool) -> None:
    """Refuse entries that are no counts; the first bad one is named by row and column, from 0."""
    if 0 in csr.shape:
        raise ValueError(f"a document-term matrix needs rows and columns, got shape {csr.shape}")
    for description, bad in (
        ("not finite", ~np.isfinite(csr.data)),
        ("negative", csr.data < 0),
        ("a fraction", (csr.data != np.floor(csr.data)) & (not fractions)),
        (f"above {_MAX_COUNT}", csr.data > _MAX_COUNT),
    ):
        if bad.any():
            place = int(np.argmax(bad))
            row = int(np.searchsorted(csr.indptr, place, side="right")) - 1
            raise ValueError(
                f"row {row}, column {csr.indices[place]} is {csr.data[place]}, {description}; "
                f"counts are whole numbers from 0 to {_MAX_COUNT}"
            )
