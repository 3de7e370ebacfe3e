"""``lda-app transform``: infer topics for new documents and add them to the input's columns."""

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.cli.corpus import is_corpus
from lda_app.cli.groups import with_groups
from lda_app.cli.options import JsonFlag, Level, OutPath, Overwrite, RunFolder, Source
from lda_app.corpus.options import SourceOptions
from lda_app.errors import ConfigError
from lda_app.fitted.corpus import preprocessor_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lda_app.corpus.preprocess import Preprocessor
    from lda_app.corpus.sources import Source as DocumentSource
    from lda_app.fitted.model import LabelledModel
    from lda_app.fitted.transform import Transformed

_WORDS_OF_A_TOPIC = 5
_TOPICS_OF_A_LINE = 3
_SHARE_WORTH_A_MENTION = 0.1
_ROWS_NAMED = 5

Intervals = Annotated[
    bool,
    typer.Option(
        "--intervals",
        help="Add a credible interval to each share, from samples of the exact posterior; the shares are "
        "then the samples' mean. Slower.",
    ),
]


@with_groups(reading=SourceOptions)
def transform(
    run: RunFolder,
    source: Source,
    *,
    reading: SourceOptions,
    intervals: Intervals = False,
    level: Level = 0.9,
    output: OutPath = None,
    overwrite: Overwrite = False,
    as_json: JsonFlag = False,
) -> None:
    """Infer topics for new documents.

    With [bold]--output[/] (.csv, .jsonl or .parquet), each input row is written with all its columns, how
    many of the document's tokens the model knows, its top topic, the share of each topic and, with
    [bold]--intervals[/], the interval of each share. A document without known tokens has no top topic; its
    shares are those of the model's prior. Topics are shown as named and merged with [bold]lda-app label[/];
    hidden topics are left out, so a document's shares may add up to less than 1. Rows that cannot be read
    ([bold]--skip-bad-lines[/]) are listed in OUTPUT.left_out.csv.

    Without --output, prints one line per document with its main topics.
    """
    from lda_app.corpus.sources import open_source
    from lda_app.fitted.folder import open_model
    from lda_app.fitted.transform import check_output

    if output is not None:
        check_output(output, overwrite=overwrite)
    if is_corpus(source):
        raise ConfigError(f"{source} is a corpus folder; give the texts themselves")
    model = open_model(run)
    documents, topics = open_source(source, reading), model.labelled()
    work = _Work(topics, preprocessor_of(model), documents, level if intervals else None)
    topics.require_shown()
    work.read_once()
    if output is not None:
        work.write_left_out(output, overwrite=overwrite)
        work.write(output)
    else:
        sys.stdout.writelines(work.json() if as_json else work.lines())
    work.report()


