"""Which form of a codec belongs to which payload of a run's workflow tasks, for codecs with a serialization context.

Rule: what goes to or comes from an activity has the activity's context, a child's or another workflow's has that
workflow's, and all else has the run's own. The id of an activity is the one on the wire, whether the workflow chose
it or not, so that both ends have the same.

Source: temporalio ``_WorkflowInstanceImpl.get_serialization_context``.
"""

from __future__ import annotations

import json
from typing import Any

from outlast.api.command.v1 import Command
from outlast.api.enums.v1 import EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import PollWorkflowTaskQueueResponse
from outlast.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from outlast.converter._stored_payloads import StoredPayloads
from outlast.replay import HistoryGap
from outlast.vocab.attributes import COMMAND_FIELD, EVENT_FIELD

_LOCAL_MARKER = "core_local_activity"
# Commands and events -> where the workflow id stands whose context their payloads have.
_OTHER_WORKFLOW = {
    "start_child_workflow_execution_command_attributes": lambda a: a.workflow_id,
    "signal_external_workflow_execution_command_attributes": lambda a: a.execution.workflow_id,
    "start_child_workflow_execution_initiated_event_attributes": lambda a: a.workflow_id,
    "signal_external_workflow_execution_initiated_event_attributes": lambda a: a.workflow_execution.workflow_id,
    "signal_external_workflow_execution_failed_event_attributes": lambda a: a.workflow_execution.workflow_id,
    "child_workflow_execution_completed_event_attributes": lambda a: a.workflow_execution.workflow_id,
    "child_workflow_execution_failed_event_attributes": lambda a: a.workflow_execution.workflow_id,
    "child_workflow_execution_canceled_event_attributes": lambda a: a.workflow_execution.workflow_id,
}
_ENDS_OF_ACTIVITIES = frozenset(
    f"activity_task_{end}_event_attributes" for end in ("completed", "failed", "timed_out", "canceled")
)


class RunCodecs:
    """The codec of one run in its contexts; it lives as long as the run is cached.

    Args:
        codec: with ``with_context`` of its own, or around one that has it.
        namespace: of the worker.
        task: the run's first one here.
        task_queue: what an activity is sent to that names no queue.
    """

    __slots__ = ("_codec", "_namespace", "_scheduled", "_task_queue", "_workflow_id", "_workflow_type", "of_run")

    def __init__(
        self, codec: PayloadCodec, namespace: str, task: PollWorkflowTaskQueueResponse, task_queue: str
    ) -> None:
        self._codec = codec
        self._namespace = namespace
        self._workflow_id = task.workflow_execution.workflow_id
        self._workflow_type = task.workflow_type.name
        self._task_queue = task_queue
        # Of activities without an end so far, by the event that scheduled them.
        self._scheduled: dict[int, SerializationContext] = {}
        self.of_run = self._of(self._workflow(self._workflow_id))

    @classmethod
    def for_task(
        cls, codec: PayloadCodec, namespace: str, task: PollWorkflowTaskQueueResponse, task_queue: str
    ) -> RunCodecs | PayloadCodec:
        """These where the codec has forms, else the codec itself; arguments as above."""
        inner = codec.inner if isinstance(codec, StoredPayloads) else codec
        return cls(codec, namespace, task, task_queue) if isinstance(inner, WithSerializationContext) else codec

    def of_event(self, event: HistoryEvent) -> PayloadCodec:
        """For the attributes of an event; events come in their order.

        Raises:
            HistoryGap: it ends an activity whose schedule was never seen here.
        """
        field = EVENT_FIELD[event.event_type]
        attributes = getattr(event, field)
        if event.event_type == EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            context = self._scheduled[event.event_id] = self._activity(attributes)
            return self._of(context)
        if field in _ENDS_OF_ACTIVITIES:
            context = self._scheduled.get(attributes.scheduled_event_id) or self._gap(attributes.scheduled_event_id)
            return self._of(context)
        return self._of_attributes(field, attributes)

    def of_command(self, command: Command) -> PayloadCodec:
        """For the attributes of a command."""
        field = COMMAND_FIELD[command.command_type]
        attributes = getattr(command, field)
        if field == "schedule_activity_task_command_attributes":
            return self._of(self._activity(attributes))
        return self._of_attributes(field, attributes)

    def _of_attributes(self, field: str, attributes: Any) -> PayloadCodec:
        if field in _OTHER_WORKFLOW:
            return self._of(self._workflow(_OTHER_WORKFLOW[field](attributes)))
        if field.startswith(("record_marker", "marker_recorded")) and attributes.marker_name == _LOCAL_MARKER:
            return self._of(self._local_activity(attributes))
        return self.of_run

    def _of(self, context: SerializationContext) -> PayloadCodec:
        codec = self._codec
        if isinstance(codec, StoredPayloads):
            return codec.with_context(context)
        assert isinstance(codec, WithSerializationContext)
        return codec.with_context(context)

    # -- contexts -------------------------------------------------------------------------------------------------

    def _workflow(self, workflow_id: str) -> SerializationContext:
        return WorkflowSerializationContext(namespace=self._namespace, workflow_id=workflow_id)

    def _activity(self, attributes: Any) -> SerializationContext:
        return ActivitySerializationContext(
            namespace=self._namespace,
            activity_id=attributes.activity_id,
            activity_type=attributes.activity_type.name,
            activity_task_queue=attributes.task_queue.name,
            workflow_id=self._workflow_id,
            workflow_type=self._workflow_type,
            is_local=False,
        )

    def _local_activity(self, attributes: Any) -> SerializationContext:
        data = json.loads(attributes.details["data"].payloads[0].data)
        return ActivitySerializationContext(
            namespace=self._namespace,
            activity_id=data["activity_id"],
            activity_type=data["activity_type"],
            activity_task_queue=self._task_queue,
            workflow_id=self._workflow_id,
            workflow_type=self._workflow_type,
            is_local=True,
        )

    def _gap(self, scheduled_event_id: int) -> SerializationContext:
        raise HistoryGap(f"event {scheduled_event_id}, which scheduled an activity, was not seen by this run")
