"""From documents to matrices in two passes: count every word, then keep those of the vocabulary.

The words of the first pass are numbered as they come, and its counts wait on disk, so that the text is
tokenized once and memory holds a few chunks of documents and the distinct words.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lda_app.corpus.counting import TokenStream, WordCounts, relabel
from lda_app.corpus.doc_term import DocTermMatrix, DocTermWriter
from lda_app.corpus.document_table import DocumentWriter, read_documents
from lda_app.corpus.phrases import as_phrases, learn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import numpy.typing as npt

    from lda_app.corpus.documents import Document
    from lda_app.corpus.phrases import Phrase, PhraseOptions, Phrases
    from lda_app.corpus.vocabulary import Vocabulary

SPLITS = ("train", "test")

_ROWS_AT_A_TIME = 50_000
_TOKENS_AT_A_TIME = 1_000_000
_NO_WORDS = "only stop words, or words that are too short or too long"
_PRUNED = "no words left after pruning"
_UNREAD = "documents in which more than half of the characters matched no token"


@dataclass(frozen=True)
class SplitRule:
    """Which split a document is of: the source's own, else by a hash of seed and id.

    A document's split does not depend on the other documents.

    Parameters
    ----------
    test_fraction
        The expected share of test documents.
    seed
        Another seed, another choice.

    Examples
    --------
    >>> from lda_app.corpus.documents import Document
    >>> rule = SplitRule(test_fraction=0.5, seed=0)
    >>> [rule.split_of(Document(str(number), "")) for number in range(4)]
    ['train', 'test', 'test', 'train']
    """

    test_fraction: float
    seed: int

    def split_of(self, document: Document) -> str:
        """Return ``train`` or ``test``."""
        if document.split is not None:
            return document.split
        digest = hashlib.blake2b(f"{self.seed} {document.id}".encode(), digest_size=8).digest()
        return "test" if int.from_bytes(digest, "big") < self.test_fraction * 2**64 else "train"


class FirstPass:
    """Takes documents with their word counts in and writes them to disk, by split.

    Use it as a context manager; the files are complete when it exits.

    Parameters
    ----------
    folder
        Where ``documents-SPLIT.parquet`` goes.
    scratch
        Where the counts of all words go.
    rule
        Which split a document is of.
    texts
        Whether to keep the texts.

    Attributes
    ----------
    word_ids
        The number of each word in the counts of this pass.
    num_documents
        Documents of each split.
    warnings
        Documents of which little was understood.
    """

    def __init__(self, folder: Path, scratch: Path, rule: SplitRule, *, texts: bool) -> None:
        self.word_ids: defaultdict[str, int] = defaultdict(itertools.count().__next__)
        self.num_documents: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self._rule = rule
        self._frequencies = np.zeros(0, dtype=np.int64)
        self._files = ExitStack()
        self._matrices: dict[str, DocTermWriter] = {}
        self._tables: dict[str, DocumentWriter] = {}
        for split in SPLITS:
            table = DocumentWriter(folder / f"documents-{split}.parquet", texts=texts)
            self._tables[split] = self._files.enter_context(table)
            self._matrices[split] = self._files.enter_context(DocTermWriter(scratch / split))

    def add(self, documents: Sequence[Document], counted: WordCounts) -> None:
        """Add a chunk of documents and its counts."""
        ids = self._number(counted.words)
        for split, rows in self._take(documents, counted.unread):
            self._add_counts(split, ids, counted.matrix.rows(rows))

    @property
    def num_words(self) -> int:
        """Distinct words of all documents, stop words left out."""
        return len(self.word_ids)

    def document_frequencies(self) -> npt.NDArray[np.int64]:
        """Return the number of training documents that have each word, (words,)."""
        frequencies = np.zeros(len(self.word_ids), dtype=np.int64)
        known = min(len(frequencies), len(self._frequencies))
        frequencies[:known] = self._frequencies[:known]
        return frequencies

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)

    def _number(self, words: Sequence[str]) -> npt.NDArray[np.int32]:
        """Return the numbers of words, new ones for new words."""
        return np.fromiter(map(self.word_ids.__getitem__, words), np.int32, len(words))

    def _take(
        self, documents: Sequence[Document], unread: npt.NDArray[np.bool_]
    ) -> Iterator[tuple[str, list[int]]]:
        """Write documents down, and yield which of them are of each split."""
        splits = [self._rule.split_of(document) for document in documents]
        if not self.num_documents and documents[0].split is None:
            splits[0] = "train"  # even a single document can be trained on
        for split in dict.fromkeys(splits):
            rows = [row for row, chosen in enumerate(splits) if chosen == split]
            self._tables[split].append([documents[row] for row in rows])
            self.num_documents[split] += len(rows)
            yield split, rows
        if unread.any():
            self.warnings[_UNREAD] += int(unread.sum())

    def _add_counts(self, split: str, ids: npt.NDArray[np.int32], matrix: DocTermMatrix) -> None:
        """Write the counts of words that have these numbers."""
        if split == "train":
            self._count_documents(ids, np.bincount(matrix.indices, minlength=len(ids)))
        self._matrices[split].append(
            DocTermMatrix(matrix.indptr, ids[matrix.indices], matrix.counts, len(self.word_ids))
        )

    def _count_documents(self, ids: npt.NDArray[np.int32], documents: npt.NDArray[np.int64]) -> None:
        if len(self.word_ids) > len(self._frequencies):
            grown = np.zeros(2 * len(self.word_ids), dtype=np.int64)
            grown[: len(self._frequencies)] = self._frequencies
            self._frequencies = grown
        self._frequencies[ids] += documents


class StreamPass(FirstPass):
    """A first pass that keeps the order of the words on disk, and counts them when phrases are known.

    Parameters
    ----------
    folder, scratch, rule, texts
        As of `FirstPass`.

    Attributes
    ----------
    found
        The phrases, a list a round, once they are known.
    stop_words
        The words that are counted as parts of phrases alone.
    """

    def __init__(self, folder: Path, scratch: Path, rule: SplitRule, *, texts: bool) -> None:
        super().__init__(folder, scratch, rule, texts=texts)
        self.found: list[list[Phrase]] = []
        self.stop_words: set[str] = set()
        self._streams = {split: scratch / f"{split}.tokens" for split in SPLITS}
        self._ends: dict[str, list[npt.NDArray[np.int64]]] = {split: [] for split in SPLITS}
        self._open = {split: self._files.enter_context(self._streams[split].open("wb")) for split in SPLITS}

    def add_stream(self, documents: Sequence[Document], stream: TokenStream) -> None:
        """Add a chunk of documents and its words."""
        numbers = np.append(self._number(stream.words), np.int32(-1))
        self.stop_words.update(itertools.compress(stream.words, stream.stop))
        lengths = np.diff(stream.ends, prepend=0)
        for split, rows in self._take(documents, stream.unread):
            chosen = np.zeros(len(documents), dtype=bool)
            chosen[rows] = True
            self._open[split].write(numbers[stream.ids[np.repeat(chosen, lengths)]].tobytes())
            self._ends[split].append(lengths[rows])

    @property
    def num_words(self) -> int:
        """Distinct words and phrases of all documents, stop words left out."""
        return len(self.word_ids) - len(self.stop_words)

    def count_phrases(self, options: PhraseOptions, min_count: int, known: Phrases | None = None) -> None:
        """Learn the phrases of the training documents, unless they are known, then count all documents."""
        for file in self._open.values():
            file.flush()
        words = list(self.word_ids)
        stop = np.array([word in self.stop_words for word in words], dtype=bool)
        if known is None:
            self.found = learn(self._training_tokens, words, options, min_count, stop)
        phrases = as_phrases(self.found, options) if known is None else known
        for split in SPLITS:
            for ids, ends in self._blocks(split):
                names, counts = phrases.count(ids, ends, words, stop)
                self._add_counts(split, self._number(names), DocTermMatrix.from_scipy(counts))

    def _training_tokens(self) -> Iterator[npt.NDArray[np.int32]]:
        return (ids for ids, _ in self._blocks("train"))

    def _blocks(self, split: str) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]]:
        """Yield the words of whole documents, about a million at a time, and where each document ends."""
        ends = np.cumsum(np.concatenate([np.zeros(1, dtype=np.int64), *self._ends[split]]))
        if ends[-1] == 0:
            return
        tokens = np.memmap(self._streams[split], dtype=np.int32, mode="r")
        first = 0
        while first < len(ends) - 1:
            last = max(
                first + 1, int(np.searchsorted(ends, ends[first] + _TOKENS_AT_A_TIME, side="right")) - 1
            )
            yield np.asarray(tokens[ends[first] : ends[last]]), ends[first + 1 : last + 1] - ends[first]
            first = last


class EmptyRow(NamedTuple):
    """A document without a word of the vocabulary."""

    split: str
    row: int
    id: str
    reason: str


def second_pass(
    first: FirstPass, folder: Path, scratch: Path, vocabulary: Vocabulary
) -> tuple[list[EmptyRow], dict[str, int]]:
    """Write the matrices of the splits that have documents.

    Parameters
    ----------
    first
        The first pass, complete.
    folder
        Where the folders of the splits go.
    scratch
        Where the first pass put its counts.
    vocabulary
        The V words to keep.

    Returns
    -------
    list of EmptyRow
        The rows without any word, with the reason.
    dict
        Tokens of each split that are not of the vocabulary.
    """
    num_words = len(first.word_ids)
    new_ids = np.fromiter((vocabulary.index.get(word, -1) for word in first.word_ids), np.int32, num_words)
    empty: list[EmptyRow] = []
    pruned = {}
    for split in first.num_documents:
        every_word = DocTermMatrix.open(scratch / split, num_words)
        with DocTermWriter(folder / split) as writer:
            for block in every_word.blocks(_ROWS_AT_A_TIME):
                writer.append(relabel(block, new_ids, len(vocabulary)))
        kept = DocTermMatrix.open(folder / split, len(vocabulary))
        pruned[split] = every_word.num_tokens - kept.num_tokens
        empty.extend(_empty_rows(split, every_word, kept, folder))
    return empty, pruned


def _empty_rows(
    split: str, every_word: DocTermMatrix, kept: DocTermMatrix, folder: Path
) -> Iterator[EmptyRow]:
    rows = np.flatnonzero(np.diff(kept.indptr) == 0)
    if not rows.size:
        return
    had_words = np.diff(every_word.indptr) > 0
    ids = read_documents(folder / f"documents-{split}.parquet", columns=["id"])["id"]
    for row in rows.tolist():
        yield EmptyRow(split, row, ids[row], _PRUNED if had_words[row] else _NO_WORDS)
