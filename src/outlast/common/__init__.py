"""Values shared by clients, workers and workflows: policies, search attributes, priorities, versions, metrics.

Rule: the public names and defaults are those of ``temporalio.common``; underscore names are for the SDK itself.
"""

from __future__ import annotations

from ._functions import _apply_headers as _apply_headers
from ._functions import _arg_or_args as _arg_or_args
from ._functions import _arg_unset as _arg_unset
from ._functions import _type_hints_from_func as _type_hints_from_func
from ._metrics import (
    MetricAttributes,
    MetricCommon,
    MetricCounter,
    MetricGauge,
    MetricGaugeFloat,
    MetricHistogram,
    MetricHistogramFloat,
    MetricHistogramTimedelta,
    MetricMeter,
)
from ._policies import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    HeaderCodecBehavior,
    NexusOperationCancellationState,
    NexusOperationExecutionStatus,
    NexusOperationIDConflictPolicy,
    NexusOperationIDReusePolicy,
    PendingNexusOperationExecutionState,
    Priority,
    QueryRejectCondition,
    RawValue,
    RetryPolicy,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from ._search_attributes import (
    SearchAttributeIndexedValueType,
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributes,
    SearchAttributeUpdate,
    SearchAttributeValue,
    SearchAttributeValues,
    SearchAttributeValueType,
    TypedSearchAttributes,
)
from ._search_attributes import _warn_on_deprecated_search_attributes as _warn_on_deprecated_search_attributes
from ._versioning import (
    AutoUpgradeVersioningOverride,
    OneTimeVersioningOverride,
    PinnedVersioningOverride,
    VersioningBehavior,
    VersioningOverride,
    WorkerDeploymentVersion,
)

__all__ = [
    "ActivityIDConflictPolicy",
    "ActivityIDReusePolicy",
    "AutoUpgradeVersioningOverride",
    "HeaderCodecBehavior",
    "MetricAttributes",
    "MetricCommon",
    "MetricCounter",
    "MetricGauge",
    "MetricGaugeFloat",
    "MetricHistogram",
    "MetricHistogramFloat",
    "MetricHistogramTimedelta",
    "MetricMeter",
    "NexusOperationCancellationState",
    "NexusOperationExecutionStatus",
    "NexusOperationIDConflictPolicy",
    "NexusOperationIDReusePolicy",
    "OneTimeVersioningOverride",
    "PendingNexusOperationExecutionState",
    "PinnedVersioningOverride",
    "Priority",
    "QueryRejectCondition",
    "RawValue",
    "RetryPolicy",
    "SearchAttributeIndexedValueType",
    "SearchAttributeKey",
    "SearchAttributePair",
    "SearchAttributeUpdate",
    "SearchAttributeValue",
    "SearchAttributeValueType",
    "SearchAttributeValues",
    "SearchAttributes",
    "TypedSearchAttributes",
    "VersioningBehavior",
    "VersioningOverride",
    "WorkerDeploymentVersion",
    "WorkflowIDConflictPolicy",
    "WorkflowIDReusePolicy",
]
