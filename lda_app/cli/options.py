"""The options that several commands share, so that each has one name and one help text."""

from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A corpus by name (see [bold]lda-app corpus list[/]), a file (.csv, .tsv, .jsonl, .txt, also "
        "gzipped; .parquet, .xlsx), a folder of text files, or [bold]-[/] for standard input.",
        show_default=False,
    ),
]
CorpusFolder = Annotated[
    Path,
    typer.Argument(
        metavar="CORPUS",
        help="A folder that [bold]lda-app corpus build[/] or [bold]import[/] wrote.",
        show_default=False,
    ),
]
RunFolder = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="The folder of a model, as [bold]lda-app train --out[/] wrote it.",
        show_default=False,
    ),
]
OutFolder = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="FOLDER", help="The folder to write; must not exist.", show_default=False
    ),
]
OutPath = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="The file to write.", show_default="standard output"),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace the output if it exists; a folder only if lda-app wrote it."),
]
JsonFlag = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document instead of a table, for other programs."),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed", min=0, max=2**32 - 1, help="Seed of every random choice; the same seed, the same result."
    ),
]


def _level(level: float) -> float:
    """Refuse what is no probability, or one that asks for more draws than are made; NaN compares as false."""
    if not 0.01 <= level <= 0.99:
        raise typer.BadParameter(f"{level:g} is not a probability from 0.01 to 0.99, such as 0.9")
    return level


Level = Annotated[
    float,
    typer.Option(
        "--level",
        metavar="P",
        callback=_level,
        help="The probability with which each interval is to hold what it is about, 0.01 to 0.99.",
    ),
]
