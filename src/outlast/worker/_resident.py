"""A run in the worker's cache: the code's state, and the local activities that run for it."""

from __future__ import annotations

from outlast.converter import PayloadCodec
from outlast.replay import Run
from outlast.replay.run import Answer

from ._codec_contexts import RunCodecs
from ._deadlock import Watchdog
from ._local_activities import LocalActivities, LocalWork

# Share of the workflow task's timeout after which it is handed in, to be taken up anew. Source: sdk-core.
_HEARTBEAT_SHARE = 0.8
_DEFAULT_TIMEOUT_NS = 10_000_000_000


class Resident:
    """One run that the worker holds.

    Attributes:
        run: the brain.
        codecs: the codec, in the contexts of this run if it has any; None before the first task and without a codec.
    """

    __slots__ = ("_local", "_watchdog", "_work", "codecs", "run")

    def __init__(self, run: Run, local: LocalActivities, watchdog: Watchdog) -> None:
        self.run = run
        self.codecs: RunCodecs | PayloadCodec | None = None
        self._watchdog = watchdog
        self._local = local
        self._work: LocalWork | None = None

    async def finish(self, began: int) -> Answer:
        """Run local activities until the workflow task has its answer, or has to be handed in without them.

        Args:
            began: monotonic ns at which the task arrived.

        Raises:
            DeadlockError: the workflow's code did not yield.
        """
        run, work = self.run, self._work
        if work is None:
            work = self._work = LocalWork(self._local)
        heartbeat_at = began + int((run.task_timeout_ns or _DEFAULT_TIMEOUT_NS) * _HEARTBEAT_SHARE)
        answer: Answer | None = None
        while answer is None:
            self._dispatch(work)
            ended = await work.outcomes(heartbeat_at)
            answer = self._watchdog.call(run.resolve, ended) if ended else run.heartbeat()
        self._dispatch(work)
        return answer

    def _dispatch(self, work: LocalWork) -> None:
        starts, cancels = self.run.local_work()
        for task in starts:
            work.start(task)
        for seq in cancels:
            work.cancel(seq)

    @property
    def weight(self) -> int:
        """Bytes, about: of its history, which what the code keeps of it grows with."""
        return self.run.history_bytes

    def evict(self) -> None:
        """Drop everything that the run holds."""
        if self._work is not None:
            self._work.give_up()
        self.run.evict()
