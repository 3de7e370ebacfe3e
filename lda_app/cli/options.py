"""The options that several commands share, so that each has one name and one help text."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from lda_app.corpus.sources import SourceOptions

_SOURCE = "Reading the input"

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A corpus by name (see [bold]lda-app corpus list[/]), a file (.csv, .tsv, .jsonl, .txt, also "
        "gzipped), a folder of text files, or [bold]-[/] for standard input.",
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

TextColumn = Annotated[
    str | None,
    typer.Option(
        "--text-column",
        metavar="NAME",
        help="The column or JSON key that holds the text.",
        show_default="text, or the only column",
        rich_help_panel=_SOURCE,
    ),
]
IdColumn = Annotated[
    str | None,
    typer.Option(
        "--id-column",
        metavar="NAME",
        help="The column or JSON key that names each document; must be unique.",
        show_default="row numbers",
        rich_help_panel=_SOURCE,
    ),
]
InputFormat = Annotated[
    Literal["csv", "tsv", "jsonl", "txt", "folder"] | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="How the input is laid out: csv, tsv, jsonl, txt (a document a line) or folder.",
        show_default="by the suffix; txt for standard input",
        rich_help_panel=_SOURCE,
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        metavar="CHAR",
        help="What separates the columns of a csv file, such as [bold];[/] or [bold]tab[/].",
        show_default="a comma; a tab for tsv",
        rich_help_panel=_SOURCE,
    ),
]
Pattern = Annotated[
    str,
    typer.Option(
        "--pattern", metavar="GLOB", help="Which files of a folder are documents.", rich_help_panel=_SOURCE
    ),
]
Encoding = Annotated[
    str,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="The encoding of the text, such as latin-1.",
        rich_help_panel=_SOURCE,
    ),
]
EncodingErrors = Annotated[
    Literal["strict", "replace", "ignore"],
    typer.Option(
        "--encoding-errors",
        metavar="WAY",
        help="What to do with bytes that cannot be decoded: strict (stop), replace or ignore (drop) them.",
        rich_help_panel=_SOURCE,
    ),
]
SkipBadLines = Annotated[
    bool,
    typer.Option(
        "--skip-bad-lines",
        help="Leave out rows that cannot be read, with a warning, instead of stopping.",
        rich_help_panel=_SOURCE,
    ),
]


@dataclass(frozen=True)
class Reading:
    """The flags that say how the input is read."""

    text_column: TextColumn = None
    id_column: IdColumn = None
    input_format: InputFormat = None
    delimiter: Delimiter = None
    pattern: Pattern = "*.txt"
    encoding: Encoding = "utf-8"
    encoding_errors: EncodingErrors = "strict"
    skip_bad_lines: SkipBadLines = False

    def options(self) -> "SourceOptions":
        """Return what the sources take."""
        from lda_app.corpus.sources import SourceOptions

        return SourceOptions(
            format=self.input_format,
            text_column=self.text_column,
            id_column=self.id_column,
            delimiter=self.delimiter,
            encoding=self.encoding,
            encoding_errors=self.encoding_errors,
            skip_bad_lines=self.skip_bad_lines,
            pattern=self.pattern,
        )
