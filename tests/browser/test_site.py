"""The site as a reader opens it: from disk, without a network, on a desk and on a phone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import browser, chromium
from tests.docs.snippets import ROOT

WIDTHS_PX = {"desk": 1280, "phone": 390}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site strictly: a warning, such as a broken anchor, fails."""
    if chromium() is None:
        pytest.skip("Chromium is not installed")
    folder = tmp_path_factory.mktemp("site")
    options = ["-q", "-W", "--keep-going", "-d", str(folder / "kept"), "-c", "docs"]
    command = [sys.executable, "-m", "sphinx", *options, ".", str(folder / "html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    """One browser for all pages."""
    with browser() as started:
        yield started


@pytest.mark.parametrize("device", WIDTHS_PX)
def test_every_page_opens_from_disk(site: Path, running: Any, device: str) -> None:
    """No page asks for anything outside the site, complains, or is wider than the screen, in light or dark."""
    complaints: list[str] = []
    scheme = "dark" if device == "phone" else "light"
    context = running.new_context(viewport={"width": WIDTHS_PX[device], "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("requestfailed", lambda request: complaints.append(f"{page.url}: no {request.url}"))

    def route(call: Any) -> None:
        if call.request.url.startswith((site.as_uri(), "data:")):
            call.continue_()
        else:
            complaints.append(f"{page.url}: asks for {call.request.url}")
            call.abort()

    page.route("**/*", route)
    pages = sorted(set(site.rglob("*.html")) - {site / "index.html"})  # which leads on at once
    assert len(pages) > 20
    for path in pages:
        page.goto(path.as_uri(), wait_until="load")
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert over <= 0, f"{path.name} is {over} pixels too wide on a {device}"
    context.close()
    assert not complaints


def test_formulas_are_drawn(site: Path, running: Any) -> None:
    """Formulas are MathML that the browser lays out: a fraction is taller than a letter."""
    page = running.new_page()
    page.goto((site / "docs" / "formulation.html").as_uri())
    formulas = "[...document.querySelectorAll('.formula math')]"
    heights = page.evaluate(f"{formulas}.map(formula => formula.getBoundingClientRect().height)")
    assert len(heights) > 25 and min(heights) > 8
    assert page.evaluate("document.querySelector('.formula mfrac').getBoundingClientRect().height") > 25
    page.close()


def test_the_start_leads_to_the_contents_and_search_finds(site: Path, running: Any) -> None:
    """The folder's index opens the first page; search works without a server."""
    page = running.new_page()
    page.goto((site / "index.html").as_uri())
    page.wait_for_url("**/docs/index.html")
    page.goto((site / "search.html").as_uri() + "?q=shadow+price")
    page.wait_for_selector("#search-results li")
    assert "trust.html" in page.inner_html("#search-results")
    page.close()
