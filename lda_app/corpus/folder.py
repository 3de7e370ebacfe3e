"""The corpus folder: what training, evaluation and the user read of a corpus.

    manifest.json            source, options, counts, warnings, versions, a sha256 of each file
    vocabulary.txt           one word a line; its line is its column
    preprocess.json          how raw text is counted; not there for imported counts
    train/ test/             indptr.npy indices.npy counts.npy: the document-term matrix of a split
    documents-SPLIT.parquet  id, text and metadata of each row of the matrix
    phrases.csv              the phrases that were found, with count and NPMI, where they were asked for
    left_out.csv             rows without words, and what the source had to drop, with the reason

No time and no absolute path is in it: the same input and options give the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lda_app.corpus.counting import count_chunks, map_chunks, read_tokens
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.document_table import (
    column_names,
    read_documents,
    read_some_documents,
    read_texts,
    stream_documents,
)
from lda_app.corpus.duplicates import find_duplicates
from lda_app.corpus.languages import detect_for_corpus
from lda_app.corpus.phrases import as_phrases
from lda_app.corpus.preprocess import (
    PreprocessOptions,
    Preprocessor,
    Pruning,
    phrase_count,
    prune,
    tool_versions,
)
from lda_app.corpus.tokenize import AUTO, name_of_stop_words, resolve_stop_words
from lda_app.corpus.two_pass import SPLITS, FirstPass, SplitRule, StreamPass, second_pass
from lda_app.corpus.vocabulary import Vocabulary
from lda_app.errors import ConfigError, CorpusError, FolderError
from lda_app.system.runtime import progress
from lda_app.system.storage import open_folder, read_json, sealed_folder, spreadsheet_safe, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from lda_app.corpus.documents import Document
    from lda_app.corpus.duplicates import DuplicateDocument
    from lda_app.corpus.languages import Detected
    from lda_app.corpus.phrases import Phrases
    from lda_app.corpus.sources import Source
    from lda_app.corpus.tokenize import TokenizerOptions
    from lda_app.corpus.two_pass import EmptyRow

    LeftOutRow = tuple[str, int | str, str, str]

CORPUS_FORMAT = 1
_SCRATCH = "first-pass"


@dataclass(frozen=True)
class Corpus:
    """A corpus folder that was checked when it was opened.

    Parameters
    ----------
    path
        The folder.
    manifest
        Its ``manifest.json``.
    vocabulary
        The V words of the matrices' columns.
    """

    path: Path
    manifest: dict[str, Any]
    vocabulary: Vocabulary

    @property
    def name(self) -> str:
        """What the source was called."""
        return str(self.manifest["name"])

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have documents: ``train``, and mostly ``test``."""
        return tuple(name for name in SPLITS if name in self.manifest["splits"])

    def split(self, name: str) -> DocTermMatrix:
        """Open the (D, V) counts of a split; nothing is read until it is used.

        Raises
        ------
        ConfigError
            If the corpus has no such split.
        FolderError
            If its files disagree.
        """
        self._require(name)
        try:
            return DocTermMatrix.open(self.path / name, len(self.vocabulary))
        except (OSError, ValueError) as error:
            raise FolderError(f"{self.path / name}: {error}; build the corpus again") from error

    def num_pruned(self, split: str) -> int | None:
        """Words of a split that are in no column: neither stop words nor of the vocabulary.

        None where the counts were made elsewhere, for then they are not known.
        """
        self._require(split)
        return self.manifest["pruning"]["tokens"].get(split, 0) if "pruning" in self.manifest else None

    def documents(self, split: str, columns: list[str] | None = None) -> pd.DataFrame:
        """Read ``id``, ``text`` (unless left out) and the metadata of a split, in the order of its rows.

        ``columns`` chooses some of them.
        """
        self._require(split)
        return read_documents(self.path / f"documents-{split}.parquet", columns)

    def metadata_columns(self, split: str) -> tuple[str, ...]:
        """Name the columns that documents of a split have beside ``id`` and ``text``."""
        self._require(split)
        names = column_names(self.path / f"documents-{split}.parquet")
        return tuple(name for name in names if name not in ("id", "text"))

    def texts(self, split: str) -> Iterator[str] | None:
        """Stream the texts of a split, in the order of its rows; None where the folder holds none."""
        self._require(split)
        return read_texts(self.path / f"documents-{split}.parquet")

    def ids(self, split: str) -> list[str]:
        """Read the id of each document of a split, in the order of its rows."""
        self._require(split)
        ids: list[str] = read_documents(self.path / f"documents-{split}.parquet", columns=["id"])[
            "id"
        ].tolist()
        return ids

    def some_documents(
        self, split: str, rows: npt.NDArray[np.integer[Any]], columns: list[str] | None = None
    ) -> pd.DataFrame:
        """Read documents of a split by their row numbers, ascending, whatever the size of the corpus."""
        self._require(split)
        return read_some_documents(self.path / f"documents-{split}.parquet", rows, columns)

    def stream_documents(
        self, split: str, start: int = 0, columns: list[str] | None = None
    ) -> Iterator[tuple[int, pa.Table]]:
        """Read documents of a split from a row on: groups of them, each with the number of its first row."""
        self._require(split)
        return stream_documents(self.path / f"documents-{split}.parquet", start, columns)

    def left_out(self) -> pd.DataFrame:
        """Read what was left out, as text: split and row (empty for what the source dropped), id, reason."""
        import pandas as pd

        return pd.read_csv(self.path / "left_out.csv", dtype=str, keep_default_na=False)

    @cached_property
    def preprocessor(self) -> Preprocessor | None:
        """How raw text is counted; None where the counts were made elsewhere."""
        file = self.path / "preprocess.json"
        if not file.exists():
            return None
        return Preprocessor.from_json(read_json(file), self.vocabulary)

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of the vocabulary and all counts: equal for corpora that are the same to a model."""
        files = self.manifest["files"]
        hashes = [f"{name} {files[name]['sha256']}\n" for name in sorted(files) if _is_counts(name)]
        return hashlib.sha256("".join(hashes).encode()).hexdigest()

    def _require(self, split: str) -> None:
        if split not in self.splits:
            raise ConfigError(
                f"{self.path} has no split {split!r}; set --split to one of {', '.join(self.splits)}"
            )


def open_corpus(path: Path) -> Corpus:
    """Open a corpus folder and check every file against its sha256.

    Raises
    ------
    FolderError
        If it is no corpus folder, unfinished, damaged or of a newer format.
    """
    path = Path(path)
    manifest = open_folder(path, kind="corpus", format_version=CORPUS_FORMAT)
    return Corpus(path, manifest, Vocabulary.open(path / "vocabulary.txt"))


def build_corpus(
    source: Source,
    out: Path,
    options: PreprocessOptions,
    *,
    test_fraction: float = 0.1,
    seed: int = 0,
    overwrite: bool = False,
    workers: int | None = None,
    texts: bool = True,
    base: Preprocessor | None = None,
) -> Corpus:
    """Count the words of a source's documents into a corpus folder.

    The text is read once: the first pass counts all words, the second keeps those of the vocabulary, which
    is fitted on the training split alone. Every document keeps its row.

    Parameters
    ----------
    source
        The documents; a split of the source's own is kept.
    out
        The folder to write.
    options
        What counts as a word, and which words are kept.
    test_fraction
        The share of documents, 0 up to below 1, that is put aside for testing, by a hash of seed and id.
    seed
        Chooses the test documents.
    overwrite
        Replace a corpus folder.
    workers
        Processes; None decides by the size of the corpus. The result does not depend on it.
    texts
        Whether to keep the texts in the folder.
    base
        Vocabulary of a model that will learn from the corpus: its words are kept whatever their frequency,
        beside those that the limits leave, and its phrases are counted, not others.

    Raises
    ------
    ConfigError
        If `out` exists and may not be replaced, or an option cannot be used.
    CorpusError
        If the source cannot be read or fewer than two words are left.
    FileSystemError
        If the folder cannot be written.
    """
    if not 0 <= test_fraction < 1:
        raise ConfigError(f"--test-fraction must be at least 0 and below 1, got {test_fraction}")
    asked, (options, detected) = options, resolve_language(options, source)
    details: dict[str, Any] = {}
    with sealed_folder(
        out, kind="corpus", format_version=CORPUS_FORMAT, overwrite=overwrite, details=details
    ) as staging:
        kept = _Kept.of(source, options.drop_duplicates, workers)
        first = _first_pass(staging, SplitRule(test_fraction, seed), options, texts=texts)
        _count_everything(kept, first, options, workers, None if base is None else base.phrases)
        pruning, vocabulary = _choose_words(first, options, base)
        require_words(vocabulary, source.name)
        empty, pruned_tokens = second_pass(first, staging, staging / _SCRATCH, vocabulary)
        shutil.rmtree(staging / _SCRATCH)
        phrases = _phrases(first, options) if base is None else base.phrases
        write_json(staging / "preprocess.json", Preprocessor(options, vocabulary, phrases).to_json())
        warnings = source.warnings + first.warnings + _pruning_warnings(pruning, options)
        details |= {
            "name": source.name,
            "source": source.describe(),
            "options": describe_options(asked, test_fraction=test_fraction, seed=seed, texts=texts),
            **_describe_language(asked.tokenizer, options.tokenizer, detected),
            **_write_phrases(staging / "phrases.csv", first),
            "pruning": {"words_seen": first.num_words, **pruning.describe(), "tokens": pruned_tokens},
            **write_summary(staging, vocabulary, empty, [*source.left_out, *kept.left_out], warnings),
        }
    return open_corpus(out)


def _choose_words(
    first: FirstPass, options: PreprocessOptions, base: Preprocessor | None
) -> tuple[Pruning, Vocabulary]:
    """Prune the words of the training documents; those of a model that is to learn from them all stay."""
    num_documents = first.num_documents["train"]
    pruning = prune(list(first.word_ids), first.document_frequencies(), num_documents, options)
    if base is None:
        return pruning, Vocabulary(pruning.words)
    return pruning, Vocabulary(tuple(sorted({*base.vocabulary.words, *pruning.words})))


def _describe_language(
    asked: TokenizerOptions, options: TokenizerOptions, detected: Detected | None
) -> dict[str, Any]:
    """Say for the manifest what depends on the language: that asked for, and the one that it stands for."""
    return {
        **({} if detected is None else {"language": detected.describe()}),
        "stop_words": len(resolve_stop_words(options)),
        "stop_word_list": name_of_stop_words(options),
        "tools": tool_versions(asked.language) | tool_versions(options.language),
    }


def require_words(vocabulary: Vocabulary, name: str) -> None:
    """Refuse a vocabulary of a single word, for it can make no topics.

    Raises
    ------
    CorpusError
        Naming the word.
    """
    if len(vocabulary) == 1:
        raise CorpusError(
            f"{name}: only one word left, {vocabulary.words[0]!r}, but topics need at least 2; "
            "use more text, a lower --min-df, or a higher --max-df or --max-vocab"
        )


def write_summary(
    folder: Path,
    vocabulary: Vocabulary,
    empty: Sequence[EmptyRow],
    dropped: Sequence[tuple[str, str]],
    warnings: Counter[str],
) -> dict[str, Any]:
    """Write vocabulary and ``left_out.csv`` beside the matrices, and sum all up for the manifest.

    Parameters
    ----------
    folder
        Where the matrices of the splits are.
    vocabulary
        The words of their columns.
    empty
        The rows without a word.
    dropped
        (id or place, reason) of what was dropped; reasons are counted up to a colon.
    warnings
        How often each trouble was met; those about the matrices are added.
    """
    vocabulary.save(folder / "vocabulary.txt")
    rows: list[tuple[str, int | str, str, str]] = [
        *empty,
        *(("", "", place, reason) for place, reason in dropped),
    ]
    _write_left_out(folder / "left_out.csv", rows)
    splits = {name: _summary(folder / name, len(vocabulary)) for name in SPLITS if (folder / name).is_dir()}
    return {
        "num_words": len(vocabulary),
        "splits": splits,
        "left_out": dict(Counter(reason.partition(": ")[0] for *_, reason in rows)),
        "warnings": dict(warnings + _warnings_about(splits)),
    }


def resolve_language(options: PreprocessOptions, source: Source) -> tuple[PreprocessOptions, Detected | None]:
    """Put the language of the corpus in the place of ``auto``; None if it was given.

    Raises
    ------
    ConfigError
        If it cannot be told, or has no stop words, stemmer or lemmas where the options ask for them.
    """
    if options.tokenizer.language != AUTO:
        return options, None
    detected = detect_for_corpus((document.text for document in source), source.name)
    return replace(options, tokenizer=replace(options.tokenizer, language=detected.code)), detected


def describe_options(
    options: PreprocessOptions, *, test_fraction: float, seed: int, texts: bool
) -> dict[str, Any]:
    """Return all that decides on a corpus but its source, as it is in the manifest."""
    return {**options.describe(), "test_fraction": test_fraction, "seed": seed, "texts": texts}


def _text_of(document: Document) -> str:
    return document.text


@dataclass(frozen=True)
class _Kept:
    """The documents of a source without its duplicates, which are listed in ``left_out``."""

    source: Source
    duplicates: dict[int, DuplicateDocument]
    left_out: list[tuple[str, str]]

    @classmethod
    def of(cls, source: Source, way: str, workers: int | None) -> _Kept:
        if way == "none":
            return cls(source, {}, [])
        with progress("Looking for duplicates", unit="documents") as bar:
            duplicates = find_duplicates(bar.watched(document.text for document in source), way, workers)
        return cls(source, duplicates, [])

    def __iter__(self) -> Iterator[Document]:
        originals = {duplicate.of for duplicate in self.duplicates.values()}
        ids: dict[int, str] = {}
        stream: Any = iter(self.source)
        with closing(stream) as documents:
            for place, document in enumerate(documents):
                if place in originals:
                    ids[place] = document.id
                if duplicate := self.duplicates.get(place):
                    self.left_out.append((document.id, f"{duplicate.kind}: {ids[duplicate.of]}"))
                else:
                    yield document


def _count_everything(
    source: _Kept,
    first: FirstPass,
    options: PreprocessOptions,
    workers: int | None,
    known_phrases: Phrases | None,
) -> None:
    """Put all documents into the first pass."""
    stream: Any = iter(source)
    with first:
        with closing(stream), progress("Counting words", unit="documents") as bar:
            for number in _counted(stream, first, options.tokenizer, workers):
                bar.advance(number)
        if not first.num_documents["train"]:
            raise CorpusError(
                f"{source.source.name}: all documents are in the test split; training needs some as well"
            )
        if isinstance(first, StreamPass) and options.phrases is not None:
            with progress("Looking for phrases"):
                least = phrase_count(options, first.num_documents["train"])
                first.count_phrases(options.phrases, least, known_phrases)


def _counted(
    stream: Iterator[Document], first: FirstPass, options: TokenizerOptions, workers: int | None
) -> Iterator[int]:
    """Put documents into the first pass, and yield how many."""
    if isinstance(first, StreamPass):
        for documents, tokens in map_chunks(read_tokens, stream, _text_of, options, workers):
            first.add_stream(documents, tokens)
            yield len(documents)
    else:
        for documents, counted in count_chunks(stream, _text_of, options, workers):
            first.add(documents, counted)
            yield len(documents)


def _first_pass(folder: Path, rule: SplitRule, options: PreprocessOptions, *, texts: bool) -> FirstPass:
    kind = FirstPass if options.phrases is None else StreamPass
    return kind(folder, folder / _SCRATCH, rule, texts=texts)


def _phrases(first: FirstPass, options: PreprocessOptions) -> Phrases | None:
    if not isinstance(first, StreamPass) or options.phrases is None:
        return None
    return as_phrases(first.found, options.phrases)


def _write_phrases(path: Path, first: FirstPass) -> dict[str, Any]:
    """Write ``phrases.csv``, the strongest first, and say for the manifest how many there are."""
    if not isinstance(first, StreamPass):
        return {}
    found = sorted(
        (phrase for phrases in first.found for phrase in phrases),
        key=lambda phrase: (-(phrase.npmi or 0), -phrase.count, phrase.text),
    )
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("phrase", "count", "npmi"))
        for phrase in found:
            score = "" if phrase.npmi is None else f"{phrase.npmi:.4f}"
            writer.writerow((spreadsheet_safe(phrase.text), phrase.count, score))
    return {"phrases": len(found)}


def _is_counts(name: str) -> bool:
    return name == "vocabulary.txt" or name.endswith(".npy")


def _write_left_out(path: Path, rows: Iterable[LeftOutRow]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("split", "row", "id", "reason"))
        writer.writerows([spreadsheet_safe(str(cell)) for cell in row] for row in rows)


def _summary(folder: Path, num_words: int) -> dict[str, int]:
    matrix = DocTermMatrix.open(folder, num_words)
    lengths = matrix.lengths()
    return {
        "documents": matrix.num_documents,
        "tokens": matrix.num_tokens,
        "empty": int((lengths == 0).sum()),
        "single_token": int((lengths == 1).sum()),
    }


def _warnings_about(splits: dict[str, dict[str, int]]) -> Counter[str]:
    warnings = Counter(
        {
            "documents without any vocabulary word, kept as empty rows": sum(
                split["empty"] for split in splits.values()
            ),
            "documents with a single word": sum(split["single_token"] for split in splits.values()),
            "training documents, too few for topics": int(splits["train"]["documents"] == 1),
        }
    )
    return +warnings


def _pruning_warnings(pruning: Pruning, options: PreprocessOptions) -> Counter[str]:
    return +Counter(
        {
            f"words pruned beyond --max-vocab {options.max_vocab:,}": pruning.num_beyond,
            "words kept although the default --min-df or --max-df excludes them": pruning.relaxed
            * len(pruning.words),
        }
    )
