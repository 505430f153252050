"""The calls of a client that send an update together with the start of the workflow it is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Unpack, cast, overload

from outlast.api.workflowservice.v1 import StartWorkflowExecutionResponse
from outlast.common import _arg_or_args, _arg_unset
from outlast.types import LocalReturnType, MultiParamSpec, ParamType, SelfType
from outlast.workflow import UpdateMethodMultiParam
from outlast.workflow._handlers import update_name_and_result_type

from ._inputs import StartWorkflowUpdateWithStartInput, UpdateWithStartUpdateWorkflowInput
from ._options import CallOptions
from ._workflow_handle import WorkflowHandle
from ._workflow_update import WithStartWorkflowOperation, WorkflowUpdateHandle, WorkflowUpdateStage

if TYPE_CHECKING:
    from ._client import Client
    from ._interceptor import OutboundInterceptor


class UpdateWithStartCalls:
    """Mixed into ``Client``."""

    _impl: OutboundInterceptor

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: Sequence[Any],
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: str,
        arg: Any = _arg_unset,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        **options: Unpack[CallOptions],
    ) -> Any: ...

    async def execute_update_with_start_workflow(
        self,
        update: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Send an update, start its workflow where it is not running, and wait for the update's result.

        The conflict policy of the operation says what happens when the workflow is running: USE_EXISTING updates it,
        FAIL refuses. Parameters as in ``WorkflowHandle.execute_update``.

        Raises:
            WorkflowUpdateFailedError: the update was rejected or failed.
            WorkflowAlreadyStartedError: the workflow is running, and the policy refuses.
            WorkflowUpdateRPCTimeoutOrCancelledError: the call ended early; the update may go on.
            RPCError: start or update was refused for another reason.
        """
        handle = await self._start_update_with_start(
            update,
            arg,
            args,
            start_workflow_operation,
            WorkflowUpdateStage.COMPLETED,
            id,
            result_type,
            rpc_metadata,
            rpc_timeout,
        )
        return await handle.result()

    @overload
    async def start_update_with_start_workflow(
        self,
        update: UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update_with_start_workflow(
        self,
        update: UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update_with_start_workflow(
        self,
        update: UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: Sequence[Any],
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update_with_start_workflow(
        self,
        update: str,
        arg: Any = _arg_unset,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        **options: Unpack[CallOptions],
    ) -> WorkflowUpdateHandle[Any]: ...

    async def start_update_with_start_workflow(
        self,
        update: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """As ``execute_update_with_start_workflow``, but wait only until ``wait_for_stage``: ACCEPTED or COMPLETED.

        Raises:
            ValueError: ``wait_for_stage`` is ADMITTED, which no server reports.
            RuntimeError: the operation was used before.
        """
        return await self._start_update_with_start(
            update, arg, args, start_workflow_operation, wait_for_stage, id, result_type, rpc_metadata, rpc_timeout
        )

    async def _start_update_with_start(
        self,
        update: str | Callable[..., Any],
        arg: Any,
        args: Sequence[Any],
        operation: WithStartWorkflowOperation[Any, Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None,
        result_type: type | None,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> WorkflowUpdateHandle[Any]:
        if wait_for_stage == WorkflowUpdateStage.ADMITTED:
            raise ValueError("ADMITTED wait stage not supported")
        if operation._used:
            raise RuntimeError("WithStartWorkflowOperation cannot be reused")
        operation._used = True
        name, hinted = update_name_and_result_type(update)
        update_input = UpdateWithStartUpdateWorkflowInput(
            update_id=id,
            update=name,
            args=_arg_or_args(arg, args),
            headers={},
            ret_type=result_type or hinted,
            wait_for_stage=wait_for_stage,
        )
        if callable(update):
            update_input._function = update
        start_input = operation._start_workflow_input

        def on_start(response: StartWorkflowExecutionResponse) -> None:
            handle: WorkflowHandle[Any, Any] = WorkflowHandle(
                cast("Client", self),
                start_input.id,
                first_execution_run_id=response.first_execution_run_id or response.run_id,
                result_run_id=response.run_id,
                result_type=start_input.ret_type,
            )
            operation._workflow_handle.set_result(handle)

        def on_start_error(error: BaseException) -> None:
            operation._workflow_handle.set_exception(error)
            # The caller of the update gets the error, too, so nobody has to ask for it here.
            operation._workflow_handle.exception()

        return await self._impl.start_update_with_start_workflow(
            StartWorkflowUpdateWithStartInput(
                start_workflow_input=start_input,
                update_workflow_input=update_input,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                _on_start=on_start,
                _on_start_error=on_start_error,
            )
        )
