"""Posterior of θ for any document, from the trained guide, without sampling."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lda_app.corpus.batches import consecutive_batches
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.models.lda import LDA
from lda_app.models.threads import one_torch_thread

FloatArray = npt.NDArray[np.floating[Any]]
Infer = Callable[[DocTermMatrix], FloatArray]
"""Function from counts (D, V) to the concentration (D, K) of q(θ|w)."""

_BATCH_SIZE = 1024


def concentration(lda: LDA, doc_term: DocTermMatrix) -> npt.NDArray[np.float32]:
    """Concentration of q(θ|w) for each document.

    The result for a document depends only on its words, not on its batch or the order of documents. A
    document without words gets the prior's concentration α.

    Parameters
    ----------
    lda
        The model.
    doc_term
        Counts (D, V) over the model's vocabulary.

    Returns
    -------
    array
        (D, K), positive.

    Raises
    ------
    ValueError
        If the counts do not have the model's number of words.
    """
    if doc_term.num_words != lda.topics.num_words:
        raise ValueError(
            f"the counts have {doc_term.num_words} words, but the model has {lda.topics.num_words}"
        )
    result = np.empty((doc_term.num_documents, lda.topics.num_topics), dtype=np.float32)
    device = lda.log_alpha.device
    with torch.inference_mode(), one_torch_thread():
        for batch in consecutive_batches(doc_term, _BATCH_SIZE):
            result[batch.rows] = lda.posterior(batch.to(device)).cpu()
    return result
