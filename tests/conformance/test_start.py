"""Starting: id policies, request ids, options that arrive in the workflow, delay, retries of a workflow, timeouts."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hand import Hand
from stage import MINUTE, MS, SECOND, Stage

from outlast import workflow
from outlast.api.enums import v1 as e
from outlast.client import WorkflowExecutionStatus, WorkflowFailureError
from outlast.common import RetryPolicy, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from outlast.exceptions import ApplicationError, TimeoutError, WorkflowAlreadyStartedError
from outlast.service import RPCError, RPCStatusCode

REUSE = (
    e.WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED,
    e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    e.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    e.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
)
CONFLICT = (
    e.WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED,
    e.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
    e.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
    e.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
)


def expected(status: str, reuse: int, conflict: int, *, signals: bool = False) -> str:
    """Rules 3.5.1 to 3.5.3: NEW run, EXISTING run, REPLACED run, EXISTS error, or INVALID request."""
    terminates = reuse == e.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING
    if terminates and conflict:
        return "INVALID"
    if conflict == e.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING:
        if reuse == e.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
            return "INVALID"
        terminates = True
    if signals and conflict == e.WORKFLOW_ID_CONFLICT_POLICY_FAIL:
        return "INVALID"
    if status == "none":
        return "NEW"
    if status == "running":
        if terminates:
            return "REPLACED"
        uses = conflict == e.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING or (signals and not conflict)
        return "EXISTING" if uses else "EXISTS"
    if reuse == e.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
        return "EXISTS"
    if reuse == e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY:
        return "EXISTS" if status == "completed" else "NEW"
    return "NEW"


async def prior(hand: Hand, status: str, workflow_id: str) -> str:
    """A first run in this status; answers its run id."""
    if status == "none":
        return ""
    timeout = MS if status == "timed out" else MINUTE
    handle = await hand.start(workflow_id, workflow_run_timeout=timeout)
    if status == "completed":
        await hand.turn(hand.complete_workflow())
    elif status == "failed":
        await hand.turn(hand.fail_workflow())
    elif status == "canceled":
        await handle.cancel()
        await hand.turn(hand.cancel_workflow())
    elif status == "terminated":
        await handle.terminate()
    elif status == "timed out":
        await hand.stage.until_closed(handle)
    return str(handle.result_run_id or handle.run_id)


@pytest.mark.parametrize("signals", [False, True], ids=["start", "signal-with-start"])
@pytest.mark.parametrize("status", ["none", "running", "completed", "failed", "canceled", "terminated", "timed out"])
async def test_every_combination_of_id_policies(stage: Stage, status: str, signals: bool) -> None:
    hand = Hand(stage)
    for reuse in REUSE:
        for conflict in CONFLICT:
            workflow_id = stage.id()
            first_run_id = await prior(hand, status, workflow_id)
            request = hand.start_request(
                workflow_id, workflow_id_reuse_policy=reuse, workflow_id_conflict_policy=conflict
            )
            want = expected(status, reuse, conflict, signals=signals)
            try:
                if signals:
                    fields = {field.name: value for field, value in request.ListFields()}
                    signalling = hand.api.SignalWithStartWorkflowExecutionRequest(signal_name="approve", **fields)
                    response = await hand.service.signal_with_start_workflow_execution(signalling)
                else:
                    response = await hand.service.start_workflow_execution(request)
            except RPCError as error:
                got = {RPCStatusCode.ALREADY_EXISTS: "EXISTS", RPCStatusCode.INVALID_ARGUMENT: "INVALID"}[error.status]
            else:
                if response.run_id == first_run_id:
                    got = "EXISTING"
                else:
                    first = stage.client.get_workflow_handle(workflow_id, run_id=first_run_id)
                    replaced = status == "running" and (await first.describe()).status.name == "TERMINATED"
                    got = "REPLACED" if replaced else "NEW"
                    await stage.client.get_workflow_handle(workflow_id).terminate()
                assert response.started is (got != "EXISTING")
            assert got == want, (reuse, conflict)


async def test_a_replaced_run_says_by_whom(stage: Stage) -> None:
    hand = Hand(stage)
    first = await hand.start()
    second = await hand.start(first.id, workflow_id_conflict_policy=e.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING)
    (terminated,) = await stage.attributes(first, "WorkflowExecutionTerminated")
    assert terminated.reason == "TerminateIfRunning WorkflowIdReusePolicy"
    assert terminated.identity == "history-service"
    assert terminated.details.payloads[0].data == f'"terminated by new runID: {second.run_id}"'.encode()


async def test_the_same_request_leads_to_the_same_run(stage: Stage) -> None:
    hand = Hand(stage)
    request = hand.start_request(stage.id(), workflow_id_reuse_policy=e.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE)
    first = await hand.service.start_workflow_execution(request)
    again = await hand.service.start_workflow_execution(request)
    assert (again.run_id, again.started) == (first.run_id, True)
    await hand.turn(hand.complete_workflow())
    closed = await hand.service.start_workflow_execution(request)
    assert (closed.run_id, closed.started) == (first.run_id, True)
    request.request_id = str(uuid.uuid4())
    with pytest.raises(RPCError) as refused:
        await hand.service.start_workflow_execution(request)
    assert refused.value.status is RPCStatusCode.ALREADY_EXISTS


async def test_a_request_attached_to_a_run_is_known_later(stage: Stage) -> None:
    hand = Hand(stage)
    running = await hand.start()
    request = hand.start_request(
        running.id,
        workflow_id_conflict_policy=e.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
        on_conflict_options={"attach_request_id": True},
    )
    for _ in range(2):
        response = await hand.service.start_workflow_execution(request)
        assert (response.run_id, response.started) == (running.run_id, False)
    (attached,) = await stage.attributes(running, "WorkflowExecutionOptionsUpdated")
    assert attached.attached_request_id == request.request_id


@workflow.defn
class Inform:
    """Answers what the workflow sees of its start."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        info = workflow.info()
        policy = info.retry_policy
        return {
            "memo": workflow.memo_value("color"),
            "execution": info.execution_timeout.total_seconds() if info.execution_timeout else None,
            "run": info.run_timeout.total_seconds() if info.run_timeout else None,
            "task": info.task_timeout.total_seconds(),
            "attempts": policy.maximum_attempts if policy else None,
            "attempt": info.attempt,
        }


