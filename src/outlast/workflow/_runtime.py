"""The one seam between workflow code and what runs it.

Rule: ``outlast.workflow`` knows replay only as this abstract class; replay knows ``outlast.workflow`` as names and
values. The running event loop carries its runtime in the attribute ``workflow_runtime``.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

from ._exceptions import _NotInWorkflowEventLoopError

if TYPE_CHECKING:
    import outlast.common
    from outlast.api.sdk.v1 import EventGroupMarker
    from outlast.converter import PayloadConverter

    from ._activities import ActivityHandle
    from ._calls import ContinueAsNewInput, StartActivityInput, StartChildWorkflowInput, StartLocalActivityInput
    from ._children import ChildWorkflowHandle, ExternalWorkflowHandle
    from ._handlers import HandlerDefinition
    from ._info import Info


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What the start of the current workflow task says about history."""

    history_length: int = 0
    history_size_bytes: int = 0
    continue_as_new_suggested: bool = False
    target_version_changed: bool = False


class Runtime(ABC):
    """Everything that workflow code can reach. ``markers`` are the event groups of a command, already captured."""

    @staticmethod
    def current() -> Runtime:
        """The runtime of the workflow that is running.

        Raises:
            _NotInWorkflowEventLoopError: no workflow is running in this thread.
        """
        runtime = getattr(asyncio._get_running_loop(), "workflow_runtime", None)
        if runtime is None:
            raise _NotInWorkflowEventLoopError
        return runtime  # type: ignore[no-any-return]

    @staticmethod
    def maybe_current() -> Runtime | None:
        """The runtime of the workflow that is running, or None outside workflows."""
        return getattr(asyncio._get_running_loop(), "workflow_runtime", None)

    # -- facts ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def info(self) -> Info: ...
    @abstractmethod
    def logger_details(self) -> Mapping[str, Any]: ...
    @abstractmethod
    def instance(self) -> Any: ...
    @abstractmethod
    def time_ns(self) -> int: ...
    @abstractmethod
    def task_facts(self) -> TaskFacts: ...
    @abstractmethod
    def deployment_version(self) -> outlast.common.WorkerDeploymentVersion | None: ...
    @abstractmethod
    def is_replaying(self) -> bool: ...
    @abstractmethod
    def is_replaying_history_events(self) -> bool: ...
    @abstractmethod
    def is_read_only(self) -> bool: ...
    @abstractmethod
    def is_failure_exception(self, error: BaseException) -> bool: ...
    @abstractmethod
    def cancellation_reason(self) -> str | None: ...
    @abstractmethod
    def payload_converter(self) -> PayloadConverter: ...
    @abstractmethod
    def extern_functions(self) -> Mapping[str, Callable[..., Any]]: ...
    @abstractmethod
    def metric_meter(self) -> outlast.common.MetricMeter: ...
    @abstractmethod
    def has_last_completion_result(self) -> bool: ...
    @abstractmethod
    def last_completion_result(self, type_hint: type | None) -> Any: ...
    @abstractmethod
    def last_failure(self) -> BaseException | None: ...

    # -- randomness -----------------------------------------------------------------------------------------------

    @abstractmethod
    def random(self) -> Random: ...
    @abstractmethod
    def random_seed(self) -> int: ...
    @abstractmethod
    def register_random_seed_callback(self, callback: Callable[[int], None]) -> None: ...

    # -- memo, search attributes, details, patches ----------------------------------------------------------------

    @abstractmethod
    def memo(self) -> Mapping[str, Any]: ...
    @abstractmethod
    def memo_value(self, key: str, default: Any, type_hint: type | None) -> Any: ...
    @abstractmethod
    def upsert_memo(self, updates: Mapping[str, Any], markers: Sequence[EventGroupMarker]) -> None: ...
    @abstractmethod
    def upsert_search_attributes(
        self,
        attributes: outlast.common.SearchAttributes | Sequence[outlast.common.SearchAttributeUpdate[Any]],
        markers: Sequence[EventGroupMarker],
    ) -> None: ...
    @abstractmethod
    def current_details(self) -> str: ...
    @abstractmethod
    def set_current_details(self, details: str) -> None: ...
    @abstractmethod
    def patch(self, patch_id: str, deprecated: bool, markers: Sequence[EventGroupMarker]) -> bool: ...

    # -- waiting --------------------------------------------------------------------------------------------------

    @abstractmethod
    async def sleep(self, seconds: float, summary: str | None, markers: Sequence[EventGroupMarker]) -> None: ...
    @abstractmethod
    async def wait_condition(
        self,
        condition: Callable[[], bool],
        timeout: float | None,
        summary: str | None,
        markers: Sequence[EventGroupMarker],
    ) -> None: ...

    # -- commands -------------------------------------------------------------------------------------------------

    @abstractmethod
    def start_activity(self, call: StartActivityInput) -> ActivityHandle[Any]: ...
    @abstractmethod
    def start_local_activity(self, call: StartLocalActivityInput) -> ActivityHandle[Any]: ...
    @abstractmethod
    async def start_child_workflow(self, call: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]: ...
    @abstractmethod
    def external_workflow(self, workflow_id: str, run_id: str | None) -> ExternalWorkflowHandle[Any]: ...
    @abstractmethod
    def continue_as_new(self, call: ContinueAsNewInput) -> NoReturn: ...

    # -- handlers -------------------------------------------------------------------------------------------------

    @abstractmethod
    def handler(self, kind: str, name: str | None) -> Callable[..., Any] | None: ...
    @abstractmethod
    def set_handler(self, kind: str, name: str | None, definition: HandlerDefinition | None) -> None: ...
    @abstractmethod
    def all_handlers_finished(self) -> bool: ...
