"""``lda-app transform``."""

import csv
import gzip
import json
import re

import pandas as pd
import pytest

from lda_app.system.compiled import why_not_compiled

TEXTS = ["The shuttle reached orbit", "soil and seed, rain and a flower", "nothing of it", ""]


@pytest.fixture
def news(tmp_path):
    """Write a csv file with a column before and after the text."""
    path = tmp_path / "news.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["day", "text", "=sum"])
        rows.writerows((f"day {n}", text, f"={n}") for n, text in enumerate(TEXTS))
    return path


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
def test_a_line_on_standard_input_is_told_its_topic(begin_copies, tiny_run):
    command = ("lda-app", "transform", tiny_run.run, "-", "--format", "txt")
    (done,) = begin_copies(*command, stdin="The shuttle reached orbit\n")
    assert done.wait() == 0, done.stderr
    assert done.stdout.startswith("1: topic 0 (")
    assert "shuttle" in done.stdout
    assert done.stdout.count("\n") == 1


def test_lines_say_where_nothing_is_known(cli, tiny_run, news):
    lines = cli("transform", tiny_run.run, news).stdout.splitlines()
    assert len(lines) == 4
    assert "topic 2 (" in lines[1]
    assert "none of its" in lines[2]
    assert "none of its 0 tokens" in lines[3]


def test_json_on_stdout_is_one_document(cli, tiny_run, news):
    content = json.loads(cli("transform", tiny_run.run, news, "--json").stdout)
    assert content["schema_version"] == 1
    assert len(content["topics"]) == 3
    assert [document["top_topic"] for document in content["documents"][:2]] == [0, 2]
    assert all(sum(document["shares"]) == pytest.approx(1, abs=1e-5) for document in content["documents"])


def test_csv_keeps_the_user_s_rows_and_columns_in_order(cli, tiny_run, news, tmp_path):
    out = tmp_path / "out.csv"
    done = cli("transform", tiny_run.run, news, "--output", out)
    assert done.code == 0
    assert done.stdout == ""
    rows = read_csv(out)
    assert list(rows[0]) == [
        *("day", "text", "'=sum", "known_tokens", "unknown_tokens", "too_little_known"),
        *("top_topic", "top_topic_words", "topic_0", "topic_1", "topic_2"),
    ]
    assert [row["text"] for row in rows] == TEXTS
    assert [row["day"] for row in rows] == [f"day {n}" for n in range(4)]
    assert [row["'=sum"] for row in rows] == [f"'={n}" for n in range(4)]
    assert [row["top_topic"] for row in rows[:2]] == ["0", "2"]
    assert [row["too_little_known"] for row in rows] == ["false", "false", "true", "true"]
    assert [row["known_tokens"] for row in rows] == ["2", "4", "0", "0"]
    assert [row["top_topic"] for row in rows[2:]] == [row["top_topic_words"] for row in rows[2:]] == ["", ""]
    assert "2 of 4 documents" in done.stderr
    assert f"{out}: 4 rows, 11 columns" in done.stderr


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_all_formats_hold_the_same(cli, tiny_run, news, tmp_path, suffix):
    out = tmp_path / f"out.{suffix}"
    assert cli("transform", tiny_run.run, news, "--output", out).code == 0
    read = {
        "csv": lambda: pd.read_csv(out, keep_default_na=False),
        "jsonl": lambda: pd.read_json(out, lines=True),
        "parquet": lambda: pd.read_parquet(out),
    }
    table = read[suffix]()
    assert table["text"].tolist() == TEXTS
    assert table["known_tokens"].tolist() == [2, 4, 0, 0]
    shares = table[["topic_0", "topic_1", "topic_2"]].to_numpy(dtype=float)
    assert shares.sum(axis=1) == pytest.approx([1, 1, 1, 1], abs=1e-5)
    assert shares[0].argmax() == 0


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_intervals_hold_their_shares_in_all_formats(cli, tiny_run, news, tmp_path, suffix):
    out = tmp_path / f"out.{suffix}"
    assert cli("transform", tiny_run.run, news, "--intervals", "--output", out).code == 0
    read = {"csv": pd.read_csv, "jsonl": lambda path: pd.read_json(path, lines=True)}
    frame = read.get(suffix, pd.read_parquet)(out)
    ends = [f"topic_{k}_{end}" for k in range(3) for end in ("lower", "upper")]
    assert list(frame)[-9:] == ["topic_0", "topic_1", "topic_2", *ends]
    assert frame["topic_0_lower"][0] < frame["topic_0"][0] < frame["topic_0_upper"][0]
    assert (frame[ends[1::2]].to_numpy() >= frame[ends[::2]].to_numpy()).all()
    assert frame["top_topic"].tolist()[:2] == [0, 2]


