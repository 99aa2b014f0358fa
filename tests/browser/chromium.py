"""Real Chromium, headless and without a network; pages are opened from disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest


@cache
def chromium() -> str | None:
    """Return where Chromium is; None where it is not installed."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None and os.environ.get("GWPLAN_REQUIRE_BROWSER") == "1":
        raise RuntimeError("GWPLAN_REQUIRE_BROWSER=1, but there is no chromium: apt-get install chromium")
    return found


@contextmanager
def browser() -> Iterator[Any]:
    """Yield a running Chromium; skip the tests where it is missing, unless it is required."""
    if chromium() is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield running
        finally:
            running.close()


@contextmanager
def opened(running: Any, path: Path, **options: Any) -> Iterator[tuple[Any, list[str]]]:
    """Yield a file as a page, and what it complained of: console, exceptions, requests to anywhere."""
    complaints: list[str] = []
    context = running.new_context(offline=True, **options)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))

    def route(call: Any) -> None:
        if call.request.url == path.as_uri():
            call.continue_()
        else:
            complaints.append(f"request: {call.request.url}")
            call.abort()

    page.route("**/*", route)
    try:
        page.goto(path.as_uri())
        yield page, complaints
    finally:
        context.close()


def axe() -> str:
    """Return the script of axe-core, which judges accessibility."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
