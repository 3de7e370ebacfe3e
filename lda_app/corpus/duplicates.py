"""Documents that are there twice, letter for letter or nearly.

Near duplicates share most of their sequences of three words. How many they share (Jaccard similarity) is
estimated by MinHash (Broder 1997), with one hash function whose values fall into bins (Li, Owen and Zhang
2012), empty bins being filled from others chosen by hash (Shrivastava 2017); bands of bins find the
candidates (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4).
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from lda_app.corpus.counting import map_chunks
from lda_app.corpus.tokenize import Tokenizer, TokenizerOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]
    Signatures = npt.NDArray[np.uint16]

WAYS = ("none", "exact", "near")
SIMILAR = 0.8  # of the sequences of three words
_WIDTH = 3
_BINS = 128  # the estimate of a similarity of 0.8 has a standard error of 0.035
_ROWS = 8  # bins of a band: 16 bands find a pair of similarity 0.8 with a probability of 0.95, 0.9 of 0.9999
_EMPTY = np.uint64(2**64 - 1)
_PAIRS_AT_A_TIME = 100_000
_PLAIN = TokenizerOptions(stop_words="none")


@dataclass(frozen=True)
class DuplicateDocument:
    """A document that repeats an earlier one; both by their place in the source, from 0."""

    of: int
    exact: bool

    @property
    def kind(self) -> str:
        """What it is, for reports."""
        return f"{'exact' if self.exact else 'near'} duplicate of an earlier document"


@dataclass(frozen=True)
class Fingerprints:
    """What tells the texts of a chunk apart.

    Parameters
    ----------
    exact
        (D,) a hash of each text, white space aside; 0 for a text without any character.
    near
        (D, 128) signatures, of which the share that two have in common estimates the similarity; (D, 0) where
        they are not asked for.
    """

    exact: Hashes
    near: Signatures


def fingerprints(tokenizer: Tokenizer, texts: Sequence[str], *, near: bool) -> Fingerprints:
    """Take the fingerprints of some texts.

    Examples
    --------
    >>> texts = ["The orbit of the moon", "The  orbit of the moon ", "the orbit, of the moon"]
    >>> taken = fingerprints(Tokenizer(TokenizerOptions()), texts, near=True)
    >>> len(set(taken.exact.tolist())), len({tuple(row) for row in taken.near.tolist()})
    (2, 1)
    """
    exact = np.array([_hash(" ".join(text.split())) for text in texts], dtype=np.uint64)
    if not near:
        return Fingerprints(exact, np.zeros((len(texts), 0), dtype=np.uint16))
    known: dict[str, int] = {}
    rows = [_signature(_forms(tokenizer, text, known)) for text in texts]
    return Fingerprints(exact, np.array(rows, dtype=np.uint16).reshape(len(texts), _BINS))


def find_duplicates(
    texts: Iterable[str], way: str, workers: int | None = None
) -> dict[int, DuplicateDocument]:
    """Find the documents that repeat an earlier one that is kept.

    Memory grows by some tens of bytes a document, and where near duplicates are looked for, a temporary file
    by 256 bytes.

    Parameters
    ----------
    texts
        All documents, in order.
    way
        ``exact``: equal but for white space; ``near``: also those that have at least four fifths of their
        sequences of three words in common, case and punctuation aside.
    workers
        Processes, as of `lda_app.corpus.counting.map_chunks`.

    Examples
    --------
    >>> texts = ["the orbit of the moon", "a goal", "The orbit of the moon!", "a  goal", ""]
    >>> find_duplicates(texts, "exact")
    {3: DuplicateDocument(of=1, exact=True)}
    >>> find_duplicates(texts, "near")[2]
    DuplicateDocument(of=0, exact=False)
    """
    take = partial(fingerprints, near=way == "near")
    with tempfile.TemporaryFile() as file:
        hashes = [np.zeros(0, dtype=np.uint64)]
        for _, taken in map_chunks(take, texts, str, _PLAIN, workers):
            hashes.append(taken.exact)
            file.write(taken.near.tobytes())
        exact = np.concatenate(hashes)
        found = exact_duplicates(exact)
        if way == "near" and len(exact):
            file.flush()
            signatures = np.memmap(file, dtype=np.uint16, mode="r", shape=(len(exact), _BINS))
            found = near_duplicates(signatures, exact, found)
    return dict(sorted(found.items()))


def exact_duplicates(hashes: Hashes) -> dict[int, DuplicateDocument]:
    """Find equal texts by their hashes; of a million different ones, two agree once in 37 million corpora.

    Examples
    --------
    >>> exact_duplicates(np.array([7, 5, 7, 0, 0], dtype=np.uint64))
    {2: DuplicateDocument(of=0, exact=True)}
    """
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    of = first[inverse]
    repeated = np.flatnonzero((of != np.arange(len(hashes))) & (hashes != 0))
    return {int(place): DuplicateDocument(int(of[place]), exact=True) for place in repeated}


def near_duplicates(
    signatures: Signatures, hashes: Hashes, exact: dict[int, DuplicateDocument]
) -> dict[int, DuplicateDocument]:
    """Add to the exact duplicates the near ones; a document is dropped for an earlier one that is kept."""
    found = dict(exact)
    for earlier, later in _similar_pairs(signatures, hashes):
        if later in found:
            continue
        kept = found[earlier].of if earlier in found else earlier
        if kept == earlier or _agreement(signatures, np.array([kept]), np.array([later]))[0] >= SIMILAR:
            found[later] = DuplicateDocument(kept, exact=False)
    return found


def _similar_pairs(signatures: Signatures, hashes: Hashes) -> Iterator[tuple[int, int]]:
    """Yield pairs of similar documents, the earlier one first, ordered by the later one."""
    filled = np.flatnonzero(hashes != 0)
    keys = np.unique(
        np.concatenate(
            [_candidates(signatures[:, band : band + _ROWS], filled) for band in range(0, _BINS, _ROWS)]
        )
    )
    for start in range(0, len(keys), _PAIRS_AT_A_TIME):
        block = keys[start : start + _PAIRS_AT_A_TIME]
        later, earlier = (block >> 32).astype(np.int64), (block & 0xFFFFFFFF).astype(np.int64)
        similar = _agreement(signatures, earlier, later) >= SIMILAR
        yield from zip(earlier[similar].tolist(), later[similar].tolist(), strict=True)


def _candidates(band: Signatures, filled: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Pair each document with the first and the previous one of those that agree in a whole band."""
    words = np.ascontiguousarray(band).view(np.uint64)[filled]
    keys = _mixed(words[:, 0] ^ _mixed(words[:, 1]))
    order = np.argsort(keys, kind="stable")
    equal = np.flatnonzero(keys[order][1:] == keys[order][:-1]) + 1
    starts = np.ones(len(order), dtype=bool)
    starts[equal] = False
    first = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    later = filled[order[equal]]
    earlier = np.concatenate([filled[order[first[equal]]], filled[order[equal - 1]]])
    return np.asarray((np.tile(later, 2) << 32) | earlier)


