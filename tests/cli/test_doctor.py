"""lda-app doctor: what it reports of the machine is what the app does."""

import json
import os
from importlib.metadata import PackageNotFoundError

import pytest
import torch

from lda_app import __version__, compiled
from lda_app.cli import doctor
from lda_app.runtime import cpu_count


def system(cli):
    done = cli("doctor", "--system", "--json")
    assert done.code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    return document["system"]


def test_the_report_of_this_machine(cli):
    report = system(cli)
    assert report["versions"]["lda-app"] == __version__
    assert report["versions"]["torch"] == torch.__version__
    assert report["cores"] == cpu_count()
    assert report["memory_bytes"] > 1e8
    assert report["device"]["auto"] == ("cuda" if torch.cuda.is_available() else "cpu")
    assert report["compiled_loops"]["used"] == (compiled.why_not_compiled() is None)
    assert report["corpora"]["pydocs"] is True


def test_the_table_has_all_that_is_found(cli):
    done = cli("doctor", "--system")
    assert done.code == 0
    for part in ("python", "numba", "cores", "memory", "device", "compiled loops", "corpus 20newsgroups"):
        assert part in done.stdout


def test_loops_that_are_not_compiled_are_reported_with_the_reason(cli, monkeypatch):
    monkeypatch.setattr(compiled, "why_not_compiled", lambda: "numba is not installed")
    loops = {"used": False, "reason": "numba is not installed", "cache_folder": None, "cache_writable": False}
    assert system(cli)["compiled_loops"] == loops
    assert "not used, torch instead: numba is not installed" in cli("doctor", "--system").stdout


def test_a_package_that_is_missing(cli, monkeypatch):
    def no_version(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(doctor, "version", no_version)
    assert system(cli)["versions"]["numba"] is None
    assert "not installed" in cli("doctor", "--system").stdout


def test_the_reason_for_the_processor_on_a_mac(cli, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert system(cli)["device"]["auto"] == "cpu"
    assert "MPS" in system(cli)["device"]["reason"]


def test_a_cache_that_cannot_be_written(cli, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    assert system(cli)["compiled_loops"]["cache_writable"] is False
    if compiled.why_not_compiled() is None:
        assert "NUMBA_CACHE_DIR" in cli("doctor", "--system").stdout


@pytest.mark.parametrize("there", [True, False])
def test_a_corpus_that_was_fetched_before(cli, monkeypatch, tmp_path, there):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    if there:
        (tmp_path / "20news-bydate_py3.pkz").touch()
    assert system(cli)["corpora"]["20newsgroups"] is there


def test_nothing_to_report_on(cli, assert_refused):
    assert_refused(cli("doctor"), 2, "--system")
