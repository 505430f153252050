"""Building and reading temporal.api.failure.v1.Failure.

Rule: what the engine writes itself carries the source "Server"; a failure that came in is only ever copied.
"""

from __future__ import annotations

from typing import Final

from outlast.api.common.v1 import Payloads
from outlast.api.failure.v1 import (
    ApplicationFailureInfo,
    CanceledFailureInfo,
    Failure,
    ServerFailureInfo,
    TerminatedFailureInfo,
    TimeoutFailureInfo,
)
from outlast.vocab.times import duration

SERVER: Final = "Server"

_EXCEEDS_LIMIT: Final = "Failure exceeds size limit."
_CAUSES_KEPT_MAX: Final = 20
# Tag and length of one string and of the message around it: no field of a cut failure reaches 2 MiB.
_FRAME_BYTES: Final = 4


def application(
    message: str,
    type: str = "",
    non_retryable: bool = False,
    details: Payloads | None = None,
    *,
    next_retry_delay_ns: int | None = None,
    category: int = 0,
    cause: Failure | None = None,
    stack_trace: str = "",
) -> Failure:
    """A failure in the user's terms. `category` is an ApplicationErrorCategory."""
    info = ApplicationFailureInfo(
        type=type,
        non_retryable=non_retryable,
        details=details,
        next_retry_delay=None if next_retry_delay_ns is None else duration(next_retry_delay_ns),
        category=category,
    )
    return Failure(message=message, stack_trace=stack_trace, cause=cause, application_failure_info=info)


def timeout(
    timeout_type: int, message: str, last_heartbeat_details: Payloads | None = None, cause: Failure | None = None
) -> Failure:
    """A timeout that the server saw. `timeout_type` is a TimeoutType; `cause` the failure of the attempt before."""
    info = TimeoutFailureInfo(timeout_type=timeout_type, last_heartbeat_details=last_heartbeat_details)
    return Failure(message=message, source=SERVER, cause=cause, timeout_failure_info=info)


def canceled(details: Payloads | None = None, message: str = "") -> Failure:
    """A cancellation that was carried out."""
    return Failure(message=message, source=SERVER, canceled_failure_info=CanceledFailureInfo(details=details))


def terminated(message: str) -> Failure:
    """The end of an execution that was terminated from outside."""
    return Failure(message=message, source=SERVER, terminated_failure_info=TerminatedFailureInfo())


def server(message: str, non_retryable: bool = False) -> Failure:
    """A failure of the server's own making."""
    info = ServerFailureInfo(non_retryable=non_retryable)
    return Failure(message=message, source=SERVER, server_failure_info=info)


def kind(failure: Failure) -> str:
    """The name of the info field that is set, "application_failure_info" for one; "" when none is."""
    return failure.WhichOneof("failure_info") or ""


def truncated(failure: Failure, max_bytes: int) -> Failure:
    """The failure itself when it takes at most `max_bytes`, else a server failure whose cause is what fits of it.

    Kept in this order while there is room: type and retryability, message, stack trace, then the same of its causes.
    Details are dropped. The result stays within `max_bytes` when that is at least 128.

    Source: mutableStateActivityFailureSize of Temporal's server; semantics 3.2.10.
    """
    if failure.ByteSize() <= max_bytes:
        return failure
    result = server(_EXCEEDS_LIMIT)
    result.cause.CopyFrom(_cut(failure, max_bytes - result.ByteSize() - _FRAME_BYTES, _CAUSES_KEPT_MAX))
    return result


def _cut(failure: Failure, room: int, causes_left: int) -> Failure:
    part = Failure()
    if failure.HasField("application_failure_info"):
        part.application_failure_info.non_retryable = failure.application_failure_info.non_retryable
        kept_type = _clip(failure.application_failure_info.type, room - part.ByteSize() - 2 * _FRAME_BYTES)
        part.application_failure_info.type = kept_type
    elif failure.HasField("server_failure_info"):
        part.server_failure_info.CopyFrom(failure.server_failure_info)
    elif failure.HasField("timeout_failure_info"):
        part.timeout_failure_info.timeout_type = failure.timeout_failure_info.timeout_type
    for field in ("source", "message", "stack_trace"):
        setattr(part, field, _clip(getattr(failure, field), room - part.ByteSize() - _FRAME_BYTES))
    room -= part.ByteSize() + _FRAME_BYTES
    if failure.HasField("cause") and causes_left and room > 16 * _FRAME_BYTES:
        part.cause.CopyFrom(_cut(failure.cause, room, causes_left - 1))
    return part


def _clip(text: str, room: int) -> str:
    return text.encode()[: max(room, 0)].decode(errors="ignore")
