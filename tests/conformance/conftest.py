"""The conformance frame: every case is written once and runs three ways.

- ``embedded``: our SDK over ``sqlite://:memory:``,
- ``grpc``: our SDK over gRPC against our server,
- ``temporalio``: the real ``temporalio`` client and worker against our server.

Where ``OUTLAST_TEMPORAL_ADDRESS`` names a server of Temporal's (``make conformance TEMPORAL=host:port``), two more:

- ``temporal-server``: our SDK against that server,
- ``reference``: the real ``temporalio`` against that server. A case that fails here encodes a wrong belief.

**Adding cases.** Put a file ``test_<noun>.py`` here. Write its workflows, activities and cases with ``outlast``; a case
is an async test that takes the fixture ``stage`` (see ``stage.py`` for what it offers)::

    from stage import MINUTE, Stage
    from outlast import activity, workflow
    from outlast.client import WorkflowFailureError

    @activity.defn
    async def greet(name: str) -> str: ...

    @workflow.defn
    class Greeting: ...

    async def test_greeting(stage: Stage) -> None:
        async with stage.worker(Greeting, activities=[greet]):
            handle = await stage.start(Greeting.run, "bob")
            assert await handle.result() == "hello bob"
        assert "ActivityTaskStarted" in await stage.names(handle)

For the way ``temporalio`` the whole file is loaded a second time with ``temporalio`` imported wherever it imports
``outlast`` (``twins.py``), and the case of that second module runs. So:

- import from ``outlast`` only what ``temporalio`` has in the same place, messages included (``outlast.api...``);
- workflows and activities that several files share are not rewritten when a file imports them: keep them in the file;
- parameters of ``pytest.mark.parametrize`` are shared by the ways: plain values, with enums by name
  (``WorkflowIDReusePolicy[name]``);
- ``stage.events`` and its kin always answer our messages, so compare them with names and numbers;
- a test function without ``stage`` runs once, as in any test file.

``@pytest.mark.ways("grpc", "temporalio")`` on a case or ``pytestmark`` restricts the ways; say why in the reason:
``ways("temporalio", reason="...")``. What only our server does, on purpose, has
``@pytest.mark.our_server(reason="...")`` and a line in ``docs/parity.md``. Cases share one event loop and one server
in memory, and never its names: take ids from ``stage.id()``. A case ends after 20 s at the latest (a minute
against Temporal's server). Wait for what happened (an ``asyncio.Event`` that an activity sets, ``stage.until_event``),
never for time to pass.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from stage import EMBEDDED, GRPC, ORACLE, PATIENCE_S, TEMPORALIO, WAYS, Stage
from temporalio.client import Client as TemporalClient
from twins import twin

from outlast.client import Client
from outlast.server.node import Node
from outlast.server.rpc import GrpcDoor
from outlast.storage.memory import MemoryStorage

HERE = Path(__file__).parent
TEMPORAL_ADDRESS = os.environ.get("OUTLAST_TEMPORAL_ADDRESS", "")
_OF_THE_ORACLE = {theirs: ours for ours, theirs in ORACLE.items()}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "ways(*names, reason=''): the ways a conformance case runs, instead of all three"
    )
    config.addinivalue_line(
        "markers",
        "our_server(*names, reason=''): not against Temporal's server; one of its two ways, where it is named",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("ways")
        ways = list(marker.args if marker else WAYS)
        only_ours = metafunc.definition.get_closest_marker("our_server")
        left_out = (only_ours.args or tuple(ORACLE.values())) if only_ours else ()
        if TEMPORAL_ADDRESS:
            ways += [ORACLE[way] for way in ways if way in ORACLE and ORACLE[way] not in left_out]
        marks = {TEMPORALIO: [pytest.mark.conformance]}
        metafunc.parametrize("way", [pytest.param(way, marks=marks.get(way, ())) for way in ways], scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not isinstance(item, pytest.Function) or HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        if hasattr(item, "callspec") and "way" in item.callspec.params:
            item.obj = _case(item, item.callspec.params["way"])


def _case(item: pytest.Function, way: str) -> Callable[..., Awaitable[None]]:
    """The case in the module of its SDK, with an end to its patience."""

    @functools.wraps(item.obj)
    async def case(**fixtures: Any) -> None:
        sdk = _OF_THE_ORACLE.get(way, way)
        function = getattr(twin(item.path), item.originalname) if sdk == TEMPORALIO else written
        async with asyncio.timeout(PATIENCE_S * 3 if way in _OF_THE_ORACLE else PATIENCE_S):
            await function(**fixtures)

    written = item.obj
    return case


@pytest.fixture(scope="session")
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[str]:
    """The address of a server in this process."""
    node = await Node.open(MemoryStorage())
    door = GrpcDoor(node)
    port = await door.start("127.0.0.1:0")
    try:
        yield f"127.0.0.1:{port}"
    finally:
        node.release()
        await door.stop(5)
        await node.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def clients(server: str) -> AsyncIterator[dict[str, Any]]:
    """Way -> the client that its cases share."""
    addresses = dict.fromkeys(ORACLE, server)
    if TEMPORAL_ADDRESS:
        addresses |= dict.fromkeys(ORACLE.values(), TEMPORAL_ADDRESS)
    ours = {
        way: await Client.connect(address) for way, address in addresses.items() if _OF_THE_ORACLE.get(way, way) == GRPC
    }
    theirs = {way: await TemporalClient.connect(address) for way, address in addresses.items() if way not in ours}
    yield {**ours, **theirs}
    for client in ours.values():
        await client.service_client.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(way: str, clients: dict[str, Any]) -> AsyncIterator[Stage]:
    embedded = await Client.connect("sqlite://:memory:") if way == EMBEDDED else None
    try:
        yield Stage(way, embedded or clients[way])
    finally:
        if embedded is not None:
            await embedded.service_client.close()
