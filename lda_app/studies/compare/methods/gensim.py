"""gensim: online variational Bayes, both priors learned; that mode has no worker processes."""

from itertools import pairwise
from typing import Any

import numpy as np

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.studies.compare.clock import Clock
from lda_app.studies.compare.methods import Fitted

PACKAGES = ("gensim",)
METHODS = {"gensim": {"passes": 20, "alpha": "auto", "eta": "auto", "chunksize": 20_000, "eval_every": None}}


def fit(train: DocTermMatrix, num_topics: int, seed: int, settings: dict[str, Any], clock: Clock) -> Fitted:
    """Learn from counts."""
    from gensim.models import LdaModel

    class Watched(LdaModel):  # type: ignore[misc, unused-ignore]
        """Takes a snapshot after each update of the topics."""

        def do_mstep(self, *args: Any, **kwargs: Any) -> None:
            super().do_mstep(*args, **kwargs)
            clock.snapshot(lambda: (self.alpha, self.get_topics()))

    words = {word: str(word) for word in range(train.num_words)}
    documents = _bags(train)
    clock.start()
    lda = Watched(None, num_topics, id2word=words, random_state=seed, **settings)
    with clock.limited():
        lda.update(documents)
    return Fitted(np.array(lda.alpha), lda.get_topics(), lambda new: lda.inference(_bags(new))[0])


def _bags(doc_term: DocTermMatrix) -> list[list[tuple[int, int]]]:
    pairs = list(zip(doc_term.indices.tolist(), doc_term.counts.tolist(), strict=True))
    ends = doc_term.indptr.tolist()
    return [pairs[start:stop] for start, stop in pairwise(ends)]
