"""A worker's configuration: as the user gave it, and as the rest of the worker reads it.

Rule: everything that is wrong with a configuration is an error of the constructor. A parameter whose feature is not
built raises NotImplementedError as soon as it is given a value other than its default.
"""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from outlast.client import Client
from outlast.common import HeaderCodecBehavior
from outlast.converter import DataConverter
from outlast.replay import PatchActivationInput
from outlast.runtime import Runtime

from ._interceptor import Interceptor
from ._plugin import Plugin
from ._runner import WorkflowRunner
from ._scale import Scale
from ._sdk_metrics import WorkerMetrics
from ._shared_state import SharedStateManager
from ._tuning import WorkerTuner, slots_at_most
from ._versioning import Versioning, WorkerDeploymentConfig
from .workflow_sandbox import refusal

if TYPE_CHECKING:
    from outlast.service import WorkflowService

# Where nobody says how many activities run at a time, threads have to end somewhere.
_THREADS_OF_CUSTOM_SLOTS = 500


@dataclass(frozen=True)
class PollerBehaviorSimpleMaximum:
    """Keep up to so many polls open while there are slots; at least two for workflow tasks."""

    maximum: int = 5


@dataclass(frozen=True)
class PollerBehaviorAutoscaling:
    """Let the server's advice decide how many polls are open, between ``minimum`` and ``maximum``."""

    minimum: int = 1
    maximum: int = 100
    initial: int = 5


PollerBehavior: TypeAlias = PollerBehaviorSimpleMaximum | PollerBehaviorAutoscaling


class WorkerConfig(TypedDict, total=False):
    """The parameters of :class:`Worker` as a dictionary."""

    client: Client
    task_queue: str
    activities: Sequence[Callable[..., Any]]
    nexus_service_handlers: Sequence[Any]
    workflows: Sequence[type]
    activity_executor: Executor | None
    workflow_task_executor: ThreadPoolExecutor | None
    nexus_task_executor: ThreadPoolExecutor | None
    workflow_runner: WorkflowRunner
    unsandboxed_workflow_runner: WorkflowRunner
    plugins: Sequence[Plugin]
    interceptors: Sequence[Interceptor]
    build_id: str | None
    identity: str | None
    max_cached_workflows: int
    max_concurrent_workflow_tasks: int | None
    max_concurrent_activities: int | None
    max_concurrent_local_activities: int | None
    max_concurrent_nexus_tasks: int | None
    tuner: WorkerTuner | None
    max_concurrent_workflow_task_polls: int | None
    nonsticky_to_sticky_poll_ratio: float
    max_concurrent_activity_task_polls: int | None
    no_remote_activities: bool
    sticky_queue_schedule_to_start_timeout: timedelta
    max_heartbeat_throttle_interval: timedelta
    default_heartbeat_throttle_interval: timedelta
    max_activities_per_second: float | None
    max_task_queue_activities_per_second: float | None
    max_eager_activity_reservations_per_workflow_task: int
    graceful_shutdown_timeout: timedelta
    plugin_shutdown_timeout: timedelta | None
    workflow_failure_exception_types: Sequence[type[BaseException]]
    shared_state_manager: SharedStateManager | None
    debug_mode: bool
    disable_eager_activity_execution: bool
    on_fatal_error: Callable[[BaseException], Awaitable[None]] | None
    use_worker_versioning: bool
    disable_safe_workflow_eviction: bool
    deployment_config: WorkerDeploymentConfig | None
    patch_activation_callback: Callable[[PatchActivationInput], bool] | None
    workflow_task_poller_behavior: PollerBehavior
    activity_task_poller_behavior: PollerBehavior
    nexus_task_poller_behavior: PollerBehavior
    disable_payload_error_limit: bool
    max_workflow_task_external_storage_concurrency: int


# Parameter -> the values that mean "not used", and what is not built.
_NOT_BUILT: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "nexus_service_handlers": (([], ()), "Nexus services"),
    "nexus_task_executor": ((None,), "Nexus services"),
    "nexus_task_poller_behavior": ((PollerBehaviorSimpleMaximum(),), "Nexus services"),
    "max_concurrent_nexus_tasks": ((None,), "Nexus services"),
    "workflow_task_executor": ((None,), "running workflow tasks in threads (they run in the event loop)"),
    "disable_safe_workflow_eviction": ((False,), "eviction by the garbage collector"),
}


