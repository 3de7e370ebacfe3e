r"""The derivative of a Gamma sample with respect to its concentration: series in exact arithmetic.

For z ~ Gamma(a, 1), write y = log z and h(a, y) = ∂y/∂a at a fixed quantile. The continuity equation of the
Gamma density, with δ = log(z / a), reads

    ∂h/∂δ = a (e^δ − 1) h − (δ + log a − ψ(a)).

Its smooth solution has the expansion a h = Σ_k g_k(δ) a^{-k}, uniform in the quantile, where

    g_0(δ) = δ / (e^δ − 1),    g_k(δ) = (g'_{k−1}(δ) − g'_{k−1}(0)) / (e^δ − 1),

each g_k a power series that converges for |δ| < 2π. The constants −g'_{k−1}(0) turn out to be those of the
asymptotic series of log a − ψ(a), so that nothing else is needed.
"""

from fractions import Fraction
from functools import cache
from math import factorial

import numpy as np
import numpy.typing as npt


def bernoulli_series(length: int) -> list[Fraction]:
    """Return the power series of δ / (e^δ − 1).

    Parameters
    ----------
    length
        The number of coefficients.

    Returns
    -------
    list of Fraction
        Coefficient n is B_n / n!, with B_n the Bernoulli numbers.

    Examples
    --------
    >>> bernoulli_series(3)
    [Fraction(1, 1), Fraction(-1, 2), Fraction(1, 12)]
    """
    series: list[Fraction] = []
    for n in range(length):
        earlier = sum((series[m] / factorial(n + 1 - m) for m in range(n)), Fraction(0))
        series.append(Fraction(n == 0) - earlier)
    return series


@cache
def uniform_expansion(orders: int, terms: int) -> npt.NDArray[np.float64]:
    """Return the coefficients of the expansion of a h in powers of 1/a and δ.

    Parameters
    ----------
    orders
        The number of powers of 1/a.
    terms
        The number of powers of δ in each.

    Returns
    -------
    ndarray, shape (orders, terms)
        Entry (k, n) is the coefficient of a^{-k} δ^n, rounded from its exact value; read-only.

    Examples
    --------
    >>> uniform_expansion(2, 2)
    array([[ 1.        , -0.5       ],
           [ 0.16666667, -0.08333333]])
    """
    length = terms + 2 * (orders - 1)
    bernoulli = bernoulli_series(length)
    order = bernoulli
    table = [order[:terms]]
    for _ in range(orders - 1):
        # (g' − g'(0)) / δ shifts the coefficients n g_n, n ≥ 2, down by two places.
        shifted = [n * order[n] for n in range(2, len(order))]
        order = [
            sum((bernoulli[m] * shifted[n - m] for m in range(n + 1)), Fraction(0))
            for n in range(len(shifted))
        ]
        table.append(order[:terms])
    coefficients = np.array(table, dtype=np.float64)
    coefficients.flags.writeable = False
    return coefficients
