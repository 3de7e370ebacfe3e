"""The topics of a model as a table, JSON, CSV or Markdown."""

from __future__ import annotations

import csv
import html
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.columns import Columns
from rich.console import Group
from rich.text import Text

from lda_app.cli.tables import json_text, new_table, plain_text
from lda_app.system.storage import spreadsheet_safe

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lda_app.evaluation.coherence import Coherence
    from lda_app.evaluation.stability import TopicStability
    from lda_app.fitted.topics import Topic, TopicDocument, Usage

_STABILITY = ("found_in", "mean_similarity")


@dataclass(frozen=True)
class Shown:
    """The topics with everything that is printed about them.

    Parameters
    ----------
    topics
        Most prevalent first.
    usage, coherence
        How prevalence and coherence were measured; None without a corpus.
    documents
        ID and start of the text of each representative document, by row in the training split.
    num_hidden
        Number of hidden topics.
    stability
        How often runs with other seeds find each topic; None if it was not measured.
    """

    topics: list[Topic]
    usage: Usage | None
    coherence: Coherence | None
    documents: dict[int, tuple[str, str]]
    num_hidden: int = 0
    stability: TopicStability | None = None

    @property
    def has_labels(self) -> bool:
        """Whether any topic has a name."""
        return any(topic.label for topic in self.topics)

    @property
    def remarks(self) -> list[str]:
        """The protocols of prevalence and coherence, and the number of hidden topics."""
        hidden = f"hidden topics, not shown: {self.num_hidden}" if self.num_hidden else ""
        return [remark for remark in (self._protocols, self._found, hidden) if remark]

    @property
    def _found(self) -> str:
        if self.stability is None:
            return ""
        runs = self.stability.num_runs
        return f"found in: runs with {runs} other seed{'s' if runs > 1 else ''}, from lda-app stability"

    def found_in(self, topic: Topic) -> str:
        """Return in how many runs a topic was found, such as ``9 of 10``; empty for a merged one."""
        scores = self.scores(topic)
        return "" if scores is None or self.stability is None else f"{scores[0]} of {self.stability.num_runs}"

    def scores(self, topic: Topic) -> tuple[int, float] | None:
        """Return in how many runs a topic was found and its mean similarity; None for a merged one."""
        if self.stability is None or len(topic.members) > 1:
            return None
        return int(self.stability.found_in[topic.id]), float(self.stability.mean_similarity[topic.id])

    @property
    def _protocols(self) -> str:
        if self.usage is None or self.coherence is None:
            return ""
        return (
            f"share: mean over documents; coherence: {self.coherence.protocol} of the top "
            f"{self.coherence.num_top_words} words; measured on the {self.coherence.reference} split, "
            f"{self.usage.num_documents:,} documents, {self.usage.num_tokens:,} tokens"
        )


def as_table(shown: Shown, *, plain: bool) -> list[RenderableType]:
    """Lay out the topics for a terminal or a pipe (plain): words with probabilities, documents below."""
    table = new_table(plain=plain)
    table.add_column("topic", justify="right")
    if shown.has_labels:
        table.add_column("label", overflow="fold")
    if shown.usage is not None:
        table.add_column("share", justify="right")
        table.add_column("coherence", justify="right")
    if shown.stability is not None:
        table.add_column("found in", justify="right")
    table.add_column("top words and documents" if shown.documents else "top words")
    for topic in shown.topics:
        figures = [] if shown.usage is None else [f"{topic.prevalence:.1%}", f"{topic.coherence:.2f}"]
        figures += [] if shown.stability is None else [shown.found_in(topic)]
        label = [topic.label or ""] if shown.has_labels else []
        table.add_row(str(topic.id), *label, *figures, _words_and_documents(topic, shown, plain=plain))
    return [table, *(Text(remark, style="dim") for remark in shown.remarks)]


def _words_and_documents(topic: Topic, shown: Shown, *, plain: bool) -> Group:
    words = [Text.assemble((word.word, "bold"), (f" {word.probability:.3f}", "dim")) for word in topic.words]
    lines = [
        Text(_line(document, shown), style="dim", no_wrap=True, overflow="ellipsis")
        for document in topic.documents
    ]
    together = Text("  ").join(words) if plain else Columns(words, padding=(0, 2))
    return Group(together, *lines, *([""] if lines else []))


def _line(document: TopicDocument, shown: Shown) -> str:
    name, text = shown.documents[document.row]
    return f"{document.share:4.0%}  {name}  {text}"


def _as_table(shown: Shown) -> str:
    return plain_text(*as_table(shown, plain=True))


