"""Run the tests under processors that this machine can imitate: ``make test-processors``.

    PYTHONPATH=scripts python -m processors                         # all imitations
    PYTHONPATH=scripts python -m processors haswell qemu-haswell    # some of them
    PYTHONPATH=scripts python -m processors --quick -- -x           # the short form; pytest's options last

Another processor has other vector instructions, or another number of cores, so that sums are added up in
another order. The libraries are told of each imitated processor by their own settings, or QEMU emulates it.
An imitation fails where a library did not obey, or where a test fails.
"""

import argparse
import sys
from pathlib import Path

from processors.imitations import IMITATIONS, SENSITIVE, Imitation
from processors.run import Outcome, run

SCRATCH = Path("build/processors")


def parse_arguments(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return this program's options, and those for pytest behind ``--``."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(
        prog="processors", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="imitations; all if none is named")
    parser.add_argument(
        "--list", action="store_true", help="list the imitations, and which are impossible here"
    )
    parser.add_argument("--quick", action="store_true", help="two imitations, the sensitive tests alone")
    parser.add_argument(
        "--measure", action="store_true", help="no tests: how far results differ from those of this processor"
    )
    options = parser.parse_args(arguments[:end])
    unknown = sorted(set(options.names) - set(IMITATIONS))
    if unknown:
        parser.error(f"no such imitation: {', '.join(unknown)}; there are {', '.join(IMITATIONS)}")
    return options, arguments[end + 1 :]


def chosen(options: argparse.Namespace) -> list[Imitation]:
    """Return the imitations that the options ask for."""
    if options.quick and not options.names:
        return [imitation for imitation in IMITATIONS.values() if imitation.quick]
    return [IMITATIONS[name] for name in options.names or IMITATIONS]


def show(imitations: list[Imitation]) -> None:
    """List imitations and what they stand for."""
    for imitation in imitations:
        obstacle = imitation.obstacle()
        print(f"{imitation.name:14} {imitation.stands_for}" + (f" ({obstacle})" if obstacle else ""))


def run_all(imitations: list[Imitation], pytest_options: list[str], *, quick: bool) -> list[Outcome]:
    """Run the tests under each imitation, and print a line for each as it is done."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for imitation in imitations:
        tests = SENSITIVE if quick else imitation.tests
        outcomes.append(run(imitation, tests, pytest_options, SCRATCH))
        print(outcomes[-1].line(), flush=True)
    return outcomes


def main() -> int:
    """Do what the arguments say; return the exit code."""
    options, pytest_options = parse_arguments(sys.argv[1:])
    imitations = chosen(options)
    if options.list:
        show(imitations)
        return 0
    if options.measure:
        from processors.measure import measure

        measure(imitations, SCRATCH / "measure")
        return 0
    outcomes = run_all(imitations, pytest_options, quick=options.quick)
    failed = [outcome.name for outcome in outcomes if outcome.failed]
    ran = sum(outcome.ran for outcome in outcomes)
    result = f"FAILED {', '.join(failed)}" if failed else "none failed"
    print(f"{ran} of {len(outcomes)} imitations ran: {result}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
