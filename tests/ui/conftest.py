"""One server with workflows in every state, and one browser, for all tests of the UI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from ui_server import Life, Served, life, server
from visitor import Visitor, visiting

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests come last: its driver leaves an event loop running, in which no other test can start one."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.parent == here and item.path.name != "test_app.py")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        missing = f"{CHROMIUM} is missing: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Served]:
    """A server for all tests."""
    with server(tmp_path_factory.mktemp("ui")) as started:
        yield started


@pytest.fixture(scope="package")
def lived(served: Served) -> Iterator[Life]:
    """What lives on the server."""
    with life(served.address) as living:
        yield living


@pytest.fixture
def visitor(browser: Browser, served: Served, lived: Life) -> Iterator[Visitor]:
    """Someone with a wide, light window."""
    with visiting(browser, served.url) as someone:
        yield someone
