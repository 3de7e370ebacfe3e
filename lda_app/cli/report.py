"""``lda-app report``: a model as a page to explore."""

from pathlib import Path
from typing import Annotated

import typer

from lda_app.cli.options import Overwrite, RunFolder
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run

Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")]
Documents = Annotated[
    bool,
    typer.Option(
        "--documents/--no-documents",
        help="Whether the page carries documents, with their texts and metadata.",
    ),
]
MaxDocuments = Annotated[
    int,
    typer.Option(
        "--max-documents",
        min=1,
        metavar="N",
        help="Documents that it carries at most: of each topic those with the largest shares, and others "
        "evenly spaced.",
    ),
]


def report(
    run: RunFolder,
    *,
    output: Output = Path("report.html"),
    documents: Documents = True,
    max_documents: MaxDocuments = 25_000,
    corpus: CorpusOfRun = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a page on the model: one HTML file that works offline.

    It shows the topics on a map and by their words, the documents with their topics, prevalence by metadata
    and over time, how well the model does, and a methods paragraph for a paper. Topics can be renamed in it,
    and a quiz lets people judge them. Nothing of it is loaded from a network.
    """
    from lda_app.cli.tables import check_file
    from lda_app.fitted.folder import open_model
    from lda_app.report.data import Wanted
    from lda_app.report.page import page_of
    from lda_app.runtime import log
    from lda_app.storage import write_atomic

    check_file(output, overwrite=overwrite)
    model = open_model(run)
    wanted = Wanted(documents=max_documents if documents else 0)
    page = page_of(model, corpus_of_run(model, corpus), wanted)
    write_atomic(output, page)
    log.info("written: %s (%s MB)", output, f"{len(page) / 1e6:.2f}")
