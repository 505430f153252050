"""Histories and replies without what no two runs share: ids, times, places."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

_DROPPED = {
    "eventTime",
    "taskId",
    "version",
    "workerMayIgnore",
    "requestId",
    "firstExecutionRunId",
    "originalExecutionRunId",
    "continuedExecutionRunId",
    "newExecutionRunId",
    "runId",
    "baseRunId",
    "newRunId",
    "identity",
    "historySizeBytes",
    "workflowExecutionExpirationTime",
    "namespaceId",
    "workflowNamespaceId",
    "parentWorkflowNamespaceId",
    "externalWorkflowNamespaceId",
    "stackTrace",
    "links",
    "link",
    "sdkName",
    "sdkVersion",
    "taskToken",
    "nextPageToken",
    "startedTime",
    "scheduledTime",
    "startTime",
    "closeTime",
    "executionTime",
    "executionDuration",
    "lastHeartbeatTime",
    "lastStartedTime",
    "lastAttemptCompleteTime",
    "currentRetryInterval",
    "nextAttemptScheduleTime",
    "expirationTime",
    "originalScheduledTime",
    "workerInstanceKey",
    "originalStartTime",
    "normalName",
    # Which build worked on it, and what SDKs note for themselves in an order of their own.
    "workerVersion",
    "useWorkflowBuildId",
    "meteringMetadata",
    "coreUsedFlags",
    "priority",
}


def normal(message: Message, scene: str = "") -> Any:
    """The message as plain data; ``scene`` is the name that ids of the scene begin with."""
    return _normal(json_format.MessageToDict(message), scene, _DROPPED)


def events(history: Message, scene: str = "") -> list[Any]:
    """A history as plain data, without the words of the server's own and without attempts that are not written yet."""
    found: list[Any] = normal(history, scene).get("events", [])
    for event in found:
        event.get("workflowTaskFailedEventAttributes", {}).pop("failure", None)
        event.get("workflowExecutionTerminatedEventAttributes", {}).pop("reason", None)
    last = found[-1].get("workflowTaskScheduledEventAttributes", {})
    if last.get("attempt", 1) > 1 and found[-2]["eventType"].endswith(("TASK_FAILED", "TASK_TIMED_OUT")):
        found.pop()
    return found


def _normal(value: Any, scene: str, dropped: set[str] | frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _normal(one, scene, dropped) for key, one in sorted(value.items()) if key not in dropped}
    if isinstance(value, list):
        return [_normal(one, scene, dropped) for one in value]
    if isinstance(value, str):
        if len(value) > 300:
            return f"<{len(value)} characters>"
        value = value.replace(scene, "scene") if scene else value
        value = re.sub(r"[0-9a-f]{32}", "<hex>", value)
        return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", value)
    return value
