"""Fitted models of Python libraries, as they lie in memory; none of the libraries is imported for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.errors import ConfigError
from lda_app.interchange.model import DocTopics, ImportedModel

if TYPE_CHECKING:
    from collections.abc import Sequence


def from_sklearn(
    estimator: Any, words: Sequence[str] | None = None, *, name: str = "scikit-learn"
) -> ImportedModel:
    """Take a fitted ``sklearn.decomposition.LatentDirichletAllocation``, or an estimator like it.

    Parameters
    ----------
    estimator
        Has ``components_`` (K, V) and, unless α is unknown, ``doc_topic_prior_``.
    words
        The V words, such as ``CountVectorizer.get_feature_names_out()``; None takes ``feature_names_in_``.
    name
        What to call the model.

    Raises
    ------
    ConfigError
        If the estimator is not fitted, or its words are not known.
    CorpusError
        If its arrays do not fit together.

    Examples
    --------
    >>> from sklearn.decomposition import LatentDirichletAllocation
    >>> lda = LatentDirichletAllocation(2, random_state=0).fit([[3, 2, 0], [0, 0, 4]])
    >>> model = from_sklearn(lda, ["moon", "orbit", "goal"])
    >>> model.num_topics, model.alpha.tolist()
    (2, [0.5, 0.5])
    """
    _require_fitted(estimator, "components_")
    words = getattr(estimator, "feature_names_in_", None) if words is None else words
    if words is None:
        raise ConfigError(f"{name}: the words are missing; pass words=vectorizer.get_feature_names_out()")
    return ImportedModel.of(
        name, estimator.components_, list(words), alpha=getattr(estimator, "doc_topic_prior_", None)
    )


def from_gensim(lda: Any, *, name: str = "gensim") -> ImportedModel:
    """Take a trained ``gensim.models.LdaModel`` or ``LdaMulticore``, words by its ``id2word``.

    Raises
    ------
    ConfigError
        If it is none, or has no names of words.
    CorpusError
        If its arrays do not fit together.
    """
    _require_fitted(lda, "get_topics")
    beta = lda.get_topics()
    if not lda.id2word:
        raise ConfigError(
            f"{name}: the model has no id2word: set lda.id2word to the dictionary of its corpus"
        )
    return ImportedModel.of(
        name, beta, [lda.id2word[word] for word in range(beta.shape[1])], alpha=np.array(lda.alpha)
    )


def from_tomotopy(lda: Any, *, name: str = "tomotopy") -> ImportedModel:
    """Take a trained ``tomotopy.LDAModel``, with θ of the documents it was trained on.

    Raises
    ------
    ConfigError
        If it is none.
    CorpusError
        If it was not trained.
    """
    _require_fitted(lda, "get_topic_word_dist")
    beta = np.array([lda.get_topic_word_dist(topic) for topic in range(lda.k)])
    theta = np.array([document.get_topic_dist() for document in lda.docs])
    ids = [document.uid for document in lda.docs]
    doc_topics = DocTopics.of(theta, ids if all(ids) else None, name=name) if len(theta) else None
    return ImportedModel.of(
        name, beta, list(lda.used_vocabs), alpha=np.broadcast_to(lda.alpha, lda.k), doc_topics=doc_topics
    )


def from_topica(lda: Any, *, name: str = "topica") -> ImportedModel:
    """Take a fitted ``topica.LDA``, with θ of the documents it was trained on.

    Raises
    ------
    ConfigError
        If it is none.
    CorpusError
        If its arrays do not fit together.
    """
    _require_fitted(lda, "topic_word")
    doc_topics = DocTopics.of(np.asarray(lda.doc_topic), lda.doc_names, name=name)
    alpha = np.asarray(lda.alpha)
    return ImportedModel.of(
        name, np.asarray(lda.topic_word), list(lda.vocabulary), alpha=alpha, doc_topics=doc_topics
    )


def _require_fitted(model: Any, attribute: str) -> None:
    if not hasattr(model, attribute):
        raise ConfigError(
            f"{type(model).__name__} has no {attribute}: pass a fitted model from the library in the "
            "function's name"
        )
