"""Access control: only the page served by this server, opened with its secret address, gets a response."""

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
    """Middleware that rejects requests not made by the page.

    - The Host must be this machine's own name, which defeats DNS rebinding.
    - Origin and Sec-Fetch-Site must be the page's own; other sites can send requests but cannot forge these.
    - The token must be present; other users of the machine can reach the port but do not know it.

    Parameters
    ----------
    app
        Application to protect.
    token
        Secret token, sent in the page's address and in a header of its requests.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""

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
            return "this server accepts requests only at its own address"
        origin = headers.get("origin")
        if origin not in (None, f"http://{host}") or (origin is None and request.method != "GET"):
            return "the request came from another site"
        if not (is_page or headers.get("sec-fetch-site", "same-origin") == "same-origin"):
            return "the request came from another site"
        given = request.query_params.get("token", "") if is_page else headers.get(TOKEN_HEADER, "")
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            return "open the address that lda-app serve printed"
        return None
