"""Play workflow tasks: feed a cut's events to the nouns, then run the workflow's code on what they leave to do.

Rule: events first, code second. The events of one cut become the jobs of one activation; if the code's own commands
resolve something at once (an activity cancelled with TRY_CANCEL, say), another activation of the same task follows,
until nothing is left to do. Replay ends at the first event of the last cut that the code did not cause.

Source: sdk-core ``apply_next_wft_from_history``; temporalio ``_WorkflowInstanceImpl.activate``.
"""

from __future__ import annotations

from collections.abc import Callable

import outlast.api.enums.v1 as e
from outlast.api.history.v1 import HistoryEvent
from outlast.common import WorkerDeploymentVersion
from outlast.vocab.times import from_timestamp
from outlast.workflow._runtime import TaskFacts

from .context import RunContext
from .cutter import Cut
from .events import COMMAND, FINAL, ORIGIN, SILENT, name_of
from .flags import CoreFlag, LangFlag
from .jobs import Jobs
from .machine import Machine, Pending
from .marker import LOCAL_ACTIVITY_MARKER_NAME, Patch
from .nondeterminism import BrokenHistory
from .nouns import Nouns
from .runtime import WorkflowRuntime

_WORKFLOW_TASK = {
    e.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    e.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    e.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    e.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
}


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
        self._skip_next = False
        self._next_event: HistoryEvent | None = None
        self._in_command_events = False

    # -- events ---------------------------------------------------------------------------------------------------

    def play(self, cut: Cut) -> None:
        """Take in one workflow task and run the code for it.

        Raises:
            Nondeterminism: the code and the history disagree.
            BrokenHistory: the history makes no sense.
            BaseException: what the code raised, if it fails the workflow task.
        """
        self._learn(cut)
        events = cut.events
        for index, event in enumerate(events):
            self._next_event = events[index + 1] if index + 1 < len(events) else None
            self._take(event, cut.is_last)
        self._end_command_events()
        if cut.ahead:
            self._nouns.patches.look_ahead(cut.ahead)
            self._nouns.updates.look_ahead(cut.ahead)
        self.activate_until_quiet()

    def _learn(self, cut: Cut) -> None:
        """Flags and version of the tasks that this cut completes, and of the one that it is."""
        for event in cut.events:
            if event.event_type == e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                self._learn_completion(event)
        for event in cut.ahead:
            if event.event_type == e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                self._learn_completion(event)
                return

    def _learn_completion(self, event: HistoryEvent) -> None:
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

    def _take(self, event: HistoryEvent, in_last_cut: bool) -> None:
        kind, context = event.event_type, self._context
        is_command = kind in COMMAND
        if event.event_id != self.last_event_id + 1:
            raise BrokenHistory(f"history skips from event {self.last_event_id} to event {event.event_id}")
        if (
            context.replaying
            and in_last_cut
            and event.event_id > self.previous_started_event_id
            and kind != e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
            and not is_command
        ):
            context.replaying = False
        self._nouns.updates.release(event.event_id)
        if kind in FINAL:
            self.closed = True
        if self._skip_next:
            self._skip_next = False
        elif is_command:
            self._record(event)
        elif kind in _WORKFLOW_TASK:
            self._take_workflow_task(event)
        else:
            self._end_command_events()
            self._dispatch(event)
        self.last_event_id = event.event_id

    def _record(self, event: HistoryEvent) -> None:
        if event.event_type == e.EVENT_TYPE_MARKER_RECORDED:
            name = event.marker_recorded_event_attributes.marker_name
            if name == LOCAL_ACTIVITY_MARKER_NAME:
                raise NotImplementedError("this history has local activities, which are not supported")
        if event.event_type in (e.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED, e.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED):
            raise NotImplementedError("this history has Nexus operations, which are not supported")
        verdict = self._context.ledger.record(event, self._screen)
        self._skip_next = verdict == "skip both"

    def _screen(self, event: HistoryEvent, pending: Pending | None) -> str:
        return self._nouns.patches.screen(event, pending, self._next_event)

    def _end_command_events(self) -> None:
        """A completed task has recorded what it did: whatever is still pending was never done."""
        if self._in_command_events:
            self._in_command_events = False
            self._context.ledger.require_all_recorded(_is_patch)

    def _take_workflow_task(self, event: HistoryEvent) -> None:
        kind = event.event_type
        if kind == e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            self._in_command_events = True
            return
        self._end_command_events()
        if kind == e.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            attributes = event.workflow_task_started_event_attributes
            self.started_event_id = event.event_id
            loop = self._context.loop
            loop.now_ns = max(loop.now_ns, from_timestamp(event.event_time))
            self._runtime.facts = TaskFacts(
                history_length=event.event_id,
                history_size_bytes=attributes.history_size_bytes,
                continue_as_new_suggested=attributes.suggest_continue_as_new,
                target_version_changed=attributes.target_worker_deployment_version_changed,
            )
        elif kind == e.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes
            if failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
                new_run_id = failed.new_run_id
                self._context.jobs.add_start(lambda: self._nouns.randomness.reseed(new_run_id))

    def _dispatch(self, event: HistoryEvent) -> None:
        kind = event.event_type
        if kind in ORIGIN:
            self._context.ledger.follow_up(event)
            return
        on_event = self._nouns.on_event.get(kind)
        if on_event is not None:
            on_event(event)
        elif kind not in SILENT and kind not in FINAL and not event.worker_may_ignore:
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
        if not context.replaying:
            self._runtime.version = context.config.deployment_version
        while context.jobs:
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
        context.single_batch = context.flags.recorded(LangFlag.SINGLE_BATCH)
        ledger = context.ledger
        ledger.drop_after_close = ledger.is_closing or not context.flags.core(
            CoreFlag.MOVE_TERMINAL_COMMANDS, context.replaying
        )
        updates.accepted_now = False

        def may_ask() -> bool:
            # A rejected update leaves nothing in history, so nothing may come of it.
            return not jobs.only_updates or updates.accepted_now

        if context.single_batch:
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
        if context.instance is None and not context.evicting:
            with context.loop.entered():
                self._nouns.execution.instantiate()
        context.loop.run_turn(may_ask)

    def answer_queries(self) -> None:
        """Run the queries that have been asked; they see the workflow as if it were replaying."""
        context = self._context
        before, context.replaying = context.replaying, True
        try:
            self._turn(_never)
        finally:
            context.replaying = before


def _never() -> bool:
    return False


def _is_patch(machine: Machine) -> bool:
    return isinstance(machine, Patch)
