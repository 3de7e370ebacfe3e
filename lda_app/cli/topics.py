"""``lda-app topics``: what the topics of a model are about."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lda_app.cli.options import JsonFlag, OutPath, Overwrite, RunFolder
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run, recorded_place
from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from lda_app.cli.topic_layouts import Shown
    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.topics import Topic

SPLIT = "train"
_SNIPPET = 90  # characters shown of a representative document

NumWords = Annotated[int, typer.Option("--top", min=1, max=1000, help="Words to show per topic.")]
NumDocuments = Annotated[
    int,
    typer.Option("--num-documents", min=0, max=1000, help="Representative documents to show per topic."),
]
CoherenceMeasure = Annotated[
    Literal["document_npmi", "u_mass", "c_uci", "c_npmi", "c_v"],
    typer.Option(
        "--coherence",
        help="Coherence measure, on the training documents; the last three need their texts.",
    ),
]
Layout = Annotated[
    Literal["table", "json", "csv", "markdown"], typer.Option("--format", help="Output format.")
]


def topics(
    run: RunFolder,
    *,
    top: NumWords = 10,
    documents: NumDocuments = 3,
    coherence: CoherenceMeasure = "document_npmi",
    layout: Layout = "table",
    as_json: JsonFlag = False,
    corpus: CorpusOfRun = None,
    output: OutPath = None,
    overwrite: Overwrite = False,
) -> None:
    """Show the topics: top words, share of the corpus, coherence, representative documents.

    The most prevalent topic comes first; topic numbers are the same in all commands. A topic's share is its
    mean over the training documents, all weighted equally. Topics are shown as named and merged with
    [bold]lda-app label[/], without hidden ones; after [bold]lda-app stability[/], the table also shows how
    often other seeds find each topic.
    """
    from lda_app.cli.tables import check_file, is_plain, print_out, write_out
    from lda_app.cli.topic_layouts import LAYOUTS, as_table
    from lda_app.fitted.folder import open_model

    if as_json and layout not in ("table", "json"):
        raise ConfigError(f"--json and --format {layout} exclude each other")
    if as_json:
        layout = "json"
    check_file(output, overwrite=overwrite)
    shown = _look_up(open_model(run), corpus, top, documents, coherence)
    if layout == "table" and output is None:
        print_out(*as_table(shown, plain=is_plain()))
    else:
        write_out(LAYOUTS[layout](shown), output, overwrite=overwrite)


def _look_up(
    model: "ModelDir", place: "Path | None", num_words: int, num_documents: int, measure: str
) -> "Shown":
    """Describe the topics using the model and, if available, the corpus."""
    from dataclasses import replace

    from lda_app.analysis.frames import overview
    from lda_app.cli.topic_layouts import Shown
    from lda_app.evaluation.stability import read_stability
    from lda_app.system.runtime import log, one_line

    labelled = model.labelled()
    stability = read_stability(model.path, len(model.alpha))
    corpus = None
    if place is None and recorded_place(model) is None:
        log.warning(
            "corpus %s not found, so shares, coherence and documents are not shown; use --corpus to give "
            "its location",
            model.config["corpus"]["path"],
        )
    else:
        corpus = corpus_of_run(model, place)
    sizes = {"num_words": num_words, "num_documents": num_documents}
    found = overview(labelled, corpus, **sizes, split=SPLIT, measure=measure)
    shown = [
        replace(topic, words=tuple(replace(word, word=one_line(word.word)) for word in topic.words))
        for topic in found.topics
    ]
    beginnings = {} if corpus is None else _beginnings(corpus, shown)
    num_hidden = len(labelled.ids) - len(labelled.columns)
    return Shown(shown, found.usage, found.coherence, beginnings, num_hidden, stability)


def _beginnings(corpus: "Corpus", described: "list[Topic]") -> dict[int, tuple[str, str]]:
    """Return the ID and the start of the text (or else the label) of each representative document, by row."""
    from lda_app.system.runtime import one_line

    rows = sorted({document.row for topic in described for document in topic.documents})
    if not rows:
        return {}
    chosen = corpus.documents(SPLIT).iloc[rows]
    texts = next((chosen[name] for name in ("text", "label") if name in chosen), [""] * len(rows))
    return {
        row: (one_line(str(name)), _snippet(text))
        for row, name, text in zip(rows, chosen["id"], texts, strict=True)
    }


def _snippet(text: str | None) -> str:
    from lda_app.system.runtime import one_line

    begin = one_line(" ".join((text or "")[: 10 * _SNIPPET].split()))
    return begin if len(begin) <= _SNIPPET else f"{begin[: _SNIPPET - 1].rstrip()}…"
