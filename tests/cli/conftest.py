"""A small corpus and a model of it that needs no training: its topics are put in."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest


@pytest.fixture
def assert_refused():
    """Check that a command ended with a code and one line that holds some parts: ``(done, 2, "--eta")``."""

    def check(done, code, *parts):
        assert done.code == code, done.stderr
        assert done.stdout == ""
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        others = done.stderr.splitlines()[:-1]
        assert len(errors) == 1, done.stderr
        assert errors[0] == done.stderr.splitlines()[-1]
        assert not any(line.startswith(("Traceback", " ")) for line in others), done.stderr
        for part in parts:
            assert str(part) in errors[0]

    return check


QUICK = ("--num-topics", "3", "--epochs", "6", "--batch-size", "8", "--validation-fraction", "0.2")


class TinyRun(NamedTuple):
    """Folders of a model and its corpus."""

    run: Path
    corpus: Path


@pytest.fixture(scope="session")
def tiny_run(made_once, tiny_texts):
    """Three topics, 0 space, 1 sport, 2 garden, over a corpus of sixty texts; read only."""

    def make(folder):
        corpus = build(folder, [(f"doc{i}", text) for i, text in enumerate(tiny_texts)])
        save_planted_model(folder / "run", corpus, tiny_texts)

    folder = made_once("tiny", make)
    return TinyRun(folder / "run", folder / "corpus")


@pytest.fixture(scope="session")
def hostile_run(made_once, tiny_texts):
    """A model of a corpus whose ids and texts try to do something; read only."""
    marks = ("=1+1", "<script>alert(1)</script>", "\x1b[31m", "a|b", "\u202eabc", "`*_[x](y)")
    rows = [(f"{marks[i % 6]}{i}", f"{marks[i % 6]} {text}") for i, text in enumerate(tiny_texts)]

    def make(folder):
        save_planted_model(folder / "run", build(folder, rows), tiny_texts)

    return made_once("hostile", make) / "run"


@pytest.fixture(scope="session")
def trained_run(made_once, tiny_texts):
    """Train three topics for real, in a moment, on a corpus of sixty texts; read only."""
    from lda_app.cli import run

    def make(folder):
        build(folder, [(f"doc{i}", text) for i, text in enumerate(tiny_texts)])
        assert run(["train", str(folder / "corpus"), "--out", str(folder / "run"), *QUICK]) == 0

    folder = made_once("trained", make)
    return TinyRun(folder / "run", folder / "corpus")


def overriding(options, *others):
    """Put options in the place of those of the same name: ``overriding(QUICK, "--epochs", "1")``."""
    pairs = zip(options[::2], options[1::2], strict=True)
    kept = [part for name, value in pairs if name not in others for part in (name, value)]
    return (*kept, *others)


@pytest.fixture
def quick():
    """Options of a training that takes a moment and has documents to validate on."""
    return QUICK


@pytest.fixture(scope="session")
def described_run(made_once, tiny_texts):
    """The planted model over the sixty texts, each with a subject, a date and a length; read only.

    Two documents have no subject, three a length that is no number.
    """
    subjects = ["space", "=sport", "garden, too"]
    rows = [
        (
            f"doc{i}",
            text,
            subjects[i % 3] if i < 58 else "",
            f"{1990 + i // 20}-{1 + i % 12:02}",
            i if i > 2 else "?",
        )
        for i, text in enumerate(tiny_texts)
    ]

    def make(folder):
        corpus = build(folder, rows, ("id", "text", "subject", "date", "size"))
        save_planted_model(folder / "run", corpus, tiny_texts)

    folder = made_once("described", make)
    return TinyRun(folder / "run", folder / "corpus")


def build(folder, rows, columns=("id", "text")):
    """Build a corpus of documents with an id and a text."""
    from lda_app.corpus.folder import build_corpus
    from lda_app.corpus.preprocess import PreprocessOptions
    from lda_app.corpus.sources import SourceOptions, open_source

    with (folder / "texts.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *rows])
    source = open_source(str(folder / "texts.csv"), SourceOptions(text_column="text", id_column="id"))
    return build_corpus(source, folder / "corpus", PreprocessOptions(min_df=1), test_fraction=0.3)


def save_planted_model(path, corpus, texts, *, place=None, raw_text=True):
    """Save a model whose topics are the three subjects of the corpus."""
    counts = np.zeros((len(corpus.vocabulary), 3), dtype=np.float32)
    for number, text in enumerate(texts):
        for word in text.split():
            counts[corpus.vocabulary.index[word], number % 3] += 10
    place = corpus.path if place is None else place
    described = {"name": "tiny", "path": str(place), "fingerprint": corpus.fingerprint}
    save_model(path, corpus.vocabulary, counts, described, corpus.preprocessor if raw_text else None)


def save_model(path, vocabulary, counts, corpus, preprocessor=None):
    """Save a model of given word counts (V, K) a topic."""
    import torch

    from lda_app.config import TrainConfig
    from lda_app.fitted.folder import TrainedModel, new_model_dir, untrained, write_model
    from lda_app.models.topic_word import TopicWordCounts

    training = TrainConfig(num_topics=counts.shape[1])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        lda = untrained(training, num_documents=40, num_words=len(vocabulary))
    lda.topics = TopicWordCounts(torch.from_numpy(counts), training.eta)
    model = TrainedModel(
        lda, vocabulary, preprocessor, training, corpus, history=[{"step": 1.0}], metrics={}, timing={}
    )
    with new_model_dir(path, overwrite=False) as folder:
        write_model(folder, model)


HOSTILE_WORDS = ("=cmd()", "@sum", "\x1b[31mred", "a|b", "<script>", "`*_[x]", "\u202eabc", "tab\there")


@pytest.fixture(scope="session")
def hostile_words_run(tmp_path_factory):
    """A model whose vocabulary tries to do something, and whose corpus is gone."""
    from lda_app.corpus.vocabulary import Vocabulary

    path = tmp_path_factory.mktemp("words") / "run"
    counts = np.ones((len(HOSTILE_WORDS), 2), dtype=np.float32)
    save_model(
        path, Vocabulary(HOSTILE_WORDS), counts, {"name": "x", "path": "../gone", "fingerprint": "0" * 64}
    )
    return path


@pytest.fixture(scope="session")
def save_planted():
    """Save the planted model of a corpus of the tiny texts: ``save_planted(path, corpus, texts)``."""
    return save_planted_model


@pytest.fixture
def planted(tiny_run, tiny_texts):
    """Save another model of the tiny corpus: ``planted(path, place=…, raw_text=…)``."""
    from lda_app.corpus.folder import open_corpus

    def save(path, **changes):
        save_planted_model(path, open_corpus(tiny_run.corpus), tiny_texts, **changes)
        return path

    return save


class Copy(NamedTuple):
    """A process that `begin_copies` began."""

    pid: int
    files: tuple[Path, Path]
    wait_for: Callable[[int, float], int | None]

    @property
    def stdout(self) -> str:
        """What it has written so far."""
        return self.files[0].read_text()

    @property
    def stderr(self) -> str:
        """What it has written so far."""
        return self.files[1].read_text()

    def wait(self, timeout: float = 60) -> int:
        """Return its exit code when it has ended; to be called once."""
        code = self.wait_for(self.pid, timeout)
        assert code is not None, f"it has not ended after {timeout} s: {self.stderr}"
        return code

    def kill(self) -> None:
        """End it at once, and wait until it has ended."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()


@pytest.fixture(scope="session")
def begin_copies(tmp_path_factory, tiny_run):
    """Begin processes that need not import anything: ``begin_copies("lda-app", "train", …)``.

    See `copies.py`. Standard input is a text; standard output may go to a file or pipe that is there already.
    """
    script = Path(__file__).with_name("copies.py")
    with subprocess.Popen(
        [sys.executable, script, tiny_run.corpus], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:

        def ask(*what):
            print(json.dumps(what), file=starter.stdin, flush=True)
            return json.loads(starter.stdout.readline())

        def wait_for(pid, seconds):
            return ask("wait", pid, seconds)

        def begin(*arguments, size=1, stdin="", stdout=None):
            folder = tmp_path_factory.mktemp("copies")
            for rank in range(size):
                (folder / f"{rank}.in").write_text(stdin)
                if stdout is not None:
                    (folder / f"{rank}.out").symlink_to(stdout)
            pids = ask("begin", str(folder), size, *map(str, arguments))
            return [
                Copy(pid, (folder / f"{rank}.out", folder / f"{rank}.err"), wait_for)
                for rank, pid in enumerate(pids)
            ]

        yield begin
