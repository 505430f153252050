"""The state of one run, as plain structs that msgspec writes to bytes and reads back.

Rule: only the ``on_*`` functions of the noun files write it. Most of it is a fold over history and can be rebuilt from
the events. What history does not hold is marked *outside history*, kept in the snapshot only, and ignored by
``snapshot.historic`` when a rebuilt state is compared with a live one.

Instants are ns since the epoch with 0 for "not set"; durations are ns with 0 for "no limit". Messages are kept
serialized (``bytes``) where the engine only carries them.
"""

from __future__ import annotations

import msgspec


class WorkflowTask(msgspec.Struct, frozen=True, array_like=True):
    """The one pending workflow task.

        (none) --schedule--> scheduled --start--> started --complete | fail | time out--> (none)

    The started half is outside history: the WorkflowTaskStarted event is written together with the event that ends
    the task. ``written`` is False where the scheduled event is not in history either: for a transient attempt, and for
    a speculative task (``speculative.py``).
    """

    scheduled_event_id: int
    attempt: int
    scheduled_at: int
    original_scheduled_at: int
    timeout_ns: int
    written: bool
    queue: str
    schedule_to_start_at: int = 0  # instant at which a sticky task gives up waiting
    started_at: int = 0
    started_event_id: int = 0  # the id that the started event has, or will have when it is written
    identity: str = ""
    request_id: str = ""
    suggest_continue_as_new: bool = False
    history_size: int = 0
    suggest_reasons: tuple[int, ...] = ()  # SUGGEST_CONTINUE_AS_NEW_REASON_*
    speculative: bool = False

    @property
    def started(self) -> bool:
        return self.started_at != 0

    @property
    def transient(self) -> bool:
        """A later attempt that leaves no events unless it completes."""
        return not self.written and not self.speculative


class Operations(msgspec.Struct, frozen=True, array_like=True):
    """What operators did to a pending activity and is still in force (``activity_operations.py``)."""

    paused_at: int = 0
    pause_identity: str = ""
    pause_reason: str = ""
    reset_requested: bool = False  # the running attempt is told so; the next one is number 1
    restarts_attempts: bool = False  # the next attempt is number 1
    forgets_heartbeat: bool = False  # the next attempt gets no heartbeat details
    restarted_at: int = 0  # from when schedule-to-close counts; 0 = from the first scheduling
    options: bytes = b""  # the ActivityOptions that took the place of the scheduled ones
    original: bytes = b""  # with ``options``: those that the scheduled event gave
    restores_options: bool = False  # the next attempt has the original options again


class Activity(msgspec.Struct, frozen=True, array_like=True):
    """One pending activity: what its scheduled event said, and how its attempts went (outside history).

    scheduled --start--> started --complete | fail for good | time out for good | cancel--> (gone)
        ^                   |
        +---- backing off <-+  fail or time out with attempts left
    """

    scheduled_event_id: int
    activity_id: str
    type_name: str
    queue: str
    first_scheduled_at: int
    schedule_to_close_ns: int
    schedule_to_start_ns: int
    start_to_close_ns: int
    heartbeat_ns: int
    retry_policy: bytes
    priority_key: int = 0
    cancel_requested_event_id: int = 0
    # outside history from here on
    attempt: int = 1
    attempt_scheduled_at: int = 0
    backing_off: bool = False  # waits for attempt_scheduled_at before it is offered
    started_at: int = 0
    identity: str = ""
    request_id: str = ""
    process: str = ""  # the engine process whose own worker runs the attempt; "" for a remote worker
    last_heartbeat_at: int = 0
    heartbeat_details: bytes = b""
    last_failure: bytes = b""
    last_attempt_completed_at: int = 0
    last_started_at: int = 0
    operations: Operations | None = None
    alone: bool = False  # no workflow's: its clocks run on while it is paused

    @property
    def started(self) -> bool:
        return self.started_at != 0

    @property
    def paused(self) -> bool:
        return self.operations is not None and self.operations.paused_at != 0

    @property
    def on_offer(self) -> bool:
        """Whether a poller may take the attempt now."""
        return not self.started and not self.backing_off and not self.paused

    @property
    def expires_from(self) -> int:
        """From when the schedule-to-close timeout counts."""
        return (self.operations.restarted_at if self.operations else 0) or self.first_scheduled_at


class Standalone(msgspec.Struct, frozen=True, array_like=True):
    """What a standalone activity has beside its attempts (``standalone.py``)."""

    start_delay_ns: int = 0
    heartbeats: int = 0
    sdk_name: str = ""  # of the worker that has, or had, the last attempt
    sdk_version: str = ""
    cancel_request_id: str = ""
    cancel_identity: str = ""
    cancel_reason: str = ""
    terminate_request_id: str = ""
    last: Activity | None = None  # the activity as it was when it closed
    links: int = 0  # how many there are
    operation_request_ids: dict[str, str] = {}  # the last request of each kind of operation


class Timer(msgspec.Struct, frozen=True, array_like=True):
    """A running user timer."""

    timer_id: str
    started_event_id: int
    fires_at: int


class Child(msgspec.Struct, frozen=True, array_like=True):
    """A pending child workflow.

    initiated --start--> started --close--> (gone)
    """

    initiated_event_id: int
    namespace: str
    workflow_id: str
    type_name: str
    parent_close_policy: int
    started_event_id: int = 0  # 0, too, while the event waits in the buffer
    run_id: str = ""  # the first run of the child's chain; "" until it is started

    @property
    def started(self) -> bool:
        return bool(self.run_id)


