"""The analyst's own lists: stop words, words to keep or to drop, and replacements."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lda_app.errors import ConfigError, CorpusError
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from lda_app.corpus.options import WordList

_LISTS = ("default", "none")


def stop_words(given: str | WordList | None) -> tuple[str | tuple[str, ...], tuple[str, ...]]:
    """Read which words to leave out: ``default``, ``none``, words, files of words, or several of them.

    Returns
    -------
    listed, more
        What :class:`~lda_app.corpus.tokenize.TokenizerOptions` takes as stop words, and words beside it.

    Examples
    --------
    >>> stop_words("none"), stop_words(["the", "a"]), stop_words([Path("default"), "inc"])
    (('none', ()), (('a', 'the'), ()), ('default', ('inc',)))
    """
    items = _items("default" if given is None else given)
    named = [str(item) for item in items if str(item) in _LISTS]
    files = [item for item in items if isinstance(item, Path) and str(item) not in _LISTS]
    rest = {item for item in items if isinstance(item, str) and item not in _LISTS}
    if len(set(named)) > 1:
        raise ConfigError("--stop-words none and default exclude each other; give only one")
    own = tuple(sorted(rest.union(*map(read_stop_words, files))))
    return (named[0], own) if named else (own, ())


def words(given: WordList | None, flag: str) -> tuple[str, ...]:
    """Read words, given themselves or by files of them; ``flag`` is the option, for messages.

    Examples
    --------
    >>> words(["us", "R"], "--keep-words"), words(None, "--keep-words")
    (('R', 'us'), ())
    """
    items = () if given is None else _items(given)
    own = {item for item in items if isinstance(item, str)}
    return tuple(sorted(own.union(*(read_words(item, flag) for item in items if isinstance(item, Path)))))


def replacements(given: Mapping[str, str] | Path | None) -> tuple[tuple[str, str], ...]:
    """Read what to put in the place of texts, given itself or by a file.

    Examples
    --------
    >>> replacements({"C++": "cplusplus"})
    (('C++', 'cplusplus'),)
    """
    if isinstance(given, Path):
        return read_replacements(given)
    if given is not None and not isinstance(given, Mapping):
        raise ConfigError(f"replace takes a dict of texts, or a file as pathlib.Path, got {given!r}")
    if not all(isinstance(a, str) and a.strip() and isinstance(b, str) for a, b in (given or {}).items()):
        raise ConfigError("replace takes a dict of texts: what to replace, and what takes its place")
    return tuple(sorted((given or {}).items()))


def _items(given: str | WordList) -> tuple[str | Path, ...]:
    """Return single words and files as a list of one; refuse what is no list of words."""
    if isinstance(given, str) and given not in _LISTS:
        raise ConfigError(f"give a list of words, or a file as pathlib.Path, instead of the text {given!r}")
    if not isinstance(given, str | Path | Iterable):
        raise ConfigError(f"expected a list of words or a file of words (pathlib.Path), got {given!r}")
    items = (given,) if isinstance(given, str | Path) else tuple(given)
    for item in items:
        if not isinstance(item, str | Path):
            raise ConfigError(f"a word list must contain words or files (pathlib.Path), got {item!r}")
    return items


def read_stop_words(path: Path) -> tuple[str, ...]:
    r"""Read the user's stop words, separated by white space; a line that begins with ``#`` is a comment.

    An empty file is warned of.

    Raises
    ------
    CorpusError
        If the file cannot be read or is not UTF-8.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "stop.txt"
    >>> _ = path.write_text("# articles\nthe a an\n")
    >>> read_stop_words(path)
    ('a', 'an', 'the')
    """
    lines = _lines(path, "stop words", "; --stop-words takes default, none, or a file")
    words = {word for line in lines for word in line.split()}
    if not words:
        log.warning("%s contains no stop words; every word is counted", path)
    return tuple(sorted(words))


def read_words(path: Path, flag: str) -> tuple[str, ...]:
    r"""Read words separated by white space; a line that begins with ``#`` is a comment.

    Parameters
    ----------
    path
        The file.
    flag
        The option that named it, for messages.

    Raises
    ------
    CorpusError
        If the file cannot be read, is not UTF-8, or holds no word.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "keep.txt"
    >>> _ = path.write_text("us it\nR\n")
    >>> read_words(path, "--keep-words")
    ('R', 'it', 'us')
    """
    words = {word for line in _lines(path, f"words of {flag}") for word in line.split()}
    if not words:
        raise CorpusError(f"{path} contains no words; {flag} needs a file with one word per line")
    return tuple(sorted(words))


def read_replacements(path: Path) -> tuple[tuple[str, str], ...]:
    r"""Read what to replace: two columns, separated by a tab or a comma, the text and what takes its place.

    A right side may be empty. A line that begins with ``#`` is a comment.

    Raises
    ------
    CorpusError
        If the file cannot be read, or a line has no two columns, no left side, or that of an earlier line.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "replace.csv"
    >>> _ = path.write_text("C++,cplusplus\nunited states of america,usa\n")
    >>> read_replacements(path)
    (('C++', 'cplusplus'), ('united states of america', 'usa'))
    """
    found: dict[str, str] = {}
    for number, line in enumerate(_lines(path, "replacements", keep_blank=True), start=1):
        if not line.strip():
            continue
        cells = next(csv.reader([line], delimiter="\t" if "\t" in line else ","))
        if len(cells) != 2 or not cells[0].strip():
            raise CorpusError(
                f"{path}:{number}: expected two columns, the text and its replacement, got {line!r}"
            )
        left = " ".join(cells[0].split())
        if left in found:
            raise CorpusError(
                f"{path}:{number}: {left!r} already has a replacement in an earlier line; remove one"
            )
        found[left] = " ".join(cells[1].split())
    if not found:
        raise CorpusError(f"{path} contains no replacements; --replace needs a file with two columns")
    return tuple(sorted(found.items()))


def _lines(path: Path, what: str, hint: str = "", *, keep_blank: bool = False) -> list[str]:
    """Return the lines that are no comments; blank ones in the place of comments if these count."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: byte {error.start} is not UTF-8; save the {what} as UTF-8") from error
    except OSError as error:
        raise CorpusError(f"{path}: cannot read the {what}: {error.strerror}{hint}") from error
    kept = ["" if line.startswith("#") else line for line in lines]
    return kept if keep_blank else [line for line in kept if line]
