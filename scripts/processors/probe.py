"""What a process sees of its processor, a library a line: ``python scripts/processors/probe.py numpy torch``.

A library ignores a setting that it does not know, and the tests would pass on the real processor instead of
the imitated one. MKL and oneDNN print what they use where MKL_VERBOSE=1 and ONEDNN_VERBOSE=1 are set.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

VERBOSE = {"MKL_VERBOSE": "1", "ONEDNN_VERBOSE": "1"}
_SAID = {"mkl": r"^MKL_VERBOSE .* CNR:(\w+)", "onednn": r"^onednn_verbose.*,cpu,isa:(.*)$"}

# Bits of registers that the C library lists: the number of the query, the register, and the bit.
_GLIBC_FEATURES = {"AVX512F": (1, 1, 16), "AVX2": (1, 1, 5), "FMA": (0, 2, 12)}
_GLIBC_LINE = r"^x86\.cpu_features\.features\[0x(\w+)\]\.active\[0x(\w+)\]=0x(\w+)"
_GLIBC_LOADERS = ("/lib64/ld-linux-x86-64.so.2",)


def numpy_dispatched() -> list[str]:
    """Return the groups of instructions that numpy chooses at run time, of those that are on."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [group for group in __cpu_dispatch__ if __cpu_features__[group]]


def numpy_() -> str:
    """Return the last, that is the widest, of numpy's groups."""
    return (numpy_dispatched() or ["none"])[-1]


def torch_() -> str:
    """Return the instructions that torch uses; MKL and oneDNN are called, too, and say theirs."""
    import torch

    matrix = torch.ones(64, 64)
    torch.nn.functional.gelu(matrix @ matrix)
    return torch.backends.cpu.get_cpu_capability()


def openblas() -> str:
    """Return the processors whose kernels the OpenBLAS of numpy and of scipy use."""
    import scipy.linalg  # noqa: F401 - brings its own
    from threadpoolctl import threadpool_info

    return " ".join(sorted({info["architecture"] for info in threadpool_info() if "architecture" in info}))


def numba_() -> str:
    """Return the processor that numba compiles for, and the registers of a sum that it compiled."""
    import numba
    import numpy as np
    from numba.core.registry import cpu_target

    @numba.njit(fastmath=True)
    def norm(values: np.ndarray) -> float:
        total = 0.0
        for value in values:
            total += value * value
        return total

    norm(np.ones(2))
    code = "".join(norm.inspect_asm().values())
    found = [word for word in ("zmm", "ymm", "fma", "fmla") if word in code]
    return " ".join([cpu_target.target_context.codegen().magic_tuple()[1], *found])


def glibc() -> str:
    """Return the vector instructions that the C library's functions may use."""
    loader = next(path for path in _GLIBC_LOADERS if Path(path).exists())
    listed = subprocess.run([loader, "--list-diagnostics"], capture_output=True, text=True, check=True).stdout
    active = re.findall(_GLIBC_LINE, listed, re.MULTILINE)
    words = {(int(query, 16), int(register, 16)): int(word, 16) for query, register, word in active}
    found = [name for name, (*word, bit) in _GLIBC_FEATURES.items() if words[tuple(word)] >> bit & 1]
    return " ".join(found) or "none"


def arrow() -> str:
    """Return the instructions that Arrow uses."""
    import pyarrow as pa

    return pa.runtime_info().simd_level


def kernels() -> str:
    """Tell whether the app's loops are compiled, or why not."""
    from lda_app.system.compiled import why_not_compiled

    return why_not_compiled() or "compiled"


def cores() -> str:
    """Return the number of cores that the process may use."""
    return str(len(os.sched_getaffinity(0)))


def threads() -> str:
    """Return the number of threads that torch divides its work among."""
    import torch

    return str(torch.get_num_threads())


OBSERVERS: dict[str, Callable[[], str]] = {
    "numpy": numpy_,
    "torch": torch_,
    "openblas": openblas,
    "numba": numba_,
    "glibc": glibc,
    "arrow": arrow,
    "kernels": kernels,
    "cores": cores,
    "threads": threads,
}


def parse(output: str) -> dict[str, str]:
    r"""Return what the output of this module, and of MKL and oneDNN in between, says.

    Examples
    --------
    >>> parse("numpy=X86_V3\nMKL_VERBOSE SGEMM(N,N) 24.58ms CNR:COMPATIBLE Dyn:1\n")
    {'numpy': 'X86_V3', 'mkl': 'COMPATIBLE'}
    """
    seen = dict(re.findall(r"^(\w+)=(.*)$", output, re.MULTILINE))
    said = {name: re.search(pattern, output, re.MULTILINE) for name, pattern in _SAID.items()}
    return {**seen, **{name: match[1] for name, match in said.items() if match}}


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        if wanted in OBSERVERS:
            print(f"{wanted}={OBSERVERS[wanted]()}", flush=True)
