"""The what-if page of an instance in real Chromium, everything but 127.0.0.1 blocked."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gwplan.ui.desk import CaseDesk, desk_of
from gwplan.ui.server import serve

STATES = ("drawn", "checked", "problem", "explained")
"""What the page says of itself when it does not work on anything new."""


@contextmanager
def server(source: Path | CaseDesk) -> Iterator[str]:
    """Yield the link of a server of an instance or a run, which ends with the block."""
    links: list[str] = []
    desk = source if isinstance(source, CaseDesk) else desk_of(str(source))
    loop = asyncio.new_event_loop()
    task = loop.create_task(serve(desk, 0, links.append))
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.gather(task, return_exceptions=True)))
    thread.start()
    while not links:
        time.sleep(0.01)
    try:
        yield links[0]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
        loop.close()


@contextmanager
def visited(running: Any, link: str, **options: Any) -> Iterator[tuple[Any, list[str]]]:
    """Yield the page of a link, and what it complained of: console, exceptions, requests to anywhere else."""
    complaints: list[str] = []
    context = running.new_context(**options)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))

    def route(call: Any) -> None:
        if call.request.url.startswith(("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:")):
            call.continue_()
        else:
            complaints.append(f"request: {call.request.url}")
            call.abort()

    page.route("**/*", route)
    try:
        page.goto(link)
        yield page, complaints
    finally:
        context.close()


def settled(page: Any, state: str = "checked", move: int | None = None) -> None:
    """Wait until the page says that it is at a state, of a move."""
    page.wait_for_selector(f'body[data-state="{state}"]' + (f'[data-move="{move}"]' if move else ""), timeout=60_000)
