"""How long the report of the reference instance takes to be drawn, beside an empty page with a chart library in it.

``python -m tests.benchmarks.report_page`` opens both in Chromium, one after the other and again, and prints the
medians and their ratio. The empty page holds Vega, Vega-Lite and Vega-Embed, as a page of interactive Altair charts
does; the report holds charts that are drawn already, so that it need not run them. Drawn: parsed, laid out, first frame
painted.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from gwplan.show.report.plan import plan_report
from tests.browser.chromium import browser
from tests.export.test_charts import kept

ROUNDS = 9

PAINTED = """() => new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"""
"""Milliseconds from the start of the navigation to the frame after everything is loaded."""


def drawn(running: Any, path: Path) -> float:
    """Return the milliseconds until a page is drawn, in a fresh context."""
    context = running.new_context(offline=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(path.as_uri(), wait_until="load")
    took = float(page.evaluate(PAINTED))
    context.close()
    return took


def main() -> None:
    """Print the medians and their ratio."""
    import vl_convert

    with tempfile.TemporaryDirectory() as scratch, browser() as running:
        folder = Path(scratch)
        report = plan_report(kept("meta-2026h1", folder)).save(folder / "report.html")
        empty = folder / "empty.html"
        library = vl_convert.javascript_bundle("Object.assign(window, { vegaEmbed, vegaLite, vega });")
        empty.write_text(f"<!doctype html><meta charset='utf-8'><title>empty</title><script>{library}</script>")
        for path in (empty, report):
            drawn(running, path)  # the first page of a browser starts its processes
        times = [(drawn(running, empty), drawn(running, report)) for _ in range(ROUNDS)]
        ratio = statistics.median(b / a for a, b in times)
        print(f"report: {report.stat().st_size / 1e6:.2f} MB")
        print(f"drawn in {statistics.median(b for _, b in times):.0f} ms, at least {min(b for _, b in times):.0f} ms")
        print(f"empty page with the library: {statistics.median(a for a, _ in times):.0f} ms, at least "
              f"{min(a for a, _ in times):.0f} ms")  # fmt: skip
        print(f"ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
