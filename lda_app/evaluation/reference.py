"""Reference corpus for coherence: a split, a user's file, or lists of words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lda_app.corpus.positions import WordPositions, positions_in_texts, positions_in_tokens
from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.corpus.preprocess import Preprocessor

Positions = Callable[[Mapping[str, int]], Iterator[WordPositions]]


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference corpus for coherence; create it with one of the ``of_…`` methods.

    Parameters
    ----------
    name
        Name of the split or file.
    doc_term
        Counts over the model's vocabulary, if available.
    positions
        Function that streams the positions of given words; None if the word order is unknown.
    why_no_order
        Why the word order is unknown, and what to do about it.
    num_documents
        Number of documents to read, if known.
    """

    name: str
    doc_term: DocTermMatrix | None
    positions: Positions | None
    why_no_order: str = ""
    num_documents: int | None = None

    @classmethod
    def of_split(cls, corpus: Corpus, split: str) -> Reference:
        """Use a split of a corpus folder; its texts give the word order.

        Raises
        ------
        ConfigError
            If there is no such split.
        """
        doc_term = corpus.split(split)
        why_not = _why_no_order(corpus, split)

        def positions(numbers: Mapping[str, int]) -> Iterator[WordPositions]:
            assert corpus.preprocessor is not None
            return _positions(corpus.texts(split) or (), corpus.preprocessor, numbers)

        return cls(split, doc_term, None if why_not else positions, why_not, doc_term.num_documents)

    @classmethod
    def of_file(cls, path: Path, preprocessor: Preprocessor | None) -> Reference:
        """Use a text file with one document per line (or a table), tokenized like the model's corpus.

        Parameters
        ----------
        path
            File to read; ``.gz`` files are decompressed.
        preprocessor
            Preprocessor of the model's corpus; None for imported counts.

        Raises
        ------
        CorpusError
            If the file cannot be read, or there is no preprocessor.
        """
        if preprocessor is None:
            raise CorpusError(
                f"{path}: cannot be the reference: the model's corpus was imported as counts, so how words "
                "are found in a text is unknown; give --reference train or test"
            )
        if not path.is_file():
            why = "is a folder" if path.is_dir() else "no such file"
            raise CorpusError(f"{path}: {why}; --reference takes train, test, or a file of documents")

        def positions(numbers: Mapping[str, int]) -> Iterator[WordPositions]:
            source = open_source(str(path), SourceOptions(format="txt"))
            return _positions((document.text for document in source), preprocessor, numbers)

        return cls(path.name, None, positions)

    @classmethod
    def of_tokens(cls, name: str, documents: Sequence[Sequence[str]]) -> Reference:
        """Use documents given as lists of words, like gensim's ``texts``.

        Examples
        --------
        >>> Reference.of_tokens("mine", [["orbit", "moon"]]).num_documents
        1
        """
        return cls(
            name, None, lambda numbers: positions_in_tokens(documents, numbers), num_documents=len(documents)
        )


def _positions(
    texts: Iterable[str], preprocessor: Preprocessor, numbers: Mapping[str, int]
) -> Iterator[WordPositions]:
    return positions_in_texts(texts, preprocessor.options.tokenizer, numbers, phrases=preprocessor.phrases)


def _why_no_order(corpus: Corpus, split: str) -> str:
    """Explain why the word order in a split is unknown; empty if it is known."""
    if corpus.preprocessor is None:
        why, what = "its counts were imported", "build a corpus of the texts"
    elif corpus.texts(split) is None:
        why, what = "it was built with --no-texts", "build it with its texts"
    else:
        return ""
    return (
        f"{corpus.path}: c_uci, c_npmi and c_v need the order of words, which this corpus does not hold: "
        f"{why}; {what}, or measure document_npmi and u_mass alone"
    )