def _as_json(shown: Shown) -> str:
    measured: dict[str, Any] = {}
    if shown.usage is not None and shown.coherence is not None:
        size = {"num_documents": shown.usage.num_documents, "num_tokens": shown.usage.num_tokens}
        coherence = {"protocol": shown.coherence.protocol, "num_top_words": shown.coherence.num_top_words}
        measured = {
            "prevalence": {"protocol": "mean_share_of_documents", "split": shown.coherence.reference, **size},
            "coherence": {**coherence, "reference_split": shown.coherence.reference, **size},
        }
    entries = [
        {
            "id": topic.id,
            "label": topic.label,
            "members": list(topic.members),
            "prevalence": topic.prevalence,
            "coherence": topic.coherence,
            "stability": _stability_entry(shown, topic),
            "words": [{"word": word.word, "probability": word.probability} for word in topic.words],
            "documents": [
                dict(zip(("id", "text"), shown.documents[document.row], strict=True))
                | {"share": document.share}
                for document in topic.documents
            ],
        }
        for topic in shown.topics
    ]
    sizes = {"num_topics": len(entries), "num_hidden": shown.num_hidden}
    if shown.stability is not None:
        from lda_app.evaluation.stability import DISTANCE, THRESHOLD

        measured["stability"] = {
            "distance": DISTANCE,
            "threshold": THRESHOLD,
            "num_runs": shown.stability.num_runs,
        }
    content = {"schema_version": 1, **sizes, **measured, "topics": entries}
    return json_text(content)


def _stability_entry(shown: Shown, topic: Topic) -> dict[str, float] | None:
    scores = shown.scores(topic)
    return None if scores is None else dict(zip(_STABILITY, scores, strict=True))


def _as_csv(shown: Shown) -> str:
    """Lay out one row per topic: word_1, probability_1 … document_1, share_1 …."""
    num_words = max((len(topic.words) for topic in shown.topics), default=0)
    num_documents = max((len(topic.documents) for topic in shown.topics), default=0)
    header = ["topic", "label", "prevalence", "coherence"]
    header += _STABILITY if shown.stability is not None else ()
    header += [name for n in range(1, num_words + 1) for name in (f"word_{n}", f"probability_{n}")]
    header += [name for n in range(1, num_documents + 1) for name in (f"document_{n}", f"share_{n}")]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    for topic in shown.topics:
        words = [cell for word in topic.words for cell in (spreadsheet_safe(word.word), word.probability)]
        documents = [
            cell
            for document in topic.documents
            for cell in (spreadsheet_safe(shown.documents[document.row][0]), document.share)
        ]
        label = spreadsheet_safe(topic.label or "")
        scores = () if shown.stability is None else shown.scores(topic) or ("", "")
        writer.writerow([topic.id, label, topic.prevalence, topic.coherence, *scores, *words, *documents])
    return file.getvalue()


def _as_markdown(shown: Shown) -> str:
    has_figures = shown.usage is not None
    lines = [f"# {len(shown.topics)} topics", ""]
    for remark in shown.remarks:
        lines += [f"{remark[0].upper()}{remark[1:]}.", ""]
    found = (" found in |", " ---: |") if shown.stability is not None else ("", "")
    lines += [
        f"| topic | share | coherence |{found[0]} top words |",
        f"| ---: | ---: | ---: |{found[1]} :--- |",
    ]
    for topic in shown.topics:
        figures = (f"{topic.prevalence:.1%}", f"{topic.coherence:.2f}") if has_figures else ("", "")
        words = ", ".join(f"{_inert(word.word)} ({word.probability:.3f})" for word in topic.words)
        found_in = (shown.found_in(topic),) if shown.stability is not None else ()
        lines.append(f"| {' | '.join([_numbered(topic), *figures, *found_in, words])} |")
    if shown.documents:
        lines += ["", "## Representative documents"]
    for topic in shown.topics if shown.documents else ():
        about = ", ".join(_inert(word.word) for word in topic.words[:3])
        lines += ["", f"Topic {_numbered(topic)}: {about}", ""]
        for document in topic.documents:
            name, text = map(_inert, shown.documents[document.row])
            lines.append(f"- {document.share:.0%} **{name}** {text}".rstrip())
    return "\n".join(lines) + "\n"


def _numbered(topic: Topic) -> str:
    return str(topic.id) if topic.label is None else f"{topic.id} {_inert(topic.label)}"


def _inert(text: str) -> str:
    r"""Escape Markdown and HTML.

    Examples
    --------
    >>> _inert("<b>a|b*</b>")
    '&lt;b&gt;a\\|b\\*&lt;/b&gt;'
    """
    return re.sub(r"([\\`*_\[\]|~$])", r"\\\1", html.escape(text, quote=False))


LAYOUTS = {"table": _as_table, "json": _as_json, "csv": _as_csv, "markdown": _as_markdown}
