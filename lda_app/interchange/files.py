"""Files of other tools' topics: which format a file has is told by its content, and no pickle is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lda_app.corpus.vocabulary import Vocabulary
from lda_app.errors import ConfigError, CorpusError
from lda_app.interchange import mallet, tables
from lda_app.interchange.objects import from_tomotopy
from lda_app.interchange.text import first_bytes, opened

if TYPE_CHECKING:
    from pathlib import Path

    from lda_app.interchange.model import DocTopics, ImportedModel

_PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".model", ".state", ".id2word"})
_PICKLE_HEADS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
_ZIP, _NPY, _TOMOTOPY = b"PK", b"\x93NUMPY", b"LDA\0\0"


def read_topics(path: Path, vocabulary: Path | None = None) -> ImportedModel:
    """Read topics from a table (CSV, .npz, .npy) or from a file of MALLET or tomotopy.

    Parameters
    ----------
    path
        The file.
    vocabulary
        The words of a .npy file's columns, one a line.

    Raises
    ------
    ConfigError
        If a .npy file comes without words, or tomotopy, which reads its own files, is not installed.
    CorpusError
        If the file is a pickle or cannot be read; the line is named.
    """
    head = _head(path)
    if head.startswith((_ZIP, _NPY)):
        words = None if vocabulary is None else Vocabulary.open(vocabulary).words
        return tables.read_topics_arrays(path, words)
    if vocabulary is not None:
        raise ConfigError(f"{path} already contains its words; leave out --vocab")
    if head.startswith(_TOMOTOPY):
        return _read_tomotopy(path)
    with opened(path) as stream:
        first = stream.readline()
        stream.seek(0)
        if first.startswith(mallet.STATE_HEADER):
            return mallet.read_state(stream, path.name)
        if mallet.is_weights(first):
            return mallet.read_weights(stream, path.name)
        if mallet.is_counts(first):
            return mallet.read_counts(stream, path.name)
    return tables.read_topics_table(path)


def read_doc_topics(path: Path, num_topics: int) -> DocTopics:
    """Read the topic shares of documents from a table (CSV, .npz, .npy) or MALLET's ``--output-doc-topics``.

    Raises
    ------
    CorpusError
        If the file is a pickle, cannot be read, or has another number of topics.
    """
    if _head(path).startswith((_ZIP, _NPY)):
        return tables.read_shares_arrays(path)
    with opened(path) as stream:
        first = stream.readline()
        stream.seek(0)
        if mallet.is_shares(first):
            return mallet.read_shares(stream, path.name, num_topics)
    return tables.read_shares_table(path, num_topics)


def _head(path: Path) -> bytes:
    """Return the first bytes of a file that is no pickle."""
    head = first_bytes(path)
    if head.startswith(_PICKLE_HEADS) or (path.suffix in _PICKLES and not head.isascii()):
        raise CorpusError(
            f"{path} is a pickle, which can run arbitrary code and is never loaded; export it where it was "
            "made: "
            "import numpy as np; np.savez('topics.npz', beta=model.components_ or model.get_topics(), "
            "vocabulary=np.array(words, dtype=str)), or see docs/comparing.md"
        )
    return head


def _read_tomotopy(path: Path) -> ImportedModel:
    try:
        import tomotopy
    except ImportError:
        raise ConfigError(f"{path} is a tomotopy model; to read it, pip install 'lda-app[compare]'") from None
    try:
        return from_tomotopy(tomotopy.LDAModel.load(str(path)), name=path.name)
    except (OSError, RuntimeError, ValueError) as error:
        raise CorpusError(f"{path}: tomotopy cannot read this file: {error}") from None