@dataclass
class _Work:
    """A model, the documents to transform, and counts for the report."""

    model: "LabelledModel"
    preprocessor: "Preprocessor"
    source: "DocumentSource"
    level: float | None  # level of the shares' intervals, if requested
    num_documents: int = 0
    num_little_known: int = 0

    def read_once(self) -> None:
        """Count the documents; finds all columns, and any bad row before anything is written."""
        self.num_documents = sum(1 for _ in self.source)

    def write(self, output: "Path") -> None:
        """Write a table."""
        from lda_app.fitted.transform import Table, write_table
        from lda_app.system.runtime import log, progress

        names = self.model.names(_WORDS_OF_A_TOPIC)
        table = Table.of(self.source, names, intervals=self.level is not None)
        with progress("Inferring topics", total=self.num_documents, unit="documents") as bar:

            def advancing() -> "Iterator[Transformed]":
                for chunk in self._chunks():
                    yield chunk
                    bar.advance(len(chunk.documents))

            write_table(output, table, advancing())
        log.info("%s: %s rows, %d columns", output, f"{self.num_documents:,}", len(table.header))

    def write_left_out(self, output: "Path", *, overwrite: bool) -> None:
        """Write the rows that could not be read, if any, to a file next to the output."""
        from lda_app.cli.tables import check_file
        from lda_app.fitted.transform import write_left_out
        from lda_app.system.runtime import log

        if not self.source.left_out:
            return
        path = output.with_name(f"{output.stem}.left_out.csv")
        check_file(path, overwrite=overwrite, flag="--output")
        write_left_out(path, self.source.left_out)
        count = len(self.source.left_out)
        rows = "1 row that was" if count == 1 else f"{count:,} rows that were"
        log.warning("%s lists %s left out, with reasons", path, rows)

    def lines(self) -> "Iterator[str]":
        """Yield one readable line per document."""
        from lda_app.system.runtime import one_line

        labels, words = self.model.labels, self.model.words(_WORDS_OF_A_TOPIC)
        topics = [(k, labels.name(k) or ", ".join([*own, "…"])) for k, own in words.items()]
        for chunk in self._chunks():
            for row, document in enumerate(chunk.documents):
                yield f"{one_line(document.id)}: {_sentence(chunk, row, topics)}\n"

    def json(self) -> "Iterator[str]":
        """Yield one JSON document in pieces, so that memory does not grow with the input."""
        topics = [
            {"id": topic, "label": self.model.labels.name(topic), "words": words}
            for topic, words in self.model.words(_WORDS_OF_A_TOPIC).items()
        ]
        level = {} if self.level is None else {"level": self.level}
        head = {"schema_version": 1, **level, "topics": topics}
        yield json.dumps(head, ensure_ascii=False).removesuffix("}") + ', "documents": ['
        separator = "\n"
        for chunk in self._chunks():
            for row in range(len(chunk.documents)):
                yield separator + json.dumps(_entry(chunk, row, self.model.shown), ensure_ascii=False)
                separator = ",\n"
        left_out = [{"place": place, "reason": reason} for place, reason in self.source.left_out]
        yield f'\n], "left_out": {json.dumps(left_out, ensure_ascii=False)}}}\n'

    def report(self) -> None:
        """Log warnings about the input."""
        from lda_app.system.runtime import log

        for trouble, count in self.source.warnings.items():
            log.warning("%s: %s: %d", self.source.name, trouble, count)
        for place, reason in self.source.left_out[:_ROWS_NAMED]:
            log.warning("left out: %s: %s", place, reason)
        if len(self.source.left_out) > _ROWS_NAMED:
            log.warning("left out: %d more", len(self.source.left_out) - _ROWS_NAMED)
        if self.num_little_known:
            log.warning(
                "%s of %s documents: the model knows less than a tenth of the tokens, so their topics are "
                "unreliable",
                f"{self.num_little_known:,}",
                f"{self.num_documents:,}",
            )

    def _chunks(self) -> "Iterator[Transformed]":
        from lda_app.fitted.transform import transform as infer_topics

        for chunk in infer_topics(self.source, self.preprocessor, self.model, self.level):
            self.num_little_known += int(chunk.too_little_known.sum())
            yield chunk


def _sentence(chunk: "Transformed", row: int, topics: "Sequence[tuple[int, str]]") -> str:
    """Describe a document's topics: the largest, and others with a share of at least a tenth."""
    known, tokens = int(chunk.known_tokens[row]), int(chunk.known_tokens[row] + chunk.unknown_tokens[row])
    if known == 0:
        return f"no topic: the model knows none of its {tokens} tokens"
    shares = chunk.shares[row]
    first, *others = (-shares).argsort(kind="stable")[:_TOPICS_OF_A_LINE].tolist()
    shown = [first, *(topic for topic in others if shares[topic] >= _SHARE_WORTH_A_MENTION)]
    about = "; ".join(
        f"topic {number} ({name}) {_share(chunk, row, column)}"
        for column in shown
        for number, name in [topics[column]]
    )
    return about + (f"; only {known} of {tokens} tokens known" if chunk.too_little_known[row] else "")


def _share(chunk: "Transformed", row: int, topic: int) -> str:
    share = f"{chunk.shares[row, topic]:.2f}"
    if chunk.intervals is None:
        return share
    return f"{share} [{chunk.intervals.lower[row, topic]:.2f}, {chunk.intervals.upper[row, topic]:.2f}]"


def _entry(chunk: "Transformed", row: int, ids: "Sequence[int]") -> dict[str, Any]:
    figures = {"shares": chunk.shares}
    if chunk.intervals is not None:
        figures |= {"lower": chunk.intervals.lower, "upper": chunk.intervals.upper}
    return {
        "id": chunk.documents[row].id,
        "known_tokens": int(chunk.known_tokens[row]),
        "unknown_tokens": int(chunk.unknown_tokens[row]),
        "too_little_known": bool(chunk.too_little_known[row]),
        "top_topic": ids[chunk.top_topics[row]] if chunk.known_tokens[row] else None,
        **{name: [round(float(share), 6) for share in values[row]] for name, values in figures.items()},
    }
