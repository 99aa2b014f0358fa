"""The picture of a report that the README shows: ``python -m tests.browser.screenshot REPORT.html PICTURE.png``."""

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


if __name__ == "__main__":
    main(*sys.argv[1:])
