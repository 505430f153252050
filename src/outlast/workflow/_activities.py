"""Activities from workflow code: start them, wait for them, and what can be set on each.

Rule: a call resolves the activity's name and type hints and becomes a ``StartActivityInput``; the handle is a task
whose result is the activity's. ``_class`` and ``_method`` variants differ in typing only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Concatenate, Generic, TypedDict, overload

from typing_extensions import Unpack

from outlast.common import Priority, RetryPolicy, _arg_or_args, _arg_unset
from outlast.types import (
    AnyType,
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    CallableSyncNoParam,
    CallableSyncSingleParam,
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MethodSyncNoParam,
    MethodSyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)

from ._calls import StartActivityInput
from ._event_groups import EventGroup
from ._exceptions import VersioningIntent
from ._runtime import Runtime

if TYPE_CHECKING:

    class _AsyncioTask(asyncio.Task[AnyType]): ...

else:
    # asyncio.Task is generic in the stubs only.
    class _AsyncioTask(Generic[AnyType], asyncio.Task):
        pass


class ActivityHandle(_AsyncioTask[ReturnType]):  # type: ignore[type-var]
    """A started activity: a task, so that everything that asyncio does with tasks works on it."""


class ActivityCancellationType(IntEnum):
    """What cancelling the handle means.

    TRY_CANCEL asks the activity to stop and raises at once; WAIT_CANCELLATION_COMPLETED asks and waits for how it
    ends; ABANDON raises at once and asks nothing.
    """

    TRY_CANCEL = 0
    WAIT_CANCELLATION_COMPLETED = 1
    ABANDON = 2


class ActivityConfig(TypedDict, total=False):
    """The keyword options of ``start_activity`` and ``execute_activity``."""

    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    cancellation_type: ActivityCancellationType
    activity_id: str | None
    versioning_intent: VersioningIntent | None
    summary: str | None
    event_groups: Sequence[EventGroup] | None
    priority: Priority


def activity_name_and_hints(activity: Any, result_type: type | None) -> tuple[str, list[type] | None, type | None]:
    """Name, argument hints and result hint of an activity given by name, function, callable class or method.

    Raises:
        TypeError: neither a string nor an activity.
        ValueError: the dynamic activity, which has no name.
    """
    if isinstance(activity, str):
        return activity, None, result_type
    if not callable(activity):
        raise TypeError("Activity must be a string or callable")
    defn = getattr(activity, "__temporal_activity_definition", None)
    if defn is None:
        name = getattr(activity, "__name__", "<unknown>")
        raise TypeError(f"Activity {name} missing attributes, was it decorated with @activity.defn?")
    if not defn.name:
        raise ValueError("Cannot invoke dynamic activity explicitly")
    return defn.name, defn.arg_types, defn.ret_type


@overload
def start_activity(
    activity: CallableAsyncNoParam[ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: CallableSyncNoParam[ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: CallableSyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = None,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[Any]: ...
def start_activity(
    activity: Any,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
) -> ActivityHandle[Any]:
    """Schedule an activity; the handle gives its result.

    Args:
        activity: its function, or its name.
        arg: the only argument; ``args`` for several.
        task_queue: the workflow's own by default.
        result_type: to decode the result with when ``activity`` is a name.
        schedule_to_close_timeout: from now to the end of the last attempt.
        schedule_to_start_timeout: from now to the start of an attempt.
        start_to_close_timeout: of one attempt. This or ``schedule_to_close_timeout`` must be given.
        heartbeat_timeout: longest silence of a running attempt.
        retry_policy: the server's default when unset; ``maximum_attempts=1`` for no retry.
        cancellation_type: what cancelling the handle means.
        activity_id: unique among the running activities of this run; a sequence number by default.
        versioning_intent: old worker versioning.
        summary: one line for UI and CLI.
        event_groups: groups to attach, besides those of the current scope.
        priority: of the activity's task.

    Raises:
        ValueError: ``arg`` and ``args``, no timeout, or a dynamic activity.
        TypeError: not an activity.
        ReadOnlyContextError: inside a query or an update validator.
    """
    name, arg_types, ret_type = activity_name_and_hints(activity, result_type)
    return Runtime.current().start_activity(
        StartActivityInput(
            activity=name,
            args=_arg_or_args(arg, args),
            activity_id=activity_id,
            task_queue=task_queue,
            schedule_to_close_timeout=schedule_to_close_timeout,
            schedule_to_start_timeout=schedule_to_start_timeout,
            start_to_close_timeout=start_to_close_timeout,
            heartbeat_timeout=heartbeat_timeout,
            retry_policy=retry_policy,
            cancellation_type=cancellation_type,
            headers={},
            disable_eager_execution=False,
            versioning_intent=versioning_intent,
            summary=summary,
            event_groups=event_groups,
            priority=priority,
            arg_types=arg_types,
            ret_type=ret_type,
        )
    )


_start_any: Callable[..., Any] = start_activity
"""The same without overloads, for callers that hand on what they were given."""


@overload
async def execute_activity(
    activity: CallableAsyncNoParam[ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: CallableSyncNoParam[ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: CallableSyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: Callable[..., ReturnType], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = None,
    **options: Unpack[ActivityConfig],
) -> Any: ...
async def execute_activity(
    activity: Any,
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
) -> Any:
    """Schedule an activity and wait for its result; parameters as for ``start_activity``.

    Raises:
        ActivityError: the activity failed, timed out or was cancelled; its cause says why.
    """
    return await _start_any(
        activity,
        arg,
        args=args,
        task_queue=task_queue,
        result_type=result_type,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        heartbeat_timeout=heartbeat_timeout,
        retry_policy=retry_policy,
        cancellation_type=cancellation_type,
        activity_id=activity_id,
        versioning_intent=versioning_intent,
        summary=summary,
        event_groups=event_groups,
        priority=priority,
    )


@overload
def start_activity_class(
    activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_class(
    activity: type[CallableSyncNoParam[ReturnType]], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_class(
    activity: type[CallableAsyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_class(
    activity: type[CallableSyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_class(
    activity: type[Callable[..., Awaitable[ReturnType]]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_class(
    activity: type[Callable[..., ReturnType]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
def start_activity_class(
    activity: type[Callable[..., Any]],
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
) -> ActivityHandle[Any]:
    """``start_activity`` for an activity that is a class with ``__call__``."""
    handle: ActivityHandle[Any] = _start_any(
        activity,
        arg,
        args=args,
        task_queue=task_queue,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        heartbeat_timeout=heartbeat_timeout,
        retry_policy=retry_policy,
        cancellation_type=cancellation_type,
        activity_id=activity_id,
        versioning_intent=versioning_intent,
        summary=summary,
        event_groups=event_groups,
        priority=priority,
    )
    return handle


@overload
async def execute_activity_class(
    activity: type[CallableAsyncNoParam[ReturnType]], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_class(
    activity: type[CallableSyncNoParam[ReturnType]], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_class(
    activity: type[CallableAsyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_class(
    activity: type[CallableSyncSingleParam[ParamType, ReturnType]], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_class(
    activity: type[Callable[..., Awaitable[ReturnType]]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_class(
    activity: type[Callable[..., ReturnType]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
async def execute_activity_class(
    activity: type[Callable[..., Any]],
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
) -> Any:
    """``execute_activity`` for an activity that is a class with ``__call__``."""
    return await _start_any(
        activity,
        arg,
        args=args,
        task_queue=task_queue,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        heartbeat_timeout=heartbeat_timeout,
        retry_policy=retry_policy,
        cancellation_type=cancellation_type,
        activity_id=activity_id,
        versioning_intent=versioning_intent,
        summary=summary,
        event_groups=event_groups,
        priority=priority,
    )


@overload
def start_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...
@overload
def start_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[ReturnType]: ...
def start_activity_method(
    activity: Callable[..., Any],
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
) -> ActivityHandle[Any]:
    """``start_activity`` for an activity that is a method, given unbound."""
    handle: ActivityHandle[Any] = _start_any(
        activity,
        arg,
        args=args,
        task_queue=task_queue,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        heartbeat_timeout=heartbeat_timeout,
        retry_policy=retry_policy,
        cancellation_type=cancellation_type,
        activity_id=activity_id,
        versioning_intent=versioning_intent,
        summary=summary,
        event_groups=event_groups,
        priority=priority,
    )
    return handle


@overload
async def execute_activity_method(
    activity: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: MethodSyncNoParam[SelfType, ReturnType], **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: MethodAsyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: MethodSyncSingleParam[SelfType, ParamType, ReturnType], arg: ParamType, **options: Unpack[ActivityConfig]
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...
@overload
async def execute_activity_method(
    activity: Callable[Concatenate[SelfType, MultiParamSpec], ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ReturnType: ...
async def execute_activity_method(
    activity: Callable[..., Any],
    arg: Any = _arg_unset,
    *,
    args: Sequence[Any] = [],
    task_queue: str | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
    priority: Priority = Priority.default,
) -> Any:
    """``execute_activity`` for an activity that is a method, given unbound."""
    return await _start_any(
        activity,
        arg,
        args=args,
        task_queue=task_queue,
        schedule_to_close_timeout=schedule_to_close_timeout,
        schedule_to_start_timeout=schedule_to_start_timeout,
        start_to_close_timeout=start_to_close_timeout,
        heartbeat_timeout=heartbeat_timeout,
        retry_policy=retry_policy,
        cancellation_type=cancellation_type,
        activity_id=activity_id,
        versioning_intent=versioning_intent,
        summary=summary,
        event_groups=event_groups,
        priority=priority,
    )
