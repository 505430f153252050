"""The description of the JSON API: sound by OpenAPI's own rules, and true of what the gateway does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from http_node import serving
from openapi_spec_validator import validate

from outlast.api.descriptors import SERVICES
from outlast.server.openapi import document
from outlast.server.routes import Routes
from outlast.server.rpc import BOUND

HISTORY = "/api/v1/namespaces/{namespace}/workflows/{workflowId}/history"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(Routes(BOUND), "")


def test_it_is_valid(described: dict[str, Any]) -> None:
    validate(described)
    shapes = [re.sub(r"\{[^}]+\}", "{}", path) for path in described["paths"]]
    assert len(shapes) == len(set(shapes)), "two paths that OpenAPI takes for one"


def test_it_has_every_rpc(described: dict[str, Any]) -> None:
    operations = {each["operationId"] for path in described["paths"].values() for each in path.values()}
    assert operations >= {method.name for name in BOUND for method in SERVICES[name].methods}


def test_parameters_and_bodies_are_those_of_the_messages(described: dict[str, Any]) -> None:
    get = described["paths"][HISTORY]["get"]
    places = {parameter["name"]: parameter["in"] for parameter in get["parameters"]}
    assert places["namespace"] == places["workflowId"] == "path"
    assert {name for name, place in places.items() if place == "query"} == {
        *("execution.runId", "maximumPageSize", "nextPageToken", "waitNewEvent", "historyEventFilterType"),
        *("skipArchival", "pretty", "noPayloadShorthand"),
    }
    start = described["paths"]["/api/v1/namespaces/{namespace}/workflows/{workflowId}"]["post"]
    name = start["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert name == "temporal.api.workflowservice.v1.StartWorkflowExecutionRequest"
    fields = described["components"]["schemas"][name]["properties"]
    assert fields["workflowStartDelay"]["$ref"].endswith("google.protobuf.Duration")
    assert fields["requestEagerExecution"] == {"type": "boolean"}


async def test_the_server_answers_it(described: dict[str, Any]) -> None:
    async with serving() as served:
        answer = await served.http.get("/api/v1/openapi.json")
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.json() == json.loads(json.dumps(described))
        assert (await served.http.post("/api/v1/openapi.json")).status_code == 404
