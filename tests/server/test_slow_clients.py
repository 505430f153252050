"""HTTP connections that never finish, never read, or are one too many: they end, and the rest is served on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from outlast.server.http_protocol import BOUNDS, Bounds
from outlast.server.http_server import HttpServer
from outlast.vocab import limits

SOON = 0.05
LONG = 60.0
"""So long no test runs: who ends earlier was not waited for."""


@asynccontextmanager
async def listening(bounds: Bounds, app: ASGIApp | None = None) -> AsyncIterator[int]:
    server = HttpServer(app or PlainTextResponse("served"), 1, bounds=bounds)
    port = await server.start("127.0.0.1", 0, "--ui-port")
    try:
        async with asyncio.timeout(20):
            yield port
    finally:
        await server.stop()


async def said(port: int, *pieces: bytes) -> bytes:
    """All that the server answers to these pieces, until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


async def reads_body(scope: Scope, receive: Receive, send: Send) -> None:
    while (message := await receive()).get("more_body"):
        pass
    text = "gone" if message["type"] == "http.disconnect" else "read"
    await Response(text)(scope, receive, send)


GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n"
POST = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n"
CLOSE = b"connection: close\r\n\r\n"


@pytest.mark.parametrize("pieces", [(), (b"GET / HT",), (GET,)], ids=["nothing", "a word", "half a head"])
async def test_a_head_that_does_not_come(pieces: tuple[bytes, ...]) -> None:
    async with listening(Bounds(head_s=SOON, body_s=LONG)) as port:
        answer = await said(port, *pieces)
        assert answer.startswith(b"HTTP/1.1 408 ") and b"did not come in 0.05 s" in answer
        assert b"served" in await said(port, GET + CLOSE)


@pytest.mark.parametrize("body", [b"", b"12345"], ids=["nothing", "half"])
async def test_a_body_that_does_not_come(body: bytes) -> None:
    async with listening(Bounds(head_s=LONG, body_s=SOON), reads_body) as port:
        assert (await said(port, POST + body)).startswith(b"HTTP/1.1 408 ")
        assert b"read" in await said(port, POST.replace(b"\r\n\r\n", b"\r\n" + CLOSE) + b"1234567890")


async def test_a_second_request_that_does_not_come_whole() -> None:
    async with listening(Bounds(head_s=SOON, body_s=LONG)) as port:
        answer = await said(port, GET + b"\r\n" + b"GET / HT")
        assert b"served" in answer
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET + b"\r\n")
        assert (await reader.readuntil(b"served")).startswith(b"HTTP/1.1 200 ")
        writer.write(b"GET / HT")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_request_that_is_there_may_be_answered_late() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.sleep(4 * SOON)
        await PlainTextResponse("served")(scope, receive, send)

    async with listening(Bounds(head_s=SOON, body_s=SOON), slow) as port:
        assert b"served" in await said(port, GET + CLOSE)


async def test_an_answer_that_nobody_reads() -> None:
    gone = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        leaves = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not leaves.done():
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            await asyncio.sleep(0)
        gone.set()

    async with listening(Bounds(write_s=SOON), endless) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(GET + b"\r\n")
        await gone.wait()
        writer.close()


async def test_one_connection_too_many() -> None:
    async with listening(Bounds(connections=2)) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, writer in held:
            writer.write(GET + b"\r\n")
            await reader.readuntil(b"served")
        answer = await said(port)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"2 connections are open; come back later" in answer
        assert b"retry-after: 1" in answer
        held[0][1].close()
        await held[0][1].wait_closed()
        for _ in range(100):
            if b"served" in await said(port, GET + CLOSE):
                break
        else:
            raise AssertionError("nobody is let in after one has left")
        held[1][1].close()


def test_the_bounds_of_a_server_are_those_of_the_limits() -> None:
    assert Bounds(limits.HTTP_CONNECTIONS_MAX, limits.HTTP_HEAD_S, limits.HTTP_BODY_S, limits.HTTP_WRITE_S) == BOUNDS
