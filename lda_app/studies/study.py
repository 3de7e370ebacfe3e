"""A study: trainings on one corpus that differ in the number of topics and the seed, in one folder.

    study.json               the corpus, and the options that all trainings share
    k50-seed1/               a model directory
    k50-seed1.checkpoint     where its training stopped, if it did
    k50-seed1.json           its figures
    sweep.json, sweep.svg    the results of the sweep

Each file and each model is complete or absent, so an interrupted study resumes where it stopped, and a
finished one can be extended with more seeds or more numbers of topics.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lda_app.config import TrainConfig, config_from_dict
from lda_app.corpus.folder import open_corpus
from lda_app.errors import ConfigError, FolderError
from lda_app.fitted.folder import open_model
from lda_app.system.storage import check_writable, read_json, write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from lda_app.corpus.folder import Corpus

STUDY = "study.json"
STUDY_FORMAT = 1
FIGURES_VERSION = 1
RESULTS = ("sweep.json", "sweep.svg")
_CELL = re.compile(r"k(\d+)-seed(\d+)(\.json|\.checkpoint)?")
_REMEDY = "remove it to train it again"
# What tells the trainings of a study apart.
_OWN = ("num_topics", "seed")


@dataclass(frozen=True, order=True)
class Cell:
    """One training of a study.

    Parameters
    ----------
    num_topics, seed
        What it does not share with the others.

    Examples
    --------
    >>> Cell(50, 1).name
    'k50-seed1'
    """

    num_topics: int
    seed: int

    @property
    def name(self) -> str:
        """Name of its model folder."""
        return f"k{self.num_topics}-seed{self.seed}"


@dataclass(frozen=True)
class Study:
    """A study folder that was checked when it was opened.

    Parameters
    ----------
    path
        The folder.
    training
        The configuration that its trainings share; its number of topics and seed mean nothing.
    corpus
        Path, relative to the folder, and fingerprint of the corpus.
    """

    path: Path
    training: TrainConfig
    corpus: Mapping[str, str]

    def config(self, cell: Cell) -> TrainConfig:
        """Return the configuration of a cell."""
        return replace(self.training, num_topics=cell.num_topics, seed=cell.seed)

    def model_path(self, cell: Cell) -> Path:
        """Return where the model of a cell is, or is to be."""
        return self.path / cell.name

    def open_corpus(self) -> Corpus:
        """Open the corpus of the study.

        Raises
        ------
        FolderError
            If it is not there, or no longer the same.
        """
        corpus = open_corpus(Path(os.path.normpath(self.path.resolve() / self.corpus["path"])))
        if corpus.fingerprint != self.corpus["fingerprint"]:
            raise FolderError(f"{corpus.path}: not the corpus that the study {self.path} was started with")
        return corpus

    def figures(self, cell: Cell) -> dict[str, Any] | None:
        """Return what was measured of a cell; None if it has not been, or by another version of the app."""
        file = self.path / f"{cell.name}.json"
        if not (file.exists() and self.model_path(cell).exists()):
            return None
        figures = read_json(file, remedy=_REMEDY)
        return figures if figures.get("schema_version") == FIGURES_VERSION else None

    def keep_figures(self, cell: Cell, figures: dict[str, Any]) -> None:
        """Write what was measured of a cell."""
        content = {"schema_version": FIGURES_VERSION, **asdict(cell), **figures}
        write_atomic(self.path / f"{cell.name}.json", _as_json(content))

    def beta(self, cell: Cell) -> npt.NDArray[np.float32]:
        """Read the topics (K, V) of a cell that is finished."""
        return open_model(self.model_path(cell)).beta


def begin_study(path: Path, corpus: Corpus, training: TrainConfig, *, overwrite: bool = False) -> Study:
    """Open the study of these settings in a folder, or begin it.

    Parameters
    ----------
    path
        The folder.
    corpus
        What is learned from.
    training
        The options that all trainings share.
    overwrite
        Drop the study that is there.

    Raises
    ------
    ConfigError
        If something else is there, or a study of other settings.
    FileSystemError
        If nothing can be written there.
    """
    place = os.path.relpath(corpus.path.resolve(), path.resolve())
    study = Study(path, training, {"path": place, "fingerprint": corpus.fingerprint})
    if path.exists() and (path.is_file() or any(path.iterdir())):
        _require_study(path)
        if not overwrite:
            _require_same(path, study)
            return study
        _empty(path)
    check_writable(path)
    path.mkdir(parents=True, exist_ok=True)
    content = {"schema_version": STUDY_FORMAT, "corpus": dict(study.corpus), "training": _shared(training)}
    write_atomic(path / STUDY, _as_json(content))
    return study


def open_study(path: Path) -> Study:
    """Read a study.

    Raises
    ------
    FolderError
        If there is none.
    """
    content = read_json(path / STUDY, remedy=_REMEDY)
    try:
        if content["schema_version"] != STUDY_FORMAT:
            raise FolderError(f"{path / STUDY} was made by another version of lda-app; use another folder")
        training = config_from_dict(content["training"], str(path / STUDY))
        corpus = {name: str(content["corpus"][name]) for name in ("path", "fingerprint")}
    except (KeyError, TypeError, ConfigError) as error:
        raise FolderError(f"{path / STUDY}: not a study: {error}; use --overwrite to start over") from None
    return Study(path, training, corpus)


def _require_study(path: Path) -> None:
    """Refuse a place where something else is than what a study has."""
    if not (path / STUDY).is_file():
        raise ConfigError(f"{path} exists and is not an lda-app study; choose another folder")
    for entry in path.iterdir():
        known = entry.name in (STUDY, *RESULTS) or _CELL.fullmatch(entry.name) or entry.name.startswith(".")
        if not known:
            raise ConfigError(f"{entry} was not written by lda-app; move it or choose another folder")


def _empty(path: Path) -> None:
    """Remove what a study has, but for what makes it one: it stays a study whenever this is interrupted."""
    for entry in path.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != STUDY:
            entry.unlink()


def _require_same(path: Path, study: Study) -> None:
    there = open_study(path)
    if there.corpus["fingerprint"] != study.corpus["fingerprint"]:
        raise ConfigError(_another(path, "was made from another corpus"))
    wanted = _shared(study.training)
    for name, value in _shared(there.training).items():
        if value != wanted[name]:
            flag = "--" + name.replace("_", "-")
            raise ConfigError(_another(path, f"has {flag} {value}, not {wanted[name]}"))


def _another(path: Path, difference: str) -> str:
    return (
        f"{path}: the existing study {difference}; use its original options or another folder, or "
        "--overwrite to start over"
    )


def _shared(training: TrainConfig) -> dict[str, Any]:
    return {name: value for name, value in asdict(training).items() if name not in _OWN}


def _as_json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()
