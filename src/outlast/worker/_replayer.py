"""The replayer: runs workflow code over recorded histories, to find out whether it still does what it did.

Rule: nothing is polled and nothing is sent. Each history gets a run of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypedDict, cast

import outlast
from outlast.api.common.v1 import WorkflowExecution
from outlast.api.enums.v1 import (
    EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EVENT_TYPE_WORKFLOW_TASK_STARTED,
    WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
    WorkflowTaskFailedCause,
)
from outlast.api.workflowservice.v1 import PollWorkflowTaskQueueResponse, RespondWorkflowTaskFailedRequest
from outlast.client import WorkflowHistory
from outlast.common import HeaderCodecBehavior
from outlast.converter import DataConverter
from outlast.replay import Run, RunConfig
from outlast.workflow import NondeterminismError

from . import _codec
from ._assembly import SDK_NAME, workflow_interceptor_classes
from ._codec_contexts import RunCodecs
from ._guard import guards_of
from ._interceptor import Interceptor
from ._plugin import Plugin
from ._registry import workflow_definitions
from ._runner import UnsandboxedWorkflowRunner, WorkflowRunner
from .workflow_sandbox import SandboxedWorkflowRunner, refusal


class ReplayerConfig(TypedDict, total=False):
    """The parameters of :class:`Replayer` as a dictionary."""

    workflows: Sequence[type]
    workflow_task_executor: ThreadPoolExecutor | None
    workflow_runner: WorkflowRunner
    unsandboxed_workflow_runner: WorkflowRunner
    namespace: str
    data_converter: DataConverter
    interceptors: Sequence[Interceptor]
    build_id: str | None
    identity: str | None
    workflow_failure_exception_types: Sequence[type[BaseException]]
    debug_mode: bool
    runtime: Any
    disable_safe_workflow_eviction: bool
    header_codec_behavior: HeaderCodecBehavior


@dataclass(frozen=True)
class WorkflowReplayResult:
    """What became of one history."""

    history: WorkflowHistory

    replay_failure: Exception | None
    """Why the code does not fit the history; None when it does. A workflow that failed in its history, and fails in
    the same way now, fits."""


@dataclass(frozen=True)
class WorkflowReplayResults:
    """What became of several histories."""

    replay_failures: Mapping[str, Exception]
    """Failures by run id."""


_RUNNER = SandboxedWorkflowRunner()
_UNSANDBOXED = UnsandboxedWorkflowRunner()
_Results = AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]


class Replayer:
    """Replays workflows from their histories."""

    def __init__(
        self,
        *,
        workflows: Sequence[type],
        workflow_task_executor: ThreadPoolExecutor | None = None,
        workflow_runner: WorkflowRunner = _RUNNER,
        unsandboxed_workflow_runner: WorkflowRunner = _UNSANDBOXED,
        namespace: str = "ReplayNamespace",
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = [],
        plugins: Sequence[Plugin] = [],
        build_id: str | None = None,
        identity: str | None = None,
        workflow_failure_exception_types: Sequence[type[BaseException]] = [],
        debug_mode: bool = False,
        runtime: Any = None,
        disable_safe_workflow_eviction: bool = False,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> None:
        """Make a replayer; parameters as for the worker that ran the workflows.

        Args:
            identity: accepted for Temporal's programs: a replay reports to nobody.
            debug_mode: let workflow code stop at ``breakpoint()``; there is no deadlock detector to turn off.

        Raises:
            ValueError: no workflow, or two of one name.
            RestrictedWorkflowAccessError: the code of a workflow is not deterministic.
            NotImplementedError: a parameter of something that is not built.
        """
        config = cast("ReplayerConfig", {name: v for name, v in locals().items() if name not in ("self", "plugins")})
        self._initial_config = config.copy()
        self.plugins = plugins
        for plugin in plugins:
            config = plugin.configure_replayer(config)
        self._config = config
        if not config.get("workflows"):
            raise ValueError("At least one workflow must be specified")
        _refuse_not_built(config)
        converter = config["data_converter"]
        definitions = workflow_definitions(config["workflows"])
        extern_functions: dict[str, Callable[..., Any]] = {}
        self._run_config = RunConfig(
            namespace=config["namespace"],
            task_queue="replay",
            definitions=definitions,
            payload_converter=converter.payload_converter,
            failure_converter=converter.failure_converter,
            interceptors=workflow_interceptor_classes(config["interceptors"], extern_functions),
            failure_exception_types=tuple(config["workflow_failure_exception_types"]),
            extern_functions=extern_functions,
            guards=guards_of(
                definitions.values(),
                config["workflow_runner"],
                config["unsandboxed_workflow_runner"],
                debug=config["debug_mode"],
            ),
            sdk_name=SDK_NAME,
            sdk_version=outlast.__version__,
        )

    def config(self, *, active_config: bool = False) -> ReplayerConfig:
        """The parameters, as given or, with ``active_config``, as plugins changed them; a shallow copy."""
        config = (self._config if active_config else self._initial_config).copy()
        config["workflows"] = list(config.get("workflows", []))
        return config

    async def replay_workflow(
        self, history: WorkflowHistory, *, raise_on_replay_failure: bool = True
    ) -> WorkflowReplayResult:
        """Replay one history.

        Raises:
            NondeterminismError: the code does something else than the history says.
            RuntimeError: the workflow task failed in another way.
        """

        async def only() -> AsyncIterator[WorkflowHistory]:
            yield history

        async with self.workflow_replay_iterator(only()) as results:
            async for result in results:
                if raise_on_replay_failure and result.replay_failure is not None:
                    raise result.replay_failure
                return result
        raise RuntimeError("A plugin swallowed the history")

    async def replay_workflows(
        self, histories: AsyncIterator[WorkflowHistory], *, raise_on_replay_failure: bool = True
    ) -> WorkflowReplayResults:
        """Replay many histories; raises the first failure, or collects all of them."""
        failures: dict[str, Exception] = {}
        async with self.workflow_replay_iterator(histories) as results:
            async for result in results:
                if result.replay_failure is not None:
                    if raise_on_replay_failure:
                        raise result.replay_failure
                    failures[result.history.run_id] = result.replay_failure
        return WorkflowReplayResults(replay_failures=failures)

    def workflow_replay_iterator(
        self, histories: AsyncIterator[WorkflowHistory]
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Replay histories one by one: ``async with`` it, then ``async for`` over the results."""
        replay: Callable[[Replayer, AsyncIterator[WorkflowHistory]], _Results] = Replayer._replay_all
        for plugin in reversed(self.plugins):
            replay = _around(plugin, replay)
        return replay(self, histories)

    @asynccontextmanager
    async def _replay_all(
        self, histories: AsyncIterator[WorkflowHistory]
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        async def results() -> AsyncIterator[WorkflowReplayResult]:
            async for history in histories:
                yield WorkflowReplayResult(history=history, replay_failure=await self._replay(history))

        yield results()

    async def _replay(self, history: WorkflowHistory) -> Exception | None:
        """Why the code does not fit the history; None when it does."""
        task = _task_of(history)
        codec = self._config["data_converter"]._codec
        if codec is not None:
            headers = self._config["header_codec_behavior"] is not HeaderCodecBehavior.NO_CODEC
            codecs = RunCodecs.for_task(codec, self._run_config.namespace, task, self._run_config.task_queue)
            task = await _codec.decode_task(task, codecs, headers)
        run = Run(self._run_config)
        try:
            answer = run.activate(task)
        finally:
            run.evict()
        if not isinstance(answer, RespondWorkflowTaskFailedRequest):
            return None
        if answer.cause == WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR:
            return NondeterminismError(answer.failure.message)
        cause = WorkflowTaskFailedCause.Name(answer.cause)
        return RuntimeError(f"{cause}: {answer.failure.message}\n{answer.failure.stack_trace}".rstrip())


def _around(
    plugin: Plugin, replay: Callable[[Replayer, AsyncIterator[WorkflowHistory]], _Results]
) -> Callable[[Replayer, AsyncIterator[WorkflowHistory]], _Results]:
    return lambda replayer, histories: plugin.run_replayer(replayer, histories, replay)


def _task_of(history: WorkflowHistory) -> PollWorkflowTaskQueueResponse:
    """The whole history as one workflow task."""
    task = PollWorkflowTaskQueueResponse(
        workflow_execution=WorkflowExecution(workflow_id=history.workflow_id, run_id=history.run_id), attempt=1
    )
    task.history.events.extend(history.events)
    started = 0
    for event in history.events:
        if event.event_type == EVENT_TYPE_WORKFLOW_TASK_STARTED:
            started = event.event_id
        elif event.event_type == EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            task.previous_started_event_id = event.workflow_task_completed_event_attributes.started_event_id
    task.started_event_id = started
    if history.events:
        task.workflow_type.CopyFrom(history.events[0].workflow_execution_started_event_attributes.workflow_type)
    return task


def _refuse_not_built(config: ReplayerConfig) -> None:
    for name in ("workflow_task_executor", "build_id", "runtime", "disable_safe_workflow_eviction"):
        if config.get(name):
            raise NotImplementedError(f"Replayer({name}=...) is not built in outlast")
    for name in ("workflow_runner", "unsandboxed_workflow_runner"):
        runner: WorkflowRunner | None = config.get(name)  # type: ignore[assignment]
        why = None if runner is None else refusal(runner)
        if why is not None:
            raise NotImplementedError(f"Replayer({name}=...) is not built in outlast: {why}")
