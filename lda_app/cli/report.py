"""``lda-app report``: an interactive report on a model."""

from pathlib import Path
from typing import Annotated

import typer

from lda_app.cli.options import Overwrite, RunFolder
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run

Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The HTML file to write.")]
Documents = Annotated[
    bool,
    typer.Option(
        "--documents/--no-documents",
        help="Include documents with their texts and metadata.",
    ),
]
MaxDocuments = Annotated[
    int,
    typer.Option(
        "--max-documents",
        min=1,
        metavar="N",
        help="Maximum number of documents to include: those with the largest share of each topic, and an "
        "even sample of the rest.",
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
    """Write an interactive report: one HTML file that works offline.

    It shows the topics on a map and by their words, the documents with their topics, prevalence by metadata
    and over time, how good the model is, and a methods paragraph for a paper. Topics can be renamed in it,
    and a quiz lets people judge them. It loads nothing from the network.
    """
    from lda_app.cli.tables import check_file
    from lda_app.fitted.folder import open_model
    from lda_app.report.data import Wanted
    from lda_app.report.page import page_of
    from lda_app.system.runtime import log
    from lda_app.system.storage import write_atomic

    check_file(output, overwrite=overwrite)
    model = open_model(run)
    wanted = Wanted(documents=max_documents if documents else 0)
    page = page_of(model, corpus_of_run(model, corpus), wanted)
    write_atomic(output, page)
    log.info("Wrote %s (%s MB)", output, f"{len(page) / 1e6:.2f}")
