"""Run the benchmark: ``PYTHONPATH=scripts python -m bench run`` or ``page``; see ``make bench``."""

import argparse
import sys
from fnmatch import fnmatch
from pathlib import Path

from bench.cells import Cell, full, quick
from bench.page import write_page
from bench.run import run, run_cell


def main() -> int:
    """Do what the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("run", help="make the results that are missing or out of date")
    page = commands.add_parser("page", help="write the results as Markdown")
    for command in (make, page):
        command.add_argument("folder", type=Path, help="of corpora and results")
        command.add_argument("--quick", action="store_true", help="one corpus, 50 topics, one seed")
    make.add_argument("--only", default="*", metavar="PATTERN", help="such as '20ng-*-k50-topica-s0'")
    page.add_argument("out", type=Path)
    cell = commands.add_parser("cell", help="make one result in this process")
    cell.add_argument("folder", type=Path)
    for name, kind in Cell.__annotations__.items():
        cell.add_argument(name, type=kind)
    arguments = parser.parse_args()
    if arguments.command == "cell":
        run_cell(Cell(*(getattr(arguments, name) for name in Cell._fields)), arguments.folder)
        return 0
    cells = quick() if arguments.quick else full()
    if arguments.command == "run":
        return bool(run([c for c in cells if fnmatch(str(c), arguments.only)], arguments.folder))
    write_page(cells, arguments.folder, arguments.out)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)  # what is finished is kept
