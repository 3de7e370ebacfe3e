"""Show the report of a run as a picture, and measure how large the page is and how soon it is there.

    python scripts/make_report_figure.py runs/pydocs-k20-s0 docs/figures/report.png

needs playwright (of the development tools) and Chromium (Debian's package; or CHROMIUM=/path/to/it).
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from lda_app.cli import run as lda_app

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SIZE = {"width": 1200, "height": 1040}
OPENINGS = 5


def main(run: Path, picture: Path | None) -> None:
    """Write the pages with and without documents, measure both, and draw the first."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or sys.exit("Chromium is not installed")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name, options in (("with documents", []), ("without documents", ["--no-documents"])):
            page = Path(folder) / "report.html"
            if lda_app(["--quiet", "report", str(run), "--output", str(page), "--overwrite", *options]):
                sys.exit(1)
            seconds = statistics.median(opening(browser, page) for _ in range(OPENINGS))
            print(f"{name}: {page.stat().st_size / 1e6:.2f} MB, drawn after {seconds:.2f} s")
            if picture and not options:
                draw(browser, page, picture)


def opening(browser: Browser, file: Path) -> float:
    """Seconds from the start of the navigation until all topics of the overview are drawn."""
    page = browser.new_page(viewport=SIZE)
    page.goto(file.as_uri())
    page.wait_for_selector("table.topics tbody tr")
    drawn: float = page.evaluate("performance.getEntriesByName('drawn')[0].startTime")
    page.close()
    return drawn / 1000


def draw(browser: Browser, file: Path, picture: Path) -> None:
    """Save what the map of the topics looks like with a word chosen."""
    page = browser.new_page(viewport=SIZE, color_scheme="light")
    page.goto(f"{file.as_uri()}#map")
    choose_word(page)
    page.mouse.move(0, 0)
    page.screenshot(path=picture)
    print(f"{picture}: {picture.stat().st_size / 1000:.0f} kB")


def choose_word(page: Page) -> None:
    """Choose a word that several topics use, so that the map shows which."""
    page.locator(".word-bars button").nth(8).click()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("picture", type=Path, nargs="?")
    arguments = parser.parse_args()
    main(arguments.run, arguments.picture)