async def test_start_options_reach_the_workflow(stage: Stage) -> None:
    async with stage.worker(Inform):
        plain = {"memo": "red", "execution": None, "run": None, "task": 10, "attempts": None, "attempt": 1}
        assert await stage.execute(Inform.run, memo={"color": "red"}) == plain
        handle = await stage.start(
            Inform.run,
            memo={"color": "blue"},
            execution_timeout=MINUTE,
            run_timeout=MINUTE / 2,
            task_timeout=5 * SECOND,
            retry_policy=RetryPolicy(maximum_attempts=3),
        )
        assert await handle.result() == {
            **plain,
            "memo": "blue",
            "execution": 60,
            "run": 30,
            "task": 5,
            "attempts": 3,
        }
    described = await handle.describe()
    assert await described.memo() == {"color": "blue"}
    assert described.workflow_type == "Inform"
    assert described.task_queue == stage.queue


@workflow.defn
class Quick:
    @workflow.run
    async def run(self) -> str:
        return workflow.info().run_id


async def test_the_second_start_of_a_running_id_is_refused_with_a_name(stage: Stage) -> None:
    first = await stage.start(Quick.run)
    with pytest.raises(WorkflowAlreadyStartedError) as refused:
        await stage.start(Quick.run, id=first.id)
    assert refused.value.workflow_id == first.id
    assert refused.value.workflow_type == "Quick"
    assert refused.value.run_id == first.first_execution_run_id
    existing = await stage.start(Quick.run, id=first.id, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING)
    assert existing.first_execution_run_id == first.first_execution_run_id
    async with stage.worker(Quick):
        assert await first.result() == first.first_execution_run_id
    with pytest.raises(WorkflowAlreadyStartedError):
        await stage.start(Quick.run, id=first.id, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE)


async def test_start_delay_holds_the_first_task_back(stage: Stage) -> None:
    async with stage.worker(Quick):
        handle = await stage.start(Quick.run, start_delay=30 * MS)
        await handle.result()
    events = await stage.events(handle)
    (started,) = await stage.attributes(handle, "WorkflowExecutionStarted")
    assert started.first_workflow_task_backoff.ToTimedelta() == 30 * MS
    waited = events[1].event_time.ToDatetime() - events[0].event_time.ToDatetime()
    assert waited >= 30 * MS


async def test_a_signal_with_start_does_not_wait_for_the_delay(stage: Stage) -> None:
    async with stage.worker(Listen):
        handle = await stage.start(Listen.run, start_delay=MINUTE)
        await handle.signal("say", "plain")
        assert await stage.names(handle) == ["WorkflowExecutionStarted", "WorkflowExecutionSignaled"]
        again = await stage.start(Listen.run, id=handle.id, start_signal="say", start_signal_args=["with start"])
        assert await again.result() == ["plain", "with start"]
        cancelled = await stage.start(Listen.run, start_delay=MINUTE)
        await cancelled.cancel()
        with pytest.raises(WorkflowFailureError):
            await cancelled.result()


