"""When the worker takes an attempt for timed out by itself, in case the server never says so.

Rule: pure arithmetic on monotonic instants. The server gets five seconds more than its own timeouts, because it
decides; this is for attempts that nobody would ever tell. Source: sdk-core ``worker/activities.rs``.
"""

from __future__ import annotations

from outlast.api.workflowservice.v1 import PollActivityTaskQueueResponse
from outlast.vocab.times import SECOND_NS, from_duration, from_timestamp

GRACE_NS = 5 * SECOND_NS


class AttemptDeadline:
    """The deadlines of one attempt.

    Attributes:
        close_at: end of the attempt, without the grace; None when it may run for ever.
        heard_at: of the last heartbeat, or the start.
    """

    __slots__ = ("_heartbeat_ns", "close_at", "heard_at")

    def __init__(self, task: PollActivityTaskQueueResponse, now: int) -> None:
        """The attempt starts ``now``, monotonic ns."""
        limits = []
        start_to_close = from_duration(task.start_to_close_timeout)
        if start_to_close:
            limits.append(start_to_close)
        schedule_to_close = from_duration(task.schedule_to_close_timeout)
        if schedule_to_close:
            # Both instants are the server's, so its clock need not agree with ours.
            spent = from_timestamp(task.started_time) - from_timestamp(task.scheduled_time)
            limits.append(max(0, schedule_to_close - max(0, spent)))
        self.close_at = now + min(limits) if limits else None
        self.heard_at = now
        self._heartbeat_ns = from_duration(task.heartbeat_timeout)

    def next_at(self) -> int | None:
        """When to look again, with the grace; None for never."""
        instants = []
        if self.close_at is not None:
            instants.append(self.close_at)
        if self._heartbeat_ns:
            instants.append(self.heard_at + self._heartbeat_ns)
        return min(instants) + GRACE_NS if instants else None
