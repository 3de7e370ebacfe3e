"""The report does what it promises, part by part."""

import json
import re
import shutil

import pytest

VIEWS = ("overview", "map", "topic", "documents", "groups", "quality", "edit", "quiz")


@pytest.mark.parametrize("view", VIEWS)
def test_each_part_is_reached_by_its_link(report, visit, view):
    page = visit(report.page)
    page.locator(f"#masthead nav a[href='#{view}']").click()
    page.wait_for_selector("main h2")
    assert page.locator("nav a[aria-current=page]").get_attribute("href") == f"#{view}"
    assert page.evaluate("document.activeElement.id") == "content"


def test_the_overview_names_topics_and_figures(report, visit):
    page = visit(report.page)
    text = page.locator("main").inner_text()
    assert page.locator("table.topics tbody tr").count() == 3
    assert "60" in page.locator(".statistics").inner_text()
    assert re.search(r"Held-out perplexity\s+\d", text)
    assert "A latent Dirichlet allocation model (Blei, Ng and Jordan 2003) with 3 topics" in text
    assert "@article{blei2003latent," in text


def test_the_slider_ranks_the_words_anew(report, visit):
    page = visit(report.page, "#map")
    by = {}
    for weight in ("1", "0"):
        page.locator("input.lambda").fill(weight)
        by[weight] = page.locator(".word-bars button").all_inner_texts()
    assert sorted(by["1"]) != by["1"]
    assert by["1"] != by["0"]
    assert page.locator("output").inner_text() == "0.00"


def test_probable_words_come_first_at_lambda_one(report, visit):
    page = visit(report.page, "#map")
    page.locator("input.lambda").fill("1")
    figures = page.locator(".word-bars .figure").all_inner_texts()
    shown = [float(figure.rstrip("%")) for figure in figures if "×" not in figure]
    assert shown == sorted(shown, reverse=True)


def test_a_word_shows_the_topics_that_use_it(report, visit):
    page = visit(report.page, "#map")
    page.locator(".word-bars button").first.click()
    users = page.locator(".user-list .figure").all_inner_texts()
    assert 1 <= len(users) <= 3
    assert sum(float(share.rstrip("%")) for share in users) == pytest.approx(100, abs=3)
    assert page.locator(".word-bars button[aria-pressed=true]").count() == 1


def test_a_circle_is_chosen_by_keyboard(report, visit):
    page = visit(report.page, "#map")
    other = page.locator(".circle:not(.chosen)").first
    name = other.get_attribute("aria-label")
    other.focus()
    page.keyboard.press("Enter")
    assert page.locator(".circle.chosen").get_attribute("aria-label") == name
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == name


def test_a_topic_marks_its_words_in_its_documents(report, visit):
    page = visit(report.page, "#topic/1")
    page.wait_for_selector(".card mark")
    strengths = page.eval_on_selector_all(
        "mark", "marks => marks.map(m => Number(m.style.getPropertyValue('--strength')))"
    )
    assert all(0.05 <= strength <= 1 for strength in strengths)
    assert page.locator(".card").count() == 10


def test_search_finds_the_documents_with_all_words(report, visit, texts):
    page = visit(report.page, "#documents")
    page.get_by_label("Search texts and metadata").fill("Orbit shuttle")
    expected = sum("orbit" in text and "shuttle" in text for text in texts)
    page.get_by_text(f"{expected} documents found").wait_for()


def test_search_finds_metadata_and_filters_by_them(report, visit):
    page = visit(report.page, "#documents")
    page.get_by_label("Search texts and metadata").fill("garden")
    page.get_by_text("20 documents found").wait_for()
    page.get_by_label("Search texts and metadata").fill("")
    page.get_by_label("Where").select_option("subject")
    page.get_by_label("is", exact=True).select_option("sport")
    page.get_by_text("20 documents found").wait_for()


