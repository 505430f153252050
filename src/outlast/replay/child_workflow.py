"""Child workflows as their parent's code sees them.

    commanded --Initiated--> initiated --Started--> started --Completed|Failed|TimedOut|Terminated|Canceled--> closed
        |                        \\--StartFailed--> closed     |
      cancel                                                 cancel (RequestCancelExternalWorkflowExecution)
        v                                                      v
    withdrawn                         WAIT_*: started, and how the child ends decides
                                      TRY_CANCEL, ABANDON: cancelled; what comes later is ignored

Rule: a child started and cancelled in one workflow task sends nothing. A cancel between Initiated and Started is sent
without a run id. ABANDON resolves the child as cancelled at once and sends nothing.

Source: sdk-core ``child_workflow_state_machine.rs``; temporalio ``_ChildWorkflowHandle``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import Command, StartChildWorkflowExecutionCommandAttributes
from outlast.api.common.v1 import Header, Memo, Payloads, WorkflowExecution, WorkflowType
from outlast.api.failure.v1 import (
    CanceledFailureInfo,
    ChildWorkflowExecutionFailureInfo,
    Failure,
    TerminatedFailureInfo,
    TimeoutFailureInfo,
)
from outlast.api.sdk.v1 import UserMetadata
from outlast.api.taskqueue.v1 import TaskQueue
from outlast.common import Priority, _apply_headers, _arg_or_args, _arg_unset
from outlast.converter import arguments_to_payloads
from outlast.exceptions import InvalidVersioningOverrideError, WorkflowAlreadyStartedError
from outlast.workflow import ChildWorkflowCancellationType, ChildWorkflowHandle, EventGroup, VersioningIntent
from outlast.workflow._calls import SignalChildWorkflowInput, StartChildWorkflowInput
from outlast.workflow._event_groups import capture_markers
from outlast.workflow._handlers import signal_name

from .context import proto_duration
from .flags import CoreFlag
from .machine import CANCEL, COMMANDED, WITHDRAWN, Machine, Table
from .nondeterminism import Nondeterminism
from .operation import outcome
from .workflow_execution import encoded_search_attributes

if TYPE_CHECKING:
    from outlast.api.history.v1 import HistoryEvent

    from .context import RunContext

_ABANDON = ChildWorkflowCancellationType.ABANDON
_AT_ONCE = (ChildWorkflowCancellationType.ABANDON, ChildWorkflowCancellationType.TRY_CANCEL)


RequestCancel = Callable[[str, WorkflowExecution, str, bool, Sequence[Any]], object]
"""``external_workflow``'s request: namespace, execution, reason, whether only a child, event group markers."""


