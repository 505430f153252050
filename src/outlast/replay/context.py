"""What the nouns of one run share: its mode, its facts, its converters, and the way back to the ledger.

Rule: a noun knows this context and no other noun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from outlast.api.common.v1 import Payload
from outlast.api.failure.v1 import Failure
from outlast.api.protobuf import Duration
from outlast.common import VersioningBehavior
from outlast.converter import (
    ActivitySerializationContext,
    FailureConverter,
    PayloadConverter,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from outlast.exceptions import FailureError
from outlast.workflow import DynamicWorkflowConfig, ReadOnlyContextError
from outlast.workflow._calls import StartLocalActivityInput

from .config import RunConfig
from .flags import Flags
from .jobs import Jobs
from .ledger import Ledger
from .started import Beginning

if TYPE_CHECKING:
    from outlast.workflow import Info
    from outlast.workflow._calls import StartActivityInput
    from outlast.workflow._definition import Definition

    from .interception import Interception
    from .workflow_loop import WorkflowLoop


class EvictionError(BaseException):
    """Unwinds workflow code that calls the SDK while its run is thrown away."""


class Converters:
    """The converters of one run, with their serialization contexts."""

    __slots__ = ("_config", "_contextual", "failure", "payload", "plain")

    def __init__(self, config: RunConfig, workflow_id: str) -> None:
        self._config = config
        # Most converters take a context and then do not use it: they say so by giving back themselves.
        self._contextual = True
        workflow = WorkflowSerializationContext(namespace=config.namespace, workflow_id=workflow_id)
        self.payload, self.failure = self.plain = self.for_context(workflow)
        self._contextual = self.payload is not config.payload_converter or self.failure is not config.failure_converter

    def for_context(self, context: Any) -> tuple[PayloadConverter, FailureConverter]:
        """Both converters as they are in this serialization context."""
        payload, failure = self._config.payload_converter, self._config.failure_converter
        if isinstance(payload, WithSerializationContext):
            payload = payload.with_context(context)
        if isinstance(failure, WithSerializationContext):
            failure = failure.with_context(context)
        return payload, failure

    def for_workflow(self, workflow_id: str) -> tuple[PayloadConverter, FailureConverter]:
        """Both converters for values that go to, or come from, another workflow."""
        if not self._contextual:
            return self.plain
        return self.for_context(WorkflowSerializationContext(namespace=self._config.namespace, workflow_id=workflow_id))

    def for_activity(
        self, run: RunContext, call: StartActivityInput | StartLocalActivityInput
    ) -> tuple[PayloadConverter, FailureConverter]:
        """Both converters for values that go to, or come from, an activity."""
        if not self._contextual:
            return self.plain
        is_local = isinstance(call, StartLocalActivityInput)
        return self.for_context(
            ActivitySerializationContext(
                namespace=self._config.namespace,
                workflow_id=run.beginning.workflow_id,
                workflow_type=run.beginning.workflow_type,
                activity_type=call.activity,
                activity_id=call.activity_id,
                activity_task_queue=getattr(call, "task_queue", None) or self._config.task_queue,
                is_local=is_local,
            )
        )


class Mode:
    """What the code of a run may do just now.

    Attributes:
        replaying: whether history already has what the code is about to do.
        read_only: a query or validator is running. ``in_query`` tells it from the other read-only places.
        evicting: the run is being thrown away.
        single_batch: all jobs of an activation are applied before the code runs.
    """

    __slots__ = ("evicting", "in_query", "read_only", "replaying", "single_batch")

    def __init__(self) -> None:
        self.replaying = self.read_only = self.in_query = self.evicting = self.single_batch = False


class RunContext:
    """One run's shared state.

    Attributes:
        beginning: what the first event says.
        instance: the workflow object; None until the first turn of the loop.
        settings: what the class, or a dynamic workflow for this run, has decided.
        cancel_reason: given with the request to cancel the workflow; None while nobody asked.
        error: fails the workflow task as soon as the callback that set it returns.
    """

    def __init__(self, config: RunConfig, definition: Definition, beginning: Beginning, loop: WorkflowLoop) -> None:
        self.config, self.definition, self.beginning, self.loop = config, definition, beginning, loop
        self.converters = Converters(config, beginning.workflow_id)
        self.ledger, self.jobs, self.flags, self.mode = Ledger(), Jobs(), Flags(), Mode()
        self.interception: Interception
        self.instance: Any = None
        self.cancel_reason: str | None = None
        self.error: BaseException | None = None
        self.settings = DynamicWorkflowConfig(definition.failure_exception_types, definition.versioning_behavior)
        # As payloads, for continue-as-new: those of the start, and every upsert since.
        self.search_attributes: dict[str, Payload] = dict(beginning.attributes.search_attributes.indexed_fields)

    @cached_property
    def info(self) -> Info:
        """What ``workflow.info()`` says; built when first asked for."""
        return self.beginning.info(self.config.namespace, self.config.task_queue)

    def require_writable(self, action: str) -> None:
        """Before anything that changes the workflow.

        Raises:
            EvictionError: the run is being thrown away.
            ReadOnlyContextError: a query or validator is running.
        """
        if self.mode.evicting:
            raise EvictionError(f"Ignoring {action} while evicting workflow. This is not an error.")
        if self.mode.read_only:
            raise ReadOnlyContextError(f"While in read-only function, action attempted: {action}")

    def apply_dynamic_config(self, config: DynamicWorkflowConfig) -> None:
        """Settings that a dynamic workflow has decided for this run."""
        kept = self.settings
        types, behavior = config.failure_exception_types, config.versioning_behavior
        self.settings = DynamicWorkflowConfig(
            failure_exception_types=kept.failure_exception_types if types is None else types,
            versioning_behavior=kept.versioning_behavior if behavior == VersioningBehavior.UNSPECIFIED else behavior,
        )

    @contextmanager
    def as_read_only(self, *, in_query: bool) -> Iterator[None]:
        """Refuse changes inside."""
        mode = self.mode
        before = mode.read_only, mode.in_query
        mode.read_only, mode.in_query = True, in_query
        try:
            yield
        finally:
            mode.read_only, mode.in_query = before

    def is_failure_exception(self, error: BaseException) -> bool:
        """Whether this exception fails the workflow (or update) and not the workflow task."""
        chosen = (*(self.settings.failure_exception_types or ()), *self.config.failure_exception_types)
        return isinstance(error, (FailureError, TimeoutError, *chosen))

    def decode(self, payloads: Sequence[Payload], hints: list[type] | None, converter: PayloadConverter) -> list[Any]:
        """Payloads as values. Hints that do not match in number are not used.

        Raises:
            RuntimeError: the converter failed with something that would not fail the workflow.
        """
        if not payloads:
            return []
        if hints is not None and len(hints) != len(payloads):
            hints = None
        try:
            return converter.from_payloads(payloads, hints)
        except Exception as error:
            if self.is_failure_exception(error):
                raise
            raise RuntimeError("Failed decoding arguments") from error

    def failure_of(self, error: BaseException) -> Failure:
        """An exception of workflow code as a Failure."""
        failure = Failure()
        self.converters.failure.to_failure(error, self.converters.payload, failure)
        return failure

    def let_go(self) -> None:
        """The run is over: forget everything but the mode, which says so."""
        mode = self.mode
        vars(self).clear()
        self.mode = mode

    def call_later(self, job: Callable[[], None]) -> None:
        """Have the next activation do this, in the order of the events that caused it."""
        self.jobs.add(job)


@lru_cache(maxsize=256)
def proto_duration(value: timedelta) -> Duration:
    """A timedelta as a Duration, for ``CopyFrom``: the same message is given out again."""
    duration = Duration()
    duration.FromTimedelta(value)
    return duration
