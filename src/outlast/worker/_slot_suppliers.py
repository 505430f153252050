"""Pools of slots that are not a fixed number: by the machine's load, and by the user's own code.

Rule: a pool is used like ``Slots``; what it was asked for last and nobody uses yet is what is released first.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

import psutil

from outlast.common import WorkerDeploymentVersion

from ._slots import Slots
from ._tuning import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    ResourceBasedSlotSupplier,
    SlotInfo,
    SlotPermit,
    SlotReleaseContext,
    SlotSupplier,
)

logger = logging.getLogger("outlast.worker")

_ASK_AGAIN_S = 0.1
_SAMPLE_NS = 100_000_000


@dataclass(slots=True)
class WantedSlot:
    """What a slot is wanted for: a ``SlotReserveContext``."""

    slot_type: Literal["workflow", "activity", "local-activity"]
    task_queue: str
    worker_identity: str
    worker_build_id: str
    worker_deployment_version: WorkerDeploymentVersion | None
    is_sticky: bool = False


@dataclass(slots=True)
class WorkflowTaskSlot:
    """A ``WorkflowSlotInfo``."""

    workflow_type: str
    is_sticky: bool


@dataclass(slots=True)
class ActivitySlot:
    """An ``ActivitySlotInfo`` or ``LocalActivitySlotInfo``."""

    activity_type: str


@dataclass(frozen=True, slots=True)
class _Used:
    """A ``SlotMarkUsedContext``."""

    slot_info: SlotInfo
    permit: SlotPermit


class CustomSlots:
    """Slots of a supplier that the user has written."""

    kind: ClassVar[str] = "Custom"

    def __init__(self, supplier: CustomSlotSupplier, wanted: WantedSlot) -> None:
        self._supplier = supplier
        self._wanted = wanted
        self._unused: deque[SlotPermit] = deque()
        self._used: dict[int, _Used] = {}

    @property
    def used(self) -> int:
        """Slots that something runs in."""
        return len(self._used)

    @property
    def total(self) -> int:
        """Slots that were given, used or not: nobody knows of more."""
        return len(self._used) + len(self._unused)

    async def acquire(self) -> None:
        while True:
            try:
                permit = await self._supplier.reserve_slot(self._wanted)
            except Exception:
                logger.exception("reserve_slot of %r failed; it is asked again", self._supplier)
                await asyncio.sleep(_ASK_AGAIN_S)
            else:
                self._unused.append(permit)
                return

    def try_acquire(self, wanted: int) -> int:
        for taken in range(wanted):
            permit = self._told(self._supplier.try_reserve_slot, self._wanted)
            if permit is None:
                return taken
            self._unused.append(permit)
        return wanted

    def release(self, count: int = 1) -> None:
        for _ in range(count):
            self._told(self._supplier.release_slot, SlotReleaseContext(None, self._unused.pop()))

    def use(self, key: object, info: Callable[[], SlotInfo]) -> None:
        used = self._used[id(key)] = _Used(info(), self._unused.popleft())
        self._told(self._supplier.mark_slot_used, used)

    def done(self, key: object) -> None:
        used = self._used.pop(id(key))
        self._told(self._supplier.release_slot, SlotReleaseContext(used.slot_info, used.permit))

    def _told(self, method: Callable[[Any], Any], context: object) -> Any:
        try:
            return method(context)
        except Exception:
            logger.exception("%s failed; that is ignored", getattr(method, "__qualname__", method))
            return None


class Load:
    """How busy the machine is, measured at most ten times a second."""

    def __init__(self) -> None:
        self._at = 0
        self._shares = (0.0, 0.0)

    def shares(self, now: int) -> tuple[float, float]:
        """Memory and processors in use, from 0 to 1; ``now`` in monotonic ns."""
        if not self._at or now - self._at >= _SAMPLE_NS:
            self._at = now
            self._shares = psutil.virtual_memory().percent / 100, psutil.cpu_percent(None) / 100
        return self._shares


_load = Load()


class LoadSlots(Slots):
    """Slots as long as the machine can bear more."""

    __slots__ = ("_last_at", "_load", "_supplier")

    kind: ClassVar[str] = "ResourceBased"

    def __init__(self, supplier: ResourceBasedSlotSupplier, load: Load = _load) -> None:
        super().__init__(supplier.slot_config.maximum_slots or 500)
        self._supplier = supplier
        self._load = load
        self._last_at = 0

    def may_have_more(self, now: int) -> bool:
        """Whether one more slot is allowed by the load; ``now`` in monotonic ns."""
        config, target = self._supplier.slot_config, self._supplier.tuner_config
        if self.used < (config.minimum_slots or 0):
            return True
        ramp = config.ramp_throttle
        if ramp is not None and now - self._last_at < ramp.total_seconds() * 1e9:
            return False
        memory, processors = self._load.shares(now)
        return memory < target.target_memory_usage and processors < target.target_cpu_usage

    async def acquire(self) -> None:
        while not self.may_have_more(time.monotonic_ns()):
            ramp = self._supplier.slot_config.ramp_throttle
            await asyncio.sleep(max(0.01, ramp.total_seconds() if ramp else _ASK_AGAIN_S))
        self._last_at = time.monotonic_ns()
        await super().acquire()

    def try_acquire(self, wanted: int) -> int:
        for taken in range(wanted):
            now = time.monotonic_ns()
            if not self.may_have_more(now) or not super().try_acquire(1):
                return taken
            self._last_at = now
        return wanted


Pool: TypeAlias = Slots | CustomSlots


def pool_of(supplier: SlotSupplier, wanted: WantedSlot) -> Pool:
    """The pool that draws from a supplier."""
    if isinstance(supplier, FixedSizeSlotSupplier):
        return Slots(supplier.num_slots)
    if isinstance(supplier, ResourceBasedSlotSupplier):
        return LoadSlots(supplier)
    return CustomSlots(supplier, wanted)
