"""A training run, from a corpus to a model directory: start, interrupt, resume, finish."""

import os
import shlex
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lda_app.config import TrainConfig, config_from_dict
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.folder import Corpus
from lda_app.errors import ConfigError, Interrupted, NumericalError
from lda_app.evaluation.diversity import duplicates, live_topics
from lda_app.fitted.folder import TrainedModel, new_model_dir, untrained, write_model
from lda_app.fitted.inference import concentration
from lda_app.fitted.labels import Labels, TopicLabel, write_labels
from lda_app.fitted.topics import top_words, topic_proportions
from lda_app.system.distributed import SINGLE_PROCESS, Group
from lda_app.system.runtime import interruptible, log
from lda_app.system.storage import check_replaceable, check_writable
from lda_app.training.data import TrainingData, training_data
from lda_app.training.resources import bytes_on_disk, choose_device, require_memory
from lda_app.training.state import RunState, pack, read_checkpoint, restore, save_checkpoint, unpack
from lda_app.training.step import Optimizers
from lda_app.training.train import make_state, train, validation_score

_TOP_WORDS = 10
_MOSTLY_SHARED = 7
_DOCUMENTS_TO_LOOK_AT = 5_000


@dataclass(frozen=True)
class SavedRun:
    """What a checkpoint says of the run it belongs to."""

    config: TrainConfig
    corpus: dict[str, str]
    header: dict[str, Any]
    tensors: dict[str, torch.Tensor]


def checkpoint_of(out: Path) -> Path:
    """Return the path of an unfinished run's checkpoint, next to its model folder."""
    return out.with_name(f"{out.name}.checkpoint")


def told_run(group: Group) -> SavedRun:
    """Wait until the first process tells its run."""
    return _saved(*unpack(group.receive()), "the first process")


def open_run(out: Path) -> SavedRun:
    """Read the checkpoint of an unfinished run.

    Raises
    ------
    FolderError
        If there is none, or it is damaged.
    """
    path = checkpoint_of(out)
    return _saved(*read_checkpoint(path), str(path))


def _saved(header: dict[str, Any], tensors: dict[str, torch.Tensor], source: str) -> SavedRun:
    config = config_from_dict(header["details"]["config"], source)
    return SavedRun(config, header["details"]["corpus"], header, tensors)


def require_free(out: Path, *, overwrite: bool) -> None:
    """Refuse an output that is taken, by a model or by an unfinished run.

    Raises
    ------
    ConfigError
        If it may not be replaced.
    """
    check_replaceable(out, "model", overwrite=overwrite)
    if checkpoint_of(out).exists() and not overwrite:
        raise ConfigError(
            f"{checkpoint_of(out)}: this run is unfinished; resume it with "
            f"lda-app train --resume {shlex.quote(str(out))}, or use --overwrite to start over"
        )


def train_model(
    corpus: Corpus,
    config: TrainConfig,
    out: Path,
    *,
    saved: SavedRun | None = None,
    overwrite: bool = False,
    group: Group = SINGLE_PROCESS,
) -> None:
    """Train on a corpus and write the model directory.

    Parameters
    ----------
    corpus
        Its training split is learned from.
    config
        The configuration; that of ``saved`` if the run is resumed.
    out
        The model directory.
    saved
        The run to resume; None starts a new one.
    overwrite
        Replace a model directory, or drop the checkpoint of an unfinished run.
    group
        The processes that train together, of which this is the first; the others :func:`take_part`.

    Raises
    ------
    ConfigError
        If ``out`` exists, CUDA is asked for where there is none, or the memory cannot hold the topics.
    ProcessGroupError
        If another process has ended or does not answer.
    FileSystemError
        If it cannot be written.
    NumericalError
        If training broke down; the weights before that are written all the same.
    Interrupted
        After SIGINT or SIGTERM, with a checkpoint written.
    """
    labels = _seed_labels(config)
    device = choose_device(config, group.world)
    require_memory(config, len(corpus.vocabulary), group.world)
    if saved is None:
        require_free(out, overwrite=overwrite)
    check_writable(out, bytes_on_disk(config, len(corpus.vocabulary)))
    with new_model_dir(out, overwrite=overwrite or saved is not None) as staging:
        data = training_data(corpus, config)
        _warn_of_oddities(data, config)
        state = make_state(config, data, device)
        if saved is not None:
            restore(state, saved.header, saved.tensors)
        failure = _train(state, config, data, corpus, out, group)
        write_model(staging, trained_model(state, config, corpus, data, out))
    if labels.topics:
        write_labels(out, labels)
    checkpoint_of(out).unlink(missing_ok=True)
    if failure is not None:
        raise NumericalError(f"{failure}; model saved in {out}")
    _warn_of_collapse(state, data)


def take_part(corpus: Corpus, told: SavedRun, group: Group) -> None:
    """Train with the first process, from the state that it has told; write nothing, and end when it does.

    Parameters
    ----------
    corpus
        The corpus of the first process.
    told
        Its run.
    group
        The processes.

    Raises
    ------
    ProcessGroupError
        If another process has ended or does not answer.
    """
    data = training_data(corpus, told.config)
    lda = untrained(told.config, len(data.rows), len(corpus.vocabulary))
    lda.to(choose_device(told.config, group.world))
    state = RunState(lda, Optimizers.of(lda, told.config))
    restore(state, told.header, told.tensors)
    # What ends the training of all, the first process reports.
    with interruptible() as interruption, suppress(NumericalError):
        train(state, told.config, data, save=lambda _: None, interruption=interruption, group=group)
    group.receive()


