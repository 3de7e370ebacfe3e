"""``lda-app plot``: figures for papers, in each format, the same each time."""

import shutil

import pytest

BEGINNINGS = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}


@pytest.mark.parametrize("what", ["topics", "prevalence", "training", "similarity"])
def test_a_figure_is_drawn_and_drawn_again_the_same(cli, trained_run, tmp_path, what):
    drawn = []
    for name in ("one.svg", "two.svg"):
        done = cli("plot", trained_run.run, what, "--output", tmp_path / name)
        assert done.code == 0, done.stderr
        drawn.append((tmp_path / name).read_bytes())
    assert drawn[0].startswith(b"<?xml")
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_the_suffix_chooses_the_format(cli, tiny_run, tmp_path, suffix):
    assert cli("plot", tiny_run.run, "similarity", "--output", tmp_path / f"plot{suffix}").code == 0
    assert (tmp_path / f"plot{suffix}").read_bytes().startswith(BEGINNINGS[suffix])


def test_names_are_shown_and_hidden_topics_are_not(cli, tiny_run, tmp_path):
    run = shutil.copytree(tiny_run.run, tmp_path / "run")
    cli("label", run, "--topic", "1", "$ice$ & <hockey>", "--hide", "0")
    assert cli("plot", run, "topics", "--output", tmp_path / "plot.svg").code == 0
    text = (tmp_path / "plot.svg").read_text()
    assert "1 $ice$ &amp; &lt;hockey&gt;" in text
    assert "orbit" not in text
    assert cli("plot", run, "topics", "--topics", "0", "--output", tmp_path / "hidden.svg").code == 0
    assert "orbit" in (tmp_path / "hidden.svg").read_text()


def test_prevalence_by_metadata_has_the_groups(cli, tiny_csv, tmp_path, quick):
    run, out = tmp_path / "run", tmp_path / "plot.svg"
    assert cli("train", tiny_csv, "--id-column", "id", "--out", run, *quick).code == 0
    assert cli("plot", run, "prevalence", "--by", "subject", "--output", out).code == 0
    text = out.read_text()
    assert all(f">{subject}<" in text for subject in ("space", "sport", "garden"))
    assert "by subject" in text


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("topics", "--output", "plot.jpg"), (".svg, .png or .pdf", "'.jpg'")),
        (("topics", "--by", "subject", "--output", "plot.svg"), ("--by", "prevalence")),
        (("topics", "--topics", "9", "--output", "plot.svg"), ("no topic 9",)),
        (("topics", "--topics", "x", "--output", "plot.svg"), ("--topics", "'x'")),
    ],
)
def test_what_makes_no_sense_is_refused(
    cli, tiny_run, tmp_path, monkeypatch, assert_refused, arguments, parts
):
    monkeypatch.chdir(tmp_path)
    assert_refused(cli("plot", tiny_run.run, *arguments), 2, *parts)
    assert not list(tmp_path.iterdir())


def test_a_column_that_is_not_there_is_wrong_input(cli, tiny_run, tmp_path, assert_refused):
    done = cli("plot", tiny_run.run, "prevalence", "--by", "party", "--output", tmp_path / "plot.svg")
    assert_refused(done, 3, "no column 'party'")


def test_hostile_words_are_drawn_as_they_are(cli, hostile_words_run, tmp_path):
    done = cli("plot", hostile_words_run, "topics", "--output", tmp_path / "plot.svg")
    assert done.code == 0, done.stderr
    assert "<script>" not in (tmp_path / "plot.svg").read_text()
