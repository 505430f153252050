"""The calls of a client that start, find and count standalone activities."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Unpack, cast, overload

from outlast.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    Priority,
    RetryPolicy,
    TypedSearchAttributes,
    _arg_or_args,
    _arg_unset,
)
from outlast.types import (
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    CallableSyncNoParam,
    CallableSyncSingleParam,
    ParamType,
    ReturnType,
)
from outlast.workflow._activities import activity_name_and_hints

from ._activity_handle import ActivityHandle
from ._activity_inputs import CountActivitiesInput, ListActivitiesInput, StartActivityInput
from ._options import ActivityOptions

if TYPE_CHECKING:
    from ._activity_list import ActivityExecutionAsyncIterator, ActivityExecutionCount
    from ._client import Client
    from ._interceptor import OutboundInterceptor


class ActivityCalls:
    """Mixed into ``Client``."""

    _impl: OutboundInterceptor

    @overload
    async def start_activity(
        self,
        activity: CallableAsyncNoParam[ReturnType],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: CallableSyncNoParam[ReturnType],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: CallableAsyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: CallableSyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: Callable[..., Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: Callable[..., ReturnType],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ActivityHandle[ReturnType]: ...

    @overload
    async def start_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str,
        task_queue: str,
        result_type: type | None = None,
        **options: Unpack[ActivityOptions],
    ) -> ActivityHandle[Any]: ...

    async def start_activity(
        self,
        activity: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        heartbeat_timeout: timedelta | None = None,
        id_reuse_policy: ActivityIDReusePolicy = ActivityIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: ActivityIDConflictPolicy = ActivityIDConflictPolicy.FAIL,
        retry_policy: RetryPolicy | None = None,
        search_attributes: TypedSearchAttributes | None = None,
        summary: str | None = None,
        priority: Priority = Priority.default,
        start_delay: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityHandle[Any]:
        """Start an activity that no workflow is behind; returns as soon as the server has it.

        Args:
            activity: its function, or its name.
            arg: the argument.
            args: the arguments, when there are several.
            id: names the activity; one of a name can run at a time. Workflows have ids of their own.
            task_queue: queue of the workers that run it.
            result_type: what to convert the result to, when only a name is given.
            schedule_to_close_timeout: from the start to the end of the last attempt. This or
                ``start_to_close_timeout`` must be given.
            schedule_to_start_timeout: how long an attempt may wait for a worker; None for no limit.
            start_to_close_timeout: of one attempt.
            heartbeat_timeout: longest silence of a running attempt; None for no limit.
            id_reuse_policy: whether the id of an ended activity may be taken.
            id_conflict_policy: what happens when it is still running; refused by default.
            retry_policy: the server's default when None; ``maximum_attempts=1`` for no retry.
            search_attributes: values to find it by.
            summary: one line for the UI.
            priority: order among waiting tasks.
            start_delay: hold the first attempt back.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            ActivityAlreadyStartedError: the id is taken.
            ValueError: neither of the two timeouts, a negative delay, or a dynamic activity, which has no name.
            TypeError: not an activity, or an argument cannot be converted; names it.
            PayloadSizeError: an argument is too large; names it.
            RPCError: the server refused for another reason, or cannot be reached.
        """
        name, _, hinted = activity_name_and_hints(activity, None)
        input = StartActivityInput(
            activity_type=name,
            args=_arg_or_args(arg, args),
            id=id,
            task_queue=task_queue,
            result_type=result_type or hinted,
            schedule_to_close_timeout=schedule_to_close_timeout,
            start_to_close_timeout=start_to_close_timeout,
            schedule_to_start_timeout=schedule_to_start_timeout,
            heartbeat_timeout=heartbeat_timeout,
            id_reuse_policy=id_reuse_policy,
            id_conflict_policy=id_conflict_policy,
            retry_policy=retry_policy,
            priority=priority,
            search_attributes=search_attributes,
            summary=summary,
            start_delay=start_delay,
            headers={},
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        if not isinstance(activity, str):
            input._function = activity.__call__ if isinstance(activity, type) else activity
        return await self._impl.start_activity(input)

    @overload
    async def execute_activity(
        self,
        activity: CallableAsyncNoParam[ReturnType],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: CallableSyncNoParam[ReturnType],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: CallableAsyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: CallableSyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: Callable[..., Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: Callable[..., ReturnType],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[ActivityOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str,
        task_queue: str,
        result_type: type | None = None,
        **options: Unpack[ActivityOptions],
    ) -> Any: ...

    async def execute_activity(
        self,
        activity: Any,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        heartbeat_timeout: timedelta | None = None,
        id_reuse_policy: ActivityIDReusePolicy = ActivityIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: ActivityIDConflictPolicy = ActivityIDConflictPolicy.FAIL,
        retry_policy: RetryPolicy | None = None,
        search_attributes: TypedSearchAttributes | None = None,
        summary: str | None = None,
        priority: Priority = Priority.default,
        start_delay: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Start an activity and wait for its result; ``start_activity``, then ``ActivityHandle.result``.

        Raises:
            ActivityFailureError: it failed, timed out, or was cancelled or terminated.
            ActivityAlreadyStartedError: the id is taken.
            RPCError: the server refused for another reason, or cannot be reached.
        """
        handle = await self.start_activity(
            activity,
            arg,
            args=args,
            id=id,
            task_queue=task_queue,
            result_type=result_type,
            schedule_to_close_timeout=schedule_to_close_timeout,
            schedule_to_start_timeout=schedule_to_start_timeout,
            start_to_close_timeout=start_to_close_timeout,
            heartbeat_timeout=heartbeat_timeout,
            id_reuse_policy=id_reuse_policy,
            id_conflict_policy=id_conflict_policy,
            retry_policy=retry_policy,
            search_attributes=search_attributes,
            summary=summary,
            priority=priority,
            start_delay=start_delay,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        return await handle.result()

    @overload
    def get_activity_handle(self, activity_id: str, *, run_id: str | None = None) -> ActivityHandle[Any]: ...

    @overload
    def get_activity_handle(
        self, activity_id: str, *, run_id: str | None = None, result_type: type[ReturnType]
    ) -> ActivityHandle[ReturnType]: ...

    def get_activity_handle(
        self, activity_id: str, *, run_id: str | None = None, result_type: type | None = None
    ) -> ActivityHandle[Any]:
        """The handle of a standalone activity that exists; nothing is asked of the server.

        ``get_async_activity_handle`` is for those who complete an activity from outside.

        Args:
            activity_id: id of the activity.
            run_id: confine all calls to this run; None for the latest.
            result_type: what to convert the result to.
        """
        return ActivityHandle(cast("Client", self), activity_id, run_id=run_id, result_type=result_type)

    def list_activities(
        self,
        query: str | None,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionAsyncIterator:
        """The standalone activities that a list filter matches, fetched as they are asked for.

        Args:
            query: list filter, such as ``ActivityType = "charge" AND ExecutionStatus = "Running"``; all when None.
            limit: executions at most.
            page_size: executions per call.
            next_page_token: where to begin.
            rpc_metadata: headers of the calls.
            rpc_timeout: deadline of each call.

        Returns:
            For ``async for``; calls, and so errors, come with the first execution.
        """
        return self._impl.list_activities(
            ListActivitiesInput(
                query=query,
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                limit=limit,
            )
        )

    async def count_activities(
        self,
        query: str | None = None,
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionCount:
        """How many standalone activities a list filter matches; with ``GROUP BY ExecutionStatus``, per status.

        Raises:
            RPCError: INVALID_ARGUMENT for a filter that is wrong.
        """
        return await self._impl.count_activities(
            CountActivitiesInput(query=query, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )
