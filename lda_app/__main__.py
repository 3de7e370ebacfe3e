"""Start the command line: ``lda-app`` or ``python -m lda_app``."""

import sys

from lda_app.cli import run


def main() -> None:
    """Run the command that the arguments name and end the process with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
