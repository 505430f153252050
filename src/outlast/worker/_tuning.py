"""Tuners: how many tasks of each kind a worker takes at a time: a number, the machine's load, or own code.

Rule: this is what users write and read; the pools that workers draw from are in ``_slots`` and ``_slot_suppliers``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from outlast.common import WorkerDeploymentVersion

_DEFAULT_SLOTS = 100


@dataclass(frozen=True)
class FixedSizeSlotSupplier:
    """So many slots."""

    num_slots: int


@dataclass(frozen=True)
class ResourceBasedTunerConfig:
    """The load that the machine may come to, as shares from 0 to 1."""

    target_memory_usage: float
    target_cpu_usage: float


@dataclass(frozen=True)
class ResourceBasedSlotConfig:
    """How one kind of slot follows the load.

    Attributes:
        minimum_slots: given out whatever the load is; 5 for workflow tasks and 1 for others by default.
        maximum_slots: never exceeded; 500 by default.
        ramp_throttle: time between two slots above the minimum; none for workflow tasks and 50 ms for others by
            default, because what an activity needs shows only after a while.
    """

    minimum_slots: int | None = None
    maximum_slots: int | None = None
    ramp_throttle: timedelta | None = None


@dataclass(frozen=True)
class ResourceBasedSlotSupplier:
    """Slots as long as the machine's load is below its target."""

    slot_config: ResourceBasedSlotConfig
    tuner_config: ResourceBasedTunerConfig


class SlotPermit:
    """The right to one slot; subclasses may carry what they like."""


@runtime_checkable
class SlotReserveContext(Protocol):
    """What a slot is wanted for."""

    slot_type: Literal["workflow", "activity", "local-activity"]
    task_queue: str
    worker_identity: str
    worker_build_id: str
    worker_deployment_version: WorkerDeploymentVersion | None
    is_sticky: bool


@runtime_checkable
class WorkflowSlotInfo(Protocol):
    """A slot used by a workflow task."""

    workflow_type: str
    is_sticky: bool


@runtime_checkable
class ActivitySlotInfo(Protocol):
    """A slot used by an activity."""

    activity_type: str


@runtime_checkable
class LocalActivitySlotInfo(Protocol):
    """A slot used by a local activity."""

    activity_type: str


@runtime_checkable
class NexusSlotInfo(Protocol):
    """A slot used by a Nexus task."""

    service: str
    operation: str


SlotInfo: TypeAlias = WorkflowSlotInfo | ActivitySlotInfo | LocalActivitySlotInfo | NexusSlotInfo


@runtime_checkable
@dataclass(frozen=True)
class SlotMarkUsedContext(Protocol):
    """Which permit is used, and for what."""

    slot_info: SlotInfo
    permit: SlotPermit


@dataclass(frozen=True)
class SlotReleaseContext:
    """Which permit is given back; ``slot_info`` is None when it was never used."""

    slot_info: SlotInfo | None
    permit: SlotPermit


class CustomSlotSupplier(ABC):
    """Slots by own rules. All methods are called in the worker's event loop, and only ``reserve_slot`` may wait."""

    @abstractmethod
    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        """A permit, once there is one; called before a poll. It may be cancelled; errors are logged and ignored."""
        ...

    @abstractmethod
    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        """A permit if there is one right now: for tasks that come without a poll."""
        ...

    @abstractmethod
    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """A permit is being used, possibly long after it was given."""
        ...

    @abstractmethod
    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """A permit is not needed any longer, used or not."""
        ...


SlotSupplier: TypeAlias = FixedSizeSlotSupplier | ResourceBasedSlotSupplier | CustomSlotSupplier


class WorkerTuner(ABC):
    """Where a worker's slots come from, for each kind of task."""

    @classmethod
    def create_resource_based(
        cls,
        *,
        target_memory_usage: float,
        target_cpu_usage: float,
        workflow_config: ResourceBasedSlotConfig | None = None,
        activity_config: ResourceBasedSlotConfig | None = None,
        local_activity_config: ResourceBasedSlotConfig | None = None,
        nexus_config: ResourceBasedSlotConfig | None = None,
    ) -> WorkerTuner:
        """Slots of all kinds by the machine's load; targets are shares from 0 to 1."""
        target = ResourceBasedTunerConfig(target_memory_usage, target_cpu_usage)
        workflow = _with_defaults(workflow_config, 5, timedelta())
        others = [
            _with_defaults(config, 1, timedelta(milliseconds=50))
            for config in (activity_config, local_activity_config, nexus_config)
        ]
        return _CompositeTuner(*(ResourceBasedSlotSupplier(config, target) for config in (workflow, *others)))

    @classmethod
    def create_fixed(
        cls,
        *,
        workflow_slots: int | None = None,
        activity_slots: int | None = None,
        local_activity_slots: int | None = None,
        nexus_slots: int | None = None,
    ) -> WorkerTuner:
        """Fixed numbers of slots; 100 of each kind by default."""
        counts = (workflow_slots, activity_slots, local_activity_slots, nexus_slots)
        return _CompositeTuner(*(FixedSizeSlotSupplier(count or _DEFAULT_SLOTS) for count in counts))

    @classmethod
    def create_composite(
        cls,
        *,
        workflow_supplier: SlotSupplier,
        activity_supplier: SlotSupplier,
        local_activity_supplier: SlotSupplier,
        nexus_supplier: SlotSupplier,
    ) -> WorkerTuner:
        """A supplier for each kind."""
        return _CompositeTuner(workflow_supplier, activity_supplier, local_activity_supplier, nexus_supplier)

    @abstractmethod
    def _get_workflow_task_slot_supplier(self) -> SlotSupplier: ...

    @abstractmethod
    def _get_activity_task_slot_supplier(self) -> SlotSupplier: ...

    @abstractmethod
    def _get_local_activity_task_slot_supplier(self) -> SlotSupplier: ...

    @abstractmethod
    def _get_nexus_slot_supplier(self) -> SlotSupplier: ...


class _CompositeTuner(WorkerTuner):
    def __init__(self, *suppliers: SlotSupplier) -> None:
        self._workflow, self._activity, self._local_activity, self._nexus = suppliers

    def _get_workflow_task_slot_supplier(self) -> SlotSupplier:
        return self._workflow

    def _get_activity_task_slot_supplier(self) -> SlotSupplier:
        return self._activity

    def _get_local_activity_task_slot_supplier(self) -> SlotSupplier:
        return self._local_activity

    def _get_nexus_slot_supplier(self) -> SlotSupplier:
        return self._nexus


def _with_defaults(config: ResourceBasedSlotConfig | None, minimum: int, ramp: timedelta) -> ResourceBasedSlotConfig:
    given = config or ResourceBasedSlotConfig()
    return ResourceBasedSlotConfig(
        minimum if given.minimum_slots is None else given.minimum_slots,
        500 if given.maximum_slots is None else given.maximum_slots,
        ramp if given.ramp_throttle is None else given.ramp_throttle,
    )


def slots_at_most(supplier: Any) -> int | None:
    """How many slots a supplier ever gives; None when it does not say."""
    if isinstance(supplier, FixedSizeSlotSupplier):
        return supplier.num_slots
    if isinstance(supplier, ResourceBasedSlotSupplier):
        return supplier.slot_config.maximum_slots or 500
    return None
