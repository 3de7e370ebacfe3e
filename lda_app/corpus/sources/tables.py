"""Tables of documents: a row each, one column the text, the others kept as metadata."""

from __future__ import annotations

from collections import Counter

from lda_app.corpus.documents import Document
from lda_app.corpus.sources.base import quoted
from lda_app.corpus.sources.files import FileSource
from lda_app.errors import CorpusError

# Names that a column of texts commonly has; used where no --text-column is given.
TEXT_COLUMNS = (
    "text", "content", "body", "document", "message", "abstract", "review", "comment", "description",
    "article", "post", "tweet", "sentence",
)  # fmt: skip


class TableSource(FileSource):
    """Rows of a table whose columns have names."""

    def take_header(self, header: list[str]) -> None:
        """Note the columns, and which of them hold text and id.

        Raises
        ------
        CorpusError
            If a name is there twice, or the column of the text or the id is not there.
        """
        repeated = [name for name, count in Counter(header).items() if count > 1]
        if repeated:
            raise CorpusError(f"{self.name}:1: duplicate column name {quoted(repeated[0])}; rename one")
        text_column = self._text_column(header)
        self._column(header, self.options.id_column)
        self.columns, self.text_column = tuple(header), header[text_column]
        self.id_column = self.options.id_column

    def document(self, row: dict[str, str], number: int, place: str) -> Document:
        """Make the document of a row, which may be changed."""
        text = str(row.pop(self.text_column))  # an empty cell, too, is a text
        key = str(number) if self.id_column is None else str(row.pop(self.id_column))
        return Document(key, text, metadata=row, place=place)

    def _column(self, header: list[str], name: str | None) -> int | None:
        if name is None:
            return None
        if name not in header:
            raise CorpusError(f"{self.name}: no column {quoted(name)}; the columns are {_listed(header)}")
        return header.index(name)

    def _text_column(self, header: list[str]) -> int:
        given = self._column(header, self.options.text_column)
        if given is not None:
            return given
        likely = [column for column, name in enumerate(header) if name.strip().lower() in TEXT_COLUMNS]
        candidates = [0] if len(header) == 1 else likely
        if len(candidates) != 1:
            columns = _listed(header)
            raise CorpusError(
                f"{self.name}: set --text-column to the column with the text; the columns are {columns}"
            )
        return candidates[0]


def _listed(names: list[str]) -> str:
    shown = ", ".join(quoted(name) for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")
