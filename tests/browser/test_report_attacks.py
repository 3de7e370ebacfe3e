"""Nothing of a corpus is ever interpreted by the page."""

import pytest

from tests.browser.conftest import VIEWS, show


@pytest.mark.parametrize("corpus", ["hostile_report", "hostile_words_report"])
def test_attacks_are_shown_as_text(request, visit, corpus):
    report = request.getfixturevalue(corpus)
    page = visit(report.page)
    for view in ("topic/0", *VIEWS):
        show(page, view)
        assert page.locator("main h2").first.is_visible(), view
        assert page.evaluate("window.attacked") is None
        assert page.locator("main script, main img, main b, main iframe").count() == 0
        assert page.eval_on_selector_all(
            "a[href]", "links => links.every((a) => a.hash && a.protocol === 'file:')"
        )


def test_attacks_are_there_to_be_read(hostile_report, visit):
    page = visit(hostile_report.page)
    assert (
        page.locator("table.topics").get_by_text("</script><script>window.attacked=1</script>").count() == 1
    )
    page.evaluate("location.hash = '#documents'")
    page.get_by_label("Search texts and metadata").fill("onerror=window")
    page.get_by_text("24 documents found").wait_for()


def test_the_source_has_its_own_elements_alone(hostile_report):
    source = hostile_report.page.read_text(encoding="utf-8")
    assert source.count("<script") == source.count("</script>") == 5
    assert "<script>window.attacked" not in source
    assert "\u2028" not in source
    assert "\u2029" not in source


def test_the_policy_stops_what_would_get_in(report, chromium):
    page = chromium.new_page()
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(report.page.as_uri())
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          const text = document.createTextNode("window.attacked = 1");
          script.append(text);
          document.body.append(script);
          const image = new Image();
          image.src = "https://example.org/x.png";
          document.body.append(image);
        }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.attacked") is None
    assert any("Content Security Policy" in text for text in refused)
    page.close()
