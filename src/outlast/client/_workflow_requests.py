"""The calls about workflows as requests to the server."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import outlast.api.workflowservice.v1 as service_api
from outlast.api.common.v1 import WorkflowExecution as ExecutionRef
from outlast.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from outlast.api.query.v1 import WorkflowQuery
from outlast.common import Priority
from outlast.converter import (
    DataConverter,
    WorkflowSerializationContext,
    encode_arguments,
    encode_search_attributes,
)
from outlast.exceptions import WorkflowAlreadyStartedError
from outlast.service import RPCError, RPCStatusCode

from ._exceptions import WorkflowQueryFailedError, WorkflowQueryRejectedError
from ._history import WorkflowHistoryEventAsyncIterator
from ._inputs import (
    CancelWorkflowInput,
    CountWorkflowsInput,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    ListWorkflowsInput,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    TerminateWorkflowInput,
    UpdateWithStartStartWorkflowInput,
)
from ._interceptor import OutboundInterceptor
from ._request_parts import encode_header, request_id
from ._workflow_execution import WorkflowExecutionDescription, WorkflowExecutionStatus, encode_user_metadata
from ._workflow_handle import WorkflowHandle
from ._workflow_list import WorkflowExecutionAsyncIterator, WorkflowExecutionCount

if TYPE_CHECKING:
    from ._client import Client


class WorkflowRequests(OutboundInterceptor):
    """The last link of the chain, as far as workflows are concerned."""

    _client: Client

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Start, or signal with start; ALREADY_EXISTS becomes WorkflowAlreadyStartedError."""
        options: dict[str, Any] = {"retry": True, "metadata": input.rpc_metadata, "timeout": input.rpc_timeout}
        response: service_api.StartWorkflowExecutionResponse | service_api.SignalWithStartWorkflowExecutionResponse
        eager = False
        try:
            if input.start_signal is not None:
                request = service_api.SignalWithStartWorkflowExecutionRequest(signal_name=input.start_signal)
                await self.fill_start(request, input)
                if input.start_signal_args:
                    args = input.start_signal_args
                    payloads = await encode_arguments(self.converter(input.id), args, f"signal {input.start_signal!r}")
                    request.signal_input.payloads.extend(payloads)
                response = await self._client.workflow_service.signal_with_start_workflow_execution(request, **options)
                first_run_id = response.first_execution_run_id or (response.run_id if response.started else None)
            else:
                response, eager = await self._start(input, options)
                first_run_id = response.first_execution_run_id or response.run_id
        except RPCError as err:
            raise already_started(err, input.id, input.workflow) or err from None
        handle: WorkflowHandle[Any, Any] = WorkflowHandle(
            self._client,
            input.id,
            result_run_id=response.run_id,
            first_execution_run_id=first_run_id,
            result_type=input.ret_type,
            start_workflow_response=response,
        )
        setattr(handle, "__temporal_eagerly_started", eager)  # two underscores: no expression
        return handle

    async def _start(
        self, input: StartWorkflowInput, options: dict[str, Any]
    ) -> tuple[service_api.StartWorkflowExecutionResponse, bool]:
        """Start; with the first workflow task handed to a worker of this process, when one has room for it."""
        request = service_api.StartWorkflowExecutionRequest()
        await self.fill_start(request, input)
        start = self._client.workflow_service.start_workflow_execution
        reserve = None
        if input.request_eager_start:
            reserve = self._client.service_client.eager_workers.get((self._client.namespace, input.task_queue))
        deliver = reserve() if reserve is not None else None
        if deliver is None:
            return await start(request, **options), False
        request.request_eager_execution = True
        task = None
        try:
            response = await start(request, **options)
            if response.HasField("eager_workflow_task"):
                task = response.eager_workflow_task
        finally:
            deliver(task)
        return response, task is not None

    async def fill_start(
        self,
        request: service_api.StartWorkflowExecutionRequest | service_api.SignalWithStartWorkflowExecutionRequest,
        input: StartWorkflowInput | UpdateWithStartStartWorkflowInput,
    ) -> None:
        """Write what all requests that start a workflow have in common.

        Field by field: it takes less than half the time of the constructor with submessages.
        """
        converter = self.converter(input.id)
        request.namespace = self._client.namespace
        request.workflow_id = input.id
        request.workflow_type.name = input.workflow
        request.task_queue.name = input.task_queue
        request.identity = self._client.identity
        request.request_id = request_id()
        request.workflow_id_reuse_policy = int(input.id_reuse_policy)
        request.workflow_id_conflict_policy = int(input.id_conflict_policy)
        request.cron_schedule = input.cron_schedule
        if input.priority == Priority.default:
            request.priority.SetInParent()
        else:
            request.priority.CopyFrom(input.priority._to_proto())
        if input.args:
            target = f"workflow {input.workflow!r}"
            request.input.payloads.extend(await encode_arguments(converter, input.args, target, input._function))
        for field, duration in (
            (request.workflow_execution_timeout, input.execution_timeout),
            (request.workflow_run_timeout, input.run_timeout),
            (request.workflow_task_timeout, input.task_timeout),
            (request.workflow_start_delay, input.start_delay),
        ):
            if duration is not None:
                field.FromTimedelta(duration)
        if input.retry_policy is not None:
            input.retry_policy.apply_to_proto(request.retry_policy)
        if input.memo is not None:
            request.memo.SetInParent()
            await converter._encode_memo_existing(input.memo, request.memo)
        if input.search_attributes is not None:
            request.search_attributes.SetInParent()
            encode_search_attributes(input.search_attributes, request.search_attributes)
        if input.static_summary is not None or input.static_details is not None:
            metadata = await encode_user_metadata(converter, input.static_summary, input.static_details)
            request.user_metadata.CopyFrom(metadata)
        if input.headers:
            request.header.CopyFrom(await encode_header(self._client, input.headers))
        if input.versioning_override is not None:
            request.versioning_override.CopyFrom(input.versioning_override._to_proto())
        if input.time_skipping_config is not None:
            request.time_skipping_config.CopyFrom(input.time_skipping_config)

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:
        """Every call has a request id of its own."""
        await self._client.workflow_service.request_cancel_workflow_execution(
            service_api.RequestCancelWorkflowExecutionRequest(
                namespace=self._client.namespace,
                workflow_execution=_execution(input.id, input.run_id),
                identity=self._client.identity,
                request_id=request_id(),
                first_execution_run_id=input.first_execution_run_id or "",
                reason=input.reason,
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        """One call."""
        response = await self._client.workflow_service.describe_workflow_execution(
            service_api.DescribeWorkflowExecutionRequest(
                namespace=self._client.namespace, execution=_execution(input.id, input.run_id)
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        return await WorkflowExecutionDescription._from_raw_description(
            response, self._client.namespace, self._client.data_converter, self._client
        )

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        """No call before the first event is asked for."""
        return WorkflowHistoryEventAsyncIterator(self._client, input)

    def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        """No call before the first execution is asked for."""
        return WorkflowExecutionAsyncIterator(self._client, input)

    async def count_workflows(self, input: CountWorkflowsInput) -> WorkflowExecutionCount:
        """One call."""
        response = await self._client.workflow_service.count_workflow_executions(
            service_api.CountWorkflowExecutionsRequest(namespace=self._client.namespace, query=input.query or ""),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        return WorkflowExecutionCount._from_raw(response)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        """A failed query arrives as INVALID_ARGUMENT, a rejected one as an answer."""
        converter = self.converter(input.id)
        query = WorkflowQuery(query_type=input.query)
        if input.args:
            payloads = await encode_arguments(converter, input.args, f"query {input.query!r}", input._function)
            query.query_args.payloads.extend(payloads)
        if input.headers:
            query.header.CopyFrom(await encode_header(self._client, input.headers))
        request = service_api.QueryWorkflowRequest(
            namespace=self._client.namespace,
            execution=_execution(input.id, input.run_id),
            query=query,
            query_reject_condition=int(input.reject_condition or 0),
        )
        try:
            response = await self._client.workflow_service.query_workflow(
                request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
            )
        except RPCError as err:
            if err.status == RPCStatusCode.INVALID_ARGUMENT:
                raise WorkflowQueryFailedError(err.message) from err
            raise
        if response.HasField("query_rejected"):
            status = response.query_rejected.status
            raise WorkflowQueryRejectedError(WorkflowExecutionStatus(status) if status else None)
        results = await converter.decode_wrapper(response.query_result, [input.ret_type] if input.ret_type else None)
        if len(results) > 1:
            warnings.warn(f"Expected single query result, got {len(results)}", stacklevel=2)
        return results[0] if results else None

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        """Every call has a request id of its own."""
        request = service_api.SignalWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=_execution(input.id, input.run_id),
            signal_name=input.signal,
            identity=self._client.identity,
            request_id=request_id(),
        )
        if input.args:
            converter, target = self.converter(input.id), f"signal {input.signal!r}"
            request.input.payloads.extend(await encode_arguments(converter, input.args, target, input._function))
        if input.headers:
            request.header.CopyFrom(await encode_header(self._client, input.headers))
        await self._client.workflow_service.signal_workflow_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        """The arguments become the details of the termination."""
        request = service_api.TerminateWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=_execution(input.id, input.run_id),
            reason=input.reason or "",
            identity=self._client.identity,
            first_execution_run_id=input.first_execution_run_id or "",
        )
        if input.args:
            payloads = await encode_arguments(self.converter(input.id), input.args, "the details of a termination")
            request.details.payloads.extend(payloads)
        await self._client.workflow_service.terminate_workflow_execution(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )

    def converter(self, workflow_id: str) -> DataConverter:
        """The client's converter in the context of a workflow."""
        converter = self._client.data_converter
        if converter._ignores_context:
            return converter
        return converter.with_context(
            WorkflowSerializationContext(namespace=self._client.namespace, workflow_id=workflow_id)
        )


def _execution(workflow_id: str, run_id: str | None) -> ExecutionRef:
    return ExecutionRef(workflow_id=workflow_id, run_id=run_id or "")


def already_started(error: RPCError, workflow_id: str, workflow_type: str) -> WorkflowAlreadyStartedError | None:
    """What an ALREADY_EXISTS with its details means; None for any other error."""
    if error.status != RPCStatusCode.ALREADY_EXISTS or not error.grpc_status.details:
        return None
    details = WorkflowExecutionAlreadyStartedFailure()
    if not error.grpc_status.details[0].Unpack(details):
        return None
    return WorkflowAlreadyStartedError(
        workflow_id, workflow_type, run_id=details.run_id, first_run_id=details.first_execution_run_id or None
    )
