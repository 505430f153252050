"""Local activities as workflow code sees them: they run inside the workflow task, and history has one marker for each.

    live:     requested --result | cancel without waiting--> notified --MarkerRecorded--> closed
    replay:   awaiting --marker seen ahead--> replayed --MarkerRecorded--> closed
                 |
               the history ends without its marker: requested

Rule: the result is delivered in an activation of its own, and the marker says in which one of its workflow task, so a
replay delivers it there again. A marker belongs to its activity by number, wherever it stands among the commands. A
result with a backoff ends this activity; its handle starts the next one after a timer. The workflow's clock moves on
by the time that the activity took.

Source: sdk-core ``local_activity_state_machine.rs`` and ``local_acts.rs``; markers as temporalio 1.35 writes them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import Command, RecordMarkerCommandAttributes
from outlast.api.common.v1 import ActivityType, Payloads
from outlast.api.failure.v1 import ActivityFailureInfo, CanceledFailureInfo, Failure
from outlast.workflow import ActivityCancellationType
from outlast.workflow._calls import StartLocalActivityInput
from outlast.workflow._event_groups import capture_markers

from .activity_handle import Handle
from .flags import CoreFlag
from .local_marker import DATA_KEY, MARKER_NAME, RESULT_KEY, Resolution, data_payload, resolution_of
from .local_work import LocalOutcome, LocalTask, task_of
from .machine import CANCEL, Machine, Table
from .nondeterminism import Nondeterminism

if TYPE_CHECKING:
    from outlast.api.history.v1 import HistoryEvent

    from .context import RunContext

_WAIT = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
_ABANDON = ActivityCancellationType.ABANDON


class LocalActivity(Machine):
    """One local activity, up to its result or to a backoff that is too long to wait for."""

    __slots__ = ("activities", "call", "handle", "id", "markers", "seq", "started_at", "task")

    def __init__(
        self, activities: LocalActivities, call: StartLocalActivityInput, seq: int, *, attempt: int, scheduled_at: int
    ) -> None:
        super().__init__()
        context = activities.context
        self.activities, self.call, self.seq = activities, call, seq
        self.id = call.activity_id or str(seq)
        self.markers = capture_markers(call.event_groups)
        self.started_at = context.loop.now_ns
        self.state = "awaiting" if context.mode.replaying else "requested"
        converter, _ = context.converters.for_activity(context, call)
        self.task: LocalTask = task_of(context, call, seq, self.id, converter, attempt, scheduled_at)
        self.handle: Handle

    def described(self) -> str:
        return f"local activity {self.id!r} of type {self.call.activity!r}"

    # -- actions --------------------------------------------------------------------------------------------------

    def _cancel(self, _: Any) -> None:
        self.activities.request_cancel(self)

    def _recorded(self, event: HistoryEvent) -> None:
        activities = self.activities
        activities.forget(self)
        context = activities.context
        if not context.flags.core(CoreFlag.ID_AND_TYPE_CHECKS, context.mode.replaying):
            return
        found = resolution_of(event)
        if (found.activity_id, found.activity_type) != (self.id, self.call.activity):
            raise Nondeterminism("the code ran another local activity than the recorded one", event=event)

    TABLE: ClassVar[Table] = {
        ("requested", CANCEL): ("requested", _cancel),
        ("notified", e.EVENT_TYPE_MARKER_RECORDED): ("closed", _recorded),
        ("replayed", e.EVENT_TYPE_MARKER_RECORDED): ("closed", _recorded),
    }

    # -- outcome --------------------------------------------------------------------------------------------------

    def settle(self, found: Resolution) -> None:
        """Let the code know, in the next activation."""
        context = self.activities.context
        if found.complete_at is not None:
            context.loop.now_ns = max(context.loop.now_ns, found.complete_at)
        self.handle.resolution_due = True
        context.jobs.add_local(partial(self._deliver, found))

    def _deliver(self, found: Resolution) -> None:
        if found.backoff_ns is not None:
            self.handle.back_off(
                found.backoff_ns / 1e9,
                partial(self.activities.again, self, found.attempt + 1, found.original_scheduled_at),
            )
        elif found.failure is not None:
            self.handle.fail(self._wrapped(found.failure))
        else:
            self.handle.complete(Payloads(payloads=[] if found.result is None else [found.result]))

    def _wrapped(self, failure: Failure) -> Failure:
        """Cancellation and timeout as an activity's failure; what the activity raised as it is."""
        if failure.HasField("canceled_failure_info"):
            message = "Local Activity cancelled"
        elif failure.HasField("timeout_failure_info"):
            message = "Local Activity timed out"
        else:
            return failure
        return Failure(
            message=message,
            cause=failure,
            activity_failure_info=ActivityFailureInfo(
                activity_type=ActivityType(name=self.call.activity),
                activity_id=self.id,
                retry_state=e.RETRY_STATE_CANCEL_REQUESTED,
            ),
        )

    def marker(self, found: Resolution, activation: int) -> Command:
        """The command that records how it ended.

        Args:
            activation: which one of the workflow task delivers it, from 0.
        """
        attributes = RecordMarkerCommandAttributes(marker_name=MARKER_NAME, failure=found.failure)
        attributes.details[DATA_KEY].payloads.append(data_payload(found, activation))
        if found.result is not None:
            attributes.details[RESULT_KEY].payloads.append(found.result)
        command = Command(
            command_type=e.COMMAND_TYPE_RECORD_MARKER,
            event_group_markers=self.markers,
            record_marker_command_attributes=attributes,
        )
        if self.call.summary:
            converter = self.activities.context.converters.payload
            command.user_metadata.summary.CopyFrom(converter.to_payload(self.call.summary))
        return command


