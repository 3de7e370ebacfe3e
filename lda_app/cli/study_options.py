"""Options and helpers shared by the commands that train many models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lda_app.cli.corpus import is_corpus, resolve_corpus
from lda_app.cli.training_options import COUNTING, given
from lda_app.system.runtime import cpu_count, log

if TYPE_CHECKING:
    from lda_app.corpus.folder import Corpus
    from lda_app.corpus.options import SourceOptions, WordOptions

_MAX_DEFAULT_JOBS = 4
_SEED_LIMIT = 2**32

Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        max=1000,
        help="Models to train in parallel; they share the cores, and each needs its own memory.",
        show_default=f"one per core, at most {_MAX_DEFAULT_JOBS}",
    ),
]
CorpusOfStudy = Annotated[
    str,
    typer.Argument(
        metavar="CORPUS",
        help="A corpus folder, or what [bold]corpus build[/] takes: a name, a file, a folder of texts or "
        "[bold]-[/]. The corpus is then built next to FOLDER.",
        show_default=False,
    ),
]
StudyFolder = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        help="Folder for the models and results. An existing folder is resumed.",
        show_default=False,
    ),
]


def number_of_jobs(jobs: int | None) -> int:
    """Return how many models to train in parallel.

    Examples
    --------
    >>> number_of_jobs(3)
    3
    """
    return jobs or min(_MAX_DEFAULT_JOBS, cpu_count())


def seeds_from(first: int, number: int) -> list[int]:
    """Return consecutive seeds; the largest is followed by 0.

    Examples
    --------
    >>> seeds_from(7, 3)
    [7, 8, 9]
    """
    return [(first + n) % _SEED_LIMIT for n in range(number)]


def plus_minus(value: float, error: float | None, number_format: str) -> str:
    """Format a value with its standard error, if there is one.

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
    """Open a corpus folder, or build one next to a study."""
    if is_corpus(corpus) and (ignored := given(ctx, *COUNTING)):
        log.warning("%s already has its word counts; ignored: %s", corpus, ", ".join(ignored))
    built_at = out.with_name(f"{out.name}.corpus")
    return resolve_corpus(corpus, built_at, reading, words, overwrite=overwrite)