class ChildWorkflow(Machine):
    """One child."""

    __slots__ = (
        "call",
        "cancel_reason",
        "context",
        "handle",
        "initiated_event_id",
        "markers",
        "request_cancel",
        "run_id",
        "started_event_id",
    )

    def __init__(self, context: RunContext, request_cancel: RequestCancel, call: StartChildWorkflowInput) -> None:
        super().__init__()
        self.context, self.request_cancel, self.call = context, request_cancel, call
        self.markers = capture_markers(call.event_groups)
        self.initiated_event_id = self.started_event_id = 0
        self.run_id = self.cancel_reason = ""
        self.handle: Handle

    def described(self) -> str:
        return f"child workflow {self.call.id!r} of type {self.call.workflow!r}"

    # -- actions --------------------------------------------------------------------------------------------------

    def _initiated(self, event: HistoryEvent) -> None:
        recorded = event.start_child_workflow_execution_initiated_event_attributes
        self.initiated_event_id = event.event_id
        if not self.context.flags.core(CoreFlag.ID_AND_TYPE_CHECKS, self.context.mode.replaying):
            return
        if recorded.workflow_id != self.call.id or recorded.workflow_type.name != self.call.workflow:
            raise Nondeterminism("the code started another child workflow than the recorded one", event=event)

    def _withdraw(self, _: Any) -> None:
        failure = self._failure(
            f"Child Workflow Execution cancelled before scheduled: {self.cancel_reason}",
            e.RETRY_STATE_NON_RETRYABLE_FAILURE,
            Failure(canceled_failure_info=CanceledFailureInfo()),
        )
        self.context.call_later(partial(self.handle.fail, failure))

    def _start_failed(self, event: HistoryEvent) -> None:
        self.context.call_later(
            partial(self.handle.start_failed, event.start_child_workflow_execution_failed_event_attributes.cause)
        )

    def _started(self, event: HistoryEvent) -> None:
        self.started_event_id = event.event_id
        self.run_id = event.child_workflow_execution_started_event_attributes.workflow_execution.run_id
        self.context.call_later(partial(self.handle.started, self.run_id))

    def _send_cancel(self, _: Any) -> None:
        kind = self.call.cancellation_type
        if kind != _ABANDON:
            execution = WorkflowExecution(workflow_id=self.call.id, run_id=self.run_id)
            self.request_cancel(self.context.config.namespace, execution, self.cancel_reason, True, self.markers)
        if kind in _AT_ONCE:
            self.state = "cancelled"
            self._resolve(self._canceled_failure())

    def _completed(self, event: HistoryEvent) -> None:
        result = event.child_workflow_execution_completed_event_attributes.result
        self.context.call_later(partial(self.handle.complete, result))

    def _failed(self, event: HistoryEvent) -> None:
        attributes = event.child_workflow_execution_failed_event_attributes
        cause = attributes.failure if attributes.HasField("failure") else None
        self._resolve(self._failure("Child Workflow execution failed", attributes.retry_state, cause))

    def _timed_out(self, event: HistoryEvent) -> None:
        cause = Failure(
            message="Timed out",
            timeout_failure_info=TimeoutFailureInfo(timeout_type=e.TIMEOUT_TYPE_START_TO_CLOSE),
        )
        retry_state = event.child_workflow_execution_timed_out_event_attributes.retry_state
        self._resolve(self._failure("Child Workflow execution timed out", retry_state, cause))

    def _terminated(self, _: HistoryEvent) -> None:
        cause = Failure(message="Terminated", terminated_failure_info=TerminatedFailureInfo())
        self._resolve(self._failure("Child Workflow execution terminated", e.RETRY_STATE_NON_RETRYABLE_FAILURE, cause))

    def _canceled(self, _: HistoryEvent) -> None:
        self._resolve(self._canceled_failure())

    TABLE: ClassVar[Table] = {
        (COMMANDED, e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED): ("initiated", _initiated),
        (COMMANDED, CANCEL): (WITHDRAWN, _withdraw),
        ("initiated", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED): ("started", _started),
        ("initiated", e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED): ("closed", _start_failed),
        ("initiated", CANCEL): ("initiated", _send_cancel),
        ("started", CANCEL): ("started", _send_cancel),
        ("started", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED): ("closed", _completed),
        ("started", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED): ("closed", _failed),
        ("started", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT): ("closed", _timed_out),
        ("started", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED): ("closed", _terminated),
        ("started", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED): ("closed", _canceled),
        # The code has its answer; what the child does is no longer news.
        ("cancelled", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED): ("cancelled", None),
        ("cancelled", e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED): ("closed", None),
        ("cancelled", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED): ("closed", None),
        ("cancelled", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED): ("closed", None),
        ("cancelled", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT): ("closed", None),
        ("cancelled", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED): ("closed", None),
        ("cancelled", e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED): ("closed", None),
    }

    # -- failures -------------------------------------------------------------------------------------------------

    def _resolve(self, failure: Failure) -> None:
        self.context.call_later(partial(self.handle.fail, failure))

    def _canceled_failure(self) -> Failure:
        return self._failure(
            "Child Workflow execution cancelled",
            e.RETRY_STATE_NON_RETRYABLE_FAILURE,
            Failure(canceled_failure_info=CanceledFailureInfo()),
        )

    def _failure(self, message: str, retry_state: int, cause: Failure | None) -> Failure:
        return Failure(
            message=message,
            cause=cause,
            child_workflow_execution_failure_info=ChildWorkflowExecutionFailureInfo(
                namespace=self.context.config.namespace,
                workflow_execution=WorkflowExecution(workflow_id=self.call.id, run_id=self.run_id),
                workflow_type=WorkflowType(name=self.call.workflow),
                initiated_event_id=self.initiated_event_id,
                started_event_id=self.started_event_id,
                retry_state=retry_state,
            ),
        )


