"""The parts of a worker, put together from its configuration: what polls, what answers, what is shared."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal

import outlast
from outlast.activity._definition import Definition as ActivityDefinition
from outlast.api.taskqueue.v1 import StickyExecutionAttributes
from outlast.replay import RunConfig
from outlast.runtime import Runtime

from ._activity_tasks import ActivityTasks
from ._config import Link, Settings, WorkerConfig
from ._eager import EagerActivities
from ._guard import guards_of
from ._interceptor import Interceptor, WorkflowInboundInterceptor, WorkflowInterceptorClassInput
from ._local_activities import LocalActivities
from ._plugin import Plugin
from ._process import Processes, require_picklable
from ._registry import activity_definitions, workflow_definitions
from ._shared_state import SharedStateManager
from ._slot_suppliers import Pool, WantedSlot, pool_of
from ._tuning import CustomSlotSupplier
from ._worker_heartbeats import WorkerHeartbeats
from ._workflow_answers import WorkflowAnswers
from ._workflow_tasks import WorkflowTasks, queue

SDK_NAME = "outlast-python"


class Parts:
    """The workflow side of a worker, which may be missing, and its activity sides."""

    def __init__(
        self,
        workflows: WorkflowTasks | None,
        activities: ActivityTasks,
        local: LocalActivities,
        heartbeats: WorkerHeartbeats,
        *,
        poll_activities: bool,
    ) -> None:
        self._workflows = workflows
        self._activities = activities
        self._local = local
        self.heartbeats = heartbeats
        self._poll_activities = poll_activities

    def welcome_eager_starts(self, welcome: bool) -> None:
        """Whether workflows started in this process may hand over their first task without a poll."""
        if self._workflows is not None:
            (self._workflows.welcome_eager_starts if welcome else self._workflows.refuse_eager_starts)()

    def poll_loops(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """One coroutine function per poll that may be open at a time, and the heartbeats."""
        loops: list[Callable[[], Coroutine[Any, Any, None]]] = [self.heartbeats.run]
        if self._workflows is not None:
            loops += self._workflows.poll_loops()
        if self._poll_activities:
            loops += self._activities.poll_loops()
        return loops

    async def stop(self) -> None:
        """The worker was told to stop: take nothing new, tell running activities."""
        if self._workflows is not None:
            self._workflows.stop()
        await self._activities.tell_of_shutdown()
        grace = self._activities.settings.graceful_shutdown.total_seconds()
        asyncio.get_running_loop().call_later(grace, self._local.hand_over)

    async def drain(self) -> None:
        """Finish what was begun. Nothing polls any more."""
        if self._workflows is not None:
            await self._workflows.drain()
        await self._activities.drain()
        await self._local.drain()


def assemble(
    config: WorkerConfig,
    settings: Settings,
    link: Link,
    plugins: Sequence[Plugin],
    fatal: Callable[[BaseException], None],
) -> Parts:
    """Make the parts.

    Args:
        plugins: their names are shown in the worker's heartbeats.
        fatal: called with an error that the worker cannot go on after.

    Raises:
        ValueError, TypeError, NotImplementedError: see :class:`Worker`.
    """
    runtime = link.client.service_client.config.runtime or Runtime.default()
    meter = runtime.metric_meter
    executor = config.get("activity_executor")
    definitions = activity_definitions(config.get("activities", []))
    processes = _check_executor(executor, list(definitions.values()), settings, config.get("shared_state_manager"))
    tuner = settings.tuner
    activity_slots = pool_of(tuner._get_activity_task_slot_supplier(), _wanted(settings, "activity"))
    activities = ActivityTasks(settings, link, definitions, executor, meter, fatal, activity_slots, processes)
    local = LocalActivities(
        activities, pool_of(tuner._get_local_activity_task_slot_supplier(), _wanted(settings, "local-activity"))
    )
    eager = None
    if settings.eager_max:
        eager = EagerActivities(settings.task_queue, definitions, settings.eager_max, activities.slots, activities)
    workflows = None
    if config.get("workflows"):
        workflows_by_type = workflow_definitions(config["workflows"])
        settings.versioning.require_behaviors(workflows_by_type.values())
        extern_functions: dict[str, Callable[..., Any]] = {}
        run_config = RunConfig(
            namespace=settings.namespace,
            task_queue=settings.task_queue,
            definitions=workflows_by_type,
            payload_converter=settings.data_converter.payload_converter,
            failure_converter=settings.data_converter.failure_converter,
            interceptors=workflow_interceptor_classes(settings.interceptors, extern_functions),
            failure_exception_types=tuple(config["workflow_failure_exception_types"]),
            extern_functions=extern_functions,
            metric_meter=meter,
            disable_eager_activity_execution=not settings.eager_max,
            deployment_version=settings.versioning.version,
            guards=guards_of(
                workflows_by_type.values(),
                config["workflow_runner"],
                config["unsandboxed_workflow_runner"],
                debug=config["debug_mode"],
            ),
            patch_activation=config.get("patch_activation_callback"),
            sdk_name=SDK_NAME,
            sdk_version=outlast.__version__,
        )
        answers = WorkflowAnswers(settings, link, run_config, _sticky(settings), eager, local)
        supplier = tuner._get_workflow_task_slot_supplier()
        normal = sticky = pool_of(supplier, _wanted(settings, "workflow"))
        if isinstance(supplier, CustomSlotSupplier):
            sticky = pool_of(supplier, replace(_wanted(settings, "workflow"), is_sticky=True))
        workflows = WorkflowTasks(settings, link, answers, normal, sticky)
    polls = bool(definitions) and not config["no_remote_activities"]
    slots: dict[str, Pool] = {"activity_task_slots_info": activities.slots, "local_activity_slots_info": local.slots}
    if workflows is not None:
        slots["workflow_task_slots_info"] = workflows.slots
    heartbeats = WorkerHeartbeats(
        settings,
        link,
        interval=runtime.worker_heartbeat_interval,
        sdk=(SDK_NAME, outlast.__version__),
        slots=slots,
        cached=lambda: 0 if workflows is None else workflows.cached,
        plugins=[plugin.name() for plugin in plugins],
    )
    return Parts(workflows, activities, local, heartbeats, poll_activities=polls)


def workflow_interceptor_classes(
    interceptors: Sequence[Interceptor], extern_functions: dict[str, Callable[..., Any]]
) -> list[type[WorkflowInboundInterceptor]]:
    """The classes that interceptors want to be made for each run, outermost first; fills ``extern_functions``."""
    asked = WorkflowInterceptorClassInput(unsafe_extern_functions=extern_functions)
    classes = (interceptor.workflow_interceptor_class(asked) for interceptor in interceptors)
    return [found for found in classes if found is not None]


def _wanted(settings: Settings, kind: Literal["workflow", "activity", "local-activity"]) -> WantedSlot:
    return WantedSlot(
        kind,
        settings.task_queue,
        settings.identity,
        settings.versioning.version.build_id if settings.versioning.version else "",
        settings.versioning.version,
    )


def _sticky(settings: Settings) -> StickyExecutionAttributes | None:
    if not settings.sticky_queue:
        return None
    sticky = StickyExecutionAttributes(worker_task_queue=queue(settings, sticky=True))
    sticky.schedule_to_start_timeout.FromTimedelta(settings.sticky_timeout)
    return sticky


def _check_executor(
    executor: Executor | None,
    definitions: Sequence[ActivityDefinition],
    settings: Settings,
    shared_state: SharedStateManager | None,
) -> Processes | None:
    """Refuse what cannot work; what processes share, when activities run in some."""
    if executor is None:
        return None
    in_executor = [definition for definition in definitions if not definition.is_async]
    if not isinstance(executor, ThreadPoolExecutor) and in_executor:
        if shared_state is None:
            raise ValueError(
                f"Activity {in_executor[0].name} is not async and the executor is not a thread pool, so "
                "shared_state_manager must be given; see SharedStateManager.create_from_multiprocessing"
            )
        for definition in in_executor:
            require_picklable(definition)
        return Processes(shared_state)
    threads = getattr(executor, "_max_workers", None)
    if isinstance(threads, int) and threads < settings.activity_slots and in_executor:
        warnings.warn(
            f"Worker max_concurrent_activities is {settings.activity_slots} but activity_executor's max_workers is "
            f"only {threads}",
            stacklevel=4,
        )
    return None
