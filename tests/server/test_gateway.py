"""The JSON API over real HTTP: routes, forms of bodies, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from google.protobuf.message import Message
from http_node import Served, serving

from outlast.server.gateway import Gateway
from outlast.server.http import http_app
from outlast.server.http_server import HttpServer
from outlast.server.rpc import BOUND
from outlast.vocab import limits

WORKFLOWS = "/api/v1/namespaces/default/workflows"
ORDER = {"workflowType": {"name": "Order"}, "taskQueue": {"name": "orders"}, "requestId": "1"}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as found:
        yield found


async def start(served: Served, path: str = f"{WORKFLOWS}/o1", **fields: Any) -> dict[str, Any]:
    answer = await served.http.post(path, json=ORDER | fields)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def refusal(served: Served, verb: str, path: str, **options: Any) -> tuple[int, int, str]:
    answer = await served.http.request(verb, path, **options)
    body = answer.json()
    return answer.status_code, body["code"], body["message"]


async def test_a_workflow_is_started_and_its_history_read(served: Served) -> None:
    run_id = (await start(served, input=["Ada", 42, None], memo={"fields": {"price": 1.5}}))["runId"]
    history = (await served.http.get(f"{WORKFLOWS}/o1/history")).json()["history"]["events"]
    started = history[0]["workflowExecutionStartedEventAttributes"]
    assert (started["firstExecutionRunId"], started["input"]) == (run_id, ["Ada", 42, None])
    assert started["memo"] == {"fields": {"price": 1.5}}


async def test_a_slash_in_an_id_is_encoded(served: Served) -> None:
    await start(served, f"{WORKFLOWS}/a%2Fb%20%C3%BC%25")
    listed = (await served.http.get(WORKFLOWS)).json()["executions"]
    assert [row["execution"]["workflowId"] for row in listed] == ["a/b ü%"]
    # The bindings without a version lead to the same.
    described = (await served.http.get("/namespaces/default/workflows/a%2Fb%20%C3%BC%25")).json()
    assert described["workflowExecutionInfo"]["execution"] == listed[0]["execution"]


async def test_query_parameters_name_fields_in_either_case(served: Served) -> None:
    run_id = (await start(served))["runId"]
    for name in ("execution.runId", "execution.run_id"):
        assert (await served.http.get(f"{WORKFLOWS}/o1", params={name: run_id})).status_code == 200
        other = {name: run_id.translate(str.maketrans("0123456789", "1234567890"))}
        assert (await served.http.get(f"{WORKFLOWS}/o1", params=other)).status_code == 404
    found = await served.http.get(WORKFLOWS, params={"query": "WorkflowId = 'none'", "page_size": "5"})
    assert found.json() == {}


async def test_an_rpc_without_routes_of_its_own_has_one_by_its_name(served: Served) -> None:
    await start(served)
    execution = {"workflowId": "o1"}
    path = "/api/v1/temporal.api.workflowservice.v1.WorkflowService/DeleteWorkflowExecution"
    answer = await served.http.post(path, json={"namespace": "default", "workflowExecution": execution})
    assert (answer.status_code, answer.json()) == (200, {})
    assert (await served.http.get(f"{WORKFLOWS}/o1")).status_code == 404


async def test_a_long_poll_answers_when_something_happens(served: Served) -> None:
    await start(served)
    first = (await served.http.get(f"{WORKFLOWS}/o1/history", params={"waitNewEvent": "true"})).json()
    token = first["nextPageToken"]
    params = {"waitNewEvent": "true", "nextPageToken": token}
    waiting = asyncio.create_task(served.http.get(f"{WORKFLOWS}/o1/history", params=params))
    while not served.node.runs.waiting:
        await asyncio.sleep(0)
    await served.http.post(f"{WORKFLOWS}/o1/terminate", json={"reason": "enough"})
    events = (await waiting).json()["history"]["events"]
    assert [event["eventType"] for event in events] == ["EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED"]


async def test_errors_are_a_status_with_details(served: Served) -> None:
    answer = await served.http.get(f"{WORKFLOWS}/none")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["code"] == 5 and "no workflow 'none'" in body["message"]
    assert body["details"] == [{"@type": "type.googleapis.com/temporal.api.errordetails.v1.NotFoundFailure"}]
    status, code, _ = await refusal(served, "GET", "/api/v1/nexus/endpoints/x")
    assert (status, code) == (501, 12)
    await start(served)
    again = await served.http.post(f"{WORKFLOWS}/o1", json=ORDER | {"requestId": "2"})
    assert again.status_code == 409 and again.json()["details"][0]["runId"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"workflowType"', "the body is no JSON at line 1 column 16"),
        ('{"identity": NaN}', "NaN is no JSON number"),
        ('{"identity": "a", "identity": "b"}', "the key 'identity' stands twice"),
        ("[1]", "the body is an array; it has to be an object"),
        ('{"workflowType": {"nme": "x"}}', "workflowType.nme is no field of temporal.api.common.v1.WorkflowType; did"),
        ('{"workflowType": "Order"}', "workflowType is a string; it has to be an object"),
        ('{"identity": 5}', "identity is a number; it has to be a string"),
        ('{"requestEagerExecution": "true"}', "requestEagerExecution is a string; it has to be true or false"),
        ('{"retryPolicy": {"maximumAttempts": "many"}}', "retryPolicy"),
        ('{"retryPolicy": {"nonRetryableErrorTypes": "x"}}', "retryPolicy.nonRetryableErrorTypes is a string; it has"),
        ('{"workflowRunTimeout": "1 hour"}', "workflowRunTimeout"),
        (
            '{"workflowIdReusePolicy": "SOMETIMES"}',
            "workflowIdReusePolicy is 'SOMETIMES'; it has to be one of WORKFLOW",
        ),
        ('{"links": [{}, 5]}', "links[1] is a number; it has to be an object"),
        ('{"identity": "a", "workflowId": "other"}', "workflow_id is 'o1' in the path and 'other' in the request"),
        ('{"input": [1e999]}', "input"),
        ('{"taskQueue": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}", "nested too deeply"),
        ('{"taskQueue": {"normal_name": "a", "normalName": "b"}}', "taskQueue.normalName stands twice"),
    ],
)
async def test_a_malformed_body_is_refused_with_its_place(served: Served, body: str, told: str) -> None:
    headers = {"content-type": "application/json"}
    status, code, message = await refusal(served, "POST", f"{WORKFLOWS}/o1", content=body, headers=headers)
    assert (status, code) == (400, 3)
    assert message.startswith("StartWorkflowExecution: ") and told in message


@pytest.mark.parametrize(
    ("verb", "path", "told"),
    [
        ("GET", f"{WORKFLOWS}?pageSize=many", "pageSize"),
        ("GET", f"{WORKFLOWS}?pagesize=5", "the query parameter pagesize is no field of"),
        ("GET", f"{WORKFLOWS}?pageSize=5&page_size=6", "page_size stands twice"),
        ("GET", f"{WORKFLOWS}?nextPageToken=%25", "nextPageToken is no base64"),
        (
            "GET",
            f"{WORKFLOWS}/x?execution=5",
            "execution is a temporal.api.common.v1.WorkflowExecution; no query string",
        ),
        ("GET", f"{WORKFLOWS}/x?namespace.name=5", "leads through namespace, which has no fields"),
        ("GET", f"{WORKFLOWS}/x?namespace=bank", "namespace is 'default' in the path and 'bank' in the request"),
        ("GET", f"{WORKFLOWS}/x/history?waitNewEvent=1", "waitNewEvent is '1'; it has to be true or false"),
        ("POST", f"{WORKFLOWS}/x/terminate?reason=x", "the query parameter reason belongs into the body"),
    ],
)
async def test_a_malformed_query_string_is_refused(served: Served, verb: str, path: str, told: str) -> None:
    status, code, message = await refusal(served, verb, path)
    assert (status, code) == (400, 3)
    assert told in message


async def test_what_http_refuses(served: Served) -> None:
    status, code, message = await refusal(served, "GET", "/api/v1/nothing/here")
    assert (status, code) == (404, 5) and "GET /api/v1/nothing/here is no route" in message
    assert (await refusal(served, "GET", f"{WORKFLOWS}//history"))[0] == 404
    answer = await served.http.put(f"{WORKFLOWS}/o1")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp"):
        headers = {"content-type": kind}
        status, _, message = await refusal(served, "POST", f"{WORKFLOWS}/o1", content="{}", headers=headers)
        assert status == 415 and "send application/json" in message
    large = b'{"identity": "' + b"x" * limits.REQUEST_BYTES_MAX + b'"}'
    headers = {"content-type": "application/json"}
    assert (await refusal(served, "POST", f"{WORKFLOWS}/o1", content=large, headers=headers))[0] == 413

    async def parts() -> AsyncIterator[bytes]:
        yield large[:-1]
        yield large[-1:]

    assert (await refusal(served, "POST", f"{WORKFLOWS}/o1", content=parts(), headers=headers))[0] == 413
    assert (await served.http.get(WORKFLOWS)).json() == {}


async def test_foreign_pages_are_refused(served: Served) -> None:
    own = str(served.http.base_url).rstrip("/")
    refused = [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": ""},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ]
    for headers in refused:
        status, code, message = await refusal(served, "POST", f"{WORKFLOWS}/o1", json=ORDER, headers=headers)
        assert (status, code) == (403, 7), headers
        assert message
    assert (await served.http.get(WORKFLOWS)).json() == {}
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "accept": "text/html"}
    assert (await served.http.get("/", headers=link)).status_code == 200
    assert (await served.http.get(WORKFLOWS, headers={"host": "localhost:8080"})).status_code == 200
    await start(served)
    answer = await served.http.post(
        f"{WORKFLOWS}/o2", json=ORDER, headers={"origin": own, "sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 200


async def test_further_host_names_can_be_allowed() -> None:
    async with serving("Proxy.example") as served:
        assert (await served.http.get("/healthz", headers={"host": "proxy.example:80"})).status_code == 200
        assert (await served.http.get("/healthz", headers={"host": "other.example"})).status_code == 403


async def test_pages_of_the_ui_are_its_index(served: Served) -> None:
    index = await served.http.get("/")
    assert index.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in index.headers["content-security-policy"]
    assert "unsafe" not in index.headers["content-security-policy"]
    for path in ("/index.html", "/namespaces/default/workflows/x/y", "/..%2f..%2fhttp.py"):
        assert (await served.http.get(path, headers={"accept": "text/html"})).text == index.text, path
    assert (await served.http.get("/healthz")).json() == {"status": "SERVING"}


async def test_large_answers_are_compressed(served: Served) -> None:
    await start(served, input=["x" * 5000])
    answer = await served.http.get(f"{WORKFLOWS}/o1/history", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 2000 < len(answer.text)


async def test_forms_of_bodies_are_chosen_by_headers_or_the_query(served: Served) -> None:
    await start(served, input=["Ada"])
    history = f"{WORKFLOWS}/o1/history"
    long = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "IkFkYSI="}
    for options in (
        {"params": {"noPayloadShorthand": ""}},
        {"headers": {"accept": "application/json+no-payload-shorthand"}},
    ):
        first = (await served.http.get(history, **options)).json()["history"]["events"][0]
        assert first["workflowExecutionStartedEventAttributes"]["input"] == {"payloads": [long]}
    for options in ({"params": {"pretty": ""}}, {"headers": {"accept": "application/json+pretty"}}):
        assert (await served.http.get(history, **options)).text.startswith('{\n  "history"')
    # Without shorthand, the array that stands for payloads is a fault.
    refused = await served.http.post(
        f"{WORKFLOWS}/o2", params={"noPayloadShorthand": "true"}, json=ORDER | {"input": []}
    )
    assert refused.status_code == 400 and "input is an array" in refused.json()["message"]


async def test_a_bug_is_told_as_one_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def call(*_: object) -> Message:
        raise ZeroDivisionError("of all things")

    server = HttpServer(http_app(Gateway(call, BOUND), None), 1)
    port = await server.start("127.0.0.1", 0, "port")
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"http://127.0.0.1:{port}/api/v1/system-info")
    finally:
        await server.stop()
    assert (answer.status_code, answer.json()["code"]) == (500, 13)
    assert answer.json()["message"] == "this is a bug in outlast: GetSystemInfo: ZeroDivisionError: of all things"
    ours = [record for record in caplog.records if record.name == "outlast.server"]
    assert [record.exc_info is not None for record in ours] == [True]


def test_every_rpc_has_a_route() -> None:
    from outlast.api.descriptors import SERVICES
    from outlast.server.routes import Routes

    routes = Routes(BOUND)
    assert {route.rpc.full_name for route in routes.all} == {
        method.full_name for name in BOUND for method in SERVICES[name].methods
    }
