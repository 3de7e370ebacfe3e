"""The findings of ``lda-app doctor`` on a collection of texts, as a page and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lda_app.cli.corpus import is_corpus

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from lda_app.corpus.advice import Advice
    from lda_app.corpus.checkup import Checkup, DroppedWords
    from lda_app.corpus.options import SourceOptions, WordOptions
    from lda_app.corpus.preprocess import PreprocessOptions
    from lda_app.corpus.sources import Source
    from lda_app.corpus.sources.encodings import FileEncoding

_LINES_SHOWN = 8


@dataclass(frozen=True)
class Examined:
    """A collection of texts, the findings, and advice."""

    name: str
    found: Checkup
    encodings: dict[str, int]
    advice: list[Advice]

    def describe(self) -> dict[str, Any]:
        """Return everything in a form that JSON can hold."""
        return {
            "name": self.name,
            **self.found.describe(),
            "encodings": self.encodings,
            "warnings": [asdict(advice) for advice in self.advice],
        }


def examined(spec: str, reading: SourceOptions, words: WordOptions, num_topics: int) -> Examined:
    """Examine the source: texts with the given flags, a corpus folder with those it was built with."""
    from collections import Counter

    from lda_app.corpus.advice import advise, advise_on_encodings
    from lda_app.corpus.checkup import check_up
    from lda_app.corpus.folder import resolve_language

    source, options, files = _opened(spec, reading, words)
    asked = options.tokenizer.language
    options, _ = resolve_language(options, source)
    found = check_up(source, options)
    advice = [*advise_on_encodings(files, reading.encoding), *advise(found, num_topics, asked)]
    return Examined(source.name, found, dict(Counter(file.encoding for file in files)), advice)


def _opened(
    spec: str, reading: SourceOptions, words: WordOptions
) -> tuple[Source, PreprocessOptions, list[FileEncoding]]:
    """Open the texts, with a tolerant encoding if they cannot be decoded."""
    from lda_app.corpus.folder import open_corpus
    from lda_app.corpus.sources import open_source
    from lda_app.corpus.sources.corpus_folder import StoredSource
    from lda_app.corpus.sources.encodings import encodings_of, read_anyway

    if is_corpus(spec):
        stored = StoredSource(open_corpus(Path(spec)))
        return stored, stored.options, []
    source = open_source(spec, reading)
    files = encodings_of(source)
    read_anyway(source, files)
    return source, words.preprocess(), files


def print_page(texts: Examined) -> None:
    """Print the findings, with the warnings last, where they are noticed."""
    from lda_app.cli.tables import print_out

    found = texts.found
    parts: list[RenderableType | None] = [
        _overview(texts),
        _dropped(found.dropped),
        _repeated(found),
        _boilerplate(found),
        _left_out(found),
        _warnings(texts.advice),
    ]
    shown = [part for part in parts if part is not None]
    print_out(*(line for part in shown for line in (part, "")))


def _overview(texts: Examined) -> Table:
    found = texts.found
    table = _table(texts.name, "property", "value")
    lengths = found.lengths
    table.add_row("documents", f"{found.num_documents:,}")
    table.add_row("without words", f"{found.num_without_words:,} ({found.num_empty:,} empty)")
    table.add_row("words, tokens", f"{found.num_words:,} words, {found.num_tokens:,} tokens would be counted")
    table.add_row(
        "tokens per document",
        f"median {lengths['median']:,.0f}; middle half {lengths['quarter']:,.0f} to "
        f"{lengths['three_quarters']:,.0f}; mean {lengths['mean']:,.1f}; "
        f"from {lengths['min']:,.0f} to {lengths['max']:,.0f}",
    )
    name, share = found.longest
    table.add_row("longest document", f"{_short(name)}, {share:.1%} of all tokens")
    table.add_row("languages", _languages(found))
    if texts.encodings:
        files = ", ".join(f"{name} ({number:,})" for name, number in texts.encodings.items())
        table.add_row("encodings of files", files)
    table.add_row("duplicates", f"{found.num_exact:,} exact, {found.num_near:,} near")
    for trouble, times in found.troubles.items():
        table.add_row(trouble, f"{times:,}")
    return table


def _languages(found: Checkup) -> str:
    if found.language is None:
        return "too little text to detect"
    documents = found.language.documents
    total = sum(documents.values())
    shares = [f"{code} {number / total:.1%}" for code, number in list(documents.items())[:_LINES_SHOWN]]
    return f"{', '.join(shares)}, of {total:,} documents sampled"


def _dropped(dropped: list[DroppedWords]) -> Table | None:
    table = _table("", "dropped as", "words", "tokens", "most frequent")
    for rule in dropped:
        examples = ", ".join(f"{_short(word, 20)} {times:,}" for word, times in rule.examples.items())
        table.add_row(rule.rule, f"{rule.words:,}", f"{rule.tokens:,}", examples)
    return table if table.row_count else None


def _repeated(found: Checkup) -> Table | None:
    table = _table("", "document", "finding")
    for one in found.repeated:
        table.add_row(_short(one.id), f"{one.kind}: {_short(one.of)}")
    return table if table.row_count else None


def _boilerplate(found: Checkup) -> Table | None:
    table = _table("", "documents", "shared line")
    for one in found.boilerplate[:_LINES_SHOWN]:
        table.add_row(f"{one.documents:,}", _short(one.line))
    return table if table.row_count else None


def _left_out(found: Checkup) -> Table | None:
    table = _table("", "cannot be read", "reason")
    for place, reason in found.left_out[:_LINES_SHOWN]:
        table.add_row(_short(place), reason)
    return table if table.row_count else None


def _warnings(advice: list[Advice]) -> Table | None:
    table = _table("", "warning", "advice")
    for one in advice:
        table.add_row(_short(one.trouble, 200), one.advice)
    return table if table.row_count else None


def _table(title: str, *columns: str) -> Table:
    from lda_app.cli.tables import new_table

    table = new_table(title)
    for name in columns:
        table.add_column(name, justify="right" if name in ("words", "tokens", "documents") else "left")
    return table


def _short(text: str, width: int = 70) -> str:
    """Return a user's value on one line, truncated if it is long."""
    from lda_app.system.runtime import one_line

    shown = one_line(text)
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"
