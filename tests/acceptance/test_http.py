"""``outlast server`` over HTTP as a process: where it serves, what it says, and ports that are taken."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path

import httpx
import pytest
from kept_logs import kept_logs
from server_process import Program, ServerProcess
from test_server import refused, tree

ORDER = {"workflowType": {"name": "Order"}, "taskQueue": {"name": "orders"}, "requestId": "1"}
ORDERS = "/api/v1/namespaces/default/workflows"


def url(server: ServerProcess) -> str:
    return server.greeting[1].strip().removeprefix("Web UI: ")


async def test_it_says_where_the_ui_is_and_serves_it(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path, "--ui-port", "0", "--ui-host", "shop.example", ui=True) as server:
        assert url(server).startswith("http://localhost:")
        async with httpx.AsyncClient(base_url=url(server), trust_env=False) as http:
            assert (await http.get("/")).headers["content-type"].startswith("text/html")
            assert (await http.post(f"{ORDERS}/1", json=ORDER)).status_code == 200
            assert b"outlast_requests_total{" in (await http.get("/metrics")).content
            assert (await http.get("/healthz", headers={"host": "shop.example"})).status_code == 200
            assert (await http.get("/healthz", headers={"host": "evil.example"})).status_code == 403
        await server.stop()
        assert "Traceback" not in server.log


async def test_every_call_is_logged_at_debug_with_its_fields(tmp_path: Path) -> None:
    options = ("--ui-port", "0", "--log-level", "debug", "--log-format", "json")
    async with ServerProcess(tmp_path, *options, ui=True) as server:
        async with httpx.AsyncClient(base_url=url(server), trust_env=False) as http:
            await http.get(f"{ORDERS}/none")
        await server.stop()
        calls = [line for line in map(json.loads, server.log.splitlines()) if line["logger"] == "outlast.server.calls"]
    assert [(call["operation"], call["door"], call["code"]) for call in calls] == [
        ("DescribeWorkflowExecution", "http", "NOT_FOUND")
    ]
    assert 0 < calls[0]["seconds"] < 60


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_while_a_page_waits(number: signal.Signals, tmp_path: Path) -> None:
    async with ServerProcess(tmp_path, "--ui-port", "0", "--log-format", "json", ui=True) as server:
        async with httpx.AsyncClient(base_url=url(server), trust_env=False, timeout=30) as http:
            await http.post(f"{ORDERS}/1", json=ORDER)
            history = f"{ORDERS}/1/history"
            first = (await http.get(history, params={"waitNewEvent": "true"})).json()
            params = {"waitNewEvent": "true", "nextPageToken": first["nextPageToken"]}
            waiting = asyncio.create_task(http.get(history, params=params))
            # What comes later on a connection of its own has an answer: the one before is under way.
            await http.get("/healthz")
            async with asyncio.timeout(20):
                assert await server.stop(number) == 0
            answer = await waiting
            assert answer.status_code == 200 or answer.json()["code"] == 14
        assert {json.loads(line)["logger"] for line in server.log.splitlines()} == {"outlast.server"}


def test_a_port_that_was_chosen_and_is_taken_ends_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refused(tmp_path, "--port", "0", "--ui-port", str(port), headless=False)
        assert told.endswith(f"listens at port {port}; stop it or choose another --ui-port")
    assert tree(tmp_path) == {}


SERVES = """
import sys
from outlast.cli.serving import serve
from outlast.server.config import ServerConfig
serve(ServerConfig(None, port=0, ui_port=int(sys.argv[1])))
"""


async def test_where_the_default_port_is_taken_the_server_goes_on_without_ui(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with Program("-c", SERVES, str(port), ready="Namespaces:", folder=tmp_path) as server:
            assert server.greeting[1] == (
                f"No web UI: cannot listen at 127.0.0.1:{port}: another program, perhaps an Outlast server, listens "
                f"at port {port}; stop it or choose another --ui-port (--headless serves none)\n"
            )
            assert await server.stop() == 0


def test_headless_and_a_port_contradict_each_other(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from outlast.cli import main

    with kept_logs():
        done = CliRunner().invoke(main, ["server", "--headless", "--ui-port", "1"])
    assert done.exit_code == 2 and "leave out one of them" in done.output
