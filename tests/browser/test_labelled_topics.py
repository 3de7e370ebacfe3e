"""A merged, a renamed and a hidden topic are the same wherever topics are shown."""

import csv
import json
import shutil

import numpy as np
import pytest

import lda_app

MERGED, RENAMED, HIDDEN = 0, 2, 3
SHOWN = [0, 2, 4, 6, 7]  # 1 and 5 are merged into 0
NAMES = {0: "health care", 2: "=space & <time>"}
DOCUMENTS = range(0, 60, 7)
ASKED = """
  async () => {
    const topics = shownTopics().map((id) => {
      const { words, p, coherence } = described(id);
      const best = words.map((word, i) => [REPORT.words[word], p[i]]).sort(([, a], [, b]) => b - a);
      return { id, name: topicName(id), share: prevalence(id), words: best.slice(0, 5), coherence };
    });
    const docs = await Promise.all(%s.map((row) => STORE.document(row)));
    const groups = REPORT.groups.map((grouping) => topics.map(({ id }) => groupMeans(grouping, id)));
    const rows = await STORE.representative(0);
    const listed = await (await STORE.search({ topic: 0, least: 0.2 })).total;
    const representative = await Promise.all(rows.map((row) => STORE.document(row)));
    return {
      topics,
      groups,
      listed,
      documents: docs.map(shownShares),
      representative: representative.map(({ id }) => id),
      asked: await STORE.questions(),
    };
  }
""" % list(DOCUMENTS)  # noqa: UP031 - the script has braces


@pytest.fixture(scope="module")
def labelled(report_of_many_topics, tmp_path_factory):
    """Copy a run of eight topics, and merge, rename and hide some."""
    from lda_app.cli import run

    folder = tmp_path_factory.mktemp("labelled")
    copy = shutil.copytree(report_of_many_topics.run, folder / "run")
    for edit in (
        ["--merge", "0,1,5"],
        ["--topic", "0", NAMES[0]],
        ["--topic", "2", NAMES[2]],
        ["--hide", "3"],
    ):
        assert run(["label", str(copy), *edit]) == 0
    page = folder / "report.html"
    corpus = report_of_many_topics.corpus
    assert run(["report", str(copy), "--corpus", str(corpus), "--output", str(page)]) == 0
    return report_of_many_topics._replace(run=copy, page=page)


@pytest.fixture
def command(cli, labelled):
    """Run a command on the labelled run, and read the JSON that it prints."""

    def call(name, *arguments):
        done = cli(name, labelled.run, *arguments, "--json")
        assert done.code == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture
def described(command, labelled):
    """What ``lda-app topics`` says of the topics, by their numbers."""
    found = command("topics", "--corpus", labelled.corpus, "--top", "5")["topics"]
    return {topic["id"]: topic for topic in found}


@pytest.fixture
def table(cli, labelled, tmp_path):
    """Read a table of ``lda-app export``."""

    def read(name, *options):
        out = tmp_path / f"{name}.csv"
        chosen = ("--to", "csv", "--table", name, "--output", out, "--overwrite", *options)
        assert cli("export", labelled.run, "--corpus", labelled.corpus, *chosen).code == 0
        with out.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    return read


@pytest.fixture(scope="module")
def served(labelled, serving):
    """Start the server once."""
    return serving(labelled.run, "--corpus", labelled.corpus).address


@pytest.fixture(params=["report", "serve"])
def page(request, labelled, chromium):
    """Open the page, from a file and from the server."""
    is_served = request.param == "serve"
    address = request.getfixturevalue("served") if is_served else labelled.page.as_uri()
    page = chromium.new_page()
    page.goto(address)
    yield page
    page.close()


def words_of(topic):
    return [word["word"] for word in topic["words"]]


def test_topics_names_and_merges(described, labelled):
    assert sorted(described) == SHOWN
    assert {k: topic["label"] for k, topic in described.items() if topic["label"]} == NAMES
    assert described[MERGED]["members"] == [0, 1, 5]


