"""lda-app doctor: what it reports of the machine is what the app does."""

import json
import os
from importlib.metadata import PackageNotFoundError

import pytest
import torch

from lda_app import __version__
from lda_app.cli import doctor
from lda_app.system import compiled
from lda_app.system.runtime import cpu_count


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
    import lda_app.models.kernels  # noqa: F401  compiled before the reason is put in, as other tests need it

    monkeypatch.setattr(compiled, "why_not_compiled", lambda: "numba is not installed")
    loops = {"used": False, "reason": "numba is not installed", "cache_folder": None, "cache_writable": False}
    assert system(cli)["compiled_loops"] == loops
    assert "not used, falling back to torch: numba is not installed" in cli("doctor", "--system").stdout


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


def texts_of(cli, *arguments):
    return json.loads(cli("doctor", *arguments, "--json").stdout)["texts"]


@pytest.fixture
def untidy(tmp_path):
    """Write a csv file with a duplicate, an empty row, one long document and a bad byte."""
    path = tmp_path / "untidy.csv"
    rows = [f"the rocket number{n} reached its orbit near moon{n}" for n in range(30)]
    rows += [rows[0], "", " ".join(["the season goal"] * 90), "<script>alert(1)</script> \x1b[31m cafX"]
    path.write_bytes(b"text\n" + "".join(f'"{row}"\n' for row in rows).encode().replace(b"cafX", b"caf\xe9"))
    return path


def test_a_page_of_what_is_in_the_texts(cli, untidy):
    done = cli("doctor", untidy, "--skip-bad-lines")
    assert done.code == 0, done.stderr
    assert "1 exact, 0 near" in done.stdout
    assert "stop word" in done.stdout
    assert "\x1b[31m" not in done.stdout
    assert "give --encoding cp1252" in done.stdout
    assert "for 20 topics: fewer than ten per topic" in done.stdout


def test_texts_as_json_are_one_document(cli, untidy):
    texts = texts_of(cli, untidy, "--num-topics", "2")
    assert (texts["num_documents"], texts["num_empty"], texts["num_exact"]) == (34, 1, 1)
    assert texts["longest"][0] == "33"
    assert texts["encodings"] == {"cp1252": 1}
    troubles = " | ".join(warning["trouble"] for warning in texts["warnings"])
    assert "document 33 has 53% of all tokens" in troubles
    assert "byte" in troubles


def test_a_corpus_folder_can_be_examined(cli, tiny_run):
    texts = texts_of(cli, tiny_run.corpus)
    assert texts["num_documents"] == 60
    assert texts["num_words"] == 24


def test_a_corpus_without_texts_cannot(cli, tiny_csv, tmp_path, assert_refused):
    out = tmp_path / "corpus"
    assert cli("corpus", "build", tiny_csv, "--no-texts", "--out", out).code == 0
    assert_refused(cli("doctor", out), 3, "was built with --no-texts; give the texts themselves")


def test_texts_on_standard_input(cli_process):
    done = cli_process("doctor", "-", "--json", stdin="the orbit of the moon\nthe orbit of the moon\n")
    assert json.loads(done.stdout)["texts"]["num_exact"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing.csv"], 3, "no such file or folder"),
        (["{csv}", "--text-column", "body"], 3, "no column 'body'"),
        (["{csv}", "--num-topics", "1"], 2, "--num-topics"),
    ],
)
def test_texts_that_cannot_be_examined(cli, tiny_csv, assert_refused, arguments, code, message):
    assert_refused(cli("doctor", *(part.format(csv=tiny_csv) for part in arguments)), code, message)
