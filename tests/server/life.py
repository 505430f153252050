"""One random life of a node: what clients, workers, time and crashes do to it, step by step, drawn from a seed.

A failure names its seed and the steps that led to it; ``Life(seed).run()`` repeats it.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import random
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from unittest import mock

import laws
from brain import command, complete_workflow, fail_workflow, schedule_activity, seconds, start_timer
from hand_driven import Driven, HandClock, settle

from outlast.api.enums import v1 as e
from outlast.engine.execution import due
from outlast.server.node import Node
from outlast.storage.errors import StorageError
from outlast.storage.memory import MemoryStorage
from outlast.storage.port import RunKey
from outlast.vocab.errors import ServiceError

STEPS = 120
WEIGHTS = {
    "start": 6,
    "signal": 8,
    "signal_with_start": 2,
    "cancel": 2,
    "terminate": 1,
    "poll": 16,
    "poll_sticky": 6,
    "complete": 16,
    "fail": 3,
    "poll_activity": 12,
    "heartbeat": 3,
    "complete_activity": 6,
    "fail_activity": 6,
    "cancel_activity": 2,
    "operate": 6,
    "pause": 3,
    "unpause": 3,
    "change_options": 1,
    "pass_time": 8,
    "reset_sticky": 1,
    "crash": 2,
}


@contextlib.contextmanager
def ids_drawn_from(seed: int) -> Iterator[None]:
    """Ids that are new on every run would settle what ties otherwise: they are drawn from the seed, too."""
    drawn = random.Random(seed)

    def next_id() -> uuid.UUID:
        return uuid.UUID(int=drawn.getrandbits(128), version=4)

    with mock.patch("uuid.uuid4", next_id):
        yield


class Life:
    """The node, the tasks that workers hold, and what has been done."""

    weights = WEIGHTS

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seed = seed
        self.clock = HandClock()
        self.storage = MemoryStorage()
        self.tasks: list[Any] = []
        self.activities: list[Any] = []
        self.steps: list[str] = []
        self.checked: dict[RunKey, int] = {}

    async def open(self) -> None:
        self.server = Driven(await Node.open(self.storage, clock=self.clock), self.clock)
        await settle()

    async def run(self) -> None:
        with ids_drawn_from(self.seed):
            await self.open()
            for _ in range(STEPS):
                (name,) = self.random.choices(list(self.weights), list(self.weights.values()))
                await self.step(name)
            await self.end_all()
            await self.server.node.close()

    async def step(self, name: str) -> None:
        act: Callable[[], Awaitable[Any]] = getattr(self, name)
        try:
            outcome = await act()
        except (ServiceError, StorageError) as error:
            outcome = f"refused: {type(error).__name__}"
        await self.server.pass_time(0)
        self.steps.append(f"{name}: {outcome}")
        try:
            await self.check()
        except Exception as error:
            story = "\n".join(self.steps)
            raise AssertionError(f"seed {self.seed}, after\n{story}\n{error}") from error

    async def check(self) -> None:
        """The laws, after every step."""
        await laws.check(self.server.node, self.checked)

    def workflow_id(self) -> str:
        return f"order-{self.random.randrange(3)}"

    def maybe(self, **fields: Any) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if self.random.random() < 0.3}

    # -- clients ---------------------------------------------------------------------------------------------------

    def _options(self) -> dict[str, Any]:
        return {
            "request_id": f"request-{self.random.randrange(20)}",
            **self.maybe(
                workflow_id_conflict_policy=self.random.choice([1, 2, 3]),
                workflow_id_reuse_policy=self.random.choice([1, 2, 3]),
                workflow_run_timeout=seconds(self.random.choice([5, 60])),
                workflow_execution_timeout=seconds(100),
                retry_policy={"initial_interval": seconds(2), "maximum_attempts": self.random.choice([0, 2])},
                workflow_start_delay=seconds(7),
                workflow_task_timeout=seconds(3),
            ),
        }

    async def start(self) -> str:
        return await self.server.start(self.workflow_id(), **self._options())

    async def signal(self) -> None:
        request_id = self.random.choice(["", f"signal-{self.random.randrange(20)}"])
        await self.server.signal("approve", self.workflow_id(), request_id=request_id)

    async def signal_with_start(self) -> str:
        options = {"workflow_type": {"name": "Order"}, "task_queue": {"name": "orders"}, **self._options()}
        answer = await self.server.call(
            "SignalWithStartWorkflowExecution", workflow_id=self.workflow_id(), signal_name="hello", **options
        )
        return str(answer.run_id)

    async def cancel(self) -> None:
        await self.server.call("RequestCancelWorkflowExecution", workflow_execution={"workflow_id": self.workflow_id()})

    async def terminate(self) -> None:
        await self.server.call("TerminateWorkflowExecution", workflow_execution={"workflow_id": self.workflow_id()})

    # -- operators -------------------------------------------------------------------------------------------------

    async def operate(self) -> str:
        """Pause, unpause, reset or change activities; without a jitter, for lives are repeatable."""
        rpc, fields = self.random.choice(
            [
                ("PauseActivity", {}),
                ("UnpauseActivity", self.maybe(reset_attempts=True, reset_heartbeat=True)),
                ("ResetActivity", self.maybe(keep_paused=True, reset_heartbeat=True, restore_original_options=True)),
                ("UpdateActivityOptions", {"restore_original": True}),
                ("UpdateActivityOptions", _changes(self.random)),
            ]
        )
        which = {"type": "charge"} if self.random.random() < 0.4 else {"id": str(self.random.randrange(4))}
        workflow_id = self.workflow_id()
        await self.server.call(rpc, execution={"workflow_id": workflow_id}, **which, **fields)
        return f"{rpc} {workflow_id} {which} {sorted(fields)}"

    async def pause(self) -> None:
        request_id = self.random.choice(["", f"pause-{self.random.randrange(5)}"])
        await self.server.call("PauseWorkflowExecution", workflow_id=self.workflow_id(), request_id=request_id)

    async def unpause(self) -> None:
        request_id = self.random.choice(["", f"unpause-{self.random.randrange(5)}"])
        await self.server.call("UnpauseWorkflowExecution", workflow_id=self.workflow_id(), request_id=request_id)

    async def change_options(self) -> None:
        await self.server.call(
            "UpdateWorkflowExecutionOptions",
            workflow_execution={"workflow_id": self.workflow_id()},
            workflow_execution_options={"priority": {"priority_key": self.random.choice([1, 5])}},
            update_mask={"paths": ["priority"]},
        )

    async def pass_time(self) -> int:
        length = self.random.choice([1, 100, 1000, 2000, 10_000, 70_000])
        await self.server.pass_time(length / 1000)
        return length

    async def pass_to_deadline(self) -> None:
        """Let time pass until the next run wants attention: at that instant nothing has timed out unasked."""
        deadlines = [due.next_deadline(run.state) for run in self.server.node.runs.all()]
        at = min((one for one in deadlines if one is not None), default=self.clock.now())
        await self.clock.advance(at - self.clock.now())

    async def crash(self) -> None:
        """The process is gone: what the store has is what there is."""
        survives = copy.deepcopy(self.storage)
        await self.server.node.close()
        self.storage = survives
        self.checked.clear()
        await self.open()

    # -- workflow workers ------------------------------------------------------------------------------------------

    async def _polled(self, rpc: str, queue: str) -> Any:
        """What waits in the queue, or None; the poll is given up then."""
        poll = asyncio.create_task(self.server.call(rpc, task_queue={"name": queue}))
        await settle()
        if not poll.done():
            poll.cancel()
        answers = await asyncio.gather(poll, return_exceptions=True)
        if isinstance(answers[0], asyncio.CancelledError):
            return None
        if isinstance(answers[0], BaseException):
            raise answers[0]
        return answers[0] if answers[0].task_token else None

    async def poll(self, queue: str = "orders") -> str:
        task = await self._polled("PollWorkflowTaskQueue", queue)
        if task is None:
            return "nothing"
        if task.query.query_type:
            return await self.answer_query(task)
        ids = [event.event_id for event in task.history.events]
        assert ids == list(range(ids[0], task.started_event_id + 1)), ids
        assert ids[0] == 1 or ids[0] == task.previous_started_event_id + 1
        self.tasks.append(task)
        return f"{task.workflow_execution.workflow_id} {ids}"

    async def answer_query(self, task: Any) -> str:
        """A query as a task of its own; nobody asks in this life."""
        raise AssertionError(f"a query came: {task.query}")

    def answers(self, task: Any) -> dict[str, Any]:
        """What a completion holds beside its commands."""
        return {}

    async def poll_sticky(self) -> str:
        return await self.poll("orders-sticky")

    def _held(self, tasks: list[Any]) -> Any:
        """A task that a worker has polled, not necessarily one that still counts; it may come again."""
        task = self.random.choice(tasks)
        if self.random.random() < 0.9:
            tasks.remove(task)
        return task

    async def complete(self) -> str:
        if not self.tasks:
            return "holds nothing"
        sticky = {"worker_task_queue": {"name": "orders-sticky"}, "schedule_to_start_timeout": seconds(5)}
        commands = _commands(self)
        task = self._held(self.tasks)
        answer = await self.server.call(
            "RespondWorkflowTaskCompleted",
            task_token=task.task_token,
            commands=commands,
            return_new_workflow_task=self.random.random() < 0.3,
            force_create_new_workflow_task=self.random.random() < 0.1,
            **self.maybe(sticky_attributes=sticky),
            **self.answers(task),
        )
        if answer.workflow_task.task_token:
            self.tasks.append(answer.workflow_task)
        self.activities.extend(answer.activity_tasks)
        return f"{task.workflow_execution.workflow_id} {[one.command_type for one in commands]}"

    async def fail(self) -> str:
        if not self.tasks:
            return "holds nothing"
        task = self._held(self.tasks)
        await self.server.call("RespondWorkflowTaskFailed", task_token=task.task_token, failure={"message": "bug"})
        return str(task.workflow_execution.workflow_id)

    async def reset_sticky(self) -> None:
        await self.server.call("ResetStickyTaskQueue", execution={"workflow_id": self.workflow_id()})

    # -- activity workers ------------------------------------------------------------------------------------------

    async def poll_activity(self) -> str:
        task = await self._polled("PollActivityTaskQueue", "orders")
        if task is None:
            return "nothing"
        self.activities.append(task)
        return f"{task.workflow_execution.workflow_id} {task.activity_id} attempt {task.attempt}"

    async def _report(self, rpc: str, **fields: Any) -> str:
        if not self.activities:
            return "holds nothing"
        task = self._held(self.activities)
        await self.server.call(rpc, task_token=task.task_token, **fields)
        return f"{task.workflow_execution.workflow_id} {task.activity_id}"

    async def heartbeat(self) -> str:
        return await self._report("RecordActivityTaskHeartbeat")

    async def complete_activity(self) -> str:
        return await self._report("RespondActivityTaskCompleted")

    async def fail_activity(self) -> str:
        failure = {
            "message": "declined",
            "application_failure_info": {"non_retryable": self.random.random() < 0.2},
        }
        return await self._report("RespondActivityTaskFailed", failure=failure)

    async def cancel_activity(self) -> str:
        return await self._report("RespondActivityTaskCanceled")

    # -- the end ---------------------------------------------------------------------------------------------------

    async def end_all(self) -> None:
        """A worker that completes every workflow it is asked for brings all of them to an end: no task was lost."""
        for _ in range(200):
            if not any(run.state.running for run in self.server.node.runs.all()):
                return
            for queue in ("orders", "orders-sticky"):
                while (task := await self._polled("PollWorkflowTaskQueue", queue)) is not None:
                    if task.query.query_type:
                        await self.answer_query(task)
                        continue
                    try:
                        await self.server.call(
                            "RespondWorkflowTaskCompleted",
                            task_token=task.task_token,
                            commands=[complete_workflow()],
                        )
                    except ServiceError as error:
                        self.steps.append(f"end: {error}")
            for run in self.server.node.runs.all():
                if run.state.paused:
                    await self.server.call("UnpauseWorkflowExecution", workflow_id=run.key.workflow_id)
                elif run.state.running and run.state.task is None:
                    await self.server.signal("end", run.key.workflow_id)
            await self.step("pass_to_deadline")
        still = [run.state.workflow_id for run in self.server.node.runs.all() if run.state.running]
        raise AssertionError(f"seed {self.seed}: {still} do not end, after\n" + "\n".join(self.steps))


def _changes(draw: random.Random) -> dict[str, Any]:
    options = {
        "start_to_close_timeout": seconds(draw.choice([2, 50])),
        "heartbeat_timeout": seconds(draw.choice([0, 3])),
        "retry_policy": {"initial_interval": seconds(4), "backoff_coefficient": 1, "maximum_attempts": 2},
        "priority": {"priority_key": draw.choice([1, 5])},
    }
    paths = draw.sample(sorted(options), 2)
    return {"activity_options": options, "update_mask": {"paths": paths}}


def _commands(life: Life) -> list[Any]:
    number = str(life.random.randrange(4))
    policy = {"initial_interval": seconds(1), "maximum_attempts": life.random.choice([0, 1, 3])}
    choices = [
        lambda: schedule_activity(number, retry_policy=policy, heartbeat_timeout=seconds(4)),
        lambda: schedule_activity(number, schedule_to_close_timeout=seconds(20)),
        lambda: schedule_activity(number, request_eager_execution=True),
        lambda: schedule_activity(number, schedule_to_start_timeout=seconds(2)),
        lambda: start_timer(number, life.random.choice([0, 1, 30])),
        lambda: command(e.COMMAND_TYPE_CANCEL_TIMER, timer_id=number),
        lambda: command(e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=life.random.randrange(5, 20)),
    ]
    choices += [
        lambda: command(
            e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
            workflow_id=life.random.choice(["child-0", "child-1", "order-1"]),
            workflow_type={"name": "Child"},
            parent_close_policy=life.random.choice([0, 1, 2, 3]),
            **life.maybe(workflow_run_timeout=seconds(6)),
        ),
        lambda: command(
            e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
            execution={"workflow_id": life.random.choice(["child-0", "order-0", "nobody"])},
            signal_name="from outside",
        ),
        lambda: command(
            e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
            workflow_id=life.random.choice(["child-1", "order-2", "nobody"]),
        ),
    ]
    commands = [life.random.choice(choices)() for _ in range(life.random.randrange(3))]
    end = life.random.random()
    if end < 0.06:
        commands.append(complete_workflow())
    elif end < 0.12:
        commands.append(fail_workflow())
    elif end < 0.15:
        commands.append(command(e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION))
    elif end < 0.20:
        commands.append(
            command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION, **life.maybe(workflow_run_timeout=seconds(9)))
        )
    return commands
