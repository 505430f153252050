"""Every RPC by every route: gRPC and JSON give the same answer, and refuse in the same words."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import grpc
import httpx
import pytest
import pytest_asyncio
from google.protobuf import json_format
from google.protobuf.message import Message
from hand_driven import Driven, HandClock
from json_cases import CASES

from outlast.api.descriptors import POOL, message_class
from outlast.api.rpc import Status
from outlast.server import http_server, json_request
from outlast.server.handlers import HANDLERS
from outlast.server.node import Node
from outlast.server.origin import Hosts
from outlast.server.routes import PREFIX, Route, Routes
from outlast.server.rpc import BOUND, GrpcDoor
from outlast.storage.memory import MemoryStorage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES = Routes(BOUND).all
BUILT = [route for route in ROUTES if (route.service, route.rpc.name) in HANDLERS]
RANDOM = re.compile(r"(?<=-deleted-)[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NO_SHORTHAND = {"accept": "application/json+no-payload-shorthand"}


class Doors(NamedTuple):
    server: Driven
    channel: grpc.aio.Channel
    http: httpx.AsyncClient
    numbers: Iterator[int]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors() -> AsyncIterator[Doors]:
    clock = HandClock()
    node = await Node.open(MemoryStorage(), clock=clock)
    server, call = http_server.before(node, Hosts("127.0.0.1"), 1)
    door = GrpcDoor(node, call)
    target = f"127.0.0.1:{await door.start('127.0.0.1:0')}"
    base = f"http://127.0.0.1:{await server.start('127.0.0.1', 0, 'port')}"
    try:
        async with (
            grpc.aio.insecure_channel(target) as channel,
            httpx.AsyncClient(base_url=base, trust_env=False) as http,
        ):
            yield Doors(Driven(node, clock), channel, http, itertools.count(100))
    finally:
        node.release()
        await server.stop()
        await door.stop(0)
        await node.close()


async def by_grpc(doors: Doors, route: Route, request: Message) -> Message:
    """The answer, or the Status that the call ended with."""
    call = doors.channel.unary_unary(f"/{route.service}/{route.rpc.name}")
    try:
        data = await call(request.SerializeToString())
    except grpc.aio.AioRpcError as error:
        trailers = dict(error.trailing_metadata())
        return Status.FromString(trailers["grpc-status-details-bin"])
    return message_class(route.rpc.output_type.full_name).FromString(data)


async def by_json(doors: Doors, route: Route, request: Message, *, short: bool) -> tuple[int, Message]:
    tree = json_format.MessageToDict(request, descriptor_pool=POOL)
    path = route.template
    for variable in route.variables:
        path = path.replace(f"{{{variable}}}", quote(taken(tree, variable.split(".")), safe=""))
    headers = {} if short else NO_SHORTHAND
    if route.body:
        answer = await doors.http.request(route.verb, path, json=tree, headers=headers)
    else:
        answer = await doors.http.request(route.verb, path, params=list(flat(tree)), headers=headers)
    kind = route.rpc.output_type.full_name if answer.status_code == 200 else Status.DESCRIPTOR.full_name
    message = message_class(kind)()
    if short:
        json_request.read(answer.json(), message, "test")
    else:
        json_format.ParseDict(answer.json(), message, descriptor_pool=POOL)
    return answer.status_code, message


def taken(tree: dict[str, Any], path: list[str]) -> str:
    """Take a value out of the tree, by the path of its field; one that is not there is named ``none``."""
    head, *rest = path
    name = re.sub(r"_(.)", lambda found: found[1].upper(), head)
    if rest:
        return taken(tree.setdefault(name, {}), rest)
    return str(tree.pop(name, "none"))


def flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            for item in value if isinstance(value, list) else [value]:
                yield prefix + name, json.dumps(item) if isinstance(item, bool) else str(item)


def masked(message: Message, name: str) -> Any:
    """What is said, without what differs by its nature: random ids, and tokens that contain them."""

    def clean(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {RANDOM.sub("uuid", k).replace(name, "name"): clean(item, k) for k, item in value.items()}
        if isinstance(value, list):
            return [clean(item, key) for item in value]
        if key.endswith("Token"):
            return "token"
        return RANDOM.sub("uuid", value).replace(name, "name") if isinstance(value, str) else value

    return clean(json_format.MessageToDict(message, descriptor_pool=POOL), "")


@pytest.mark.parametrize("route", BUILT, ids=lambda route: f"{route.rpc.name} {route.verb} {route.template}")
async def test_both_doors_answer_the_same(doors: Doors, route: Route) -> None:
    rpc = route.rpc
    answers = []
    for short in (None, False, True):
        name = f"case-{next(doors.numbers)}"
        request: Any = message_class(rpc.input_type.full_name)()
        if "namespace" in rpc.input_type.fields_by_name:
            request.namespace = "default"
        case = CASES.get(rpc.name)
        given = await case(doors.server, name) if case is not None else {}
        if "namespace" in given:
            request.namespace = given.pop("namespace")
        for variable in route.variables:
            given = with_default(given, variable)
        request.MergeFrom(type(request)(**given))
        if short is None:
            message = await by_grpc(doors, route, request)
        else:
            status, message = await by_json(doors, route, request, short=short)
            assert (status == 200) == (not isinstance(message, Status)), (status, message)
        if case is not None:
            assert not isinstance(message, Status), message
        answers.append((type(message), masked(message, name)))
    assert answers[0] == answers[1] == answers[2]


def with_default(given: dict[str, Any], variable: str) -> dict[str, Any]:
    """The same fields, with ``none`` where a path needs a value and there is none."""
    head, _, rest = variable.partition(".")
    if head == "namespace":
        return given
    inner = given.get(head, {} if rest else "none")
    return {**given, head: with_default(inner, rest) if rest else inner}


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.template.startswith(PREFIX)],
    ids=lambda route: f"{route.rpc.name} {route.verb} {route.template}",
)
async def test_what_is_no_request_is_refused_by_name(doors: Doors, route: Route) -> None:
    path = re.sub(r"\{[^}]+\}", "none", route.template)
    if route.body:
        answers = [await doors.http.request(route.verb, path, json={"noSuchField": 1})]
        answers.append(await doors.http.request(route.verb, path, json=[]))
        answers.append(
            await doors.http.request(route.verb, path, content=b"{", headers={"content-type": "application/json"})
        )
        told = ["noSuchField is no field", "the body is an array", "the body is no JSON at line 1 column 2"]
    else:
        answers = [await doors.http.request(route.verb, path, params={"noSuchField": 1})]
        answers.append(await doors.http.request(route.verb, path, params={"": "1"}))
        told = ["noSuchField is no field", "is no field"]
    for answer, text in zip(answers, told, strict=True):
        assert (answer.status_code, answer.json()["code"]) == (400, 3)
        assert answer.json()["message"].startswith(f"{route.rpc.name}: ") and text in answer.json()["message"]
