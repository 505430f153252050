"""The handle of a workflow: wait for it, ask it, tell it, end it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Unpack, cast, overload

from outlast.common import QueryRejectCondition, _arg_or_args, _arg_unset
from outlast.converter import DataConverter, WorkflowSerializationContext
from outlast.types import (
    LocalReturnType,
    MethodSyncOrAsyncNoParam,
    MethodSyncOrAsyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)
from outlast.workflow._handlers import definition_of, signal_name

from ._history import WorkflowHistory, WorkflowHistoryEventAsyncIterator, WorkflowHistoryEventFilterType
from ._inputs import (
    CancelWorkflowInput,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    QueryWorkflowInput,
    SignalWorkflowInput,
    TerminateWorkflowInput,
)
from ._options import CallOptions
from ._outcome import OUTCOMES, ContinuedBy
from ._update_calls import UpdateCalls

if TYPE_CHECKING:
    from outlast.api.workflowservice.v1 import SignalWithStartWorkflowExecutionResponse, StartWorkflowExecutionResponse

    from ._client import Client
    from ._workflow_execution import WorkflowExecutionDescription


class WorkflowHandle(UpdateCalls[SelfType], Generic[SelfType, ReturnType]):
    """A workflow to talk to. Made by ``Client.start_workflow`` and ``Client.get_workflow_handle``."""

    def __init__(
        self,
        client: Client,
        id: str,
        *,
        run_id: str | None = None,
        result_run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
        start_workflow_response: StartWorkflowExecutionResponse
        | SignalWithStartWorkflowExecutionResponse
        | None = None,
    ) -> None:
        """See the properties; the response is what the server answered to the start, if there was one."""
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_run_id = result_run_id
        self._first_execution_run_id = first_execution_run_id
        self._result_type = result_type
        self._start_workflow_response = start_workflow_response

    @cached_property
    def _data_converter(self) -> DataConverter:
        return self._client.data_converter.with_context(
            WorkflowSerializationContext(namespace=self._client.namespace, workflow_id=self._id)
        )

    @property
    def id(self) -> str:
        """Id of the workflow."""
        return self._id

    @property
    def run_id(self) -> str | None:
        """The run that every call but ``result`` is about; None, as after a start, for the current one."""
        return self._run_id

    @property
    def result_run_id(self) -> str | None:
        """The run with which ``result`` begins; after a start, the one that was started."""
        return self._result_run_id

    @property
    def first_execution_run_id(self) -> str | None:
        """The first run of the chain to which cancel, terminate and update are confined; None for any."""
        return self._first_execution_run_id

    async def result(
        self,
        *,
        follow_runs: bool = True,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ReturnType:
        """Wait for the workflow to end.

        Args:
            follow_runs: go on with the next run where one continues as new, is retried, or runs by cron.
            rpc_metadata: headers of the calls.
            rpc_timeout: deadline of each call, not of the waiting.

        Raises:
            WorkflowFailureError: it failed, timed out, or was cancelled or terminated.
            WorkflowContinuedAsNewError: it continued as new, and runs are not to be followed.
            RPCError: the history could not be read; NOT_FOUND when there is no such workflow.
        """
        run_id = self._result_run_id
        while True:
            async for event in self._fetch_history_events_for_run(
                run_id,
                wait_new_event=True,
                event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT,
                skip_archival=True,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            ):
                kind = event.WhichOneof("attributes") or ""
                read = OUTCOMES.get(kind)
                if read is None:
                    continue
                outcome = await read(getattr(event, kind), self._data_converter, self._result_type, follow_runs)
                if not isinstance(outcome, ContinuedBy):
                    return cast("ReturnType", outcome)
                run_id = outcome.run_id
                break
            else:
                raise RuntimeError(f"workflow {self._id!r}: the server ended the history without a closing event")

    async def cancel(
        self,
        *,
        reason: str = "",
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ask the workflow to stop. It may clean up, or go on.

        Args:
            reason: what ``workflow.cancellation_reason`` returns there.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            RPCError: NOT_FOUND when there is no such workflow; one that has ended is no error.
        """
        await self._client._impl.cancel_workflow(
            CancelWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> WorkflowExecutionDescription:
        """What the server knows about the run.

        Raises:
            RPCError: NOT_FOUND when there is no such workflow.
        """
        return await self._client._impl.describe_workflow(
            DescribeWorkflowInput(id=self._id, run_id=self._run_id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def fetch_history(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistory:
        """All events so far; parameters as in ``fetch_history_events``."""
        events = self.fetch_history_events(
            event_filter_type=event_filter_type,
            skip_archival=skip_archival,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        return WorkflowHistory(workflow_id=self._id, events=[event async for event in events])

    def fetch_history_events(
        self,
        *,
        page_size: int | None = None,
        next_page_token: bytes | None = None,
        wait_new_event: bool = False,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistoryEventAsyncIterator:
        """The events of the run, fetched as they are asked for.

        Args:
            page_size: events per call; None for the server's choice.
            next_page_token: where to begin.
            wait_new_event: wait for more until the run has ended.
            event_filter_type: all events, or the last one.
            skip_archival: do not look into archives.
            rpc_metadata: headers of the calls.
            rpc_timeout: deadline of each call.

        Returns:
            For ``async for``; calls, and so errors, come with the first event.
        """
        return self._fetch_history_events_for_run(
            self._run_id,
            page_size=page_size,
            next_page_token=next_page_token,
            wait_new_event=wait_new_event,
            event_filter_type=event_filter_type,
            skip_archival=skip_archival,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )

    def _fetch_history_events_for_run(
        self,
        run_id: str | None,
        *,
        page_size: int | None = None,
        next_page_token: bytes | None = None,
        wait_new_event: bool = False,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistoryEventAsyncIterator:
        return self._client._impl.fetch_workflow_history_events(
            FetchWorkflowHistoryEventsInput(
                id=self._id,
                run_id=run_id,
                page_size=page_size,
                next_page_token=next_page_token,
                wait_new_event=wait_new_event,
                event_filter_type=event_filter_type,
                skip_archival=skip_archival,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    @overload
    async def query(
        self,
        query: MethodSyncOrAsyncNoParam[SelfType, LocalReturnType],
        *,
        reject_condition: QueryRejectCondition | None = None,
        **options: Unpack[CallOptions],
    ) -> LocalReturnType: ...

    @overload
    async def query(
        self,
        query: MethodSyncOrAsyncSingleParam[SelfType, ParamType, LocalReturnType],
        arg: ParamType,
        *,
        reject_condition: QueryRejectCondition | None = None,
        **options: Unpack[CallOptions],
    ) -> LocalReturnType: ...

    @overload
    async def query(
        self,
        query: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[LocalReturnType] | LocalReturnType],
        *,
        args: Sequence[Any],
        reject_condition: QueryRejectCondition | None = None,
        **options: Unpack[CallOptions],
    ) -> LocalReturnType: ...

    @overload
    async def query(
        self,
        query: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        result_type: type | None = None,
        reject_condition: QueryRejectCondition | None = None,
        **options: Unpack[CallOptions],
    ) -> Any: ...

    async def query(
        self,
        query: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        result_type: type | None = None,
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Ask the workflow something; changes nothing, works on ended workflows too.

        Args:
            query: handler method or name.
            arg: the argument.
            args: the arguments, when there are several.
            result_type: what to convert the answer to, when only a name is given.
            reject_condition: states in which no answer is wanted; the client's default when None.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            WorkflowQueryRejectedError: the workflow is in one of these states.
            WorkflowQueryFailedError: the handler raised, or there is none.
            RPCError: no worker answered, or there is no such workflow.
        """
        name, hinted = _query_target(query)
        input = QueryWorkflowInput(
            id=self._id,
            run_id=self._run_id,
            query=name,
            args=_arg_or_args(arg, args),
            reject_condition=reject_condition or self._client._config["default_workflow_query_reject_condition"],
            headers={},
            ret_type=hinted if callable(query) else result_type,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        if callable(query):
            input._function = query
        return await self._client._impl.query_workflow(input)

    @overload
    async def signal(
        self, signal: MethodSyncOrAsyncNoParam[SelfType, None], **options: Unpack[CallOptions]
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        **options: Unpack[CallOptions],
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[None] | None],
        *,
        args: Sequence[Any],
        **options: Unpack[CallOptions],
    ) -> None: ...

    @overload
    async def signal(
        self, signal: str, arg: Any = _arg_unset, *, args: Sequence[Any] = [], **options: Unpack[CallOptions]
    ) -> None: ...

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Tell the workflow something; returns when the server has it.

        Args:
            signal: handler method or name.
            arg: the argument.
            args: the arguments, when there are several.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            RPCError: NOT_FOUND when there is no such workflow, or it has ended.
        """
        input = SignalWorkflowInput(
            id=self._id,
            run_id=self._run_id,
            signal=signal_name(signal),
            args=_arg_or_args(arg, args),
            headers={},
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        if callable(signal):
            input._function = signal
        await self._client._impl.signal_workflow(input)

    async def terminate(
        self,
        *args: Any,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """End the workflow at once; its code does not run again.

        Args:
            args: details to keep with the termination.
            reason: why.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            RPCError: NOT_FOUND when there is no such workflow, or it has ended.
        """
        await self._client._impl.terminate_workflow(
            TerminateWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                args=args,
                reason=reason,
                first_execution_run_id=self._first_execution_run_id,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )


def _query_target(query: str | Callable[..., Any]) -> tuple[str, type | None]:
    """Name and result type of a query given by name or by handler method.

    Raises:
        RuntimeError: not a query handler, or the dynamic one.
    """
    if not callable(query):
        return str(query), None
    found = definition_of(query, "query")
    if found is None:
        qualname = getattr(query, "__qualname__", repr(query))
        raise RuntimeError(f"Query definition not found on {qualname}, is it decorated with @workflow.query?")
    if not found.name:
        raise RuntimeError("Cannot invoke dynamic query definition")
    return found.name, found.ret_type
