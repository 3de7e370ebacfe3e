"""Warnings about a collection of texts, each with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lda_app.corpus.checkup import Checkup
    from lda_app.corpus.sources.encodings import FileEncoding

_DOCUMENTS_A_TOPIC = 10
_SHARE_OF_ONE = 0.2
_MANY = 0.01
_MANY_EMPTY = 0.05
_SHORT = 10
_FEW_WORDS = 100


@dataclass(frozen=True)
class Advice:
    """What may go wrong, and what to do."""

    trouble: str
    advice: str


def advise(found: Checkup, num_topics: int, language: str) -> list[Advice]:
    """Warn of what makes topics worse than they could be.

    Parameters
    ----------
    found
        What the texts are like.
    num_topics
        K, the topics that are to be found in them.
    language
        The language whose words would be left out; ``auto`` is right by itself.
    """
    return [*_about_size(found, num_topics), *_about_repetition(found), *_about_reading(found, language)]


def advise_on_encodings(files: list[FileEncoding], given: str) -> list[Advice]:
    """Warn of files whose bytes are not of the encoding that was given."""
    wrong = [file for file in files if file.problem is not None]
    if not wrong:
        return []
    first = wrong[0]
    others = f"; similar files: {len(wrong) - 1:,}" if len(wrong) > 1 else ""
    guesses = sorted({file.guess for file in wrong if file.guess})
    way = f"give --encoding {guesses[0]}" if len(guesses) == 1 else "convert them to UTF-8"
    return [
        Advice(
            f"{first.name}: {first.problem}{others}",
            f"{way}; read as {given} here, with undecodable bytes replaced",
        )
    ]


def _about_size(found: Checkup, num_topics: int) -> Iterator[Advice]:
    documents = found.num_documents - found.num_without_words
    if documents < _DOCUMENTS_A_TOPIC * num_topics:
        most = max(2, documents // _DOCUMENTS_A_TOPIC)
        yield Advice(
            f"{documents:,} documents with words for {num_topics} topics: fewer than ten per topic",
            f"use --num-topics {most} or fewer, or split long documents",
        )
    if found.num_words < _FEW_WORDS:
        yield Advice(
            f"only {found.num_words} words would be counted",
            "check which words are dropped; a lower --min-df or --min-length keeps more",
        )
    name, share = found.longest
    if share >= _SHARE_OF_ONE and found.num_documents > 1:
        yield Advice(
            f"document {name} has {share:.0%} of all tokens",
            "split it, for example into chapters, or it will dominate the topics",
        )
    if found.lengths["median"] < _SHORT:
        yield Advice(
            f"half of the documents have {found.lengths['median']:.0f} counted words or fewer",
            "combine short texts, for example by author or day, because single ones carry little information",
        )
    if found.num_without_words > _MANY_EMPTY * found.num_documents:
        yield Advice(
            f"documents without any counted word: {found.num_without_words:,} "
            f"({found.num_empty:,} of them empty)",
            "check --text-column and --language",
        )


def _about_repetition(found: Checkup) -> Iterator[Advice]:
    repeated = found.num_exact + found.num_near
    if repeated > _MANY * found.num_documents:
        way = "near" if found.num_near else "exact"
        yield Advice(
            f"documents that repeat an earlier one: {repeated:,} ({found.num_exact:,} of them exactly)",
            f"drop them with --drop-duplicates {way}; those in both splits flatter a model's evaluation",
        )
    if found.boilerplate:
        line = found.boilerplate[0]
        yield Advice(
            f"lines repeated in many documents: {len(found.boilerplate):,}, one in {line.documents:,}",
            "remove headers and footers; --replace can remove whole phrases",
        )


def _about_reading(found: Checkup, language: str) -> Iterator[Advice]:
    if found.language is not None and language not in ("auto", found.language.code):
        yield Advice(
            f"most documents are in {found.language.code}, but the stop words are for {language}",
            f"use --language {found.language.code} or auto",
        )
    if found.language is not None and found.language.others:
        mixture = ", ".join(f"{code} {share:.0%}" for code, share in found.language.others.items())
        yield Advice(
            f"some documents are in other languages: {mixture}",
            "build one corpus per language, because topics would separate the languages",
        )
    if found.num_garbled:
        yield Advice(
            f"documents with signs of a wrong encoding, such as Ã: {found.num_garbled:,}",
            "export them again as UTF-8, or set --encoding to their original encoding",
        )
    if found.num_unread > _MANY * found.num_documents:
        yield Advice(
            f"documents in which more than half of the characters matched no word: {found.num_unread:,}",
            "for Chinese, Japanese or Thai, set --language; for tables of numbers, another --text-column",
        )
    if found.left_out:
        yield Advice(f"rows that could not be read: {len(found.left_out):,}", "see the list and fix the file")
