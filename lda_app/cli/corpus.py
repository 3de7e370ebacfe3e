"""``lda-app corpus``: build a corpus folder from text or counts, and inspect one."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lda_app.cli.groups import with_groups
from lda_app.cli.options import CorpusFolder, JsonFlag, OutFolder, Overwrite, Seed, Source
from lda_app.corpus.options import SourceOptions, WordOptions
from lda_app.errors import ConfigError
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lda_app.corpus.folder import Corpus

TestFraction = Annotated[
    float,
    typer.Option(
        "--test-fraction",
        metavar="SHARE",
        help="Fraction of documents held out for evaluation, unless the corpus has its own test split.",
    ),
]
CountFormat = Annotated[
    Literal["npz", "lda-c", "uci", "matrix-market"] | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="npz (scipy), lda-c, uci (bag of words) or matrix-market.",
        show_default="detected from the content",
    ),
]


_LABELS = {
    ("language", "code"): "language detected",
    ("language", "documents"): "documents sampled",
    ("options", "texts"): "texts kept",
    ("pruning", "min_documents"): "minimum documents per word",
    ("pruning", "max_documents"): "maximum documents per word",
    ("pruning", "tokens"): "tokens pruned",
}


@with_groups(reading=SourceOptions, words=WordOptions)
def build(
    source: Source,
    out: OutFolder,
    *,
    reading: SourceOptions,
    words: WordOptions,
    test_fraction: TestFraction = 0.1,
    seed: Seed = 0,
    no_texts: Annotated[
        bool, typer.Option("--no-texts", help="Do not store the texts in the folder.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, help="Processes for counting words.", show_default="depends on size"
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Build a corpus folder from a named corpus, a file, a folder or standard input.

    The folder contains the counts, the vocabulary, the documents, and [bold]left_out.csv[/], which lists
    documents without words and rows that could not be read. The same input and options produce identical
    files.
    """
    from lda_app.corpus.folder import build_corpus
    from lda_app.corpus.sources import open_source

    if is_corpus(source):
        raise ConfigError(f"{source} is already a corpus folder; pass it to lda-app train as it is")
    corpus = build_corpus(
        open_source(source, reading),
        out,
        words.preprocess(),
        test_fraction=test_fraction,
        seed=seed,
        overwrite=overwrite,
        workers=workers,
        texts=not no_texts,
    )
    report(corpus)
    _log_next_step(out)