def test_a_higher_level_has_wider_intervals_in_lines_and_json(cli, tiny_run, news):
    line = cli("transform", tiny_run.run, news, "--intervals").stdout.splitlines()[0]
    assert re.search(r"topic 0 \(.*\) 0\.\d\d \[0\.\d\d, [01]\.\d\d\]", line)
    widths = []
    for level in ("0.8", "0.9", "0.99"):
        done = cli("transform", tiny_run.run, news, "--intervals", "--level", level, "--json")
        content = json.loads(done.stdout)
        first = content["documents"][0]
        assert content["level"] == float(level)
        assert first["lower"][0] <= first["shares"][0] <= first["upper"][0]
        widths.append(first["upper"][0] - first["lower"][0])
    assert widths == sorted(set(widths))


@pytest.mark.skipif(why_not_compiled() is not None, reason="documents share a stream of random numbers")
def test_intervals_do_not_depend_on_other_documents(cli, tiny_run, news, tmp_path):
    together = json.loads(cli("transform", tiny_run.run, news, "--intervals", "--json").stdout)
    (tmp_path / "one.csv").write_text(f'text\n"{TEXTS[1]}"\n')
    alone = json.loads(cli("transform", tiny_run.run, tmp_path / "one.csv", "--intervals", "--json").stdout)
    assert alone["documents"][0]["upper"] == together["documents"][1]["upper"]


@pytest.mark.parametrize("level", ["0", "1", "90", "-1", "nan", "high"])
def test_a_level_that_is_no_probability(cli, tiny_run, news, assert_refused, level):
    assert_refused(cli("transform", tiny_run.run, news, "--intervals", "--level", level), 2, "--level")


def test_a_document_without_known_words_has_the_prior_s_shares(cli, tiny_run, news):
    document = json.loads(cli("transform", tiny_run.run, news, "--json").stdout)["documents"][2]
    assert document["known_tokens"] == 0
    assert document["shares"] == pytest.approx([1 / 3] * 3, abs=1e-5)


