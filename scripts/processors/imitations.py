"""The processors that one machine can imitate, and by what settings."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from processors import aarch64

INSTALL_QEMU = "install it by: apt-get install qemu-user-static"

# What depends on the processor's arithmetic, and runs within a minute.
SENSITIVE = (
    "tests/golden",
    "tests/unit/test_compiled.py",
    "tests/unit/test_languages.py",
    "tests/unit/test_likelihood.py",
    "tests/unit/test_phrases.py",
    "tests/unit/test_preprocess.py",
    "tests/statistical/test_gamma_gradient.py",
)
# Emulated, they take minutes; processes that a test starts are not emulated, so these start none.
EMULATED_TESTS = (
    "tests/golden",
    "tests/unit/test_doc_term.py",
    "tests/unit/test_duplicates.py",
    "tests/unit/test_languages.py",
    "tests/unit/test_likelihood.py",
    "tests/unit/test_phrases.py",
    "tests/unit/test_preprocess.py",
    "tests/statistical/test_gamma_gradient.py",
)
ALL: tuple[str, ...] = ()


def no_preparation() -> None:
    """Install nothing."""


@dataclass(frozen=True)
class Imitation:
    """A processor that is imitated.

    Attributes
    ----------
    stands_for
        The machine in a few words.
    environment
        Settings of the libraries.
    numpy_keeps
        The groups of instructions that numpy may choose at run time; all others are switched off by
        NPY_DISABLE_CPU_FEATURES. None leaves numpy alone.
    prefix
        A command before the interpreter: an emulator.
    interpreter
        The Python to run.
    prepare
        Installs what is missing; returns why it cannot, or None.
    cores
        The number of cores that the tests may use; None for all.
    tests
        Paths; none for the whole suite.
    sees
        What a process of the imitation must find (:mod:`processors.probe`), for a library ignores a setting
        that it does not know.
    flags
        What the real processor must have, as /proc/cpuinfo calls it.
    quick
        Whether the short form runs it.
    """

    name: str
    stands_for: str
    environment: Mapping[str, str] = field(default_factory=dict)
    numpy_keeps: tuple[str, ...] | None = None
    prefix: tuple[str, ...] = ()
    interpreter: str = sys.executable
    prepare: Callable[[], str | None] = no_preparation
    cores: int | None = None
    tests: tuple[str, ...] = ALL
    sees: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    quick: bool = False

    @property
    def emulated(self) -> bool:
        """Whether each instruction is emulated, and child processes would run on the real processor."""
        return bool(self.prefix)

    def obstacle(self) -> str | None:
        """Return why this machine cannot imitate it; None where it can, once it is prepared."""
        if sys.platform != "linux":
            return "only Linux says what its processor can do"
        missing = [flag for flag in self.flags if flag not in cpu_flags()]
        if missing:
            return f"this processor has no {', '.join(missing)}"
        if self.prefix and shutil.which(self.prefix[0]) is None:
            return f"{self.prefix[0]} is missing; {INSTALL_QEMU}"
        if self.cores and len(os.sched_getaffinity(0)) <= self.cores:
            return f"this machine itself has no more than {self.cores}"
        return None

    def command(self, *arguments: str) -> list[str]:
        """Return the command that runs Python with some arguments on this processor."""
        return [*self.prefix, self.interpreter, *arguments]


def cpu_flags() -> set[str]:
    """Return the features of the real processor by the names of Linux."""
    listed = re.search(r"^(?:flags|Features)\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return set(listed[1].split()) if listed else set()


# Each library looks for instructions in its own way. NUMBA_CPU_NAME alone would leave the real processor's
# instructions on: the list of features has to be empty, too, so that the name decides. MKL obeys on AMD
# processors no order but COMPATIBLE.
NEHALEM = Imitation(
    "nehalem",
    "SSE4.2 alone: the oldest processors that numpy supports",
    environment={
        "ATEN_CPU_CAPABILITY": "default",
        "ARROW_USER_SIMD_LEVEL": "SSE4_2",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA,-BMI1,-BMI2,-LZCNT,-MOVBE",
        "MKL_CBWR": "COMPATIBLE",
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CPU_NAME": "nehalem",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
    numpy_keeps=(),
    sees={
        "numpy": "none",
        "torch": "DEFAULT",
        "openblas": "Nehalem",
        "mkl": "COMPATIBLE",
        "onednn": "Intel SSE4.1",
        "numba": "nehalem",
        "glibc": "none",
        "arrow": "sse4_2",
        "kernels": "compiled",
    },
    flags=("sse4_2",),
    quick=True,
)

HASWELL = Imitation(
    "haswell",
    "AVX2 without AVX-512: most Intel laptops, AMD Zen 1 to 3",
    environment={
        "ATEN_CPU_CAPABILITY": "avx2",
        "ARROW_USER_SIMD_LEVEL": "AVX2",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F",
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CPU_NAME": "haswell",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    numpy_keeps=("X86_V3",),
    sees={
        "numpy": "X86_V3",
        "torch": "AVX2",
        "openblas": "Haswell",
        "onednn": "Intel AVX2",
        "numba": "haswell ymm fma",
        "glibc": "AVX2 FMA",
        "arrow": "avx2",
        "kernels": "compiled",
    },
    flags=("avx2", "fma"),
    quick=True,
)

# LLVM prefers vectors of 256 bits on this one.
SKYLAKE = Imitation(
    "skylake",
    "AVX-512 of Intel's servers since 2017",
    environment={
        "ATEN_CPU_CAPABILITY": "avx512",
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CPU_NAME": "skylake-avx512",
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
        "OPENBLAS_CORETYPE": "SkylakeX",
    },
    numpy_keeps=("X86_V3", "X86_V4"),
    sees={
        "numpy": "X86_V4",
        "torch": "AVX512",
        "openblas": "SkylakeX",
        "onednn": "Intel AVX-512 with AVX512BW, AVX512VL, and AVX512DQ extensions",
        "numba": "skylake-avx512 ymm fma",
        "glibc": "AVX512F AVX2 FMA",
        "kernels": "compiled",
    },
    flags=("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"),
)

NO_COMPILE = Imitation(
    "no-compile",
    "a machine where numba cannot compile",
    environment={"LDA_APP_NO_COMPILE": "1"},
    sees={"kernels": "LDA_APP_NO_COMPILE is set"},
)

ONE_CORE = Imitation("one-core", "one core", cores=1, sees={"cores": "1", "threads": "1"})
TWO_CORES = Imitation("two-cores", "two cores", cores=2, sees={"cores": "2", "threads": "2"})

# torch asks MKL how many threads to start, and MKL starts no more than there are cores unless it is told to.
FOUR_THREADS = Imitation(
    "four-threads",
    "torch and BLAS divide their work in four, as on four cores",
    environment={"MKL_DYNAMIC": "FALSE", "OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"},
    sees={"threads": "4"},
)

# Every library asks the emulated processor itself, which needs no settings.
_ASKING = ("numpy", "torch", "openblas", "onednn", "numba", "arrow")

EMULATED_NEHALEM = Imitation(
    "qemu-nehalem",
    "SSE4.2 alone, each instruction emulated",
    prefix=("qemu-x86_64-static", "-cpu", "Nehalem"),
    tests=EMULATED_TESTS,
    sees={library: NEHALEM.sees[library] for library in _ASKING},
)

# numpy's sorts by AVX2 end in a segmentation fault under QEMU 7.2, so numpy does without.
EMULATED_HASWELL = Imitation(
    "qemu-haswell",
    "AVX2, each instruction emulated, but for numpy's",
    prefix=("qemu-x86_64-static", "-cpu", "Haswell"),
    environment={"NPY_DISABLE_CPU_FEATURES": "X86_V3"},
    tests=EMULATED_TESTS,
    sees={library: HASWELL.sees[library] for library in _ASKING} | {"numpy": "none"},
)

EMULATED_ARM = Imitation(
    "qemu-aarch64",
    "64-bit ARM, Amazon's since 2020, each instruction emulated",
    prefix=("qemu-aarch64-static", "-cpu", "neoverse-n1", "-L", str(aarch64.ROOT)),
    interpreter=str(aarch64.PYTHON),
    environment=aarch64.environment(),
    prepare=aarch64.prepare,
    tests=EMULATED_TESTS,
    sees={
        "numpy": "ASIMDDP",
        "torch": "DEFAULT",
        "openblas": "neoversen1",
        "onednn": "AArch64 (with Advanced SIMD & floating-point)",
        "numba": "generic fma fmla",
    },
)

IMITATIONS = {
    imitation.name: imitation
    for imitation in (
        NEHALEM,
        HASWELL,
        SKYLAKE,
        NO_COMPILE,
        ONE_CORE,
        TWO_CORES,
        FOUR_THREADS,
        EMULATED_NEHALEM,
        EMULATED_HASWELL,
        EMULATED_ARM,
    )
}
