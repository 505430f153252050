"""The UI inside another application, below a path of its choice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.routing import Mount
from ui_server import Life
from visitor import visiting

import outlast.ui
from outlast.client import Client
from outlast.server.http_server import HttpServer


@pytest.fixture
def mounted(lived: Life) -> Iterator[str]:
    """The address of the UI in an application that has it at /durable/workflows."""

    async def start(client: Client) -> tuple[HttpServer, int]:
        application = Starlette(routes=[Mount("/durable/workflows", outlast.ui.app(client))])
        server = HttpServer(application, 1)
        return server, await server.start("127.0.0.1", 0, "port")

    server, port = lived.do(start)
    yield f"http://127.0.0.1:{port}/durable/workflows/"
    lived.do(lambda client: server.stop())


def test_pages_work_below_a_prefix(browser: Browser, mounted: str) -> None:
    with visiting(browser, mounted) as visitor:
        visitor.at()
        expect(visitor.page).to_have_url(f"{mounted}namespaces/default/workflows")
        visitor.page.get_by_role("searchbox").fill("order-1")
        visitor.page.locator(".list").get_by_role("link", name="order-1", exact=True).click()
        expect(visitor.page.get_by_text("receipt of order-1")).to_be_visible()
        visitor.page.get_by_role("link", name="Timeline").click()
        visitor.page.reload()
        expect(visitor.page.locator(".lane").first).to_contain_text("charge")
        visitor.page.go_back()
        expect(visitor.page.get_by_text("receipt of order-1")).to_be_visible()
