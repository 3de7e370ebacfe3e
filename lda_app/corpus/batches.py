"""Seeded minibatches of sparse rows: the one module of the corpus package that knows torch."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lda_app.corpus.doc_term import DocTermMatrix


class Batch(NamedTuple):
    """The nonzero counts of B documents, over the U distinct words that occur in them.

    Everything a training step touches is as large as the batch, never as the vocabulary:
    ``words`` selects the rows of the topic-word matrix that the batch needs, ``columns`` points into them.
    """

    rows: Int[Tensor, " B"]
    """The documents' rows in the matrix they come from."""
    indptr: Int[Tensor, " B+1"]
    """Document b owns the nonzeros ``indptr[b]:indptr[b + 1]``."""
    columns: Int[Tensor, " nnz"]
    """Position of each nonzero's word in ``words``."""
    counts: Float[Tensor, " nnz"]
    """How often the word occurs in the document."""
    words: Int[Tensor, " U"]
    """The distinct words of the batch, as ids in the vocabulary, ascending."""

    @property
    def num_documents(self) -> int:
        """B, the documents of the batch."""
        return len(self.rows)

    @property
    def document_of(self) -> Int[Tensor, " nnz"]:
        """The document, 0 to B - 1, that each nonzero belongs to."""
        return torch.repeat_interleave(torch.diff(self.indptr))

    def lengths(self) -> Float[Tensor, " B"]:
        """Tokens of each document."""
        before = torch.nn.functional.pad(self.counts.cumsum(0, dtype=torch.float64), (1, 0))
        return torch.diff(before[self.indptr]).to(self.counts.dtype)

    def over(self, words: Int[Tensor, " U"]) -> "Batch":
        """Return the same documents over more words, ascending: those of this batch are among them."""
        if words is self.words:
            return self
        return self._replace(words=words, columns=torch.searchsorted(words, self.words)[self.columns])

    def to(self, device: torch.device) -> "Batch":
        """Return the same batch on another device."""
        return Batch(*(part.to(device) for part in self))


def make_batch(doc_term: DocTermMatrix, rows: Int[np.ndarray, " B"]) -> Batch:
    """Gather the given rows of a document-term matrix.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> import scipy.sparse
    >>> matrix = DocTermMatrix.from_scipy(scipy.sparse.csr_array([[0, 2, 0], [1, 0, 0], [0, 0, 3]]))
    >>> batch = make_batch(matrix, np.array([0, 2]))
    >>> batch.words.tolist(), batch.columns.tolist(), batch.counts.tolist()
    ([1, 2], [0, 1], [2.0, 3.0])
    """
    part = doc_term.rows(rows)
    words, columns = np.unique(part.indices, return_inverse=True)
    return Batch(
        rows=torch.from_numpy(np.asarray(rows, dtype=np.int64)),
        indptr=torch.from_numpy(part.indptr.astype(np.int64)),
        columns=torch.from_numpy(columns.astype(np.int64)),
        counts=torch.from_numpy(part.counts.astype(np.float32)),
        words=torch.from_numpy(words.astype(np.int64)),
    )


def consecutive_batches(doc_term: DocTermMatrix, batch_size: int) -> Iterator[Batch]:
    """Every row in order, ``batch_size`` at a time."""
    for start in range(0, doc_term.num_documents, batch_size):
        yield make_batch(doc_term, np.arange(start, min(start + batch_size, doc_term.num_documents)))


class ShuffledBatches:
    """An endless stream of minibatches; each epoch visits every document once, in a new order.

    The stream is a pure function of ``(seed, step)``, so that a resumed run sees the batches
    that an uninterrupted one would have seen.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    rows
        The documents to visit.
    batch_size
        Documents a batch, as nearly as batches of equal size can have.
    seed
        Seed of the orders.
    """

    def __init__(self, doc_term: DocTermMatrix, rows: Int[np.ndarray, " D"], batch_size: int, seed: int):
        self.doc_term = doc_term
        self.rows = rows
        self.seed = seed
        self.steps_per_epoch = max(1, round(len(rows) / batch_size))
        self._epoch = -1
        self._order = rows

    def __getitem__(self, step: int) -> Batch:
        """Return the batch of the given step (from 0)."""
        return make_batch(self.doc_term, self.documents(step))

    def documents(self, step: int) -> Int[np.ndarray, " B"]:
        """Rows, ascending, of the documents of a step's batch; steps run on over epochs."""
        epoch = step // self.steps_per_epoch
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([self.seed, epoch]).permutation(self.rows)
        first, last = (self.num_visited(end) - epoch * len(self.rows) for end in (step, step + 1))
        return np.sort(self._order[first:last])

    def num_visited(self, step: int) -> int:
        """Documents of all batches before the given step; the sizes of batches differ by 1 at most."""
        epoch, position = divmod(step, self.steps_per_epoch)
        size, larger = divmod(len(self.rows), self.steps_per_epoch)
        return epoch * len(self.rows) + position * size + min(position, larger)
