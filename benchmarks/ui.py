"""What the web UI costs the browser when a history is very long: its loading, and scrolling through all of it.

A history of 20,000 events (timers, by the hundred) and one of a workflow with 1,000 children are shown by Debian's
Chromium, in every form. Frames are measured from one to the next while the page scrolls end to end, a screen a frame.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from outlast import workflow
from outlast.client import Client
from outlast.worker import Worker

EVENTS = 20_000
CHILDREN = 1_000
CHROMIUM = "/usr/bin/chromium"
_QUEUE = "benchmark-ui"
_AT_ONCE = 400
_FRAMES_MAX = 1_000
_WAITING_MS = 120_000
_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu"]
_TRACED = ["toplevel", "disabled-by-default-devtools.timeline"]
_TASKS = {"RunTask", "ThreadControllerImpl::RunTask"}

_WATCH = """
window.firstRows = null;
new MutationObserver(() => {
  if (firstRows === null && document.querySelector(".virtual-space > *")) firstRows = performance.now();
}).observe(document, { childList: true, subtree: true });
"""
"""Before the page's own scripts: remembers when the first rows were there."""

_SCROLL = """async (most) => {
  const list = document.querySelector(".virtual");
  const steps = Math.min(most, Math.ceil(list.scrollHeight / list.clientHeight));
  const frames = [];
  let before = await new Promise(requestAnimationFrame);
  for (let step = 0; step <= steps; step += 1) {
    list.scrollTop = (list.scrollHeight * step) / steps;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - before);
    before = now;
  }
  return frames.sort((a, b) => a - b);
}"""


@workflow.defn
class LongStory:
    """Starts timers until its history is long enough."""

    @workflow.run
    async def run(self, events: int) -> None:
        while (missing := events - workflow.info().get_current_history_length()) > 0:
            timers = (asyncio.sleep(0.001) for _ in range(min(_AT_ONCE, missing // 2 + 1)))
            await asyncio.gather(*timers)


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> None:
        """End at once."""


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, children: int) -> None:
        """Have so many children at once."""
        prefix = workflow.info().workflow_id
        each = (workflow.execute_child_workflow(Child.run, id=f"{prefix}/{number}") for number in range(children))
        await asyncio.gather(*each)


class Shown(NamedTuple):
    """A page that is measured: the workflow, its tab, and the button that chooses the form."""

    name: str
    workflow_id: str
    tab: str
    form: str = ""


PAGES = (
    Shown("history, compact", "long", "history", "Compact"),
    Shown("history, full", "long", "history", "Full"),
    Shown("history, JSON", "long", "history", "JSON"),
    Shown("timeline", "long", "timeline"),
    Shown("timeline, 1,000 children", "family", "timeline"),
    Shown("history, 1,000 children", "family", "history", "Compact"),
)


async def populate(address: str) -> None:
    """Let both workflows run to their ends."""
    client = await Client.connect(address)
    async with Worker(client, task_queue=_QUEUE, workflows=[LongStory, Parent, Child]):
        await client.execute_workflow(LongStory.run, EVENTS, id="long", task_queue=_QUEUE)
        await client.execute_workflow(Parent.run, CHILDREN, id="family", task_queue=_QUEUE)


class Tasks(NamedTuple):
    """The longest tasks of a page's main thread in ms: by the clock, and by the processor's time that they took."""

    clock: float
    processor: float


@contextmanager
def traced(browser: Browser, page: Page) -> Iterator[list[Tasks]]:
    """Have the browser trace a block; the list has its longest tasks afterwards."""
    found: list[Tasks] = []
    browser.start_tracing(page=page, categories=_TRACED)
    yield found
    events = json.loads(browser.stop_tracing())["traceEvents"]
    threads = {(e["pid"], e["tid"]) for e in events if e.get("args", {}).get("name") == "CrRendererMain"}
    tasks = [e for e in events if e["name"] in _TASKS and e["ph"] == "X" and (e["pid"], e["tid"]) in threads]
    longest = {key: max(each.get(key, 0) for each in tasks) / 1000 for key in ("dur", "tdur")}
    found.append(Tasks(longest["dur"], longest["tdur"]))


def measure(browser: Browser, page: Page, url: str, shown: Shown) -> dict[str, float]:
    """Open a page, choose its form, and scroll through it."""
    page.goto(f"{url}namespaces/default/workflows/{shown.workflow_id}")
    page.locator(".tabs").wait_for()
    address = f"{page.url}/{shown.tab}"
    page.goto("about:blank")
    with traced(browser, page) as loading:
        page.goto(address)
        page.locator(".virtual-space > *").first.wait_for()
        page.wait_for_function("() => !document.querySelector('#page').textContent.includes('loading')")
        if shown.form:
            page.get_by_role("button", name=shown.form, exact=True).click()
        rows, loaded = page.evaluate("() => [firstRows, performance.now()]")
    with traced(browser, page) as scrolling:
        frames = page.evaluate(_SCROLL, _FRAMES_MAX)
    return {
        "first rows": rows,
        "all loaded": loaded,
        "longest task, loading": loading[0].clock,
        "of it CPU": loading[0].processor,
        "frames": len(frames),
        "median": statistics.median(frames),
        "p99": frames[int(len(frames) * 0.99)],
        "longest": frames[-1],
        "longest task, scrolling": scrolling[0].clock,
        "its CPU": scrolling[0].processor,
    }


def figures(browser: Browser, url: str) -> Iterator[tuple[str, dict[str, float]]]:
    """The figures of every page, each in a window of its own."""
    for shown in PAGES:
        context = browser.new_context(viewport={"width": 1280, "height": 820})
        context.set_default_timeout(_WAITING_MS)
        page = context.new_page()
        page.add_init_script(_WATCH)
        yield shown.name, measure(browser, page, url, shown)
        context.close()


def ui(console: Console, address: str, url: str) -> None:
    """Measure the pages of a server and print."""
    asyncio.run(populate(address))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        found = dict(figures(browser, url))
        browser.close()
    table = Table(title=f"Web UI, {EVENTS:,} events, {CHILDREN:,} children: ms, a screen a frame from end to end")
    table.add_column("")
    for name in found:
        table.add_column(name, justify="right")
    for measured in next(iter(found.values())):
        table.add_row(measured, *(f"{each[measured]:,.0f}" for each in found.values()))
    console.print(table)
