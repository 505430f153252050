"""Other workflows from workflow code: children, external workflows, and the next run of this one.

Rule: a call becomes a value of ``_calls``; a child's handle is a task whose result is the child's. Starting a child
waits for its start event, because a child that has not started when its parent closes never will.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any, Concatenate, Generic, NoReturn, TypedDict, overload

from typing_extensions import Unpack

import outlast.common
from outlast.common import Priority, RetryPolicy, WorkflowIDReusePolicy, _arg_or_args, _arg_unset
from outlast.types import (
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MethodSyncOrAsyncNoParam,
    MethodSyncOrAsyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)

from ._activities import _AsyncioTask
from ._calls import ContinueAsNewInput, StartChildWorkflowInput
from ._context import uuid4
from ._definition import Definition
from ._event_groups import EventGroup
from ._exceptions import ContinueAsNewVersioningBehavior, VersioningIntent
from ._runtime import Runtime

_SearchAttributes = outlast.common.SearchAttributes | outlast.common.TypedSearchAttributes | None


class ChildWorkflowHandle(_AsyncioTask[ReturnType], Generic[SelfType, ReturnType]):  # type: ignore[type-var]
    """A started child: a task whose result is the child's. Cancelling it asks the child to cancel."""

    @property
    def id(self) -> str:
        """Workflow id of the child."""
        raise NotImplementedError

    @property
    def first_execution_run_id(self) -> str | None:
        """Run id of the child's first run."""
        raise NotImplementedError

    @overload
    async def signal(
        self, signal: MethodSyncOrAsyncNoParam[SelfType, None], *, event_groups: Sequence[EventGroup] | None = None
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        *,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[None] | None],
        *,
        args: Sequence[Any],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None:
        """Signal the child, by signal name or handler method, and wait until the server has delivered it.

        Raises:
            ApplicationError: the child is gone, or takes no more signals.
        """
        raise NotImplementedError


