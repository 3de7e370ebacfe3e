"""Compare two runs of the pipeline by the hashes of what they found; exit with 1 where they differ."""

import argparse
import sys
from pathlib import Path

from lda_app.system.storage import sha256_of
from lda_app.system.storage.manifest import ANNOTATIONS

RESULTS = (".topics.md", ".evaluation.json", "/model.safetensors", "/metrics.json", "/history.csv")
REPORT = ".report.html"


def same(first: Path, second: Path) -> bool:
    """Print a line for each result, and tell whether all are identical."""
    identical = True
    for result in results_of(first):
        hashes = [sha256_of(Path(f"{run}{result}")) for run in (first, second)]
        agree = hashes[0] == hashes[1]
        identical &= agree
        print(f"{result[1:]:18} {hashes[0]}  {'identical' if agree else f'different: {hashes[1]}'}")
    return identical


def results_of(run: Path) -> list[str]:
    """Return what two runs must agree on; a report with labels, say, holds what a new run cannot know."""
    added = sorted(name for name in ANNOTATIONS if (run / name).exists())
    if added:
        print(f"{REPORT[1:]:18} not compared: {run} has been given {', '.join(added)}")
    return [*RESULTS, *([] if added else [REPORT])]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    runs = parser.parse_args()
    sys.exit(0 if same(runs.first, runs.second) else 1)
