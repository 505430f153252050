"""What a worker gives to every run it replays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from outlast.common import MetricMeter, WorkerDeploymentVersion
from outlast.converter import DefaultFailureConverter, FailureConverter, PayloadConverter
from outlast.workflow._definition import Definition
from outlast.workflow._info import Info


@dataclass(frozen=True, slots=True)
class PatchActivationInput:
    """What a patch activation callback decides about: a call of ``patched`` that no history answers."""

    workflow_info: Info
    patch_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Settings of a worker, as far as replay needs them.

    Attributes:
        definitions: workflow classes by workflow type; the key None holds the dynamic one.
        interceptors: classes called as ``cls(next_inbound)``, outermost first.
        failure_exception_types: exceptions that fail a workflow instead of its task, besides those of the definition.
        sdk_name, sdk_version: recorded with completions.
        deployment_version: of this worker; what ``workflow.info()`` reports for tasks that it runs itself.
        guards: by workflow type, what the worker's determinism guard finds on the event loop of its runs.
        patch_activation: asked whether a patch is on where no history decides; None means on.
    """

    namespace: str
    task_queue: str
    definitions: Mapping[str | None, Definition]
    payload_converter: PayloadConverter = field(default_factory=lambda: PayloadConverter.default)
    failure_converter: FailureConverter = field(default_factory=DefaultFailureConverter)
    interceptors: Sequence[Callable[[Any], Any]] = ()
    failure_exception_types: Sequence[type[BaseException]] = ()
    extern_functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    metric_meter: MetricMeter = field(default_factory=lambda: MetricMeter.noop)
    disable_eager_activity_execution: bool = False
    deployment_version: WorkerDeploymentVersion | None = None
    guards: Mapping[str | None, object] = field(default_factory=dict)
    patch_activation: Callable[[PatchActivationInput], bool] | None = None
    sdk_name: str = "outlast-python"
    sdk_version: str = ""
