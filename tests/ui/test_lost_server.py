"""A server that goes away: the page says so, and goes on when the server is back."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect
from ui_server import server
from visitor import visiting


def test_the_page_says_that_the_server_is_gone_and_recovers(browser: Browser, tmp_path: Path) -> None:
    with server(tmp_path) as first, visiting(browser, first.url) as visitor:
        visitor.open("workflows")
        expect(visitor.page.get_by_text("There are no workflows in default yet")).to_be_visible()
        ports = [int(address.rsplit(":", 1)[1].strip("/")) for address in (first.address, first.url)]
        first.process.terminate()
        first.process.wait()
        banner = visitor.page.get_by_role("alert").filter(has_text="The server does not answer")
        expect(banner.first).to_be_visible()
        expect(banner.first).to_contain_text("outlast server")
        visitor.picture("lost-server")
        with server(tmp_path, port=ports[0], ui_port=ports[1]):
            expect(banner).to_have_count(0)
            expect(visitor.page.get_by_text("There are no workflows in default yet")).to_be_visible()
            visitor.complaints = [each for each in visitor.complaints if "ERR_CONNECTION" not in each]
            assert visitor.complaints == []
            visitor.page.goto("about:blank")
