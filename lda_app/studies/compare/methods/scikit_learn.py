"""scikit-learn: variational Bayes, in batches of all documents or online."""

from typing import Any

import numpy as np

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.studies.compare.clock import Clock
from lda_app.studies.compare.methods import Fitted

PACKAGES = ("scikit-learn",)
_PRIORS = {"doc_topic_prior": 0.1, "topic_word_prior": 0.01, "n_jobs": -1}
METHODS = {
    "scikit-learn-batch": {"learning_method": "batch", "max_iter": 10, **_PRIORS},
    "scikit-learn-online": {
        "learning_method": "online",
        "max_iter": 10,
        "batch_size": 2048,
        "learning_decay": 0.5,
        "learning_offset": 10.0,
        **_PRIORS,
    },
}


def fit(train: DocTermMatrix, num_topics: int, seed: int, settings: dict[str, Any], clock: Clock) -> Fitted:
    """Learn from counts."""
    from sklearn.decomposition import LatentDirichletAllocation

    class Watched(LatentDirichletAllocation):  # type: ignore[misc, unused-ignore]
        """Takes a snapshot after each update of the topics."""

        def _em_step(self, *args: Any, **kwargs: Any) -> None:
            super()._em_step(*args, **kwargs)
            clock.snapshot(lambda: (alpha, _beta(self)))

    counts = train.to_scipy()
    alpha = np.full(num_topics, settings["doc_topic_prior"])
    clock.start()
    lda = Watched(num_topics, random_state=seed, **settings)
    with clock.limited():
        lda.fit(counts)
    return Fitted(alpha, _beta(lda), lambda documents: lda.transform(documents.to_scipy()))


def _beta(lda: Any) -> Any:
    return lda.components_ / lda.components_.sum(axis=1, keepdims=True)
