"""Compiled loops: numba's decorator with the app's settings, and rows shared out over threads.

A kernel has the signature ``kernel(start, stop, *arrays)`` and works on the rows ``start:stop`` alone, so
that its result does not depend on the number of threads.

Where numba is missing or cannot compile, or ``LDA_APP_NO_COMPILE=1`` is set, a kernel is the Python function
that it was written as: right, but slow. What matters for speed has a second form in torch or numpy, chosen by
:func:`runs_compiled` or :func:`why_not_compiled`.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

from lda_app.system.runtime import cpu_count, log

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

NO_COMPILE = "LDA_APP_NO_COMPILE"
_ROWS_WORTH_A_THREAD = 32


def kernel(function: Kernel) -> Kernel:
    """Compile a loop over rows; the machine code is kept between runs where a cache folder can be written.

    ``fastmath`` lets sums be reordered into vector instructions; it also assumes that there are
    neither NaN nor infinities, so callers check for those outside of the kernels.

    Examples
    --------
    >>> import numpy as np
    >>> @kernel
    ... def double(start, stop, values):
    ...     for row in range(start, stop):
    ...         values[row] *= 2
    >>> values = np.arange(3.0)
    >>> over_rows(double, 3, values)
    >>> values.tolist()
    [0.0, 2.0, 4.0]
    """
    return function if why_not_compiled() else _compile(function)


def inlined(function: Kernel) -> Kernel:
    """Compile a part of a kernel into each kernel that calls it.

    If a part has separate machine code, a kernel that was just compiled and one from the cache were seen
    to round its sums differently: the first run on a machine would differ from all others.

    Examples
    --------
    >>> @inlined
    ... def double(value):
    ...     return 2 * value
    >>> double(3)
    6
    """
    return function if why_not_compiled() else _compile(function, inline="always")


def _compile(function: Kernel, **options: str) -> Kernel:
    import numba

    settings = {"nogil": True, "fastmath": True, "boundscheck": False, "error_model": "numpy", **options}
    compile_: Callable[[Kernel], Kernel] = numba.njit(cache=True, **settings)
    try:
        return compile_(function)
    except RuntimeError:  # numba found no folder that it may write its cache to
        log.debug("%s is compiled anew in each process: set NUMBA_CACHE_DIR", function.__name__)
        compile_ = numba.njit(**settings)
        return compile_(function)


@functools.cache
def why_not_compiled() -> str | None:
    """Return why loops are not compiled; None where they are.

    Looked up once a process: a small loop is compiled to see whether numba works on this machine.
    """
    if os.environ.get(NO_COMPILE, "0") not in {"", "0"}:
        return f"{NO_COMPILE} is set"
    try:
        if _compile(_probe)(20) == 21:
            return None
    except ImportError:
        return "numba is not installed"
    except Exception as error:  # noqa: BLE001 - whatever a compiler may fail with, there is another way
        return f"numba cannot compile here: {type(error).__name__}: {error}"
    return "numba compiles to wrong results here"


def _probe(number: int) -> int:
    return number + 1


def runs_compiled(tensor: Any) -> bool:
    """Whether compiled loops serve a torch tensor: it lies on the processor, and they can be compiled."""
    return tensor.device.type == "cpu" and why_not_compiled() is None


def over_rows(compiled: Callable[..., None], num_rows: int, *arrays: Any) -> None:
    """Run a kernel over all rows, in as many threads as pay off.

    Parameters
    ----------
    compiled
        What :func:`kernel` made.
    num_rows
        Rows 0 to num_rows - 1 are each visited once, by one thread.
    arrays
        Handed to the kernel after the range of rows.
    """
    parts = max(1, min(cpu_count(), num_rows // _ROWS_WORTH_A_THREAD))
    bounds = [num_rows * part // parts for part in range(parts + 1)]
    others = [_pool().submit(compiled, lo, hi, *arrays) for lo, hi in pairwise(bounds[1:])]
    compiled(bounds[0], bounds[1], *arrays)
    for other in others:
        other.result()


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=cpu_count(), thread_name_prefix="kernel")


# A forked child inherits the pool but none of its threads.
os.register_at_fork(after_in_child=_pool.cache_clear)