class Handle(ChildWorkflowHandle[Any, Any]):
    """The task that waits for a child."""

    def __init__(self, context: RunContext, machine: ChildWorkflow) -> None:
        self.machine = machine
        self._order = next(context.loop.order)
        self._run = context
        self._start: asyncio.Future[None] = context.loop.create_future()
        self._ended: asyncio.Future[Any] = context.loop.create_future()
        self._first_run_id = "<unknown>"
        super().__init__(self._wait(), loop=context.loop, name=f"child: {machine.call.workflow}")
        context.loop.keep(self)

    def __hash__(self) -> int:
        return self._order

    @property
    def id(self) -> str:
        return self.machine.call.id

    @property
    def first_execution_run_id(self) -> str | None:
        return self._first_run_id

    async def _wait(self) -> Any:
        return await outcome(self._run, self._ended, self._ask_to_cancel)

    async def wait_for_start(self) -> None:
        """Return when the child has started; a cancel of the whole workflow stops the wait.

        Raises:
            WorkflowAlreadyStartedError: its id is in use.
        """
        await outcome(self._run, self._start, self._ask_to_cancel, reraise_on_workflow_cancel=True)

    def _ask_to_cancel(self, error: asyncio.CancelledError) -> None:
        self._run.require_writable("cancel child workflow")
        self.machine.cancel_reason = error.args[0] if error.args and isinstance(error.args[0], str) else ""
        self.machine.on_cancel()

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None:
        self._run.require_writable("signal child handle")
        await self._run.interception.outbound.signal_child_workflow(
            SignalChildWorkflowInput(
                signal=signal_name(signal),
                args=_arg_or_args(arg, args),
                child_workflow_id=self.id,
                headers={},
                event_groups=event_groups,
            )
        )

    # -- jobs -----------------------------------------------------------------------------------------------------

    def started(self, run_id: str) -> None:
        """The child runs."""
        self._first_run_id = run_id
        self._start.set_result(None)

    def start_failed(self, cause: int) -> None:
        """The child will never run."""
        call = self.machine.call
        error: BaseException
        if cause == e.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS:
            error = WorkflowAlreadyStartedError(call.id, call.workflow)
        elif cause == e.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_INVALID_VERSIONING_OVERRIDE:
            error = InvalidVersioningOverrideError()
        else:
            error = RuntimeError(f"Unknown child start fail cause: {cause}")
        self._fail(error)

    def complete(self, result: Payloads) -> None:
        """The child returned."""
        machine, value = self.machine, None
        if result.payloads:
            converter, _ = self._run.converters.for_workflow(self.id)
            hint = machine.call.ret_type
            value = self._run.decode(result.payloads, None if hint is None else [hint], converter)[0]
        self._ended.set_result(value)

    def fail(self, failure: Failure) -> None:
        """The child ended in any other way."""
        converter, failures = self._run.converters.for_workflow(self.id)
        self._fail(failures.from_failure(failure, converter))

    def _fail(self, error: BaseException) -> None:
        if self._start.done():
            self._ended.set_exception(error)
            return
        self._start.set_exception(error)
        # The wait for the start may be over (the workflow is being cancelled), and nobody will ever have this handle;
        # asyncio complains of exceptions that nobody looks at.
        self._start.exception()
        self._ended.set_result(None)


class ChildWorkflows:
    """The children of one run."""

    __slots__ = ("_context", "_request_cancel")

    def __init__(self, context: RunContext, request_cancel: RequestCancel) -> None:
        self._context, self._request_cancel = context, request_cancel

    async def start(self, call: StartChildWorkflowInput) -> Handle:
        """Start a child and wait until it has started.

        Raises:
            WorkflowAlreadyStartedError: its id is in use.
        """
        context = self._context
        machine = ChildWorkflow(context, self._request_cancel, call)
        command = self._command(machine)
        handle = machine.handle = Handle(context, machine)
        context.ledger.issue(command, e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, machine)
        await handle.wait_for_start()
        return handle

    def _command(self, machine: ChildWorkflow) -> Command:
        call, context = machine.call, self._context
        converter, _ = context.converters.for_workflow(call.id)
        task_queue = call.task_queue or context.config.task_queue
        attributes = StartChildWorkflowExecutionCommandAttributes(
            namespace=context.config.namespace,
            workflow_id=call.id,
            workflow_type=WorkflowType(name=call.workflow),
            task_queue=TaskQueue(name=task_queue),
            input=Payloads(payloads=arguments_to_payloads(converter, call.args, f"child workflow {call.workflow!r}"))
            if call.args
            else None,
            parent_close_policy=call.parent_close_policy.value,
            workflow_id_reuse_policy=call.id_reuse_policy.value,
            cron_schedule=call.cron_schedule,
            header=Header(),
            memo=Memo(fields={key: converter.to_payload(value) for key, value in (call.memo or {}).items()}),
            inherit_build_id=task_queue == context.config.task_queue
            if call.versioning_intent is None
            else call.versioning_intent is VersioningIntent.COMPATIBLE,
        )
        if call.execution_timeout:
            attributes.workflow_execution_timeout.CopyFrom(proto_duration(call.execution_timeout))
        if call.run_timeout:
            attributes.workflow_run_timeout.CopyFrom(proto_duration(call.run_timeout))
        if call.task_timeout:
            attributes.workflow_task_timeout.CopyFrom(proto_duration(call.task_timeout))
        if call.retry_policy:
            call.retry_policy.apply_to_proto(attributes.retry_policy)
        if call.headers:
            _apply_headers(call.headers, attributes.header.fields)
        if call.search_attributes:
            for key, payload in encoded_search_attributes(call.search_attributes).items():
                attributes.search_attributes.indexed_fields[key].CopyFrom(payload)
        if call.versioning_override:
            attributes.versioning_override.CopyFrom(call.versioning_override._to_proto())
        if call.priority is not Priority.default:
            attributes.priority.CopyFrom(call.priority._to_proto())
        metadata = None
        if call.static_summary or call.static_details:
            metadata = UserMetadata(
                summary=converter.to_payload(call.static_summary) if call.static_summary else None,
                details=converter.to_payload(call.static_details) if call.static_details else None,
            )
        return Command(
            command_type=e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
            user_metadata=metadata,
            event_group_markers=machine.markers,
            start_child_workflow_execution_command_attributes=attributes,
        )
