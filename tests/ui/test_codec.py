"""Payloads that a codec has encoded: decoded by a codec server that the browser asks, shown as they are without."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import json_format
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from ui_server import server
from visitor import visiting

from outlast.api.common.v1 import Payload, Payloads
from outlast.client import Client
from outlast.converter import DataConverter, PayloadCodec
from outlast.server.http_server import HttpServer

_KEY = "Bearer of the tests"


class Backwards(PayloadCodec):
    """Writes payloads from their end."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"binary/backwards"}, data=p.SerializeToString()[::-1]) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(p.data[::-1]) for p in payloads]


async def _decode(request: Request) -> Response:
    if request.headers.get("authorization") != _KEY:
        return JSONResponse({"message": "who are you?"}, 401)
    assert request.headers["x-namespace"] == "default"
    given = json_format.Parse(await request.body(), Payloads())
    decoded = Payloads(payloads=await Backwards().decode(given.payloads))
    return Response(json_format.MessageToJson(decoded), media_type="application/json")


@pytest.fixture
def codec_server() -> Iterator[str]:
    """The URL of a codec server, which wants a key."""
    allowed = Middleware(CORSMiddleware, allow_origins=["*"], allow_headers=["*"], allow_methods=["POST"])
    app = Starlette(routes=[Route("/codec/decode", _decode, methods=["POST"])], middleware=[allowed])
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="codec server")
    thread.start()
    running = HttpServer(app, 1)
    do = lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)  # noqa: E731
    port = do(running.start("127.0.0.1", 0, "port"))
    yield f"http://127.0.0.1:{port}/codec"
    do(running.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def _start(address: str, values: Iterable[str]) -> None:
    async def start() -> None:
        converter = replace(DataConverter.default, payload_codec=Backwards())
        client = await Client.connect(address, data_converter=converter)
        await client.start_workflow("Unclaimed", args=list(values), id="encoded", task_queue="nobody")

    # The browser's driver has the loop of this thread.
    thread = threading.Thread(target=lambda: asyncio.run(start()))
    thread.start()
    thread.join()


def test_payloads_are_decoded_with_a_key(browser: Browser, tmp_path: Path, codec_server: str) -> None:
    with (
        server(tmp_path, "--ui-codec-endpoint", codec_server) as served,
        visiting(browser, served.url) as visitor,
    ):
        _start(served.address, ["a secret of the house"])
        visitor.workflow("encoded")
        shown = visitor.page.locator(".card", has_text="Input").first
        expect(shown).to_contain_text("binary/backwards")
        expect(visitor.page.locator("#notices")).to_contain_text("answers 401")
        visitor.page.get_by_role("button", name="More", exact=True).click()
        visitor.page.locator(".menu").get_by_text("Codec server").click()
        visitor.page.get_by_label("Authorization header").fill(_KEY)
        visitor.picture("codec")
        visitor.page.get_by_role("button", name="Save").click()
        expect(shown).to_contain_text("a secret of the house")
        visitor.page.goto("about:blank")
        visitor.forgive(401)


def test_without_a_codec_server_the_page_says_how_to_have_one(browser: Browser, tmp_path: Path) -> None:
    with server(tmp_path) as served, visiting(browser, served.url) as visitor:
        _start(served.address, ["a secret of the house"])
        visitor.workflow("encoded")
        expect(visitor.page.locator(".card", has_text="Input").first).to_contain_text("binary/backwards")
        visitor.page.get_by_role("button", name="More", exact=True).click()
        visitor.page.locator(".menu").get_by_text("Codec server").click()
        expect(visitor.page.get_by_role("dialog")).to_contain_text("--ui-codec-endpoint")
        visitor.page.goto("about:blank")
