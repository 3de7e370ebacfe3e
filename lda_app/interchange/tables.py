"""Topics and document shares as tables: CSV, wide or long, and numpy's .npz and .npy.

Topics: a row a topic (``topic,moon,orbit,…``), a row a word (``word,0,1,…``), or a row an entry
(``topic,word,probability``). Shares: a row a document (``id,0,1,…`` or without ids), or a row an entry
(``document,topic,share``). Numbers may be probabilities or counts.
"""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lda_app.errors import ConfigError, CorpusError
from lda_app.interchange.model import DocTopics, ImportedModel
from lda_app.interchange.text import opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

_WORD = frozenset({"word", "words", "term", "token", "feature"})
_TOPIC = frozenset({"topic", "topic_id", "topics"})
_DOCUMENT = frozenset({"document", "doc", "id", "doc_id", "document_id", "name"})
_VALUE = frozenset({"probability", "prob", "weight", "count", "beta", "value", "share", "gamma", "theta"})
_TOPIC_COLUMN = re.compile(r"topic[_ ]?(\d+)")
_NO_NAME = frozenset({"", "unnamed: 0"})  # of an index that pandas wrote


def read_topics_table(path: Path) -> ImportedModel:
    """Read topics from a table, wide or long.

    Raises
    ------
    CorpusError
        If it is no such table; the row and column are named.
    """
    header, table = _read(path)
    first = header[0].lower()
    if (entry := _long(header, _TOPIC, _WORD)) is not None:
        _, words, weights = _pivoted(table, *entry, path)
        return ImportedModel.of(path.name, weights, words)
    if first in _WORD:
        return ImportedModel.of(path.name, _numbers(table, 1, path).T, table.iloc[:, 0].tolist())
    start = int(first in _TOPIC | _NO_NAME)
    return ImportedModel.of(path.name, _numbers(table, start, path), header[start:])


def read_shares_table(path: Path, num_topics: int) -> DocTopics:
    """Read the shares of documents from a table, wide or long.

    Raises
    ------
    CorpusError
        If it is no such table, or has another number of topics.
    """
    header, table = _read(path)
    if (entry := _long(header, _DOCUMENT, _TOPIC)) is not None:
        ids, topics, shares = _pivoted(table, *entry, path)
        whole = np.zeros((len(ids), num_topics))
        whole[:, _topic_numbers(topics, num_topics, path)] = shares
        return DocTopics.of(whole, ids, name=path.name)
    id_column, topic_columns = _share_columns(header, num_topics, path)
    named = None if id_column is None else table.iloc[:, id_column].tolist()
    return DocTopics.of(_numbers(table.iloc[:, topic_columns], 0, path), named, name=path.name)


def read_topics_arrays(path: Path, words: Sequence[str] | None) -> ImportedModel:
    """Read a .npz file of ``beta``, ``vocabulary``, maybe ``alpha``, ``theta``, ``document_ids``; or a .npy.

    Raises
    ------
    ConfigError
        If a .npy file comes without words.
    CorpusError
        If an array is missing, or is a pickle in disguise.
    """
    arrays = _arrays(path)
    beta = arrays.get("beta", arrays.get("components_"))
    if beta is None:
        raise CorpusError(f"{path}: no array named beta (topics × words); found {', '.join(sorted(arrays))}")
    if words is None and "vocabulary" not in arrays:
        raise ConfigError(f"{path} contains no vocabulary: give its words with --vocab FILE, one per line")
    names = words or arrays["vocabulary"].tolist()
    theta, ids = arrays.get("theta"), arrays.get("document_ids")
    shares = None if theta is None else DocTopics.of(theta, _listed(ids), name=path.name)
    return ImportedModel.of(path.name, beta, names, alpha=arrays.get("alpha"), doc_topics=shares)


def read_shares_arrays(path: Path) -> DocTopics:
    """Read ``theta`` (documents × topics), and maybe ``document_ids``, of an .npz file, or a .npy.

    Raises
    ------
    CorpusError
        If there is no such array.
    """
    arrays = _arrays(path)
    theta = arrays.get("theta", arrays.get("beta"))
    if theta is None:
        raise CorpusError(
            f"{path}: no array named theta (documents × topics); found {', '.join(sorted(arrays))}"
        )
    return DocTopics.of(theta, _listed(arrays.get("document_ids")), name=path.name)


def _share_columns(header: Sequence[str], num_topics: int, path: Path) -> tuple[int | None, list[int]]:
    """Return the places of document ids, if there are some, and of the topics."""
    ids = next((place for place, name in enumerate(header) if name.lower() in _DOCUMENT), None)
    numbered = {
        int(found[1]): place for place, name in enumerate(header) if (found := _TOPIC_COLUMN.fullmatch(name))
    }
    if sorted(numbered) == list(range(num_topics)):  # as lda-app transform writes them, among other columns
        return ids, [numbered[topic] for topic in range(num_topics)]
    start = int(len(header) == num_topics + 1 and header[0].lower() in _DOCUMENT | _NO_NAME)
    if len(header) - start != num_topics:
        raise CorpusError(
            f"{path}: {len(header)} columns for {num_topics} topics; expected a column id with document IDs "
            "and one column per topic, or the columns document, topic and share"
        )
    return (0 if start else None), list(range(start, len(header)))


