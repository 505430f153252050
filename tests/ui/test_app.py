"""The UI of a client: mounted in an application, served beside one, and in a test environment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

import outlast.ui
from outlast.api.workflowservice.v1 import DescribeNamespaceRequest
from outlast.client import Client
from outlast.server.http_server import HttpServer
from outlast.testing import WorkflowEnvironment
from outlast.vocab.errors import Unavailable

ORDER = {"workflowType": {"name": "Order"}, "taskQueue": {"name": "orders"}, "requestId": "1"}
WORKFLOWS = "api/v1/namespaces/default/workflows"


@contextlib.asynccontextmanager
async def open_at(app: object, prefix: str = "/") -> AsyncIterator[httpx.AsyncClient]:
    server = HttpServer(app, 1)  # type: ignore[arg-type]
    port = await server.start("127.0.0.1", 0, "port")
    try:
        base = f"http://127.0.0.1:{port}{prefix}"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=30) as http:
            yield http
    finally:
        await server.stop()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with await Client.connect(f"sqlite:///{tmp_path / 'orders.db'}") as connected:
        yield connected


async def test_mounted_in_an_application_it_finds_its_own_place(client: Client) -> None:
    connected: list[Client] = []

    async def hello(_: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    mounted = outlast.ui.app(lambda: connected[0])
    app = Starlette(routes=[Route("/", hello), Mount("/admin/work flows", mounted)])
    async with open_at(app, "/admin/work%20flows/") as http:
        connected.append(client)
        assert '<base href="/admin/work%20flows/">' in (await http.get("")).text
        for path in ("namespaces/default/workflows/a%2Fb/run", "namespaces"):
            page = await http.get(path, headers={"accept": "text/html"})
            assert '<base href="/admin/work%20flows/">' in page.text
        assert (await http.post(f"{WORKFLOWS}/a%2Fb", json=ORDER)).status_code == 200
        listed = (await http.get(WORKFLOWS)).json()["executions"]
        assert [row["execution"]["workflowId"] for row in listed] == ["a/b"]
        assert (await http.get(http.base_url.copy_with(path="/"))).text == "hello"
        assert (await http.get("metrics")).status_code == 404


async def test_errors_of_the_client_are_those_of_the_server(client: Client) -> None:
    async with open_at(outlast.ui.app(client)) as http:
        missing = await http.get(f"{WORKFLOWS}/none")
        assert (missing.status_code, missing.json()["code"]) == (404, 5)
        assert missing.json()["details"] == [
            {"@type": "type.googleapis.com/temporal.api.errordetails.v1.NotFoundFailure"}
        ]
        bad = await http.get(WORKFLOWS, params={"query": "NoSuch = 1"})
        assert bad.status_code == 400 and "NoSuch" in bad.json()["message"]


async def test_a_deadline_reaches_the_client(client: Client) -> None:
    async with open_at(outlast.ui.app(client)) as http:
        await http.post(f"{WORKFLOWS}/o1", json=ORDER)
        first = (await http.get(f"{WORKFLOWS}/o1/history", params={"waitNewEvent": "true"})).json()
        params = {"waitNewEvent": "true", "nextPageToken": first["nextPageToken"]}
        # A long poll ends a second before its caller's deadline: at once, here.
        answer = await http.get(f"{WORKFLOWS}/o1/history", params=params, headers={"grpc-timeout": "1S"})
        assert (answer.status_code, answer.json()["nextPageToken"]) == (200, first["nextPageToken"])
        answer = await http.get(WORKFLOWS, headers={"grpc-timeout": "soon"})
        assert answer.status_code == 400 and "write digits and a unit" in answer.json()["message"]


async def test_foreign_names_are_refused_unless_allowed(client: Client) -> None:
    page = {"origin": "https://shop.example", "host": "127.0.0.1:1"}
    for allowed, host, status in (((), "shop.example", 403), (("shop.example",), "shop.example", 200)):
        async with open_at(outlast.ui.app(client, allowed_hosts=allowed)) as http:
            answer = await http.get(WORKFLOWS, headers={"host": host})
            assert answer.status_code == status
            if status == 403:
                assert "allowed_hosts of outlast.ui.app" in answer.json()["message"]
            # Behind a proxy that changes the Host, the page's own origin is the public name.
            assert (await http.get(WORKFLOWS, headers=page)).status_code == status
            assert (await http.get(WORKFLOWS, headers={"host": "10.1.2.3"})).status_code == 200
    async with open_at(outlast.ui.app(client, allowed_hosts=["*"])) as http:
        assert (await http.get(WORKFLOWS, headers={"host": "any.example"})).status_code == 200
        foreign = {"host": "any.example", "origin": "https://evil.example"}
        assert (await http.get(WORKFLOWS, headers=foreign)).status_code == 403


async def running(coroutine: Callable[[Callable[[str], None]], object]) -> tuple[asyncio.Task[None], str]:
    url = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(coroutine(url.set_result))  # type: ignore[arg-type]
    await asyncio.wait((task, url), return_when=asyncio.FIRST_COMPLETED)
    return task, url.result()  # type: ignore[return-value]


async def test_served_beside_an_application(client: Client) -> None:
    task, url = await running(lambda ready: outlast.ui.serve(client, port=0, on_ready=ready))
    async with httpx.AsyncClient(trust_env=False) as http:
        assert "<base" in (await http.get(url)).text
        assert (await http.get(f"{url}/{WORKFLOWS}")).json() == {}
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match=rf"listens at port {port}; stop it or choose another port"):
            await outlast.ui.serve(client, port=port)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(httpx.ConnectError):
            await http.get(url)
    # The client is the application's own, and stays open.
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert described.namespace_info.name == "default"


async def test_pages_may_ask_a_codec_server_that_is_named_and_no_other(client: Client) -> None:
    async with open_at(outlast.ui.app(client)) as http:
        page = await http.get("")
        assert "connect-src" not in page.headers["content-security-policy"]
    endpoint = "https://codec.example:8081/a?b=1&c=2"
    async with open_at(outlast.ui.app(client, codec_endpoint=endpoint)) as http:
        page = await http.get("")
        assert page.headers["content-security-policy"].endswith("; connect-src 'self' https://codec.example:8081")
        assert '<meta name="codec-endpoint" content="https://codec.example:8081/a?b=1&amp;c=2">' in page.text
    for wrong in ("ftp://codec.example", "https://", "https://a.example; script-src *", "codec"):
        with pytest.raises(ValueError, match="is no URL"):
            outlast.ui.app(client, codec_endpoint=wrong)


async def test_a_client_that_is_closed_says_so(tmp_path: Path) -> None:
    client = await Client.connect(f"sqlite:///{tmp_path / 'orders.db'}")
    async with open_at(outlast.ui.app(client)) as http:
        await client.close()
        answer = await http.get(WORKFLOWS)
        assert (answer.status_code, answer.json()["code"]) == (503, Unavailable.code)


async def test_a_test_environment_serves_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "outlast.testing")
    async with await WorkflowEnvironment.start_local(ui=True) as env:
        url = caplog.messages[-1].removeprefix("Web UI: ")
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            assert (await http.post(f"/{WORKFLOWS}/o1", json=ORDER)).status_code == 200
        assert (await env.client.count_workflows()).count == 1
