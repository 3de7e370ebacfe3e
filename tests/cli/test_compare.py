"""``lda-app compare``."""

import json
import sys

import pytest

from lda_app.studies.compare import figures, running, sessions, worker

IN_A_MOMENT = """
import sys
from lda_app.studies.compare import figures, worker
figures._SECONDS_OF_INFERENCE = 0.0
sys.exit(worker.main())
"""


def in_a_session_if_a_rival(command, **options):
    """Measure a run in this process; train a rival in its own, but do not time it for long."""
    *python, specification = command
    assert python == [sys.executable, "-m", worker.__name__]
    task = worker.Task(**json.loads(specification))
    if task.run is not None:
        return worker.work(task)
    return sessions.run_in_session([sys.executable, "-c", IN_A_MOMENT, specification], **options)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_model_is_compared_with_a_rival(cli, planted, tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "_SECONDS_OF_INFERENCE", 0.0)
    monkeypatch.setattr(running, "run_in_session", in_a_session_if_a_rival)
    run, out = planted(tmp_path / "run"), tmp_path / "out"
    arguments = ("compare", tiny_run.corpus, "--run", run, "--with", "prodlda", "--out", out)
    done = cli(*arguments)
    assert done.code == 0, done.stderr
    table, notes = done.stdout.split("\n\n")
    lines = {line.split()[0]: line.split() for line in table.splitlines()}
    assert {"method", "lda-app", "prodlda"} <= lines.keys()
    assert lines["prodlda"][3] == "–"
    assert "prodlda (torch" in notes
    assert "epochs 100" in notes
    document = json.loads(cli(*arguments, "--json").stdout)
    ours, rival = (result["figures"] for result in document["results"])
    assert ours["own"] == pytest.approx(ours["ref"], rel=0.05)
    assert rival["own"] > 1
    kept = json.loads((run / "comparison.json").read_text())
    assert kept["results"] == document["results"]
    assert json.loads((out / "comparison.json").read_text()) == document
    assert cli("eval", run, "--corpus", tiny_run.corpus).code == 0


REFUSED = {
    "an unknown rival": (("--with", "tomotopi"), 2, "did you mean 'tomotopy'"),
    "one topic": (("--num-topics", "1"), 2, "--num-topics"),
    "no time": (("--time-limit", "0"), 2, "--time-limit"),
    "no seed": (("--num-seeds", "0"), 2, "--num-seeds"),
    "an unknown label": (("--label-column", "colour"), 2, "no column 'colour'"),
    "a missing run": (("--run", "nowhere"), 4, "nowhere"),
}


@pytest.mark.parametrize(("options", "code", "part"), REFUSED.values(), ids=REFUSED)
def test_bad_options_are_refused_before_any_work(
    cli, assert_refused, tiny_run, tmp_path, options, code, part
):
    done = cli("compare", tiny_run.corpus, "--out", tmp_path / "out", *options)
    assert_refused(done, code, part)
    assert not (tmp_path / "out" / "results").exists()


def test_a_number_of_topics_that_the_run_does_not_have_is_refused(cli, assert_refused, tiny_run, tmp_path):
    done = cli(
        "compare", tiny_run.corpus, "--run", tiny_run.run, "--num-topics", "5", "--out", tmp_path / "out"
    )
    assert_refused(done, 2, "has 3 topics")


def test_a_corpus_without_a_test_split_is_refused(cli, assert_refused, tiny_csv, tmp_path):
    built = cli("corpus", "build", tiny_csv, "--test-fraction", "0", "--out", tmp_path / "corpus")
    assert built.code == 0
    done = cli("compare", tmp_path / "corpus", "--with", "lda-app", "--out", tmp_path / "out")
    assert_refused(done, 2, "no test split")


def test_a_folder_of_something_else_is_refused(cli, assert_refused, tiny_run, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    done = cli("compare", tiny_run.corpus, "--out", tmp_path, "--overwrite")
    assert_refused(done, 2, "thesis.txt")