def _agreement(
    signatures: Signatures, one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    return np.asarray((signatures[one] == signatures[other]).mean(axis=1))


def _forms(tokenizer: Tokenizer, text: str, known: dict[str, int]) -> Hashes:
    """Return the hashes of the forms of a text in order."""
    hashes = []
    for forms in tokenizer.forms(text):
        for form in forms:
            if form not in known:
                known[form] = _hash(form)
            hashes.append(known[form])
    return np.array(hashes, dtype=np.uint64)


def _signature(forms: Hashes) -> Signatures:
    """Return the least hash of the sequences of three words in each bin, cut to 16 bits."""
    if not len(forms):
        return np.zeros(_BINS, dtype=np.uint16)
    width = min(_WIDTH, len(forms))
    shingles = np.zeros(len(forms) - width + 1, dtype=np.uint64)
    for place in range(width):
        shingles = _mixed(shingles + forms[place : len(forms) - width + 1 + place])
    bins = np.full(_BINS, _EMPTY)
    np.minimum.at(bins, (shingles >> np.uint64(57)).astype(np.int64), shingles << np.uint64(7))
    filled = bins != _EMPTY
    if not filled.all():
        bins = _densified(bins, filled)
    signature: Signatures = (_mixed(bins) >> np.uint64(48)).astype(np.uint16)
    return signature


def _densified(bins: Hashes, filled: npt.NDArray[np.bool_]) -> Hashes:
    """Fill each empty bin from the first one of its list of donors that is filled."""
    donors = _donors()
    attempt = filled[donors].argmax(axis=0)
    donor = donors[attempt, np.arange(_BINS)]
    donor = np.where(filled[donor], donor, np.flatnonzero(filled)[0])
    return np.where(filled, bins, bins[donor] + attempt.astype(np.uint64) + np.uint64(1))


@cache
def _donors() -> npt.NDArray[np.int64]:
    """Return (attempts, bins) the bin to fill each one from, in the order in which they are tried."""
    numbers = np.arange(4 * _BINS * _BINS, dtype=np.uint64).reshape(-1, _BINS)
    return (_mixed(numbers + np.uint64(1)) % np.uint64(_BINS)).astype(np.int64)


def _mixed(values: Hashes) -> Hashes:
    """Spread values over 64 bits by the finalizer of MurmurHash3 (Appleby 2011)."""
    for multiplier in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values = (values ^ (values >> np.uint64(33))) * np.uint64(multiplier)
    return values ^ (values >> np.uint64(33))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") if text else 0
