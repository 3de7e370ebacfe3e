"""The option that says where a model's corpus is."""

from pathlib import Path
from typing import Annotated

import typer

from lda_app.model_corpus import corpus_of_run, recorded_place

__all__ = ["CorpusOfRun", "corpus_of_run", "recorded_place"]

CorpusOfRun = Annotated[
    Path | None,
    typer.Option(
        "--corpus",
        metavar="FOLDER",
        help="The corpus that the model was trained on, if it lies elsewhere now.",
        show_default="where it was in training",
    ),
]
