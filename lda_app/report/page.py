"""Assemble the page into one HTML file that contains its style, script and data and loads nothing else.

Everything from the corpus is treated as data only. A Content-Security-Policy lets the browser run only the
page's own script and style, identified by hash, and load nothing. The JSON data contain no character that
HTML interprets.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from importlib.resources import files
from typing import TYPE_CHECKING

from lda_app.report.data import report_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.report.data import Wanted

SCRIPTS = (
    "dom.js",
    "format.js",
    "reader.js",
    "store.js",
    "edits.js",
    "figures.js",
    "overview.js",
    "map.js",
    "topic.js",
    "documents.js",
    "groups.js",
    "quality.js",
    "edit.js",
    "quiz.js",
    "main.js",
)
"""Scripts in page order; each may use what earlier ones define."""
_SERVED = {"store.js": "served.js"}  # standalone page → served page
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def page_of(model: ModelDir, corpus: Corpus, wanted: Wanted) -> bytes:
    """Return the report page of a model as UTF-8 bytes.

    Parameters
    ----------
    model
        A trained model.
    corpus
        The corpus that it was trained on.
    wanted
        What to include of the corpus.
    """
    parts = report_parts(model, corpus, wanted)
    return assemble(parts, f"{corpus.name}: {model.lda.topics.num_topics} topics").encode()


def assemble(parts: Mapping[str, str], title: str, *, served: bool = False) -> str:
    """Assemble the page.

    Parameters
    ----------
    parts
        Result of `lda_app.report.data.report_parts`.
    title
        Window title.
    served
        Whether the page loads documents from, and saves labels to, the server that serves it.

    Examples
    --------
    >>> page = assemble({"data": "{}"}, "<b>news</b>")
    >>> "<title>&lt;b&gt;news&lt;/b&gt;" in page, "default-src &#x27;none&#x27;" in page
    (True, True)
    """
    style = asset("style.css")
    names = (_SERVED.get(name, name) if served else name for name in SCRIPTS)
    script = '"use strict";\n' + "\n".join(asset(name) for name in names)
    values = {
        "title": html.escape(title),
        "policy": html.escape(policy(style, script, "'self'" if served else "'none'")),
        "style": style,
        "script": script,
        **{name: parts.get(name, "") for name in ("data", "documents", "texts", "beta")},
    }
    return _PLACE.sub(lambda match: values[match[1]], asset("page.html"))


def policy(style: str, script: str, connect: str = "'none'") -> str:
    """Return the Content-Security-Policy for a page with this style and script.

    Examples
    --------
    >>> policy("", "").split("; ")[0]
    "default-src 'none'"
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            f"connect-src {connect}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


def asset(name: str) -> str:
    """Read a source file of the page."""
    return (files("lda_app.report") / "assets" / name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
