"""Updates: requests that a validator may refuse, a handler carries out, and protocol messages answer.

    requested --Acceptance--> accepted --Response--> completed
        \\-----Rejection (leaves no trace in history)

Rule: acceptance and response are a message and a ProtocolMessage command each; the command fixes their place among the
other commands, and becomes WorkflowExecutionUpdateAccepted or ...Completed. A rejection is a message alone. While
replaying, the accepted event stands for the request, the validator is not run, and no messages are sent.

Source: sdk-core ``update_state_machine.rs``; temporalio ``_apply_do_update``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from google.protobuf.message import Message

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import Command, ProtocolMessageCommandAttributes
from outlast.api.common.v1 import Payloads
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.api.protocol.v1 import Message as ProtocolMessage
from outlast.api.update.v1 import Acceptance, Outcome, Rejection, Request, Response
from outlast.exceptions import CancelledError
from outlast.workflow import ContinueAsNewError, ReadOnlyContextError, UpdateInfo
from outlast.workflow._calls import HandleUpdateInput
from outlast.workflow._context import _update_info
from outlast.workflow._event_groups import update_group
from outlast.workflow._handlers import HandlerDefinition

from .handlers import Execution, Handlers
from .machine import COMMANDED, Machine, Table
from .nondeterminism import BrokenHistory, Nondeterminism

if TYPE_CHECKING:
    from .context import RunContext

_TYPE_URL = "type.googleapis.com/"


class _Record(Machine):
    """A ProtocolMessage command on its way to the event that it becomes."""

    __slots__ = ("event_type", "instance_id")

    def __init__(self, instance_id: str) -> None:
        super().__init__()
        self.instance_id = instance_id

    def described(self) -> str:
        return f"update {self.instance_id!r}"

    def _accepted(self, event: HistoryEvent) -> None:
        recorded = event.workflow_execution_update_accepted_event_attributes.protocol_instance_id
        if recorded != self.instance_id:
            raise Nondeterminism("the code accepted another update than the recorded one", event=event)

    def _completed(self, event: HistoryEvent) -> None:
        recorded = event.workflow_execution_update_completed_event_attributes.meta.update_id
        if recorded != self.instance_id:
            raise Nondeterminism("the code completed another update than the recorded one", event=event)

    TABLE: ClassVar[Table] = {
        (COMMANDED, e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED): ("recorded", _accepted),
        (COMMANDED, e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED): ("recorded", _completed),
    }


class Update:
    """One update, from request to response."""

    __slots__ = ("_context", "instance_id", "message_id", "request", "sequencing_id", "validate")

    def __init__(self, context: RunContext, message: ProtocolMessage, request: Request, validate: bool) -> None:
        self._context, self.request, self.validate = context, request, validate
        self.message_id, self.instance_id = message.id, message.protocol_instance_id
        self.sequencing_id = message.event_id

    @property
    def id(self) -> str:
        return self.request.meta.update_id

    @property
    def name(self) -> str:
        return self.request.input.name

    def accept(self) -> None:
        """The validator had no objection."""
        body = Acceptance(
            accepted_request_message_id=self.message_id,
            accepted_request_sequencing_event_id=self.sequencing_id,
            accepted_request=self.request,
        )
        self._send("accept", body, e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)

    def reject(self, failure: Failure) -> None:
        """The validator, or something before it, objected."""
        body = Rejection(
            rejected_request_message_id=self.message_id,
            rejected_request_sequencing_event_id=self.sequencing_id,
            rejected_request=self.request,
            failure=failure,
        )
        self._send("reject", body, None)

    def respond(self, outcome: Outcome) -> None:
        """The handler has ended."""
        body = Response(meta=self.request.meta, outcome=outcome)
        self._send("complete", body, e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)

    def _send(self, step: str, body: Message, event_type: int | None) -> None:
        context, message_id = self._context, f"{self.message_id}/{step}"
        context.require_writable("answer update")
        if event_type is not None:
            command = Command(
                command_type=e.COMMAND_TYPE_PROTOCOL_MESSAGE,
                protocol_message_command_attributes=ProtocolMessageCommandAttributes(message_id=message_id),
            )
            if not context.ledger.issue(command, event_type, _Record(self.instance_id)):
                return
        if not context.mode.replaying:
            message = ProtocolMessage(id=message_id, protocol_instance_id=self.instance_id)
            message.body.type_url = _TYPE_URL + body.DESCRIPTOR.full_name
            message.body.value = body.SerializeToString()
            context.ledger.messages.append(message)


class Updates:
    """The updates of one run.

    Attributes:
        waiting: requests that have not come to their place among the events yet.
        accepted_now: whether one was accepted since the activation began.
    """

    __slots__ = ("_admitted", "_context", "_handlers", "accepted_now", "waiting")

    def __init__(self, context: RunContext, handlers: Handlers) -> None:
        self._context, self._handlers = context, handlers
        self.waiting: list[ProtocolMessage] = []
        self._admitted: dict[str, ProtocolMessage] = {}
        self.accepted_now = False

    # -- from the server ------------------------------------------------------------------------------------------

    def receive(self, messages: Iterable[ProtocolMessage]) -> None:
        """Messages of a new workflow task; each waits for the event that it is to come after."""
        self.waiting.extend(messages)

    def release(self, before_event_id: int) -> None:
        """Start the updates that come before this event."""
        due = [one for one in self.waiting if one.event_id < before_event_id]
        self.waiting = [one for one in self.waiting if one.event_id >= before_event_id]
        for message in due:
            self._begin(message)

    def on_admitted(self, event: HistoryEvent) -> None:
        """The server has made a request durable, in the course of a reset."""
        attributes = event.workflow_execution_update_admitted_event_attributes
        update_id = attributes.request.meta.update_id
        message = _request_message(f"{update_id}/request", update_id, event.event_id, attributes.request)
        if self._context.mode.replaying:
            self._admitted[update_id] = message
        else:
            self.waiting.append(message)

    def look_ahead(self, events: Sequence[HistoryEvent]) -> None:
        """Start the updates that the task at hand accepted, as history tells."""
        for event in events:
            if event.event_type != e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                continue
            attributes = event.workflow_execution_update_accepted_event_attributes
            message = self._admitted.pop(attributes.protocol_instance_id, None)
            self._begin(
                message
                or _request_message(
                    attributes.accepted_request_message_id,
                    attributes.protocol_instance_id,
                    attributes.accepted_request_sequencing_event_id,
                    attributes.accepted_request,
                )
            )

    def _begin(self, message: ProtocolMessage) -> None:
        request = Request()
        if message.body.type_url != _TYPE_URL + request.DESCRIPTOR.full_name:
            raise BrokenHistory(f"protocol message {message.id!r} is not an update request: {message.body.type_url}")
        request.ParseFromString(message.body.value)
        update = Update(self._context, message, request, validate=not self._context.mode.replaying)
        self._context.jobs.add_update(partial(self._start, update))

    # -- in workflow code -----------------------------------------------------------------------------------------

    def _start(self, update: Update) -> None:
        self._context.loop.create_task(self._run(update), name=f"update: {update.name}")

    async def _run(self, update: Update) -> None:
        context = self._context
        _update_info.set(UpdateInfo(id=update.id, name=update.name))
        accepted, key = False, None
        try:
            definition = self._handlers.find("update", update.name)
            if definition is None:
                raise RuntimeError(
                    f"Update handler for '{update.name}' expected but not found, and there is no dynamic handler. "
                    f"known updates: [{self._handlers.names('update')}]"
                )
            key = self._handlers.began(Execution(update.name, definition.unfinished_policy, update.id))
            call = self._validated(update, definition)
            update.accept()
            accepted = self.accepted_now = True
            with update_group(update.id).scope():
                result = await context.interception.inbound.handle_update_handler(call)
            payloads = context.converters.payload.to_payloads([result])
            update.respond(Outcome(success=Payloads(payloads=payloads)))
        except (Exception, asyncio.CancelledError) as error:
            if not context.mode.evicting:
                self._fail(update, error, accepted)
        except ContinueAsNewError:
            context.error = RuntimeError("Cannot continue as new from an update handler")
        finally:
            if key is not None:
                self._handlers.ended(key)

    def _validated(self, update: Update, definition: HandlerDefinition) -> HandleUpdateInput:
        payloads, context = update.request.input.args.payloads, self._context
        args = self._handlers.arguments(definition, update.name, payloads)
        call = HandleUpdateInput(update.id, update.name, args, update.request.input.header.fields)
        if update.validate and definition.validator is not None:
            with context.as_read_only(in_query=True):
                context.interception.inbound.handle_update_validator(call)
                # The validator may have changed its arguments; the handler gets fresh ones.
                call.args = self._handlers.arguments(definition, update.name, payloads)
        return call

    def _fail(self, update: Update, error: BaseException, accepted: bool) -> None:
        context = self._context
        if isinstance(error, asyncio.CancelledError):
            error = CancelledError(f"Cancellation raised within update {error}")
        if isinstance(error, ReadOnlyContextError) or (accepted and not context.is_failure_exception(error)):
            context.error = error
        elif accepted:
            update.respond(Outcome(failure=context.failure_of(error)))
        else:
            update.reject(context.failure_of(error))


def _request_message(message_id: str, instance_id: str, sequencing_id: int, request: Request) -> ProtocolMessage:
    message = ProtocolMessage(id=message_id, protocol_instance_id=instance_id, event_id=sequencing_id)
    message.body.type_url = _TYPE_URL + request.DESCRIPTOR.full_name
    message.body.value = request.SerializeToString()
    return message
