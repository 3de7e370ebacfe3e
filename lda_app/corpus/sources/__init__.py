"""Sources of documents: named corpora, the user's files and folders, standard input.

Examples
--------
>>> sorted(CORPORA)
['20newsgroups', 'pydocs']
"""

from __future__ import annotations

from dataclasses import dataclass

from lda_app.corpus.sources.base import FORMATS, Source, SourceOptions

__all__ = ["CORPORA", "FORMATS", "NamedCorpus", "Source", "SourceOptions", "open_source"]


@dataclass(frozen=True)
class NamedCorpus:
    """A corpus that the app knows by name."""

    description: str
    licence: str


CORPORA: dict[str, NamedCorpus] = {
    "pydocs": NamedCorpus(
        description="documentation of the Python packages installed with the app; no network",
        licence="of each package (BSD, MIT, Apache-2.0)",
    ),
    "20newsgroups": NamedCorpus(
        description="18,846 messages of 20 Usenet groups of 1993; fetched by scikit-learn",
        licence="public messages, for research; http://qwone.com/~jason/20Newsgroups/",
    ),
}


def open_source(spec: str, options: SourceOptions) -> Source:
    """Open a corpus name, a path, or ``-`` for standard input.

    Raises
    ------
    CorpusError
        The path is missing, of the wrong kind, or of unknown format.
    """
    raise NotImplementedError
