"""The report in a real browser: headless Chromium, driven by playwright."""

import csv
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

# the shell draws the same pages for half the processor time, as it has no window to draw them in
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
REQUIRED = "LDA_APP_REQUIRE_CHROMIUM"  # where it is set, a missing browser is an error
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEWS = ("overview", "map", "topic/1", "documents/0", "groups", "quality", "edit", "quiz")
DRAWN = {  # what a view shows when it has all that it asked for
    "overview": "table.topics",
    "map": ".word-bars button",
    "topic": ".card",
    "documents": ".document-button",
    "groups": ".interval-row",
    "quality": "main h3",
    "edit": "main input",
    "quiz": "main button",
}
TRAINING = ("--epochs", "6", "--batch-size", "8", "--validation-fraction", "0.2")

SUBJECTS = ("space", "sport", "garden")
ATTACKS = (
    "</script><script>window.attacked=1</script>",
    "<img src=x onerror=window.attacked=1>",
    '"><svg onload=window.attacked=1>',
    "javascript:window.attacked=1",
    "'+alert(1)+'`${window.attacked=1}`",
    "<!--<script>",
    "line\u2028separator\u2029",
    "\u202eright to left\u202d",
    "__proto__",
    "constructor",
)


class Report(NamedTuple):
    """A run, its corpus and the page of it."""

    run: Path
    corpus: Path
    page: Path


@pytest.fixture(scope="session")
def chromium():
    """Start the browser once."""
    if CHROMIUM is None:
        message = "Chromium is not installed (Debian: apt-get install chromium-headless-shell)"
        if os.environ.get(REQUIRED):
            pytest.fail(message)
        pytest.skip(message)
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Open a page file: ``visit(report.page, "#map")``; nothing may be asked of a network meanwhile."""
    requests, complaints, contexts = [], [], []

    def listen(page):
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))

    def go(path, view="", **options):
        context = chromium.new_context(accept_downloads=True, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        listen(page)
        page.goto(f"{path.as_uri()}{view}")
        return page

    yield go
    for context in contexts:
        context.close()
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert complaints == []


def show(page, view):
    """Go to a view of an open page, and wait until it is drawn."""
    page.evaluate("view => { location.hash = `#${view}`; }", view)
    drawn(page, view)


def drawn(page, view):
    """Wait until a view is drawn."""
    name, _, which = view.partition("/")
    page.locator(f"#masthead nav a[href='#{name}'][aria-current=page]").wait_for()
    page.locator(DRAWN[name]).first.wait_for()
    if (name, which) == ("documents", "0"):
        page.locator(".detail .shares").wait_for()


@pytest.fixture
def same_draws():
    """Skip a test that compares draws of a document with those of the document among others."""
    from lda_app.system.compiled import why_not_compiled

    if why_not_compiled():
        pytest.skip("where loops are not compiled, draws depend on the documents beside")


@pytest.fixture(scope="session")
def texts(tiny_texts):
    """Sixty texts, every fifth of two subjects."""
    return [f"{text} {tiny_texts[i - 1]}" if i % 5 == 0 else text for i, text in enumerate(tiny_texts)]


@pytest.fixture(scope="session")
def report(made_once, texts):
    """Make the report of three topics of sixty texts with a subject and a year."""
    rows = [
        {
            "id": f"doc{i}",
            "text": text,
            "subject": SUBJECTS[i % 3],
            "year": f"{2001 + i % 7}",
        }
        for i, text in enumerate(texts)
    ]
    return report_in(made_once("report", lambda folder: make_report(folder, rows)))


@pytest.fixture(scope="session")
def report_of_many_topics(made_once, texts):
    """Make the report of eight topics, so that documents have three of them and not others."""
    rows = [
        {"id": f"doc{i}", "text": f"{text} {texts[i - 7]}", "subject": SUBJECTS[i % 3]}
        for i, text in enumerate(texts)
    ]
    return report_in(made_once("many", lambda folder: make_report(folder, rows, num_topics=8)))


@pytest.fixture(scope="session")
def hostile_report(made_once, tiny_texts):
    """Make the report of texts, ids, metadata and names of topics that try to run or to deceive."""
    rows = [
        {
            "id": f"{ATTACKS[i % len(ATTACKS)]}{i}",
            "text": f"{ATTACKS[i % len(ATTACKS)]} {text}",
            "<b>column</b>": ATTACKS[i % len(ATTACKS)],
            "__proto__": ATTACKS[i % 3],
        }
        for i, text in enumerate(tiny_texts)
    ]

    def make(folder):
        made = make_report(folder, rows, name="<script>window.attacked=1<.csv")
        run_cli("label", made.run, "--topic", "0", ATTACKS[0])
        run_cli("label", made.run, "--topic", "1", ATTACKS[1])
        run_cli("report", made.run, "--output", made.page, "--overwrite")

    return report_in(made_once("hostile-report", make))


@pytest.fixture(scope="session")
def hostile_words_report(made_once):
    """Make the report of counts whose words are attacks, with labels that are."""
    return report_in(made_once("hostile-words", make_report_of_hostile_words))


def make_report_of_hostile_words(folder):
    """Import counts of words that are attacks, train, and write the page."""
    import numpy as np
    from scipy import sparse

    words = [word.replace("\u2028", " ").replace("\u2029", " ") for word in ATTACKS]
    generator = np.random.default_rng(0)
    sparse.save_npz(folder / "counts.npz", sparse.csr_array(generator.poisson(2, (60, len(words)))))
    (folder / "words.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (folder / "labels.txt").write_text("\n".join(words[i % 6] for i in range(60)) + "\n", encoding="utf-8")
    arguments = ("--vocab", folder / "words.txt", "--labels", folder / "labels.txt")
    run_cli("corpus", "import", folder / "counts.npz", *arguments, "--out", folder / "corpus")
    train_and_report(folder)


def make_report(folder, rows, name="texts.csv", num_topics=3):
    """Build a corpus of rows, train, and write the page."""
    with (folder / name).open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, rows[0])
        table.writeheader()
        table.writerows(rows)
    columns = ("--text-column", "text", "--id-column", "id", "--min-df", "1", "--test-fraction", "0.2")
    run_cli("corpus", "build", folder / name, "--out", folder / "corpus", *columns)
    return train_and_report(folder, num_topics)


def train_and_report(folder, num_topics=3):
    """Train on the corpus in a folder, and write the page beside it."""
    made = report_in(folder)
    run_cli("train", made.corpus, "--out", made.run, "--num-topics", num_topics, *TRAINING)
    run_cli("report", made.run, "--output", made.page)
    return made


def report_in(folder):
    """Say where things lie in a folder."""
    return Report(folder / "run", folder / "corpus", folder / "report.html")


def run_cli(*arguments):
    """Run a command in this process."""
    from lda_app.cli import run

    assert run([str(argument) for argument in arguments]) == 0
