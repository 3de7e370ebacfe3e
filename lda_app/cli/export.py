"""``lda-app export``: topics and documents for other programs."""

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
        help="A tidy table as csv, jsonl, parquet or xlsx; pyldavis, a JSON file for "
        "[bold]pyLDAvis.prepare(**json)[/]; or mallet, the topics of documents as MALLET writes them.",
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
        help="Which table: the topics, a row each; their top words; or the share of each topic in each "
        "document.",
        show_default="topics; of xlsx all three, a sheet each",
    ),
]
NumWords = Annotated[int, typer.Option("--top", min=1, max=1000, help="Words of each topic.")]
Intervals = Annotated[
    bool,
    typer.Option(
        "--intervals",
        help="Give each share of document-topics its credible interval, from samples of the exact posterior; "
        "takes longer.",
    ),
]
Split = Annotated[Literal["train", "test"], typer.Option("--split", help="The documents that shares are of.")]


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
    """Write topics and documents for other programs.

    Tables are tidy, a row an observation, with the topics as [bold]lda-app label[/] has named, merged and
    hidden them. pyldavis and mallet get the topics as they were trained.
    """
    from lda_app.cli.tables import check_file
    from lda_app.fitted.folder import open_model
    from lda_app.interchange.export import require_openpyxl
    from lda_app.runtime import log

    if table is not None and to in _SUFFIXES:
        raise ConfigError(f"--table {table} is of csv, jsonl, parquet and xlsx; leave it out for --to {to}")
    if output.suffix.lower() != (suffix := _SUFFIXES.get(to, f".{to}")):
        raise ConfigError(f"--output {output}: the suffix of {to} is {suffix}, got {output.suffix!r}")
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
    log.info("written: %s", output)


class _Export:
    """A model, and its corpus where it is there."""

    def __init__(self, model: "ModelDir", place: Path | None, split: str) -> None:
        self.model, self.place, self.split = model, place, split

    def corpus(self) -> "Corpus":
        """Return the corpus, without which documents have no shares."""
        return corpus_of_run(self.model, self.place)

    def write_pyldavis(self, output: Path) -> None:
        """Write the five arrays."""
        from lda_app.interchange import export

        export.write_pyldavis(output, export.pyldavis_arrays(self.model, self.corpus().split(self.split)))

    def write_mallet(self, output: Path) -> None:
        """Write a line a document."""
        from lda_app.interchange import export

        corpus = self.corpus()
        ids = corpus.ids(self.split)
        export.write_mallet(output, export.document_shares(self.model, corpus.split(self.split), ids))

    def write_tables(
        self, output: Path, names: "Iterable[TableName]", num_words: int, level: float | None
    ) -> None:
        """Write one table or more."""
        from lda_app.interchange.export import write_frames

        write_frames(output, self._tables(names, num_words, level))

    def _tables(
        self, names: "Iterable[TableName]", num_words: int, level: float | None
    ) -> "Mapping[str, Frames]":
        from lda_app import frames

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
