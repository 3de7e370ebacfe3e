"""The log and progress bars on stderr, named generators, and signals."""

from __future__ import annotations

import logging
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from lda_app.system import runtime
from lda_app.system.runtime import configure_log, cpu_count, interruptible, log, one_line, progress, rng

WORK = """
from lda_app.system.runtime import configure_log, log, progress
configure_log()
with progress("Training [5 topics]", total=2, unit="epochs") as outer:
    for epoch in range(2):
        with progress("Batches", total=3) as inner:
            inner.advance(3)
        outer.note(f"loss {epoch}")
        outer.advance()
    log.warning("half of the topics are unused")
"""


def on_terminal(code: str, **environment: str) -> str:
    """Run code in a process whose stderr is a terminal, and return what it showed."""
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=terminal,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    )
    os.close(terminal)
    shown = b""
    try:
        while block := os.read(master, 65536):
            shown += block
    except OSError:  # Linux reports the end of a terminal as an error
        pass
    os.close(master)
    assert process.wait() == 0
    return shown.decode()


def test_bars_are_drawn_on_a_terminal() -> None:
    shown = on_terminal(WORK)
    assert "━" in shown
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n").strip().splitlines()[-1]
    assert last.startswith("Training [5 topics] ━")
    assert "2 epochs" in last
    assert "loss 1" in last
    assert "Batches" not in last
    assert "warning: half of the topics are unused" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


def test_no_color_is_obeyed() -> None:
    colour = r"\x1b\[(3|9)\d"
    assert re.search(colour, on_terminal(WORK, NO_COLOR=""))
    assert not re.search(colour, on_terminal(WORK, NO_COLOR="1"))


def test_elsewhere_there_is_one_line_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log()
    with progress("Counting", total=1200, unit="documents") as outer:
        with progress("Part") as inner:
            inner.advance()
        outer.advance(1200)
        outer.note("9 empty")
        assert capsys.readouterr().err == ""
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"Counting: 1,200 documents in \d+\.\d s \(9 empty\)\n", err)


def test_work_that_fails_is_not_reported_as_done(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log()
    with pytest.raises(ZeroDivisionError), progress("Counting"):
        raise ZeroDivisionError
    assert capsys.readouterr().err == ""


def test_quiet_leaves_warnings_alone(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log(quiet=True)
    with progress("Counting") as bar:
        bar.advance()
    log.info("half done")
    log.warning("12 documents are empty")
    assert capsys.readouterr().err == "warning: 12 documents are empty\n"


def test_a_record_is_one_line_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log()
    log.error("%s", "[bold]a.csv\x1b[31m\n\u2028\u202e" + "x" * 300 + " :smile:")
    expected = "error: [bold]a.csv\\x1b[31m\\n\\u2028\\u202e" + "x" * 300 + " :smile:\n"
    assert capsys.readouterr().err == expected


def test_a_closed_stderr_ends_nothing() -> None:
    code = WORK + "\nprint('done')"
    done = subprocess.run(
        f'"{sys.executable}" -c "$CODE" 2>&-',
        shell=True,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "CODE": code},
    )
    assert done.stdout == "done\n"


@pytest.mark.parametrize(("debug", "shown"), [(True, "UserWarning: deprecated"), (False, "")])
def test_warnings_for_programmers_are_for_debugging(debug: bool, shown: str) -> None:
    code = f"""
import warnings
from lda_app.system.runtime import configure_log
configure_log(debug={debug})
warnings.warn("deprecated")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown in done.stderr
    assert bool(shown) == bool(done.stderr)
    assert done.stderr.count("\n") == bool(shown)


@pytest.mark.parametrize("text", ["news.csv", "Ωμέγα ñ 漢字", "C:\\x"])
def test_one_line_keeps_what_can_be_printed(text: str) -> None:
    assert one_line(text) == text


def test_generators_are_named_and_stable() -> None:
    assert rng(0, "split").integers(1 << 30, size=3).tolist() == [747061330, 708170817, 540081570]
    assert not np.array_equal(rng(0, "split").random(3), rng(1, "split").random(3))
    assert not np.array_equal(rng(0, "split").random(3), rng(0, "init").random(3))


def test_global_generator_is_left_alone() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    rng(0, "split").random()
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_cores_are_those_allowed() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cpu_count() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_is_a_flag_and_the_second_an_exception(signum: signal.Signals) -> None:
    before = signal.getsignal(signum)
    with interruptible() as interruption:
        assert interruption.requested is None
        signal.raise_signal(signum)
        assert interruption.requested == signum
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signum)
    assert signal.getsignal(signum) is before


def test_other_threads_are_left_alone() -> None:
    found: list[int | None] = []

    def work() -> None:
        with interruptible() as interruption:
            found.append(interruption.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [None]


def test_library_use_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert not log.isEnabledFor(logging.INFO)
    with progress("Counting"):
        pass
    assert capsys.readouterr().err == ""


@pytest.fixture
def notebook(monkeypatch):
    """Make this process look like a notebook's kernel, and record what its cell shows."""
    shown = []

    class Handle:
        def update(self, content):
            shown.append(content)

    def display(content, *, display_id):
        assert display_id
        shown.append(content)
        return Handle()

    ipython, display_module = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    display_module.HTML, display_module.display = str, display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display_module)
    return shown


def test_a_notebook_has_a_bar_and_then_a_line(notebook, monkeypatch):
    monkeypatch.setattr(runtime, "_SECONDS_BETWEEN_NOTEBOOK_REDRAWS", 0.0)
    with runtime.progress_shown(), runtime.progress("<b>Words", total=4, unit="documents") as bar:
        bar.note("loss < 1")
        bar.advance(2)
        with runtime.progress("Inner"):
            pass
    assert notebook[0] == '&lt;b&gt;Words <progress value="0" max="4"></progress> 0/4 documents'
    assert '<progress value="2" max="4"></progress> 2/4 documents (loss &lt; 1)' in notebook[1]
    assert notebook[3] == ""
    assert notebook[-1].startswith("&lt;b&gt;Words: 2 documents in ")


def test_a_notebook_shows_nothing_unasked(notebook):
    with runtime.progress("Words", total=4):
        pass
    with runtime.progress_shown(False), runtime.progress("Words", total=4):
        pass
    assert notebook == []


def test_ipython_on_a_terminal_is_no_notebook(notebook, monkeypatch):
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", SimpleNamespace)
    with runtime.progress_shown(), runtime.progress("Words"):
        pass
    assert notebook == []


def test_a_library_on_a_terminal_draws_where_it_is_asked_to() -> None:
    code = """
from lda_app.system.runtime import progress, progress_shown
with progress("Unasked"):
    pass
with progress_shown(), progress("Asked", total=1):
    pass
"""
    shown = on_terminal(code)
    assert "Asked" in shown
    assert "Unasked" not in shown