def test_documents_are_ordered_by_the_share_of_a_topic(report, visit):
    page = visit(report.page, "#documents")
    page.get_by_label("Topic", exact=True).select_option("2")
    page.wait_for_selector(".virtual-row")
    shares = page.evaluate(
        """async () => {
          const found = await STORE.search({ topic: 2, least: 0.05, order: "share" });
          const docs = await found.slice(0, found.total);
          return docs.map((doc) => shownShares(doc).find(({ topic }) => topic === 2).share);
        }"""
    )
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 0.05


def test_a_document_shows_its_shares_with_intervals(report, visit):
    page = visit(report.page, "#documents")
    page.locator(".document-button").first.wait_for()
    mixed = page.evaluate("STORE.search({}).then((found) => found.slice(0, 60))")
    row = next(document["row"] for document in mixed if len(document["parts"]) > 1)
    page.evaluate(f"location.hash = '#documents/{row}'")
    detail = page.locator(".detail")
    detail.locator("mark").first.wait_for()
    assert re.search(r"\d%\s+\d+(\.\d+)?–\d+(\.\d+)?%", detail.inner_text())
    marked = set(detail.locator("mark").all_inner_texts())
    detail.locator(".shares button[aria-pressed=false]").first.click()
    page.locator(".detail .text", has_not_text="…").wait_for()
    assert not marked & set(detail.locator("mark").all_inner_texts())


def test_few_rows_exist_at_a_time(report, visit):
    page = visit(report.page, "#documents", viewport={"width": 1000, "height": 500})
    page.get_by_text("60 documents found").wait_for()
    page.wait_for_selector(".virtual-row")
    assert page.locator(".virtual-row").count() < 30
    page.locator(".virtual").evaluate("list => list.scrollTo(0, 1e9)")
    page.wait_for_selector("[aria-posinset='60']")


def test_groups_and_times_have_intervals(report, visit):
    page = visit(report.page, "#groups")
    assert page.locator(".interval-row").count() >= 3
    page.get_by_label("Metadata").select_option(label="year")
    page.wait_for_selector(".chart .band")
    assert page.locator(".chart .point").count() == 7
    assert page.locator(".multiple").count() == 3
    page.get_by_label("minus share in").select_option(label="2003")
    assert "points" in page.locator(".interval-value").first.inner_text()


def test_names_leave_the_page_and_come_back_through_the_model(report, visit, tmp_path, cli):
    page = visit(report.page, "#edit")
    page.get_by_label("Name of topic 1").fill("  Übersicht & <more> ")
    page.get_by_label("Name of topic 1").press("Tab")
    page.get_by_label("Hide topic 2").check()
    page.get_by_label("Merge topic 2 into").select_option("0")
    with page.expect_download() as got:
        page.get_by_role("button", name="Download labels.json").click()
    saved = tmp_path / "labels.json"
    got.value.save_as(saved)
    content = json.loads(saved.read_text(encoding="utf-8"))
    assert content["topics"] == {
        "1": {"label": "Übersicht & <more>", "hidden": False, "merged_into": None},
        "2": {"label": None, "hidden": True, "merged_into": 0},
    }

    run = shutil.copytree(report.run, tmp_path / "run")
    assert cli("label", run, "--import", saved).code == 0
    to_page = ("--corpus", report.corpus, "--output", tmp_path / "again.html")
    assert cli("report", run, *to_page).code == 0
    again = visit(tmp_path / "again.html")
    assert again.locator("table.topics").get_by_text("Übersicht & <more>").count() == 1
    assert again.locator("table.topics tbody tr").count() == 2
    assert not again.get_by_text("Unsaved edits").is_visible()


