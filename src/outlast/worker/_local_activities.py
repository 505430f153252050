"""Local activities: run inside a workflow task, tried again here as long as the wait is short.

Rule: a run's local activities go on while its workflow task is handed in and taken up again; they end when the run is
thrown out of the cache. A timeout ends the attempt for the workflow at once, whether or not its code reacts.

    slot? -> attempt --result | failure for good | backoff above the threshold--> outcome
      ^---- short backoff ----|

Source: sdk-core ``local_activities.rs``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from outlast.activity import ActivityCancellationDetails
from outlast.api.common.v1 import Payload
from outlast.api.enums.v1 import (
    TIMEOUT_TYPE_SCHEDULE_TO_CLOSE,
    TIMEOUT_TYPE_SCHEDULE_TO_START,
    TIMEOUT_TYPE_START_TO_CLOSE,
)
from outlast.api.failure.v1 import CanceledFailureInfo, Failure, TimeoutFailureInfo
from outlast.replay import LocalOutcome, LocalTask
from outlast.vocab import retry

from ._activity_tasks import ActivityTasks
from ._local_attempt import TIMED_OUT, LocalAttempt, local_attempt
from ._slot_suppliers import ActivitySlot, Pool

_CANCEL_REQUESTED = ActivityCancellationDetails(cancel_requested=True)
_SHUTDOWN = ActivityCancellationDetails(worker_shutdown=True)


class LocalActivities:
    """All local activities of a worker.

    Attributes:
        handing_over: the worker stops: workflow tasks are not to wait for local activities any longer.
    """

    def __init__(self, worker: ActivityTasks, slots: Pool) -> None:
        self.worker = worker
        self.slots = slots
        self.handing_over = False
        self._waiting: set[LocalWork] = set()
        self._attempts: dict[asyncio.Task[Payload | Failure], LocalAttempt] = {}

    def begin(self, attempt: LocalAttempt) -> asyncio.Task[Payload | Failure]:
        """Run an attempt; it is kept until it ends, even when nobody waits for it any longer."""
        running = asyncio.get_running_loop().create_task(attempt.outcome())
        self._attempts[running] = attempt
        running.add_done_callback(lambda ended: self._attempts.pop(ended, None))
        return running

    def enter(self, work: LocalWork) -> None:
        """A workflow task waits for this run's local activities."""
        self._waiting.add(work)

    def leave(self, work: LocalWork) -> None:
        """It waits no longer."""
        self._waiting.discard(work)

    def hand_over(self) -> None:
        """Let no workflow task wait any longer: other workers are to have them."""
        self.handing_over = True
        for work in self._waiting:
            work.wake()

    async def drain(self) -> None:
        """Cancel what runs, and wait for its end."""
        for attempt in list(self._attempts.values()):
            attempt.cancel(_SHUTDOWN)
        while self._attempts:
            await asyncio.wait(list(self._attempts))


class LocalWork:
    """The local activities of one run."""

    def __init__(self, all_runs: LocalActivities) -> None:
        self._all = all_runs
        self._executions: dict[int, _Execution] = {}
        self._outcomes: list[LocalOutcome] = []
        self._changed = asyncio.Event()

    def start(self, task: LocalTask) -> None:
        """Begin a local activity."""
        execution = self._executions[task.seq] = _Execution(self._all, task)
        execution.running = asyncio.get_running_loop().create_task(self._run(execution))

    async def _run(self, execution: _Execution) -> None:
        seq = execution.task.seq
        try:
            outcome = await execution.run()
            self._outcomes.append(outcome)
        finally:
            self._executions.pop(seq, None)
            self._changed.set()

    def cancel(self, seq: int) -> None:
        """Ask one to stop; one that has ended is left alone."""
        execution = self._executions.get(seq)
        if execution is not None:
            execution.cancel()

    def wake(self) -> None:
        """End ``outcomes`` early."""
        self._changed.set()

    async def outcomes(self, until: int) -> Sequence[LocalOutcome]:
        """What has ended since the last call.

        Args:
            until: monotonic ns to wait at most.

        Returns:
            At least one, unless the time is up or the worker hands its tasks over.
        """
        self._all.enter(self)
        try:
            while not self._outcomes and not self._all.handing_over:
                wait = (until - time.monotonic_ns()) / 1e9
                if wait <= 0:
                    break
                self._changed.clear()
                try:
                    async with asyncio.timeout(wait):
                        await self._changed.wait()
                except TimeoutError:
                    break
        finally:
            self._all.leave(self)
        ended, self._outcomes = self._outcomes, []
        return ended

    def give_up(self) -> None:
        """The run is thrown away: stop everything."""
        for execution in list(self._executions.values()):
            execution.give_up()


