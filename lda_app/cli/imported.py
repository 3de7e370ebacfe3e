"""The flags of ``lda-app eval`` for models trained by other tools."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.errors import ConfigError
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from lda_app.interchange import ImportedModel

_PANEL = "Model from another tool, instead of RUN"

Topics = Annotated[
    Path | None,
    typer.Option(
        "--topic-words",
        metavar="FILE",
        help="Topic-word table (.csv, .npz), or a MALLET or tomotopy file.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
DocTopicsFile = Annotated[
    Path | None,
    typer.Option(
        "--doc-topics",
        metavar="FILE",
        help="Document-topic shares: a table (.csv, .npz), or MALLET's doc-topics.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Words = Annotated[
    Path | None,
    typer.Option(
        "--vocab",
        metavar="FILE",
        help="The words of a .npy file's columns, one per line.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Alpha = Annotated[
    str | None,
    typer.Option(
        "--alpha",
        metavar="A|A1,A2,...",
        help="The model's Dirichlet prior on document topics: one number for all topics, or one for each.",
        show_default="the model's; 0.1 if its file has none",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class Imported:
    """The files of a model from another tool."""

    topic_words: Topics = None
    doc_topics: DocTopicsFile = None
    vocab: Words = None
    alpha: Alpha = None

    def require_sense(self, run: Path | None, corpus: Path | None) -> None:
        """Reject invalid combinations of flags.

        Raises
        ------
        ConfigError
            If there is no model, or two, or no corpus.
        """
        if run is None and self.topic_words is None:
            raise ConfigError("eval needs a RUN, or --topic-words FILE and --corpus FOLDER")
        if run is not None and self.topic_words is not None:
            raise ConfigError(f"eval takes one model; leave out {run} or --topic-words")
        if self.topic_words is not None and corpus is None:
            raise ConfigError("--topic-words needs --corpus FOLDER, the documents to evaluate the model on")
        alone = {"--doc-topics": self.doc_topics, "--vocab": self.vocab, "--alpha": self.alpha}
        for flag, value in alone.items():
            if run is not None and value is not None:
                raise ConfigError(f"{flag} applies only to --topic-words; leave it out for {run}")

    def open(self) -> "ImportedModel":
        """Read the model."""
        from lda_app.interchange import read_doc_topics, read_topics

        assert self.topic_words is not None
        model = read_topics(self.topic_words, self.vocab)
        if self.doc_topics is not None:
            model = replace(model, doc_topics=read_doc_topics(self.doc_topics, model.num_topics))
        if self.alpha is not None:
            return model.with_alpha(_numbers(self.alpha))
        if not model.alpha_is_known:
            log.info("%s has no alpha: using %g for each topic; see --alpha", model.name, model.alpha[0])
        return model


def _numbers(text: str) -> Any:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(
            f"--alpha must be a number, or one for each topic separated by commas, got {text!r}"
        ) from None
    return numbers[0] if len(numbers) == 1 else numbers


def notes(figures: dict[str, Any]) -> list[str]:
    """Describe α, the words missing on either side, and the given shares; empty for an lda-app model."""
    model = figures.get("model")
    if model is None:
        return []
    low, high = min(model["alpha"]), max(model["alpha"])
    alpha = f"{low:.3g}" if low == high else f"from {low:.3g} to {high:.3g}"
    alpha += "" if model["alpha_is_known"] else " (assumed)"
    lines = [
        f"{model['name']}: θ inferred by mean field, alpha {alpha}",
        _words("in the corpus but not in the model", model, "unknown_words"),
        _words("in the model but not in the corpus", model, "foreign_words") + _mass(model),
    ]
    return lines + ([_given(figures["given_theta"])] if figures["given_theta"] else [])


def _words(what: str, model: dict[str, Any], key: str) -> str:
    number, examples = model[key], ", ".join(model[f"{key}_examples"])
    more = " …" if number > len(model[f"{key}_examples"]) else ""
    return f"words {what}: {number:,}" + (f" ({examples}{more})" if number else "")


def _mass(model: dict[str, Any]) -> str:
    """Return how probable the words missing from the corpus are in the model's topics."""
    mean, most = model["foreign_mass_mean"], model["foreign_mass_largest"]
    text = f"; they have {mean:.1%} of a topic's probability on average, {most:.1%} at most"
    return text if model["foreign_words"] else ""


def _given(given: dict[str, Any]) -> str:
    value = "infinite" if given["value"] is None else f"{given['value']:,.1f}"
    lines = [
        f"perplexity with the given shares ({given['protocol']}; held out only if they were inferred from "
        f"other words): {value} on {given['num_documents']:,} documents, {given['num_tokens']:,} tokens"
    ]
    problems = {
        "num_impossible": "tokens of probability 0",
        "num_without_shares": "documents without shares",
        "num_without_document": "rows of shares without a document",
    }
    lines += [f"{given[key]:,} {what}" for key, what in problems.items() if given[key]]
    return "; ".join(lines)
