"""topica: collapsed Gibbs sampling, hyper-parameters optimised; it shows no model before it has finished."""

import numpy as np

from bench.clock import Clock
from bench.methods import Fitted, token_lists
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.runtime import cpu_count

PACKAGES = ("topica",)
METHODS = {"topica": {"iters": 1000, "optimize_interval": 10, "burn_in": 50}}


def fit(train: DocTermMatrix, num_topics: int, seed: int, settings: dict[str, int], clock: Clock) -> Fitted:
    """Learn from counts; words are named by their numbers."""
    import topica

    names = [str(word) for word in range(train.num_words)]
    corpus = topica.Corpus.from_documents(token_lists(train, names), vocabulary=names)
    clock.start()
    lda = topica.LDA(
        num_topics,
        optimize_interval=settings["optimize_interval"],
        burn_in=settings["burn_in"],
        num_threads=cpu_count(),
        seed=seed,
    )
    lda.fit(corpus, iters=settings["iters"], keep_theta_draws=False)
    return Fitted(
        np.asarray(lda.alpha),
        np.asarray(lda.topic_word),
        lambda documents: lda.transform(token_lists(documents, names), seed=seed),
    )
