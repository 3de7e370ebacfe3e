"""One cell of a study: train its model, or resume the training, and evaluate it, in its own process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lda_app.evaluation.coherence import document_npmi
from lda_app.evaluation.completion import completion_scores
from lda_app.evaluation.diversity import unique_share
from lda_app.evaluation.exclusivity import FREX_WEIGHT, exclusivity
from lda_app.evaluation.quality import COHERENCE_WORDS, DIVERSITY_WORDS
from lda_app.fitted.folder import open_model
from lda_app.fitted.topics import top_words
from lda_app.training.data import divide
from lda_app.training.run import checkpoint_of, open_run, train_model

if TYPE_CHECKING:
    from lda_app.config import TrainConfig
    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.studies.study import Cell, Study


def finish_cell(study: Study, cell: Cell) -> None:
    """Finish a cell: train its model, or resume the training, and evaluate it.

    Raises
    ------
    LdaAppError
        As :func:`lda_app.training.run.train_model`.
    """
    corpus, out = study.open_corpus(), study.model_path(cell)
    if not out.exists():
        saved = open_run(out) if checkpoint_of(out).exists() else None
        train_model(corpus, study.config(cell), out, saved=saved)
    if study.figures(cell) is None:
        study.keep_figures(cell, measure(open_model(out), study.config(cell), corpus))


def measure(model: ModelDir, config: TrainConfig, corpus: Corpus) -> dict[str, Any]:
    """Measure a model on the documents that its training held out, and on its topics.

    The score of each held-out document is kept, so that models can be compared document by document. Only the
    training split is looked at: the test split must have no say in the choice of a model.

    Parameters
    ----------
    model
        A trained model.
    config
        What it was trained with: it decides on the documents held out.
    corpus
        What it was trained on.
    """
    data = divide(corpus.split("train"), config)
    top = top_words(model.beta, DIVERSITY_WORDS)
    coherence = document_npmi(top[:, :COHERENCE_WORDS], data.doc_term, "train")
    return {
        "completion": None if data.validation is None else _completion(model, data.validation, config.seed),
        "coherence": {"protocol": coherence.protocol, "reference_split": "train", "value": coherence.mean},
        "exclusivity": {
            "protocol": f"frex_{FREX_WEIGHT}",
            "value": float(exclusivity(model.beta, top[:, :COHERENCE_WORDS]).mean()),
        },
        "diversity": {"protocol": "unique_share", "value": unique_share(top)},
        "train_seconds": model.timing.get("train_seconds"),
    }


def _completion(model: ModelDir, validation: DocTermMatrix, seed: int) -> dict[str, Any]:
    scores = completion_scores(validation, model.posterior, model.beta, seed=seed)
    return {
        "protocol": "document_completion",
        "log_likelihood": scores.log_likelihood.tolist(),
        "num_tokens": scores.num_tokens.tolist(),
    }
