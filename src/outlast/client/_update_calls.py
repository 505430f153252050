"""The calls of a workflow handle that are about updates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Unpack, overload

from outlast.common import _arg_or_args, _arg_unset
from outlast.types import LocalReturnType, MultiParamSpec, ParamType, SelfType
from outlast.workflow import UpdateMethodMultiParam
from outlast.workflow._handlers import definition_of, update_name_and_result_type

from ._inputs import StartWorkflowUpdateInput
from ._options import CallOptions
from ._workflow_update import WorkflowUpdateHandle, WorkflowUpdateStage

if TYPE_CHECKING:
    from ._client import Client


class UpdateCalls(Generic[SelfType]):
    """Mixed into ``WorkflowHandle``."""

    _client: Client
    _id: str
    _run_id: str | None
    _first_execution_run_id: str | None

    @overload
    async def execute_update(
        self,
        update: UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update(
        self,
        update: UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update(
        self,
        update: UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: Sequence[Any],
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update(
        self,
        update: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        **options: Unpack[CallOptions],
    ) -> Any: ...

    async def execute_update(
        self,
        update: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Send an update and wait for its result.

        Args:
            update: handler method or name.
            arg: the argument.
            args: the arguments, when there are several.
            id: names the update, so that sending it again is harmless; random when None.
            result_type: what to convert the result to, when only a name is given.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            WorkflowUpdateFailedError: it was rejected or failed.
            WorkflowUpdateRPCTimeoutOrCancelledError: the call ended early; the update goes on.
            RPCError: it could not be sent.
        """
        handle = await self._start_update(
            update, arg, args, WorkflowUpdateStage.COMPLETED, id, result_type, rpc_metadata, rpc_timeout
        )
        return await handle.result()

    @overload
    async def start_update(
        self,
        update: UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update(
        self,
        update: UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update(
        self,
        update: UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        args: Sequence[Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update(
        self,
        update: str,
        arg: Any = _arg_unset,
        *,
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        **options: Unpack[CallOptions],
    ) -> WorkflowUpdateHandle[Any]: ...

    async def start_update(
        self,
        update: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """Send an update and wait until it has come as far as ``wait_for_stage``: ACCEPTED or COMPLETED.

        Other parameters as in ``execute_update``.

        Raises:
            ValueError: ``wait_for_stage`` is ADMITTED, which no server reports.
            WorkflowUpdateRPCTimeoutOrCancelledError: the call ended early; the update goes on.
            RPCError: it could not be sent.
        """
        return await self._start_update(update, arg, args, wait_for_stage, id, result_type, rpc_metadata, rpc_timeout)

    async def _start_update(
        self,
        update: str | Callable[..., Any],
        arg: Any,
        args: Sequence[Any],
        wait_for_stage: WorkflowUpdateStage,
        id: str | None,
        result_type: type | None,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> WorkflowUpdateHandle[Any]:
        if wait_for_stage == WorkflowUpdateStage.ADMITTED:
            raise ValueError("ADMITTED wait stage not supported")
        name, hinted = update_name_and_result_type(update)
        input = StartWorkflowUpdateInput(
            id=self._id,
            run_id=self._run_id,
            first_execution_run_id=self._first_execution_run_id,
            update_id=id,
            update=name,
            args=_arg_or_args(arg, args),
            headers={},
            ret_type=result_type or hinted,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
            wait_for_stage=wait_for_stage,
        )
        if callable(update):
            input._function = update
        return await self._client._impl.start_workflow_update(input)

    def get_update_handle(
        self, id: str, *, workflow_run_id: str | None = None, result_type: type | None = None
    ) -> WorkflowUpdateHandle[Any]:
        """The handle of an update that was sent before.

        Args:
            id: id of the update.
            workflow_run_id: run that it was sent to; this handle's run when None.
            result_type: what to convert the result to.
        """
        return WorkflowUpdateHandle(
            self._client, id, self._id, workflow_run_id=workflow_run_id or self._run_id, result_type=result_type
        )

    def get_update_handle_for(
        self,
        update: UpdateMethodMultiParam[Any, LocalReturnType],
        id: str,
        *,
        workflow_run_id: str | None = None,
    ) -> WorkflowUpdateHandle[LocalReturnType]:
        """``get_update_handle`` with the result type of a handler method.

        Raises:
            RuntimeError: not an update handler.
        """
        found = definition_of(update, "update")
        if found is None:
            qualname = getattr(update, "__qualname__", repr(update))
            raise RuntimeError(f"Update definition not found on {qualname}, is it decorated with @workflow.update?")
        return self.get_update_handle(id, workflow_run_id=workflow_run_id, result_type=found.ret_type)
