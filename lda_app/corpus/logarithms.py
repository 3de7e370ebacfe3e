"""Logarithms of counts that are the same on every processor.

The logarithms of numpy and of the C library may differ in the last digit between processors, and a comparison
with a threshold can turn on that digit. Decimal arithmetic is done in software, so it cannot.
"""

from decimal import Context, Decimal
from functools import lru_cache

EXACT = Context(prec=30)
"""The decimal context for these logarithms: 30 digits."""


@lru_cache(maxsize=2**16)
def log_count(count: int) -> Decimal:
    """Return the natural logarithm of a count to 30 digits.

    Parameters
    ----------
    count
        At least 1.

    Examples
    --------
    >>> log_count(2)
    Decimal('0.693147180559945309417232121458')
    """
    return EXACT.ln(Decimal(count))
