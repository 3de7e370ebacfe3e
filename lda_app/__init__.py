"""Latent Dirichlet allocation with neural, implicitly reparameterized inference.

From Python there are two classes: :class:`LatentDirichletAllocation`, an estimator of scikit-learn's kind on
matrices of counts, and :class:`TopicModel`, which takes raw texts.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lda_app.estimator import LatentDirichletAllocation as LatentDirichletAllocation
    from lda_app.topic_model import TopicModel as TopicModel

__version__ = "0.1.0"

# What is imported when it is asked for: torch and Pyro take seconds.
_PLACES = {"LatentDirichletAllocation": "lda_app.estimator", "TopicModel": "lda_app.topic_model"}
__all__ = ["LatentDirichletAllocation", "TopicModel"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
