"""What the commands share that train many models: options, and the study to work on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lda_app.cli.corpus import is_corpus, resolve_corpus
from lda_app.cli.training_options import COUNTING, given
from lda_app.runtime import cpu_count, log

if TYPE_CHECKING:
    from lda_app.corpus.folder import Corpus
    from lda_app.corpus.options import SourceOptions, WordOptions

_MOST_JOBS_UNASKED = 4
_SEED_LIMIT = 2**32

Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        max=1000,
        help="Models trained at a time; they share the cores, and each needs its own memory.",
        show_default=f"one a core, at most {_MOST_JOBS_UNASKED}",
    ),
]
CorpusOfStudy = Annotated[
    str,
    typer.Argument(
        metavar="CORPUS",
        help="A corpus folder, or what [bold]corpus build[/] takes: a name, a file, a folder of texts or "
        "[bold]-[/]. Its counts are then built beside FOLDER.",
        show_default=False,
    ),
]
StudyFolder = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        help="The folder of the models and of what is found; one that was begun is gone on with.",
        show_default=False,
    ),
]


def number_of_jobs(jobs: int | None) -> int:
    """Return how many models to train at a time where the user does not say.

    Examples
    --------
    >>> number_of_jobs(3)
    3
    """
    return jobs or min(_MOST_JOBS_UNASKED, cpu_count())


def seeds_from(first: int, number: int) -> list[int]:
    """Return so many seeds, counting from one; after the largest comes 0.

    Examples
    --------
    >>> seeds_from(7, 3)
    [7, 8, 9]
    """
    return [(first + n) % _SEED_LIMIT for n in range(number)]


def plus_minus(value: float, error: float | None, number_format: str) -> str:
    """Write a figure with its standard error, where there is one.

    Examples
    --------
    >>> plus_minus(0.25, 0.01, ".3f"), plus_minus(0.25, None, ".2f")
    ('0.250 ± 0.010', '0.25')
    """
    shown = format(value, number_format)
    return shown if error is None else f"{shown} ± {format(error, number_format)}"


def counts_of(
    ctx: typer.Context, corpus: str, out: Path, reading: SourceOptions, words: WordOptions, *, overwrite: bool
) -> Corpus:
    """Open a corpus folder, or build one beside a study."""
    if is_corpus(corpus) and (ignored := given(ctx, *COUNTING)):
        log.warning("%s has its counts already: no effect of %s", corpus, ", ".join(ignored))
    built_at = out.with_name(f"{out.name}.corpus")
    return resolve_corpus(corpus, built_at, reading, words, overwrite=overwrite)
