"""topica: collapsed Gibbs sampling, hyper-parameters optimised; it shows no model before it has finished.

By its defaults, which are MALLET's, α has not converged after 1,000 sweeps over short texts. Optimised more
often it does: then its own inference predicts better, and mean field worse. So both are run.
"""

import numpy as np

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.studies.compare.clock import Clock
from lda_app.studies.compare.methods import Fitted, token_lists
from lda_app.system.runtime import cpu_count

PACKAGES = ("topica",)
METHODS = {
    "topica": {"iters": 1000, "optimize_interval": 50, "burn_in": 200},
    "topica-every-20": {"iters": 1000, "optimize_interval": 20, "burn_in": 200},
}


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
