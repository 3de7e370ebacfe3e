"""Documentation strings to prose: code, formulas and the marks of reStructuredText are taken out."""

from __future__ import annotations

import inspect
import re

# Sections of numpydoc and Google style that hold no prose.
_SKIPPED_SECTIONS = frozenset({"example", "examples", "references", "see also"})
# Directives whose body is prose; that of all others (code, math, plots, tables of links) is not.
_PROSE_DIRECTIVES = frozenset(
    {"note", "warning", "tip", "hint", "caution", "important", "admonition", "seealso", "versionadded",
     "versionchanged", "deprecated", "rubric", "topic"}
)  # fmt: skip

_DIRECTIVE = re.compile(r"\.\. +([\w:-]+?)::(.*)")
_UNDERLINE = re.compile(r"([-=~^*#+`])\1{2,}")
_GOOGLE_EXAMPLE = re.compile(r"examples?( usage)?\s*:{1,2}", re.IGNORECASE)
_INLINE = (
    (re.compile(r"^\s*([-=~^*#+`])\1{2,}\s*$", re.MULTILINE), ""),
    (re.compile(r":math:`[^`]*`|\$\$?[^$]+\$\$?", re.DOTALL), " "),
    (re.compile(r"\\[A-Za-z]+|%\(\w+\)s"), " "),
    (re.compile(r"https?://\S+|\[\w+\]_"), " "),
    (re.compile(r":[\w:+.-]+:`[~!]?([^`<]*)(?:<[^`>]*>)?`"), r"\1"),
    (re.compile(r"`+([^`<]*)(?:<[^`>]*>)?`+_{0,2}"), r"\1"),
    (re.compile(r"^\s*:(?:type|rtype)\b.*$", re.MULTILINE), ""),
    (
        re.compile(r"^(\s*):(?:param|arg|ivar|cvar|returns?|raises|keyword)\b([^:\n]*):", re.MULTILINE),
        r"\1\2 ",
    ),
    (re.compile(r"\*\*?(\w[^*\n]*?)\*\*?"), r"\1"),
)


def prose(docstring: str) -> str:
    r"""Return what a documentation string says in words, its lines and paragraphs kept.

    Left out: doctests, literal blocks, directives of code and formulas, fenced blocks, sections of examples,
    references and links, headings of sections, roles, URLs.

    Examples
    --------
    >>> print(prose('''Return the :class:`~numpy.matrix` of *a*.
    ...
    ... Parameters
    ... ----------
    ... a : int
    ...     A number, as in::
    ...
    ...         f(1)
    ...
    ... Examples
    ... --------
    ... >>> f(2)
    ... '''))
    Return the numpy.matrix of a.
    <BLANKLINE>
    a : int
        A number, as in:
    """
    encodable = docstring.encode("utf-8", "replace").decode().replace("\0", "")  # escapes can write anything
    text = "\n".join(_prose_lines(inspect.cleandoc(encodable).split("\n")))
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    text = re.sub(r"(?<=\S) {2,}", " ", text)
    return re.sub(r"\n\s*\n\s*", "\n\n", text).strip()


def _prose_lines(lines: list[str]) -> list[str]:
    kept = []
    at = 0
    while at < len(lines):
        line, at = _passage(lines, at)
        kept.append(line)
    return kept


def _passage(lines: list[str], at: int) -> tuple[str, int]:
    """Return what is kept of line `at`, and where to go on: on the next line, or after the code it begins."""
    line = lines[at].rstrip()
    end = _end_of_code(lines, at)
    if end is not None:
        return "", end
    if line.lstrip().startswith(".. "):
        return _directive(lines, at)
    if line.endswith("::"):
        return line[:-1], _end_of_block(lines, at)
    return line, at + 1


def _end_of_code(lines: list[str], at: int) -> int | None:
    """Return the line after the heading, section, doctest, fence or example that begins at `at`, or None."""
    start = lines[at].strip()
    if _is_heading(lines, at):
        return _next_section(lines, at + 2) if start.lower() in _SKIPPED_SECTIONS else at + 2
    if start.startswith(">>>"):
        return _end_of_paragraph(lines, at)
    if start.startswith("```"):
        return _end_of_fence(lines, at)
    return _end_of_block(lines, at) if _GOOGLE_EXAMPLE.fullmatch(start) else None


def _directive(lines: list[str], at: int) -> tuple[str, int]:
    """Keep a note's first line and go on in its body; pass over code, formulas, comments and footnotes."""
    directive = _DIRECTIVE.match(lines[at].lstrip())
    if directive is None or directive[1] not in _PROSE_DIRECTIVES:
        return "", _end_of_block(lines, at)
    is_version = directive[1].startswith(("version", "deprecated"))
    return "" if is_version else directive[2], at + 1


def _is_heading(lines: list[str], at: int) -> bool:
    following = lines[at + 1].strip() if at + 1 < len(lines) else ""
    return bool(lines[at].strip()) and bool(_UNDERLINE.fullmatch(following))


def _next_section(lines: list[str], at: int) -> int:
    while at < len(lines) and not _is_heading(lines, at):
        at += 1
    return at


def _end_of_paragraph(lines: list[str], at: int) -> int:
    while at < len(lines) and lines[at].strip():
        at += 1
    return at


def _end_of_fence(lines: list[str], at: int) -> int:
    """Return the line after the closing fence; without one, only the opening line goes."""
    for end in range(at + 1, len(lines)):
        if lines[end].lstrip().startswith("```"):
            return end + 1
    return at + 1


def _end_of_block(lines: list[str], at: int) -> int:
    """Return the line after the block that is indented deeper than line `at`."""
    depth = _depth(lines[at])
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or _depth(lines[end]) > depth):
        end += 1
    return end


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