def test_edits_show_everywhere_and_can_be_undone(report, visit):
    page = visit(report.page, "#edit")
    page.get_by_label("Name of topic 0").fill("first")
    page.get_by_label("Name of topic 0").press("Tab")
    page.get_by_text("Unsaved edits").wait_for()
    page.reload()
    page.goto(f"{report.page.as_uri()}#overview")
    page.locator("table.topics").get_by_text("first").wait_for()
    page.goto(f"{report.page.as_uri()}#edit")
    page.get_by_role("button", name="Undo all edits").click()
    assert not page.get_by_text("Unsaved edits").is_visible()
    assert page.get_by_label("Name of topic 0").input_value() == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "JSON"),
        ('{"schema_version": 2}', "schema version 1"),
        ('{"schema_version": 1, "topics": {"9": {}}}', "no topic 9"),
        ('{"schema_version": 1, "topics": {"0": {"merged_into": 1}, "1": {"merged_into": 0}}}', "cycle"),
        ('{"schema_version": 1, "topics": {}, "about": "x"}', "different model"),
    ],
)
def test_a_wrong_file_of_labels_is_refused_in_words(report, visit, tmp_path, content, message):
    file = tmp_path / "labels.json"
    file.write_text(content, encoding="utf-8")
    page = visit(report.page, "#edit")
    page.get_by_label("Load labels.json").set_input_files(file)
    page.get_by_text(re.compile(f"Could not load the file: .*{message}")).wait_for()


def test_the_quiz_saves_answers_that_the_command_scores(report_of_many_topics, visit, tmp_path, cli):
    page = visit(report_of_many_topics.page, "#quiz")
    page.get_by_text(re.compile(r"0 of (1\d|2\d) questions answered")).wait_for()
    page.get_by_label(re.compile("Your name")).fill("AB")
    page.get_by_role("button", name="Start").click()
    while page.locator("fieldset").count():
        page.locator("fieldset input[type=radio]").first.check()
        page.get_by_role("button", name=re.compile("Next|Done")).click()
        page.locator("fieldset input:checked").wait_for(state="detached")
    with page.expect_download() as got:
        page.get_by_role("button", name="Save answers").click()
    saved = tmp_path / "answers.json"
    got.value.save_as(saved)
    answers = json.loads(saved.read_text(encoding="utf-8"))
    assert (answers["kind"], answers["rater"]) == ("intrusion_answers", "AB")
    assert len(answers["word_intrusion"]) == page.evaluate("REPORT.questions.length")
    for answer in answers["word_intrusion"]:
        assert len(answer["words"]) == 6
        assert {answer["intruder"], answer["chosen"]} <= set(answer["words"])
    assert answers["topic_intrusion"]
    for answer in answers["topic_intrusion"]:
        assert len(answer["topics"]) == len(answer["shares"]) == 4
        assert answer["shares"][answer["topics"].index(answer["intruder"])] == 0

    done = cli("eval", report_of_many_topics.run, "--intrusion", saved, "--json")
    assert done.code == 0, done.stderr


def test_a_page_without_documents_carries_none(report, visit, tmp_path, cli):
    assert cli("report", report.run, "--no-documents", "--output", tmp_path / "small.html").code == 0
    source = (tmp_path / "small.html").read_text(encoding="utf-8")
    assert "doc17" not in source
    page = visit(tmp_path / "small.html", "#documents")
    page.get_by_text("This report was generated without documents.").wait_for()


def test_addresses_that_name_nothing_are_harmless(report, visit):
    page = visit(report.page)
    for view in ("topic/99", "topic/x", "topic/%", "documents/99999", "documents/-1", "documents/x", "else"):
        page.evaluate("view => { location.hash = view; }", view)
        page.wait_for_timeout(100)
        assert page.locator("main h2").is_visible(), view


def test_all_topics_can_be_hidden(report, visit):
    page = visit(report.page, "#edit")
    for topic in range(3):
        page.get_by_label(f"Hide topic {topic}").check()
    for view in ("overview", "map", "topic", "groups", "documents", "quality", "quiz"):
        page.locator(f"#masthead nav a[href='#{view}']").click()
        assert page.locator("main h2").is_visible(), view
    page.locator("#masthead nav a[href='#map']").click()
    page.get_by_text("All topics are hidden").wait_for()


def test_paper_has_the_overview_the_map_and_the_figures(report, visit):
    page = visit(report.page, "#quiz")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    headings = page.locator(".printed > h2").all_inner_texts()
    assert headings == ["Overview", "Topic map", "Groups and time", "Quality"]
    assert not page.locator("nav").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("main > h2").inner_text() == "Human evaluation"
