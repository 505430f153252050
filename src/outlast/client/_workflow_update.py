"""Updates: the stages, the handle of one that was sent, and the start that may travel with it."""

from __future__ import annotations

import asyncio
import warnings
from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Unpack, cast, overload

import outlast.api.enums.v1 as enums
import outlast.api.update.v1 as update_api
from outlast.api.common.v1 import WorkflowExecution as ExecutionRef
from outlast.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from outlast.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
    _arg_or_args,
    _arg_unset,
    _warn_on_deprecated_search_attributes,
)
from outlast.converter import DataConverter, WorkflowSerializationContext
from outlast.service import RPCError, RPCStatusCode
from outlast.types import (
    LocalReturnType,
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)
from outlast.workflow._definition import Definition

from ._exceptions import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from ._inputs import UpdateWithStartStartWorkflowInput
from ._options import WithStartOptions

if TYPE_CHECKING:
    from ._client import Client
    from ._workflow_handle import WorkflowHandle

CALL_ENDED = frozenset({RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})


class WorkflowUpdateStage(IntEnum):
    """How far an update has come."""

    ADMITTED = enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED
    ACCEPTED = enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
    COMPLETED = enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED


class WorkflowUpdateHandle(Generic[LocalReturnType]):
    """An update that was sent. Made by ``WorkflowHandle.start_update`` and ``get_update_handle``."""

    def __init__(
        self,
        client: Client,
        id: str,
        workflow_id: str,
        *,
        workflow_run_id: str | None = None,
        result_type: type | None = None,
        known_outcome: update_api.Outcome | None = None,
    ) -> None:
        """See the properties; ``known_outcome`` spares the question for the result."""
        self._client = client
        self._id = id
        self._workflow_id = workflow_id
        self._workflow_run_id = workflow_run_id
        self._result_type = result_type
        self._known_outcome = known_outcome

    @cached_property
    def _data_converter(self) -> DataConverter:
        return self._client.data_converter.with_context(
            WorkflowSerializationContext(namespace=self._client.namespace, workflow_id=self._workflow_id)
        )

    @property
    def id(self) -> str:
        """Id of the update."""
        return self._id

    @property
    def workflow_id(self) -> str:
        """Workflow that it was sent to."""
        return self._workflow_id

    @property
    def workflow_run_id(self) -> str | None:
        """Run that it was sent to; None for the current one."""
        return self._workflow_run_id

    async def result(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> LocalReturnType:
        """Wait for the result.

        Args:
            rpc_metadata: headers of the calls.
            rpc_timeout: deadline of each call, not of the waiting.

        Raises:
            WorkflowUpdateFailedError: the update was rejected or failed.
            WorkflowUpdateRPCTimeoutOrCancelledError: a call ended early; the update goes on.
            RPCError: the result could not be fetched.
        """
        await self._poll_until_outcome(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        outcome = self._known_outcome
        assert outcome is not None
        if outcome.HasField("failure"):
            raise WorkflowUpdateFailedError(await self._data_converter.decode_failure(outcome.failure))
        hints = [self._result_type] if self._result_type else None
        results = await self._data_converter.decode_wrapper(outcome.success, hints)
        if len(results) > 1:
            warnings.warn(f"Expected single update result, got {len(results)}", stacklevel=2)
        return cast("LocalReturnType", results[0] if results else None)

    async def _poll_until_outcome(
        self, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> None:
        request = PollWorkflowExecutionUpdateRequest(
            namespace=self._client.namespace,
            update_ref=update_api.UpdateRef(
                workflow_execution=ExecutionRef(workflow_id=self._workflow_id, run_id=self._workflow_run_id or ""),
                update_id=self._id,
            ),
            identity=self._client.identity,
            wait_policy=update_api.WaitPolicy(
                lifecycle_stage=enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
            ),
        )
        while self._known_outcome is None:
            try:
                response = await self._client.workflow_service.poll_workflow_execution_update(
                    request, retry=True, metadata=rpc_metadata, timeout=rpc_timeout
                )
            except RPCError as err:
                if err.status in CALL_ENDED:
                    raise WorkflowUpdateRPCTimeoutOrCancelledError() from err
                raise
            except asyncio.CancelledError as err:
                raise WorkflowUpdateRPCTimeoutOrCancelledError() from err
            if response.HasField("outcome"):
                self._known_outcome = response.outcome


class WithStartWorkflowOperation(Generic[SelfType, ReturnType]):
    """The start that travels with an update; see ``Client.start_update_with_start_workflow``. Can be used once."""

    @overload
    def __init__(
        self,
        workflow: MethodAsyncNoParam[SelfType, ReturnType],
        *,
        id: str,
        task_queue: str,
        id_conflict_policy: WorkflowIDConflictPolicy,
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        *,
        id: str,
        task_queue: str,
        id_conflict_policy: WorkflowIDConflictPolicy,
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        id_conflict_policy: WorkflowIDConflictPolicy,
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str,
        id_conflict_policy: WorkflowIDConflictPolicy,
        result_type: type | None = None,
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    def __init__(
        self,
        workflow: str | Callable[..., Awaitable[Any]],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str,
        id_conflict_policy: WorkflowIDConflictPolicy,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        retry_policy: RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: TypedSearchAttributes | SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        priority: Priority = Priority.default,
        versioning_override: VersioningOverride | None = None,
        stack_level: int = 2,
    ) -> None:
        """Say how to start; parameters as in ``Client.start_workflow``.

        Raises:
            ValueError: ``id_conflict_policy`` does not say what happens when the workflow is running.
        """
        _warn_on_deprecated_search_attributes(search_attributes, stack_level=stack_level)
        name, hinted = Definition.name_and_result_type(workflow)
        if id_conflict_policy == WorkflowIDConflictPolicy.UNSPECIFIED:
            raise ValueError("WorkflowIDConflictPolicy is required")
        self._start_workflow_input = UpdateWithStartStartWorkflowInput(
            workflow=name,
            args=_arg_or_args(arg, args),
            id=id,
            task_queue=task_queue,
            execution_timeout=execution_timeout,
            run_timeout=run_timeout,
            task_timeout=task_timeout,
            id_reuse_policy=id_reuse_policy,
            id_conflict_policy=id_conflict_policy,
            retry_policy=retry_policy,
            cron_schedule=cron_schedule,
            memo=memo,
            search_attributes=search_attributes,
            static_summary=static_summary,
            static_details=static_details,
            start_delay=start_delay,
            headers={},
            ret_type=result_type or hinted,
            priority=priority,
            versioning_override=versioning_override,
        )
        if not isinstance(workflow, str):
            self._start_workflow_input._function = workflow
        self._workflow_handle: Future[WorkflowHandle[SelfType, ReturnType]] = Future()
        self._used = False

    async def workflow_handle(self) -> WorkflowHandle[SelfType, ReturnType]:
        """Wait until the workflow is known to run, and return its handle."""
        return await self._workflow_handle
