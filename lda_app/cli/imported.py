"""The flags of ``lda-app eval`` for a model that another tool trained."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.errors import ConfigError
from lda_app.runtime import log

if TYPE_CHECKING:
    from lda_app.interchange import ImportedModel

_PANEL = "A model of another tool, in place of RUN"

Topics = Annotated[
    Path | None,
    typer.Option(
        "--topic-words",
        metavar="FILE",
        help="Topics: a table of topics and words (.csv, .npz), or a file of MALLET or tomotopy.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
DocTopicsFile = Annotated[
    Path | None,
    typer.Option(
        "--doc-topics",
        metavar="FILE",
        help="Its shares of the documents: a table (.csv, .npz), or MALLET's doc-topics.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Words = Annotated[
    Path | None,
    typer.Option(
        "--vocab",
        metavar="FILE",
        help="The words of a .npy file's columns, one a line.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Alpha = Annotated[
    str | None,
    typer.Option(
        "--alpha",
        metavar="A|A1,A2,...",
        help="Its prior of documents: one number for all topics, or one each.",
        show_default="the model's; 0.1 where its file has none",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class Imported:
    """The flags that name the files of another tool's model."""

    topic_words: Topics = None
    doc_topics: DocTopicsFile = None
    vocab: Words = None
    alpha: Alpha = None

    def require_sense(self, run: Path | None, corpus: Path | None) -> None:
        """Refuse flags that do not go together.

        Raises
        ------
        ConfigError
            If there is no model, or two, or its corpus is not named.
        """
        if run is None and self.topic_words is None:
            raise ConfigError("eval needs a RUN, or --topic-words FILE and --corpus FOLDER")
        if run is not None and self.topic_words is not None:
            raise ConfigError(f"eval measures one model: leave out {run}, or --topic-words")
        if self.topic_words is not None and corpus is None:
            raise ConfigError("--topic-words needs --corpus FOLDER: the documents to measure the model on")
        alone = {"--doc-topics": self.doc_topics, "--vocab": self.vocab, "--alpha": self.alpha}
        for flag, value in alone.items():
            if run is not None and value is not None:
                raise ConfigError(f"{flag} goes with --topic-words; {run} has all that is needed")

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
            log.info("%s has no alpha: %g is taken for each topic; see --alpha", model.name, model.alpha[0])
        return model


def _numbers(text: str) -> Any:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(
            f"--alpha must be a number, or one for each topic by commas, got {text!r}"
        ) from None
    return numbers[0] if len(numbers) == 1 else numbers


def notes(figures: dict[str, Any]) -> list[str]:
    """Say what either side lacks, of α, and of the tool's own shares; nothing of a model of ours."""
    model = figures.get("model")
    if model is None:
        return []
    low, high = min(model["alpha"]), max(model["alpha"])
    alpha = f"{low:.3g}" if low == high else f"from {low:.3g} to {high:.3g}"
    alpha += "" if model["alpha_is_known"] else ", for want of a known one"
    lines = [
        f"{model['name']}: θ by mean field, alpha {alpha}",
        _words("of the corpus that the model does not know", model, "unknown_words"),
        _words("of the model that the corpus does not have", model, "foreign_words") + _mass(model),
    ]
    return lines + ([_given(figures["given_theta"])] if figures["given_theta"] else [])


def _words(what: str, model: dict[str, Any], key: str) -> str:
    number, examples = model[key], ", ".join(model[f"{key}_examples"])
    more = " …" if number > len(model[f"{key}_examples"]) else ""
    return f"words {what}: {number:,}" + (f" ({examples}{more})" if number else "")


def _mass(model: dict[str, Any]) -> str:
    """Say how probable foreign words are in the model's topics, if there are some."""
    mean, most = model["foreign_mass_mean"], model["foreign_mass_largest"]
    told = f"; their probability in a topic is {mean:.1%} on average, {most:.1%} at most"
    return told if model["foreign_words"] else ""


def _given(given: dict[str, Any]) -> str:
    value = "infinite" if given["value"] is None else f"{given['value']:,.1f}"
    lines = [
        f"perplexity by the given shares ({given['protocol']}; held out only if they were inferred from "
        f"other words): {value} on {given['num_documents']:,} documents, {given['num_tokens']:,} tokens"
    ]
    told = {
        "num_impossible": "tokens of probability 0",
        "num_without_shares": "documents without shares",
        "num_without_document": "rows of shares without a document",
    }
    lines += [f"{given[key]:,} {what}" for key, what in told.items() if given[key]]
    return "; ".join(lines)
