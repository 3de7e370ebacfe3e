"""Many texts to word counts, a chunk of documents at a time, on all cores.

The tokens of a chunk are numbered by form as they come, and two sparse matrices do the rest:
(documents x forms) @ (forms x words) = (documents x words).
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import defaultdict, deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from scipy import sparse

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.tokenize import BREAK, Tokenizer, TokenizerOptions
from lda_app.errors import LdaAppError
from lda_app.system.runtime import FreshProcesses, cpu_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

Item = TypeVar("Item")
Result = TypeVar("Result")

_CHUNK_DOCUMENTS = 2_000
_CHUNK_CHARACTERS = 4_000_000
_TOKENS_HELD = 2_000_000  # per worker, before they are summed up
_CHUNKS_WORTH_A_POOL = 8


@dataclass(frozen=True)
class WordCounts:
    """The words of a chunk of documents.

    Parameters
    ----------
    words
        The chunk's distinct words in the order of their first form: the columns of the matrix.
    matrix
        Counts, a row a document.
    unread
        (documents,) bool: more than half of the characters in runs of letters and digits matched no token.
    """

    words: list[str]
    matrix: DocTermMatrix
    unread: npt.NDArray[np.bool_]


def count_words(tokenizer: Tokenizer, texts: Sequence[str]) -> WordCounts:
    """Count the words of some texts.

    Memory grows with the number of distinct words a text, not with the tokens of a huge one.

    Examples
    --------
    >>> counted = count_words(Tokenizer(TokenizerOptions()), ["orbit, moon, orbit", "12 34 56"])
    >>> counted.words, counted.matrix.to_scipy().toarray().tolist(), counted.unread.tolist()
    (['orbit', 'moon'], [[2, 1], [0, 0]], [False, True])
    """
    form_ids: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    by_form = _count_forms(tokenizer, texts, form_ids)
    readings = [tokenizer.read(form) for form in form_ids]
    word_ids: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    columns = [word_ids[word] for words in readings if words for word in words]
    ends = np.cumsum([0, *(len(words) if words else 0 for words in readings)])
    parts = np.ones(len(columns), dtype=np.int32), np.array(columns, dtype=np.int32), ends
    by_word = by_form @ sparse.csr_array(parts, shape=(len(readings), len(word_ids)))

    characters = np.fromiter(map(len, form_ids), dtype=np.int64, count=len(form_ids))
    unread = np.array([words is None for words in readings], dtype=bool)
    more_unread = by_form @ np.where(unread, characters, -characters) > 0
    return WordCounts(list(word_ids), _from_csr(by_word), more_unread)


@dataclass(frozen=True)
class TokenStream:
    """The words of a chunk of documents, in order.

    Parameters
    ----------
    words
        The chunk's distinct words, stop words among them, for these may be in phrases.
    stop
        (words,) bool: which of them are stop words.
    ids
        (N,) int32: the number of each word in `words`; -1 between words that are not adjacent, and behind
        the last word of each document.
    ends
        (documents,) where each document ends in `ids`.
    unread
        As in `WordCounts`.
    """

    words: list[str]
    stop: npt.NDArray[np.bool_]
    ids: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]
    unread: npt.NDArray[np.bool_]


def read_tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> TokenStream:
    """Read the words of some texts in order.

    Examples
    --------
    >>> stream = read_tokens(Tokenizer(TokenizerOptions()), ["orbit of the moon, orbit", "12 moon"])
    >>> stream.words, stream.stop.tolist()
    (['orbit', 'the', 'moon'], [False, True, False])
    >>> stream.ids.tolist(), stream.ends.tolist()
    ([0, -1, 1, 2, -1, 0, -1, -1, 2, -1], [7, 10])
    """
    form_ids: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    parts: list[npt.NDArray[np.int32]] = []
    for text in texts:
        forms = list(itertools.chain.from_iterable(tokenizer.stream(text)))
        parts.append(np.fromiter(map(form_ids.__getitem__, forms), dtype=np.int32, count=len(forms)))
    word_ids: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    sequences = [
        [-1 if word is None else word_ids[word] for word in tokenizer.sequence(form)] for form in form_ids
    ]
    widths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    flat = np.fromiter(itertools.chain.from_iterable(sequences), dtype=np.int32, count=int(widths.sum()))
    starts = np.cumsum(widths) - widths
    ids = [np.append(_expanded(part, flat, starts, widths), np.int32(-1)) for part in parts]
    ends = np.cumsum([len(part) for part in ids], dtype=np.int64)
    unread = _more_unread(tokenizer, list(form_ids), parts)
    stop = np.array([tokenizer.is_stop_word(word) for word in word_ids], dtype=bool)
    return TokenStream(list(word_ids), stop, np.concatenate(ids) if ids else flat, ends, unread)


def _expanded(
    forms: npt.NDArray[np.int32],
    flat: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int64],
    widths: npt.NDArray[np.int64],
) -> npt.NDArray[np.int32]:
    """Put the words of each form in its place."""
    counts = widths[forms]
    behind = np.cumsum(counts)
    within = np.arange(int(behind[-1]) if len(behind) else 0) - np.repeat(behind - counts, counts)
    return np.asarray(flat[np.repeat(starts[forms], counts) + within])


def _more_unread(
    tokenizer: Tokenizer, forms: Sequence[str], texts: Sequence[npt.NDArray[np.int32]]
) -> npt.NDArray[np.bool_]:
    """Tell for each text whether more than half of the characters of its forms gave no word."""
    weights = np.array(
        [0 if form == BREAK else len(form) if tokenizer.read(form) is None else -len(form) for form in forms],
        dtype=np.int64,
    )
    return np.array([weights[ids].sum() > 0 for ids in texts], dtype=bool)


def chunks_of(items: Iterable[Item], text_of: Callable[[Item], str]) -> Iterator[list[Item]]:
    """Cut a stream of documents into lists of some thousand, or of some million characters.

    Examples
    --------
    >>> list(chunks_of(["orbit", "moon"], str))
    [['orbit', 'moon']]
    """
    chunk: list[Item] = []
    characters = 0
    for item in items:
        chunk.append(item)
        characters += len(text_of(item))
        if len(chunk) >= _CHUNK_DOCUMENTS or characters >= _CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def count_chunks(
    items: Iterable[Item],
    text_of: Callable[[Item], str],
    options: TokenizerOptions,
    workers: int | None = None,
) -> Iterator[tuple[list[Item], WordCounts]]:
    """Count the words of a stream of documents, chunk by chunk, in order.

    The result does not depend on the number of workers.

    Parameters
    ----------
    items
        The documents; a few chunks of them are in memory at a time.
    text_of
        The text of a document.
    options
        What counts as a word.
    workers
        Processes, at most one a core; None takes all cores for large corpora and none but this process for
        small ones.

    Yields
    ------
    list, WordCounts
        Some documents and their words.

    Raises
    ------
    LdaAppError
        If a worker was killed.

    Examples
    --------
    >>> chunks = count_chunks(["orbit", "moon orbit"], str, TokenizerOptions())
    >>> [(len(documents), counted.matrix.num_tokens) for documents, counted in chunks]
    [(2, 3)]
    """
    return map_chunks(count_words, items, text_of, options, workers)


def map_chunks(
    read: Callable[[Tokenizer, Sequence[str]], Result],
    items: Iterable[Item],
    text_of: Callable[[Item], str],
    options: TokenizerOptions,
    workers: int | None = None,
) -> Iterator[tuple[list[Item], Result]]:
    """Apply a function to the texts of a stream of documents, chunk by chunk, in order, on all cores.

    Parameters
    ----------
    read
        What is done with a tokenizer and some texts; it is sent to other processes, so it is a function of a
        module, or a ``functools.partial`` of one.
    items, text_of, options, workers
        As in :func:`count_chunks`.

    Yields
    ------
    list, object
        Some documents and what ``read`` returned for them.

    Raises
    ------
    LdaAppError
        If a worker was killed.
    """
    chunks = chunks_of(items, text_of)
    head = list(itertools.islice(chunks, _CHUNKS_WORTH_A_POOL))
    if workers is None:
        workers = cpu_count() if len(head) == _CHUNKS_WORTH_A_POOL else 1
    workers = min(workers, cpu_count())
    chunks = itertools.chain(head, chunks)
    del head
    if workers == 1:
        tokenizer = Tokenizer(options)
        for chunk in chunks:
            yield chunk, read(tokenizer, [text_of(item) for item in chunk])
    else:
        yield from _map_in_pool(read, chunks, text_of, options, workers)


def relabel(matrix: DocTermMatrix, new_ids: npt.NDArray[np.int32], num_words: int) -> DocTermMatrix:
    """Give the columns new numbers and drop those that have none.

    Parameters
    ----------
    matrix
        (D, V) counts.
    new_ids
        (V,) the new number of each column, distinct, or -1.
    num_words
        The new number of columns.

    Examples
    --------
    >>> matrix = DocTermMatrix.from_scipy(sparse.csr_array([[1, 2, 3]]))
    >>> relabel(matrix, np.array([1, -1, 0], dtype=np.int32), 2).to_scipy().toarray().tolist()
    [[3, 1]]
    """
    indices = new_ids[matrix.indices]
    kept = indices >= 0
    running = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
    parts = matrix.counts[kept], indices[kept], running[matrix.indptr]
    return _from_csr(sparse.csr_array(parts, shape=(matrix.num_documents, num_words)))


def _count_forms(
    tokenizer: Tokenizer, texts: Sequence[str], form_ids: defaultdict[str, int]
) -> sparse.csr_array[Any, Any]:
    """Count forms a text, (texts, forms), numbering the forms as they come; entries may be in pieces."""
    total: sparse.csr_array[Any, Any] = sparse.csr_array((len(texts), 0), dtype=np.int32)
    for ends, forms in form_blocks(tokenizer, texts, form_ids):
        shape = len(texts), len(form_ids)
        block = sparse.csr_array((np.ones(len(forms), dtype=np.int32), forms, ends), shape=shape)
        if total.nnz:
            wider = sparse.csr_array((total.data, total.indices, total.indptr), shape=shape)
            block = wider + block
        total = block
    return total


def form_blocks(
    tokenizer: Tokenizer, texts: Sequence[str], form_ids: defaultdict[str, int]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]]:
    """Yield where the tokens of each text end and the form of each token, some million tokens at a time.

    Forms are numbered in ``form_ids`` as they come. A huge text may begin in a block and end in another.

    Examples
    --------
    >>> numbers = defaultdict(itertools.count().__next__)
    >>> ends, forms = next(form_blocks(Tokenizer(TokenizerOptions()), ["a moon", "a"], numbers))
    >>> ends.tolist(), forms.tolist(), dict(numbers)
    ([0, 2, 3], [0, 1, 0], {'a': 0, 'moon': 1})
    """
    parts: list[npt.NDArray[np.int32]] = []
    sizes = np.zeros(len(texts) + 1, dtype=np.int64)
    held = 0
    for row, text in enumerate(texts, start=1):
        for forms in tokenizer.forms(text):
            parts.append(np.fromiter(map(form_ids.__getitem__, forms), dtype=np.int32, count=len(forms)))
            sizes[row] += len(forms)
            held += len(forms)
            if held >= _TOKENS_HELD:
                yield np.cumsum(sizes), np.concatenate(parts)
                parts, sizes, held = [], np.zeros_like(sizes), 0
    if parts:
        yield np.cumsum(sizes), np.concatenate(parts)


def _from_csr(csr: sparse.csr_array[Any, Any]) -> DocTermMatrix:
    csr.sort_indices()
    arrays = csr.indptr.astype(np.int64), csr.indices.astype(np.int32), csr.data.astype(np.int32)
    return DocTermMatrix(*arrays, num_words=csr.shape[1])


def _map_in_pool(
    read: Callable[[Tokenizer, Sequence[str]], Result],
    chunks: Iterable[list[Item]],
    text_of: Callable[[Item], str],
    options: TokenizerOptions,
    workers: int,
) -> Iterator[tuple[list[Item], Result]]:
    with _pool(options, workers) as pool:
        waiting: deque[tuple[list[Item], Future[Result]]] = deque()
        for chunk in chunks:
            waiting.append((chunk, pool.submit(_read_in_worker, read, [text_of(item) for item in chunk])))
            if len(waiting) > 2 * workers:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()


@contextmanager
def _pool(options: TokenizerOptions, workers: int) -> Iterator[ProcessPoolExecutor]:
    """Start workers; on Linux as copies of this process, which is quick.

    A copy is safe, even of a process with threads: all that a worker needs is imported and made before, and
    it does nothing but arithmetic, so that it never waits for a lock that was held when it was copied.
    """
    global _tokenizer  # noqa: PLW0603
    _tokenizer = Tokenizer(options)
    context = multiprocessing.get_context("fork") if sys.platform == "linux" else FreshProcesses()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(options,))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of copies with threads
            pool.submit(int)
        yield pool
    except BrokenProcessPool as error:
        raise LdaAppError(
            "a process that counts words was killed, possibly because memory ran out; use --workers 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_tokenizer: Tokenizer | None = None


def _start_worker(options: TokenizerOptions) -> None:
    global _tokenizer  # noqa: PLW0603
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends the pool
    _tokenizer = _tokenizer or Tokenizer(options)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker with its parent: the other workers hold the queue open, so it would wait forever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _read_in_worker(read: Callable[[Tokenizer, Sequence[str]], Result], texts: Sequence[str]) -> Result:
    assert _tokenizer is not None
    return read(_tokenizer, texts)
