"""Time the inference of new documents, beside scikit-learn's and tomotopy's where they are installed.

    python scripts/benchmark_inference.py

Documents are drawn from a model of random topics, 60 tokens each on the average. The models are hardly
trained: how long our inference and Gibbs sampling take does not depend on how good the topics are, and
variational Bayes stops a little earlier or later. Everything uses all cores; the numbers are documents a
second, the best of some runs. The last table is the time for one document in a running process.
"""

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np

from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted.inference import concentration
from lda_app.models.lda import LDA
from lda_app.system.runtime import cpu_count
from lda_app.training.start import start_model

SIZES = ((50, 2_000), (200, 20_000))
TRAINING_DOCUMENTS, NEW_DOCUMENTS = 1_000, 10_000
FEW = 500  # new documents for what is slow
MEAN_LENGTH, TRUE_TOPICS = 60, 20


def documents(num_documents: int, num_words: int) -> DocTermMatrix:
    """Draw documents of some random topics."""
    generator = np.random.default_rng(0)
    topics = generator.gamma(0.05, size=(TRUE_TOPICS, num_words)) + 1e-6
    cumulative = np.cumsum(topics / topics.sum(axis=1, keepdims=True), axis=1)
    lengths = 1 + generator.poisson(MEAN_LENGTH - 1, size=num_documents)
    shares = generator.dirichlet(np.full(TRUE_TOPICS, 0.1), size=num_documents)
    rows = []
    for length, share in zip(lengths, shares, strict=True):
        drawn = generator.choice(TRUE_TOPICS, size=length, p=share)
        words = [np.searchsorted(cumulative[topic], generator.random()) for topic in drawn]
        rows.append(np.unique(np.minimum(words, num_words - 1), return_counts=True))
    indptr = np.concatenate([[0], np.cumsum([len(words) for words, _ in rows])])
    words, counts = (np.concatenate(part).astype(np.int32) for part in zip(*rows, strict=True))
    return DocTermMatrix(indptr, words, counts, num_words)


def best(function: Callable[[], object], rounds: int = 5) -> float:
    """Return the shortest of some runs, in seconds; the first compiles and does not count."""
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def untrained(train: DocTermMatrix, num_topics: int) -> LDA:
    """Return a model as training starts it."""
    return start_model(TrainConfig(num_topics=num_topics), train, np.arange(train.num_documents))


def scikit_learn(train: DocTermMatrix, new: DocTermMatrix, num_topics: int) -> float:
    """Return documents a second of variational Bayes in batches."""
    from sklearn.decomposition import LatentDirichletAllocation

    lda = LatentDirichletAllocation(num_topics, max_iter=1, n_jobs=-1, random_state=0).fit(train.to_scipy())
    counts = new.to_scipy()
    return new.num_documents / best(lambda: lda.transform(counts), rounds=2)


def tomotopy(train: DocTermMatrix, new: DocTermMatrix, num_topics: int) -> float:
    """Return documents a second of collapsed Gibbs sampling, with the sweeps that are its default."""
    from tomotopy import LDAModel

    lda = LDAModel(k=num_topics, seed=0)
    for document in as_words(train):
        lda.add_doc(document)
    lda.train(10, workers=0)
    made = [lda.make_doc(document) for document in as_words(new.rows(np.arange(FEW)))]
    return FEW / best(lambda: lda.infer(made, workers=0), rounds=1)


def as_words(doc_term: DocTermMatrix) -> Iterator[list[str]]:
    """Yield each document as a list of words, named by their numbers."""
    words = np.repeat(doc_term.indices, doc_term.counts).astype(str)
    return (part.tolist() for part in np.split(words, np.cumsum(doc_term.lengths())[:-1]))


RIVALS = {"sklearn": ("scikit-learn", scikit_learn), "tomotopy": ("tomotopy", tomotopy)}


def main() -> None:
    """Print documents a second, and the time for one document."""
    print(f"Documents a second, {cpu_count()} cores.\n")
    print("| K | V | program | documents/s | ours / its |\n| ---: | ---: | --- | ---: | ---: |")
    for num_topics, num_words in SIZES:
        train, new = documents(TRAINING_DOCUMENTS, num_words), documents(NEW_DOCUMENTS, num_words)
        lda = untrained(train, num_topics)
        ours = NEW_DOCUMENTS / best(lambda model=lda, rows=new: concentration(model, rows))
        print(f"| {num_topics} | {num_words:,} | lda-app | {ours:,.0f} | |", flush=True)
        for module, (name, measure) in RIVALS.items():
            if find_spec(module):
                theirs = measure(train, new, num_topics)
                print(f"| {num_topics} | {num_words:,} | {name} | {theirs:,.0f} | {ours / theirs:,.0f} |")
    print("\n| K | V | one document, ms |\n| ---: | ---: | ---: |")
    for num_topics, num_words in SIZES:
        train = documents(TRAINING_DOCUMENTS, num_words)
        lda, one = untrained(train, num_topics), train.rows(np.array([0]))
        taken = 1e3 * best(lambda model=lda, row=one: concentration(model, row), rounds=200)
        print(f"| {num_topics} | {num_words:,} | {taken:.2f} |")


if __name__ == "__main__":
    main()
