"""Run `lda-app compare` on three corpora, and put the tables into docs/benchmarks.md; see `make benchmarks`.

    python scripts/make_compared_tables.py data/compare

What is there and up to date is not made again.
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "benchmarks.md"
SEED = 1
CORPORA = {
    "20ng-2k": ["20newsgroups", "--max-vocab", "2000", "--label-column", "newsgroup"],
    "20ng-5k": ["20newsgroups", "--max-vocab", "5000", "--label-column", "newsgroup"],
    "pydocs": ["pydocs", "--label-column", "package"],
}
OPTIONS = ["--num-topics", "50", "--with", "sklearn,gensim,tomotopy,topica,prodlda", "--seed", str(SEED)]
_MARKS = re.compile(r"(<!-- compared -->\n).*(<!-- /compared -->\n)", re.DOTALL)


def main(folder: Path) -> None:
    """Make all comparisons, and write the page."""
    sections = [section(name, arguments, folder) for name, arguments in CORPORA.items()]
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_MARKS.sub(lambda mark: f"{mark[1]}{''.join(sections)}{mark[2]}", text), encoding="utf-8")


def section(name: str, arguments: list[str], folder: Path) -> str:
    """Compare on one corpus, and return its part of the page."""
    command = ["compare", *arguments, *OPTIONS, "--out"]
    whole = [sys.executable, "-m", "lda_app", *command, str(folder / name)]
    subprocess.run(whole, check=True, stdout=subprocess.DEVNULL)
    return shown(name, shlex.join(["lda-app", *command, name]), folder / name)


def shown(name: str, command: str, out: Path) -> str:
    """Return what a comparison has found, and put its picture beside the page."""
    picture = f"figures/comparing-{name}.svg"
    shutil.copyfile(out / "perplexity.svg", DOCS / picture)
    heading, _, rest = (out / "comparison.md").read_text(encoding="utf-8").partition("\n")
    return (
        f"\n#{heading}: {name}\n\n```sh\n{command}\n```\n{rest}\n![ref over seconds of training]({picture})\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
