"""Which language a corpus is in, and whether it is in more than one."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import regex

from lda_app.corpus.logarithms import log_count
from lda_app.errors import ConfigError
from lda_app.system.runtime import log, rng

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt
    from py3langid.langid import LanguageIdentifier

_SAMPLE = 1_000  # documents
_CHARACTERS = 2_000  # of a document
_LETTERS = 20  # that a document needs to tell its language
_MIXED = 0.05
_LETTER = regex.compile(r"\p{L}")


@dataclass(frozen=True)
class Detected:
    """The languages of a corpus.

    Parameters
    ----------
    code
        ISO 639-1 code of the language of most documents.
    documents
        How many of the documents of the sample are in each language, most first.
    """

    code: str
    documents: dict[str, int]

    @property
    def others(self) -> dict[str, float]:
        """The other languages that at least a twentieth of the documents are in, with that share.

        Examples
        --------
        >>> Detected("en", {"en": 90, "de": 9, "nl": 1}).others
        {'de': 0.09}
        """
        total = sum(self.documents.values())
        shares = {code: number / total for code, number in self.documents.items() if code != self.code}
        return {code: share for code, share in shares.items() if share >= _MIXED}

    def describe(self) -> dict[str, Any]:
        """Return all of it, for manifests."""
        return {"code": self.code, "documents": self.documents}


def detect(texts: Iterable[str]) -> Detected | None:
    """Detect the language of a stream of texts, by a sample of a thousand of them.

    Parameters
    ----------
    texts
        Read to the end; a thousand are in memory at most.

    Returns
    -------
    Detected
        None if no text of the sample has enough letters.

    Examples
    --------
    >>> found = detect(["Der Mond kreist um die Erde", "Die Sonne scheint heute nicht", "42"])
    >>> found.code, found.documents
    ('de', {'de': 2})
    """
    sample = Sample()
    for text in texts:
        sample.add(text)
    return sample.detect()


class Sample:
    """A sample of a stream of texts, drawn without replacement (reservoir sampling, Vitter 1985, R).

    Examples
    --------
    >>> sample = Sample()
    >>> sample.add("Der Mond kreist um die Erde")
    >>> sample.detect().code
    'de'
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._seen = 0
        self._random = rng(0, "language")

    def add(self, text: str) -> None:
        """Show the next text of the stream."""
        if self._seen < _SAMPLE:
            self._texts.append(text[:_CHARACTERS])
        elif (place := int(self._random.integers(self._seen + 1))) < _SAMPLE:
            self._texts[place] = text[:_CHARACTERS]
        self._seen += 1

    def detect(self) -> Detected | None:
        """Detect the languages of the sample; None if no text of it has enough letters."""
        telling = [text for text in self._texts if len(_LETTER.findall(text)) >= _LETTERS]
        counted = Counter(identifier().classify(text)[0] for text in telling).most_common()
        return Detected(counted[0][0], dict(counted)) if counted else None


@functools.cache
def identifier() -> LanguageIdentifier:
    """Return py3langid's identifier, with scores that are the same on every processor.

    A matrix product adds up in an order that depends on the processor, and the language of a text, which
    decides about stop words and so about counts, could turn on the last digit.

    Examples
    --------
    >>> identifier().classify("Der Mond kreist um die Erde")[0]
    'de'
    """
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    class Portable(LanguageIdentifier):  # type: ignore[misc]
        def _sparse_score(
            self, visits: Mapping[int, int], table: npt.NDArray[np.floating[Any]]
        ) -> npt.NDArray[np.float64]:
            weights = [[_log_count(1 + times)] for times in visits.values()]
            return np.asarray((table[list(visits)] * np.array(weights)).sum(axis=0) + self.nb_pc)

    return Portable.from_model_file(MODEL_FILE)


@functools.cache
def _log_count(count: int) -> float:
    return float(log_count(count))


def detect_for_corpus(texts: Iterable[str], name: str) -> Detected:
    """Detect the language of a corpus for ``--language auto``, and say so; warn of several.

    Raises
    ------
    ConfigError
        If the texts have too few letters to tell.
    """
    found = detect(texts)
    if found is None:
        raise ConfigError(f"{name}: too little text to detect the language; give --language")
    total = sum(found.documents.values())
    log.info("language: %s in %d of %d sampled documents", found.code, found.documents[found.code], total)
    if found.others:
        mixture = ", ".join(f"{code} {share:.0%}" for code, share in found.others.items())
        log.warning(
            "%s: some documents are in other languages: %s; topics will separate the languages, so build one "
            "corpus per language",
            name,
            mixture,
        )
    return found
