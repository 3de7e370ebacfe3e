"""tomotopy: collapsed Gibbs sampling, an asymmetric α learned every ten sweeps."""

from typing import Any

import numpy as np

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.studies.compare.clock import Clock
from lda_app.studies.compare.methods import Fitted, token_lists

PACKAGES = ("tomotopy",)
METHODS = {"tomotopy": {"sweeps": 1000, "alpha": 0.1, "eta": 0.01, "optim_interval": 10}}
ALL_CORES = 0


def fit(train: DocTermMatrix, num_topics: int, seed: int, settings: dict[str, Any], clock: Clock) -> Fitted:
    """Learn from counts; words are named by their numbers."""
    import tomotopy

    names = [str(word) for word in range(train.num_words)]
    lda = tomotopy.LDAModel(k=num_topics, alpha=settings["alpha"], eta=settings["eta"], seed=seed)
    lda.optim_interval = settings["optim_interval"]
    for document in token_lists(train, names):
        lda.add_doc(document)
    clock.start()
    with clock.limited():
        for _ in range(settings["sweeps"] // 10):
            lda.train(10, workers=ALL_CORES)
            clock.snapshot(lambda: (np.array(lda.alpha), _beta(lda, train.num_words)))

    def infer(documents: DocTermMatrix) -> Any:
        made = [lda.make_doc(document) for document in token_lists(documents, names)]
        return np.array(lda.infer(made, workers=ALL_CORES)[0])

    return Fitted(np.array(lda.alpha), _beta(lda, train.num_words), infer)


def _beta(lda: Any, num_words: int) -> Any:
    """Put tomotopy's words, ordered by frequency, back into our order; a word that never occurred has 0."""
    beta = np.zeros((lda.k, num_words))
    beta[:, np.array(lda.used_vocabs, dtype=int)] = [lda.get_topic_word_dist(k) for k in range(lda.k)]
    return beta
