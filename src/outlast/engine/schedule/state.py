"""The state of one schedule, as plain structs that msgspec writes to bytes and reads back.

Rule: only the ``on_*`` functions of this package write it. Instants are ns since the epoch with 0 for "not set";
lengths of time are ns. Messages are kept serialized where the engine only carries them. New fields come last, with
defaults, so that an older snapshot still reads.
"""

from __future__ import annotations

import msgspec


class Start(msgspec.Struct, frozen=True, array_like=True):
    """An action that waits for its turn, or whose workflow is about to be started.

    buffered --take--> starting --started--> (running) | --refused--> (none)
    """

    number: int
    """Names it within the schedule."""
    nominal_at: int
    at: int
    """With the jitter."""
    overlap: int = 0
    """SCHEDULE_OVERLAP_POLICY_*; 0 = the schedule's, at the moment when it is applied."""
    manual: bool = False
    """Triggered or backfilled: it does not count against the limit, and pausing does not stop it."""
    tracked: bool = True
    """Whether later actions wait for the workflow, and get its result."""


class Running(msgspec.Struct, frozen=True, array_like=True):
    """A workflow that was started, is tracked and has not been seen to close."""

    workflow_id: str
    run_id: str
    """Of the first run of the chain."""
    ending: int = 0
    """SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER or _TERMINATE_OTHER where a later action wants it gone."""
    told: bool = False
    """Whether it has been asked to end."""


class Recent(msgspec.Struct, frozen=True, array_like=True):
    """An action that was taken."""

    at: int
    started_at: int
    workflow_id: str
    run_id: str
    status: int
    """WORKFLOW_EXECUTION_STATUS_* as far as known."""


class Backfill(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of time whose actions are to be taken as if they were due now."""

    after: int
    until: int
    overlap: int = 0


class ScheduleState(msgspec.Struct, array_like=True):
    """Everything about one schedule."""

    namespace_id: str
    schedule_id: str
    run_id: str
    """New for every schedule that is created under the same id."""
    create_request_id: str = ""
    created_at: int = 0
    updated_at: int = 0
    memo: bytes = b""
    search_attributes: bytes = b""
    spec: bytes = b""
    """Canonical."""
    action: bytes = b""
    overlap: int = 0
    catchup_ns: int = 0
    pause_on_failure: bool = False
    keep_workflow_id: bool = False
    notes: str = ""
    paused: bool = False
    limited: bool = False
    remaining: int = 0
    token: int = 1
    """The conflict token: grows with every change of what users set."""
    done_until: int = 0
    """Times up to this instant are dealt with."""
    next_number: int = 1
    buffer: list[Start] = []
    starting: list[Start] = []
    backfills: list[Backfill] = []
    backfill_at: int = 0
    """When the next round of backfills is due."""
    running: list[Running] = []
    recent: list[Recent] = []
    actions: int = 0
    missed: int = 0
    overlapped: int = 0
    dropped: int = 0
    last_result: bytes = b""
    last_failure: bytes = b""
    request_ids: list[str] = []
    """Of the latest updates and patches, so that a repeated call changes nothing."""

    @property
    def seed(self) -> str:
        """What the jitter depends on beside the time."""
        return f"{self.namespace_id}-{self.schedule_id}"

    @property
    def waiting(self) -> int:
        """How many actions are due and have not been taken."""
        return len(self.buffer) + len(self.starting)

    def may_act(self) -> bool:
        """Whether an action that is due may be taken."""
        return not self.paused and (not self.limited or self.remaining > 0)
