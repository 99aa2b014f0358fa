"""The what-if page as a planner meets it: moved, pinned, saved, by key alone, on a phone, in the dark, with no plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gwplan.storage.read import load
from gwplan.storage.write import save
from tests.browser.chromium import axe, browser, chromium
from tests.browser.served import server, settled, visited
from tests.instance.folders import written
from tests.ui.pages import copied
from tests.ui.test_cases import WHOLE, compared

BAD = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    """Yield Chromium."""
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an instance that has all that a page can move."""
    return written(tmp_path_factory.mktemp("page") / "small", WHOLE)


@pytest.fixture(scope="module")
def link(folder: Path) -> Iterator[str]:
    """Yield the link of its page."""
    if chromium() is None:
        pytest.skip("Chromium is not installed")
    with server(folder) as found:
        yield found


def serious(page: Any) -> list[str]:
    """Return the serious and critical findings of axe on a page as it is."""
    page.evaluate(axe())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['id']}: {node['html'][:160]}" for v in found["violations"] if v["impact"] in ("serious", "critical")
        for node in v["nodes"][:3]
    ]  # fmt: skip


def press(page: Any, key: str, times: int = 1) -> None:
    """Press a key so often."""
    for _ in range(times):
        page.keyboard.press(key)


def tab_to(page: Any, target: str, most: int = 80) -> None:
    """Go to a control by Tab alone."""
    for _ in range(most):
        if page.locator(target).evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {target}")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_state_is_accessible_and_fits(running: Any, link: str, width: int, scheme: str) -> None:
    """At the start, moved, pinned, without a plan and with bad input axe finds nothing serious; nothing sticks out."""
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "bypass_csp": True}
    with visited(running, link, **options) as (page, complaints):
        settled(page)
        assert width == 390 or serious(page) == []
        page.locator("#lever-0").focus()
        press(page, "ArrowRight", 2)
        settled(page)
        for _ in range(2):
            page.locator("#pin").click()
        assert serious(page) == [] and page.locator("#pins-table thead input").count() == 2
        page.locator("#edit-text").fill("demand[pathway=nobody].cap_gw = 1")
        page.locator("#edit-add").click()
        settled(page, "problem")
        assert "no row of demand has pathway 'nobody'" in page.locator("#problem").inner_text()
        assert width == 1280 or serious(page) == []
        page.locator("#ways button").last.click()
        settled(page)
        page.locator("#lock-gw").fill("9")
        page.locator("#lock-add").click()
        settled(page, "explained")
        assert page.locator("#ways .way").count() > 0 and (width == 390 or serious(page) == [])
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.locator("#ways .way").first.click()
        settled(page)
        assert page.locator("#problem").is_hidden()
        assert [each for each in complaints if "400" not in each] == []


def test_all_of_it_goes_by_keyboard(running: Any, link: str, folder: Path) -> None:
    """Tab and keys alone move a lever, switch a what-if, pin, undo and save; the live region says what came of it."""
    with visited(running, link) as (page, complaints):
        settled(page)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        tab_to(page, "#lever-0")
        press(page, "ArrowRight", 4)
        settled(page)
        status = page.locator("#status")
        assert status.get_attribute("aria-live") == "polite"
        assert status.inner_text().startswith("1 change: objective $") and status.inner_text().endswith("Checked.")
        tab_to(page, "#whatifs input")
        page.keyboard.press("Space")
        settled(page)
        assert page.locator("#status").inner_text().startswith("2 changes")
        page.locator("body").press("Control+z")
        settled(page)
        assert not page.locator("#whatifs input").is_checked()
        worth = page.locator("#facts b").first.inner_text()
        page.locator("#save-open").focus()
        page.keyboard.press("Enter")
        page.keyboard.type("by key")
        page.keyboard.press("Enter")
        page.wait_for_selector("#status.checked:has-text('Saved')")
        assert complaints == []
    assert f"${compared(folder, 'by key')['figures']['objective_bn']:.1f}bn" == worth


def test_ten_fast_moves_end_in_the_last_state_and_the_link_keeps_it(running: Any, link: str) -> None:
    """Moves faster than solves are overtaken; what is shown is the last, on another page with the same link too."""
    with visited(running, link) as (page, complaints):
        settled(page)
        page.locator("#lever-0").focus()
        press(page, "ArrowLeft", 10)
        settled(page)
        shown = page.locator("#facts").inner_text()
        state, asked = page.evaluate("location.hash"), page.locator("#lever-0").input_value()
        page.reload()
        settled(page)
        assert page.locator("#lever-0").input_value() == asked and page.locator("#facts").inner_text() == shown
        page.locator("#reset").click()
        settled(page)
        assert page.locator("#facts").inner_text() != shown and state and complaints == []


def test_names_that_are_scripts_are_words(running: Any, tmp_path: Path) -> None:
    """Markup in names of pathways, contracts, pools, factors, what-ifs and levers is shown as it is; nothing runs."""
    bad = load(copied("tiny-risk", tmp_path))
    save(bad, tmp_path / "bad")
    for file in (tmp_path / "bad").glob("*.csv"):
        text = file.read_text()
        for name in ("steady", "deals", "own", "cloud"):
            text = text.replace(name, f'"{BAD}{name}"')
        file.write_text(text)
    uncertainty = tmp_path / "bad" / "uncertainty.toml"
    uncertainty.write_text(
        uncertainty.read_text().replace('"deals"', f"'{BAD}deals'").replace('"market"', "'<b>market'")
    )
    (tmp_path / "bad" / "levers.toml").write_text(
        f"[[lever]]\nlabel = '<b>{BAD[:28]}'\nedit = 'risk.aversion = 0.6'\nrange = [0, 0.9]\n"
        f"unit = '{BAD}'\ngroup = '{BAD}'\n"
    )
    with server(tmp_path / "bad") as link, visited(running, link) as (page, complaints):
        settled(page)
        page.locator("#pin").click()
        assert page.locator("img, script:not([src])").count() == 0
        assert page.locator("b, i, strong").evaluate_all("all => all.every(e => !e.textContent.includes('market'))")
        assert BAD in page.locator("#now-table").inner_text() and complaints == []
