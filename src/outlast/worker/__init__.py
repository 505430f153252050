"""Workers run workflows and activities of a task queue; the replayer runs workflows over recorded histories.

Rule: the public names are those of ``temporalio.worker``. Nexus is not built; docs/parity.md lists what else differs.
"""

from __future__ import annotations

from outlast.common import WorkerDeploymentVersion
from outlast.replay import PatchActivationInput
from outlast.workflow._calls import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
)

from ._config import PollerBehavior, PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum, WorkerConfig
from ._interceptor import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from ._plugin import Plugin
from ._replayer import Replayer, ReplayerConfig, WorkflowReplayResult, WorkflowReplayResults
from ._runner import UnsandboxedWorkflowRunner, WorkflowRunner
from ._shared_state import SharedHeartbeatSender, SharedStateManager
from ._tuning import (
    ActivitySlotInfo,
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    LocalActivitySlotInfo,
    NexusSlotInfo,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    SlotInfo,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    SlotSupplier,
    WorkerTuner,
    WorkflowSlotInfo,
)
from ._versioning import WorkerDeploymentConfig
from ._worker import Worker

__all__ = [
    # Primary types
    "Worker",
    "WorkerConfig",
    "Replayer",
    "ReplayerConfig",
    "WorkflowReplayResult",
    "WorkflowReplayResults",
    "PollerBehavior",
    "PollerBehaviorSimpleMaximum",
    "PollerBehaviorAutoscaling",
    "PatchActivationInput",
    # Interceptors and plugins
    "Interceptor",
    "ActivityInboundInterceptor",
    "ActivityOutboundInterceptor",
    "WorkflowInboundInterceptor",
    "WorkflowOutboundInterceptor",
    "Plugin",
    # Inputs of interceptors
    "ContinueAsNewInput",
    "ExecuteActivityInput",
    "ExecuteWorkflowInput",
    "HandleQueryInput",
    "HandleSignalInput",
    "HandleUpdateInput",
    "SignalChildWorkflowInput",
    "SignalExternalWorkflowInput",
    "StartActivityInput",
    "StartChildWorkflowInput",
    "StartLocalActivityInput",
    "WorkflowInterceptorClassInput",
    # Activities in processes
    "SharedStateManager",
    "SharedHeartbeatSender",
    # Versions
    "WorkerDeploymentConfig",
    "WorkerDeploymentVersion",
    # Slots
    "WorkerTuner",
    "FixedSizeSlotSupplier",
    "ResourceBasedTunerConfig",
    "ResourceBasedSlotConfig",
    "ResourceBasedSlotSupplier",
    "CustomSlotSupplier",
    "SlotSupplier",
    "SlotPermit",
    "SlotReserveContext",
    "SlotMarkUsedContext",
    "SlotReleaseContext",
    "SlotInfo",
    "WorkflowSlotInfo",
    "ActivitySlotInfo",
    "LocalActivitySlotInfo",
    "NexusSlotInfo",
    # Runners
    "WorkflowRunner",
    "UnsandboxedWorkflowRunner",
]
