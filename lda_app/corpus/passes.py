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

from lda_app.corpus.counting import WordCounts, relabel
from lda_app.corpus.doc_term import DocTermMatrix, DocTermWriter
from lda_app.corpus.document_table import DocumentWriter, read_documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import numpy.typing as npt

    from lda_app.corpus.documents import Document
    from lda_app.corpus.vocabulary import Vocabulary

SPLITS = ("train", "test")

_ROWS_AT_A_TIME = 50_000
_NO_WORDS = "no words but stop words and ones too short or too long"
_PRUNED = "no word left after pruning"
_UNREAD = "documents of which more than half of the characters matched no token"


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
        ids = np.fromiter(map(self.word_ids.__getitem__, counted.words), np.int32, len(counted.words))
        splits = [self._rule.split_of(document) for document in documents]
        if not self.num_documents and documents[0].split is None:
            splits[0] = "train"  # even a single document can be trained on
        for split in dict.fromkeys(splits):
            rows = [row for row, chosen in enumerate(splits) if chosen == split]
            matrix = counted.matrix.rows(rows)
            if split == "train":
                self._count_documents(ids, np.bincount(matrix.indices, minlength=len(ids)))
            self._matrices[split].append(
                DocTermMatrix(matrix.indptr, ids[matrix.indices], matrix.counts, len(self.word_ids))
            )
            self._tables[split].append([documents[row] for row in rows])
            self.num_documents[split] += len(rows)
        if counted.unread.any():
            self.warnings[_UNREAD] += int(counted.unread.sum())

    def document_frequencies(self) -> npt.NDArray[np.int64]:
        """Return the number of training documents that have each word, (words,)."""
        frequencies = np.zeros(len(self.word_ids), dtype=np.int64)
        known = min(len(frequencies), len(self._frequencies))
        frequencies[:known] = self._frequencies[:known]
        return frequencies

    def __enter__(self) -> FirstPass:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)

    def _count_documents(self, ids: npt.NDArray[np.int32], documents: npt.NDArray[np.int64]) -> None:
        if len(self.word_ids) > len(self._frequencies):
            grown = np.zeros(2 * len(self.word_ids), dtype=np.int64)
            grown[: len(self._frequencies)] = self._frequencies
            self._frequencies = grown
        self._frequencies[ids] += documents


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
