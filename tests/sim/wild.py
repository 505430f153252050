"""A wilder life: updates, queries, resets, crons, deletions, operators and a store that now and then keeps nothing.

Built on ``tests/server/life.py``. What may wait long runs beside the steps; when the life ends, all of it has ended.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import checkers
from brain import payloads
from hand_driven import Driven, settle
from life import WEIGHTS, Life
from test_update import accept, reject, respond

from outlast.api.update.v1 import Request
from outlast.server.node import Node
from outlast.storage.errors import Conflict, StorageBusy, StorageError
from outlast.storage.memory import MemoryStorage
from outlast.storage.port import Commit
from outlast.vocab.errors import ServiceError


class FailingStorage(MemoryStorage):
    """Storage that refuses units when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.refusal: StorageError | None = None

    def commit(self, unit: Sequence[Commit]) -> asyncio.Future[None]:
        if self.refusal is None:
            return super().commit(unit)
        refusal, self.refusal = self.refusal, None
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lost.set_exception(refusal)
        return lost


class WildLife(Life):
    """See the module."""

    weights = WEIGHTS | {
        "update": 6,
        "query": 4,
        "reset": 2,
        "delete": 1,
        "start_cron": 2,
        "fault": 3,
    }

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.storage: FailingStorage = FailingStorage()
        self.waiting: list[asyncio.Task[Any]] = []
        self.acknowledged: list[tuple[str, str]] = []
        """Run id and signal name of every signal that the server has taken."""
        self.deleted: set[str] = set()
        """Run ids."""
        self.laws: list[ModuleType] = checkers.ALL
        self.sent = 0

    async def check(self) -> None:
        await super().check()
        for law in self.laws:
            await law.check(self)

    async def crash(self) -> None:
        survives = copy.deepcopy(self.storage)
        await self.server.node.close()
        await asyncio.gather(*self.waiting, return_exceptions=True)
        self.waiting.clear()
        survives.refusal = None
        self.storage = survives
        self.checked.clear()
        self.server = Driven(await Node.open(self.storage, clock=self.clock), self.clock)
        await settle()

    # -- clients ---------------------------------------------------------------------------------------------------

    def _begin(self, rpc: str, **fields: Any) -> None:
        self.waiting.append(asyncio.create_task(self.server.call(rpc, **fields)))

    async def signal(self) -> None:
        """A signal with a name of its own, so that it can be found again."""
        workflow_id = self.workflow_id()
        name = f"signal-{self.sent}"
        self.sent += 1
        run_id = await self.server.node.runs.current_run_id(self.server.node.namespaces.id_of("default"), workflow_id)
        await self.server.signal(name, workflow_id)
        self.acknowledged.append((run_id or "", name))

    async def update(self) -> None:
        self.sent += 1
        self._begin(
            "UpdateWorkflowExecution",
            workflow_execution={"workflow_id": self.workflow_id()},
            wait_policy={"lifecycle_stage": self.random.choice([2, 3])},
            request={"meta": {"update_id": f"update-{self.random.randrange(30)}"}, "input": {"name": "add"}},
        )

    async def query(self) -> None:
        self._begin("QueryWorkflow", execution={"workflow_id": self.workflow_id()}, query={"query_type": "stage"})

    async def reset(self) -> str:
        workflow_id = self.workflow_id()
        names = await self.server.names("", workflow_id)
        ends = [at + 1 for at, name in enumerate(names) if name in ("WorkflowTaskCompleted", "WorkflowTaskFailed")]
        answer = await self.server.call(
            "ResetWorkflowExecution",
            workflow_execution={"workflow_id": workflow_id},
            workflow_task_finish_event_id=self.random.choice(ends or [3]),
            request_id=f"reset-{self.random.randrange(50)}",
            reason="try again",
        )
        return f"{workflow_id} {bool(answer.run_id)}"

    async def delete(self) -> None:
        workflow_id = self.workflow_id()
        node = self.server.node
        run_id = await node.runs.current_run_id(node.namespaces.id_of("default"), workflow_id)
        self.deleted.add(run_id or "")
        await self.server.call("DeleteWorkflowExecution", workflow_execution={"workflow_id": workflow_id})

    async def start_cron(self) -> None:
        options = {key: value for key, value in self._options().items() if key != "workflow_start_delay"}
        await self.server.start(self.workflow_id(), cron_schedule="* * * * *", **options)

    async def fault(self) -> str:
        """The store keeps nothing of the next change."""
        self.storage.refusal = self.random.choice([Conflict("run", 1, 2), StorageBusy("the disk is slow")])
        name = self.random.choice(["signal", "complete", "poll_activity", "complete_activity", "pass_time", "start"])
        try:
            outcome = await getattr(self, name)()
        except (ServiceError, StorageError) as error:
            outcome = f"refused: {type(error).__name__}"
        await settle()
        self.storage.refusal = None
        await self.server.pass_time(1)
        return f"{name}: {outcome}"

    # -- workers ---------------------------------------------------------------------------------------------------

    async def answer_query(self, task: Any) -> str:
        await self.server.call(
            "RespondQueryTaskCompleted", task_token=task.task_token, completed_type=1, query_result=payloads(b"7")
        )
        return "answered a query"

    def answers(self, task: Any) -> dict[str, Any]:
        messages = []
        for message in task.messages:
            request = Request()
            assert message.body.Unpack(request)
            choice = self.random.random()
            update_id = request.meta.update_id
            if choice < 0.6:
                messages.append(accept(update_id, accepted_request=request))
                if choice < 0.3:
                    messages.append(respond(update_id))
            elif choice < 0.8:
                messages.append(reject(update_id))
        execution = task.workflow_execution
        for run in self.server.node.runs.all():
            if run.key.run_id == execution.run_id:
                pending = [one for one, known in run.state.updates.items() if known.accepted_event_id]
                messages += [
                    respond(one)
                    for one in pending
                    if not run.state.updates[one].completed_event_id and self.random.random() < 0.5
                ]
        results = {query_id: {"result_type": 1, "answer": payloads(b"7")} for query_id in task.queries}
        return {"messages": messages, "query_results": results}

    # -- the end ---------------------------------------------------------------------------------------------------

    async def end_all(self) -> None:
        answer = await self.server.call("ListWorkflowExecutions", query="CloseTime IS NULL", page_size=1000)
        node = self.server.node
        for listed in answer.executions:
            run = await node.runs.find(node.namespaces.id_of("default"), listed.execution.workflow_id)
            if run.state.running and run.state.cron_schedule:  # it would go on for ever
                execution = {"workflow_id": run.key.workflow_id}
                await self.server.call("TerminateWorkflowExecution", workflow_execution=execution)
        await super().end_all()
        await self.server.pass_time(30)
        late = [call for call in self.waiting if not call.done()]
        assert not late, f"seed {self.seed}: {len(late)} calls still wait, after\n" + "\n".join(self.steps)
        for call in self.waiting:
            error = call.exception()
            assert error is None or isinstance(error, ServiceError | StorageError), error
        for law in self.laws:
            await law.at_the_end(self)
