"""``lda-app export``: topics and documents in formats for other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lda_app.cli.options import Level, Overwrite, RunFolder
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run, recorded_place
from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir

    Frames = Iterable[pd.DataFrame]

Target = Literal["pyldavis", "csv", "jsonl", "parquet", "xlsx", "mallet"]
TableName = Literal["topics", "topic-words", "document-topics"]

_TABLES: tuple[TableName, ...] = ("topics", "topic-words", "document-topics")
_SUFFIXES: dict[Target, str] = {"pyldavis": ".json", "mallet": ".txt"}

To = Annotated[
    Target,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="csv, jsonl, parquet or xlsx for a tidy table; pyldavis for a JSON file to pass to "
        "[bold]pyLDAvis.prepare(**json)[/]; mallet for document topics in MALLET's format.",
        show_default=False,
    ),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.", show_default=False)
]
TableOption = Annotated[
    TableName | None,
    typer.Option(
        "--table",
        help="Which table to write: the topics, one row each; their top words; or each topic's share in "
        "each document.",
        show_default="topics; for xlsx all three, one sheet each",
    ),
]
NumWords = Annotated[int, typer.Option("--top", min=1, max=1000, help="Number of words per topic.")]
Intervals = Annotated[
    bool,
    typer.Option(
        "--intervals",
        help="Add a credible interval to each share in document-topics, from samples of the exact posterior; "
        "slower.",
    ),
]
Split = Annotated[
    Literal["train", "test"], typer.Option("--split", help="Which split's documents to export.")
]


def export(
    run: RunFolder,
    *,
    to: To,
    output: Output,
    table: TableOption = None,
    top: NumWords = 10,
    intervals: Intervals = False,
    level: Level = 0.9,
    split: Split = "train",
    corpus: CorpusOfRun = None,
    overwrite: Overwrite = False,
) -> None:
    """Export topics and documents for other programs.

    Tables are tidy, with one observation per row, and show topics as named, merged and hidden with
    [bold]lda-app label[/]. pyldavis and mallet get the topics as trained.
    """
    from lda_app.cli.tables import check_file
    from lda_app.fitted.folder import open_model
    from lda_app.interchange.export import require_openpyxl
    from lda_app.system.runtime import log

    if table is not None and to in _SUFFIXES:
        raise ConfigError(
            f"--table {table} applies only to csv, jsonl, parquet and xlsx; leave it out for --to {to}"
        )
    if output.suffix.lower() != (suffix := _SUFFIXES.get(to, f".{to}")):
        raise ConfigError(f"--output {output}: the suffix for {to} must be {suffix}, got {output.suffix!r}")
    check_file(output, overwrite=overwrite)
    if to == "xlsx":
        require_openpyxl()
    work = _Export(open_model(run), corpus, split)
    if to == "pyldavis":
        work.write_pyldavis(output)
    elif to == "mallet":
        work.write_mallet(output)
    else:
        names = _TABLES if table is None and to == "xlsx" else (table or "topics",)
        work.write_tables(output, names, top, level if intervals else None)
    log.info("Wrote %s", output)


class _Export:
    """A model, and its corpus if available."""

    def __init__(self, model: "ModelDir", place: Path | None, split: str) -> None:
        self.model, self.place, self.split = model, place, split

    def corpus(self) -> "Corpus":
        """Return the corpus, which is needed for document shares."""
        return corpus_of_run(self.model, self.place)

    def write_pyldavis(self, output: Path) -> None:
        """Write the five arrays."""
        from lda_app.interchange import export

        export.write_pyldavis(output, export.pyldavis_arrays(self.model, self.corpus().split(self.split)))

    def write_mallet(self, output: Path) -> None:
        """Write one line per document."""
        from lda_app.interchange import export

        corpus = self.corpus()
        ids = corpus.ids(self.split)
        export.write_mallet(output, export.document_shares(self.model, corpus.split(self.split), ids))

    def write_tables(
        self, output: Path, names: "Iterable[TableName]", num_words: int, level: float | None
    ) -> None:
        """Write one or more tables."""
        from lda_app.interchange.export import write_frames

        write_frames(output, self._tables(names, num_words, level))

    def _tables(
        self, names: "Iterable[TableName]", num_words: int, level: float | None
    ) -> "Mapping[str, Frames]":
        from lda_app.analysis import frames

        model = self.model.labelled()
        tables: dict[str, Frames] = {}
        if "document-topics" in names:
            corpus = self.corpus()
            tables["document-topics"] = frames.document_topics(
                model, corpus.split(self.split), corpus.ids(self.split), level
            )
        if {"topics", "topic-words"} & set(names):
            there = self.place is not None or recorded_place(self.model) is not None
            known = self.corpus() if there else None
            shown = frames.overview(model, known, num_words=num_words, split=self.split)
            tables["topics"] = [frames.topics_frame(shown.topics)]
            tables["topic-words"] = [frames.topic_words_frame(shown.topics)]
        return {name: tables[name] for name in names}
