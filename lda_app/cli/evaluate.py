"""``lda-app eval``: how good a model is, each figure with the protocol by which it was measured."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.cli.options import JsonFlag, OutPath, Overwrite, RunFolder, Seed
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run

if TYPE_CHECKING:
    from rich.table import Table

Split = Annotated[
    str, typer.Option("--split", metavar="NAME", help="The split of the corpus to evaluate on.")
]


def evaluate(
    run: RunFolder,
    *,
    split: Split = "test",
    corpus: CorpusOfRun = None,
    seed: Seed = 0,
    as_json: JsonFlag = False,
    output: OutPath = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure a model: held-out perplexity, coherence, diversity.

    Perplexity is printed by three protocols, which cannot be compared with each other: [bold]elbo[/] (the
    evidence lower bound, averaged over tokens), [bold]elbo_document_mean[/] (averaged over documents) and
    [bold]document_completion[/] (half of each document is observed, the other half scored). [bold]--output[/]
    writes the JSON document to a file, too.
    """
    from functools import partial

    from lda_app.cli.tables import check_file, fits, print_out, write_out
    from lda_app.evaluation.evaluate import evaluate as measure
    from lda_app.inference import concentration
    from lda_app.model_dir import open_model

    check_file(output, overwrite=overwrite)
    model = open_model(run)
    counts = corpus_of_run(model, corpus)
    infer = partial(concentration, model.lda)
    figures = measure(infer, model.alpha, model.beta, counts, split=split, seed=seed).to_dict()
    document = json.dumps(figures, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if output is not None:
        write_out(document, output, overwrite=overwrite)
    if as_json:
        write_out(document, None, overwrite=False)
    else:
        table = figures_table(figures)
        print_out(table if fits(table) else narrow_table(figures))


def figures_table(figures: dict[str, Any]) -> "Table":
    """Lay the figures of an evaluation out, a line each: figure, protocol, value, what it was measured on."""
    from lda_app.cli.tables import new_table

    table = new_table(_title(figures))
    table.add_column("figure")
    table.add_column("protocol", overflow="fold")
    for column in ("value", "split", "documents", "tokens"):
        table.add_column(column, justify="left" if column == "split" else "right")
    for row in _lines(figures):
        table.add_row(*row)
    return table


def narrow_table(figures: dict[str, Any]) -> "Table":
    """Lay the same out in two columns, for a terminal that the other table does not fit."""
    from lda_app.cli.tables import new_table

    table = new_table(_title(figures))
    table.add_column("figure")
    table.add_column("value", justify="right", no_wrap=True)
    for figure, protocol, value, *measured_on in _lines(figures):
        table.add_row(f"{figure}: {protocol}", value)
        if measured_on:
            split, documents, tokens = measured_on
            table.add_row(f"  {split}, {documents} documents, {tokens} tokens", "", style="dim")
    return table


def _title(figures: dict[str, Any]) -> str:
    return f"{figures['num_topics']} topics, {figures['num_words']:,} words, seed {figures['seed']}"


def _lines(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    num_topics, split = figures["num_topics"], figures["split"]
    diversity, live, twins = (figures[key] for key in ("diversity", "live_topics", "duplicate_topics"))
    return [
        *(
            ("perplexity", name, _perplexity(p), split, *_size(p))
            for name, p in figures["perplexity"].items()
        ),
        *(
            (_named("coherence", c), c["protocol"], f"{c['value']:.3f}", c["reference_split"], *_size(c))
            for c in figures["coherence"]
        ),
        (_named("diversity", diversity), diversity["protocol"], f"{diversity['value']:.3f}"),
        ("live topics", live["protocol"], f"{live['value']} of {num_topics}", split, *_size(live)),
        ("duplicate topics", twins["protocol"], f"{twins['value']} of {num_topics}"),
    ]


def _named(measure: str, figure: dict[str, Any]) -> str:
    return f"{measure}, top {figure['num_top_words']}"


def _perplexity(figure: dict[str, Any]) -> str:
    error = figure["monte_carlo_error"]
    return f"{figure['value']:,.1f}" + ("" if error is None else f" ± {error:.1f}")


def _size(figure: dict[str, Any]) -> tuple[str, str]:
    return f"{figure['num_documents']:,}", f"{figure['num_tokens']:,}"