def _train(
    state: RunState, config: TrainConfig, data: TrainingData, corpus: Corpus, out: Path, group: Group
) -> NumericalError | None:
    """Train to the end; return what broke training down if there are weights to keep."""
    details = {"config": asdict(config), "corpus": _identity(corpus, out)}
    group.broadcast(lambda: pack(state, details))

    def save(state: RunState) -> None:
        save_checkpoint(checkpoint_of(out), state, details)

    with interruptible() as interruption:
        try:
            finished = train(state, config, data, save=save, interruption=interruption, group=group)
        except NumericalError as error:
            if not state.step:
                checkpoint_of(out).unlink(missing_ok=True)  # the run would fail there again
                raise
            return error
        finally:
            group.barrier()
    if not finished:
        raise Interrupted(
            f"stopped after step {state.step}; resume with: lda-app train --resume {shlex.quote(str(out))}",
            interruption.requested or 0,
        )
    return None


def trained_model(
    state: RunState, config: TrainConfig, corpus: Corpus, data: TrainingData, out: Path
) -> TrainedModel:
    """Return what a finished run hands over to be kept, ``out`` being where."""
    return TrainedModel(
        lda=state.lda,
        vocabulary=corpus.vocabulary,
        preprocessor=corpus.preprocessor,
        training=config,
        corpus=_identity(corpus, out),
        history=state.history,
        metrics=_metrics(state, config, data),
        timing={"train_seconds": round(state.seconds, 3)},
    )


def _seed_labels(config: TrainConfig) -> Labels:
    """Name the seeded topics as the seeds do."""
    names = enumerate(sorted(config.seed_words or ()))
    return Labels(config.num_topics, {topic: TopicLabel(name) for topic, name in names})


def _identity(corpus: Corpus, out: Path) -> dict[str, str]:
    # Relative to the model, so that a project can be moved as a whole.
    path = os.path.relpath(corpus.path.resolve(), out.resolve())
    return {"name": corpus.name, "path": path, "fingerprint": corpus.fingerprint}


def _metrics(state: RunState, config: TrainConfig, data: TrainingData) -> dict[str, Any]:
    metrics: dict[str, Any] = {"steps": state.step}
    if state.history:
        loss = state.history[-1]["loss"]
        metrics["loss"] = {"unit": "nats per token, negative elbo of training batches", "value": loss}
    score = validation_score(state.lda, data, config.seed)
    if score is not None:
        metrics["validation_perplexity"] = {
            "protocol": score.protocol,
            "value": score.value,
            "num_documents": score.num_documents,
            "num_tokens": score.num_tokens,
        }
    return metrics


def _warn_of_oddities(data: TrainingData, config: TrainConfig) -> None:
    num_documents, num_words = len(data.rows), data.doc_term.num_words
    for count, things in ((num_documents, "documents with words"), (num_words, "words in the vocabulary")):
        if config.num_topics > count:
            log.warning(
                "%d topics, but only %d %s: some topics will be empty", config.num_topics, count, things
            )
    if num_documents == 1:
        log.warning("only one document has words, so topics cannot be distinguished")
    elif _all_alike(data.doc_term.rows(data.rows)):
        log.warning("all %d documents are identical, so topics cannot be distinguished", num_documents)
    if config.batch_size is not None and config.batch_size > num_documents:
        log.warning(
            "batch size %d is larger than the corpus; using all %d documents",
            config.batch_size,
            num_documents,
        )
    if data.validation is None and config.validation_fraction:
        log.warning("too few documents to hold any out; perplexity is not measured")


def _all_alike(doc_term: DocTermMatrix) -> bool:
    """Tell whether all documents have the same counts."""
    if (np.ptp(np.diff(doc_term.indptr)) > 0) or (np.ptp(doc_term.lengths()) > 0):
        return False
    shape = doc_term.num_documents, -1
    return all(
        bool((rows == rows[0]).all())
        for rows in (doc_term.indices.reshape(shape), doc_term.counts.reshape(shape))
    )


def _warn_of_collapse(state: RunState, data: TrainingData) -> None:
    """Warn if most topics are unused or alike, because evaluations of such a model are misleading."""
    some = data.rows[:: max(1, len(data.rows) // _DOCUMENTS_TO_LOOK_AT)]
    shares = topic_proportions(concentration(state.lda, data.doc_term.rows(some))).mean(axis=0)
    num_topics, live = len(shares), live_topics(shares)
    if live < num_topics / 2:
        log.warning("only %d of %d topics are in use; try fewer topics or more text", live, num_topics)
    if data.doc_term.num_words <= 2 * _TOP_WORDS:
        return  # of so few words any two topics share most
    top = top_words(state.lda.topics.beta().cpu().numpy(), _TOP_WORDS)
    alike = {topic for pair in duplicates(top, _MOSTLY_SHARED) for topic in (pair.topic, pair.other)}
    if len(alike) > num_topics / 2:
        log.warning(
            "%d of %d topics share %d of their %d top words with another; try fewer topics or more text",
            len(alike),
            num_topics,
            _MOSTLY_SHARED,
            _TOP_WORDS,
        )