@workflow.defn
class Listen:
    """Ends with the second thing it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: len(self.heard) == 2)
        return self.heard

    @workflow.signal
    def say(self, what: str) -> None:
        self.heard.append(what)


async def test_signal_with_start_starts_once_and_signals_twice(stage: Stage) -> None:
    workflow_id = stage.id()
    for word in ("one", "two"):
        handle = await stage.start(Listen.run, id=workflow_id, start_signal="say", start_signal_args=[word])
    assert await stage.names(handle) == [
        "WorkflowExecutionStarted",
        "WorkflowExecutionSignaled",
        "WorkflowTaskScheduled",
        "WorkflowExecutionSignaled",
    ]
    async with stage.worker(Listen):
        assert await handle.result() == ["one", "two"]


@workflow.defn
class FailUntil:
    """Fails until its third attempt."""

    @workflow.run
    async def run(self, third: bool) -> int:
        attempt = workflow.info().attempt
        if attempt < 3 or not third:
            raise ApplicationError(f"attempt {attempt}", type="Again", non_retryable=attempt > 1 and not third)
        return attempt


async def test_a_workflow_is_retried_as_new_runs_of_one_chain(stage: Stage) -> None:
    policy = RetryPolicy(initial_interval=MS, maximum_interval=MS)
    async with stage.worker(FailUntil):
        handle = await stage.start(FailUntil.run, True, retry_policy=policy)
        assert await handle.result() == 3
        (failed,) = await stage.attributes(handle, "WorkflowExecutionFailed", run_id=handle.first_execution_run_id)
        assert failed.retry_state == e.RETRY_STATE_IN_PROGRESS
        (second,) = await stage.attributes(handle, "WorkflowExecutionStarted", run_id=failed.new_execution_run_id)
        assert second.attempt == 2
        assert second.first_execution_run_id == handle.first_execution_run_id
        assert second.continued_execution_run_id == handle.first_execution_run_id
        assert second.initiator == e.CONTINUE_AS_NEW_INITIATOR_RETRY
        assert second.continued_failure.message == "attempt 1"
        with pytest.raises(WorkflowFailureError) as final:
            await stage.execute(FailUntil.run, False, retry_policy=policy)
    assert isinstance(final.value.cause, ApplicationError)
    assert final.value.cause.message == "attempt 2"


@pytest.mark.parametrize("which", ["run_timeout", "execution_timeout"])
async def test_a_run_that_is_out_of_time(stage: Stage, which: str) -> None:
    handle = await stage.start(Listen.run, **{which: 20 * MS})
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, TimeoutError)
    assert failed.value.cause.type is not None and failed.value.cause.type.name == "START_TO_CLOSE"
    assert (await handle.describe()).status is WorkflowExecutionStatus.TIMED_OUT


async def test_a_run_timeout_follows_the_retry_policy_and_an_execution_timeout_does_not(stage: Stage) -> None:
    policy = RetryPolicy(initial_interval=MS, maximum_interval=MS, maximum_attempts=2)
    handle = await stage.start(Listen.run, run_timeout=10 * MS, retry_policy=policy)
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    (first,) = await stage.attributes(handle, "WorkflowExecutionTimedOut", run_id=handle.first_execution_run_id)
    assert first.retry_state == e.RETRY_STATE_IN_PROGRESS
    (last,) = await stage.attributes(handle, "WorkflowExecutionTimedOut", run_id=first.new_execution_run_id)
    assert last.retry_state == e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    bound = await stage.start(Listen.run, execution_timeout=10 * MS, retry_policy=policy)
    with pytest.raises(WorkflowFailureError):
        await bound.result()
    (ended,) = await stage.attributes(bound, "WorkflowExecutionTimedOut", run_id=bound.first_execution_run_id)
    assert (ended.retry_state, ended.new_execution_run_id) == (e.RETRY_STATE_TIMEOUT, "")


async def test_many_starts_at_once_of_one_id_make_one_run(stage: Stage) -> None:
    workflow_id = stage.id()

    async def one() -> str:
        policy = WorkflowIDConflictPolicy.USE_EXISTING
        return str((await stage.start(Quick.run, id=workflow_id, id_conflict_policy=policy)).first_execution_run_id)

    assert len(set(await asyncio.gather(*(one() for _ in range(20))))) == 1


async def test_an_id_that_is_too_long_is_refused(stage: Stage) -> None:
    with pytest.raises(RPCError) as refused:
        await stage.start(Quick.run, id="x" * 1001)
    assert refused.value.status is RPCStatusCode.INVALID_ARGUMENT
    with pytest.raises(RPCError) as negative:
        await stage.start(Quick.run, run_timeout=timedelta(seconds=-1))
    assert negative.value.status is RPCStatusCode.INVALID_ARGUMENT


async def test_a_repeated_signal_with_start_signals_once(stage: Stage) -> None:
    hand = Hand(stage)
    request = hand.api.SignalWithStartWorkflowExecutionRequest(
        namespace="default",
        workflow_id=stage.id(),
        workflow_type={"name": "Order"},
        task_queue={"name": stage.queue},
        request_id="one request",
        signal_name="approve",
    )
    responses = [await hand.service.signal_with_start_workflow_execution(request) for _ in range(2)]
    assert responses[0].run_id == responses[1].run_id
    handle = stage.client.get_workflow_handle(request.workflow_id)
    assert await stage.names(handle) == [
        "WorkflowExecutionStarted",
        "WorkflowExecutionSignaled",
        "WorkflowTaskScheduled",
    ]
