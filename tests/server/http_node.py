"""A node with its HTTP door on a free port, and an HTTP client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx

from outlast.server import http_server
from outlast.server.node import Node
from outlast.server.origin import Hosts
from outlast.storage.memory import MemoryStorage


class Served(NamedTuple):
    node: Node
    http: httpx.AsyncClient


@asynccontextmanager
async def serving(*hosts: str) -> AsyncIterator[Served]:
    node = await Node.open(MemoryStorage())
    server, _ = http_server.before(node, Hosts("127.0.0.1", hosts), grace_s=1)
    port = await server.start("127.0.0.1", 0, "--ui-port")
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            yield Served(node, client)
    finally:
        node.release()
        await server.stop()
        await node.close()
