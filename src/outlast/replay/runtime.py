"""The runtime that workflow code reaches through ``outlast.workflow``: each call goes to the noun that it is about.

Rule: calls that interceptors may see go through the outbound chain; whatever changes the workflow is refused in
read-only places before that.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from outlast.api.history.v1 import HistoryEvent
from outlast.api.sdk.v1 import EventGroupMarker
from outlast.common import MetricMeter, WorkerDeploymentVersion
from outlast.converter import PayloadConverter
from outlast.workflow import ActivityHandle, ChildWorkflowHandle, ExternalWorkflowHandle, Info
from outlast.workflow._calls import (
    ContinueAsNewInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
)
from outlast.workflow._handlers import HandlerDefinition
from outlast.workflow._runtime import Runtime, TaskFacts

from .condition import wait_condition
from .context import RunContext
from .metrics import ReplaySafeMeter
from .nouns import Nouns

if TYPE_CHECKING:
    from random import Random


class WorkflowRuntime(Runtime):
    """One run's runtime.

    Attributes:
        task_started: the event that started the current workflow task.
        version: of the worker that ran, or is running, the current workflow task.
    """

    def __init__(self, context: RunContext, nouns: Nouns) -> None:
        self._context, self._nouns, self._started = context, nouns, context.beginning.attributes
        self.task_started = HistoryEvent()
        self.version: WorkerDeploymentVersion | None = None
        self._logger_details: Mapping[str, Any] | None = None

    # -- facts ----------------------------------------------------------------------------------------------------

    def info(self) -> Info:
        info: Info = self._context.interception.outbound.info()
        return info

    def logger_details(self) -> Mapping[str, Any]:
        if self._logger_details is None:
            self._logger_details = self._context.info._logger_details()
        return self._logger_details

    def instance(self) -> Any:
        return self._context.instance

    def time_ns(self) -> int:
        return self._context.loop.now_ns

    def task_facts(self) -> TaskFacts:
        attributes = self.task_started.workflow_task_started_event_attributes
        return TaskFacts(
            history_length=self.task_started.event_id,
            history_size_bytes=attributes.history_size_bytes,
            continue_as_new_suggested=attributes.suggest_continue_as_new,
            target_version_changed=attributes.target_worker_deployment_version_changed,
        )

    def deployment_version(self) -> WorkerDeploymentVersion | None:
        return self.version

    def is_replaying(self) -> bool:
        return self._context.mode.replaying

    def is_replaying_history_events(self) -> bool:
        return self._context.mode.replaying and not self._context.mode.in_query

    def is_read_only(self) -> bool:
        return self._context.mode.read_only

    def is_failure_exception(self, error: BaseException) -> bool:
        return self._context.is_failure_exception(error)

    def cancellation_reason(self) -> str | None:
        return self._context.cancel_reason

    def payload_converter(self) -> PayloadConverter:
        return self._context.converters.payload

    def extern_functions(self) -> Mapping[str, Callable[..., Any]]:
        return self._context.config.extern_functions

    def metric_meter(self) -> MetricMeter:
        info, meter = self._context.info, self._context.config.metric_meter
        return ReplaySafeMeter(
            meter.with_additional_attributes(
                {"namespace": info.namespace, "task_queue": info.task_queue, "workflow_type": info.workflow_type}
            ),
            self.is_replaying,
        )

    def has_last_completion_result(self) -> bool:
        return bool(self._started.last_completion_result.payloads)

    def last_completion_result(self, type_hint: type | None) -> Any:
        payloads = self._started.last_completion_result.payloads
        if not payloads:
            return None
        if len(payloads) > 1:
            warnings.warn(f"Expected single last completion result, got {len(payloads)}", stacklevel=3)
            return None
        return self._context.converters.payload.from_payload(payloads[0], type_hint)  # type: ignore[arg-type]

    def last_failure(self) -> BaseException | None:
        if not self._started.HasField("continued_failure"):
            return None
        converters = self._context.converters
        return converters.failure.from_failure(self._started.continued_failure, converters.payload)

    # -- randomness -----------------------------------------------------------------------------------------------

    def random(self) -> Random:
        self._context.require_writable("random")
        return self._nouns.randomness.generator

    def random_seed(self) -> int:
        return self._nouns.randomness.seed

    def register_random_seed_callback(self, callback: Callable[[int], None]) -> None:
        self._context.require_writable("register random seed callback")
        self._nouns.randomness.on_reseed(callback)

    # -- memo, search attributes, details, patches ----------------------------------------------------------------

    def memo(self) -> Mapping[str, Any]:
        return self._nouns.properties.memo()

    def memo_value(self, key: str, default: Any, type_hint: type | None) -> Any:
        return self._nouns.properties.memo_value(key, default, type_hint)

    def upsert_memo(self, updates: Mapping[str, Any], markers: Sequence[EventGroupMarker]) -> None:
        self._nouns.properties.upsert_memo(updates, markers)

    def upsert_search_attributes(self, attributes: Any, markers: Sequence[EventGroupMarker]) -> None:
        self._nouns.properties.upsert_search_attributes(attributes, markers)

    def current_details(self) -> str:
        return self._nouns.queries.current_details

    def set_current_details(self, details: str) -> None:
        self._context.require_writable("set current details")
        self._nouns.queries.current_details = details

    def patch(self, patch_id: str, deprecated: bool, markers: Sequence[EventGroupMarker]) -> bool:
        return self._nouns.patches.ask(patch_id, deprecated, markers)

    # -- waiting --------------------------------------------------------------------------------------------------

    async def sleep(self, seconds: float, summary: str | None, markers: Sequence[EventGroupMarker]) -> None:
        await self._nouns.timers.sleep(seconds, summary, markers)

    async def wait_condition(
        self,
        condition: Callable[[], bool],
        timeout: float | None,
        summary: str | None,
        markers: Sequence[EventGroupMarker],
    ) -> None:
        await wait_condition(self._context, self._nouns.timers, condition, timeout, summary, markers)

    # -- commands -------------------------------------------------------------------------------------------------

    def start_activity(self, call: StartActivityInput) -> ActivityHandle[Any]:
        self._context.require_writable("start activity")
        call.disable_eager_execution = self._context.config.disable_eager_activity_execution
        handle: ActivityHandle[Any] = self._context.interception.outbound.start_activity(call)
        return handle

    def start_local_activity(self, call: StartLocalActivityInput) -> ActivityHandle[Any]:
        self._context.require_writable("start local activity")
        handle: ActivityHandle[Any] = self._context.interception.outbound.start_local_activity(call)
        return handle

    async def start_child_workflow(self, call: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:
        self._context.require_writable("start child workflow")
        handle: ChildWorkflowHandle[Any, Any] = await self._context.interception.outbound.start_child_workflow(call)
        return handle

    def external_workflow(self, workflow_id: str, run_id: str | None) -> ExternalWorkflowHandle[Any]:
        return self._nouns.external_workflows.handle(workflow_id, run_id)

    def continue_as_new(self, call: ContinueAsNewInput) -> NoReturn:
        self._context.require_writable("continue as new")
        self._context.interception.outbound.continue_as_new(call)
        raise AssertionError("an interceptor let continue_as_new return")

    # -- handlers -------------------------------------------------------------------------------------------------

    def handler(self, kind: str, name: str | None) -> Callable[..., Any] | None:
        definition = self._nouns.handlers.get(kind, name)
        return None if definition is None else definition.bound(self._context.instance)

    def set_handler(self, kind: str, name: str | None, definition: HandlerDefinition | None) -> None:
        self._context.require_writable(f"set {kind} handler")
        self._nouns.handlers.set(kind, name, definition)
        if kind == "signal" and definition is not None:
            self._nouns.signals.handler_was_set(name, definition)

    def all_handlers_finished(self) -> bool:
        return not self._nouns.handlers.running
