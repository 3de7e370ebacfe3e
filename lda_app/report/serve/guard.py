"""Who is answered: the page that the server itself gave out, in the browser of who has its address."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from lda_app.report.serve.answers import refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "127.0.0.1"
TOKEN_HEADER = "X-Lda-App-Token"  # noqa: S105 - the header's name
_NAMES = (HOST, "localhost")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Refuses what does not come from the page, before anything is done.

    - The Host must be this machine's own name: a site whose name was made to lead here has another.
    - Origin and Sec-Fetch-Site must be the page's own: other sites may send, but not pretend.
    - The token must be there: other users of the machine reach the port, but do not know it.

    Parameters
    ----------
    app
        What is guarded.
    token
        In the page's address, and in a header of whatever it asks for.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        if scope["type"] != "http":
            return
        reason = self._reason_to_refuse(Request(scope))
        app = self._app if reason is None else refusal(403, reason)
        await app(scope, receive, send_guarded)

    def _reason_to_refuse(self, request: Request) -> str | None:
        headers, is_page = request.headers, request.url.path == "/"
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or host.partition(":")[0] not in _NAMES:
            return "this server answers to its own address alone"
        origin = headers.get("origin")
        if origin not in (None, f"http://{host}") or (origin is None and request.method != "GET"):
            return "asked by another site"
        if not (is_page or headers.get("sec-fetch-site", "same-origin") == "same-origin"):
            return "asked by another site"
        given = request.query_params.get("token", "") if is_page else headers.get(TOKEN_HEADER, "")
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            return "open the address that lda-app serve has printed"
        return None
