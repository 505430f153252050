"""Signals and cancel requests to other workflows, children included.

    commanded --Initiated--> sent --Signaled | CancelRequested--> closed
        |                      \\----Failed---------------------> closed
      cancel (signals only)
        v
    withdrawn

Rule: the code waits until the server has delivered or given up. A signal can be withdrawn only in the workflow task
that sends it; later cancels of the wait mean nothing. A cancel request cannot be withdrawn.

Source: sdk-core ``signal_external_state_machine.rs``, ``cancel_external_state_machine.rs``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import (
    Command,
    RequestCancelExternalWorkflowExecutionCommandAttributes,
    SignalExternalWorkflowExecutionCommandAttributes,
)
from outlast.api.common.v1 import Payloads, WorkflowExecution
from outlast.api.failure.v1 import ApplicationFailureInfo, CanceledFailureInfo, Failure
from outlast.common import _apply_headers, _arg_or_args, _arg_unset
from outlast.converter import arguments_to_payloads
from outlast.workflow import EventGroup, ExternalWorkflowHandle
from outlast.workflow._calls import SignalChildWorkflowInput, SignalExternalWorkflowInput
from outlast.workflow._event_groups import capture_markers
from outlast.workflow._handlers import signal_name

from .machine import CANCEL, COMMANDED, WITHDRAWN, Machine, Table
from .nondeterminism import Nondeterminism
from .operation import outcome

if TYPE_CHECKING:
    from outlast.api.history.v1 import HistoryEvent

    from .context import RunContext

_SIGNAL_REASONS = {
    e.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED: "unknown",
    e.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED: (
        "The per-workflow signal limit was exceeded"
    ),
}
_CANCEL_REASONS = {e.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED: "unknown"}


def _cause(name: str) -> str:
    """The type that the code's error gets: the cause's own words, as in ExternalWorkflowExecutionNotFound."""
    return name.partition("_FAILED_CAUSE_")[2].title().replace("_", "")


class _External(Machine):
    """A request to another workflow; ``ended`` resolves with None or an exception."""

    __slots__ = ("context", "ended", "target")

    def __init__(self, context: RunContext, target: str) -> None:
        super().__init__()
        self.context, self.target = context, target
        self.ended: asyncio.Future[None] = context.loop.create_future()

    def _initiated(self, event: HistoryEvent) -> None:
        """Compare what was recorded with what the code asked for."""

    def _delivered(self, _: HistoryEvent) -> None:
        self.context.call_later(partial(self._resolve, None))

    def _refuse(self, verb: str, reason: str, cause_name: str) -> None:
        failure = Failure(
            message=f"Unable to {verb} external workflow because {reason}",
            application_failure_info=ApplicationFailureInfo(type=cause_name),
        )
        self.context.call_later(partial(self._resolve, failure))

    def _resolve(self, failure: Failure | None) -> None:
        if self.ended.done():
            return
        if failure is None:
            self.ended.set_result(None)
            return
        converter, failures = self.context.converters.for_workflow(self.target)
        self.ended.set_exception(failures.from_failure(failure, converter))


class SignalRequest(_External):
    """One signal to another workflow."""

    __slots__ = ("name",)

    def __init__(self, context: RunContext, target: str, name: str) -> None:
        super().__init__(context, target)
        self.name = name

    def described(self) -> str:
        return f"signal {self.name!r} to workflow {self.target!r}"

    def _compare(self, event: HistoryEvent) -> None:
        recorded = event.signal_external_workflow_execution_initiated_event_attributes
        if recorded.signal_name != self.name or recorded.workflow_execution.workflow_id != self.target:
            raise Nondeterminism("the code sent another signal than the recorded one", event=event)

    def _failed(self, event: HistoryEvent) -> None:
        cause = event.signal_external_workflow_execution_failed_event_attributes.cause
        name = e.SignalExternalWorkflowExecutionFailedCause.Name(cause)
        self._refuse("signal", _SIGNAL_REASONS.get(cause, "it was not found"), _cause(name))

    def _withdraw(self, _: Any) -> None:
        failure = Failure(message="Signal was cancelled before being sent", canceled_failure_info=CanceledFailureInfo())
        self.context.call_later(partial(self._resolve, failure))

    TABLE: ClassVar[Table] = {
        (COMMANDED, e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED): ("sent", _compare),
        (COMMANDED, CANCEL): (WITHDRAWN, _withdraw),
        ("sent", e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED): ("closed", _External._delivered),
        ("sent", e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED): ("closed", _failed),
    }


class CancelRequest(_External):
    """One cancel request to another workflow."""

    __slots__ = ()

    def described(self) -> str:
        return f"cancel request to workflow {self.target!r}"

    def _compare(self, event: HistoryEvent) -> None:
        recorded = event.request_cancel_external_workflow_execution_initiated_event_attributes
        if recorded.workflow_execution.workflow_id != self.target:
            raise Nondeterminism("the code cancelled another workflow than the recorded one", event=event)

    def _failed(self, event: HistoryEvent) -> None:
        cause = event.request_cancel_external_workflow_execution_failed_event_attributes.cause
        name = e.CancelExternalWorkflowExecutionFailedCause.Name(cause)
        self._refuse("cancel", _CANCEL_REASONS.get(cause, "not found"), _cause(name))

    TABLE: ClassVar[Table] = {
        (COMMANDED, e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED): ("sent", _compare),
        ("sent", e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED): ("closed", _External._delivered),
        ("sent", e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED): ("closed", _failed),
    }


class ExternalWorkflows:
    """Requests of one run to other workflows."""

    __slots__ = ("_context",)

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def handle(self, workflow_id: str, run_id: str | None) -> Handle:
        """A handle on a workflow of this namespace."""
        return Handle(self, self._context, workflow_id, run_id)

    async def signal(self, call: SignalExternalWorkflowInput) -> None:
        """Signal any workflow and wait until it is delivered.

        Raises:
            ApplicationError: it could not be.
        """
        execution = WorkflowExecution(workflow_id=call.workflow_id, run_id=call.workflow_run_id or "")
        await self._signal(call, call.namespace, execution, child_only=False)

    async def signal_child(self, call: SignalChildWorkflowInput) -> None:
        """Signal a child of this run and wait until it is delivered.

        Raises:
            ApplicationError: it could not be.
        """
        execution = WorkflowExecution(workflow_id=call.child_workflow_id)
        await self._signal(call, self._context.config.namespace, execution, child_only=True)

    async def _signal(
        self,
        call: SignalExternalWorkflowInput | SignalChildWorkflowInput,
        namespace: str,
        execution: WorkflowExecution,
        child_only: bool,
    ) -> None:
        context = self._context
        context.require_writable("signal workflow")
        converter, _ = context.converters.for_workflow(execution.workflow_id)
        attributes = SignalExternalWorkflowExecutionCommandAttributes(
            namespace=namespace,
            execution=execution,
            signal_name=call.signal,
            input=Payloads(payloads=arguments_to_payloads(converter, call.args, f"signal {call.signal!r}"))
            if call.args
            else None,
            child_workflow_only=child_only,
        )
        if call.headers:
            _apply_headers(call.headers, attributes.header.fields)
        command = Command(
            command_type=e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
            event_group_markers=capture_markers(call.event_groups),
            signal_external_workflow_execution_command_attributes=attributes,
        )
        request = SignalRequest(context, execution.workflow_id, call.signal)
        event_type = e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
        context.ledger.issue(command, event_type, request)

        def withdraw(_: asyncio.CancelledError) -> None:
            context.require_writable("cancel signal")
            request.on_cancel()

        await outcome(context, request.ended, withdraw)

    def request_cancel(
        self, namespace: str, execution: WorkflowExecution, reason: str, child_only: bool, markers: Sequence[Any]
    ) -> CancelRequest:
        """Ask another workflow to cancel; ``ended`` of what comes back tells when it knows."""
        command = Command(
            command_type=e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
            event_group_markers=markers,
            request_cancel_external_workflow_execution_command_attributes=(
                RequestCancelExternalWorkflowExecutionCommandAttributes(
                    namespace=namespace,
                    workflow_id=execution.workflow_id,
                    run_id=execution.run_id,
                    child_workflow_only=child_only,
                    reason=reason,
                )
            ),
        )
        request = CancelRequest(self._context, execution.workflow_id)
        event_type = e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
        self._context.ledger.issue(command, event_type, request)
        return request


class Handle(ExternalWorkflowHandle[Any]):
    """A workflow of this namespace, as the code of another one sees it."""

    def __init__(self, owner: ExternalWorkflows, context: RunContext, workflow_id: str, run_id: str | None) -> None:
        self._owner, self._context, self._id, self._run_id = owner, context, workflow_id, run_id

    @property
    def id(self) -> str:
        return self._id

    @property
    def run_id(self) -> str | None:
        return self._run_id

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None:
        self._context.require_writable("signal external handle")
        await self._context.interception.outbound.signal_external_workflow(
            SignalExternalWorkflowInput(
                signal=signal_name(signal),
                args=_arg_or_args(arg, args),
                namespace=self._context.config.namespace,
                workflow_id=self._id,
                workflow_run_id=self._run_id,
                headers={},
                event_groups=event_groups,
            )
        )

    async def cancel(self, *, reason: str = "", event_groups: Sequence[EventGroup] | None = None) -> None:
        context = self._context
        context.require_writable("cancel external handle")
        execution = WorkflowExecution(workflow_id=self._id, run_id=self._run_id or "")
        reason = f"Cancel requested by workflow with run id {context.beginning.run_id} with reason: {reason}"
        request = self._owner.request_cancel(
            context.config.namespace, execution, reason, False, capture_markers(event_groups)
        )
        await request.ended