@dataclass(frozen=True, slots=True)
class PollScale:
    """How many polls of one queue are open: ``loops`` at most, and all of them unless there is a ``behavior``."""

    loops: int
    behavior: PollerBehaviorAutoscaling | None = None

    def make(self) -> Scale | None:
        """What moves the number while the worker runs."""
        if self.behavior is None:
            return None
        return Scale(self.behavior.minimum, self.loops, self.behavior.initial)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a worker works by.

    Attributes:
        sticky_queue: name of this worker's own queue; empty when it caches no workflows.
        normal_scale, sticky_scale, activity_scale: how many polls are open.
        deadlock_s: how long workflow code may run without yielding; None for as long as it likes.
        activity_slots: how many activities run at a time at most, as far as is known.
        metrics: what operators measure; None when nobody does.
        eager_max: activities to run straight from the completion of a workflow task; 0 for none.
    """

    namespace: str
    task_queue: str
    identity: str
    data_converter: DataConverter
    header_codec: HeaderCodecBehavior
    interceptors: Sequence[Interceptor]
    sticky_queue: str
    sticky_timeout: timedelta
    cached_max: int
    tuner: WorkerTuner
    normal_scale: PollScale
    sticky_scale: PollScale
    activity_slots: int
    activity_scale: PollScale
    activities_per_second: float | None
    queue_activities_per_second: float | None
    eager_max: int
    heartbeat_default_ns: int
    heartbeat_longest_ns: int
    graceful_shutdown: timedelta
    check_payload_sizes: bool
    deadlock_s: float | None
    versioning: Versioning
    storage_calls: int
    metrics: WorkerMetrics | None = None
    instance_key: str = field(default_factory=lambda: str(uuid.uuid4()))

    def measuring_polls(self, poller_type: str) -> Callable[[int], None] | None:
        """What a poller of this kind tells how many polls it has open; None when nobody measures."""
        return None if self.metrics is None else functools.partial(self.metrics.on_polls, poller_type)


class Link:
    """The client that a worker talks through; it can be exchanged while the worker runs."""

    __slots__ = ("client", "service")

    def __init__(self, client: Client) -> None:
        self.client: Client
        self.service: WorkflowService
        self.use(client)

    def use(self, client: Client) -> None:
        """Talk through this client from the next call on."""
        self.client = client
        self.service = client.service_client.worker_service_client.workflow_service


def settings_of(config: WorkerConfig) -> Settings:
    """Check a configuration and resolve its defaults.

    Raises:
        ValueError: a parameter has an impossible value.
        NotImplementedError: a parameter asks for what is not built.
    """
    _refuse_not_built(config)
    _check(config)
    client = config["client"]
    client_config = client.config(active_config=True)
    converter = client_config["data_converter"]
    identity = config.get("identity") or client.identity
    cached = config["max_cached_workflows"]
    tuner = config.get("tuner") or WorkerTuner.create_fixed(
        workflow_slots=config.get("max_concurrent_workflow_tasks"),
        activity_slots=config.get("max_concurrent_activities"),
        local_activity_slots=config.get("max_concurrent_local_activities"),
    )
    workflow_slots = slots_at_most(tuner._get_workflow_task_slot_supplier())
    activity_slots = slots_at_most(tuner._get_activity_task_slot_supplier())
    normal, sticky = _workflow_scales(config, workflow_slots)
    limited = (
        config.get("max_activities_per_second") is not None
        or config.get("max_task_queue_activities_per_second") is not None
    )
    eager = not (
        limited
        or config["disable_eager_activity_execution"]
        or config["no_remote_activities"]
        or not config.get("activities")
    )
    own = [i for i in client_config["interceptors"] if isinstance(i, Interceptor)]
    return Settings(
        namespace=client.namespace,
        task_queue=config["task_queue"],
        identity=identity,
        data_converter=converter,
        header_codec=client_config["header_codec_behavior"],
        interceptors=[*own, *config["interceptors"]],
        sticky_queue=f"{identity}-{uuid.uuid4().hex}" if cached else "",
        sticky_timeout=config["sticky_queue_schedule_to_start_timeout"],
        cached_max=cached,
        tuner=tuner,
        normal_scale=normal,
        sticky_scale=sticky,
        activity_slots=activity_slots or _THREADS_OF_CUSTOM_SLOTS,
        activity_scale=_scale(config, "activity", activity_slots),
        activities_per_second=config.get("max_activities_per_second"),
        queue_activities_per_second=config.get("max_task_queue_activities_per_second"),
        eager_max=config["max_eager_activity_reservations_per_workflow_task"] if eager else 0,
        heartbeat_default_ns=_nanoseconds(config["default_heartbeat_throttle_interval"]),
        heartbeat_longest_ns=_nanoseconds(config["max_heartbeat_throttle_interval"]),
        graceful_shutdown=config["graceful_shutdown_timeout"],
        check_payload_sizes=not config["disable_payload_error_limit"],
        deadlock_s=_deadlock_seconds(config),
        versioning=Versioning(
            config.get("deployment_config"), config.get("build_id"), config.get("use_worker_versioning", False)
        ),
        storage_calls=config["max_workflow_task_external_storage_concurrency"],
        metrics=_metrics(client, config["task_queue"]),
    )


def _metrics(client: Client, task_queue: str) -> WorkerMetrics | None:
    meter = (client.service_client.config.runtime or Runtime.default()).sdk_meter()
    return None if meter is None else WorkerMetrics(meter, client.namespace, task_queue)


def split_polls(polls: int, ratio: float, sticky: bool) -> tuple[int, int]:
    """How many of ``polls`` go to the normal and how many to the sticky queue, if there is one; at least one each."""
    if not sticky:
        return polls, 0
    normal = max(1, int(polls * ratio))
    return normal, max(1, polls - normal)


def _workflow_scales(config: WorkerConfig, slots: int | None) -> tuple[PollScale, PollScale]:
    """Of the common queue and of the worker's own."""
    cached = config["max_cached_workflows"] > 0
    scale = _scale(config, "workflow", slots)
    if scale.behavior is not None:
        return scale, scale if cached else PollScale(0)
    normal, sticky = split_polls(scale.loops, config["nonsticky_to_sticky_poll_ratio"], cached)
    return PollScale(normal), PollScale(sticky)