def test_tables_and_python_agree_with_topics(described, table, labelled):
    model = lda_app.TopicModel.load(labelled.run, corpus=labelled.corpus)
    for rows in (table("topics"), model.topics.fillna({"label": ""}).to_dict("records")):
        assert sorted(int(row["topic"]) for row in rows) == SHOWN
        for row in rows:
            topic = described[int(row["topic"])]
            assert float(row["prevalence"]) == pytest.approx(topic["prevalence"])
            assert row["top_words"].split(", ")[:5] == words_of(topic)
            assert row["label"].removeprefix("'") == (topic["label"] or "")
    for row in table("topic-words", "--top", "5"):
        words = {word["word"]: word["probability"] for word in described[int(row["topic"])]["words"]}
        assert float(row["probability"]) == pytest.approx(words[row["word"]])


def test_documents_have_the_same_shares(command, table, labelled, texts, tmp_path):
    model = lda_app.TopicModel.load(labelled.run, corpus=labelled.corpus)
    read = {document["id"]: document["text"] for document in _documents(labelled.corpus)}
    lines = tmp_path / "texts.jsonl"
    lines.write_text("".join(json.dumps({"id": id_, "text": text}) + "\n" for id_, text in read.items()))
    told = command("transform", lines, "--id-column", "id")
    assert [topic["id"] for topic in told["topics"]] == SHOWN
    exported = {(row["document"], int(row["topic"])): float(row["share"]) for row in table("document-topics")}
    framed = model.transform(list(read.values()))
    assert {k: name for k, name in zip(framed.top_topic, framed.top_topic_words, strict=True) if k in NAMES}
    for number, document in enumerate(told["documents"]):
        shares = dict(zip(SHOWN, document["shares"], strict=True))
        for topic, share in shares.items():
            assert exported[document["id"], topic] == pytest.approx(share, abs=2e-6)
            assert framed[f"topic_{topic}"][number] == pytest.approx(share, abs=2e-6)
        assert document["top_topic"] == framed.top_topic[number]


def test_groups_and_effects_are_of_the_same_topics(command, labelled):
    for found in (
        command("prevalence", "--corpus", labelled.corpus, "--by", "subject"),
        command("effects", "--corpus", labelled.corpus, "--covariates", "subject"),
    ):
        named = {topic["id"]: topic["name"] for topic in found["topics"]}
        assert sorted(named) == SHOWN
        assert {k: named[k] for k in NAMES} == NAMES


@pytest.mark.parametrize("what", ["topics", "prevalence", "similarity"])
def test_plots_name_the_same_topics(cli, labelled, tmp_path, monkeypatch, what):
    from lda_app.report import plots

    drawn = []
    function = f"plot_{what}"
    real = getattr(plots, function)
    monkeypatch.setattr(plots, function, lambda topics, *rest: (drawn.append(topics), real(topics, *rest))[1])
    made = cli("plot", labelled.run, what, "--corpus", labelled.corpus, "--output", tmp_path / "plot.svg")
    assert made.code == 0, made.stderr
    assert sorted(drawn[0].ids) == SHOWN
    assert {k: name for k, name in zip(drawn[0].ids, drawn[0].names, strict=True) if k in NAMES} == NAMES


def test_the_page_agrees_with_the_commands(page, described, table, command, labelled):
    said = page.evaluate(ASKED)
    assert sorted(topic["id"] for topic in said["topics"]) == SHOWN
    for topic in said["topics"]:
        expected = described[topic["id"]]
        assert topic["share"] == pytest.approx(expected["prevalence"], rel=1e-3)
        assert [word for word, _ in topic["words"]] == words_of(expected)
        probabilities = [word["probability"] for word in expected["words"]]
        assert [p for _, p in topic["words"]] == pytest.approx(probabilities, rel=1e-3)
        assert topic["coherence"] == pytest.approx(expected["coherence"], rel=1e-3, abs=1e-9)
        assert topic["name"] == (expected["label"] or ", ".join(words_of(expected)[:3]))
    shares = {row["document"]: float(row["share"]) for row in table("document-topics") if row["topic"] == "0"}
    largest = sorted(shares.values(), reverse=True)[: len(said["representative"])]
    # The server keeps shares in 65,535 steps; which of equal documents comes first does not matter.
    assert sorted((shares[id_] for id_ in said["representative"]), reverse=True) == pytest.approx(
        largest, abs=2e-5
    )


