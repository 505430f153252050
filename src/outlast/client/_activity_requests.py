"""The calls about standalone activities as requests to the server."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict

import outlast.api.workflowservice.v1 as service_api
from outlast.api.errordetails.v1 import ActivityExecutionAlreadyStartedFailure
from outlast.converter import ActivitySerializationContext, DataConverter, encode_arguments, encode_search_attributes
from outlast.exceptions import ActivityAlreadyStartedError
from outlast.service import RPCError, RPCStatusCode

from ._activity_execution import ActivityExecutionDescription
from ._activity_handle import ActivityHandle, refuse_twice
from ._activity_list import ActivityExecutionAsyncIterator, ActivityExecutionCount
from ._activity_options import WRITERS, ActivityExecutionOptions
from ._interceptor import OutboundInterceptor
from ._request_parts import encode_header, request_id
from ._workflow_execution import encode_user_metadata

if TYPE_CHECKING:
    from ._activity_inputs import (
        CancelActivityInput,
        CountActivitiesInput,
        DescribeActivityInput,
        ListActivitiesInput,
        PauseActivityInput,
        StartActivityInput,
        TerminateActivityInput,
        UnpauseActivityInput,
        UpdateActivityOptionsInput,
    )
    from ._client import Client

    _Aimed = (
        CancelActivityInput
        | PauseActivityInput
        | TerminateActivityInput
        | UnpauseActivityInput
        | UpdateActivityOptionsInput
    )

_START_DURATIONS = (
    "schedule_to_close_timeout",
    "start_to_close_timeout",
    "schedule_to_start_timeout",
    "heartbeat_timeout",
    "start_delay",
)


class _Aim(TypedDict):
    """What the requests of operations have in common. Every call has a request id of its own."""

    namespace: str
    activity_id: str
    run_id: str
    identity: str
    request_id: str


class ActivityRequests(OutboundInterceptor):
    """The last link of the chain, as far as standalone activities are concerned."""

    _client: Client

    async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        """ALREADY_EXISTS with its details becomes ActivityAlreadyStartedError."""
        if not (input.start_to_close_timeout or input.schedule_to_close_timeout):
            raise ValueError(
                f"activity {input.id!r}: Activity must have start_to_close_timeout or schedule_to_close_timeout"
            )
        if input.start_delay is not None and input.start_delay < timedelta():
            raise ValueError(f"activity {input.id!r}: start_delay must be non-negative, not {input.start_delay}")
        request = await self._start_request(input)
        try:
            response = await self._client.workflow_service.start_activity_execution(
                request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
            )
        except RPCError as err:
            raise _already_started(err, input) or err from None
        return ActivityHandle(self._client, input.id, run_id=response.run_id, result_type=input.result_type)

    async def _start_request(self, input: StartActivityInput) -> service_api.StartActivityExecutionRequest:
        converter = self._activity_converter(input.id, input.activity_type, input.task_queue)
        request = service_api.StartActivityExecutionRequest(
            namespace=self._client.namespace,
            identity=self._client.identity,
            request_id=request_id(),
            activity_id=input.id,
            id_reuse_policy=int(input.id_reuse_policy),
            id_conflict_policy=int(input.id_conflict_policy),
            priority=input.priority._to_proto(),
        )
        request.activity_type.name = input.activity_type
        request.task_queue.name = input.task_queue
        for name in _START_DURATIONS:
            if getattr(input, name) is not None:
                getattr(request, name).FromTimedelta(getattr(input, name))
        if input.retry_policy is not None:
            input.retry_policy.apply_to_proto(request.retry_policy)
        if input.args:
            target = f"activity {input.activity_type!r}"
            request.input.payloads.extend(await encode_arguments(converter, input.args, target, input._function))
        if input.search_attributes is not None:
            request.search_attributes.SetInParent()
            encode_search_attributes(input.search_attributes, request.search_attributes)
        if input.summary is not None:
            request.user_metadata.CopyFrom(await encode_user_metadata(converter, input.summary, None))
        if input.headers:
            request.header.CopyFrom(await encode_header(self._client, input.headers))
        return request

    async def describe_activity(self, input: DescribeActivityInput) -> ActivityExecutionDescription:
        """One call."""
        response = await self._client.workflow_service.describe_activity_execution(
            service_api.DescribeActivityExecutionRequest(
                namespace=self._client.namespace,
                activity_id=input.activity_id,
                run_id=input.activity_run_id or "",
                include_input=input.include_input,
                include_outcome=input.include_outcome,
                include_heartbeat_details=input.include_heartbeat_details,
                include_last_failure=input.include_last_failure,
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        info = response.info
        converter = self._activity_converter(info.activity_id, info.activity_type.name, info.task_queue)
        return ActivityExecutionDescription._from_response(response, self._client.namespace, converter)

    async def cancel_activity(self, input: CancelActivityInput) -> None:
        """One call."""
        request = service_api.RequestCancelActivityExecutionRequest(**self._aim(input), reason=input.reason or "")
        await self._client.workflow_service.request_cancel_activity_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    async def terminate_activity(self, input: TerminateActivityInput) -> None:
        """One call."""
        request = service_api.TerminateActivityExecutionRequest(**self._aim(input), reason=input.reason or "")
        await self._client.workflow_service.terminate_activity_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    async def pause_activity(self, input: PauseActivityInput) -> None:
        """One call."""
        request = service_api.PauseActivityExecutionRequest(**self._aim(input), reason=input.reason or "")
        await self._client.workflow_service.pause_activity_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    async def unpause_activity(self, input: UnpauseActivityInput) -> None:
        """One call."""
        request = service_api.UnpauseActivityExecutionRequest(**self._aim(input), reason=input.reason or "")
        if input.jitter is not None:
            request.jitter.FromTimedelta(input.jitter)
        await self._client.workflow_service.unpause_activity_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    async def update_activity_options(self, input: UpdateActivityOptionsInput) -> ActivityExecutionOptions:
        """Checked again, as an interceptor may have changed the updates."""
        if input.restore_original and input.updates:
            raise ValueError("restore_original cannot be combined with individual option updates; make two calls")
        refuse_twice(input.updates)
        request = service_api.UpdateActivityExecutionOptionsRequest(
            **self._aim(input), restore_original=input.restore_original
        )
        for update in input.updates:
            write = WRITERS.get(update.key.name)
            if write is None:
                raise ValueError(f"No activity option {update.key.name!r}; the keys are in ActivityOptionsKeys")
            request.update_mask.paths.append(update.key.name)
            if update.value is not None:
                write(request.activity_options, update.value)
        response = await self._client.workflow_service.update_activity_execution_options(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )
        return ActivityExecutionOptions._from_proto(response.activity_options)

    def list_activities(self, input: ListActivitiesInput) -> ActivityExecutionAsyncIterator:
        """No call before the first activity is asked for."""
        return ActivityExecutionAsyncIterator(self._client, input)

    async def count_activities(self, input: CountActivitiesInput) -> ActivityExecutionCount:
        """One call."""
        response = await self._client.workflow_service.count_activity_executions(
            service_api.CountActivityExecutionsRequest(namespace=self._client.namespace, query=input.query or ""),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        return ActivityExecutionCount._from_raw(response)

    def _aim(self, input: _Aimed) -> _Aim:
        return _Aim(
            namespace=self._client.namespace,
            activity_id=input.activity_id,
            run_id=input.activity_run_id or "",
            identity=self._client.identity,
            request_id=request_id(),
        )

    def _activity_converter(self, activity_id: str, activity_type: str, task_queue: str) -> DataConverter:
        return self._client.data_converter.with_context(
            ActivitySerializationContext(
                namespace=self._client.namespace,
                activity_id=activity_id,
                activity_type=activity_type,
                activity_task_queue=task_queue,
                workflow_id=None,
                workflow_type=None,
                is_local=False,
            )
        )


def _already_started(error: RPCError, input: StartActivityInput) -> ActivityAlreadyStartedError | None:
    """What an ALREADY_EXISTS with its details means; None for any other error."""
    if error.status != RPCStatusCode.ALREADY_EXISTS or not error.grpc_status.details:
        return None
    details = ActivityExecutionAlreadyStartedFailure()
    if not error.grpc_status.details[0].Unpack(details):
        return None
    return ActivityAlreadyStartedError(input.id, input.activity_type, run_id=details.run_id)
