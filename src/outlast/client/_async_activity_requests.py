"""The calls of async activity handles as requests: by token or by ids, the rest is the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

import outlast.api.workflowservice.v1 as service_api
from outlast.api.failure.v1 import Failure
from outlast.common import _arg_unset
from outlast.converter import DataConverter, StorageDriverActivityInfo, StorageDriverWorkflowInfo

from ._async_activity import AsyncActivityIDReference
from ._exceptions import AsyncActivityCancelledError
from ._inputs import (
    CompleteAsyncActivityInput,
    FailAsyncActivityInput,
    HeartbeatAsyncActivityInput,
    ReportCancellationAsyncActivityInput,
)
from ._interceptor import OutboundInterceptor

if TYPE_CHECKING:
    from ._client import Client

_Input = (
    HeartbeatAsyncActivityInput
    | CompleteAsyncActivityInput
    | FailAsyncActivityInput
    | ReportCancellationAsyncActivityInput
)

# RPC -> request by token, request by ids; the RPC by ids has "_by_id" at the end of its name.
_REQUESTS: Mapping[str, tuple[type[Message], type[Message]]] = {
    "record_activity_task_heartbeat": (
        service_api.RecordActivityTaskHeartbeatRequest,
        service_api.RecordActivityTaskHeartbeatByIdRequest,
    ),
    "respond_activity_task_completed": (
        service_api.RespondActivityTaskCompletedRequest,
        service_api.RespondActivityTaskCompletedByIdRequest,
    ),
    "respond_activity_task_failed": (
        service_api.RespondActivityTaskFailedRequest,
        service_api.RespondActivityTaskFailedByIdRequest,
    ),
    "respond_activity_task_canceled": (
        service_api.RespondActivityTaskCanceledRequest,
        service_api.RespondActivityTaskCanceledByIdRequest,
    ),
}


def _owner(
    target: AsyncActivityIDReference | bytes, namespace: str
) -> StorageDriverActivityInfo | StorageDriverWorkflowInfo | None:
    """Whose payloads these are, for drivers of external storage; a token does not tell."""
    if isinstance(target, bytes):
        return None
    if target.workflow_id:
        return StorageDriverWorkflowInfo(namespace=namespace, id=target.workflow_id, run_id=target.run_id)
    return StorageDriverActivityInfo(namespace=namespace, id=target.activity_id, run_id=target.run_id)


class AsyncActivityRequests(OutboundInterceptor):
    """The last link of the chain, as far as async activities are concerned."""

    _client: Client

    async def heartbeat_async_activity(self, input: HeartbeatAsyncActivityInput) -> None:
        """Raises AsyncActivityCancelledError for every wish in the answer."""
        converter = self._converter(input)
        details = await converter.encode_wrapper(input.details) if input.details else None
        answer = await self._send("record_activity_task_heartbeat", input, details=details)
        if answer.cancel_requested or answer.activity_paused or answer.activity_reset:
            from outlast.activity import ActivityCancellationDetails

            raise AsyncActivityCancelledError(
                ActivityCancellationDetails(
                    cancel_requested=answer.cancel_requested,
                    paused=answer.activity_paused,
                    reset=answer.activity_reset,
                )
            )

    async def complete_async_activity(self, input: CompleteAsyncActivityInput) -> None:
        """A result that was not given is not sent; None is."""
        converter = self._converter(input)
        result = None if input.result is _arg_unset else await converter.encode_wrapper([input.result])
        await self._send("respond_activity_task_completed", input, result=result)

    async def fail_async_activity(self, input: FailAsyncActivityInput) -> None:
        """The error becomes a failure as it would in a worker."""
        converter = self._converter(input)
        failure = Failure()
        await converter.encode_failure(input.error, failure)
        details = await converter.encode_wrapper(input.last_heartbeat_details) if input.last_heartbeat_details else None
        await self._send("respond_activity_task_failed", input, failure=failure, last_heartbeat_details=details)

    async def report_cancellation_async_activity(self, input: ReportCancellationAsyncActivityInput) -> None:
        """Details are optional."""
        converter = self._converter(input)
        details = await converter.encode_wrapper(input.details) if input.details else None
        await self._send("respond_activity_task_canceled", input, details=details)

    def _converter(self, input: _Input) -> DataConverter:
        converter = input.data_converter_override or self._client.data_converter
        return converter._for_target(_owner(input.id_or_token, self._client.namespace))

    async def _send(self, rpc: str, input: _Input, **fields: Any) -> Any:
        by_token, by_id = _REQUESTS[rpc]
        target = input.id_or_token
        if isinstance(target, AsyncActivityIDReference):
            rpc, request_type = f"{rpc}_by_id", by_id
            address: dict[str, Any] = {
                "workflow_id": target.workflow_id or "",
                "run_id": target.run_id or "",
                "activity_id": target.activity_id,
            }
        else:
            request_type, address = by_token, {"task_token": target}
        request = request_type(namespace=self._client.namespace, identity=self._client.identity, **address, **fields)
        call = getattr(self._client.workflow_service, rpc)
        return await call(request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout)