@pytest.mark.usefixtures("same_draws")
def test_the_page_s_documents_are_those_of_the_table(page, table):
    said = page.evaluate(ASKED)
    exported = {}
    for row in table("document-topics", "--intervals"):
        exported.setdefault(row["document"], {})[int(row["topic"])] = row
    ids = list(exported)
    for row, shares in zip(DOCUMENTS, said["documents"], strict=True):
        if row >= len(ids):
            continue
        for part in shares:
            assert part["topic"] in SHOWN
            expected = exported[ids[row]][part["topic"]]
            figures = [float(expected[name]) for name in ("share", "lower", "upper")]
            assert [part["share"], part["low"], part["high"]] == pytest.approx(figures, abs=6e-4)
    for question in said["asked"]:
        assert set(question["topics"]) <= set(SHOWN)


def test_a_hidden_topic_shows_nothing_of_another(page):
    page.evaluate(f"location.hash = '#topic/{HIDDEN}'")
    page.get_by_text(f"Topic {HIDDEN} is hidden").wait_for()


def test_a_merged_topic_is_shown_however_small_its_parts(page):
    """Parts below one percent are not carried; their sum is."""
    packed = "[3,985,955,999,-1,90,42,156]"
    shares = page.evaluate(f"shownShares(unpackShares({packed}))")
    assert [(part["topic"], part["share"]) for part in shares] == [(MERGED, 0.09)]  # topic 3 is hidden


# The served page would save the edit to the run that all tests share.
@pytest.mark.parametrize("page", ["report"], indirect=True)
def test_a_chain_of_merges_can_be_undone_in_the_page(page):
    page.evaluate("edit(6, { merged_into: 4 }); edit(4, { merged_into: 2 })")
    page.evaluate("location.hash = '#edit'")
    chosen = page.get_by_label("Merge topic 6 into")
    chosen.wait_for()
    assert chosen.input_value() == "2"
    chosen.select_option("")
    assert page.evaluate("rootOf(6)") == 6
    page.evaluate("edit(4, { merged_into: null })")


@pytest.mark.parametrize("view", ["topic/length", "topic/map", "topic/-1"])
def test_an_odd_address_shows_a_topic(page, view):
    page.evaluate(f"location.hash = '#{view}'")
    page.locator("main h2").first.wait_for()


# The served page would save the edit to the run that all tests share.
@pytest.mark.parametrize("page", ["report"], indirect=True)
def test_a_merged_topic_can_be_parted_in_the_page(page):
    page.evaluate("edit(5, { merged_into: null })")
    assert sorted(page.evaluate("shownTopics()")) == sorted([*SHOWN, 5])
    shares = page.evaluate("STORE.document(7).then(shownShares)")
    assert sum(part["share"] for part in shares) <= 1.01
    page.evaluate("edit(5, { merged_into: 0 })")


def _documents(folder):
    from lda_app.corpus.folder import open_corpus

    return open_corpus(folder).documents("train").to_dict("records")


def test_negative_control_without_labels_the_parts_are_there(report_of_many_topics, cli):
    found = json.loads(
        cli("topics", report_of_many_topics.run, "--corpus", report_of_many_topics.corpus, "--json").stdout
    )
    assert sorted(topic["id"] for topic in found["topics"]) == list(range(8))
    assert np.isclose(sum(topic["prevalence"] for topic in found["topics"]), 1)