class LocalActivities:
    """The local activities of one run.

    Attributes:
        activation: the number of the next activation of the workflow task, from 0.
    """

    __slots__ = ("_ahead", "_by_seq", "_cancels", "_executing", "_new", "activation", "context")

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.activation = 0
        self._by_seq: dict[int, LocalActivity] = {}
        # What the next cut's markers say, in their order, with the activation that delivered each.
        self._ahead: deque[tuple[int | None, Resolution]] = deque()
        self._new: list[LocalActivity] = []
        self._cancels: list[int] = []
        self._executing: set[int] = set()

    # -- from workflow code ---------------------------------------------------------------------------------------

    def start(self, call: StartLocalActivityInput) -> Handle:
        """Run a local activity.

        Raises:
            ValueError: neither of the two timeouts that bound it is set.
        """
        if not call.start_to_close_timeout and not call.schedule_to_close_timeout:
            raise ValueError(
                f"Activity {call.activity!r} must have start_to_close_timeout or schedule_to_close_timeout; pass one of"
                " them, as in start_to_close_timeout=timedelta(seconds=30)"
            )
        machine = self._add(call, attempt=0, scheduled_at=self.context.loop.now_ns)
        machine.handle = Handle(self.context, call, machine.on_cancel)
        return machine.handle

    def again(self, before: LocalActivity, attempt: int, scheduled_at: int) -> None:
        """Start the next attempt after a durable backoff, for the same handle."""
        machine = self._add(before.call, attempt=attempt, scheduled_at=scheduled_at)
        machine.handle = before.handle
        before.handle.on_cancel = machine.on_cancel

    def _add(self, call: StartLocalActivityInput, *, attempt: int, scheduled_at: int) -> LocalActivity:
        seq = self.context.ledger.next_seq("activity")
        machine = LocalActivity(self, call, seq, attempt=attempt, scheduled_at=scheduled_at)
        self._by_seq[seq] = machine
        if machine.state == "requested":
            self._new.append(machine)
        return machine

    def request_cancel(self, machine: LocalActivity) -> None:
        """Workflow code cancels one that runs, or is about to."""
        waits = machine.call.cancellation_type == _WAIT
        unsent = machine in self._new
        if unsent:
            self._new.remove(machine)
        elif machine.call.cancellation_type == _ABANDON:
            self._executing.discard(machine.seq)
        else:
            self._cancels.append(machine.seq)
        if unsent or not waits:
            failure = Failure(message="Activity cancelled", canceled_failure_info=CanceledFailureInfo())
            self._resolve(machine, machine.task.resolution(failure=failure, attempt=machine.task.attempt))

    def _resolve(self, machine: LocalActivity, found: Resolution) -> None:
        command = machine.marker(found, self.activation)
        machine.state = "notified"
        self.context.ledger.issue(command, e.EVENT_TYPE_MARKER_RECORDED, machine)
        machine.settle(found)

    # -- from the worker ------------------------------------------------------------------------------------------

    @property
    def outstanding(self) -> bool:
        """Whether the workflow task has to wait for something that runs or is to run."""
        return bool(self._new or self._executing)

    def take_work(self) -> tuple[Sequence[LocalTask], Sequence[int]]:
        """What to run, and the numbers of what to cancel, since the last call."""
        new, self._new = self._new, []
        cancels, self._cancels = self._cancels, []
        self._executing.update(machine.seq for machine in new)
        return [machine.task for machine in new], cancels

    def resolve(self, outcome: LocalOutcome) -> None:
        """One has ended, or is to go on after a backoff. Too late for one that was cancelled without waiting."""
        self._executing.discard(outcome.seq)
        machine = self._by_seq.get(outcome.seq)
        if machine is None or machine.state != "requested":
            return
        self._resolve(
            machine,
            machine.task.resolution(
                result=outcome.result,
                failure=outcome.failure,
                attempt=outcome.attempt,
                complete_at=machine.started_at + outcome.runtime_ns,
                backoff_ns=outcome.backoff_ns,
            ),
        )

    # -- from history ---------------------------------------------------------------------------------------------

    def look_ahead(self, events: Sequence[HistoryEvent]) -> None:
        """Learn of the results that the task at hand recorded."""
        for event in events:
            if is_local_marker(event):
                found = resolution_of(event)
                self._ahead.append((found.activation, found))

    def deliver(self) -> None:
        """Before each activation: the results that this one delivered when the code ran first."""
        for machine, found in self._due():
            machine.state = "replayed"
            machine.settle(found)

    def _due(self) -> Iterator[tuple[LocalActivity, Resolution]]:
        reached = self.activation
        while self._ahead:
            activation, found = self._ahead[0]
            machine = self._by_seq.get(found.seq)
            if machine is None or machine.state != "awaiting":
                return
            if activation is not None and activation > reached:
                if self.context.jobs:
                    return
                reached = activation  # nothing else is left to do, so this is what came next
            self._ahead.popleft()
            yield machine, found

    def go_live(self) -> None:
        """History has been replayed, and has nothing of these: the worker died while they ran. Run them again."""
        for machine in self._by_seq.values():
            if machine.state == "awaiting":
                machine.state = "requested"
                self._new.append(machine)

    def take_marker(self, event: HistoryEvent) -> bool:
        """Take in a marker; False when it records a command of the ledger like any other.

        Raises:
            Nondeterminism: the code started no such local activity.
        """
        seq = resolution_of(event).seq
        machine = self._by_seq.get(seq)
        if machine is None or machine.state == "awaiting":
            raise Nondeterminism(
                f"history has the result of a local activity (number {seq}) that the code does not run here",
                event=event,
            )
        if machine.state == "notified":
            return False
        machine.on_event(event)
        return True

    def forget(self, machine: LocalActivity) -> None:
        """Its marker is recorded: nothing more can come."""
        del self._by_seq[machine.seq]


def is_local_marker(event: HistoryEvent) -> bool:
    """Whether this is the result of a local activity."""
    return (
        event.event_type == e.EVENT_TYPE_MARKER_RECORDED
        and event.marker_recorded_event_attributes.marker_name == MARKER_NAME
    )
