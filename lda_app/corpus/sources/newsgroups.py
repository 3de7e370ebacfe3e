"""The 20 Newsgroups corpus, as scikit-learn fetches and caches it."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lda_app.corpus.documents import Document
from lda_app.corpus.sources.base import BaseSource
from lda_app.errors import CorpusError
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE_FILE = "20news-bydate_py3.pkz"


def is_cached() -> bool:
    """Tell whether scikit-learn has fetched the corpus before."""
    home = os.environ.get("SCIKIT_LEARN_DATA", "~/scikit_learn_data")
    return (Path(home).expanduser() / CACHE_FILE).is_file()


class NewsgroupsSource(BaseSource):
    """18,846 messages with their group as metadata, split by date into train and test.

    Parameters
    ----------
    remove
        Parts of a message that are left out: they give its group away, or are another's words.

    Notes
    -----
    The data are looked for below SCIKIT_LEARN_DATA (default ``~/scikit_learn_data``) and else downloaded
    by scikit-learn, 14 MB. An id such as ``rec.autos/101551`` is the group and the message's file name.
    """

    def __init__(self, remove: tuple[str, ...] = ("headers", "footers", "quotes")) -> None:
        super().__init__("20newsgroups")
        self.columns = ("id", "newsgroup", "text")
        self.remove = remove

    def _read(self) -> Iterator[Document]:
        yield from self._documents

    def describe(self) -> dict[str, Any]:
        """Name the parts removed, the number of messages, and one hash of all texts."""
        digest = hashlib.sha256()
        for document in self._documents:
            digest.update(f"{document.split}\t{document.id}\t{document.text}\0".encode())
        return {
            "kind": self.name,
            "remove": list(self.remove),
            "num_documents": len(self._documents),
            "sha256": digest.hexdigest(),
        }

    @functools.cached_property
    def _documents(self) -> list[Document]:
        return [document for split in ("train", "test") for document in self._split(split)]

    def _split(self, split: str) -> Iterator[Document]:
        bunch = _fetch(split, self.remove)
        for text, path, label in zip(bunch.data, bunch.filenames, bunch.target, strict=True):
            group = bunch.target_names[label]
            name = f"{group}/{path.replace(chr(92), '/').rpartition('/')[2]}"
            yield Document(name, text.replace("\0", ""), split, {"newsgroup": group}, place=name)


def _fetch(subset: str, remove: tuple[str, ...]) -> Any:
    """Return scikit-learn's bunch from its cache or else the network; what it prints goes to stderr."""
    from sklearn.datasets import fetch_20newsgroups, get_data_home

    fetch = functools.partial(fetch_20newsgroups, subset=subset, remove=remove, shuffle=False)
    with contextlib.redirect_stdout(sys.stderr):
        try:
            return fetch(download_if_missing=False)
        except OSError:
            log.info("20newsgroups: not found in %s; downloading 14 MB", get_data_home())
        try:
            return fetch(n_retries=1)
        except (OSError, EOFError) as error:
            raise CorpusError(
                f"20newsgroups: download failed ({error}); "
                f"set SCIKIT_LEARN_DATA to a folder that contains {CACHE_FILE}"
            ) from error
