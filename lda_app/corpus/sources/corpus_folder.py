"""The texts of a corpus folder, as a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lda_app.corpus.options import SourceOptions
from lda_app.corpus.sources.base import BaseSource
from lda_app.corpus.sources.parquet import ParquetSource
from lda_app.corpus.sources.text_file import TextFile
from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lda_app.corpus.documents import Document
    from lda_app.corpus.folder import Corpus
    from lda_app.corpus.preprocess import PreprocessOptions


class StoredSource(BaseSource):
    """The documents of all splits of a corpus folder, in order.

    Parameters
    ----------
    corpus
        A corpus that keeps its texts.

    Raises
    ------
    CorpusError
        If it has no texts, or was counted elsewhere.
    """

    def __init__(self, corpus: Corpus) -> None:
        super().__init__(corpus.name)
        self.corpus = corpus
        if corpus.preprocessor is None:
            raise CorpusError(f"{corpus.path}: made from imported counts, so there are no texts to examine")
        if not corpus.manifest["options"]["texts"]:
            raise CorpusError(f"{corpus.path} was built with --no-texts; give the texts themselves")
        self.options: PreprocessOptions = corpus.preprocessor.options

    def _read(self) -> Iterator[Document]:
        options = SourceOptions(text_column="text", id_column="id")
        for split in self.corpus.splits:
            path = self.corpus.path / f"documents-{split}.parquet"
            yield from ParquetSource(TextFile(path, path.name), options)

    def describe(self) -> dict[str, Any]:
        """Name the corpus."""
        return {"kind": "corpus", "name": self.name, "fingerprint": self.corpus.fingerprint}