def test_columns_of_the_user_s_that_clash_stay_as_they_are(cli, tiny_run, tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text,topic_0,top_topic\norbit,mine,yours\n")
    assert cli("transform", tiny_run.run, source, "--text-column", "text", "--output", out).code == 0
    (row,) = read_csv(out)
    assert (row["topic_0"], row["top_topic"], row["lda_top_topic"]) == ("mine", "yours", "0")
    assert float(row["lda_topic_0"]) > 0.5


def test_json_lines_with_other_keys_in_each_row(cli, tiny_run, tmp_path):
    source, out = tmp_path / "in.jsonl.gz", tmp_path / "out.csv"
    lines = [{"a": "1", "text": "orbit"}, {"text": "seed", "b": "2", "name": "x"}]
    source.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    assert cli("transform", tiny_run.run, source, "--output", out).code == 0
    first, second = read_csv(out)
    assert (first["a"], first["b"], second["a"], second["b"]) == ("1", "", "", "2")


def test_json_values_keep_their_type(cli, tiny_run, tmp_path):
    source = tmp_path / "in.jsonl"
    line = {"n": 7, "name": "7", "tags": ["a", None], "none": None, "empty": "", "text": "orbit"}
    source.write_text(json.dumps(line) + "\n")
    for suffix in ("jsonl", "csv", "parquet"):
        out = tmp_path / f"out.{suffix}"
        assert cli("transform", tiny_run.run, source, "--id-column", "n", "--output", out).code == 0
    (row,) = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert {name: row[name] for name in line} == line
    (cells,) = read_csv(tmp_path / "out.csv")
    assert (cells["n"], cells["tags"], cells["none"]) == ("7", '["a", null]', "")
    assert pd.read_parquet(tmp_path / "out.parquet")["tags"].tolist() == ['["a", null]']


def test_a_missing_id_is_told_with_all_keys(cli, tiny_run, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "orbit", "n": 1}\n')
    done = cli("transform", tiny_run.run, tmp_path / "in.jsonl", "--id-column", "id")
    assert "no key 'id' (give --id-column); the keys are 'text', 'n'" in done.stderr


def test_options_of_the_environment_are_named_as_their_flags(cli, tiny_run, monkeypatch):
    monkeypatch.setenv("LDA_APP_EVAL_JSON", "1")
    monkeypatch.setenv("LDA_APP_EVAL_SPLITS", "train")
    done = cli("eval", tiny_run.run)
    assert json.loads(done.stdout)["split"] == "test"
    assert "LDA_APP_EVAL_SPLITS has no effect; did you mean LDA_APP_EVAL_SPLIT?" in done.stderr


def test_a_corpus_folder_is_no_source(cli, tiny_run):
    done = cli("transform", tiny_run.run, tiny_run.corpus)
    assert done.code == 2
    assert "is a corpus folder; give the texts themselves" in done.stderr


def test_a_document_s_answer_does_not_depend_on_the_others(cli, tiny_run, tiny_texts, tmp_path):
    def shares(texts):
        source = tmp_path / "in.txt"
        source.write_text("\n".join(texts) + "\n")
        content = json.loads(cli("transform", tiny_run.run, source, "--json").stdout)
        return [document["shares"] for document in content["documents"]]

    together = shares(tiny_texts)
    assert shares(tiny_texts[::-1]) == together[::-1]
    assert shares(tiny_texts[7:8]) == together[7:8]


def test_a_folder_of_texts_keeps_its_label(cli, tiny_run, tmp_path):
    for label, text in (("sky", "orbit of the moon"), ("earth", "seed in the soil")):
        (tmp_path / "texts" / label).mkdir(parents=True)
        (tmp_path / "texts" / label / "a.txt").write_text(text)
    out = tmp_path / "out.csv"
    assert cli("transform", tiny_run.run, tmp_path / "texts", "--output", out).code == 0
    rows = read_csv(out)
    assert [(row["id"], row["label"], row["top_topic"]) for row in rows] == [
        ("earth/a.txt", "earth", "2"),
        ("sky/a.txt", "sky", "0"),
    ]


def test_rows_that_were_dropped_are_reported(cli, tiny_run, tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text,day\norbit,1\nmoon\nseed,2\n")
    done = cli("transform", tiny_run.run, source, "--skip-bad-lines", "--output", out)
    assert done.code == 0
    assert "in.csv:3" in done.stderr
    assert len(read_csv(out)) == 2


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_bad_row_prints_nothing(cli, tiny_run, tmp_path, options):
    source = tmp_path / "in.csv"
    source.write_text("text,day\n" + "orbit,1\n" * 3000 + "moon\n")
    done = cli("transform", tiny_run.run, source, *options)
    assert done.code == 3
    assert "in.csv:3002" in done.stderr
    assert done.stdout == ""


def test_a_bad_row_leaves_nothing_behind(cli, tiny_run, tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text,day\norbit,1\nmoon\n")
    done = cli("transform", tiny_run.run, source, "--output", out)
    assert done.code == 3
    assert "in.csv:3" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("out.xlsx", ".csv, .jsonl or .parquet"), ("there.csv", "--overwrite"), ("folder.csv", "is a folder")],
)
def test_outputs_that_cannot_be_written_are_refused_first(cli, tiny_run, news, tmp_path, name, message):
    (tmp_path / "there.csv").write_text("mine")
    (tmp_path / "folder.csv").mkdir()
    done = cli("transform", tiny_run.run, news, "--output", tmp_path / name)
    assert done.code == 2
    assert message in done.stderr
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_overwrite_replaces(cli, tiny_run, news, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    assert cli("transform", tiny_run.run, news, "--output", out, "--overwrite").code == 0
    assert len(read_csv(out)) == 4


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_full_disk_leaves_nothing_behind(cli, tiny_run, tmp_path, full_disk, tiny_texts, suffix):
    source = tmp_path / "in.txt"
    source.write_text("\n".join(tiny_texts * 30))
    out = tmp_path / "results" / f"out.{suffix}"
    out.parent.mkdir()
    with full_disk():
        done = cli("transform", tiny_run.run, source, "--output", out)
    assert done.code == 5
    assert not [path for path in out.parent.iterdir() if not path.name.endswith(".lock")]


def test_an_output_in_a_read_only_folder_is_refused_first(cli, tiny_run, read_only_folder):
    done = cli(
        "transform", tiny_run.run, read_only_folder / "missing.csv", "--output", read_only_folder / "o.csv"
    )
    assert done.code == 5
    assert str(read_only_folder) in done.stderr


def test_a_model_of_imported_counts_cannot_read_text(cli, planted, news, tmp_path):
    done = cli("transform", planted(tmp_path / "run", raw_text=False), news, "--json")
    assert done.code == 4
    assert done.stdout == ""
    assert "imported counts" in done.stderr


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        pytest.param(b"", 3, "empty", id="empty file"),
        pytest.param(b"a,b\nx,y\n", 3, "--text-column", id="no text column"),
        pytest.param("text\nna\xefve\n".encode("latin-1"), 3, "--encoding", id="wrong encoding"),
    ],
)
def test_bad_input_is_one_line(cli, tiny_run, tmp_path, content, code, message):
    source = tmp_path / "in.csv"
    source.write_bytes(content)
    done = cli("transform", tiny_run.run, source)
    assert done.code == code
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


