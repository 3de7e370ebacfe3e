r"""∂ log z/∂a of Gamma samples to 50 digits, with nothing but the standard library's decimal numbers.

    P(a, z) = z^a e^{-z} / Γ(a + 1) Σ_n z^n / (a + 1)_n

converges for all z, if slowly. In 70 digits it needs no second formula: what it loses where P is nearly 1 it
can afford. The logarithm's derivative ψ comes from its recurrence and its asymptotic series.
"""

from decimal import Decimal, localcontext
from functools import cache
from math import factorial

from lda_app.gradients.expansion import bernoulli_series

_DIGITS = 70
_TOLERANCE = Decimal(10) ** -60
_ASYMPTOTIC_FROM, _ASYMPTOTIC_TERMS = 50, 40


def exact_log_gamma_slope(a: float, log_z: float) -> Decimal:
    """Return ∂ log z/∂a of z ~ Gamma(a, 1) at a fixed quantile.

    Parameters
    ----------
    a
        The concentration, positive.
    log_z
        log z; taken as exact, as ``a`` is.

    Examples
    --------
    >>> f"{exact_log_gamma_slope(1.0, 0.0):.30f}"
    '1.173563027224726934947590589452'
    """
    with localcontext(prec=_DIGITS):
        shape, y = Decimal(a), Decimal(log_z)
        z = y.exp()
        centred = y - digamma(shape + 1)
        term, total, value, n = Decimal(1), Decimal(1), centred, shape
        while n < z or term > _TOLERANCE * total:
            n += 1
            term *= z / n
            centred -= 1 / n
            total += term
            value += term * centred
        return -value / shape


def digamma(x: Decimal) -> Decimal:
    """Return ψ(x), x > 0, to the precision of the decimal context, at most 70 digits.

    Examples
    --------
    ψ(1) is minus Euler's constant:

    >>> f"{digamma(Decimal(1)):.25f}"
    '-0.5772156649015328606065121'
    """
    shift = Decimal(0)
    while x < _ASYMPTOTIC_FROM:
        shift += 1 / x
        x += 1
    square = 1 / (x * x)
    tail = Decimal(0)
    for coefficient in reversed(_asymptotic()):
        tail = (tail + coefficient) * square
    return x.ln() - 1 / (2 * x) - tail - shift


@cache
def _asymptotic() -> tuple[Decimal, ...]:
    """Return B_2n / 2n for n = 1, 2, and so on."""
    series = bernoulli_series(2 * _ASYMPTOTIC_TERMS + 1)
    with localcontext(prec=_DIGITS):
        numbers = [series[n] * factorial(n) / n for n in range(2, len(series), 2)]
        return tuple(Decimal(number.numerator) / Decimal(number.denominator) for number in numbers)
