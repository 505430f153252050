"""The next run of a chain: continue-as-new and workflow retry.

The next run keeps the workflow id, the first run's id, the execution timeout and its deadline. A retry repeats the
run's own start with the attempt counted up; a continue-as-new takes what its command says and inherits type, queue and
timeouts where the command is silent (rule 3.6.3). There is at least one second between run starts (rule 3.5.7).

Source: WorkflowExecutionContinuedAsNew, WorkflowExecutionStarted; rules 3.1, 3.5.7, 3.6.3, 3.6.8.
"""

from __future__ import annotations

from outlast.api.command.v1 import ContinueAsNewWorkflowExecutionCommandAttributes
from outlast.api.common.v1 import RetryPolicy
from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from outlast.vocab import ids, limits, retry
from outlast.vocab.times import duration, from_duration, timestamp

from ..transition import Successor
from .events import new_event
from .state import ExecutionState


def next_run_id(state: ExecutionState) -> str:
    """The successor's run id: derived, so that a decision made twice names the same run."""
    return ids.successor_run_id(state.run_id, state.next_event_id)


def decide_retry(state: ExecutionState, failure: Failure, now: int) -> retry.Verdict:
    """Whether the workflow's own retry policy starts another attempt after this failure."""
    policy = RetryPolicy.FromString(state.retry_policy) if state.retry_policy else None
    return retry.decide(
        policy,
        attempt=state.attempt,
        failure=failure,
        now=now,
        expires_at=state.execution_expires_at or None,
        cancel_requested=False,
        is_workflow=True,
    )


def retried(state: ExecutionState, first: HistoryEvent, failure: Failure, delay_ns: int, now: int) -> Successor:
    """The next attempt of the run that ``first`` started."""
    attributes = _copy(first)
    attributes.attempt = state.attempt + 1
    attributes.initiator = _e.CONTINUE_AS_NEW_INITIATOR_RETRY
    attributes.continued_failure.CopyFrom(failure)
    return _successor(state, first, attributes, delay_ns, now)


def continued(
    state: ExecutionState, first: HistoryEvent, command: ContinueAsNewWorkflowExecutionCommandAttributes, now: int
) -> Successor:
    """The run that a continue-as-new command asks for."""
    attributes = _copy(first)
    attributes.attempt = 1
    attributes.initiator = command.initiator or _e.CONTINUE_AS_NEW_INITIATOR_WORKFLOW
    if command.workflow_type.name:
        attributes.workflow_type.CopyFrom(command.workflow_type)
    if command.task_queue.name:
        attributes.task_queue.name = command.task_queue.name
    for name in ("input", "header", "memo", "search_attributes", "retry_policy"):
        attributes.ClearField(name)
        if command.HasField(name):
            getattr(attributes, name).CopyFrom(getattr(command, name))
    if attributes.HasField("retry_policy"):
        attributes.retry_policy.CopyFrom(retry.complete(attributes.retry_policy))
    for name in ("workflow_run_timeout", "workflow_task_timeout"):
        if from_duration(getattr(command, name)):
            getattr(attributes, name).CopyFrom(getattr(command, name))
    attributes.ClearField("last_completion_result")
    if command.HasField("last_completion_result"):
        attributes.last_completion_result.CopyFrom(command.last_completion_result)
    attributes.ClearField("continued_failure")
    if command.HasField("failure"):
        attributes.continued_failure.CopyFrom(command.failure)
    delay_ns = max(
        from_duration(command.backoff_start_interval), limits.RUN_INTERVAL_MIN_NS - (now - state.started_at), 0
    )
    return _successor(state, first, attributes, delay_ns, now)


def _copy(first: HistoryEvent) -> WorkflowExecutionStartedEventAttributes:
    attributes = WorkflowExecutionStartedEventAttributes()
    attributes.CopyFrom(first.workflow_execution_started_event_attributes)
    attributes.eager_execution_accepted = False
    return attributes


def _successor(
    state: ExecutionState,
    first: HistoryEvent,
    attributes: WorkflowExecutionStartedEventAttributes,
    delay_ns: int,
    now: int,
) -> Successor:
    run_id = next_run_id(state)
    attributes.continued_execution_run_id = state.run_id
    attributes.original_execution_run_id = run_id
    attributes.first_workflow_task_backoff.CopyFrom(duration(delay_ns))
    if state.execution_expires_at:
        attributes.workflow_execution_expiration_time.CopyFrom(timestamp(state.execution_expires_at))
    event_fields = {"user_metadata": first.user_metadata} if first.HasField("user_metadata") else {}
    event = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, now, {}, **event_fields)
    event.workflow_execution_started_event_attributes.CopyFrom(attributes)
    return Successor(run_id, event)
