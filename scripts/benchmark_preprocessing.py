"""Time ``lda-app corpus build`` on 20 Newsgroups beside scikit-learn's CountVectorizer on one core.

Both drop the same stop words, prune by the same limits and take the same tokens: letters and digits with
apostrophes inside, beginning with a letter, of at least three characters. The app also writes its folder,
with all checksums. Run it where scikit-learn has the data, with SCIKIT_LEARN_DATA set to the place if that is
not scikit-learn's own:

    SCIKIT_LEARN_DATA=… python scripts/benchmark_preprocessing.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from sklearn.datasets import fetch_20newsgroups
from sklearn.feature_extraction.text import CountVectorizer

from lda_app.corpus.documents import Document
from lda_app.corpus.folder import build_corpus
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources.base import BaseSource
from lda_app.corpus.tokenize import TokenizerOptions, resolve_stop_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 3
PATTERN = r"(?u)\b[^\W\d_](?:[^\W_]|'(?=\w)){2,}"
OPTIONS = PreprocessOptions(min_df=5, max_df=0.5, max_vocab=10_000)


class Texts(BaseSource):
    """Texts in memory, so that reading them is no part of the time."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__("texts")
        self.texts = texts

    def _read(self) -> Iterator[Document]:
        for number, text in enumerate(self.texts):
            yield Document(str(number), text)

    def describe(self) -> dict[str, str]:
        """Name nothing; the folder is thrown away."""
        return {}


def main() -> None:
    """Take the two in turns and print the median time of each, and their ratio."""
    texts = fetch_20newsgroups(subset="all", remove=("headers", "footers", "quotes")).data
    seconds: dict[str, list[float]] = {"app, all cores": [], "app, one core": [], "CountVectorizer": []}
    for _ in range(ROUNDS):
        seconds["app, all cores"].append(_seconds(lambda: _app(texts, None)))
        seconds["app, one core"].append(_seconds(lambda: _app(texts, 1)))
        seconds["CountVectorizer"].append(_seconds(lambda: _scikit_learn(texts)))
    print(f"{len(texts):,} documents, {sum(map(len, texts)) / 1e6:.1f} million characters, {ROUNDS} rounds")
    reference = statistics.median(seconds["CountVectorizer"])
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"{name:16} {median:6.2f} s   {reference / median:5.2f} times CountVectorizer's speed")


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _app(texts: list[str], workers: int | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        build_corpus(Texts(texts), Path(folder) / "corpus", OPTIONS, test_fraction=0, workers=workers)


def _scikit_learn(texts: list[str]) -> None:
    stop_words = sorted(resolve_stop_words(TokenizerOptions()))
    vectorizer = CountVectorizer(
        token_pattern=PATTERN,
        stop_words=stop_words,
        min_df=OPTIONS.min_df,
        max_df=OPTIONS.max_df,
        max_features=OPTIONS.max_vocab,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some stop words are no tokens by themselves
        vectorizer.fit_transform(texts)


if __name__ == "__main__":
    main()
