"""Activities as workflow code sees them.

    commanded --ActivityTaskScheduled--> scheduled --Started--> started --Completed|Failed|TimedOut--> closed
        |                                    |                     |
      cancel                               cancel, unless ABANDON: RequestCancelActivityTask
        v                                    v                     v
    withdrawn                            cancel sent --ActivityTaskCancelRequested--> cancelling
                                                                                          |
                              closed <--Canceled|Completed|Failed|TimedOut (and Started)--+

Rule: an activity scheduled and cancelled in one workflow task sends nothing. TRY_CANCEL and ABANDON resolve the
activity as cancelled at once, in an activation of its own, and whatever comes later is ignored; ABANDON sends nothing.
WAIT_CANCELLATION_COMPLETED resolves it by how it ends. The awaited task raises ActivityError, never CancelledError,
unless it was cancelled before it ran. Activity ids are 1, 2, 3 ... of the run's activities.

Source: sdk-core ``activity_state_machine.rs``; temporalio ``_ActivityHandle``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import (
    Command,
    RequestCancelActivityTaskCommandAttributes,
)
from outlast.api.common.v1 import ActivityType
from outlast.api.failure.v1 import ActivityFailureInfo, CanceledFailureInfo, Failure
from outlast.common import Priority, _apply_headers
from outlast.converter import arguments_to_payloads
from outlast.workflow import ActivityCancellationType, VersioningIntent
from outlast.workflow._calls import StartActivityInput
from outlast.workflow._event_groups import capture_markers

from .activity_handle import Handle
from .context import proto_duration
from .flags import CoreFlag
from .machine import CANCEL, COMMANDED, WITHDRAWN, Machine, Table
from .nondeterminism import Nondeterminism

if TYPE_CHECKING:
    from outlast.api.history.v1 import HistoryEvent

    from .context import RunContext

_WAIT = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
_ABANDON = ActivityCancellationType.ABANDON


class Activity(Machine):
    """One activity."""

    __slots__ = ("call", "context", "handle", "id", "markers", "scheduled_event_id")

    def __init__(self, context: RunContext, call: StartActivityInput, activity_id: str) -> None:
        super().__init__()
        self.context, self.call, self.id = context, call, activity_id
        self.markers = capture_markers(call.event_groups)
        self.scheduled_event_id = 0
        self.handle: Handle

    def described(self) -> str:
        return f"activity {self.id!r} of type {self.call.activity!r}"

    # -- actions --------------------------------------------------------------------------------------------------

    def _scheduled(self, event: HistoryEvent) -> None:
        recorded = event.activity_task_scheduled_event_attributes
        self.scheduled_event_id = event.event_id
        if not self.context.flags.core(CoreFlag.ID_AND_TYPE_CHECKS, self.context.mode.replaying):
            return
        if recorded.activity_id != self.id or recorded.activity_type.name != self.call.activity:
            raise Nondeterminism("the code scheduled another activity than the recorded one", event=event)

    def _withdraw(self, _: Any) -> None:
        self._resolve(self._canceled_failure(None))

    def _send_cancel(self, _: Any) -> None:
        if self.call.cancellation_type == _ABANDON:
            self.state = "abandoned"
            self._resolve(self._canceled_failure(None))
            return
        command = Command(
            command_type=e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
            event_group_markers=self.markers,
            request_cancel_activity_task_command_attributes=RequestCancelActivityTaskCommandAttributes(
                scheduled_event_id=self.scheduled_event_id
            ),
        )
        self.context.ledger.issue(command, e.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, self)
        if self.call.cancellation_type != _WAIT:
            self._resolve(self._canceled_failure(None))

    def _cancel_requested(self, event: HistoryEvent) -> None:
        if event.activity_task_cancel_requested_event_attributes.scheduled_event_id != self.scheduled_event_id:
            raise Nondeterminism("the code cancelled another activity than the recorded one", event=event)

    def _completed(self, event: HistoryEvent) -> None:
        if self._still_awaited():
            self.context.call_later(
                partial(self.handle.complete, event.activity_task_completed_event_attributes.result)
            )

    def _failed(self, event: HistoryEvent) -> None:
        attributes = event.activity_task_failed_event_attributes
        if self._still_awaited():
            self._resolve(
                Failure(
                    message="Activity task failed",
                    cause=attributes.failure if attributes.HasField("failure") else None,
                    activity_failure_info=self._info(attributes, attributes.identity, attributes.retry_state),
                )
            )

    def _timed_out(self, event: HistoryEvent) -> None:
        attributes = event.activity_task_timed_out_event_attributes
        if self._still_awaited():
            self._resolve(
                Failure(
                    message="Activity task timed out",
                    cause=attributes.failure if attributes.HasField("failure") else None,
                    activity_failure_info=self._info(attributes, "", attributes.retry_state),
                )
            )

    def _canceled(self, event: HistoryEvent) -> None:
        if self._still_awaited():
            self._resolve(self._canceled_failure(event.activity_task_canceled_event_attributes))

    TABLE: ClassVar[Table] = {
        (COMMANDED, e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED): ("scheduled", _scheduled),
        (COMMANDED, CANCEL): (WITHDRAWN, _withdraw),
        ("scheduled", e.EVENT_TYPE_ACTIVITY_TASK_STARTED): ("started", None),
        ("scheduled", e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT): ("closed", _timed_out),
        ("scheduled", CANCEL): ("cancel sent", _send_cancel),
        ("started", e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED): ("closed", _completed),
        ("started", e.EVENT_TYPE_ACTIVITY_TASK_FAILED): ("closed", _failed),
        ("started", e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT): ("closed", _timed_out),
        ("started", CANCEL): ("cancel sent", _send_cancel),
        ("cancel sent", e.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED): ("cancelling", _cancel_requested),
        ("cancelling", e.EVENT_TYPE_ACTIVITY_TASK_STARTED): ("cancelling", None),
        ("cancelling", e.EVENT_TYPE_ACTIVITY_TASK_CANCELED): ("closed", _canceled),
        ("cancelling", e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED): ("closed", _completed),
        ("cancelling", e.EVENT_TYPE_ACTIVITY_TASK_FAILED): ("closed", _failed),
        ("cancelling", e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT): ("closed", _timed_out),
        # An abandoned activity goes on; nobody listens.
        ("abandoned", e.EVENT_TYPE_ACTIVITY_TASK_STARTED): ("abandoned", None),
        ("abandoned", e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED): ("closed", None),
        ("abandoned", e.EVENT_TYPE_ACTIVITY_TASK_FAILED): ("closed", None),
        ("abandoned", e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT): ("closed", None),
        ("abandoned", e.EVENT_TYPE_ACTIVITY_TASK_CANCELED): ("closed", None),
    }

    # -- failures -------------------------------------------------------------------------------------------------

    def _still_awaited(self) -> bool:
        """Whether the code does not know the outcome yet: only TRY_CANCEL tells it before the activity ends."""
        return not self.handle.resolution_due

    def _resolve(self, failure: Failure) -> None:
        self.handle.resolution_due = True
        self.context.call_later(partial(self.handle.fail, failure))

    def _info(self, attributes: Any, identity: str, retry_state: int) -> ActivityFailureInfo:
        return ActivityFailureInfo(
            scheduled_event_id=attributes.scheduled_event_id,
            started_event_id=attributes.started_event_id,
            identity=identity,
            activity_type=ActivityType(name=self.call.activity),
            activity_id=self.id,
            retry_state=retry_state,
        )

    def _canceled_failure(self, attributes: Any) -> Failure:
        details = attributes.details if attributes is not None and attributes.HasField("details") else None
        info = ActivityFailureInfo(
            activity_type=ActivityType(name=self.call.activity),
            activity_id=self.id,
            retry_state=e.RETRY_STATE_CANCEL_REQUESTED,
        )
        if attributes is not None:
            info = self._info(attributes, attributes.identity, e.RETRY_STATE_CANCEL_REQUESTED)
        return Failure(
            message="Activity cancelled",
            cause=Failure(canceled_failure_info=CanceledFailureInfo(details=details)),
            activity_failure_info=info,
        )


class Activities:
    """The activities of one run."""

    __slots__ = ("_context",)

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def start(self, call: StartActivityInput) -> Handle:
        """Schedule an activity.

        Raises:
            ValueError: neither of the two timeouts that bound it is set.
        """
        if not call.start_to_close_timeout and not call.schedule_to_close_timeout:
            raise ValueError(
                f"Activity {call.activity!r} must have start_to_close_timeout or schedule_to_close_timeout; pass one of"
                " them, as in start_to_close_timeout=timedelta(seconds=30)"
            )
        context = self._context
        seq = context.ledger.next_seq("activity")
        machine = Activity(context, call, call.activity_id or str(seq))
        command = self._command(machine)
        machine.handle = Handle(context, call, machine.on_cancel)
        context.ledger.issue(command, e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, machine)
        return machine.handle

    def _command(self, machine: Activity) -> Command:
        call = machine.call
        task_queue = call.task_queue or self._context.config.task_queue
        converter, _ = self._context.converters.for_activity(machine.context, machine.call)
        # Filled in place: half the time of building the parts and having them copied.
        command = Command(command_type=e.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
        if machine.markers:
            command.event_group_markers.extend(machine.markers)
        if call.summary:
            command.user_metadata.summary.CopyFrom(converter.to_payload(call.summary))
        attributes = command.schedule_activity_task_command_attributes
        attributes.activity_id = machine.id
        attributes.activity_type.name = call.activity
        attributes.task_queue.name = task_queue
        attributes.header.SetInParent()
        if call.args:
            attributes.input.payloads.extend(arguments_to_payloads(converter, call.args, f"activity {call.activity!r}"))
        attributes.request_eager_execution = not call.disable_eager_execution
        attributes.use_workflow_build_id = (
            task_queue == self._context.config.task_queue
            if call.versioning_intent is None
            else call.versioning_intent is VersioningIntent.COMPATIBLE
        )
        if call.headers:
            _apply_headers(call.headers, attributes.header.fields)
        if call.schedule_to_close_timeout:
            attributes.schedule_to_close_timeout.CopyFrom(proto_duration(call.schedule_to_close_timeout))
        if call.schedule_to_start_timeout:
            attributes.schedule_to_start_timeout.CopyFrom(proto_duration(call.schedule_to_start_timeout))
        if call.start_to_close_timeout:
            attributes.start_to_close_timeout.CopyFrom(proto_duration(call.start_to_close_timeout))
        if call.heartbeat_timeout:
            attributes.heartbeat_timeout.CopyFrom(proto_duration(call.heartbeat_timeout))
        if call.retry_policy:
            call.retry_policy.apply_to_proto(attributes.retry_policy)
        if call.priority is not Priority.default:
            attributes.priority.CopyFrom(call.priority._to_proto())
        return command
