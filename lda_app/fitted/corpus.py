"""The corpus that a model was trained on: found by its recorded path, known by its fingerprint."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lda_app.errors import FolderError

if TYPE_CHECKING:
    from lda_app.corpus.folder import Corpus
    from lda_app.corpus.preprocess import Preprocessor
    from lda_app.fitted.folder import ModelDir


def corpus_of_run(model: ModelDir, given: Path | None) -> Corpus:
    """Open the corpus of a model.

    Parameters
    ----------
    model
        A trained model.
    given
        Where the user says that the corpus lies; None looks where it was in training.

    Raises
    ------
    FolderError
        If the corpus is not there, or is another one.
    """
    from lda_app.corpus.folder import open_corpus

    path = given or recorded_place(model)
    if path is None:
        raise FolderError(
            f"{model.path}: its training corpus {model.config['corpus']['path']} was not found; use "
            "--corpus to give its location"
        )
    corpus = open_corpus(path)
    expected = model.config["corpus"]["fingerprint"]
    if corpus.fingerprint != expected:
        raise FolderError(
            f"{path}: not the corpus that {model.path} was trained on: its fingerprint is "
            f"{corpus.fingerprint[:12]}, expected {expected[:12]}; use --corpus to give the right folder"
        )
    return corpus


def recorded_place(model: ModelDir) -> Path | None:
    """Return the folder of the corpus as the model recorded it, relative to its own; None if it is gone."""
    path: Path = model.path / model.config["corpus"]["path"]
    return Path(os.path.relpath(path.resolve())) if path.is_dir() else None


def preprocessor_of(model: ModelDir) -> Preprocessor:
    """Return how a model's raw text is counted.

    Raises
    ------
    FolderError
        If it was trained on imported counts, for then nobody knows.
    """
    if model.preprocessor is None:
        raise FolderError(
            f"{model.path}: trained on imported counts, so it cannot process raw text; "
            "train on a corpus made with lda-app corpus build"
        )
    return model.preprocessor
