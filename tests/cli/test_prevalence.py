"""``lda-app prevalence``."""

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest


def prevalence(cli, run, *arguments):
    done = cli("prevalence", run, *arguments)
    assert done.code == 0, done.stderr
    return done


def test_each_subject_is_about_its_topic(cli, described_run):
    done = prevalence(cli, described_run.run, "--by", "subject", "--json")
    content = json.loads(done.stdout)
    assert content["schema_version"] == 1
    assert (content["by"], content["level"], content["split"]) == (["subject"], 0.95, "all")
    assert [group["name"] for group in content["groups"]] == ["=sport", "garden, too", "space"]
    assert sum(group["documents"] for group in content["groups"]) == 58
    for row in content["prevalence"]:
        own = row["group"] == {0: "space", 1: "=sport", 2: "garden, too"}[row["topic"]]
        assert (row["share"] > 0.8) == own
        assert 0 <= row["lower"] <= row["share"] <= row["upper"] <= 1
    assert "2 documents without a value for subject" in done.stderr


def test_the_table_names_topics_groups_and_intervals(cli, described_run):
    out = prevalence(cli, described_run.run, "--by", "subject", "--topics", "0", "--level", "0.8").stdout
    lines = out.splitlines()
    assert lines[0] == "Share of each topic by subject"
    assert "80% interval" in lines[1]
    assert len(lines) == 5
    assert "20 (few)" in out or "19 (few)" in out


def test_differences_to_another_group_and_to_all_others(cli, described_run):
    arguments = ("--by", "subject", "--difference", "space", "--difference", "space,garden, too")
    content = json.loads(prevalence(cli, described_run.run, *arguments, "--json").stdout)
    rest, other = content["differences"]
    assert (rest["of"], other["of"]) == ("space minus all others", "space minus garden, too")
    assert [row["difference"] > 0.5 for row in rest["topics"]] == [True, False, False]
    assert [row["difference"] < -0.5 for row in other["topics"]] == [False, False, True]
    assert rest["topics"][0]["probability_positive"] > 0.99
    table = prevalence(cli, described_run.run, *arguments).stdout
    assert "space minus garden, too" in table
    assert "P(above 0)" in table


def test_groups_by_several_columns_and_periods(cli, described_run):
    content = json.loads(prevalence(cli, described_run.run, "--by", "subject,date:year", "--json").stdout)
    assert content["by"] == ["subject", "date:year"]
    assert len(content["groups"]) == 9
    assert content["groups"][0]["name"] == "=sport/1990"
    bins = json.loads(prevalence(cli, described_run.run, "--by", "size:3", "--json").stdout)
    assert [group["name"] for group in bins["groups"]] == ["3–21", "22–40", "41–59"]


def test_csv_and_plot(cli, described_run, tmp_path):
    out, plot = tmp_path / "figures.csv", tmp_path / "figures.svg"
    arguments = ("--by", "subject", "--difference", "space", "--output", out, "--plot", plot)
    assert prevalence(cli, described_run.run, *arguments).stdout == ""
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["quantity"] for row in rows] == ["share"] * 9 + ["difference"] * 3
    assert {row["group"] for row in rows} >= {"'=sport", "space", "space minus all others"}
    assert all(float(row["lower"]) <= float(row["estimate"]) <= float(row["upper"]) for row in rows)
    texts = [(text.text or "").strip() for text in ET.parse(plot).iter("{http://www.w3.org/2000/svg}text")]
    assert all(texts.count(group) == 3 for group in ("=sport", "garden, too", "space"))


def test_names_merged_and_hidden_topics_are_respected(cli, described_run, tmp_path):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(described_run.run, run)
    assert cli("label", run, "--topic", "0", "space flight").code == 0
    assert cli("label", run, "--merge", "0,1").code == 0
    assert cli("label", run, "--hide", "2").code == 0
    arguments = ("--by", "subject", "--corpus", described_run.corpus, "--json")
    content = json.loads(prevalence(cli, run, *arguments).stdout)
    assert content["topics"] == [{"id": 0, "name": "space flight"}]
    assert [row["share"] > 0.8 for row in content["prevalence"]] == [True, False, True]


def test_a_group_of_one_document_has_no_interval(cli, described_run):
    done = prevalence(cli, described_run.run, "--by", "date:day,subject", "--json")
    lonely = [row for row in json.loads(done.stdout)["prevalence"] if row["documents"] == 1]
    assert lonely
    assert all(row["lower"] is row["upper"] is row["standard_error"] is None for row in lonely)
    shown = prevalence(cli, described_run.run, "--by", "date:day,subject").stdout
    assert "?" in shown
    assert "? …" not in shown


def test_a_seed_gives_the_same_document(cli, described_run):
    one, same, other = (
        prevalence(cli, described_run.run, "--by", "subject", "--json", "--seed", seed).stdout
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        (("--by", "party"), 3, ("no column 'party'", "'subject', 'date', 'size'")),
        (("--by", "subject:month"), 3, ("'subject' does not hold dates",)),
        (("--by", "subject:4"), 3, ("'subject' does not hold numbers",)),
        (("--by", ""), 3, ("no column ''",)),
        (
            ("--by", "subject", "--difference", "nobody"),
            2,
            ("--difference nobody", "=sport, garden, too, space"),
        ),
        (("--by", "subject", "--difference", "space,space"), 2, ("two different ones",)),
        (("--by", "subject", "--topics", "3"), 2, ("--topics 3", "0, 1, 2")),
        (("--by", "subject", "--topics", "x"), 2, ("--topics", "'x'")),
        (("--by", "subject", "--level", "95"), 2, ("--level",)),
        (("--by", "subject", "--split", "some"), 2, ("--split",)),
    ],
)
def test_bad_input_is_one_line(cli, described_run, assert_refused, arguments, code, parts):
    assert_refused(cli("prevalence", described_run.run, *arguments), code, *parts)


def test_outputs_that_exist_are_kept(cli, described_run, assert_refused, tmp_path):
    (tmp_path / "mine").write_text("mine")
    for flag in ("--output", "--plot"):
        done = cli("prevalence", described_run.run, "--by", "subject", flag, tmp_path / "mine")
        assert_refused(done, 2, flag, "exists")


@pytest.mark.parametrize(("flag", "name"), [("--output", "figures.xlsx"), ("--plot", "figures.png")])
def test_outputs_of_other_formats_are_refused(cli, described_run, assert_refused, tmp_path, flag, name):
    for command in (("prevalence", "--by", "subject"), ("effects", "--covariates", "subject")):
        done = cli(command[0], described_run.run, *command[1:], flag, tmp_path / name)
        assert_refused(done, 2, flag, "suffix")
        assert not (tmp_path / name).exists()


def test_a_corpus_without_metadata_says_so(cli, tiny_run, assert_refused):
    assert_refused(cli("prevalence", tiny_run.run, "--by", "party"), 3, "only ids and texts")