def _listed(array: npt.NDArray[Any] | None) -> list[object] | None:
    return None if array is None else array.tolist()


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file; that of a .npy file is called beta."""
    try:
        with path.open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"beta": loaded}
            return {name: loaded[name] for name in loaded.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        reason = "an array of Python objects, which is a pickle" if "pickle" in str(error) else error
        raise CorpusError(
            f"{path}: cannot be read: {reason}; save words with np.array(words, dtype=str)"
        ) from None


def _read(path: Path) -> tuple[list[str], pd.DataFrame]:
    """Read a table: the names of its columns as they are, and its cells."""
    try:
        with opened(path) as stream:
            line = stream.readline()
            layout: dict[str, Any] = {
                "sep": max(",\t;", key=line.count),
                "header": None,
                "keep_default_na": False,
                "index_col": False,
            }
            stream.seek(0)
            header = pd.read_csv(stream, nrows=1, dtype=str, **layout).iloc[0].str.strip().tolist()
            stream.seek(0)
            as_text = {place: str for place, name in enumerate(header) if _is_text(name)}
            table = pd.read_csv(stream, names=range(len(header)), skiprows=1, dtype=as_text, **layout)
    except ValueError as error:  # pandas' errors are such
        raise CorpusError(f"{path}: cannot read the table: {' '.join(str(error).split())}") from None
    if table.empty:
        raise CorpusError(f"{path}: the table has a header but no rows; expected topics or documents")
    return header, table


def _is_text(name: str) -> bool:
    return name.lower() in _WORD | _DOCUMENT | _TOPIC


def _long(
    header: Sequence[str], rows: frozenset[str], columns: frozenset[str]
) -> tuple[int, int, int] | None:
    """Return the places of row, column and value, if the table has an entry a row."""
    if len(header) > 6:  # those that a tidy table may have, a rank for example
        return None
    lower = [name.lower() for name in header]
    places = [
        next((p for p, name in enumerate(lower) if name in wanted), None)
        for wanted in (rows, columns, _VALUE)
    ]
    return None if None in places else (places[0], places[1], places[2])  # type: ignore[return-value]


def _pivoted(
    table: pd.DataFrame, row: int, column: int, value: int, path: Path
) -> tuple[list[str], list[str], FloatArray]:
    """Return the names of rows and of columns, numbers in their order, others as they appear; the matrix."""
    names, places = [], []
    for place in (row, column):
        codes, found = pd.factorize(table.iloc[:, place])
        order = _numeric_order(list(found))
        ranks = np.argsort(order)
        names.append([str(found[n]) for n in order])
        places.append(ranks[codes])
    entries = pd.DataFrame({"row": places[0], "column": places[1]})
    if (twice := entries.duplicated()).any():
        line = int(np.argmax(twice)) + 2
        raise CorpusError(f"{path}: line {line} repeats an entry: each pair may occur once")
    matrix = np.zeros((len(names[0]), len(names[1])))
    matrix[places[0], places[1]] = _numbers(table.iloc[:, [value]], 0, path)[:, 0]
    return names[0], names[1], matrix


def _numeric_order(names: list[Any]) -> npt.NDArray[np.int64]:
    numbers = pd.to_numeric(pd.Series(names), errors="coerce").to_numpy()
    return np.arange(len(names)) if np.isnan(numbers).any() else np.argsort(numbers, kind="stable")


def _topic_numbers(topics: Sequence[str], num_topics: int, path: Path) -> list[int]:
    if len(topics) == num_topics and not all(topic.isdecimal() for topic in topics):
        return list(range(num_topics))
    numbers = [int(topic) if topic.isdecimal() else -1 for topic in topics]
    first = int(0 not in numbers and max(numbers) == num_topics)  # R counts from 1
    if min(numbers) < first or max(numbers) - first >= num_topics:
        raise CorpusError(f"{path}: topics {topics[0]} … {topics[-1]}, but the model has {num_topics}")
    return [number - first for number in numbers]


def _numbers(table: pd.DataFrame, start: int, path: Path) -> FloatArray:
    """Return the cells from a column on as numbers; the first that is none is named."""
    part = table.iloc[:, start:]
    try:
        return part.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        pass
    for place, column in part.items():
        wrong = pd.to_numeric(column, errors="coerce").isna()
        if wrong.any():
            row = int(np.argmax(wrong))
            raise CorpusError(
                f"{path}: line {row + 2}, column {int(str(place)) + 1}: expected a number, "
                f"got {column.iloc[row]!r}"
            ) from None
    return np.asarray(part.apply(pd.to_numeric).to_numpy(dtype=np.float64))
