"""A node dies after any commit while schedules act: the next one brings about what would have been without it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hand_driven import EPOCH, SECOND, Driven, HandClock, settle
from node_calls import call

from outlast.api.enums import v1 as _e
from outlast.server.node import Node
from outlast.storage.errors import StorageClosed
from outlast.storage.memory import MemoryStorage
from outlast.storage.port import Commit
from outlast.vocab.errors import NotFound

WORKFLOW = {"workflow_id": "report", "workflow_type": {"name": "Order"}, "task_queue": {"name": "orders"}}
TERMINATE_OTHER = _e.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER


class Mortal(MemoryStorage):
    """Keeps so many commits, then none until it is revived; None = all."""

    def __init__(self, allowed: int | None) -> None:
        super().__init__()
        self._allowed = allowed
        self.dead = False

    def commit(self, unit: Sequence[Commit]) -> asyncio.Future[None]:
        if self._allowed == 0:
            self.dead = True
        if self.dead:
            lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            lost.set_exception(StorageClosed("gone"))
            return lost
        if self._allowed is not None:
            self._allowed -= 1
        return super().commit(unit)

    def revive(self) -> None:
        self.dead, self._allowed = False, None

    async def close(self) -> None:
        pass


async def create(node: Driven) -> None:
    await node.call(
        "CreateSchedule",
        schedule_id="reports",
        request_id="create",
        schedule={
            "spec": {"interval": [{"interval": {"seconds": 60}}]},
            "action": {"start_workflow": WORKFLOW},
            "policies": {"overlap_policy": _e.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL},
            "state": {"limited_actions": True, "remaining_actions": 3},
        },
    )


def trigger(request_id: str) -> Callable[[Driven], Awaitable[None]]:
    async def step(node: Driven) -> None:
        patch = {"trigger_immediately": {"overlap_policy": TERMINATE_OTHER}}
        await node.call("PatchSchedule", schedule_id="reports", patch=patch, request_id=request_id)

    return step


def at(seconds: int) -> Callable[[Driven], Awaitable[None]]:
    async def step(node: Driven) -> None:
        await node.clock.advance(max(EPOCH + seconds * SECOND - node.clock.now(), 0))

    return step


async def describe(node: Driven) -> None:
    await node.call("DescribeSchedule", schedule_id="reports")


STEPS = [create, at(61), trigger("one"), at(121), trigger("two"), at(301), describe]


async def life(allowed: int | None) -> tuple[dict[Any, int], Any, bool]:
    """The workflows with their states, what the schedule says of itself, and whether the store died."""
    storage, clock, died = Mortal(allowed), HandClock(), False
    node = await Node.open(storage, clock=clock)
    for step in STEPS:
        while True:
            try:
                await step(Driven(node, clock))
                await settle()
            except StorageClosed:
                assert storage.dead
            if not storage.dead:
                break
            died = True
            await node.close()
            clock._alarms.clear()
            storage.revive()
            node = await Node.open(storage, clock=clock)
            await settle()
    driven = Driven(node, clock)
    page = await driven.call("ListWorkflowExecutions")
    found = Counter((each.execution.workflow_id, each.status) for each in page.executions)
    info = (await driven.call("DescribeSchedule", schedule_id="reports")).info
    told = (info.action_count, info.missed_catchup_window, info.overlap_skipped, len(info.running_workflows))
    await node.close()
    return dict(found), told, died


async def test_a_crash_after_any_commit_changes_nothing() -> None:
    expected, told, _ = await life(None)
    states = Counter(status for _, status in expected)
    assert states == {_e.WORKFLOW_EXECUTION_STATUS_RUNNING: 4, _e.WORKFLOW_EXECUTION_STATUS_TERMINATED: 1}
    assert told == (5, 0, 0, 1)
    crashes = 0
    for allowed in range(100):
        found, after, died = await life(allowed)
        assert (found, after) == (expected, told), f"the store died after commit {allowed}"
        crashes += died
        if not died:
            break
    assert crashes > 10


async def test_schedules_go_with_their_namespace() -> None:
    storage, clock = Mortal(None), HandClock()
    node = await Node.open(storage, clock=clock, namespaces=("default", "shop"))
    shop = Driven(node, clock)
    schedule = {
        "spec": {"interval": [{"interval": {"seconds": 60}}]},
        "action": {"start_workflow": WORKFLOW},
    }
    await shop.call("CreateSchedule", namespace="shop", schedule_id="s", request_id="s", schedule=schedule)
    await shop.pass_time(50)
    assert (await shop.call("CountWorkflowExecutions", namespace="shop")).count == 1
    namespace_id = node.namespaces.id_of("shop")
    await call(node, "DeleteNamespace", namespace="shop")
    await node.idle()
    await shop.pass_time(600)
    for division_id in (namespace_id, f"{namespace_id}/schedule"):
        assert await storage.count_executions(division_id) == 0
    with pytest.raises(NotFound):
        await node.schedules.find(namespace_id, "s")
    await node.close()
