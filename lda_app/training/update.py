"""Update a model with new text; topics keep their numbers and build on what was learned before.

The old topic-word counts become part of the prior, so that the posterior after the old text is the prior for
the new (Broderick, Boyd, Wibisono, Wilson, Jordan 2013, "Streaming variational Bayes"): λ → weight · λ +
counts in the new text. New words start with zero counts; the guide's network has no per-word weights.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from lda_app.errors import ConfigError, Interrupted
from lda_app.fitted.folder import new_model_dir, write_model
from lda_app.fitted.labels import write_labels
from lda_app.models.guides import make_lda, make_topics
from lda_app.models.topic_word import TopicWordCounts
from lda_app.system.distributed import SINGLE_PROCESS
from lda_app.system.runtime import interruptible
from lda_app.training.data import TrainingData, divide
from lda_app.training.prior import TopicPrior
from lda_app.training.resources import choose_device, require_memory
from lda_app.training.run import require_free, trained_model
from lda_app.training.state import RunState
from lda_app.training.step import Optimizers
from lda_app.training.train import train

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from lda_app.config import TrainConfig
    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.models.lda import LDA


def update_model(
    model: ModelDir, corpus: Corpus, config: TrainConfig, out: Path, *, weight: float = 1.0, overwrite: bool
) -> None:
    """Train on new text and write the updated model, including its labels.

    Parameters
    ----------
    model
        Model to start from; it is not modified.
    corpus
        New text, over the model's vocabulary and possibly new words.
    config
        Training configuration; settings that shape the model come from ``model``.
    out
        New model directory.
    weight
        Weight of the old counts, above 0; 1 weighs old and new text equally.
    overwrite
        Whether to replace an existing model directory.

    Raises
    ------
    ConfigError
        If ``out`` exists, or this kind of model cannot be updated.
    Interrupted
        On SIGINT or SIGTERM; nothing is written.
    """
    require_free(out, overwrite=overwrite)
    require_memory(config, len(corpus.vocabulary), SINGLE_PROCESS.world)
    data = replace(
        divide(corpus.split("train"), config), prior=counted_before(model, corpus.vocabulary.words, weight)
    )
    with new_model_dir(out, overwrite=overwrite) as staging:
        state = continued(model, config, data)
        with interruptible() as interruption:
            if not train(state, config, data, save=lambda _: None, interruption=interruption):
                raise Interrupted("stopped; nothing was written", interruption.requested or 0)
        write_model(staging, trained_model(state, config, corpus, data, out))
    labels = model.labels
    if labels.topics:
        write_labels(out, labels)


def topics_to_go_on_with(model: ModelDir) -> TopicWordCounts:
    """Return a model's topics if they can learn new words.

    Raises
    ------
    ConfigError
        If the topics are not counts, or the guide has per-word weights.
    """
    topics = model.lda.topics
    if not isinstance(topics, TopicWordCounts) or model.config["training"]["encoder"] == "mlp":
        raise ConfigError(
            f"{model.path} was trained with --beta-optimizer adam or --encoder mlp, which cannot learn "
            "new words; train a new model on all text"
        )
    return topics


def counted_before(model: ModelDir, words: Sequence[str], weight: float) -> TopicPrior:
    """Return a model's topic-word counts as a prior over a larger vocabulary."""
    topics = topics_to_go_on_with(model)
    columns = old_columns(model.vocabulary.words, words).astype(np.int64)
    counts = weight * float(topics.scale) * topics.expected_counts.numpy()
    return TopicPrior(columns, counts.astype(np.float32))


def continued(model: ModelDir, config: TrainConfig, data: TrainingData) -> RunState:
    """Return the state of a run initialized from a model's topics, α and guide."""
    assert data.prior is not None
    counts = np.zeros((data.doc_term.num_words, config.num_topics), dtype=np.float32)
    counts[data.prior.words] = data.prior.counts
    lda = make_lda(config, len(data.rows), make_topics(config, torch.from_numpy(counts)))
    _take_over(lda, model.lda)
    lda.to(choose_device(config, SINGLE_PROCESS.world))
    return RunState(lda, Optimizers.of(lda, config))


def _take_over(lda: LDA, before: LDA) -> None:
    """Copy α and the guide from another model."""
    lda.encoder.load_state_dict(before.encoder.state_dict())
    with torch.no_grad():
        lda.log_alpha.copy_(before.log_alpha)


def old_columns(old: Sequence[str], words: Sequence[str]) -> npt.NDArray[np.int32]:
    """Return the index (V,) of each word of an old vocabulary in a larger one.

    Examples
    --------
    >>> old_columns(["moon", "orbit"], ["launch", "moon", "orbit"]).tolist()
    [1, 2]
    """
    index = {word: column for column, word in enumerate(words)}
    return np.array([index[word] for word in old], dtype=np.int32)
