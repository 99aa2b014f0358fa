"""Pictures that the README and the docs show.

``python -m tests.browser.screenshot REPORT.html PICTURE.png`` writes that of a report, and
``python -m tests.browser.screenshot INSTANCE PICTURE.png`` that of the what-if page, two levers moved.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.browser.chromium import browser, opened

WIDTH, HEIGHT = 1240, 1130


def main(report: str, picture: str) -> None:
    """Write the picture of the top of a report, as it is in light."""
    size = {"width": WIDTH, "height": HEIGHT}
    with browser() as running, opened(running, Path(report).resolve(), viewport=size) as (page, complaints):
        box = page.locator(".draw svg.wide [data-row='18']").first.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 120)  # so that it is seen that it can be pointed at
        page.screenshot(path=picture)
    if complaints:
        raise SystemExit("\n".join(complaints))


def whatif_page(instance: str, picture: str) -> None:
    """Write the picture of the what-if page of an instance, its first and its fifth lever moved, as it is in light."""
    from tests.browser.served import server, settled, visited

    size = {"width": 1280, "height": 1000}
    with (
        browser() as running,
        server(Path(instance)) as link,
        visited(running, link, viewport=size) as (page, complaints),
    ):
        settled(page)
        for lever, key, times in (("#lever-0", "ArrowLeft", 6), ("#lever-4", "ArrowRight", 3)):
            page.locator(lever).focus()
            for _ in range(times):
                page.keyboard.press(key)
            settled(page)
        page.screenshot(path=picture)
    if complaints:
        raise SystemExit("\n".join(complaints))


if __name__ == "__main__":
    (whatif_page if Path(sys.argv[1]).is_dir() else main)(*sys.argv[1:])
