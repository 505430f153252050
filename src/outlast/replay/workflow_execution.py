"""How a run begins and how it closes: complete, fail, cancel, continue as new, or fail the workflow task instead.

Rule: a FailureError (and what the failure exception types add to it) fails the workflow; any other exception fails the
workflow task, so that fixed code can go on where it stopped. Once cancellation was requested, a cancellation that
leaves the workflow closes it as cancelled. The first close of a run counts; its command is sent last.

Source: temporalio ``_run_top_level_workflow_function``; sdk-core ``preprocess_command_sequence``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import (
    CancelWorkflowExecutionCommandAttributes,
    Command,
    CompleteWorkflowExecutionCommandAttributes,
    ContinueAsNewWorkflowExecutionCommandAttributes,
    FailWorkflowExecutionCommandAttributes,
)
from outlast.api.common.v1 import Payload, Payloads, WorkflowType
from outlast.api.history.v1 import HistoryEvent
from outlast.api.taskqueue.v1 import TaskQueue
from outlast.common import RawValue, TypedSearchAttributes, _apply_headers
from outlast.converter import (
    arguments_to_payloads,
    encode_search_attribute_values,
    encode_typed_search_attribute_value,
    result_to_payloads,
)
from outlast.exceptions import CancelledError, is_cancelled_exception
from outlast.workflow import ContinueAsNewError, VersioningIntent
from outlast.workflow._calls import ContinueAsNewInput, ExecuteWorkflowInput
from outlast.workflow._event_groups import capture_markers

from .context import proto_duration
from .machine import Recorded

if TYPE_CHECKING:
    from .context import RunContext


class _ContinueAsNew(ContinueAsNewError):
    def __init__(self, call: ContinueAsNewInput) -> None:
        super().__init__("Continue as new")
        self.call = call
        self.markers = capture_markers(call.event_groups)


class Closing:
    """Turns what leaves a top-level function into the command that closes the run, if any."""

    __slots__ = ("_context",)

    def __init__(self, context: RunContext) -> None:
        self._context = context

    async def guarded(self, coro: Coroutine[Any, Any, None]) -> None:
        """Run the main method or a signal handler and take care of what it raises."""
        try:
            await coro
        except _ContinueAsNew as request:
            self._continue_as_new(request)
        except (Exception, asyncio.CancelledError) as error:
            if not self._context.mode.evicting:
                self._end_with(error)

    def _end_with(self, error: BaseException) -> None:
        context = self._context
        if isinstance(error, asyncio.CancelledError):
            cause = error
            error = CancelledError(str(cause))
            error.__cause__ = cause
        if context.cancel_reason is not None and is_cancelled_exception(error):
            command = Command(
                command_type=e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
                cancel_workflow_execution_command_attributes=CancelWorkflowExecutionCommandAttributes(),
            )
            self._close(command, e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, "cancelling the workflow")
        elif context.is_failure_exception(error):
            self.fail(error)
        else:
            context.error = error

    def complete(self, result: Any) -> None:
        """The main method returned."""
        target = f"workflow {self._context.info.workflow_type!r}"
        payloads = result_to_payloads(self._context.converters.payload, result, target)
        command = Command(
            command_type=e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
            complete_workflow_execution_command_attributes=CompleteWorkflowExecutionCommandAttributes(
                result=Payloads(payloads=payloads)
            ),
        )
        self._close(command, e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, "completing the workflow")

    def fail(self, error: BaseException) -> None:
        """The workflow failed."""
        command = Command(
            command_type=e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
            fail_workflow_execution_command_attributes=FailWorkflowExecutionCommandAttributes(
                failure=self._context.failure_of(error)
            ),
        )
        self._close(command, e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, "failing the workflow")

    def _close(self, command: Command, event_type: int, name: str) -> None:
        self._context.require_writable("add command")
        self._context.ledger.close(command, event_type, Recorded(event_type, name))

    # -- continue as new ------------------------------------------------------------------------------------------

    def request_continue_as_new(self, call: ContinueAsNewInput) -> NoReturn:
        """Leave the workflow; the command is made where the exception arrives."""
        raise _ContinueAsNew(call)

    def _continue_as_new(self, request: _ContinueAsNew) -> None:
        call, context = request.call, self._context
        converter = context.converters.payload
        attributes = ContinueAsNewWorkflowExecutionCommandAttributes(
            workflow_type=WorkflowType(name=call.workflow or context.beginning.workflow_type),
            task_queue=TaskQueue(name=call.task_queue or context.config.task_queue),
            input=Payloads(payloads=arguments_to_payloads(converter, call.args, "the workflow that goes on"))
            if call.args
            else None,
            inherit_build_id=(call.task_queue in (None, context.config.task_queue))
            if call.versioning_intent is None
            else call.versioning_intent is VersioningIntent.COMPATIBLE,
        )
        if call.run_timeout:
            attributes.workflow_run_timeout.CopyFrom(proto_duration(call.run_timeout))
        if call.task_timeout:
            attributes.workflow_task_timeout.CopyFrom(proto_duration(call.task_timeout))
        if call.backoff_start_interval:
            attributes.backoff_start_interval.CopyFrom(proto_duration(call.backoff_start_interval))
        if call.headers:
            _apply_headers(call.headers, attributes.header.fields)
        if call.initial_versioning_behavior:
            attributes.initial_versioning_behavior = call.initial_versioning_behavior.value
        self._carry_over(call, attributes)
        command = Command(
            command_type=e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
            event_group_markers=request.markers,
            continue_as_new_workflow_execution_command_attributes=attributes,
        )
        self._close(command, e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, "continuing as new")

    def _carry_over(
        self, call: ContinueAsNewInput, attributes: ContinueAsNewWorkflowExecutionCommandAttributes
    ) -> None:
        """Memo, search attributes and retry policy go with the command, or the next run would not have them."""
        started, converter = self._context.beginning.attributes, self._context.converters.payload
        if call.memo:
            for key, value in call.memo.items():
                attributes.memo.fields[key].CopyFrom(converter.to_payload(value))
        elif started.memo.fields:
            attributes.memo.CopyFrom(started.memo)
        if call.retry_policy:
            call.retry_policy.apply_to_proto(attributes.retry_policy)
        elif started.HasField("retry_policy"):
            attributes.retry_policy.CopyFrom(started.retry_policy)
        fields = attributes.search_attributes.indexed_fields
        if call.search_attributes:
            for key, payload in encoded_search_attributes(call.search_attributes).items():
                fields[key].CopyFrom(payload)
        else:
            for key, payload in self._context.search_attributes.items():
                fields[key].CopyFrom(payload)


def encoded_search_attributes(attributes: Any) -> Mapping[str, Payload]:
    """Search attributes, typed or the old mapping, as payloads by name."""
    if isinstance(attributes, TypedSearchAttributes):
        return {pair.key.name: encode_typed_search_attribute_value(pair.key, pair.value) for pair in attributes}
    return {key: encode_search_attribute_values(values) for key, values in attributes.items()}


class WorkflowExecution:
    """Beginning, cancellation and main task of one run."""

    __slots__ = ("_cancel_at_start", "_closing", "_context", "_input", "_main")

    def __init__(self, context: RunContext, closing: Closing) -> None:
        self._context, self._closing = context, closing
        self._main: asyncio.Task[None] | None = None
        self._input: ExecuteWorkflowInput | None = None
        self._cancel_at_start = False

    def on_started(self, event: HistoryEvent) -> None:
        """The run begins."""
        self._context.jobs.add_start(self._begin)

    def prepare(self) -> None:
        """Decode the arguments, before anything of the first activation runs.

        Raises:
            RuntimeError: they do not decode.
        """
        context, definition = self._context, self._context.definition
        started = context.beginning.attributes
        payloads = started.input.payloads
        if definition.name is None:
            raw = context.decode(payloads, [RawValue] * len(payloads), context.converters.payload)
            args: list[Any] = [raw]
        else:
            args = context.decode(payloads, definition.arg_types, context.converters.payload)
        self._input = ExecuteWorkflowInput(definition.cls, definition.run_fn, args, started.header.fields)

    def instantiate(self) -> None:
        """Make the workflow object and let a dynamic workflow decide its settings.

        Raises:
            BaseException: whatever the user's ``__init__`` raises.
        """
        context, definition = self._context, self._context.definition
        assert self._input is not None, "the arguments are decoded before the workflow object is made"
        cls = definition.cls
        context.instance = cls(*self._input.args) if definition.init_takes_args else cls()
        if definition.name is None and definition.dynamic_config_fn is not None:
            with context.as_read_only(in_query=False):
                config = definition.dynamic_config_fn(context.instance)
            if config is not None:
                context.apply_dynamic_config(config)

    def _begin(self) -> None:
        assert self._input is not None, "the arguments are decoded before the main task begins"
        self._main = self._context.loop.create_task(self._closing.guarded(self._run(self._input)), name="run")
        if self._cancel_at_start:
            self._context.loop.call_soon(self._main.cancel)

    async def _run(self, call: ExecuteWorkflowInput) -> None:
        result = await self._context.interception.inbound.execute_workflow(call)
        if not self._context.mode.evicting:
            self._closing.complete(result)

    def on_cancel_requested(self, event: HistoryEvent) -> None:
        """Somebody asks the workflow to cancel."""
        reason = event.workflow_execution_cancel_requested_event_attributes.cause
        self._context.call_later(partial(self._cancel, reason))

    def _cancel(self, reason: str) -> None:
        self._context.cancel_reason = reason
        if self._main is not None:
            # Not at once: the main task may not have had its first step, and must be able to catch this.
            self._context.loop.call_soon(self._main.cancel)
        elif self._context.mode.single_batch:
            self._cancel_at_start = True