def import_counts(
    counts: Annotated[
        Path, typer.Argument(metavar="COUNTS", help="Document word counts.", show_default=False)
    ],
    out: OutFolder,
    *,
    vocabulary: Annotated[
        Path,
        typer.Option(
            "--vocab", metavar="FILE", help="The words of the columns, one per line.", show_default=False
        ),
    ],
    test: Annotated[
        Path | None,
        typer.Option(
            "--test",
            metavar="FILE",
            help="Counts of the test documents.",
            show_default="split off from COUNTS",
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="Labels for COUNTS, one per line.", show_default=False),
    ] = None,
    test_labels: Annotated[
        Path | None,
        typer.Option(
            "--test-labels", metavar="FILE", help="Labels for --test, one per line.", show_default=False
        ),
    ] = None,
    count_format: CountFormat = None,
    test_fraction: TestFraction = 0.1,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Import existing word counts.

    Reads scipy .npz, Blei's LDA-C, UCI bag of words (docword.txt) and Matrix Market; all but .npz may be
    gzipped. A model trained on imported counts cannot process raw text: [bold]transform[/] needs a corpus
    made by [bold]build[/].
    """
    from lda_app.corpus.import_counts import CountFiles
    from lda_app.corpus.import_counts import import_counts as import_files

    files = CountFiles(counts, vocabulary, test, labels, test_labels, count_format)
    report(import_files(files, out, test_fraction=test_fraction, seed=seed, overwrite=overwrite))
    _log_next_step(out)


def info(corpus: CorpusFolder, *, as_json: JsonFlag = False) -> None:
    """Check a corpus folder and show what it contains."""
    from lda_app.cli.tables import print_out
    from lda_app.corpus.folder import open_corpus

    opened = open_corpus(corpus)
    if as_json:
        manifest = {name: value for name, value in opened.manifest.items() if name != "files"}
        _print_json({**manifest, "fingerprint": opened.fingerprint})
    else:
        print_out(*_tables(opened))


def list_corpora(*, as_json: JsonFlag = False) -> None:
    """List the corpora that are available by name."""
    from lda_app.cli.tables import new_table, print_out
    from lda_app.corpus.sources import CORPORA

    if as_json:
        described = [
            {"name": name, "description": corpus.description, "licence": corpus.licence}
            for name, corpus in CORPORA.items()
        ]
        _print_json({"corpora": described})
        return
    table = new_table()
    for column in ("name", "description", "licence"):
        table.add_column(column)
    for name, corpus in CORPORA.items():
        table.add_row(name, corpus.description, corpus.licence)
    print_out(table)


def resolve_corpus(
    spec: str,
    built_at: Path,
    reading: SourceOptions,
    words: WordOptions,
    *,
    test_fraction: float = 0.1,
    seed: int = 0,
    overwrite: bool = False,
) -> "Corpus":
    """Open a corpus folder, or build one from a name, a file or a folder of texts.

    Parameters
    ----------
    spec
        The corpus as the user named it.
    built_at
        Where to build it, unless `spec` is a corpus folder. A corpus built there from the same input with
        the same options and tools is reused.
    reading
        How to read a file or folder.
    words
        What counts as a word, and which words are kept.
    test_fraction, seed
        Which documents are held out for testing.
    overwrite
        Replace a different corpus in `built_at`.
    """
    from lda_app.corpus.folder import build_corpus, describe_options, open_corpus
    from lda_app.corpus.preprocess import tool_versions
    from lda_app.corpus.sources import open_source

    if is_corpus(spec):
        return open_corpus(Path(spec))
    source, options = open_source(spec, reading), words.preprocess()
    if is_corpus(built_at):
        wanted = {
            "source": source.describe(),
            "options": describe_options(options, test_fraction=test_fraction, seed=seed, texts=True),
        }
        corpus = open_corpus(built_at)
        language = corpus.manifest.get("language", {}).get("code", options.tokenizer.language)
        wanted["tools"] = tool_versions(options.tokenizer.language) | tool_versions(language)
        if {name: corpus.manifest.get(name) for name in wanted} == json.loads(json.dumps(wanted)):
            log.info("reusing the corpus built earlier in %s", built_at)
            return corpus
    corpus = build_corpus(
        source, built_at, options, test_fraction=test_fraction, seed=seed, overwrite=overwrite
    )
    report(corpus)
    return corpus


def report(corpus: "Corpus") -> None:
    """Log a corpus's size, its warnings and what was left out."""
    manifest = corpus.manifest
    for message, times in manifest["warnings"].items():
        log.warning("%s: %s", message, f"{times:,}")
    for reason, times in manifest["left_out"].items():
        log.info("left_out.csv lists %s: %s", f"{times:,}", reason)
    splits = [(name, manifest["splits"][name]) for name in corpus.splits]
    documents = sum(split["documents"] for _, split in splits)
    tokens = sum(split["tokens"] for _, split in splits)
    by_split = ", ".join(f"{split['documents']:,} {name}" for name, split in splits)
    log.info("%s: %s documents (%s)", corpus.name, f"{documents:,}", by_split)
    log.info("%s words, %s tokens, in %s", f"{manifest['num_words']:,}", f"{tokens:,}", corpus.path)
    if "test" not in corpus.splits:
        log.info("no test split: evaluate a model with lda-app eval RUN --split train")


def _log_next_step(out: Path) -> None:
    place = shlex.quote(str(out))
    log.info("Next: lda-app train %s --out RUN, or lda-app corpus info %s", place, place)


def is_corpus(path: str | Path) -> bool:
    """Return whether a path is a finished lda-app folder, such as a corpus folder."""
    return (Path(path) / "manifest.json").is_file()


def _tables(corpus: "Corpus") -> "list[RenderableType]":
    from lda_app.cli.tables import new_table

    manifest = corpus.manifest
    splits = new_table(f"{corpus.name}: {manifest['num_words']:,} words")
    splits.add_column("split")
    for column in ("documents", "tokens", "tokens per document", "without words"):
        splits.add_column(column, justify="right")
    for name in corpus.splits:
        split = manifest["splits"][name]
        mean = split["tokens"] / split["documents"]
        splits.add_row(
            name, f"{split['documents']:,}", f"{split['tokens']:,}", f"{mean:.1f}", f"{split['empty']:,}"
        )
    details = new_table()
    details.add_column("setting")
    details.add_column("value")
    details.add_row("stop word list", manifest.get("stop_word_list", "not recorded"))
    for name in ("language", "options", "pruning", "tools"):
        for key, value in manifest.get(name, {}).items():
            details.add_row(_LABELS.get((name, key), key.replace("_", " ")), _shown(value))
    troubles = new_table()
    troubles.add_column("count", justify="right")
    troubles.add_column("warning or reason for leaving out (left_out.csv)")
    for message, times in (*manifest["warnings"].items(), *manifest["left_out"].items()):
        troubles.add_row(f"{times:,}", message)
    return [splits, details, *([troubles] if troubles.row_count else [])]


def _shown(value: Any) -> str:
    if value is None:
        return "depends on corpus size"
    if isinstance(value, dict):
        return ", ".join(f"{number:,} {name}" for name, number in sorted(value.items(), reverse=True))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _print_json(content: dict[str, Any]) -> None:
    from lda_app.cli.tables import print_json

    print_json({"schema_version": 1, **content})
