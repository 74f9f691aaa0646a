"""How soon is a page there for someone with a slow phone, and how soon does it answer (LCP, CLS, INP)?

python benchmarks/page.py URL [--rounds N]    (needs Chromium: apt-get install chromium)

URL is of a page of a running server. A processor that is four times slower, and a slow 4G connection (1.6
Mbit/s down, 150 ms there and back), as Chromium plays them; a first visit each time.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from typing import Any

from playwright.sync_api import Browser, sync_playwright

BUDGETS = {"LCP ms": 1200.0, "CLS": 0.02, "INP ms": 100.0, "bytes": 40_000.0}
SLOWER = 4
CONNECTION = {"latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750, "offline": False}
WATCH = """
window.seen = {lcp: 0, cls: 0, inp: 0};
const watch = (type, add, more) => new PerformanceObserver(list => list.getEntries().forEach(add))
  .observe({type, buffered: true, ...more});
watch('largest-contentful-paint', entry => { seen.lcp = entry.startTime; });
watch('layout-shift', entry => { if (!entry.hadRecentInput) seen.cls += entry.value; });
watch('event', entry => { if (entry.interactionId) seen.inp = Math.max(seen.inp, entry.duration); },
  {durationThreshold: 16});
"""


def visit(browser: Browser, url: str) -> dict[str, float]:
    """Return what one first visit took."""
    context = browser.new_context(viewport={"width": 412, "height": 823}, device_scale_factor=2)
    page = context.new_page()
    page.add_init_script(WATCH)
    session, received = context.new_cdp_session(page), [0]

    def count(event: dict[str, Any]) -> None:
        received[0] += int(event["encodedDataLength"])

    session.on("Network.loadingFinished", count)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", CONNECTION)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(url, wait_until="networkidle")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.mouse.click(200, 300)
    page.wait_for_function(
        "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(true), 300)))"
    )
    seen = page.evaluate("window.seen")
    context.close()
    return {"LCP ms": seen["lcp"], "CLS": seen["cls"], "INP ms": seen["inp"], "bytes": float(received[0])}


def main() -> int:
    """Print the median of each, beside its budget; 1 where one is beyond it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        visits = [visit(browser, asked.url) for _ in range(asked.rounds)]
        browser.close()
    is_beyond = False
    for name, budget in BUDGETS.items():
        found = statistics.median(each[name] for each in visits)
        is_beyond |= found > budget
        print(f"{name:8} {found:10.3f}   budget {budget:g}{'   BEYOND' if found > budget else ''}")
    return int(is_beyond)


if __name__ == "__main__":
    sys.exit(main())