def _scale(config: WorkerConfig, kind: str, slots: int | None) -> PollScale:
    override: int | None = config.get(f"max_concurrent_{kind}_task_polls")  # type: ignore[assignment]
    behavior: PollerBehavior = config[f"{kind}_task_poller_behavior"]  # type: ignore[literal-required]
    if not override and isinstance(behavior, PollerBehaviorAutoscaling):
        return PollScale(_at_most(behavior.maximum, slots), behavior)
    assert override or isinstance(behavior, PollerBehaviorSimpleMaximum)
    return PollScale(_at_most(override or behavior.maximum, slots))


def _at_most(polls: int, slots: int | None) -> int:
    return polls if slots is None else min(polls, slots)


def _deadlock_seconds(config: WorkerConfig) -> float | None:
    if config.get("debug_mode") or os.environ.get("TEMPORAL_DEBUG"):
        return None
    runner: object = config.get("workflow_runner")
    limit = runner.deadlock_timeout if isinstance(runner, WorkflowRunner) else WorkflowRunner.deadlock_timeout
    if limit <= timedelta():
        raise ValueError(
            f"deadlock_timeout of the workflow runner must be above 0, got {limit}; debug_mode turns it off"
        )
    return limit.total_seconds()


def _refuse_not_built(config: WorkerConfig) -> None:
    for name, (unused, what) in _NOT_BUILT.items():
        value = config.get(name, unused[0])
        if not any(value is other or value == other for other in unused):
            raise NotImplementedError(f"Worker({name}=...) is not built in outlast: {what}")
    for name in ("workflow_runner", "unsandboxed_workflow_runner"):
        runner: WorkflowRunner | None = config.get(name)  # type: ignore[assignment]
        why = None if runner is None else refusal(runner)
        if why is not None:
            raise NotImplementedError(f"Worker({name}=...) is not built in outlast: {why}")


def _check(config: WorkerConfig) -> None:
    if not (config.get("activities") or config.get("workflows")):
        raise ValueError("At least one activity, Nexus service, or workflow must be specified")
    if not config["task_queue"]:
        raise ValueError("task_queue is empty; a worker polls exactly one task queue")
    if config["max_eager_activity_reservations_per_workflow_task"] < 1:
        raise ValueError(
            "max_eager_activity_reservations_per_workflow_task must be positive; "
            "use disable_eager_activity_execution=True to disable eager activity execution"
        )
    if config["max_workflow_task_external_storage_concurrency"] < 1:
        raise ValueError("max_workflow_task_external_storage_concurrency must be at least 1")
    for name in ("workflow_tasks", "activities", "local_activities", "nexus_tasks"):
        if config.get("tuner") is not None and config.get(f"max_concurrent_{name}"):
            raise ValueError(f"Cannot specify max_concurrent_{name} together with tuner; leave one of them out")
    for name in ("workflow", "activity"):
        behavior: Any = config.get(f"{name}_task_poller_behavior")
        if isinstance(behavior, PollerBehaviorAutoscaling) and not 1 <= behavior.minimum <= behavior.maximum:
            raise ValueError(f"{name}_task_poller_behavior: minimum must be from 1 to maximum, got {behavior}")
    if config["max_cached_workflows"] < 0:
        raise ValueError("max_cached_workflows must not be negative; 0 keeps no workflow in memory")
    for name in ("max_concurrent_workflow_tasks", "max_concurrent_workflow_task_polls"):
        value: Any = config.get(name)
        if config["max_cached_workflows"] and value == 1:
            raise ValueError(
                f"{name} must be at least 2 when max_cached_workflows is not 0: "
                "one for the task queue and one for this worker's own queue"
            )
    for name in ("max_activities_per_second", "max_task_queue_activities_per_second"):
        rate: Any = config.get(name)
        if rate is not None and rate <= 0:
            raise ValueError(f"{name} must be above 0, got {rate}; leave it out for no limit")


def _nanoseconds(value: timedelta) -> int:
    return value // timedelta(microseconds=1) * 1000
