"""Errors: what travels in a google.rpc.Status comes back as the same error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from outlast.api import rpc
from outlast.api.enums.v1 import RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW, RESOURCE_EXHAUSTED_SCOPE_NAMESPACE
from outlast.api.failure.v1 import Failure
from outlast.api.rpc import Status
from outlast.vocab import errors
from outlast.vocab.errors import ServiceError


def _all(error: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield error
    for child in error.__subclasses__():
        yield from _all(child)


EXAMPLES: list[ServiceError] = [
    errors.InvalidArgument("workflow id is empty"),
    errors.NotFound("no workflow 'a'"),
    errors.NamespaceNotFound("no namespace 'n'", namespace="n"),
    errors.WorkflowExecutionAlreadyStarted("'a' runs", "request", "run", "first"),
    errors.ActivityExecutionAlreadyStarted("'a' runs", "request", "run"),
    errors.QueryFailed("query 'q' failed", Failure(message="why")),
    errors.ResourceExhausted("busy", RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW, RESOURCE_EXHAUSTED_SCOPE_NAMESPACE),
    errors.PermissionDenied("no", reason="not yours"),
    errors.WorkflowNotReady("not yet"),
    errors.NamespaceInvalidState("going", "n", 2, [1]),
    errors.Unavailable("gone"),
    errors.MultiOperationExecution("update failed", [errors.MultiOperationAborted("aborted"), errors.NotFound("no")]),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda e: type(e).__name__)
def test_an_error_survives_the_wire(error: ServiceError) -> None:
    back = errors.from_code(error.code, error.message, error.to_status().SerializeToString())
    assert type(back) is type(error)
    assert (back.message, back.code, back.details) == (error.message, error.code, error.details)
    assert str(back) == error.message


def test_properties_are_read_from_the_details() -> None:
    back = errors.from_status(EXAMPLES[3].to_status())
    assert isinstance(back, errors.WorkflowExecutionAlreadyStarted)
    assert (back.start_request_id, back.run_id, back.first_execution_run_id) == ("request", "run", "first")
    failed = errors.from_status(EXAMPLES[5].to_status())
    assert isinstance(failed, errors.QueryFailed)
    assert failed.failure.message == "why"


def test_every_code_has_a_name_an_http_status_and_a_class() -> None:
    for code in set(rpc.Code.values()) - {rpc.OK}:
        error = errors.from_code(code, "m")
        assert error.code == code
        assert error.code_name == rpc.Code.Name(code)
        assert 400 <= error.http_status < 600


def test_every_class_has_details_of_its_own_type_or_none() -> None:
    types = [e.details_type for e in _all(ServiceError) if e.details_type is not None]
    assert len(set(types)) == len(types)


def test_not_found_always_says_so_in_details_as_the_servers_does() -> None:
    packed = errors.NotFound("no").to_status().details[0]
    assert packed.type_url == "type.googleapis.com/temporal.api.errordetails.v1.NotFoundFailure"


def test_several_operations_take_the_code_of_the_one_that_failed() -> None:
    error = errors.MultiOperationExecution("m", [None, errors.MultiOperationAborted("a"), errors.NotFound("no")])
    assert (error.code, error.http_status) == (rpc.NOT_FOUND, 404)
    assert [type(e) for e in error.errors] == [type(None), errors.MultiOperationAborted, errors.NotFound]


@pytest.mark.parametrize("trailer", [b"", b"\xff\xff not a status", b"\x1a\x03\x0a\x01x", None])
def test_a_trailer_that_says_nothing_leaves_the_code(trailer: bytes | None) -> None:
    error = errors.from_code(rpc.NOT_FOUND, "gone", trailer)
    assert type(error) is errors.NotFound
    assert error.message == "gone"


def test_success_is_no_error() -> None:
    with pytest.raises(AssertionError):
        errors.from_status(Status())
