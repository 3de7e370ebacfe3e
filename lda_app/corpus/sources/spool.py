"""Standard input and pipes, kept in a temporary file so that they can be read twice."""

from __future__ import annotations

import shutil
import sys
import tempfile
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lda_app.corpus.sources.text_file import TextFile
from lda_app.errors import CorpusError, FileSystemError
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from lda_app.corpus.options import SourceOptions


def spooled_stdin(options: SourceOptions) -> TextFile:
    """Read standard input to its end into a temporary file, removed with the last reference to the result.

    Raises
    ------
    CorpusError
        It is closed or empty.
    FileSystemError
        There is no space for the temporary file.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise CorpusError("standard input is closed; pipe the documents into the command, or give a file")
    if sys.stdin.isatty():
        log.info("reading documents from the terminal; press Ctrl-D to finish")
    return spooled(sys.stdin.buffer, "standard input", options)


def spooled(stream: IO[bytes], name: str, options: SourceOptions) -> TextFile:
    """Read a stream to its end into a temporary file; errors as of `spooled_stdin`."""
    try:
        with tempfile.NamedTemporaryFile(prefix="lda-app-", delete=False) as copy:
            path = Path(copy.name)
            file = TextFile(path, name, options.encoding, options.encoding_errors)
            weakref.finalize(file, path.unlink, missing_ok=True)
            shutil.copyfileobj(stream, copy)
    except OSError as error:
        raise FileSystemError(
            f"{name}: cannot make a temporary copy ({error}); set TMPDIR to a folder with free space"
        ) from error
    if not path.stat().st_size:
        raise CorpusError(f"{name} is empty")
    return file
