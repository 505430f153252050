"""Play workflow tasks: feed a cut's events to the nouns, then run the workflow's code on what they leave to do.

Rule: events first, code second. The events of one cut become the jobs of one activation; if the code's own commands
resolve something at once (an activity cancelled with TRY_CANCEL, say), another activation of the same task follows,
until nothing is left to do. Replay ends at the first event of the last cut that the code did not cause.

Source: sdk-core ``apply_next_wft_from_history``; temporalio ``_WorkflowInstanceImpl.activate``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import outlast.api.enums.v1 as e
from outlast.api.history.v1 import HistoryEvent
from outlast.common import WorkerDeploymentVersion
from outlast.vocab.attributes import EVENT_NAMES
from outlast.vocab.times import from_timestamp

from .context import RunContext
from .cutter import Cut
from .events import BEGINNING, COMMAND, FINAL, ORIGIN, SILENT, name_of
from .flags import CoreFlag, LangFlag
from .jobs import Jobs
from .local_activity import is_local_marker
from .machine import Pending
from .nondeterminism import BrokenHistory
from .nouns import Nouns
from .runtime import WorkflowRuntime


class Player:
    """Plays one run.

    Attributes:
        last_event_id: of the last event taken in; 0 before the first.
        started_event_id: of the workflow task that was played last.
        closed: the event that closes the run has been seen.
        previous_started_event_id: the last task that this run completed, as the server says.
    """

    def __init__(self, context: RunContext, nouns: Nouns, runtime: WorkflowRuntime) -> None:
        self._context, self._nouns, self._runtime = context, nouns, runtime
        self.last_event_id = self.started_event_id = self.previous_started_event_id = 0
        self.closed = False
        self._cut: Cut
        self._skip_next = self._in_command_events = False

    @property
    def history_bytes(self) -> int:
        """Of the history before the task that was played last."""
        return self._runtime.task_started.workflow_task_started_event_attributes.history_size_bytes

    # -- events ---------------------------------------------------------------------------------------------------

    def play(self, cut: Cut) -> None:
        """Take in one workflow task and run the code for it.

        Raises:
            Nondeterminism: the code and the history disagree.
            BrokenHistory: the history makes no sense.
            BaseException: what the code raised, if it fails the workflow task.
        """
        self._cut = cut
        local = self._nouns.local_activities
        local.activation = 0
        context, updates = self._context, self._nouns.updates
        for event in cut.events:
            event_id, kind = event.event_id, event.event_type
            if event_id != self.last_event_id + 1:
                raise BrokenHistory(f"history skips from event {self.last_event_id} to event {event_id}")
            if context.mode.replaying and cut.is_last and self._is_news(event_id, kind):
                context.mode.replaying = False
            if updates.waiting:
                updates.release(event_id)
            if self._skip_next:
                self._skip_next = False
            else:
                _TAKE.get(kind, Player._take_unknown)(self, event)
            self.last_event_id = event_id
        self._end_command_events()
        if cut.ahead:
            self._look_ahead(cut.ahead)
        elif not context.mode.replaying:
            local.go_live()
        self.activate_until_quiet()

    def _is_news(self, event_id: int, kind: int) -> bool:
        """Whether the event is neither from before this task nor an echo of what the code did."""
        return (
            event_id > self.previous_started_event_id
            and kind != e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
            and kind not in COMMAND
        )

    def _look_ahead(self, events: Sequence[HistoryEvent]) -> None:
        """Learn from the next cut what this task's code has to know beforehand."""
        for event in events:
            if event.event_type == e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                self._learn(event)
                break
        self._nouns.patches.look_ahead(events)
        self._nouns.local_activities.look_ahead(events)
        self._nouns.updates.look_ahead(events)

    def _learn(self, event: HistoryEvent) -> None:
        """Flags and worker version of a completed task."""
        completed = event.workflow_task_completed_event_attributes
        self._context.flags.learn(completed)
        if completed.HasField("deployment_version"):
            version = completed.deployment_version
            self._runtime.version = WorkerDeploymentVersion(
                deployment_name=version.deployment_name, build_id=version.build_id
            )
        elif completed.HasField("worker_version") and completed.worker_version.build_id:
            self._runtime.version = WorkerDeploymentVersion(
                deployment_name="", build_id=completed.worker_version.build_id
            )

    def _end_command_events(self) -> None:
        """A completed task has recorded what it did: whatever is still pending was never done."""
        if self._in_command_events:
            self._in_command_events = False
            self._context.ledger.require_all_recorded()

    # -- one kind of event each -----------------------------------------------------------------------------------

    def _take_command_event(self, event: HistoryEvent) -> None:
        if is_local_marker(event) and self._nouns.local_activities.take_marker(event):
            return
        self._skip_next = self._context.ledger.record(event, self._screen) == "skip both"

    def _screen(self, event: HistoryEvent, pending: Pending | None) -> str:
        index = event.event_id - self._cut.events[0].event_id + 1
        following = self._cut.events[index] if index < len(self._cut.events) else None
        return self._nouns.patches.screen(event, pending, following)

    def _take_closing_event(self, event: HistoryEvent) -> None:
        self.closed = True
        if event.event_type in COMMAND:
            self._take_command_event(event)

    def _take_nexus_event(self, event: HistoryEvent) -> None:
        raise NotImplementedError("this history has Nexus operations, which are not supported")

    def _take_task_completed(self, event: HistoryEvent) -> None:
        self._learn(event)
        self._in_command_events = True

    def _take_task_started(self, event: HistoryEvent) -> None:
        self.started_event_id = event.event_id
        self._runtime.task_started = event
        loop = self._context.loop
        loop.now_ns = max(loop.now_ns, from_timestamp(event.event_time))

    def _take_task_failed(self, event: HistoryEvent) -> None:
        failed = event.workflow_task_failed_event_attributes
        if failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
            new_run_id = failed.new_run_id
            self._context.jobs.add_start(lambda: self._nouns.randomness.reseed(new_run_id))

    def _take_follow_up(self, event: HistoryEvent) -> None:
        self._end_command_events()
        self._context.ledger.follow_up(event)

    def _take_beginning(self, event: HistoryEvent) -> None:
        self._end_command_events()
        self._nouns.on_event[event.event_type](event)

    def _take_silent(self, event: HistoryEvent) -> None:
        self._end_command_events()

    def _take_unknown(self, event: HistoryEvent) -> None:
        self._end_command_events()
        if not event.worker_may_ignore:
            raise BrokenHistory(
                f"{name_of(event)} (event {event.event_id}) is not known to this version of outlast; upgrade the worker"
            )

    # -- activations ----------------------------------------------------------------------------------------------

    def activate_until_quiet(self) -> None:
        """Run code as long as something is left to do.

        It runs on even after it has closed the run, because it may yet take back what has not been sent; but what it
        starts in later activations of the task is dropped: nothing may follow a close.
        """
        context = self._context
        if not context.mode.replaying:
            self._runtime.version = context.config.deployment_version
        local = self._nouns.local_activities
        while True:
            local.deliver()
            if not context.jobs:
                return
            local.activation += 1
            jobs, context.jobs = context.jobs, Jobs()
            try:
                self._activate(jobs)
            except Exception as error:
                if not context.is_failure_exception(error):
                    raise
                context.error = None
                self._nouns.closing.fail(error)

    def _activate(self, jobs: Jobs) -> None:
        context, updates = self._context, self._nouns.updates
        context.mode.single_batch = context.flags.recorded(LangFlag.SINGLE_BATCH)
        ledger = context.ledger
        ledger.drop_after_close = ledger.is_closing or not context.flags.core(
            CoreFlag.MOVE_TERMINAL_COMMANDS, context.mode.replaying
        )
        updates.accepted_now = False

        def may_ask() -> bool:
            # A rejected update leaves nothing in history, so nothing may come of it.
            return not jobs.only_updates or updates.accepted_now

        if context.mode.single_batch:
            for job_set in jobs.sets():
                for job in job_set:
                    job()
            self._turn(may_ask if jobs.deliveries or jobs.start or jobs.rest else _never)
            return
        for index, job_set in enumerate(jobs.sets()):
            if job_set:
                for job in job_set:
                    job()
                self._turn(may_ask if index else _never)

    def _turn(self, may_ask: Callable[[], bool]) -> None:
        context = self._context
        if context.instance is None and not context.mode.evicting:
            with context.loop.entered():
                self._nouns.execution.instantiate()
        context.loop.run_turn(may_ask)

    def answer_queries(self) -> None:
        """Run the queries that have been asked; they see the workflow as if it were replaying."""
        context = self._context
        before, context.mode.replaying = context.mode.replaying, True
        try:
            self._turn(_never)
        finally:
            context.mode.replaying = before


def _never() -> bool:
    return False


_NEXUS = {kind for kind in COMMAND if "Nexus" in EVENT_NAMES[kind]}

_TAKE: dict[int, Callable[[Player, HistoryEvent], None]] = {
    **dict.fromkeys(COMMAND - FINAL - _NEXUS, Player._take_command_event),
    **dict.fromkeys(FINAL, Player._take_closing_event),
    **dict.fromkeys(_NEXUS, Player._take_nexus_event),
    **dict.fromkeys(ORIGIN, Player._take_follow_up),
    **dict.fromkeys(BEGINNING, Player._take_beginning),
    **dict.fromkeys(SILENT, Player._take_silent),
    e.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: Player._take_silent,
    e.EVENT_TYPE_WORKFLOW_TASK_STARTED: Player._take_task_started,
    e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: Player._take_task_completed,
    e.EVENT_TYPE_WORKFLOW_TASK_FAILED: Player._take_task_failed,
    e.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: Player._take_silent,
}
