"""Find the corpus that a model was trained on by its recorded path, and verify its fingerprint."""

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
        Corpus folder given by the user; None uses the path recorded in training.

    Raises
    ------
    FolderError
        If the corpus is missing, or is not the model's.
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
    """Return the corpus folder that the model recorded, or None if it no longer exists."""
    path: Path = model.path / model.config["corpus"]["path"]
    return Path(os.path.relpath(path.resolve())) if path.is_dir() else None


def preprocessor_of(model: ModelDir) -> Preprocessor:
    """Return the preprocessor for a model's raw text.

    Raises
    ------
    FolderError
        If the model was trained on imported counts, which have no preprocessor.
    """
    if model.preprocessor is None:
        raise FolderError(
            f"{model.path}: trained on imported counts, so it cannot process raw text; "
            "train on a corpus made with lda-app corpus build"
        )
    return model.preprocessor
