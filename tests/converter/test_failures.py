"""Exceptions as failures: the same messages as the installed temporalio makes, and the same exceptions back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import nexusrpc
import pytest
import temporalio.api.failure.v1
import temporalio.converter
import temporalio.exceptions

import outlast.converter
import outlast.exceptions
from outlast.api.common.v1 import Payload
from outlast.api.failure.v1 import Failure
from outlast.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from outlast.exceptions import ApplicationError, is_cancelled_exception

ours = DataConverter.default
theirs = temporalio.converter.DataConverter.default

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("ApplicationError", ("m",), {}),
    ("ApplicationError", ("m", 1, {"a": None}), {"type": "T", "non_retryable": True}),
    ("ApplicationError", ("m",), {"next_retry_delay": timedelta(seconds=1.5)}),
    ("CancelledError", (), {}),
    ("CancelledError", ("m", "detail"), {}),
    ("TerminatedError", ("m", "lost"), {}),
    ("TimeoutError", ("m",), {"type": None, "last_heartbeat_details": []}),
    ("ServerError", ("m",), {"non_retryable": True}),
    (
        "ActivityError",
        ("m",),
        {
            "scheduled_event_id": 5,
            "started_event_id": 6,
            "identity": "w",
            "activity_type": "a",
            "activity_id": "1",
            "retry_state": None,
        },
    ),
    (
        "ChildWorkflowError",
        ("m",),
        {
            "namespace": "n",
            "workflow_id": "w",
            "run_id": "r",
            "workflow_type": "T",
            "initiated_event_id": 5,
            "started_event_id": 6,
            "retry_state": None,
        },
    ),
    (
        "NexusOperationError",
        ("m",),
        {
            "scheduled_event_id": 5,
            "endpoint": "e",
            "service": "s",
            "operation": "o",
            "operation_token": "t",
        },
    ),
    ("FailureError", ("m",), {}),
]


def written(exception: BaseException) -> Failure:
    failure = Failure()
    ours.failure_converter.to_failure(exception, ours.payload_converter, failure)
    return failure


def written_by_temporal(exception: BaseException) -> bytes:
    failure = temporalio.api.failure.v1.Failure()
    theirs.failure_converter.to_failure(exception, theirs.payload_converter, failure)
    return failure.SerializeToString(deterministic=True)


def read(failure: Failure) -> BaseException:
    return ours.failure_converter.from_failure(failure, ours.payload_converter)


def described(error: BaseException | None) -> Any:
    """Everything that a user can see of an exception, with the names of the package left out."""
    if error is None:
        return None
    seen = {
        name: getattr(error, name)
        for name in dir(type(error))
        if isinstance(getattr(type(error), name), property) and name not in ("failure", "cause")
    }
    return type(error).__name__, str(error), seen, described(error.__cause__)


def with_cause(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(("name", "args", "options"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_every_kind_is_written_and_read_alike(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    mine = with_cause(getattr(outlast.exceptions, name)(*args, **options), ValueError("why"))
    reference = with_cause(getattr(temporalio.exceptions, name)(*args, **options), ValueError("why"))
    failure = written(mine)
    data = failure.SerializeToString(deterministic=True)
    assert data == written_by_temporal(reference)
    their_failure = temporalio.api.failure.v1.Failure.FromString(data)
    back = theirs.failure_converter.from_failure(their_failure, theirs.payload_converter)
    assert described(read(failure)) == described(back)


@pytest.mark.parametrize(
    ("exceptions", "enum", "field"),
    [
        ("TimeoutError", "TimeoutType", "type"),
        ("ActivityError", "RetryState", "retry_state"),
    ],
)
def test_enums_travel(exceptions: str, enum: str, field: str) -> None:
    options = next(options for name, _, options in CASES if name == exceptions)
    for value in getattr(outlast.exceptions, enum):
        error = getattr(outlast.exceptions, exceptions)("m", **{**options, field: value})
        assert getattr(read(written(error)), field) is value


def raise_through(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_stack_traces_are_those_of_temporal() -> None:
    error = raise_through(ValueError("bad"))
    assert written(error).SerializeToString(deterministic=True) == written_by_temporal(error)
    assert "raise_through" in written(error).stack_trace


def test_an_implicit_context_is_a_cause_unless_it_is_suppressed() -> None:
    def fail(suppressed: bool) -> BaseException:
        try:
            try:
                raise KeyError("first")
            except KeyError as first:
                if suppressed:
                    raise ApplicationError("second") from None
                raise ApplicationError("second") from first
        except ApplicationError as second:
            return second

    assert written(fail(suppressed=False)).cause.message == "'first'"
    assert not written(fail(suppressed=True)).HasField("cause")


def test_what_was_read_is_written_back_unchanged() -> None:
    original = written(ApplicationError("m", 1, type="T"))
    assert written(read(original)) == original


def test_encoded_attributes_hide_message_and_trace_and_come_back() -> None:
    converter = DefaultFailureConverterWithEncodedAttributes()
    failure = Failure()
    converter.to_failure(raise_through(ApplicationError("secret")), ours.payload_converter, failure)
    assert failure.message == "Encoded failure"
    assert failure.stack_trace == ""
    before = failure.SerializeToString(deterministic=True)
    error = converter.from_failure(failure, ours.payload_converter)
    assert str(error) == "secret"
    assert isinstance(error, ApplicationError)
    assert error.failure is not None
    assert "raise_through" in error.failure.stack_trace
    assert failure.SerializeToString(deterministic=True) == before


def test_nexus_handler_errors_travel() -> None:
    error = nexusrpc.HandlerError("no", type=nexusrpc.HandlerErrorType.NOT_FOUND, retryable_override=False)
    failure = written(error)
    assert failure.SerializeToString(deterministic=True) == written_by_temporal(error)
    back = read(failure)
    assert isinstance(back, nexusrpc.HandlerError)
    assert back.type is nexusrpc.HandlerErrorType.NOT_FOUND
    assert back.retryable_override is False
    assert written(back) == failure


class Reversing(outlast.converter.PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"rev"}, data=p.SerializeToString()[::-1]) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(p.data[::-1]) for p in payloads]


async def test_the_codec_covers_details_and_causes_and_leaves_the_message_that_it_read() -> None:
    converter = DataConverter(payload_codec=Reversing())
    failure = Failure()
    error = with_cause(ApplicationError("m", "a", "b"), outlast.exceptions.CancelledError("c", "d"))
    await converter.encode_failure(error, failure)
    assert failure.application_failure_info.details.payloads[1].metadata["encoding"] == b"rev"
    assert failure.cause.canceled_failure_info.details.payloads[0].metadata["encoding"] == b"rev"
    before = failure.SerializeToString(deterministic=True)
    back = await converter.decode_failure(failure)
    assert isinstance(back, ApplicationError)
    assert list(back.details) == ["a", "b"]
    assert isinstance(back.cause, outlast.exceptions.CancelledError)
    assert list(back.cause.details) == ["d"]
    assert failure.SerializeToString(deterministic=True) == before


def test_what_counts_as_cancelled() -> None:
    options = next(options for name, _, options in CASES if name == "ActivityError")
    activity = outlast.exceptions.ActivityError("m", **options)
    assert is_cancelled_exception(asyncio.CancelledError())
    assert is_cancelled_exception(outlast.exceptions.CancelledError())
    assert is_cancelled_exception(with_cause(activity, outlast.exceptions.CancelledError()))
    assert not is_cancelled_exception(with_cause(activity, ValueError()))
    assert not is_cancelled_exception(ValueError())
