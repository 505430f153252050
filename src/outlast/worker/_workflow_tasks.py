"""Workflow tasks of one worker: polls, slots, and one task at a time per run.

Rule: a run works on one task at a time; a task that comes meanwhile waits for it and brings its own slot. What the
reply to a completion carries is worked on at once, without a poll.

    poll -> answer -> respond --- the reply carries the next task of the run? ---> answer -> respond ...
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from outlast.api.enums.v1 import TASK_QUEUE_KIND_NORMAL, TASK_QUEUE_KIND_STICKY
from outlast.api.taskqueue.v1 import TaskQueue
from outlast.api.workflowservice.v1 import PollWorkflowTaskQueueRequest, PollWorkflowTaskQueueResponse
from outlast.service import ServiceClient

from ._config import Link, Settings
from ._poller import Poller
from ._slot_suppliers import Pool, WorkflowTaskSlot
from ._workflow_answers import WorkflowAnswers, described

logger = logging.getLogger("outlast.worker")

Task = PollWorkflowTaskQueueResponse


class WorkflowTasks:
    """The workflow side of a worker.

    Attributes:
        slots: shown in the worker's heartbeats.
    """

    def __init__(
        self, settings: Settings, link: Link, answers: WorkflowAnswers, slots: Pool, sticky_slots: Pool
    ) -> None:
        self._settings = settings
        self._link = link
        self._answers = answers
        self.slots, self._sticky_slots = slots, sticky_slots
        self._waiting: dict[str, deque[tuple[Task, Pool]]] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._promised: set[asyncio.Future[None]] = set()
        self._registered_with: ServiceClient | None = None

    def welcome_eager_starts(self) -> None:
        """From now on, workflows that this worker's client starts may hand it their first task without a poll."""
        client = self._link.client.service_client
        if client.eager_workers.setdefault(self._eager_key, self._reserve) == self._reserve:
            self._registered_with = client

    def refuse_eager_starts(self) -> None:
        """The reverse; what was promised a slot already keeps it."""
        if self._registered_with is not None:
            self._registered_with.eager_workers.pop(self._eager_key, None)
            self._registered_with = None

    @property
    def _eager_key(self) -> tuple[str, str]:
        return self._settings.namespace, self._settings.task_queue

    def _reserve(self) -> Callable[[Task | None], None] | None:
        """Keep a slot for the first task of a workflow about to be started; None when there is none (rule 3.4.15)."""
        if not self.slots.try_acquire(1):
            return None
        promise: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._promised.add(promise)

        def deliver(task: Task | None) -> None:
            self._promised.discard(promise)
            promise.set_result(None)
            if task is None:
                self.slots.release()
            else:
                self._accept(task)

        return deliver

    @property
    def cached(self) -> int:
        """How many runs are kept in memory."""
        return self._answers.cached

    def poll_loops(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """One coroutine function per poll that may be open at a time."""
        settings = self._settings
        name = f"workflow tasks of {settings.task_queue!r} in namespace {settings.namespace!r}"
        normal = Poller(
            name,
            self._poll(sticky=False),
            self._accept,
            self.slots,
            scale=settings.normal_scale.make(),
            on_polls=settings.measuring_polls("workflow_task"),
        )
        sticky = Poller(
            f"this worker's own {name}",
            self._poll(sticky=True),
            self._accept_sticky,
            self._sticky_slots,
            scale=settings.sticky_scale.make(),
            on_polls=settings.measuring_polls("sticky_workflow_task"),
        )
        return [normal.run] * settings.normal_scale.loops + [sticky.run] * settings.sticky_scale.loops

    def _poll(self, *, sticky: bool) -> Callable[[], Awaitable[Task]]:
        settings = self._settings
        request = PollWorkflowTaskQueueRequest(
            namespace=settings.namespace,
            task_queue=queue(settings, sticky=sticky),
            identity=settings.identity,
            worker_instance_key=settings.instance_key,
        )
        settings.versioning.on_poll(request)
        return lambda: self._link.service.poll_workflow_task_queue(request)

    def _accept(self, task: Task) -> None:
        self._take(task, self.slots, is_sticky=False)

    def _accept_sticky(self, task: Task) -> None:
        self._take(task, self._sticky_slots, is_sticky=True)

    def _take(self, task: Task, slots: Pool, *, is_sticky: bool) -> None:
        """Take over a task and its slot."""
        slots.use(task, lambda: WorkflowTaskSlot(task.workflow_type.name, is_sticky))
        run_id = task.workflow_execution.run_id
        waiting = self._waiting.get(run_id)
        if waiting is not None:
            waiting.append((task, slots))
            return
        self._waiting[run_id] = deque()
        work = asyncio.get_running_loop().create_task(self._work(run_id, task, slots))
        self._working.add(work)
        work.add_done_callback(self._rested)
        self._measure_slots()

    def _rested(self, work: asyncio.Task[None]) -> None:
        self._working.discard(work)
        self._measure_slots()

    def _measure_slots(self) -> None:
        if self._settings.metrics is not None:
            self._settings.metrics.on_slots("WorkflowWorker", len(self._working), self.slots.total)

    async def _work(self, run_id: str, task: Task, slots: Pool) -> None:
        """Work on a run until it has no task left here."""
        waiting = self._waiting[run_id]
        while True:
            try:
                following: Task | None = task
                while following is not None:
                    following = await self._answers.answer(following)
            except Exception:
                # A bug of ours must not end the worker: the server times the task out and hands it out again.
                logger.exception("Workflow task of %s was dropped; this is a bug in outlast", described(task))
            finally:
                slots.done(task)
            if not waiting:
                del self._waiting[run_id]
                return
            task, slots = waiting.popleft()

    def stop(self) -> None:
        """The worker was told to stop: completions ask for nothing further."""
        self._answers.stopping = True
        self.refuse_eager_starts()

    async def drain(self) -> None:
        """Finish the tasks that are here, and forget all runs. Nothing polls any more."""
        while self._working or self._promised:
            await asyncio.wait(self._working | self._promised)
        self._answers.forget_runs()


def queue(settings: Settings, *, sticky: bool) -> TaskQueue:
    """The worker's task queue, or the one that only it polls."""
    if not sticky:
        return TaskQueue(name=settings.task_queue, kind=TASK_QUEUE_KIND_NORMAL)
    return TaskQueue(name=settings.sticky_queue, kind=TASK_QUEUE_KIND_STICKY, normal_name=settings.task_queue)
