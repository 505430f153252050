"""Someone who looks at the UI with a browser, and minds whatever its console says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote

from playwright.sync_api import Browser, Dialog, Page, expect

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "artefacts" / "ui"
"""Where pictures of every page are kept; not a part of the repository."""
_ACCESSIBILITY = Path(__file__).with_name("accessibility.js").read_text()
_WAITING_MS = 20_000
WIDE, NARROW, _HEIGHT = 1280, 400, 820
_Theme: TypeAlias = Literal["light", "dark"]
LOOKS: tuple[tuple[_Theme, int], ...] = (("light", WIDE), ("dark", WIDE), ("light", NARROW), ("dark", NARROW))
"""In which every page is looked at."""
expect.set_options(timeout=_WAITING_MS)


class Visitor:
    """A page of the browser with what it complained of."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("dialog", self._asked)

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")

    def _asked(self, dialog: Dialog) -> None:
        self.complaints.append(f"a dialog of the browser: {dialog.message}")
        dialog.dismiss()

    def forgive(self, status: int) -> None:
        """Answers of this status were asked for: the browser tells of them, the test knows of them."""
        self.complaints = [each for each in self.complaints if f"status of {status} " not in each]

    def open(self, *parts: str, query: str = "", namespace: str = "default") -> None:
        """Go to a page of a namespace by its address and wait until it has what it shows."""
        self.at("namespaces", namespace, *parts, query=query)

    def at(self, *parts: str, query: str = "") -> None:
        """Go to a page by its address and wait until it has what it shows."""
        self.page.goto(self.url + "/".join(quote(part, safe="") for part in parts) + query)
        self.settled()

    def workflow(self, workflow_id: str, tab: str = "") -> None:
        """Go to the latest run of a workflow."""
        self.open("workflows", workflow_id)
        expect(self.page.locator(".tabs")).to_be_visible()
        if tab:
            self.page.locator(".tabs").get_by_role("link", name=re.compile(f"^{tab}")).click()
            self.settled()

    def settled(self) -> None:
        """Wait until nothing says that it is loading."""
        expect(self.page.locator("#page > *").first).to_be_visible()
        expect(self.page.locator("#page")).not_to_contain_text("Loading")
        expect(self.page.locator("#page .loading")).to_have_count(0)

    def picture(self, name: str, looks: Iterable[tuple[_Theme, int]] = (("light", WIDE),)) -> None:
        """Keep pictures, and check what can be checked of how the page is to be read in these themes and widths."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for theme, width in looks:
            self.page.emulate_media(color_scheme=theme)
            self.page.set_viewport_size({"width": width, "height": _HEIGHT})
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{theme}-{width}.png")
            assert self.page.evaluate(_ACCESSIBILITY) == [], f"{name}, {theme}, {width}"
        assert self.page.evaluate("() => window.hacked") is None


@contextmanager
def visiting(browser: Browser, url: str) -> Iterator[Visitor]:
    """A fresh visitor, whose console has to be silent in the end."""
    context = browser.new_context(color_scheme="light", viewport={"width": WIDE, "height": _HEIGHT})
    context.set_default_timeout(_WAITING_MS)
    try:
        visitor = Visitor(context.new_page(), url)
        yield visitor
        assert visitor.complaints == []
    finally:
        context.close()
