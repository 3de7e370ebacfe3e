"""One training, and all that is measured of it, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.studies.compare.clock import Clock
from lda_app.studies.compare.figures import curve, figures

if TYPE_CHECKING:
    from collections.abc import Callable

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.studies.compare.figures import Figures, Split
    from lda_app.studies.compare.methods import Fitted, Method

_WARM_UP_DOCUMENTS, _WARM_UP_TOPICS = 40, 2


def measure(
    method: Method,
    train: Split,
    test: Split,
    num_topics: int,
    seed: int,
    clock: Clock,
    *,
    on_fitted: Callable[[], object] = lambda: None,
    more: Callable[[Fitted], Figures] = lambda _: {},
) -> dict[str, Any]:
    """Train once and measure; a short training comes before, so that no import and no compilation counts.

    Parameters
    ----------
    method
        What is trained.
    train, test
        What is learned from, and what is measured on.
    num_topics, seed
        K, and the seed of all random choices of the method.
    clock
        Fresh; it decides whether snapshots are kept, and when time is up.
    on_fitted
        Called when training is over and measuring begins.
    more
        Measures further figures.

    Returns
    -------
    dict
        ``usage``, ``figures``, ``curve``, and ``stopped``: whether time was up before it had finished.
    """
    _warm_up(method, train.doc_term)
    fitted = method.fit(train.doc_term, num_topics, seed, clock)
    usage = clock.stop()
    on_fitted()
    return {
        "usage": usage._asdict(),
        "figures": figures(fitted, train, test) | more(fitted),
        "curve": curve(clock.snapshots, test.doc_term),
        "stopped": clock.stopped,
    }


def _warm_up(method: Method, train: DocTermMatrix) -> None:
    """Learn something small, so that neither imports nor compilation are counted."""
    some = train.rows(np.arange(min(_WARM_UP_DOCUMENTS, train.num_documents)))
    method.warm_up(some, _WARM_UP_TOPICS, Clock())
