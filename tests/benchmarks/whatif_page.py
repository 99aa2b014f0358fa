"""How fast the what-if page of the reference answers in real Chromium: ``python -m tests.benchmarks.whatif_page``.

Each move is timed in the page, from the slider's event to the redrawn chart; of that the seconds that the server says
its solve took are taken off. The first paint is the page's beside that of its style sheet alone, which is about empty.
"""

from __future__ import annotations

import gzip
import statistics
from pathlib import Path
from typing import Any, Final

from tests.browser.chromium import browser
from tests.browser.served import server, settled, visited

ROOT = Path(__file__).resolve().parents[2]
MOVES: Final = 50
SLIDERS: Final = ("#lever-0", "#lever-1", "#lever-4", "#lever-5", "#lever-7")
"""Five kinds: value, a curve, prices, dates of deliveries, a probability."""

MOVE: Final = """(selector) => new Promise((done) => {
  const range = document.querySelector(selector), began = performance.now(), before = document.body.dataset.move;
  new MutationObserver((_, watch) => {
    if (document.body.dataset.move === before || document.body.dataset.state !== "drawn") return;
    watch.disconnect();
    requestAnimationFrame(() => done([(performance.now() - began) / 1000, Number(document.body.dataset.solved)]));
  }).observe(document.body, {attributes: true});
  const up = Number(range.value) + Number(range.step) <= Number(range.max) - Number(range.step);
  range.value = String(Number(range.value) + (up ? 1 : -6) * Number(range.step));
  range.dispatchEvent(new Event("input", {bubbles: true}));
  setTimeout(() => done([NaN, NaN]), 20000);
})"""

PAINT: Final = "() => performance.getEntriesByName('first-paint')[0]?.startTime ?? NaN"


def main() -> None:
    """Print the table that docs/how-to/whatif-page.md shows."""
    with (
        browser() as running,
        server(ROOT / "instances" / "meta-2026h1") as link,
        visited(running, link, viewport={"width": 1280, "height": 900}) as (page, _),
    ):
        settled(page)
        timed = []
        for number in range(MOVES):
            timed.append(page.evaluate(MOVE, SLIDERS[number % len(SLIDERS)]))
            settled(page)
        plain, zipped = sizes(page)
        fast = last_state(page)
        origin = page.url.partition("#")[0].rstrip("/")
        paints = {
            path: statistics.median(paint(page, f"{origin}{path}") for _ in range(9)) for path in ("/", "/page.css")
        }
    beyond = statistics.median(whole - solve for whole, solve in timed)
    print("| what | measured |\n|---|--:|")
    print(f"| slider to redrawn chart beyond the solve, median of {MOVES} moves of five kinds | {beyond:.2f} s |")
    print(f"| with the solve | {statistics.median(whole for whole, _ in timed):.2f} s |")
    print(f"| first paint; of an empty page of the same server | {paints['/']:.0f} ms; {paints['/page.css']:.0f} ms |")
    print(f"| weight of the page; gzipped, as it is sent | {plain / 1e6:.2f} MB; {zipped / 1e6:.2f} MB |")
    print(f"| ten moves as fast as keys go end in the last state | {'yes' if fast else 'NO'} |")


def sizes(page: Any) -> tuple[int, int]:
    """Return the bytes of the page's files, plain and gzipped."""
    files = "['/', '/page.css', '/page.js', '/vega.js']"
    texts = page.evaluate(f"() => Promise.all({files}.map((file) => fetch(file).then((answer) => answer.text())))")
    data = [text.encode() for text in texts]
    return sum(map(len, data)), sum(len(gzip.compress(each, 9)) for each in data)


def last_state(page: Any) -> bool:
    """Return whether ten moves of a slider by key end in the state of the last."""
    page.locator("#reset").click()
    settled(page)
    page.locator("#lever-0").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    settled(page)
    return bool(page.locator("#lever-0").input_value() == "1.5" and "1.5" in page.evaluate("location.hash"))


def paint(page: Any, address: str) -> float:
    """Return when the first paint of a page came, ms."""
    page.goto(address)
    page.wait_for_timeout(300)
    return float(page.evaluate(PAINT))


if __name__ == "__main__":
    main()
