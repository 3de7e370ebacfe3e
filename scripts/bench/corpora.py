"""The corpora of the benchmark: each is built once, into a folder of its own below data/bench/corpora."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lda_app.corpus.documents import Document
from lda_app.corpus.folder import Corpus, build_corpus, open_corpus
from lda_app.corpus.import_counts import CountFiles, import_counts
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.corpus.sources.base import BaseSource
from lda_app.corpus.sources.newsgroups import NewsgroupsSource
from lda_app.corpus.sources.pydocs import split_of
from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


FOLDER_OF_20NG_5K = "BENCH_20NG_5K"
"""The environment variable that names the folder of the counts of 20NG-5k."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SUBJECT = re.compile(r"^Subject:(?:\s*re:)*(.*)$", re.IGNORECASE | re.MULTILINE)
_MOST_WORDS = 40  # a message without punctuation is no sentence


class Named(NamedTuple):
    """How a corpus is made, in words and in fact, and which column labels its documents."""

    description: str
    label: str
    build: Callable[[Path], Corpus]


def load(name: str, folder: Path) -> Corpus:
    """Open a corpus, or build it first.

    Raises
    ------
    LdaAppError
        If it can be neither: a network or a folder is missing.
    """
    path = folder / name
    return open_corpus(path) if path.exists() else CORPORA[name].build(path)


class Rewritten(BaseSource):
    """The documents of a named corpus, each shortened, or several put together."""

    def __init__(self, name: str, of: str, rewrite: Callable[[Iterable[Document]], Iterator[Document]]):
        super().__init__(name)
        self._source = open_source(of, SourceOptions())
        self._rewrite = rewrite

    def _read(self) -> Iterator[Document]:
        return self._rewrite(self._source)

    def describe(self) -> dict[str, Any]:
        """Name the rewriting, and what was rewritten."""
        return {"kind": self.name, "of": self._source.describe()}


class SubjectLines(BaseSource):
    """The messages of 20 Newsgroups, each cut down to its subject line and its first sentence."""

    def __init__(self) -> None:
        super().__init__("20newsgroups, subject and first sentence")
        self._whole, self._plain = NewsgroupsSource(remove=()), NewsgroupsSource()

    def _read(self) -> Iterator[Document]:
        for whole, plain in zip(self._whole, self._plain, strict=True):
            text = f"{subject(whole.text)}\n{first_sentence(plain.text)}"
            yield Document(plain.id, text, plain.split, plain.metadata)

    def describe(self) -> dict[str, Any]:
        """Name the rewriting, and what was rewritten."""
        return {"kind": self.name, "of": self._whole.describe()}


def subject(message: str) -> str:
    r"""Return the subject line of a message without what marks it as an answer.

    Examples
    --------
    >>> subject("From: me\nSubject: Re: Which orbit?\n\nSubject: none")
    'Which orbit?'
    """
    headers = message.partition("\n\n")[0]
    found = _SUBJECT.search(headers)
    return found[1].strip() if found else ""


def first_sentence(text: str) -> str:
    r"""Return the first sentence, at most 40 words of it.

    Examples
    --------
    >>> first_sentence("It works.\nWhy? Nobody knows.")
    'It works.'
    """
    sentence = _SENTENCE_END.split(text.strip(), maxsplit=1)[0]
    return " ".join(sentence.split()[:_MOST_WORDS])


def first_line(text: str) -> str:
    r"""Return the first line that is not empty.

    Examples
    --------
    >>> first_line("\nLU factorization.\nReturns a tuple.")
    'LU factorization.'
    """
    return text.strip().partition("\n")[0]


def module_of(name: str, kind: str) -> str:
    """Return the module that a documented object is in.

    Examples
    --------
    >>> module_of("numpy.linalg.svd", "function"), module_of("torch.Tensor.abs", "method")
    ('numpy.linalg', 'torch')
    """
    depth = {"module": 0, "method": 2}.get(kind, 1)
    return ".".join(name.split(".")[: -depth or None])


def _shortened(of: str, shorten: Callable[[str], str]) -> Rewritten:
    def rewrite(documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            yield Document(document.id, shorten(document.text), document.split, document.metadata)

    return Rewritten(f"{of}, {shorten.__name__}", of, rewrite)


def _merged_by_module(documents: Iterable[Document]) -> Iterator[Document]:
    texts: dict[tuple[str, str], list[str]] = {}
    for document in documents:
        about = document.metadata
        module = module_of(about["name"], about["kind"])
        texts.setdefault((about["package"], module), []).append(document.text)
    for (package, module), parts in texts.items():
        yield Document(module, "\n".join(parts), split_of(module), {"package": package})


def _built(make: Callable[[], Any], max_vocab: int = 10_000) -> Callable[[Path], Corpus]:
    return lambda out: build_corpus(make(), out, PreprocessOptions(max_vocab=max_vocab), texts=False)


def _named(name: str) -> Callable[[], Any]:
    return lambda: open_source(name, SourceOptions())


def _import_20ng_5k(out: Path) -> Corpus:
    folder = Path(os.environ.get(FOLDER_OF_20NG_5K) or "20ng-5k")
    if not folder.is_dir():
        raise CorpusError(f"20ng-5k: no folder {folder}; name it by the variable {FOLDER_OF_20NG_5K}")
    files = CountFiles(
        train=folder / "train_bow.npz",
        vocabulary=folder / "vocab.txt",
        test=folder / "test_bow.npz",
        train_labels=folder / "train_labels.txt",
        test_labels=folder / "test_labels.txt",
    )
    return import_counts(files, out)


CORPORA = {
    "20ng-2k": Named(
        "20 Newsgroups by date without headers, footers and quotes; the 2,000 words of most messages",
        "newsgroup",
        _built(_named("20newsgroups"), max_vocab=2_000),
    ),
    "20ng-5k": Named(
        "20 Newsgroups as counts of 5,000 words, the version of the recent neural literature",
        "label",
        _import_20ng_5k,
    ),
    "pydocs": Named("documentation strings of Python packages", "package", _built(_named("pydocs"))),
    "20ng-short": Named(
        "the subject line and the first sentence of each message of 20 Newsgroups, at most 40 words of it",
        "newsgroup",
        _built(SubjectLines),
    ),
    "pydocs-short": Named(
        "the first line of each documentation string",
        "package",
        _built(lambda: _shortened("pydocs", first_line)),
    ),
    "pydocs-long": Named(
        "the documentation strings of each module, merged",
        "package",
        _built(lambda: Rewritten("pydocs, merged by module", "pydocs", _merged_by_module)),
    ),
}
