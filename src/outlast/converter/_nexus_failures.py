"""Handler errors of the ``nexusrpc`` package as failures.

Rule: the package is optional and is never imported before it is needed. Without it no handler error can be raised
here, and one that arrives from elsewhere is read as an application error of type ``NexusHandlerError``.

Source: temporal.api.failure.v1.NexusHandlerFailureInfo; nexusrpc.HandlerError.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
import traceback
from typing import TYPE_CHECKING, Any, TypeGuard

from google.protobuf import json_format

import outlast.api.enums.v1 as enums
from outlast.api.common.v1 import Payload
from outlast.api.failure.v1 import Failure
from outlast.exceptions import ApplicationError

if TYPE_CHECKING:
    import nexusrpc

    from ._failure_converter import FailureConverter
    from ._payload_converter import PayloadConverter

logger = logging.getLogger(__name__)

_FAILURE_TYPE = "temporal.api.failure.v1.Failure"
_RETRY = {
    None: enums.NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_UNSPECIFIED,
    True: enums.NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_RETRYABLE,
    False: enums.NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_NON_RETRYABLE,
}
_RETRY_OVERRIDE: dict[int, bool | None] = {int(behavior): override for override, behavior in _RETRY.items()}


def is_handler_error(exception: BaseException) -> TypeGuard[nexusrpc.HandlerError]:
    """Whether this is a ``nexusrpc.HandlerError``."""
    module: Any = sys.modules.get("nexusrpc")
    return module is not None and isinstance(exception, module.HandlerError)


def write_handler_error(
    converter: FailureConverter, error: nexusrpc.HandlerError, payload_converter: PayloadConverter, failure: Failure
) -> None:
    """Write a handler error; one that came over the wire gives back the failure it was read from."""
    if error.original_failure:
        _restore(error.original_failure, error.retryable, failure)
        return
    failure.message = error.message
    if error.stack_trace:
        failure.stack_trace = error.stack_trace
    elif error.__traceback__:
        failure.stack_trace = "\n".join(traceback.format_tb(error.__traceback__))
    if error.__cause__:
        converter.to_failure(error.__cause__, payload_converter, failure.cause)
    failure.nexus_handler_failure_info.type = error.type.name
    failure.nexus_handler_failure_info.retry_behavior = _RETRY[error.retryable_override]


def _restore(original: nexusrpc.Failure, retryable: bool, failure: Failure) -> None:
    if original.metadata and original.metadata.get("type") == _FAILURE_TYPE:
        json_format.ParseDict(dict(original.details or {}), failure)
    else:
        info = failure.application_failure_info
        info.type = "NexusFailure"
        info.non_retryable = not retryable
        text = json.dumps(dataclasses.asdict(dataclasses.replace(original, message="")), separators=(",", ":"))
        info.details.payloads.append(Payload(metadata={"encoding": b"json/plain"}, data=text.encode()))
    failure.message = original.message
    failure.stack_trace = original.stack_trace or ""


def read_handler_error(failure: Failure) -> BaseException:
    """The handler error that a failure stands for; an unknown error type counts as INTERNAL."""
    info = failure.nexus_handler_failure_info
    message = failure.message or "Nexus handler error"
    try:
        import nexusrpc
    except ImportError:
        return ApplicationError(message, info.type, type="NexusHandlerError")
    try:
        error_type = nexusrpc.HandlerErrorType[info.type]
    except KeyError:
        logger.warning("Unknown Nexus HandlerErrorType: %s", info.type)
        error_type = nexusrpc.HandlerErrorType.INTERNAL
    rest = Failure()
    rest.CopyFrom(failure)
    rest.message = rest.stack_trace = ""
    return nexusrpc.HandlerError(
        message,
        type=error_type,
        retryable_override=_RETRY_OVERRIDE.get(int(info.retry_behavior)),
        stack_trace=failure.stack_trace or None,
        original_failure=nexusrpc.Failure(
            message=failure.message,
            stack_trace=failure.stack_trace,
            metadata={"type": _FAILURE_TYPE},
            details=json_format.MessageToDict(rest),
        ),
    )