class _Execution:
    """One local activity, over its attempts.

    Attributes:
        running: the asyncio task of ``run``.
    """

    def __init__(self, all_runs: LocalActivities, task: LocalTask) -> None:
        self.task = task
        self.running: asyncio.Task[None] | None = None
        self._all = all_runs
        self._attempt: LocalAttempt | None = None
        self._cancelled = asyncio.Event()
        now = time.monotonic_ns()
        self._close_at: int | None = None
        if task.schedule_to_close_ns:
            spent = time.time_ns() - task.original_scheduled_at if task.attempt else 0
            self._close_at = now + task.schedule_to_close_ns - max(0, spent)
        self._start_by = now + task.schedule_to_start_ns if task.schedule_to_start_ns else None

    def cancel(self) -> None:
        self._cancelled.set()
        if self._attempt is not None:
            self._attempt.cancel(_CANCEL_REQUESTED)

    def give_up(self) -> None:
        self.cancel()
        if self.running is not None:
            self.running.cancel()

    async def run(self) -> LocalOutcome:
        """Try until it has ended for this workflow task."""
        number = max(1, self.task.attempt)
        while True:
            began = time.monotonic_ns()
            ended = await self._once(number)
            runtime = time.monotonic_ns() - began
            if isinstance(ended, Payload):
                return LocalOutcome(seq=self.task.seq, attempt=number, runtime_ns=runtime, result=ended)
            backoff = self._backoff(number, ended)
            if backoff is None or backoff > self.task.retry_threshold_ns:
                return LocalOutcome(
                    seq=self.task.seq, attempt=number, runtime_ns=runtime, failure=ended, backoff_ns=backoff
                )
            stopped = await self._sleep(backoff)
            if stopped is not None:
                return LocalOutcome(seq=self.task.seq, attempt=number, runtime_ns=runtime, failure=stopped)
            number += 1

    def _backoff(self, number: int, failure: Failure) -> int | None:
        if failure.HasField("canceled_failure_info"):
            return None
        return retry.decide(
            self.task.retry_policy,
            attempt=number,
            failure=failure,
            now=0,
            expires_at=None,
            cancel_requested=self._cancelled.is_set(),
            is_workflow=False,
        ).delay_ns

    async def _once(self, number: int) -> Payload | Failure:
        """One attempt: its result, or why it has none."""
        scheduled_at = time.time_ns()
        limits = [(self._close_at, TIMEOUT_TYPE_SCHEDULE_TO_CLOSE), (self._start_by, TIMEOUT_TYPE_SCHEDULE_TO_START)]
        refused = await self._await_slot(limits)
        if refused is not None:
            return refused
        self._start_by = None
        attempt = self._attempt = local_attempt(self._all.worker, self.task, number, scheduled_at)
        running = self._all.begin(attempt)
        self._all.slots.use(attempt, lambda: ActivitySlot(self.task.activity_type))
        running.add_done_callback(lambda _: self._all.slots.done(attempt))
        limits = [(self._close_at, TIMEOUT_TYPE_SCHEDULE_TO_CLOSE)]
        if self.task.start_to_close_ns:
            limits.append((time.monotonic_ns() + self.task.start_to_close_ns, TIMEOUT_TYPE_START_TO_CLOSE))
        at, kind = _first(limits)
        try:
            await asyncio.wait((running,), timeout=_seconds_until(at))
            if running.done():
                return running.result()
            attempt.cancel(TIMED_OUT)
            return _timeout(kind)
        finally:
            self._attempt = None

    async def _await_slot(self, limits: Sequence[tuple[int | None, int]]) -> Failure | None:
        """Take a slot; the failure when that took too long or was cancelled."""
        if self._cancelled.is_set():
            return _cancelled()
        if self._all.slots.try_acquire(1):
            return None
        at, kind = _first(limits)
        slot = asyncio.ensure_future(self._all.slots.acquire())
        stop = asyncio.ensure_future(self._cancelled.wait())
        try:
            await asyncio.wait((slot, stop), timeout=_seconds_until(at), return_when=asyncio.FIRST_COMPLETED)
            if slot.done():
                return None
            return _cancelled() if stop.done() else _timeout(kind)
        finally:
            stop.cancel()
            if not slot.done():
                slot.cancel()

    async def _sleep(self, nanoseconds: int) -> Failure | None:
        """Wait between attempts; the failure when there will not be another one."""
        wake_at = time.monotonic_ns() + nanoseconds
        at, _ = _first([(wake_at, 0), (self._close_at, 0)])
        try:
            async with asyncio.timeout(_seconds_until(at)):
                await self._cancelled.wait()
            return _cancelled()
        except TimeoutError:
            return None if at == wake_at else _timeout(TIMEOUT_TYPE_SCHEDULE_TO_CLOSE)


def _first(limits: Sequence[tuple[int | None, int]]) -> tuple[int | None, int]:
    """The earliest instant, and what it stands for."""
    known = [(at, kind) for at, kind in limits if at is not None]
    return min(known) if known else (None, 0)


def _seconds_until(at: int | None) -> float | None:
    return None if at is None else max(0.0, (at - time.monotonic_ns()) / 1e9)


def _timeout(kind: int) -> Failure:
    info = TimeoutFailureInfo(timeout_type=kind)
    return Failure(message="Activity timed out", timeout_failure_info=info)


def _cancelled() -> Failure:
    return Failure(message="Activity cancelled", canceled_failure_info=CanceledFailureInfo())
