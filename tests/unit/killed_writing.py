"""Replace a folder, killed before each operation in turn; run by `test_storage.py` in a process of its own.

Each attempt is a copy of this process, which is small: to copy one that has run tests takes far longer.
"""

import json
import os
import sys
from pathlib import Path

from lda_app.system.storage import folder_lock, open_folder, sealed_folder, swap

MOST = 200


def write(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a sealed folder with a file and a folder in it."""
    with sealed_folder(path, kind="model", format_version=1, overwrite=overwrite) as staging:
        (staging / "train").mkdir()
        (staging / "train" / "counts").write_text(text)
        (staging / "words").write_text(text)


def attempt(number: int, path: Path) -> int:
    """Replace the folder in a copy of this process, which dies before the operation of this number."""
    child = os.fork()
    if child == 0:
        die_before_operation(number)
        write(path, "new", overwrite=True)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_before_operation(number: int) -> None:
    """Die before the file operation of this number, as by kill -9."""
    count = 0

    def count_and_die(event: str, _: object) -> None:
        nonlocal count
        if event == "open" or event.startswith(("os.", "fcntl.", "shutil.")):
            count += 1
            if count == number:
                os._exit(137)

    sys.addaudithook(count_and_die)


def main() -> None:
    """Print for each attempt its exit code, what can be read afterwards, and what lies there."""
    root, way, existed = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "True"
    if way == "renames":
        swap._renameat2 = lambda: None
    for number in range(1, MOST):
        path = root / str(number) / "run"
        path.parent.mkdir()
        if existed:
            write(path, "old")
        code = attempt(number, path)
        with folder_lock(path):
            pass
        found = "none"
        if path.exists():
            open_folder(path, kind="model", format_version=1)
            found = (path / "words").read_text()
        print(json.dumps([code, found, sorted(entry.name for entry in path.parent.iterdir())]))
        if code == 0:
            return


if __name__ == "__main__":
    main()
