"""Fixtures that all tests share: running commands, and small texts."""

from __future__ import annotations

import csv
import gc
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from lda_app.fitted.model import AmortizedModel, FittedModel
    from lda_app.models.lda import LDA

SUBJECTS = {
    "space": "orbit shuttle moon rocket launch satellite astronaut telescope",
    "sport": "goal hockey puck player team season score league",
    "garden": "soil seed flower tomato rain harvest compost spade",
}


# A script that starts the tests with & has them, and all that they start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector pass over what is imported and collected, for all of it stays."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests, so that no worker ends with one alone; else the random order stays."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


class Finished(NamedTuple):
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def fitted() -> Callable[[LDA], AmortizedModel]:
    """Make a fitted model of an LDA in memory: ``fitted(lda).intervals(documents)``."""
    from lda_app.corpus.vocabulary import Vocabulary
    from lda_app.fitted.model import AmortizedModel

    def make(lda: LDA) -> AmortizedModel:
        return AmortizedModel(lda, Vocabulary(tuple(f"word{v}" for v in range(lda.topics.num_words))))

    return make


@pytest.fixture(scope="session")
def inferred() -> Callable[..., FittedModel]:
    """Make a fitted model of α, β and a function that infers: ``inferred(ALPHA, BETA, infer)``."""
    from lda_app.corpus.vocabulary import Vocabulary
    from lda_app.fitted.model import FittedModel

    class Inferred(FittedModel):
        def __init__(self, alpha: Any, beta: Any, infer: Any) -> None:
            self.alpha, self.beta, self._infer = alpha, beta, infer
            self.vocabulary = Vocabulary(tuple(f"word{v}" for v in range(beta.shape[1])))

        def posterior(self, doc_term: Any) -> Any:
            return self._infer(doc_term)

    return Inferred


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    """Give each test the log of a process that has not configured it."""
    log = logging.getLogger("lda_app")
    log.handlers, log.propagate = [], True
    log.setLevel(logging.NOTSET)
    logging.captureWarnings(False)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Run a command in this process: ``cli("corpus", "list").stdout``."""
    from lda_app.cli import run

    def call(*arguments: object) -> Finished:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Finished(code, *capsys.readouterr())

    return call


@pytest.fixture
def cli_process() -> Callable[..., Finished]:
    """Run a command in a process of its own, with `stdin` and further environment variables."""

    def call(
        *arguments: object, stdin: str | None = None, timeout: float = 60, **environment: str
    ) -> Finished:
        done = subprocess.run(
            [sys.executable, "-m", "lda_app", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env={**os.environ, **environment},
            **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Let one worker make a folder that all read: ``made_once("trained", make)`` calls ``make(folder)``."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def once(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = root / f"shared-{name}", root / f"shared-{name}.done"
        with FileLock(root / f"shared-{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return once


class Server(NamedTuple):
    """A running ``lda-app serve``."""

    address: str
    process: subprocess.Popen[str]

    @property
    def origin(self) -> str:
        """What its addresses begin with."""
        return self.address.partition("/?")[0]

    @property
    def token(self) -> str:
        """What it wants to be given."""
        return self.address.partition("token=")[2]


@pytest.fixture(scope="session")
def serving() -> Iterator[Callable[..., Server]]:
    """Start ``lda-app serve`` in a process of its own: ``serving(run, "--corpus", folder)``."""
    with ExitStack() as processes:

        def start(*arguments: object) -> Server:
            process = subprocess.Popen(
                [sys.executable, "-m", "lda_app", "serve", *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            processes.enter_context(process)
            processes.callback(process.kill)
            assert process.stdout is not None
            return Server(process.stdout.readline().strip(), process)

        yield start


@pytest.fixture(scope="session")
def tiny_texts() -> list[str]:
    """Sixty texts of twelve words each on three subjects, a subject each in turn."""
    words = [subject.split() for subject in SUBJECTS.values()]
    return [" ".join(words[i % 3][(i * 7 + j * (1 + i % 5)) % 8] for j in range(12)) for i in range(60)]


@pytest.fixture
def tiny_csv(tmp_path: Path, tiny_texts: list[str]) -> Path:
    """Write `tiny_texts` as a csv file with the columns id, subject and text."""
    path = tmp_path / "tiny.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "subject", "text"])
        rows.writerows((f"doc{i}", [*SUBJECTS][i % 3], text) for i, text in enumerate(tiny_texts))
    return path


@pytest.fixture
def full_disk() -> Callable[[], object]:
    """Return a context manager in which no file can grow beyond a kilobyte."""

    @contextmanager
    def limit(size: int = 1024) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """Yield a folder this process may not write to, unlike its parent; root is another user meanwhile."""
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        folder = Path(name) / "read-only"
        folder.mkdir(mode=0o555)
        if is_root:
            os.seteuid(65534)
        try:
            if os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
                pytest.skip("this user may write everywhere")
            yield folder
        finally:
            if is_root:
                os.seteuid(0)
            folder.chmod(0o755)
