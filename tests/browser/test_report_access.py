"""The report is for everyone: by axe-core's rules, on a phone, in light and dark."""

from importlib.resources import files

import pytest

from tests.browser.conftest import VIEWS, show

RULES = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}  # all else is the same in the dark


@pytest.fixture(scope="session")
def axe():
    """Read axe-core, which a package of PyPI carries."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", RULES)
def test_axe_finds_no_serious_violation(report, visit, axe, scheme):
    page = visit(report.page, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page.evaluate(axe)
    found = {}
    for view in VIEWS:
        show(page, view)
        result = page.evaluate("rules => axe.run(rules)", RULES[scheme])
        serious = [v for v in result["violations"] if v["impact"] in ("serious", "critical")]
        found |= {(view, v["id"]): [node["html"][:200] for node in v["nodes"]][:3] for v in serious}
    assert found == {}


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_nothing_is_wider_than_the_window(report, visit, width):
    page = visit(report.page, viewport={"width": width, "height": 844})
    for view in VIEWS:
        show(page, view)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view


def test_a_document_covers_a_phone_and_can_be_closed(report, visit):
    page = visit(report.page, "#documents", viewport={"width": 390, "height": 844})
    page.locator(".document-button").first.click()
    page.locator(".detail mark").first.wait_for()
    page.get_by_role("button", name="Close").click()
    assert not page.locator(".detail").is_visible()
