"""One HTML file of the page's parts: style, script and data inside, nothing from anywhere else.

What comes from the corpus is data alone. A Content-Security-Policy lets the browser run the page's own script
and style, known by their hashes, and load nothing; the data are JSON in which no character begins an element.
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
"""In the order in which the page has them; each may use what those before it define."""
_SERVED = {"store.js": "served.js"}  # where the page stands alone → from the server
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def page_of(model: ModelDir, corpus: Corpus, wanted: Wanted) -> bytes:
    """Return the page of a model as a file.

    Parameters
    ----------
    model
        A trained model.
    corpus
        The one that it was trained on.
    wanted
        How much of the corpus the page carries.
    """
    parts = report_parts(model, corpus, wanted)
    return assemble(parts, f"{corpus.name}: {model.lda.topics.num_topics} topics").encode()


def assemble(parts: Mapping[str, str], title: str, *, served: bool = False) -> str:
    """Put the page together.

    Parameters
    ----------
    parts
        By `lda_app.report.data.report_parts`.
    title
        Of the window.
    served
        Whether the page asks the server that it came from for documents, and gives it labels.

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
    """Return the Content-Security-Policy of a page with this style and script.

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
