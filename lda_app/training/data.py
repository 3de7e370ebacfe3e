"""Which documents a run learns from, and which it holds out."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.folder import Corpus
from lda_app.errors import CorpusError
from lda_app.system.runtime import rng
from lda_app.training.prior import TopicPrior, seed_prior

_MOST_VALIDATION_DOCUMENTS = 500
_FEWEST_VALIDATION_DOCUMENTS = 5


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The training split of a corpus, divided.

    Parameters
    ----------
    doc_term
        All counts (D, V) of the training split.
    rows
        The documents to learn from; none is empty.
    validation
        Held-out documents, or None where there are too few to tell anything.
    prior
        What is known of the topics beforehand; mostly nothing.
    """

    doc_term: DocTermMatrix
    rows: npt.NDArray[np.int64]
    validation: DocTermMatrix | None
    prior: TopicPrior | None = None


def training_data(corpus: Corpus, config: TrainConfig) -> TrainingData:
    """Divide the training split of a corpus, and look the seed words up.

    Raises
    ------
    ConfigError
        If none of a topic's seed words is in the vocabulary.
    CorpusError
        If no document has a word.
    """
    data = divide(corpus.split("train"), config)
    return replace(data, prior=seed_prior(config, corpus, data.doc_term))


def divide(doc_term: DocTermMatrix, config: TrainConfig) -> TrainingData:
    """Hold out some documents for validation, at random by the seed; documents without words are passed over.

    Raises
    ------
    CorpusError
        If no document has a word.

    Examples
    --------
    >>> documents = DocTermMatrix.from_scipy(np.eye(500, dtype=int))
    >>> data = divide(documents, TrainConfig())
    >>> len(data.rows), data.validation.num_documents
    (490, 10)
    """
    filled = doc_term.filled()
    if not len(filled):
        raise CorpusError("no training document has a word of the vocabulary: nothing can be learned")
    held_out = min(int(config.validation_fraction * len(filled)), _MOST_VALIDATION_DOCUMENTS)
    if held_out < _FEWEST_VALIDATION_DOCUMENTS:
        return TrainingData(doc_term, filled, None)
    order = rng(config.seed, "validation").permutation(filled)
    return TrainingData(doc_term, np.sort(order[held_out:]), doc_term.rows(np.sort(order[:held_out])))
