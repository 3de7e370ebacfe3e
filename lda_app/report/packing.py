"""Compact encodings of numbers and texts for embedding in a page."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lda_app.fitted.inference import FloatArray

LEVELS = 255


def as_json(content: Any) -> str:
    r"""Write compact JSON that cannot open or close an HTML element.

    ``<``, ``>``, ``&`` and the line separators U+2028 and U+2029 are escaped.

    Examples
    --------
    >>> as_json({"word": "</script>"})
    '{"word":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    # A lone surrogate is valid in JSON but not in UTF-8.
    return text.encode("utf-8", "backslashreplace").decode()


def packed(content: bytes) -> str:
    """Deflate bytes and encode them in base64.

    Examples
    --------
    >>> zlib.decompress(base64.b64decode(packed(b"orbit " * 9))).decode().split()[0]
    'orbit'
    """
    return base64.b64encode(zlib.compress(content, 9)).decode()


def packed_json(content: Any) -> str:
    """Encode content as deflated JSON in base64."""
    return packed(as_json(content).encode())


def quantized_logs(values: FloatArray) -> tuple[bytes, float, float]:
    """Quantize positive numbers to one byte each, evenly on a logarithmic scale.

    Returns
    -------
    levels, lowest, highest
        The bytes in row-major order, and the natural logarithms that 0 and `LEVELS` represent.

    Examples
    --------
    >>> levels, lowest, highest = quantized_logs(np.array([[1.0, np.exp(-1.0)]]))
    >>> list(levels), lowest, highest
    ([255, 0], -1.0, 0.0)
    """
    logs = np.log(np.asarray(values, dtype=np.float64))
    lowest, highest = float(logs.min()), float(logs.max())
    step = (highest - lowest) / LEVELS or 1.0
    return np.rint((logs - lowest) / step).astype(np.uint8).tobytes(), lowest, highest
