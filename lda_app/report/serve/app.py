"""The web server: routes, request parsing, and listening on this machine only."""

from __future__ import annotations

import json
import logging
import math
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from lda_app.errors import ConfigError, FolderError, LdaAppError
from lda_app.report.data import Wanted, report_parts
from lda_app.report.serve.answers import answer, refusal
from lda_app.report.serve.editor import ConflictError, LabelEditor
from lda_app.report.serve.guard import HOST, Guard
from lda_app.report.serve.library import open_library
from lda_app.report.serve.search import Query, QuestionError
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.report.serve.library import Library

MOST_SENT = 4_000_000
"""Maximum size of a labels request, in bytes."""
_LONGEST_WORDS = 500


def application(model: ModelDir, corpus: Corpus, token: str) -> Starlette:
    """Compute the page's data, infer the topics of all documents, and return the web application.

    Parameters
    ----------
    model
        A trained model; labels are written to its folder.
    corpus
        The corpus that it was trained on.
    token
        Secret token required by every request.
    """
    data = report_parts(model, corpus, Wanted(documents=0))["data"]
    return _answers(open_library(model, corpus), LabelEditor(model, data, token), token)


def _answers(library: Library, editor: LabelEditor, token: str) -> Starlette:
    """Build the application and its routes."""
    questions: dict[str, Callable[[Request], Any]] = {
        "about": lambda _: library.about(),
        "search": lambda request: library.search(_query(request), _number(request, "cursor") or 0),
        "documents": lambda request: library.listed(_numbers(request, "rows")),
        "document": lambda request: library.document(_row(request)),
        "text": lambda request: library.text(_row(request)),
        "representative": lambda request: library.representative(_required(request, "topic")),
        "questions": lambda _: library.questions(),
    }
    routes = [Route(f"/api/{name}", _answering(ask)) for name, ask in questions.items()]
    routes.append(Route("/", lambda _: HTMLResponse(editor.page())))
    routes.append(Route("/api/labels", _taking(editor), methods=["POST"]))
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={
            QuestionError: lambda _, error: refusal(400, str(error)),
            FolderError: lambda _, error: refusal(400, str(error)),
            ConflictError: lambda _, error: refusal(409, str(error)),
            HTTPException: _refuse,
            LdaAppError: _fail,
            Exception: _fail,
        },
    )


def _answering(ask: Callable[[Request], Any]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        return answer(ask(request))

    return endpoint


def _taking(editor: LabelEditor) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        if request.headers.get("content-type") != "application/json":
            raise HTTPException(415, "expected application/json")
        content = await _body(request)
        try:
            given = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise QuestionError(f"not JSON: {error}") from None
        await run_in_threadpool(editor.save, given)
        return answer({"saved": True})

    return endpoint


async def _body(request: Request) -> bytes:
    """Read the request body, up to the size limit."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MOST_SENT:
            raise HTTPException(413, f"the request has more than {MOST_SENT} bytes")
    return content


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refusal(error.status_code, error.detail)


async def _fail(request: Request, error: Exception) -> Response:
    log.error("%s: %s", request.url.path, error)
    is_known = isinstance(error, LdaAppError)
    return refusal(500, str(error) if is_known else "internal server error; see the terminal for details")


def _query(request: Request) -> Query:
    given = request.query_params
    words = given.get("words", "")
    if len(words) > _LONGEST_WORDS:
        raise QuestionError(f"a search can have at most {_LONGEST_WORDS} characters")
    column, value = given.get("column"), given.get("value")
    return Query(words, _number(request, "topic"), _share(given.get("least", "0")), column, value)


def _share(given: str) -> float:
    try:
        share = float(given)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise QuestionError(f"expected a share from 0 to 1, got {given!r}")
    return share


def _number(request: Request, name: str) -> int | None:
    """Read a whole number, or return None if it is missing."""
    given = request.query_params.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 12):
        raise QuestionError(f"{name}: expected a whole number, got {given!r}")
    return int(given)


def _required(request: Request, name: str) -> int:
    number = _number(request, name)
    if number is None:
        raise QuestionError(f"{name} is missing")
    return number


def _row(request: Request) -> int:
    return _required(request, "row")


def _numbers(request: Request, name: str) -> list[int]:
    given = request.query_params.get(name, "")
    try:
        return [int(number) for number in given.split(",") if number]
    except ValueError:
        raise QuestionError(f"{name}: expected whole numbers separated by commas, got {given!r}") from None


def listen(port: int) -> socket.socket:
    """Open a port that only this machine can reach; 0 picks a free one.

    Raises
    ------
    ConfigError
        If the port cannot be opened.
    """
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise ConfigError(f"--port {port}: {error.strerror}; choose another, or 0 for a free port") from None


def serve(app: Starlette, opened: socket.socket) -> None:
    """Serve requests until a signal stops the server; SIGINT raises KeyboardInterrupt.

    Parameters
    ----------
    app
        Result of :func:`application`.
    opened
        Result of :func:`listen`.
    """
    level = "debug" if log.isEnabledFor(logging.DEBUG) else "critical"
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=level,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[opened])
