"""Time the coherences of a model's topics beside gensim's CoherenceModel, and compare them topic by topic.

    make run CORPUS=20newsgroups NUM_TOPICS=50
    python scripts/benchmark_coherence.py runs/20newsgroups-k50-s0

Both are given the same lists of words, made beforehand of the texts of the model's training split, and the
ten top words of each topic. gensim is timed with one process and with one a core. The last line is what
``lda-app eval`` does: all measures from raw texts, tokenized on all cores. Each is the best of some runs.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from lda_app.cli.run_corpus import corpus_of_run
from lda_app.corpus.tokenize import Tokenizer
from lda_app.evaluation.coherence import MEASURES, coherences
from lda_app.evaluation.reference import Reference
from lda_app.fitted.folder import open_model
from lda_app.fitted.topics import top_words
from lda_app.system.runtime import cpu_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lda_app.corpus.folder import Corpus

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from gensim.corpora import Dictionary
    from gensim.models import CoherenceModel

Result = TypeVar("Result")

COHERENCE_WORDS = 10
SPLIT = "train"


def main() -> None:
    """Print a table of seconds and ratios."""
    assert __doc__ is not None
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("run", type=Path, help="the folder of a model")
    parser.add_argument("--rounds", type=int, default=3, help="runs, of which the best one counts")
    given = parser.parse_args()
    logging.disable(logging.INFO)
    model = open_model(given.run)
    compare(corpus_of_run(model, None), top_words(model.beta, COHERENCE_WORDS), given.rounds)


def compare(corpus: Corpus, top: np.ndarray, rounds: int) -> None:
    """Time both on one corpus."""
    assert corpus.preprocessor is not None
    words = corpus.vocabulary.words
    tokenizer = Tokenizer(corpus.preprocessor.options.tokenizer)
    documents = [tokenizer(text) for text in corpus.texts(SPLIT) or ()]
    print(
        f"{len(top)} topics, {len(documents):,} documents, {sum(map(len, documents)):,} words; "
        f"{cpu_count()} cores, the best of {rounds} runs"
    )
    lists, texts = Reference.of_tokens(SPLIT, documents), Reference.of_split(corpus, SPLIT)
    coherences(top, words, Reference.of_tokens(SPLIT, documents[:9]), list(MEASURES))  # compiles
    print("measure  seconds  gensim, 1 process  ratio  gensim, all cores  ratio  largest difference")
    for name in ("c_uci", "c_npmi", "c_v"):
        ours, found = best(partial(coherences, top, words, lists, [name]), rounds)
        alone, expected = best(partial(by_gensim, name, top, words, documents, 1), rounds)
        shared, _ = best(partial(by_gensim, name, top, words, documents, cpu_count()), rounds)
        difference = np.abs(found[0].per_topic - expected).max()
        by_process = f"{alone:17.2f}  {alone / ours:4.0f}×  {shared:17.2f}  {shared / ours:4.0f}×"
        print(f"{name:7}  {ours:7.3f}  {by_process}  {difference:18.1e}")
    seconds, _ = best(partial(coherences, top, words, texts, list(MEASURES)), rounds)
    print(f"all {len(MEASURES)} measures from raw texts: {seconds:.2f} s")


def by_gensim(
    name: str, top: np.ndarray, words: Sequence[str], documents: list[list[str]], processes: int
) -> np.ndarray:
    """Return the coherence of each topic as gensim computes it."""
    model = CoherenceModel(
        topics=[[words[i] for i in topic] for topic in top],
        texts=documents,
        dictionary=Dictionary([list(words)]),
        coherence=name,
        processes=processes,
    )
    return np.array(model.get_coherence_per_topic())


def best(function: Callable[[], Result], rounds: int) -> tuple[float, Result]:
    """Return the shortest of some runs, in seconds, and what was returned."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


if __name__ == "__main__":
    main()
