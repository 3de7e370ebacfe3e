"""JSON responses of the server."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from lda_app.report.packing import as_json


def answer(content: Any, status: int = 200) -> Response:
    """Return content as a JSON response."""
    return Response(as_json(content), status, media_type="application/json")


def refusal(status: int, reason: str) -> Response:
    """Return an error response with a reason.

    Examples
    --------
    >>> refusal(400, "there is no topic 9").body
    b'{"error":"there is no topic 9"}'
    """
    return answer({"error": reason}, status)
