"""How runs end: completed, failed with each shape of failure, cancelled, terminated; and what describe says of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hand import Hand
from stage import MINUTE, MS, Stage

from outlast import activity, workflow
from outlast.client import (
    WorkflowContinuedAsNewError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHistoryEventFilterType,
)
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError, CancelledError, TerminatedError
from outlast.service import RPCError, RPCStatusCode


@workflow.defn
class Answer:
    @workflow.run
    async def run(self, value: Any) -> Any:
        return value


@activity.defn
async def decline() -> None:
    raise ValueError("declined")


@workflow.defn
class Fail:
    """Fails in one of many ways."""

    @workflow.run
    async def run(self, how: str) -> None:
        once = RetryPolicy(maximum_attempts=1)
        if how == "application":
            raise ApplicationError("no stock", {"sku": 7}, 8, type="OutOfStock", non_retryable=True)
        if how == "chain":
            try:
                raise ApplicationError("root", type="Root")
            except ApplicationError as root:
                raise ApplicationError("top", type="Top") from root
        if how == "activity":
            await workflow.execute_activity(decline, start_to_close_timeout=MINUTE, retry_policy=once)
        if how == "wrapped activity":
            try:
                await workflow.execute_activity(decline, start_to_close_timeout=MINUTE, retry_policy=once)
            except ActivityError as error:
                raise ApplicationError("order failed") from error


@workflow.defn
class Wait:
    """Waits, and cleans up when it is cancelled."""

    def __init__(self) -> None:
        self.ended = False

    @workflow.run
    async def run(self, stubborn: bool) -> str:
        try:
            await workflow.wait_condition(lambda: self.ended)
        except asyncio.CancelledError:
            await workflow.execute_activity(decline_politely, start_to_close_timeout=MINUTE)
            if not stubborn:
                raise
        return "went on"

    @workflow.signal
    def end(self) -> None:
        self.ended = True


@activity.defn
async def decline_politely() -> None:
    return None


async def test_results_of_every_plain_type(stage: Stage) -> None:
    async with stage.worker(Answer):
        for value in (None, True, 1, 1.5, "text", [1, "two", None], {"a": {"b": []}}, "ümlaut ☃"):
            assert await stage.execute(Answer.run, value) == value


async def failure_of(stage: Stage, how: str) -> Any:
    with pytest.raises(WorkflowFailureError) as failed:
        await stage.execute(Fail.run, how)
    return failed.value.cause


async def test_the_shapes_of_failures(stage: Stage) -> None:
    async with stage.worker(Fail, activities=[decline]):
        cause = await failure_of(stage, "application")
        assert type(cause) is ApplicationError
        assert (cause.message, cause.type, cause.non_retryable) == ("no stock", "OutOfStock", True)
        assert list(cause.details) == [{"sku": 7}, 8]
        assert cause.cause is None

        cause = await failure_of(stage, "chain")
        assert (cause.message, cause.type) == ("top", "Top")
        assert isinstance(cause.cause, ApplicationError)
        assert (cause.cause.message, cause.cause.type) == ("root", "Root")

        cause = await failure_of(stage, "activity")
        assert type(cause) is ActivityError
        assert (cause.activity_type, cause.message) == ("decline", "Activity task failed")
        inner = cause.cause
        assert isinstance(inner, ApplicationError)
        assert (inner.message, inner.type, inner.non_retryable) == ("declined", "ValueError", False)

        cause = await failure_of(stage, "wrapped activity")
        assert isinstance(cause, ApplicationError) and cause.message == "order failed"
        assert isinstance(cause.cause, ActivityError)
        assert isinstance(cause.cause.cause, ApplicationError)
        assert cause.cause.cause.message == "declined"


async def test_a_failed_run_records_its_failure(stage: Stage) -> None:
    async with stage.worker(Fail):
        handle = await stage.start(Fail.run, "application")
        assert (await stage.until_closed(handle)) is WorkflowExecutionStatus.FAILED
    (failed,) = await stage.attributes(handle, "WorkflowExecutionFailed")
    assert failed.failure.application_failure_info.type == "OutOfStock"
    assert "raise ApplicationError" in failed.failure.stack_trace


async def test_cancel_is_delivered_once_and_may_be_refused(stage: Stage) -> None:
    async with stage.worker(Wait, activities=[decline_politely]):
        obedient = await stage.start(Wait.run, False)
        await obedient.cancel()
        await obedient.cancel()
        with pytest.raises(WorkflowFailureError) as ended:
            await obedient.result()
        assert isinstance(ended.value.cause, CancelledError)
        assert (await obedient.describe()).status is WorkflowExecutionStatus.CANCELED
        assert (await stage.names(obedient)).count("WorkflowExecutionCancelRequested") == 1
        stubborn = await stage.start(Wait.run, True)
        await stage.until_event(stubborn, "WorkflowTaskCompleted")
        await stubborn.cancel()
        assert await stubborn.result() == "went on"
        assert (await stubborn.describe()).status is WorkflowExecutionStatus.COMPLETED
        await stubborn.cancel()  # a closed run has nothing to cancel, and that is no error


async def test_terminate(stage: Stage) -> None:
    handle = await stage.start(Wait.run, False)
    await handle.terminate("a detail", reason="enough")
    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()
    cause = ended.value.cause
    assert isinstance(cause, TerminatedError)
    assert (str(cause), list(cause.details)) == ("enough", ["a detail"])
    (terminated,) = await stage.attributes(handle, "WorkflowExecutionTerminated")
    assert terminated.reason == "enough"
    with pytest.raises(RPCError) as again:
        await handle.terminate()
    assert again.value.status is RPCStatusCode.NOT_FOUND


async def test_the_first_run_id_guards_cancel_and_terminate(stage: Stage) -> None:
    first = await stage.start(Wait.run, False)
    await first.terminate()
    second = await stage.start(Wait.run, False, id=first.id)
    stranger = stage.client.get_workflow_handle(first.id, first_execution_run_id=first.first_execution_run_id)
    for call in (stranger.cancel(), stranger.terminate()):
        with pytest.raises(RPCError) as refused:
            await call
        assert refused.value.status is RPCStatusCode.NOT_FOUND
    await second.terminate()


async def test_terminating_a_started_task_fails_it_first(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    task = await hand.poll()
    await handle.signal("buffered")
    await handle.terminate()
    assert (await stage.names(handle))[2:] == [
        "WorkflowTaskStarted",
        "WorkflowTaskFailed",
        "WorkflowExecutionSignaled",
        "WorkflowExecutionTerminated",
    ]
    with pytest.raises(RPCError) as gone:
        await hand.complete(task)
    assert gone.value.status is RPCStatusCode.NOT_FOUND


async def test_describe_shows_what_is_pending(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start(memo={"fields": {"k": {"metadata": {"encoding": b"json/plain"}, "data": b"1"}}})
    described = (await handle.describe()).raw_description
    assert described.pending_workflow_task.attempt == 1
    assert described.pending_workflow_task.state == 1  # scheduled
    task = await hand.poll()
    described = (await handle.describe()).raw_description
    assert described.pending_workflow_task.state == 2  # started
    slow = {"initial_interval": timedelta(seconds=30), "maximum_attempts": 5}
    await hand.complete(task, hand.schedule_activity("a"), hand.schedule_activity("b", retry_policy=slow))
    for _ in range(2):
        work = await hand.poll_activity()
        if work.activity_id == "b":
            break
    await hand.service.record_activity_task_heartbeat(
        hand.api.RecordActivityTaskHeartbeatRequest(
            task_token=work.task_token,
            namespace="default",
            details={"payloads": [{"metadata": {"encoding": b"json/plain"}, "data": b"42"}]},
        )
    )
    await hand.service.respond_activity_task_failed(
        hand.api.RespondActivityTaskFailedRequest(
            task_token=work.task_token,
            namespace="default",
            failure={"message": "card declined", "application_failure_info": {}},
        )
    )
    raw = (await handle.describe()).raw_description
    assert not raw.HasField("pending_workflow_task")
    pending = {one.activity_id: one for one in raw.pending_activities}
    assert set(pending) == {"a", "b"}
    b = pending["b"]
    assert (b.state, b.attempt, b.maximum_attempts) == (1, 2, 5)
    assert b.last_failure.message == "card declined"
    assert b.heartbeat_details.payloads[0].data == b"42"
    assert abs(b.current_retry_interval.ToTimedelta() - timedelta(seconds=30)) < timedelta(milliseconds=1)
    assert b.HasField("next_attempt_schedule_time") and b.last_worker_identity
    info = raw.workflow_execution_info
    assert (info.history_length, info.task_queue, info.type.name) == (6, stage.queue, "Order")
    assert info.memo.fields["k"].data == b"1"
    assert not info.HasField("close_time")
    await handle.terminate()
    assert (await handle.describe()).close_time is not None


async def test_a_long_poll_ends_with_what_is_new(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    seen: list[int] = []

    async def follow() -> None:
        async for event in handle.fetch_history_events(wait_new_event=True):
            seen.append(event.event_id)

    following = asyncio.create_task(follow())
    await hand.turn(hand.start_timer("1", MINUTE))
    await handle.signal("go")
    await hand.turn(hand.complete_workflow())
    await following
    assert seen == list(range(1, len(await stage.events(handle)) + 1))
    only_close = [
        event.event_type
        async for event in handle.fetch_history_events(event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT)
    ]
    assert len(only_close) == 1


async def test_pages_of_a_history_forwards_and_backwards(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    for number in range(20):
        await handle.signal("one", number)
    for rpc, ids in (
        ("get_workflow_execution_history", list(range(1, 23))),
        ("get_workflow_execution_history_reverse", list(range(22, 0, -1))),
    ):
        request_type = {
            "get_workflow_execution_history": hand.api.GetWorkflowExecutionHistoryRequest,
            "get_workflow_execution_history_reverse": hand.api.GetWorkflowExecutionHistoryReverseRequest,
        }[rpc]
        got: list[int] = []
        token = b""
        while True:
            response = await getattr(hand.service, rpc)(
                request_type(
                    namespace="default",
                    execution={"workflow_id": handle.id},
                    maximum_page_size=5,
                    next_page_token=token,
                )
            )
            # Temporal's server counts what was written at once, not events.
            assert len(response.history.events) <= (6 if stage.oracle else 5)
            got.extend(event.event_id for event in response.history.events)
            token = response.next_page_token
            if not token:
                break
        assert got == ids


async def test_result_follows_the_chain_and_can_be_told_not_to(stage: Stage) -> None:
    async with stage.worker(Flaky):
        handle = await stage.start(Flaky.run, retry_policy=RetryPolicy(initial_interval=MS))
        assert await handle.result() == 2
        first = stage.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        # temporalio does not tell the server that it follows retries, and so is told that the run continued as new.
        with pytest.raises(WorkflowFailureError if stage.ours else WorkflowContinuedAsNewError) as ended:
            await first.result(follow_runs=False)
        failed = (await stage.attributes(handle, "WorkflowExecutionFailed", first.run_id))[0]
        assert failed.new_execution_run_id and failed.failure.message == "once more"
        if isinstance(ended.value, WorkflowContinuedAsNewError):
            assert ended.value.new_execution_run_id == failed.new_execution_run_id
        else:
            assert isinstance(ended.value.cause, ApplicationError)


@workflow.defn
class Flaky:
    @workflow.run
    async def run(self) -> int:
        if workflow.info().attempt == 1:
            raise ApplicationError("once more")
        return workflow.info().attempt


@pytest.mark.parametrize(
    "rpc",
    [
        ("PollWorkflowTaskQueue", {"namespace": "default"}),
        ("StartWorkflowExecution", {"namespace": "default", "workflow_id": "x"}),
        ("SignalWorkflowExecution", {"namespace": "default"}),
        ("RespondWorkflowTaskCompleted", {"namespace": "default", "task_token": b"junk"}),
        ("RespondActivityTaskCompleted", {"namespace": "default", "task_token": b"junk"}),
        ("GetWorkflowExecutionHistory", {"namespace": "default"}),
    ],
    ids=lambda rpc: rpc[0],
)
async def test_malformed_requests_are_invalid(stage: Stage, rpc: tuple[str, dict[str, Any]]) -> None:
    hand = Hand(stage)
    name, fields = rpc
    method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
    with pytest.raises(RPCError) as refused:
        await getattr(hand.service, method)(getattr(hand.api, f"{name}Request")(**fields))
    assert refused.value.status is RPCStatusCode.INVALID_ARGUMENT


async def test_an_unknown_namespace_is_named(stage: Stage) -> None:
    client = stage.with_options(namespace="nowhere")
    with pytest.raises(RPCError, match="nowhere") as refused:
        await client.get_workflow_handle("x").describe()
    assert refused.value.status is RPCStatusCode.NOT_FOUND