class ExternalWorkflowHandle(Generic[SelfType]):
    """Any workflow of this namespace, to signal and to cancel."""

    @property
    def id(self) -> str:
        """Workflow id."""
        raise NotImplementedError

    @property
    def run_id(self) -> str | None:
        """Run id, or None for whichever run is current."""
        raise NotImplementedError

    @overload
    async def signal(
        self, signal: MethodSyncOrAsyncNoParam[SelfType, None], *, event_groups: Sequence[EventGroup] | None = None
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        *,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    async def signal(
        self,
        signal: Any,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None:
        """Signal it, by signal name or handler method, and wait until the server has delivered it.

        Raises:
            ApplicationError: it was not found, or takes no more signals.
        """
        raise NotImplementedError

    async def cancel(self, *, reason: str = "", event_groups: Sequence[EventGroup] | None = None) -> None:
        """Ask it to cancel and wait until the server has told it.

        Raises:
            ApplicationError: it was not found.
        """
        raise NotImplementedError


class ChildWorkflowCancellationType(IntEnum):
    """What cancelling a child's handle means: ask nothing, ask and raise at once, or ask and wait."""

    ABANDON = 0
    TRY_CANCEL = 1
    WAIT_CANCELLATION_COMPLETED = 2
    WAIT_CANCELLATION_REQUESTED = 3


class ParentClosePolicy(IntEnum):
    """What becomes of the child when this workflow closes."""

    UNSPECIFIED = 0
    TERMINATE = 1
    ABANDON = 2
    REQUEST_CANCEL = 3


class ChildWorkflowConfig(TypedDict, total=False):
    """The keyword options of ``start_child_workflow`` and ``execute_child_workflow``."""

    id: str | None
    task_queue: str | None
    cancellation_type: ChildWorkflowCancellationType
    parent_close_policy: ParentClosePolicy
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: WorkflowIDReusePolicy
    retry_policy: RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: outlast.common.SearchAttributes | outlast.common.TypedSearchAttributes | None
    versioning_intent: VersioningIntent | None
    versioning_override: outlast.common.VersioningOverride | None
    static_summary: str | None
    static_details: str | None
    event_groups: Sequence[EventGroup] | None
    priority: Priority


@overload
async def start_child_workflow(
    workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = None,
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[Any, Any]: ...
async def start_child_workflow(
    workflow: Any,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    id: str | None = None,
    task_queue: str | None = None,
    result_type: type | None = None,
    cancellation_type: ChildWorkflowCancellationType = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.TERMINATE,
    execution_timeout: timedelta | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    retry_policy: RetryPolicy | None = None,
    cron_schedule: str = "",
    memo: Mapping[str, Any] | None = None,
    search_attributes: _SearchAttributes = None,
    versioning_intent: VersioningIntent | None = None,
    static_summary: str | None = None,
    static_details: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
    versioning_override: outlast.common.VersioningOverride | None = None,
) -> ChildWorkflowHandle[Any, Any]:
    """Start a child and wait until it has started.

    Args:
        workflow: its run method, or its type by name.
        arg: the only argument; ``args`` for several.
        id: workflow id; a new uuid by default.
        task_queue: this workflow's own by default.
        result_type: to decode the result with when ``workflow`` is a name.
        cancellation_type: what cancelling the handle means.
        parent_close_policy: what becomes of the child when this workflow closes.
        execution_timeout, run_timeout, task_timeout: of the chain of runs, of one run, of one workflow task.
        id_reuse_policy: what an earlier, closed workflow of this id means.
        retry_policy: of the child as a whole; none by default.
        cron_schedule: deprecated in favour of schedules.
        memo, search_attributes: of the child.
        versioning_intent, versioning_override: which worker version it runs on.
        static_summary, static_details: for UI and CLI.
        event_groups: groups to attach, besides those of the current scope.
        priority: of the child's tasks.

    Raises:
        WorkflowAlreadyStartedError: the id is in use.
        ReadOnlyContextError: inside a query or an update validator.
    """
    outlast.common._warn_on_deprecated_search_attributes(search_attributes)
    name, arg_types, ret_type = _type_and_hints(workflow, result_type)
    return await Runtime.current().start_child_workflow(
        StartChildWorkflowInput(
            workflow=name,
            args=_arg_or_args(arg, args),
            id=id or str(uuid4()),
            task_queue=task_queue,
            cancellation_type=cancellation_type,
            parent_close_policy=parent_close_policy,
            execution_timeout=execution_timeout,
            run_timeout=run_timeout,
            task_timeout=task_timeout,
            id_reuse_policy=id_reuse_policy,
            retry_policy=retry_policy,
            cron_schedule=cron_schedule,
            memo=memo,
            search_attributes=search_attributes,
            headers={},
            versioning_intent=versioning_intent,
            static_summary=static_summary,
            static_details=static_details,
            versioning_override=versioning_override,
            event_groups=event_groups,
            priority=priority,
            arg_types=arg_types,
            ret_type=ret_type,
        )
    )


@overload
async def execute_child_workflow(
    workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[ChildWorkflowConfig]
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ChildWorkflowConfig],
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ChildWorkflowConfig],
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = None,
    **options: Unpack[ChildWorkflowConfig],
) -> Any: ...
async def execute_child_workflow(
    workflow: Any,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    id: str | None = None,
    task_queue: str | None = None,
    result_type: type | None = None,
    cancellation_type: ChildWorkflowCancellationType = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.TERMINATE,
    execution_timeout: timedelta | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    retry_policy: RetryPolicy | None = None,
    cron_schedule: str = "",
    memo: Mapping[str, Any] | None = None,
    search_attributes: _SearchAttributes = None,
    versioning_intent: VersioningIntent | None = None,
    static_summary: str | None = None,
    static_details: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
    versioning_override: outlast.common.VersioningOverride | None = None,
) -> Any:
    """Start a child and wait for its result; parameters as for ``start_child_workflow``.

    Raises:
        ChildWorkflowError: the child failed, timed out, was cancelled or terminated; its cause says why.
    """
    handle = await start_child_workflow(
        workflow,
        arg,
        args=args,
        id=id,
        task_queue=task_queue,
        result_type=result_type,
        cancellation_type=cancellation_type,
        parent_close_policy=parent_close_policy,
        execution_timeout=execution_timeout,
        run_timeout=run_timeout,
        task_timeout=task_timeout,
        id_reuse_policy=id_reuse_policy,
        retry_policy=retry_policy,
        cron_schedule=cron_schedule,
        memo=memo,
        search_attributes=search_attributes,
        versioning_intent=versioning_intent,
        static_summary=static_summary,
        static_details=static_details,
        event_groups=event_groups,
        priority=priority,
        versioning_override=versioning_override,
    )
    return await handle


def _type_and_hints(workflow: Any, result_type: type | None) -> tuple[str, list[type] | None, type | None]:
    name, ret_type = Definition.name_and_result_type(workflow)
    if isinstance(workflow, str):
        return name, None, result_type
    return name, Definition.must_from_run_fn(workflow).arg_types, ret_type


def get_external_workflow_handle(workflow_id: str, *, run_id: str | None = None) -> ExternalWorkflowHandle[Any]:
    """A handle on a workflow of this namespace; whether it exists shows when it is used."""
    return Runtime.current().external_workflow(workflow_id, run_id)


def get_external_workflow_handle_for(
    workflow: MethodAsyncNoParam[SelfType, Any] | MethodAsyncSingleParam[SelfType, Any, Any],
    workflow_id: str,
    *,
    run_id: str | None = None,
) -> ExternalWorkflowHandle[SelfType]:
    """``get_external_workflow_handle``, typed by the run method of the workflow that it is expected to be."""
    Definition.must_from_run_fn(workflow)
    return get_external_workflow_handle(workflow_id, run_id=run_id)


def continue_as_new(
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    workflow: Callable[..., Any] | str | None = None,
    task_queue: str | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    backoff_start_interval: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    memo: Mapping[str, Any] | None = None,
    search_attributes: _SearchAttributes = None,
    versioning_intent: VersioningIntent | None = None,
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> NoReturn:
    """Close this run and start the next one of this workflow, with an empty history.

    Args:
        arg: the only argument of the next run; ``args`` for several. None are carried over.
        workflow: run method or type of the next run, if another one.
        task_queue, run_timeout, task_timeout, retry_policy, memo, search_attributes: as this run has them by default.
        backoff_start_interval: wait so long before the first workflow task.
        versioning_intent, initial_versioning_behavior: which worker version the next run goes to.
        event_groups: groups to attach, besides those of the current scope.

    Raises:
        ContinueAsNewError: always; let it leave the workflow.
        ReadOnlyContextError: inside a query or an update validator.
    """
    outlast.common._warn_on_deprecated_search_attributes(search_attributes)
    if workflow is None:
        name, arg_types = None, None
    else:
        name, arg_types, _ = _type_and_hints(workflow, None)
    Runtime.current().continue_as_new(
        ContinueAsNewInput(
            workflow=name,
            args=_arg_or_args(arg, args),
            task_queue=task_queue,
            run_timeout=run_timeout,
            task_timeout=task_timeout,
            backoff_start_interval=backoff_start_interval,
            retry_policy=retry_policy,
            memo=memo,
            search_attributes=search_attributes,
            headers={},
            versioning_intent=versioning_intent,
            initial_versioning_behavior=initial_versioning_behavior,
            event_groups=event_groups,
            arg_types=arg_types,
        )
    )
