"""The next run of a chain: continue-as-new, workflow retry and cron.

The next run keeps the workflow id, the first run's id, the execution timeout and its deadline. A retry repeats the
run's own start with the attempt counted up, a cron with the attempt back at 1, when the schedule says; a
continue-as-new takes what its command says and inherits type, queue and timeouts where the command is silent (rule
3.6.3). There is at least one second between run starts (rule 3.5.7).

Source: WorkflowExecutionContinuedAsNew, WorkflowExecutionStarted; rules 3.1, 3.5.7, 3.6.2, 3.6.3, 3.6.8.
"""

from __future__ import annotations

from outlast.api.command.v1 import ContinueAsNewWorkflowExecutionCommandAttributes
from outlast.api.common.v1 import Payloads, RetryPolicy
from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from outlast.vocab import cron, ids, limits, retry
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.times import duration, from_duration, timestamp

from ..command import BadCommand
from ..transition import Successor
from . import start
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


def after_success(
    state: ExecutionState, first: HistoryEvent | None, result: Payloads | None, now: int
) -> Successor | None:
    """The next run of a cron whose run has completed; None without a cron schedule."""
    if not state.cron_schedule:
        return None
    assert first is not None
    attributes = _recurring(first)
    attributes.ClearField("continued_failure")
    attributes.ClearField("last_completion_result")
    if result is not None:
        attributes.last_completion_result.CopyFrom(result)
    return _successor(state, first, attributes, _until_due(state, now), now)


def after_failure(
    state: ExecutionState, first: HistoryEvent | None, failure: Failure, now: int
) -> tuple[int, Successor | None]:
    """What follows a run that failed or ran out of its own time: the retry policy first, then the cron schedule.

    Returns:
        The retry state, and the next run; None when the chain ends.
    """
    verdict = decide_retry(state, failure, now)
    if verdict.delay_ns is not None:
        assert first is not None
        return verdict.retry_state, retried(state, first, failure, verdict.delay_ns, now)
    if not state.cron_schedule:
        return verdict.retry_state, None
    assert first is not None
    attributes = _recurring(first)
    attributes.continued_failure.CopyFrom(failure)
    return verdict.retry_state, _successor(state, first, attributes, _until_due(state, now), now)


def _recurring(first: HistoryEvent) -> WorkflowExecutionStartedEventAttributes:
    attributes = _copy(first)
    attributes.attempt = 1
    attributes.initiator = _e.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
    return attributes


def _until_due(state: ExecutionState, now: int) -> int:
    return cron.backoff_ns(state.cron_schedule, state.first_task_at, now)


def continued(
    state: ExecutionState, first: HistoryEvent, command: ContinueAsNewWorkflowExecutionCommandAttributes, now: int
) -> Successor:
    """The run that a continue-as-new command asks for."""
    attributes = _copy(first)
    attributes.initiator = command.initiator or _e.CONTINUE_AS_NEW_INITIATOR_WORKFLOW
    retries = attributes.initiator == _e.CONTINUE_AS_NEW_INITIATOR_RETRY
    attributes.attempt = state.attempt + 1 if retries else 1
    attributes.cron_schedule = command.cron_schedule
    if command.cron_schedule:
        _check_cron(command.cron_schedule)
    if command.workflow_type.name:
        attributes.workflow_type.CopyFrom(command.workflow_type)
    if command.task_queue.name:
        attributes.task_queue.name = command.task_queue.name
    for name in ("input", "header", "memo", "search_attributes", "retry_policy"):
        attributes.ClearField(name)
        if command.HasField(name):
            getattr(attributes, name).CopyFrom(getattr(command, name))
    if attributes.HasField("retry_policy"):
        _complete_policy(attributes.retry_policy)
    for name in ("workflow_run_timeout", "workflow_task_timeout", "backoff_start_interval"):
        if from_duration(getattr(command, name)) < 0:
            raise _bad_command(f"{name} is below zero; leave it out")
    run_ns = from_duration(command.workflow_run_timeout) or from_duration(attributes.workflow_run_timeout)
    task_ns = from_duration(command.workflow_task_timeout) or from_duration(attributes.workflow_task_timeout)
    _, run_ns, task_ns = start.effective_timeouts(state.execution_timeout_ns, run_ns, task_ns)
    if run_ns:
        attributes.workflow_run_timeout.CopyFrom(duration(run_ns))
    attributes.workflow_task_timeout.CopyFrom(duration(task_ns))
    attributes.ClearField("last_completion_result")
    if command.HasField("last_completion_result"):
        attributes.last_completion_result.CopyFrom(command.last_completion_result)
    attributes.ClearField("continued_failure")
    if command.HasField("failure"):
        attributes.continued_failure.CopyFrom(command.failure)
    return _successor(state, first, attributes, from_duration(command.backoff_start_interval), now)


def _check_cron(spec: str) -> None:
    try:
        cron.parse(spec)
    except InvalidArgument as error:
        raise _bad_command(error.message) from error


def _complete_policy(policy: RetryPolicy) -> None:
    policy.CopyFrom(retry.complete(policy))
    try:
        retry.validate(policy, "the next run")
    except InvalidArgument as error:
        raise _bad_command(error.message) from error


def _bad_command(problem: str) -> BadCommand:
    return BadCommand(
        _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES, f"ContinueAsNewWorkflowExecution: {problem}"
    )


def _copy(first: HistoryEvent) -> WorkflowExecutionStartedEventAttributes:
    attributes = WorkflowExecutionStartedEventAttributes()
    attributes.CopyFrom(first.workflow_execution_started_event_attributes)
    attributes.eager_execution_accepted = False
    return attributes


def _pass_on_options(state: ExecutionState, attributes: WorkflowExecutionStartedEventAttributes) -> None:
    """The next run begins with the options as operators have changed them, and knows the builds of those before it."""
    attributes.ClearField("priority")
    if state.priority:
        attributes.priority.MergeFromString(state.priority)
    attributes.ClearField("prev_auto_reset_points")
    if state.reset_points:
        attributes.prev_auto_reset_points.MergeFromString(state.reset_points)
    attributes.ClearField("versioning_override")
    if state.versioning_override:
        attributes.versioning_override.MergeFromString(state.versioning_override)


def _successor(
    state: ExecutionState,
    first: HistoryEvent,
    attributes: WorkflowExecutionStartedEventAttributes,
    delay_ns: int,
    now: int,
) -> Successor:
    run_id = next_run_id(state)
    # A chain whose runs end at once may not spin.
    delay_ns = max(delay_ns, limits.RUN_INTERVAL_MIN_NS - (now - state.first_task_at), 0)
    attributes.continued_execution_run_id = state.run_id
    attributes.original_execution_run_id = run_id
    attributes.first_workflow_task_backoff.CopyFrom(duration(delay_ns))
    _pass_on_options(state, attributes)
    if state.execution_expires_at:
        attributes.workflow_execution_expiration_time.CopyFrom(timestamp(state.execution_expires_at))
    event_fields = {"user_metadata": first.user_metadata} if first.HasField("user_metadata") else {}
    event = new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, now, {}, **event_fields)
    event.workflow_execution_started_event_attributes.CopyFrom(attributes)
    return Successor(run_id, event)