class ExternalRequest(msgspec.Struct, frozen=True, array_like=True):
    """A signal or a cancel request on its way to another workflow."""

    initiated_event_id: int
    namespace: str
    workflow_id: str
    run_id: str
    child_only: bool


class Update(msgspec.Struct, frozen=True, array_like=True):
    """An update that history knows.

    admitted (by a reset) --accept--> accepted --respond--> completed
    """

    accepted_event_id: int = 0
    completed_event_id: int = 0


class Pause(msgspec.Struct, frozen=True, array_like=True):
    """Who paused the run, when and why (``pause.py``)."""

    paused_at: int
    identity: str
    reason: str
    request_id: str


class WorkerVersion(msgspec.Struct, frozen=True, array_like=True):
    """What a worker said of itself."""

    deployment_name: str = ""
    build_id: str = ""
    versioned: bool = False  # the worker wants tasks by version; else its build is only a name
    behavior: int = 0  # VERSIONING_BEHAVIOR_* of the workflow


class TaskFailure(msgspec.Struct, frozen=True, array_like=True):
    """Why the latest workflow task failed or timed out (outside history: transient attempts leave no event)."""

    cause: int
    failure: bytes
    identity: str
    failed_at: int
    attempt: int


class ExecutionState(msgspec.Struct, array_like=True):
    """Everything that the engine knows about one run."""

    namespace_id: str
    workflow_id: str
    run_id: str
    # from WorkflowExecutionStarted
    workflow_type: str = ""
    queue: str = ""
    first_run_id: str = ""
    original_run_id: str = ""
    start_request_id: str = ""
    attempt: int = 1
    started_at: int = 0
    first_task_at: int = 0  # started_at + the first task's backoff: the visibility's execution time
    execution_timeout_ns: int = 0
    run_timeout_ns: int = 0
    task_timeout_ns: int = 0
    execution_expires_at: int = 0
    run_expires_at: int = 0
    retry_policy: bytes = b""
    cron_schedule: str = ""
    memo: bytes = b""
    search_attributes: bytes = b""
    user_metadata: bytes = b""
    priority: bytes = b""
    parent_workflow_id: str = ""
    parent_run_id: str = ""
    root_workflow_id: str = ""
    root_run_id: str = ""
    # progress
    status: int = 1
    closed_at: int = 0
    close_event_id: int = 0
    next_event_id: int = 1
    history_size: int = 0
    transitions: int = 0
    previous_started_event_id: int = 0  # of the last completed workflow task
    signal_count: int = 0
    cancel_requested: bool = False
    task: WorkflowTask | None = None
    activities: dict[int, Activity] = {}  # by scheduled event id
    activity_ids: dict[str, int] = {}  # pending activity id -> scheduled event id
    timers: dict[str, Timer] = {}  # by timer id
    # outside history
    request_ids: dict[str, int] = {}  # signal and cancel requests seen -> event type
    attached_request_ids: dict[str, int] = {}  # start requests attached by USE_EXISTING -> event id
    sticky_queue: str = ""
    sticky_timeout_ns: int = 0
    task_attempt: int = 1  # attempt of the next workflow task
    task_failure: TaskFailure | None = None
    task_wanted: bool = False  # something happened that the pending task's worker has not been shown
    buffered: list[bytes] = []  # HistoryEvents that wait for the started workflow task to end
    first_task_pending: bool = False  # the first workflow task waits for first_task_at
    delete_at: int = 0  # when a closed run is deleted
    reset_run_id: str = ""  # the latest run that goes on from a point of this one
    original_started_at: int = 0  # from history: started_at before any reset
    children: dict[int, Child] = {}  # by initiated event id
    external_signals: dict[int, ExternalRequest] = {}  # by initiated event id
    external_cancels: dict[int, ExternalRequest] = {}  # by initiated event id
    parent_initiated_event_id: int = 0
    parent_namespace_id: str = ""
    # outside history: what a closed run still has to do to others
    owed_children: dict[int, Child] = {}  # started children that the parent close policy has not been applied to
    owes_report: bool = False  # the parent has not been told
    # from events again
    updates: dict[str, Update] = {}  # by update id
    # outside history
    task_failures: int = 0  # workflow tasks that failed or timed out since the last that was completed
    # from events again
    versioning_override: bytes = b""
    worker_version: WorkerVersion | None = None  # of the worker that completed the last workflow task
    reset_points: bytes = b""  # ResetPoints: where each build began to work on the chain
    pause: Pause | None = None  # the last one, if no unpause followed it
    # outside history
    standalone: Standalone | None = None  # the run is no workflow's but that of one activity

    @property
    def running(self) -> bool:
        """Whether the run is open: at work, or paused."""
        return self.status == RUNNING or self.status == PAUSED

    @property
    def paused(self) -> bool:
        return self.status == PAUSED


RUNNING = 1
"""``WORKFLOW_EXECUTION_STATUS_RUNNING``; asserted against the descriptors in ``tables``."""
PAUSED = 8
"""``WORKFLOW_EXECUTION_STATUS_PAUSED``; the same."""


def on_delay_over(state: ExecutionState, _: None, __: None) -> None:
    """Something that may not wait has come: the first workflow task need not wait for its backoff any longer."""
    state.first_task_pending = False
