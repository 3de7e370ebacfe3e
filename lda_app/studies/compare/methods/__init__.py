"""The methods: a module each. A module here is a rival; nothing else has to know of it.

A module has three names, and imports its library inside ``fit``, for it may not be installed:

``PACKAGES``
    Distributions that it needs; their versions are recorded.
``METHODS``
    Name of the method → settings; several, where one library has several ways to learn.
``fit(train, num_topics, seed, settings, clock) -> Fitted``
    Learns from counts (D, V), every document having a word. It calls ``clock.start()`` when its data are in
    the form that its library wants, and, where its library allows, ``clock.snapshot(lambda: (alpha, beta))``
    as often as it can.
``BRIEF``
    Settings that make a training short, where the number of documents does not; it may be left out.
``IS_LDA``
    Whether the model is LDA; it may be left out where it is.

A training is within ``with clock.limited():``, so that it ends with what it has when its time is up; a
library that shows nothing before it has finished is stopped from outside, and leaves nothing.

Settings were chosen on 1,500 validation documents out of the training split of 20ng-2k, those of topica on
such of 20ng-short and pydocs-short, too.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.studies.compare.provenance import code_hash, modules_behind

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.studies.compare.clock import Clock

    FloatArray = npt.NDArray[np.floating[Any]]

OWN = "lda-app"
ALIASES = {"sklearn": "scikit-learn-online", "scikit-learn": "scikit-learn-online"}
"""Alternative names of methods."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model that was learned.

    Parameters
    ----------
    alpha
        (K,) concentration of the prior of θ.
    beta
        (K, V) topic-word probabilities.
    infer
        Counts (D, V), every document having a word, to θ or its concentration (D, K).
    decode
        θ (B, K) to log-probabilities of words (B, V), for a model whose words are no mixture of topics; its
        ``beta`` is then of use for its top words alone.
    """

    alpha: FloatArray
    beta: FloatArray
    infer: Callable[[DocTermMatrix], FloatArray]
    decode: Callable[[FloatArray], FloatArray] | None = None


@dataclass(frozen=True, eq=False)
class Method:
    """A library with settings."""

    module: ModuleType
    settings: dict[str, Any]

    def fit(self, train: DocTermMatrix, num_topics: int, seed: int, clock: Clock) -> Fitted:
        """Learn from counts by these settings."""
        fitted: Fitted = self.module.fit(train, num_topics, seed, self.settings, clock)
        return fitted

    def warm_up(self, train: DocTermMatrix, num_topics: int, clock: Clock) -> Fitted:
        """Learn briefly, so that all that is needed is imported and compiled."""
        brief = self.settings | getattr(self.module, "BRIEF", {})
        fitted: Fitted = self.module.fit(train, num_topics, 0, brief, clock)
        return fitted

    def versions(self) -> dict[str, str] | None:
        """Return the versions of its packages; None if one is not installed."""
        try:
            return {name: version(name) for name in self.module.PACKAGES}
        except PackageNotFoundError:
            return None

    @property
    def is_lda(self) -> bool:
        """Whether its model is LDA, so that α and β say all of it."""
        return bool(getattr(self.module, "IS_LDA", True))

    @property
    def is_own(self) -> bool:
        """Whether it is this project's."""
        return OWN in self.module.PACKAGES

    def code(self) -> str:
        """Return a hash of what may change without a new version: the module and, of ours, all it imports."""
        if self.is_own:
            return code_hash(*modules_behind(self.module.__name__))
        return code_hash(Path(self.module.__file__ or ""))


def token_lists(doc_term: DocTermMatrix, names: list[str]) -> list[list[str]]:
    """Write counts out as lists of words, for libraries that take no counts.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> token_lists(DocTermMatrix.from_scipy([[2, 1], [0, 1]]), ["a", "b"])
    [['a', 'a', 'b'], ['b']]
    """
    words = np.array(names, dtype=object)[np.repeat(doc_term.indices, doc_term.counts.astype(np.int64))]
    return [part.tolist() for part in np.split(words, np.cumsum(doc_term.lengths())[:-1])]


def _found() -> dict[str, Method]:
    """Find all methods: ours first, those that are no LDA last."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    modules.sort(key=lambda module: (OWN not in module.PACKAGES, not getattr(module, "IS_LDA", True)))
    return {name: Method(module, settings) for module in modules for name, settings in module.METHODS.items()}


METHODS = _found()
