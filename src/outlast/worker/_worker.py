"""The worker: runs workflows and activities of one task queue.

Rule: this file starts the parts, waits, and stops them in order. Several workers may run in one process and one event
loop.

    made --run()--> validated --> polling --shutdown() or a fatal error--> draining --> shut down
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, cast

from outlast.api.enums.v1 import WORKER_STATUS_SHUTTING_DOWN
from outlast.api.workflowservice.v1 import DescribeNamespaceRequest, ShutdownWorkerRequest
from outlast.client import Client
from outlast.replay import PatchActivationInput
from outlast.service import RPCError, RPCStatusCode

from ._assembly import Parts, assemble
from ._config import Link, PollerBehavior, PollerBehaviorSimpleMaximum, WorkerConfig, settings_of
from ._interceptor import Interceptor
from ._plugin import Plugin
from ._runner import UnsandboxedWorkflowRunner, WorkflowRunner
from ._shared_state import SharedStateManager
from ._tuning import WorkerTuner
from ._versioning import WorkerDeploymentConfig
from .workflow_sandbox import SandboxedWorkflowRunner

logger = logging.getLogger("outlast.worker")

_SHUTDOWN_CALL = timedelta(seconds=5)
_RUNNER = SandboxedWorkflowRunner()
_UNSANDBOXED = UnsandboxedWorkflowRunner()
_FIVE_POLLS = PollerBehaviorSimpleMaximum(maximum=5)


class Worker:
    """Runs workflows and activities. Use it with ``async with``, or call ``run`` and ``shutdown``."""

    def __init__(
        self,
        client: Client,
        *,
        task_queue: str,
        activities: Sequence[Callable[..., Any]] = [],
        nexus_service_handlers: Sequence[Any] = [],
        workflows: Sequence[type] = [],
        activity_executor: Executor | None = None,
        workflow_task_executor: ThreadPoolExecutor | None = None,
        nexus_task_executor: ThreadPoolExecutor | None = None,
        workflow_runner: WorkflowRunner = _RUNNER,
        unsandboxed_workflow_runner: WorkflowRunner = _UNSANDBOXED,
        plugins: Sequence[Plugin] = [],
        interceptors: Sequence[Interceptor] = [],
        build_id: str | None = None,
        identity: str | None = None,
        max_cached_workflows: int = 1000,
        max_concurrent_workflow_tasks: int | None = None,
        max_concurrent_activities: int | None = None,
        max_concurrent_local_activities: int | None = None,
        max_concurrent_nexus_tasks: int | None = None,
        tuner: WorkerTuner | None = None,
        max_concurrent_workflow_task_polls: int | None = None,
        nonsticky_to_sticky_poll_ratio: float = 0.2,
        max_concurrent_activity_task_polls: int | None = None,
        no_remote_activities: bool = False,
        sticky_queue_schedule_to_start_timeout: timedelta = timedelta(seconds=10),
        max_heartbeat_throttle_interval: timedelta = timedelta(seconds=60),
        default_heartbeat_throttle_interval: timedelta = timedelta(seconds=30),
        max_activities_per_second: float | None = None,
        max_task_queue_activities_per_second: float | None = None,
        max_eager_activity_reservations_per_workflow_task: int = 3,
        graceful_shutdown_timeout: timedelta = timedelta(),
        plugin_shutdown_timeout: timedelta | None = timedelta(seconds=60),
        workflow_failure_exception_types: Sequence[type[BaseException]] = [],
        shared_state_manager: SharedStateManager | None = None,
        debug_mode: bool = False,
        disable_eager_activity_execution: bool = False,
        on_fatal_error: Callable[[BaseException], Awaitable[None]] | None = None,
        use_worker_versioning: bool = False,
        disable_safe_workflow_eviction: bool = False,
        deployment_config: WorkerDeploymentConfig | None = None,
        patch_activation_callback: Callable[[PatchActivationInput], bool] | None = None,
        workflow_task_poller_behavior: PollerBehavior = _FIVE_POLLS,
        activity_task_poller_behavior: PollerBehavior = _FIVE_POLLS,
        nexus_task_poller_behavior: PollerBehavior = _FIVE_POLLS,
        disable_payload_error_limit: bool = False,
        max_workflow_task_external_storage_concurrency: int = 3,
    ) -> None:
        """Make a worker; nothing is polled before ``run``.

        Parameters that are not listed belong to what is not built, and raise when they are set.

        Args:
            client: connection, namespace, data converter, and interceptors and plugins that serve workers too.
            task_queue: the one task queue that this worker serves.
            activities: decorated functions, bound methods, or instances of decorated classes.
            workflows: decorated classes.
            workflow_runner: which restrictions the determinism guard enforces; ``unsandboxed_workflow_runner`` says so
                for classes defined with ``sandboxed=False``.
            activity_executor: where plain ``def`` activities run: a pool of threads or, with ``shared_state_manager``,
                of processes. Without one the worker makes its own threads, as many as are needed and at most one per
                slot.
            plugins: besides those of the client; earlier ones wrap later ones.
            interceptors: besides those of the client; earlier ones are further out.
            identity: in histories and in the UI; the client's by default.
            max_cached_workflows: runs kept in memory between their tasks; 0 replays each from its start.
            max_concurrent_workflow_tasks: at a time; 100 by default.
            max_concurrent_activities: at a time; 100 by default.
            max_concurrent_local_activities: at a time; 100 by default.
            tuner: where slots come from, instead of the numbers ``max_concurrent_*``.
            max_concurrent_workflow_task_polls: replaces ``workflow_task_poller_behavior``.
            nonsticky_to_sticky_poll_ratio: share of the workflow task polls that ask the common queue, and not the one
                of this worker for the runs in its cache.
            max_concurrent_activity_task_polls: replaces ``activity_task_poller_behavior``.
            no_remote_activities: never poll for activity tasks.
            sticky_queue_schedule_to_start_timeout: how long a task waits for this worker before any may have it.
            max_heartbeat_throttle_interval: longest time between two heartbeats that are sent.
            default_heartbeat_throttle_interval: the same for activities without heartbeat timeout; with one, it is 0.8
                of the timeout.
            max_activities_per_second: that this worker starts.
            max_task_queue_activities_per_second: that the server hands out from the task queue, to all its workers.
            max_eager_activity_reservations_per_workflow_task: activities that may start here without a poll, straight
                from the workflow task that schedules them.
            graceful_shutdown_timeout: how long activities may go on when the worker stops; then they are cancelled.
            plugin_shutdown_timeout: how long the end of ``async with`` waits for plugins; None for as long as it takes.
            workflow_failure_exception_types: exceptions that fail a workflow instead of its task.
            shared_state_manager: through which activities in other processes heartbeat and learn of cancellation.
            debug_mode: let workflow code run for as long as it likes, for a debugger; else it is interrupted after
                ``workflow_runner.deadlock_timeout``, and its workflow task fails.
            disable_eager_activity_execution: start no activity without a poll.
            build_id: of this worker's code, recorded with what it does; ``deployment_config`` is its successor.
            use_worker_versioning: take tasks by ``build_id``, where the server has such rules.
            deployment_config: which version of which deployment this worker is.
            on_fatal_error: awaited with the error that ends the worker, before it shuts down.
            patch_activation_callback: decides whether a patch that no history decides is on.
            workflow_task_poller_behavior: how many workflow task polls are open.
            activity_task_poller_behavior: how many activity task polls are open.
            max_workflow_task_external_storage_concurrency: calls of external storage at a time for one workflow task.
            disable_payload_error_limit: send even what no server takes, instead of failing the task here.

        Raises:
            ValueError: nothing to run, two definitions of one name, or an impossible number.
            TypeError: a callable or class that was not decorated, or that cannot be run.
            RestrictedWorkflowAccessError: the code of a workflow is not deterministic; see docs/determinism.md.
            NotImplementedError: a parameter of something that is not built.
        """
        config = cast("WorkerConfig", {name: value for name, value in locals().items() if name != "self"})
        self._initial_config = config.copy()
        self._plugins: Sequence[Plugin] = [*_inherited(client, plugins), *plugins]
        for plugin in self._plugins:
            config = plugin.configure_worker(config)
        self._config = config
        self._settings = settings_of(config)
        self._link = Link(client)
        self._parts: Parts = assemble(config, self._settings, self._link, self._plugins, self._fail)
        self._started = False
        self._stop = asyncio.Event()
        self._stopped = asyncio.Event()
        self._error: BaseException | None = None
        self._entered_task: asyncio.Task[Any] | None = None
        self._run_task: asyncio.Task[None] | None = None
        self._run_error: BaseException | None = None
        self._exiting = False

    # -- facts ----------------------------------------------------------------------------------------------------

    def config(self, *, active_config: bool = False) -> WorkerConfig:
        """The parameters, as given or, with ``active_config``, as plugins changed them; a shallow copy."""
        config = (self._config if active_config else self._initial_config).copy()
        config["activities"] = list(config.get("activities", []))
        config["workflows"] = list(config.get("workflows", []))
        return config

    @property
    def task_queue(self) -> str:
        """The task queue that this worker serves."""
        return self._settings.task_queue

    @property
    def client(self) -> Client:
        """The client in use. Setting it, also while running, makes all further calls go through the new one."""
        return self._link.client

    @client.setter
    def client(self, value: Client) -> None:
        self._link.use(value)
        self._config["client"] = value

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not shut down completely."""
        return self._started and not self.is_shutdown

    @property
    def is_shutdown(self) -> bool:
        """Whether it has run and has shut down completely."""
        return self._stopped.is_set()

    # -- running --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until ``shutdown`` is called, and until everything that was begun has ended.

        Cancelling this call shuts the worker down too, and raises CancelledError when that is done.

        Raises:
            RuntimeError: it runs or ran already, the namespace does not exist, or polling cannot succeed.
        """
        run: Callable[[Worker], Awaitable[None]] = Worker._run
        for plugin in reversed(self._plugins):
            run = _around(plugin, run)
        await run(self)

    async def _run(self) -> None:
        if self._started:
            raise RuntimeError("Already started; a worker runs once, make another one")
        self._parts.welcome_eager_starts(True)
        try:
            await self._validate()
        except BaseException:
            self._parts.welcome_eager_starts(False)
            self._stopped.set()  # nothing was started, so nothing needs to be waited for
            raise
        self._started = True
        polls = [asyncio.create_task(self._poll(loop)) for loop in self._parts.poll_loops()]
        try:
            await self._stop.wait()
            if self._error is not None:
                logger.error("Worker failed, shutting down", exc_info=self._error)
                await self._tell_of_fatal_error(self._error)
        except asyncio.CancelledError as cancelled:
            self._error = cancelled
        try:
            await self._shut_down(polls)
        finally:
            self._stopped.set()
        if self._error is not None:
            raise self._error

    async def _validate(self) -> None:
        """Ask for the namespace, so that a wrong name fails the start and not each poll."""
        namespace = self._settings.namespace
        try:
            request = DescribeNamespaceRequest(namespace=namespace)
            described = await self._link.service.describe_namespace(request, retry=True)
            self._parts.heartbeats.offered = described.namespace_info.capabilities.worker_heartbeats
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise RuntimeError(
                    f"Worker validation failed: namespace {namespace!r} was not found; connect with another namespace, "
                    "or create it on the server"
                ) from error
            if error.status is not RPCStatusCode.UNIMPLEMENTED:
                raise RuntimeError(
                    f"Worker validation failed: describing namespace {namespace!r}: {error.message}"
                ) from error

    async def _poll(self, loop: Callable[[], Awaitable[None]]) -> None:
        try:
            await loop()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Something went wrong that the worker cannot go on after."""
        if self._error is None:
            self._error = error
        self._stop.set()

    async def _tell_of_fatal_error(self, error: BaseException) -> None:
        callback = self._config.get("on_fatal_error")
        if callback is not None:
            try:
                await callback(error)
            except Exception:
                logger.warning("Fatal error handler failed", exc_info=True)

    async def _shut_down(self, polls: Sequence[asyncio.Task[None]]) -> None:
        grace = self._settings.graceful_shutdown
        logger.info("Beginning worker shutdown, will wait %s before cancelling activities", grace)
        await self._parts.stop()
        await self._sign_off()
        for poll in polls:
            poll.cancel()
        if polls:
            await asyncio.wait(polls)
        await self._parts.drain()

    async def _sign_off(self) -> None:
        """Tell the server, so that it ends our polls and gives the tasks of our own queue to others at once."""
        settings = self._settings
        request = ShutdownWorkerRequest(
            namespace=settings.namespace,
            identity=settings.identity,
            sticky_task_queue=settings.sticky_queue,
            reason="graceful shutdown",
            worker_instance_key=settings.instance_key,
            task_queue=settings.task_queue,
        )
        if self._parts.heartbeats.offered:
            request.worker_heartbeat.CopyFrom(self._parts.heartbeats.message(WORKER_STATUS_SHUTTING_DOWN))
        try:
            await self._link.service.shutdown_worker(request, timeout=_SHUTDOWN_CALL)
        except (RPCError, RuntimeError) as error:
            # An older server does not know the call, and a server that is gone needs no telling.
            logger.debug("The server was not told of the shutdown: %s", error)

    async def shutdown(self) -> None:
        """Ask the worker to stop, and wait until it has. May be called before ``run``, and more than once."""
        self._stop.set()
        await self._stopped.wait()

    async def __aenter__(self) -> Self:
        """Run in the background. A fatal error cancels the task that is inside the block, which then raises it."""
        if self._entered_task is not None:
            raise RuntimeError("Already started")
        self._entered_task = asyncio.current_task()
        if self._entered_task is None:
            raise RuntimeError("Can only use async with inside a task")
        # The body of the block runs before the worker does, and may start workflows at once.
        self._parts.welcome_eager_starts(True)
        self._run_task = asyncio.create_task(self._run_in_background(self._entered_task))
        return self

    async def _run_in_background(self, entered: asyncio.Task[Any]) -> None:
        try:
            await self.run()
        except BaseException as error:
            self._parts.welcome_eager_starts(False)
            self._run_error = error
            if not self._exiting:  # afterwards a cancel would hit code behind the block
                entered.cancel()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Shut down; raises the fatal error if there was one and the block was cancelled for it."""
        if self._run_task is None:
            raise RuntimeError("Never started")
        await self.shutdown()
        self._exiting = True
        timeout = self._config.get("plugin_shutdown_timeout", timedelta(seconds=60))
        try:
            await asyncio.wait((self._run_task,), timeout=None if timeout is None else timeout.total_seconds())
        finally:
            if not self._run_task.done():
                self._run_task.cancel()
        if exc_type is asyncio.CancelledError and self._run_error is not None:
            raise self._run_error


def _around(plugin: Plugin, run: Callable[[Worker], Awaitable[None]]) -> Callable[[Worker], Awaitable[None]]:
    return lambda worker: plugin.run_worker(worker, run)


def _inherited(client: Client, plugins: Sequence[Plugin]) -> list[Plugin]:
    """The client's plugins that serve workers too; a warning for each that is given to the worker once more."""
    inherited: list[Plugin] = [p for p in client.config()["plugins"] if isinstance(p, Plugin)]
    for plugin in inherited:
        if type(plugin) in [type(other) for other in plugins]:
            warnings.warn(
                f"The same plugin type {type(plugin)} is present from both client and worker. It may run twice and "
                "may not be the intended behavior.",
                stacklevel=3,
            )
    return inherited
