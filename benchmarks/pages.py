"""How long a page of ten thousand steps takes to open in a browser, and to scroll.

    .venv/bin/python benchmarks/pages.py --steps 10000

Needs Chromium. Opening counts from the request to the drawn picture. Scrolling is measured
over two frames at a time: 33 ms are sixty frames a second, which is all that a screen shows.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from time import perf_counter

from playwright.sync_api import sync_playwright

from semafuzz.reports.pages.finding import finding_page
from semafuzz.reports.run_view.schema import FindingView, Lane, Run, Span, Step, Switch

SCROLL = """async () => {
  const one = document.querySelector("#failing .scroller"), times = [];
  document.querySelector("#filter").value = "all";
  document.querySelector("#filter").dispatchEvent(new Event("change"));
  for (let step = 0; step <= 120; step++) {
    const start = performance.now();
    one.scrollTop = (one.scrollHeight - one.clientHeight) * step / 120;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}"""


def picture(steps: int) -> FindingView:
    """A run of so many steps of three tasks on two hosts, with a passing one of the same length left out."""
    run = Run(
        lanes=[Lane(number, f"task-{number}", f"host{number % 2}") for number in range(3)],
        steps=[
            Step(n, n // 50 % 3, ("read", "write")[n % 7 == 0], n % 40, 40, 41, 42, n % 3 == 0) for n in range(steps)
        ],
        texts=[*(f"Account#{number}.balance" for number in range(40)), "bank:9 (Account.deposit)", "1", "2"],
        operations=[Span(n // 50 % 3, f"work({n})", n, n + 49) for n in range(0, steps - 49, 50)],
        holds=[Span(n // 50 % 3, "Lock#1", n, n + 20) for n in range(0, steps - 49, 50)],
        switches=[
            Switch(n, (n // 50 - 1) % 3, n // 50 % 3, n % 500 == 0, "yes", "write x") for n in range(50, steps, 50)
        ],
        events=steps,
        pair=[100, steps - 100],
    )
    texts: list[str] = []
    return FindingView(
        "0123456789ab", "invariant", "error", "an update is lost", texts, "bank.py", "", "threads", texts, texts,
        [["deposit()"]] * 3, texts, [], {}, {}, ["semafuzz replay x"], "yes", run=run,
    )  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        path.write_text(finding_page(picture(arguments.steps), "error"), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        opened = []
        for _ in range(5):
            page = browser.new_page()
            started = perf_counter()
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-drawn=yes]")
            opened.append(perf_counter() - started)
            frames = page.evaluate(SCROLL)
            page.close()
        browser.close()
        size = path.stat().st_size
    told = {
        "steps": arguments.steps,
        "bytes": size,
        "open_seconds": round(sorted(opened)[len(opened) // 2], 3),
        "two_frames_ms_median": round(frames[len(frames) // 2], 1),
        "two_frames_ms_worst": round(frames[-1], 1),
    }
    print(json.dumps(told) if arguments.json else told)


if __name__ == "__main__":
    main()
