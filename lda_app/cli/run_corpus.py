"""The options for a model's corpus and its splits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from lda_app.fitted.corpus import corpus_of_run, recorded_place

__all__ = ["CorpusOfRun", "DataSplit", "corpus_of_run", "recorded_place", "splits_of"]

CorpusOfRun = Annotated[
    Path | None,
    typer.Option(
        "--corpus",
        metavar="FOLDER",
        help="The corpus the model was trained on, if it has moved.",
        show_default="its location during training",
    ),
]
DataSplit = Annotated[
    Literal["all", "train", "test"], typer.Option("--split", help="Which split's documents to use.")
]


def splits_of(split: str, available: Sequence[str]) -> Sequence[str]:
    """Return the splits that ``--split`` names.

    Examples
    --------
    >>> splits_of("all", ["train", "test"]), splits_of("test", ["train", "test"])
    (['train', 'test'], ['test'])
    """
    return available if split == "all" else [split]
