"""``lda-app doctor``: check a collection of texts before counting, and the app's setup on this machine."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from lda_app.cli.checkup_page import examined, print_page
from lda_app.cli.groups import with_groups
from lda_app.cli.options import JsonFlag
from lda_app.corpus.options import SourceOptions, WordOptions
from lda_app.errors import ConfigError

SCHEMA_VERSION = 1
_PACKAGES = ("lda-app", "torch", "pyro-ppl", "numba", "numpy", "scipy")

Examined = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE",
        help="The texts: a corpus by name, a file, a folder of text files, a corpus folder, or [bold]-[/] "
        "for standard input.",
        show_default=False,
    ),
]
NumTopics = Annotated[int, typer.Option("--num-topics", min=2, help="Number of topics you plan to train.")]
System = Annotated[
    bool,
    typer.Option("--system", help="Check the machine: versions, cores, memory, device, compiled loops."),
]


@with_groups(reading=SourceOptions, words=WordOptions)
def doctor(
    source: Examined = None,
    *,
    reading: SourceOptions,
    words: WordOptions,
    num_topics: NumTopics = 20,
    system: System = False,
    as_json: JsonFlag = False,
) -> None:
    """Check a collection of texts before counting, or this machine.

    For texts, it reports documents and their lengths, languages, encodings, duplicates, lines shared by many
    documents, the words that each rule would drop, and warnings with advice. Use the same flags as for
    [bold]corpus build[/]. Corpus folders can be checked too.

    [bold]--system[/] reports on the machine. Loops that cannot be compiled fall back to torch operations,
    which give the same results several times slower; LDA_APP_NO_COMPILE=1 forces this.

    Nothing is changed or downloaded.
    """
    from lda_app.cli.tables import print_json

    if source is None and not system:
        raise ConfigError("nothing to check: give a file, folder or corpus, or --system")
    report: dict[str, Any] = {}
    texts = None if source is None else examined(source, reading, words, num_topics)
    if texts is not None:
        report["texts"] = texts.describe()
    if system:
        report["system"] = _system()
    if as_json:
        print_json({"schema_version": SCHEMA_VERSION, **report})
        return
    if texts is not None:
        print_page(texts)
    if system:
        _print(report["system"])


def _system() -> dict[str, Any]:
    from lda_app.system.runtime import cpu_count
    from lda_app.training.resources import memory_limit

    return {
        "versions": _versions(),
        "platform": platform.platform(),
        "cores": cpu_count(),
        "memory_bytes": memory_limit(),
        "device": _device(),
        "compiled_loops": _compiled_loops(),
        "corpora": _corpora(),
    }


def _versions() -> dict[str, str | None]:
    """Return the version of each package, None if it is missing."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except ImportError:
            versions[package] = None
    return versions


def _device() -> dict[str, str]:
    """Return the device that ``--device auto`` selects, and why."""
    import torch

    from lda_app.config import TrainConfig
    from lda_app.system.distributed import World
    from lda_app.training.resources import choose_device

    chosen = choose_device(TrainConfig(), World()).type
    if chosen == "cuda":
        reason = f"torch found {torch.cuda.get_device_name(0)}"
    elif torch.backends.mps.is_available():
        reason = "torch cannot draw Gamma samples on Apple's GPU (MPS)"
    else:
        reason = "torch found no CUDA device"
    return {"auto": chosen, "reason": reason}


def _compiled_loops() -> dict[str, Any]:
    """Return whether loops are compiled, why not, and where the machine code is cached."""
    from lda_app.models.kernels import mixture_forward
    from lda_app.system.compiled import why_not_compiled

    reason = why_not_compiled()
    dispatcher: Any = mixture_forward
    cache = None if reason else dispatcher.stats.cache_path
    return {
        "used": reason is None,
        "reason": reason,
        "cache_folder": cache,
        "cache_writable": cache is not None and _writable(Path(cache)),
    }


def _writable(folder: Path) -> bool:
    """Return whether files can be written to a folder, which need not exist yet."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return os.access(there, os.W_OK | os.X_OK)


def _corpora() -> dict[str, bool]:
    """Return which named corpora can be read without a network."""
    from lda_app.corpus.sources import CORPORA

    return {name: corpus.offline() for name, corpus in CORPORA.items()}


def _print(system: dict[str, Any]) -> None:
    from lda_app.cli.tables import new_table, print_out

    table = new_table()
    table.add_column("item")
    table.add_column("value")
    for row in _rows(system):
        table.add_row(*row)
    print_out(table)


def _rows(system: dict[str, Any]) -> list[tuple[str, str]]:
    device, loops = system["device"], system["compiled_loops"]
    versions = [(name, number or "not installed") for name, number in system["versions"].items()]
    cache = "cached between runs" if loops["cache_writable"] else "not cached; set NUMBA_CACHE_DIR"
    corpora = [
        (f"corpus {name}", "available" if offline else "downloaded on first use")
        for name, offline in system["corpora"].items()
    ]
    return [
        *versions,
        ("platform", system["platform"]),
        ("cores", str(system["cores"])),
        ("memory", f"{system['memory_bytes'] / 1e9:,.1f} GB"),
        ("device", f"{device['auto']}: {device['reason']}"),
        (
            "compiled loops",
            "used" if loops["used"] else f"not used, falling back to torch: {loops['reason']}",
        ),
        *([("machine code", f"{cache} ({loops['cache_folder']})")] if loops["used"] else []),
        *corpora,
    ]
