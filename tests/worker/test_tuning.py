"""Tuners, slots of one's own, and polls whose number the server decides."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from programs import Call, CallLocal, greet
from test_embedded import QUEUE, client, start

from outlast import activity
from outlast.api.taskqueue.v1 import PollerScalingDecision
from outlast.client import Client
from outlast.worker import (
    ActivitySlotInfo,
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    PollerBehaviorAutoscaling,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    Worker,
    WorkerTuner,
    WorkflowSlotInfo,
)
from outlast.worker._scale import Scale
from outlast.worker._slot_suppliers import Load, LoadSlots

__all__ = ["client"]

MS = 1_000_000


@activity.defn(name="local")
async def local() -> str:
    return "local"


class Permit(SlotPermit):
    """Knows what it was asked for."""

    def __init__(self, wanted: SlotReserveContext) -> None:
        self.slot_type, self.is_sticky = wanted.slot_type, wanted.is_sticky
        self.task_queue = wanted.task_queue


class Ledger(CustomSlotSupplier):
    """Gives what is asked for, and writes everything down."""

    def __init__(self) -> None:
        self.held: set[SlotPermit] = set()
        self.used: list[tuple[str, str, bool]] = []
        self.released: Counter[str] = Counter()

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        await asyncio.sleep(0)
        return self._give(ctx)

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        return self._give(ctx)

    def _give(self, ctx: SlotReserveContext) -> Permit:
        permit = Permit(ctx)
        self.held.add(permit)
        return permit

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        assert isinstance(ctx.permit, Permit)
        assert ctx.permit in self.held
        info = ctx.slot_info
        if isinstance(info, WorkflowSlotInfo):
            assert info.is_sticky == ctx.permit.is_sticky
            self.used.append((ctx.permit.slot_type, info.workflow_type, info.is_sticky))
        else:
            assert isinstance(info, ActivitySlotInfo)
            self.used.append((ctx.permit.slot_type, info.activity_type, ctx.permit.is_sticky))

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        self.held.remove(ctx.permit)
        self.released["unused" if ctx.slot_info is None else "used"] += 1


async def test_a_supplier_of_ones_own_hears_of_every_slot(client: Client) -> None:
    ledger = Ledger()
    tuner = WorkerTuner.create_composite(
        workflow_supplier=ledger,
        activity_supplier=ledger,
        local_activity_supplier=ledger,
        nexus_supplier=FixedSizeSlotSupplier(1),
    )
    worker = Worker(client, task_queue=QUEUE, workflows=[Call, CallLocal], activities=[greet, local], tuner=tuner)
    async with worker:
        assert await (await start(client, Call.run, "greet", "bob", False)).result() == "hello bob"
        assert await (await start(client, CallLocal.run, "local")).result() == "local"
    assert not ledger.held
    assert ledger.released["used"] == len(ledger.used) and ledger.released["unused"] > 0
    assert ("workflow", "Call", False) in ledger.used and ("workflow", "Call", True) in ledger.used
    assert ("activity", "greet", False) in ledger.used and ("local-activity", "local", False) in ledger.used


async def test_the_tuner_replaces_the_numbers(client: Client) -> None:
    tuner = WorkerTuner.create_fixed(activity_slots=1)
    with pytest.raises(ValueError, match="max_concurrent_activities together with tuner"):
        Worker(client, task_queue=QUEUE, activities=[greet], tuner=tuner, max_concurrent_activities=2)


class FixedLoad(Load):
    """A load that the test sets."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = self.processors = 0.0

    def shares(self, now: int) -> tuple[float, float]:
        return self.memory, self.processors


def test_slots_follow_the_load_above_their_minimum() -> None:
    load = FixedLoad()
    config = ResourceBasedSlotConfig(minimum_slots=2, maximum_slots=3, ramp_throttle=timedelta(0))
    slots = LoadSlots(ResourceBasedSlotSupplier(config, ResourceBasedTunerConfig(0.8, 0.9)), load)
    load.memory = 0.81
    assert slots.try_acquire(5) == 2
    load.memory, load.processors = 0.5, 0.95
    assert slots.try_acquire(1) == 0
    load.processors = 0.1
    assert slots.try_acquire(5) == 1
    assert slots.used == 3


def test_slots_above_the_minimum_come_one_by_one() -> None:
    config = ResourceBasedSlotConfig(minimum_slots=1, maximum_slots=9, ramp_throttle=timedelta(milliseconds=50))
    slots = LoadSlots(ResourceBasedSlotSupplier(config, ResourceBasedTunerConfig(0.8, 0.8)), FixedLoad())
    assert slots.try_acquire(1) == 1
    assert not slots.may_have_more(slots._last_at + 49 * MS)
    assert slots.may_have_more(slots._last_at + 50 * MS)


async def test_a_worker_by_the_load_of_the_machine_works(client: Client) -> None:
    tuner = WorkerTuner.create_resource_based(target_memory_usage=0.99, target_cpu_usage=0.99)
    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[greet], tuner=tuner):
        assert await (await start(client, Call.run, "greet", "bob", False)).result() == "hello bob"


async def test_the_number_of_polls_follows_the_servers_advice() -> None:
    scale = Scale(1, 8, 2)
    none, more, fewer = (PollerScalingDecision(poll_request_delta_suggestion=n) for n in (0, 20, -1))
    scale.advise(none, empty=True)
    assert scale.target == 2  # the server has never given advice, so nothing is to be read into its silence
    waiting = asyncio.create_task(scale.turn(7))
    await asyncio.sleep(0)
    assert not waiting.done()
    scale.advise(more, empty=False)
    await waiting
    assert scale.target == 8
    scale.back_off()
    assert scale.target == 4
    scale.advise(fewer, empty=False)
    scale.advise(none, empty=True)
    assert scale.target == 2
    for _ in range(5):
        scale.advise(fewer, empty=True)
    assert scale.target == 1


async def test_a_worker_with_autoscaling_polls_works(client: Client) -> None:
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[Call],
        activities=[greet],
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(minimum=1, maximum=20, initial=2),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )
    async with worker:
        handles = [await start(client, Call.run, "greet", "bob", False) for _ in range(10)]
        assert [await handle.result() for handle in handles] == ["hello bob"] * 10
