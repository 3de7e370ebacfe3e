"""What Python and the app need on an emulated ARM processor: Debian's packages, and wheels for arm64."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

FOLDER = Path("build/aarch64").resolve()
ROOT, SITE, DONE = FOLDER / "root", FOLDER / "site", FOLDER / "done"
PYTHON = ROOT / f"usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
DEBIAN = ("python3", "libstdc++6", "libgomp1")

# A release of torch whose wheel for arm64 comes without CUDA; constraints.txt has the other versions.
TORCH = "torch==2.10.0"
WHEELS = (
    "hypothesis",
    "llvmlite",
    "numba",
    "numpy",
    "pandas",
    "pydantic-core",
    "pyarrow",
    "regex",
    "rjieba",
    "safetensors",
    "scikit-learn",
    "scipy",
    "sudachipy",
    "wrapt",
)
_GLIBC_MINORS = range(17, 37)


def environment() -> dict[str, str]:
    """Return where the emulated Python finds packages: compiled ones of its own, all others of this one."""
    installed = next(path for path in sys.path if path.endswith("site-packages"))
    return {"PYTHONPATH": os.pathsep.join([str(SITE), str(Path.cwd()), installed])}


def prepare() -> str | None:
    """Download what is missing, some 350 MB; return why that cannot be done, or None."""
    if DONE.exists():
        return None
    if shutil.which("apt-get") is None:
        return "its Python comes from Debian's packages, and there is no apt-get"
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        unpack_debian()
        unpack_wheels()
    except subprocess.CalledProcessError as error:
        return f"{' '.join(error.cmd[:2])}: {error.stderr.strip().rpartition(chr(10))[2]}"
    if not PYTHON.exists():
        return f"Debian has no {PYTHON.name} here"
    DONE.touch()
    return None


def unpack_debian() -> None:
    """Unpack Python and the libraries under it; apt keeps its notes beside them, not in the system."""
    state = FOLDER / "apt"
    for name in ("lists/partial", "archives/partial"):
        (state / name).mkdir(parents=True)
    (state / "status").touch()
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "root",
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
    }
    apt = ["apt-get", "--quiet", "--yes", *(f"-o{name}={value}" for name, value in settings.items())]
    call(*apt, "update")
    call(*apt, "install", "--download-only", "--no-install-recommends", *DEBIAN)
    for package in (state / "archives").glob("*.deb"):
        call("dpkg", "--extract", str(package), str(ROOT))
    shutil.rmtree(state)


def unpack_wheels() -> None:
    """Unpack the compiled packages."""
    wheels = FOLDER / "wheels"
    platforms = ["manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in _GLIBC_MINORS)]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    pip += [f"--dest={wheels}", *(f"--platform={platform}" for platform in platforms)]
    call(*pip, "--constraint=constraints.txt", *WHEELS)
    call(*pip, TORCH)
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(SITE)
    shutil.rmtree(wheels)


def call(*command: str) -> None:
    """Run a command, quietly."""
    subprocess.run(command, check=True, capture_output=True, text=True)
