"""The files that ``mallet train-topics`` writes.

===============================  ==================================================================
``--topic-word-weights-file``    ``topic⇥word⇥weight``, counts with β added
``--word-topic-counts-file``     ``type word topic:count topic:count …``, without β
``--output-doc-topics``          ``document⇥name⇥share⇥share…`` (2.0.8 and later), or, with a threshold and
                                 before, ``document name topic share topic share …``, largest first
``--output-state``               gzipped: α, β, and ``doc source pos typeindex type topic`` for each token
===============================  ==================================================================
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from lda_app.errors import CorpusError
from lda_app.interchange.model import DocTopics, ImportedModel
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

DEFAULT_BETA = 0.01
"""MALLET's default smoothing, used if a file does not give it."""

STATE_HEADER = "#doc source pos typeindex type topic"
_SHARES_HEADER = "#doc"
_WEIGHTS = re.compile(r"\d+\t\S+\t[-+.\deE]+\s*")
_COUNTS = re.compile(r"\d+ \S+( \d+:\d+)*\s*")
_SHARES = re.compile(r"\d+\s\S.*?(\s[-+.\deE]+){2,}\s*")


def is_weights(line: str) -> bool:
    r"""Tell whether a file begins as one of topic-word weights.

    Examples
    --------
    >>> is_weights("0\tmoon\t12.01"), is_weights("topic,moon")
    (True, False)
    """
    return _WEIGHTS.fullmatch(line) is not None


def is_counts(line: str) -> bool:
    """Tell whether a file begins as one of word-topic counts.

    Examples
    --------
    >>> is_counts("0 moon 1:12 0:3"), is_counts("0,moon,1")
    (True, False)
    """
    return _COUNTS.fullmatch(line) is not None


def is_shares(line: str) -> bool:
    r"""Tell whether a file begins as one of document shares.

    Examples
    --------
    >>> is_shares("0\tdoc1\t0.25\t0.75"), is_shares("#doc name topic proportion ..."), is_shares("0,1")
    (True, True, False)
    """
    return line.startswith(_SHARES_HEADER) or _SHARES.fullmatch(line) is not None


def read_weights(lines: Iterable[str], name: str) -> ImportedModel:
    r"""Read ``--topic-word-weights-file``.

    Raises
    ------
    CorpusError
        Naming the line that cannot be read.

    Examples
    --------
    >>> model = read_weights(["0\tmoon\t3.0", "0\tgoal\t1.0", "1\tmoon\t0.0", "1\tgoal\t2.0"], "weights.txt")
    >>> model.beta.tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """
    words: dict[str, int] = {}
    entries: dict[tuple[int, int], float] = {}
    for number, line in enumerate(lines, start=1):
        try:
            topic, word, weight = line.rstrip("\r\n").split("\t")
            entries[int(topic), words.setdefault(word, len(words))] = float(weight)
        except ValueError:
            raise _unreadable(name, number, line, "topic⇥word⇥weight") from None
    return ImportedModel.of(name, _matrix(entries, name), list(words))


def read_counts(lines: Iterable[str], name: str, beta: float = DEFAULT_BETA) -> ImportedModel:
    """Read ``--word-topic-counts-file``, and add β to each count, which the file leaves out.

    Raises
    ------
    CorpusError
        Naming the line that cannot be read.

    Examples
    --------
    >>> read_counts(["0 moon 1:3", "1 goal 0:2 1:1"], "counts.txt", beta=0.0).beta.tolist()
    [[0.0, 1.0], [0.75, 0.25]]
    """
    words: list[str] = []
    entries: dict[tuple[int, int], float] = {}
    for number, line in enumerate(lines, start=1):
        try:
            _, word, *counts = line.split()
            for topic, count in (entry.split(":") for entry in counts):
                entries[int(topic), len(words)] = float(count)
        except ValueError:
            raise _unreadable(name, number, line, "type word topic:count …") from None
        words.append(word)
    log.info("%s contains counts without smoothing: added MALLET's default β of %g", name, beta)
    return ImportedModel.of(name, _matrix(entries, name, num_words=len(words)) + beta, words)


