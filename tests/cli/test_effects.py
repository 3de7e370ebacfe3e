"""``lda-app effects``."""

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest


def effects(cli, run, *arguments):
    done = cli("effects", run, *arguments)
    assert done.code == 0, done.stderr
    return done


def test_coefficients_of_a_formula(cli, described_run):
    done = effects(cli, described_run.run, "--formula", "~ subject + size", "--json")
    content = json.loads(done.stdout)
    assert content["schema_version"] == 1
    assert content["formula"] == "~ subject + size"
    assert content["left_out_without_value"] == {"subject": 2, "size": 3}
    assert content["documents"] == 55
    assert "5 documents left out because of missing values (2 of subject, 3 of size)" in done.stderr
    rows = {(row["topic"], row["coefficient"]): row for row in content["coefficients"]}
    assert len(rows) == 12
    space = rows[0, "subject[T.space]"]
    assert space["estimate"] > 0.7
    assert space["p_value"] < 0.001
    assert space["lower"] < space["estimate"] < space["upper"]
    assert abs(rows[0, "subject[T.garden, too]"]["estimate"]) < 0.1


def test_the_table_tells_points_errors_and_p(cli, described_run):
    out = effects(cli, described_run.run, "--covariates", "subject,date", "--topics", "0").stdout
    lines = out.splitlines()
    assert lines[0] == "Coefficients of ~ `subject` + `date`, 58 documents"
    assert len(lines) == 6
    assert "<0.001" in out


def test_predictions_along_a_category_and_a_number(cli, described_run):
    arguments = ("--formula", "~ subject + s(date)", "--json", "--along")
    content = json.loads(effects(cli, described_run.run, *arguments, "subject").stdout)
    shares = {(row["topic"], row["value"]): row["share"] for row in content["predictions"]}
    assert shares[0, "space"] > 0.8 > 0.1 > shares[0, "=sport"]
    content = json.loads(effects(cli, described_run.run, *arguments, "date").stdout)
    values = [row["value"] for row in content["predictions"] if row["topic"] == 0]
    assert values == sorted(values)
    assert 1990 <= values[0] < values[-1] < 1993
    assert content["along"] == "date"


def test_csv_and_plots(cli, described_run, tmp_path):
    out = tmp_path / "figures.csv"
    arguments = ("--formula", "~ subject + s(date)", "--overwrite", "--output", out)
    for along, named in (
        ((), {"subject[T.garden, too]"}),
        (("--along", "subject"), {"=sport", "garden, too", "space"}),
        (("--along", "date"), {"date"}),
    ):
        plot = tmp_path / "figures.svg"
        assert effects(cli, described_run.run, *arguments, *along, "--plot", plot).stdout == ""
        texts = [
            (text.text or "").strip() for text in ET.parse(plot).iter("{http://www.w3.org/2000/svg}text")
        ]
        assert named <= set(texts)
        assert sum(text[:3] in ("0  ", "1  ", "2  ") for text in texts) == 3
        rows = list(csv.DictReader(io.StringIO(out.read_text())))
        assert all(float(row["lower"]) <= float(row["upper"]) for row in rows)
        if along == ("--along", "subject"):
            assert {row["value"] for row in rows} == {"'=sport", "garden, too", "space"}


@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        ((), 2, ("either --formula", "--covariates")),
        (("--formula", "~ size", "--covariates", "size"), 2, ("either --formula",)),
        (("--formula", "~ size +"), 2, ("--formula ~ size +", "cannot be read")),
        (("--formula", "~ party"), 3, ("no column 'party'", "'subject', 'date', 'size'")),
        (("--covariates", "party"), 3, ("no column 'party'",)),
        (("--formula", "~ log(subject)"), 2, ("cannot be evaluated",)),
        (("--covariates", "size", "--along", "subject"), 2, ("--along subject", "choose one of size")),
        (("--covariates", "size", "--level", "1"), 2, ("--level",)),
    ],
)
def test_bad_input_is_one_line(cli, described_run, assert_refused, arguments, code, parts):
    assert_refused(cli("effects", described_run.run, *arguments), code, *parts)
