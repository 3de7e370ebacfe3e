"""``lda-app eval --intrusion``: score people's answers to the report's quiz."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.errors import ConfigError, CorpusError

if TYPE_CHECKING:
    from rich.table import Table

IntrusionFiles = Annotated[
    list[Path],
    typer.Option(
        "--intrusion",
        metavar="FILE",
        help="Score answers to the report's quiz (answers.json) instead. Repeat the option for each rater.",
        show_default=False,
    ),
]


def scored(files: list[Path], run: Path | None, confidence: float) -> dict[str, Any]:
    """Score answer files.

    Parameters
    ----------
    files
        One per rater.
    run
        The model that the answers must be about; None only requires that all are about the same one.
    confidence
        Confidence level of the intervals.

    Raises
    ------
    ConfigError
        If they are about different models, or not about ``run``.
    CorpusError
        If one cannot be read.
    """
    from lda_app.evaluation.intrusion import score_intrusion
    from lda_app.system.storage import content_fingerprint, read_json

    documents = [read_json(file, CorpusError) for file in files]
    about = [document.get("about") for document in documents]
    expected = about[0] if run is None else content_fingerprint(run, "model")
    for file, found in zip(files, about, strict=True):
        if found != expected:
            raise ConfigError(
                f"--intrusion {file}: these answers are about a different model than {run or files[0]}"
            )
    return score_intrusion(documents, confidence).to_dict()


def intrusion_table(found: dict[str, Any]) -> "Table":
    """Lay out the results, one per line."""
    from lda_app.cli.tables import new_table

    table = new_table(f"{len(found['raters'])} rater{'s' * (len(found['raters']) != 1)}")
    table.add_column("figure")
    for column in ("value", f"{100 * found['confidence']:.3g}% interval", "chance", "judged", "answers"):
        table.add_column(column, justify="right")
    for name, units in (("word_intrusion", "topics"), ("topic_intrusion", "documents")):
        if (precision := found[name]) is not None:
            table.add_row(
                f"{name}, model precision",
                f"{precision['value']:.2f}",
                f"{precision['low']:.2f} to {precision['high']:.2f}",
                f"{precision['chance']:.2f}",
                f"{precision['num_units']} {units}",
                str(precision["num_answers"]),
            )
    if found["topic_log_odds"] is not None:
        table.add_row("topic_intrusion, topic log odds", f"{found['topic_log_odds']:.2f}")
    missed = [topic["id"] for topic in found["by_topic"] if 2 * topic["right"] < topic["answers"]]
    if missed:
        table.add_row(f"topics whose intruder most raters missed: {', '.join(map(str, missed))}")
    return table
