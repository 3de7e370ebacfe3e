"""Documents in JSON lines: an object a line, the other keys kept as metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lda_app.corpus.documents import Document, JsonText
from lda_app.corpus.sources.base import quoted
from lda_app.corpus.sources.files import TextSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lda_app.corpus.options import SourceOptions
    from lda_app.corpus.sources.text_file import TextFile


class JsonLinesSource(TextSource):
    """Objects with a text each, by default of the key ``text``; of a key given twice the last counts."""

    format = "jsonl"
    options_used = ("text_column", "id_column", "skip_bad_lines")

    def __init__(self, file: TextFile, options: SourceOptions) -> None:
        super().__init__(file, options)
        self.columns = ()
        self.text_column = options.text_column or "text"
        self.id_column = options.id_column
        self._known_keys: set[str] = set()

    def _documents(self, lines: Iterator[str]) -> Iterator[Document]:
        number = 0
        for line_number, line in enumerate(lines, start=1):
            if line.isspace() or not line:
                self.warnings["blank lines skipped"] += 1
                continue
            number += 1
            place = f"{self.name}:{line_number}"
            try:
                document = self._document(line, str(number), place)
            except ValueError as error:
                self.bad_line(place, str(error))
                continue
            yield document

    def _document(self, line: str, number: str, place: str) -> Document:
        """Parse a line; ValueError says what is wrong with it."""
        row = self._parsed(line)
        self._note_keys(row)
        text = _taken(row, self.text_column, "--text-column")
        if not isinstance(text, str):
            raise ValueError(f"the text must be a string, got {_shortened(text)}")  # noqa: TRY004  bad data
        key = number
        if self.id_column is not None:
            value = _taken(row, self.id_column, "--id-column")
            if value is None:
                raise ValueError(f"the ID {self.id_column!r} is null")
            key = _as_text(value)
        own = (self.text_column, self.id_column)
        metadata = {name: _as_text(value) for name, value in row.items() if name not in own}
        return Document(key, text, metadata=metadata, place=place)

    def _note_keys(self, row: dict[str, Any]) -> None:
        new = row.keys() - self._known_keys
        if new:
            self.columns += tuple(key for key in row if key in new)
            self._known_keys |= new

    def _parsed(self, line: str) -> dict[str, Any]:
        try:
            row: Any = json.loads(line)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"invalid JSON: {error.msg} at column {error.colno}") from None
        if not isinstance(row, dict):
            raise ValueError(f"expected one JSON object per line, got {_shortened(row)}")  # noqa: TRY004  bad data
        mended: dict[str, Any] = self._without_oddities(row) if "\\u" in line else row
        return mended

    def _without_oddities(self, value: Any) -> Any:
        r"""Mend what ``\u`` escapes smuggle in: NUL, and half a surrogate pair, which no file can hold."""
        if isinstance(value, dict):
            return {self._without_oddities(key): self._without_oddities(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._without_oddities(item) for item in value]
        if not isinstance(value, str):
            return value
        if "\0" in value:
            self.warnings["NUL characters dropped"] += value.count("\0")
            value = value.replace("\0", "")
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if whole != value:
            self.warnings["texts with an unpaired surrogate, repaired"] += 1
        return whole


def _taken(row: dict[str, Any], key: str, option: str) -> Any:
    if key not in row:
        keys = ", ".join(quoted(name) for name in list(row)[:20])
        raise ValueError(f"no key {quoted(key)} (give {option}); the keys are {keys}")
    return row[key]


def _as_text(value: Any) -> str:
    """Return a string as it is, null as the empty string, all else as JSON."""
    return value if isinstance(value, str) else JsonText.of(value)


def _shortened(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 40 else shown[:37] + "..."