ROWS = [{"day": f"day {n}", "text": text, "year": 1990 + n} for n, text in enumerate(TEXTS)]


@pytest.fixture
def in_format(tmp_path):
    """Write the rows in a format, and say what to give the command and on standard input."""

    def write(kind):
        frame = pd.DataFrame(ROWS)
        path = tmp_path / f"in.{kind}"
        match kind:
            case "csv" | "tsv":
                frame.to_csv(path, index=False, sep="," if kind == "csv" else "\t")
            case "jsonl":
                frame.to_json(path, orient="records", lines=True)
            case "parquet":
                frame.to_parquet(path)
            case "xlsx":
                frame.to_excel(path, index=False)
            case "txt":
                path.write_text("".join(f"{text}\n" for text in TEXTS))
            case "folder":
                path.mkdir()
                for n, text in enumerate(TEXTS):
                    (path / f"{n}.txt").write_text(text)
        return path

    return write


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet", "xlsx", "txt", "folder"])
def test_rows_come_out_as_they_went_in(cli, tiny_run, in_format, tmp_path, kind, suffix):
    out = tmp_path / f"out.{suffix}"
    done = cli("transform", tiny_run.run, in_format(kind), "--output", out)
    assert done.code == 0, done.stderr
    read = {
        "csv": lambda: pd.read_csv(out, keep_default_na=False, dtype=str),
        "jsonl": lambda: pd.read_json(out, lines=True, dtype=False).astype(str),
        "parquet": lambda: pd.read_parquet(out).astype(str),
    }
    table = read[suffix]()
    assert table["text"].tolist() == TEXTS
    if kind not in ("txt", "folder"):
        assert table.columns[:3].tolist() == ["day", "text", "year"]
        assert table["day"].tolist() == [row["day"] for row in ROWS]
        assert table["year"].tolist() == [str(row["year"]) for row in ROWS]
    else:
        assert table["id"].tolist() == [f"{n}.txt" if kind == "folder" else str(n + 1) for n in range(4)]
    assert table["known_tokens"].tolist() == ["2", "4", "0", "0"]
    assert not list(tmp_path.glob("*left_out*"))


@pytest.mark.slow
def test_rows_of_standard_input_come_out_as_they_went_in(begin_copies, tiny_run, in_format, tmp_path):
    out = tmp_path / "out.csv"
    command = ("lda-app", "transform", tiny_run.run, "-", "--format", "csv", "--output", out)
    (done,) = begin_copies(*command, stdin=in_format("csv").read_text())
    assert done.wait() == 0, done.stderr
    table = pd.read_csv(out, keep_default_na=False)
    assert table[["day", "text", "year"]].to_dict("records") == ROWS


def test_rows_left_out_are_listed_with_the_reason(cli, tiny_run, tmp_path, assert_refused):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text,day\norbit,1\nmoon,2,3\nseed,4\n")
    flags = ["--skip-bad-lines", "--output", out]
    done = cli("transform", tiny_run.run, source, *flags)
    assert done.code == 0
    assert [row["text"] for row in read_csv(out)] == ["orbit", "seed"]
    reason = "3 cells, but the header has 2 columns"
    assert read_csv(tmp_path / "out.left_out.csv") == [{"place": "in.csv:3", "reason": reason}]
    assert "out.left_out.csv lists 1 row that was left out" in done.stderr
    content = json.loads(cli("transform", tiny_run.run, source, "--skip-bad-lines", "--json").stdout)
    assert content["left_out"] == [{"place": "in.csv:3", "reason": reason}]
    out.unlink()
    assert_refused(cli("transform", tiny_run.run, source, *flags), 2, "out.left_out.csv already exists")
    assert not out.exists()
    assert cli("transform", tiny_run.run, source, *flags, "--overwrite").code == 0
