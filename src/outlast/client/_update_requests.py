"""The calls about updates as requests to the server, alone or together with a start."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import outlast.api.enums.v1 as enums
import outlast.api.update.v1 as update_api
import outlast.api.workflowservice.v1 as service_api
from outlast.api.common.v1 import WorkflowExecution as ExecutionRef
from outlast.api.errordetails.v1 import MultiOperationExecutionFailure
from outlast.api.failure.v1 import MultiOperationExecutionAborted
from outlast.converter import encode_arguments
from outlast.service import RPCError, RPCStatusCode

from ._exceptions import WorkflowUpdateRPCTimeoutOrCancelledError
from ._inputs import (
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    UpdateWithStartUpdateWorkflowInput,
)
from ._request_parts import encode_header
from ._workflow_requests import WorkflowRequests, already_started
from ._workflow_update import CALL_ENDED, WorkflowUpdateHandle, WorkflowUpdateStage

if TYPE_CHECKING:
    from ._client import Client

_ACCEPTED = enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED


class UpdateRequests(WorkflowRequests):
    """The last link of the chain, as far as updates are concerned."""

    _client: Client

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        """Send until the update is durable, which it is once accepted; then wait as long as the stage demands."""
        request = await self._update_request(input, input.id, input.run_id, input.first_execution_run_id)
        try:
            while True:
                response = await self._client.workflow_service.update_workflow_execution(
                    request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
                )
                if response.stage >= _ACCEPTED:
                    break
        except RPCError as err:
            if err.status in CALL_ENDED:
                raise WorkflowUpdateRPCTimeoutOrCancelledError() from err
            raise
        except asyncio.CancelledError as err:
            raise WorkflowUpdateRPCTimeoutOrCancelledError() from err
        handle: WorkflowUpdateHandle[Any] = WorkflowUpdateHandle(
            self._client,
            request.request.meta.update_id,
            input.id,
            workflow_run_id=response.update_ref.workflow_execution.run_id,
            result_type=input.ret_type,
            known_outcome=response.outcome if response.HasField("outcome") else None,
        )
        if input.wait_for_stage == WorkflowUpdateStage.COMPLETED:
            await handle._poll_until_outcome()
        return handle

    async def _update_request(
        self,
        input: StartWorkflowUpdateInput | UpdateWithStartUpdateWorkflowInput,
        workflow_id: str,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> service_api.UpdateWorkflowExecutionRequest:
        content = update_api.Input(name=input.update)
        if input.args:
            converter, target = self.converter(workflow_id), f"update {input.update!r}"
            content.args.payloads.extend(await encode_arguments(converter, input.args, target, input._function))
        if input.headers:
            content.header.CopyFrom(await encode_header(self._client, input.headers))
        return service_api.UpdateWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=ExecutionRef(workflow_id=workflow_id, run_id=run_id or ""),
            first_execution_run_id=first_execution_run_id or "",
            request=update_api.Request(
                meta=update_api.Meta(update_id=input.update_id or str(uuid.uuid4()), identity=self._client.identity),
                input=content,
            ),
            wait_policy=update_api.WaitPolicy(lifecycle_stage=int(input.wait_for_stage)),
        )

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        """Both operations in one call; whoever waits for the workflow's handle learns how the start went, too."""
        started = False

        def on_start(response: service_api.StartWorkflowExecutionResponse) -> None:
            nonlocal started
            if not started:
                started = True
                input._on_start(response)

        try:
            return await self._send_both(input, on_start)
        except (asyncio.CancelledError, RPCError) as err:
            error = self._explained(err, input)
            if not started:
                input._on_start_error(error)
            raise error from err
        except BaseException as err:
            if not started:
                input._on_start_error(err)
            raise

    async def _send_both(self, input: StartWorkflowUpdateWithStartInput, on_start: Any) -> WorkflowUpdateHandle[Any]:
        start, update = input.start_workflow_input, input.update_workflow_input
        start_request = service_api.StartWorkflowExecutionRequest()
        await self.fill_start(start_request, start)
        update_request = await self._update_request(update, start.id)
        operation = service_api.ExecuteMultiOperationRequest.Operation
        request = service_api.ExecuteMultiOperationRequest(
            namespace=self._client.namespace,
            operations=[
                operation(start_workflow=start_request),
                operation(update_workflow=update_request),
            ],
        )
        while True:
            response = await self._client.workflow_service.execute_multi_operation(
                request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
            )
            started = response.responses[0].start_workflow
            updated = response.responses[1].update_workflow
            on_start(started)
            if updated.stage >= _ACCEPTED:
                break
        handle: WorkflowUpdateHandle[Any] = WorkflowUpdateHandle(
            self._client,
            update_request.request.meta.update_id,
            start.id,
            workflow_run_id=started.run_id,
            result_type=update.ret_type,
            known_outcome=updated.outcome if updated.HasField("outcome") else None,
        )
        if update.wait_for_stage == WorkflowUpdateStage.COMPLETED:
            await handle._poll_until_outcome()
        return handle

    def _explained(self, error: BaseException, input: StartWorkflowUpdateWithStartInput) -> BaseException:
        """The error of the operation that failed by itself, instead of the one about the whole call."""
        if not isinstance(error, RPCError) or error.status in CALL_ENDED:
            return WorkflowUpdateRPCTimeoutOrCancelledError()
        failure = MultiOperationExecutionFailure()
        if not error.grpc_status.details or not error.grpc_status.details[0].Unpack(failure):
            return error
        for status in failure.statuses:
            aborted = status.details and status.details[0].Is(MultiOperationExecutionAborted.DESCRIPTOR)
            if status.code == RPCStatusCode.OK or aborted:
                continue
            raw = status.SerializeToString()  # the same fields as google.rpc.Status
            own = RPCError(status.message, RPCStatusCode(status.code), raw)
            start = input.start_workflow_input
            return already_started(own, start.id, start.workflow) or RPCError(
                status.message, RPCStatusCode(status.code), error.raw_grpc_status
            )
        return error
