"""The page of ``lda-app serve`` in a real browser: the same page, whose documents come from the server."""

import json
import shutil

import pytest

from tests.browser.conftest import VIEWS, drawn, show


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Copy runs, for their labels are written."""
    return tmp_path_factory.mktemp("copies")


@pytest.fixture(scope="module")
def run(report, copies):
    return shutil.copytree(report.run, copies / "run")


@pytest.fixture(autouse=True)
def _as_trained(run):
    """Let no test see what another has said of the topics."""
    (run / "labels.json").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def server(run, report, serving):
    return serving(run, "--corpus", report.corpus)


@pytest.fixture(scope="module")
def hostile_server(hostile_report, copies, serving):
    run = shutil.copytree(hostile_report.run, copies / "hostile")
    return serving(run, "--corpus", hostile_report.corpus)


@pytest.fixture
def visit_server(chromium):
    """Open a served page: ``visit_server(server, "#map")``; nobody else may be asked meanwhile."""
    requests, complaints, contexts = {}, [], []

    def go(server, view=""):
        context = chromium.new_context()
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        asked = requests.setdefault(server.origin, [])
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{server.address}{view}")
        return page

    yield go
    for context in contexts:
        context.close()
    for origin, asked in requests.items():
        assert [url for url in asked if not url.startswith((f"{origin}/", "data:", "blob:"))] == []
    assert complaints == []


@pytest.mark.parametrize("view", VIEWS)
def test_each_part_shows(server, visit_server, view):
    page = visit_server(server, f"#{view}")
    drawn(page, view)
    assert page.locator("[role=alert]").count() == 0


def test_documents_are_searched_and_filtered(server, visit_server, texts):
    page = visit_server(server, "#documents")
    page.get_by_text("60 documents found").wait_for()
    page.get_by_label("Search texts and metadata").fill("Orbit shuttle")
    expected = sum("orbit" in text and "shuttle" in text for text in texts)
    page.get_by_text(f"{expected} documents found").wait_for()
    page.get_by_label("Search texts and metadata").fill("")
    page.get_by_label("Where").select_option("subject")
    page.get_by_label("is", exact=True).select_option("sport")
    page.get_by_text("20 documents found").wait_for()
    page.get_by_label("Topic", exact=True).select_option("2")
    shares = page.evaluate(
        """async () => {
          const found = await STORE.search({ topic: 2, least: 0.05, order: "share" });
          const docs = await found.slice(0, found.total);
          return docs.map((doc) => shownShares(doc).find(({ topic }) => topic === 2).share);
        }"""
    )
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 0.05


@pytest.mark.usefixtures("same_draws")
def test_a_document_is_the_one_of_the_page_that_stands_alone(report, server, visit, visit_server):
    details = []
    for page in (visit(report.page, "#documents/7"), visit_server(server, "#documents/7")):
        page.locator(".detail mark").first.wait_for()
        marks = page.eval_on_selector_all(
            ".detail mark", "marks => marks.map(m => [m.textContent, m.style.getPropertyValue('--strength')])"
        )
        details.append((page.locator(".detail").inner_text(), marks))
    assert details[0] == details[1]


def test_a_topic_shows_its_documents_with_its_words_marked(server, visit_server):
    page = visit_server(server, "#topic/1")
    page.wait_for_selector(".card mark")
    assert page.locator(".card").count() == 10


def test_the_quiz_asks_about_documents(server, visit_server):
    page = visit_server(server, "#quiz")
    asked = page.evaluate("STORE.questions()")
    ids = page.evaluate(
        "rows => Promise.all(rows.map((row) => STORE.document(row)))", [q["document"] for q in asked]
    )
    assert all(document["id"].startswith("doc") for document in ids)


def test_a_name_is_saved_to_the_run_at_once(run, server, visit_server, cli):
    page = visit_server(server, "#edit")
    page.get_by_label("Name of topic 1", exact=True).fill("ball games")
    page.get_by_label("Hide topic 0", exact=True).check()
    page.locator("#masthead").get_by_text("Saved", exact=True).wait_for()
    page.get_by_role("link", name="Unsaved edits").wait_for(state="hidden")
    said = json.loads((run / "labels.json").read_text())["topics"]
    assert said["1"]["label"] == "ball games"
    assert said["0"]["hidden"]
    assert "ball games" in cli("topics", run).stdout
    page.reload()
    assert page.get_by_label("Name of topic 1", exact=True).input_value() == "ball games"
    page.get_by_label("Hide topic 0", exact=True).uncheck()
    page.get_by_role("link", name="Unsaved edits").wait_for(state="hidden")
    assert 'hidden": true' not in (run / "labels.json").read_text()


def test_an_edit_made_elsewhere_is_not_overwritten(run, server, chromium, cli):
    page = chromium.new_page()
    page.goto(f"{server.address}#edit")
    assert cli("label", run, "--topic", "2", "gardens").code == 0
    page.get_by_label("Name of topic 1", exact=True).fill("ball games")
    page.get_by_label("Name of topic 1", exact=True).blur()
    page.get_by_text("Not saved: the labels were changed elsewhere").wait_for()
    assert page.get_by_role("link", name="Unsaved edits").is_visible()
    page.close()
    assert "ball games" not in (run / "labels.json").read_text()


def test_a_server_that_has_gone_is_told_of(server, chromium):
    page = chromium.new_page()
    page.goto(f"{server.address}#edit")
    page.route("**/api/**", lambda route: route.abort())
    page.get_by_label("Name of topic 1", exact=True).fill("ball games")
    page.get_by_label("Name of topic 1", exact=True).blur()
    page.get_by_text("Not saved: lda-app serve is not responding").wait_for()
    page.evaluate("location.hash = '#documents'")
    page.get_by_role("alert").get_by_text("is not responding").wait_for()
    page.close()


def test_a_long_list_can_be_scrolled_to_its_end(server, visit_server):
    page = visit_server(server, "#documents")
    page.get_by_text("60 documents found").wait_for()
    page.evaluate(
        """() => {
          const doc = (row) => ({ row, id: `${row}`, parts: [], merged: [] });
          const slice = async (start, end) => Array.from({ length: end - start }, (_, i) => doc(start + i));
          STORE.search = async () => ({ total: 1_000_000, slice });
        }"""
    )
    page.get_by_label("Search texts and metadata").fill("anything")
    page.get_by_text("1,000,000 documents found").wait_for()
    page.evaluate("document.querySelector('.virtual').scrollTop = 1e9")
    last = page.locator(".virtual-row", has_text="999999")
    last.wait_for()
    ends = page.evaluate(
        "[...document.querySelectorAll('.virtual, .virtual-row:last-child')]"
        ".map((element) => element.getBoundingClientRect().bottom)"
    )
    assert ends[0] == pytest.approx(ends[1], abs=10)


def test_attacks_are_shown_as_text(hostile_server, visit_server):
    page = visit_server(hostile_server)
    for view in VIEWS:
        show(page, view)
        assert page.locator("main h2").first.is_visible(), view
        assert page.evaluate("window.attacked") is None
        assert page.locator("main script, main img, main b, main iframe").count() == 0
    page.evaluate("location.hash = '#documents'")
    page.get_by_label("Search texts and metadata").fill("onerror=window")
    page.get_by_text("24 documents found").wait_for()
    page.get_by_label("Search texts and metadata").fill("")
    for column, value in (
        ("<b>column</b>", "javascript:window.attacked=1"),
        ("__proto__", "<img src=x onerror=window.attacked=1>"),
    ):
        page.get_by_label("Where").select_option(column)
        page.get_by_label("is", exact=True).select_option(value)
        page.get_by_text("documents found").wait_for()
        page.locator(".document-button").first.wait_for()


def test_a_site_of_another_origin_is_not_answered(server, chromium):
    page = chromium.new_page()
    page.goto("data:text/html,<p>another site</p>")
    answers = page.evaluate(
        """async ([origin, token]) => {
          const headers = { "X-Lda-App-Token": token };
          const tries = [
            fetch(`${origin}/api/about`, { headers }),
            fetch(`${origin}/?token=${token}`),
            fetch(`${origin}/api/labels`, { method: "POST", headers, body: "{}" }),
          ];
          return (await Promise.allSettled(tries)).map(({ status }) => status);
        }""",
        [server.origin, server.token],
    )
    page.close()
    assert answers == ["rejected"] * 3
