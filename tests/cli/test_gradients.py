"""lda-app gradients: the table, the check and the comparison, as a user asks for them."""

import csv
import json
from xml.etree import ElementTree as ET

import pytest

from lda_app.gradients import check as checks
from lda_app.gradients.estimators import ESTIMATORS

QUICK = ("--estimates", "200", "--samples", "2")


def test_list_names_every_estimator(cli):
    done = cli("gradients", "list", "--json")
    rows = json.loads(done.stdout)
    assert rows["schema_version"] == 1
    assert len(rows["estimators"]) == len(ESTIMATORS)
    assert {"family": "dirichlet", "estimator": "implicit", "unbiased": True} in rows["estimators"]
    assert "gumbel-softmax 0.5" in cli("gradients", "list").stdout


def test_check_prints_the_worst_errors(cli):
    done = cli("gradients", "check", "--points", "49", "--json")
    assert done.code == 0, done.stderr
    rows = json.loads(done.stdout)["checks"]
    assert all(row["passed"] for row in rows)
    gamma = next(row for row in rows if row["what"] == "∂z/∂a, float64")
    assert gamma["num_points"] == 49
    assert 0 < gamma["worst"] < 1e-10


def test_check_fails_if_a_derivative_is_wrong(cli, monkeypatch):
    exact = checks.log_gamma_slope
    monkeypatch.setattr(checks, "log_gamma_slope", lambda a, log_z: exact(a, log_z) * (1 + 1e-9))
    done = cli("gradients", "check", "--points", "16")
    assert done.code == 1
    assert "errors exceed the bound: gamma ∂z/∂a, float64;" in done.stderr
    assert "gamma" in done.stdout


def test_compare_writes_table_json_csv_and_figure(cli, tmp_path):
    files = ("--csv", tmp_path / "table.csv", "--figure", tmp_path / "figure.svg")
    done = cli("gradients", "compare", "--family", "dirichlet", "--problem", "kl", "--json", *QUICK, *files)
    assert done.code == 0, done.stderr
    rows = json.loads(done.stdout)["comparisons"]
    names = [row.name for row in ESTIMATORS if row.family == "dirichlet"]
    assert [row["estimator"] for row in rows] == names
    assert all(abs(row["bias"]) < 3 * row["bias_error"] for row in rows)
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["estimator"] for row in csv.DictReader(stream)] == names
    drawn = {
        (text.text or "").strip()
        for text in ET.parse(tmp_path / "figure.svg").iter("{http://www.w3.org/2000/svg}text")
    }
    assert set(names) <= drawn


def test_compare_is_the_same_for_the_same_seed(cli):
    command = ("gradients", "compare", "--family", "gamma", "--json", *QUICK)
    first, again, other = (json.loads(cli(*command, "--seed", seed).stdout) for seed in (1, 1, 2))
    for document in (first, again, other):
        for row in document["comparisons"]:
            del row["seconds"]
    assert first == again
    assert first["comparisons"] != other["comparisons"]


def test_compare_on_a_trained_model(cli, tiny_run):
    """A gradient as training takes it: its reference is a mean, and the implicit one is the quietest."""
    command = ("gradients", "compare", "--run", tiny_run.run, "--json")
    done = cli(*command, "--estimates", "300")
    assert done.code == 0, done.stderr
    rows = {row["estimator"]: row for row in json.loads(done.stdout)["comparisons"]}
    assert abs(rows["implicit"]["bias"]) < 4 * rows["implicit"]["bias_error"]
    assert rows["implicit"]["variance"] < rows["rsvi, B = 1"]["variance"] < rows["score"]["variance"]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--family", "weibull"), ("--family must be one of normal,", "'weibull'")),
        (("--family", "gamma", "--problem", "mean"), ("--problem must be one of second moment,", "'mean'")),
        (("--figure", "figure.png"), ("--figure figure.png must end in .svg",)),
        (("--run", "run", "--family", "gamma"), ("--run has a single problem",)),
    ],
)
def test_wrong_options_are_refused(cli, assert_refused, options, parts):
    assert_refused(cli("gradients", "compare", *options), 2, *parts)


def test_existing_files_are_kept(cli, assert_refused, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("mine", encoding="utf-8")
    command = ("gradients", "compare", "--family", "beta", "--csv", table, *QUICK)
    assert_refused(cli(*command), 2, "--csv", "exists")
    assert table.read_text(encoding="utf-8") == "mine"
    assert cli(*command, "--overwrite").code == 0
    assert table.read_text(encoding="utf-8").startswith("family,")


@pytest.mark.parametrize(
    "options",
    [
        ("--inference", "cavi"),
        ("--posterior", "logistic-normal"),
        ("--gradient", "gumbel-softmax", "--temperature", "1", "--final-temperature", "0.2"),
        ("--gradient", "score", "--topic-update", "elbo"),
    ],
    ids=" ".join,
)
def test_models_of_other_guides_are_models(cli, tiny_run, tmp_path, options):
    run = tmp_path / "run"
    quick = ("--num-topics", "3", "--epochs", "3", "--batch-size", "20", "--validation-fraction", "0.2")
    done = cli("train", tiny_run.corpus, "--out", run, *quick, *options)
    assert done.code == 0, done.stderr
    figures = json.loads(cli("eval", run, "--split", "train", "--json").stdout)
    assert 1 < figures["perplexity"]["document_completion"]["value"] < 200


def test_guides_that_do_not_fit_are_refused(cli, assert_refused, tiny_run, tmp_path):
    command = ("train", tiny_run.corpus, "--out", tmp_path / "run", "--inference", "cavi")
    assert_refused(cli(*command, "--gradient", "rsvi"), 2, "--gradient rsvi applies only to a network's")
    assert_refused(cli(*command, "--posterior", "logistic-normal"), 2, "--posterior must be dirichlet")
