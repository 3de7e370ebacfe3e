"""Options shared by several commands, each with one name and one help text."""

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
        help="A corpus folder written by [bold]lda-app corpus build[/] or [bold]import[/].",
        show_default=False,
    ),
]
RunFolder = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="A model folder written by [bold]lda-app train --out[/].",
        show_default=False,
    ),
]
OutFolder = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FOLDER", help="Output folder; must not exist.", show_default=False),
]
OutPath = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Output file.", show_default="standard output"),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace existing output; folders only if lda-app wrote them."),
]
JsonFlag = Annotated[
    bool,
    typer.Option("--json", help="Print a JSON document instead of a table."),
]
Seed = Annotated[
    int,
    typer.Option("--seed", min=0, max=2**32 - 1, help="Random seed; the same seed gives the same result."),
]


def _level(level: float) -> float:
    """Reject NaN, values that are not probabilities, and those that would need more draws than are made."""
    if not 0.01 <= level <= 0.99:
        raise typer.BadParameter(f"{level:g} is not a probability from 0.01 to 0.99, such as 0.9")
    return level


Level = Annotated[
    float,
    typer.Option(
        "--level",
        metavar="P",
        callback=_level,
        help="Probability that each interval covers the true value, 0.01 to 0.99.",
    ),
]