def read_shares(lines: Iterable[str], name: str, num_topics: int) -> DocTopics:
    r"""Read ``--output-doc-topics``, in either layout.

    Raises
    ------
    CorpusError
        Naming the line that cannot be read.

    Examples
    --------
    >>> read_shares(["0\ta.txt\t0.25\t0.75"], "doc-topics.txt", 2).theta.tolist()
    [[0.25, 0.75]]
    >>> listed = ["#doc name topic proportion ...", "0 a.txt 1 0.75 0 0.25"]
    >>> read_shares(listed, "doc-topics.txt", 2).theta.tolist()
    [[0.25, 0.75]]
    """
    rows, ids = [], []
    listed = False
    for number, line in enumerate(lines, start=1):
        if line.startswith(_SHARES_HEADER):
            listed = True
            continue
        cells = line.rstrip().split("\t") if "\t" in line else line.split()
        try:
            rows.append(_shares(cells[2:], num_topics, listed=listed))
            ids.append(cells[1])
        except (ValueError, IndexError):
            expected = "topic share pairs" if listed else f"{num_topics} shares"
            raise _unreadable(name, number, line, f"document, name, {expected}") from None
    return DocTopics.of(np.array(rows), _names(ids), name=name)


def _shares(cells: list[str], num_topics: int, *, listed: bool) -> FloatArray:
    if not listed:
        if len(cells) != num_topics:
            raise ValueError
        return np.array(cells, dtype=np.float64)
    row = np.zeros(num_topics)
    row[[int(topic) for topic in cells[::2]]] = [float(share) for share in cells[1::2]]
    return row


def read_state(lines: Iterable[str], name: str) -> ImportedModel:
    """Read ``--output-state``: topics, α, and θ of the documents, all by their posterior means given z.

    Raises
    ------
    CorpusError
        Naming the line that cannot be read.

    Examples
    --------
    >>> lines = [STATE_HEADER, "#alpha : 0.5 0.5 ", "#beta : 1.0", "0 a.txt 0 0 moon 1", "0 a.txt 1 1 goal 0"]
    >>> model = read_state(lines, "state.gz")
    >>> model.alpha.tolist(), model.beta.round(3).tolist(), model.doc_topics.theta.tolist()
    ([0.5, 0.5], [[0.333, 0.667], [0.667, 0.333]], [[0.5, 0.5]])
    """
    numbered = enumerate(lines, start=1)
    alpha, beta = _hyperparameters(numbered, name)
    words: dict[str, int] = {}
    sources: dict[int, str] = {}
    in_topics: Counter[tuple[int, int]] = Counter()
    in_documents: Counter[tuple[int, int]] = Counter()
    for number, line in numbered:
        try:
            head, _, _, word, topic = line.rsplit(maxsplit=4)
            document, source = head.split(maxsplit=1)
            in_topics[int(topic), words.setdefault(word, len(words))] += 1
            in_documents[int(document), int(topic)] += 1
            sources[int(document)] = source
        except ValueError:
            raise _unreadable(name, number, line, STATE_HEADER[1:]) from None
    counts = _matrix(in_topics, name, len(alpha), len(words))
    used = _matrix(in_documents, name, num_words=len(alpha))
    ids = _names([sources.get(document, "NA") for document in range(len(used))])
    theta = (used + alpha) / (used + alpha).sum(axis=1, keepdims=True)
    doc_topics = DocTopics.of(theta, ids, name=name)
    return ImportedModel.of(name, counts + beta, list(words), alpha=alpha, doc_topics=doc_topics)


def _hyperparameters(numbered: Iterator[tuple[int, str]], name: str) -> tuple[FloatArray, float]:
    """Read the three lines before the tokens."""
    lines = [line for _, (_, line) in zip(range(3), numbered, strict=False)]
    try:
        _, alpha, beta = lines
        return np.array(alpha.removeprefix("#alpha :").split(), dtype=np.float64), float(
            beta.removeprefix("#beta :")
        )
    except ValueError:
        raise CorpusError(
            f"{name}: not a MALLET state file: lines 2 and 3 must give #alpha and #beta"
        ) from None


def _names(ids: list[str]) -> list[str] | None:
    """Return ids by which documents can be told apart; None where MALLET knew no names."""
    return ids if len(set(ids)) == len(ids) else None


def _matrix(
    entries: Mapping[tuple[int, int], float],
    name: str,
    num_rows: int | None = None,
    num_words: int | None = None,
) -> FloatArray:
    if not entries:
        raise CorpusError(f"{name}: no entries found; is the file truncated?")
    rows, columns = np.array(list(entries)).T
    if rows.min() < 0 or columns.min() < 0:
        raise CorpusError(f"{name}: a topic or document has a negative number")
    shape = num_rows or int(rows.max()) + 1, num_words or int(columns.max()) + 1
    if rows.max() >= shape[0] or columns.max() >= shape[1]:
        raise CorpusError(f"{name}: topic {max(rows.max(), columns.max())}, but there are {min(shape)}")
    matrix = np.zeros(shape)
    matrix[rows, columns] = list(entries.values())
    return matrix


def _unreadable(name: str, number: int, line: str, expected: str) -> CorpusError:
    return CorpusError(f"{name}: line {number}: expected {expected!r}, got {line[:60].rstrip()!r}")
