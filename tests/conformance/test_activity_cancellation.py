"""Cancelled activities: the three types, what an unstarted one gets, and how a running one learns of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hand import Hand
from stage import MINUTE, MS, Stage

from outlast import activity, workflow
from outlast.api.enums import v1 as e
from outlast.client import WorkflowFailureError
from outlast.exceptions import ActivityError, CancelledError
from outlast.service import RPCError, RPCStatusCode


class Activities:
    """``started`` is set by an attempt; ``release`` lets a stubborn one end."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.release = asyncio.Event()
        self.ended: list[str] = []

    @activity.defn
    async def obedient(self) -> str:
        self.started.set()
        try:
            async with asyncio.timeout(15):
                while True:
                    activity.heartbeat()
                    await asyncio.sleep(0.01)
        finally:
            self.ended.append("obedient")

    @activity.defn
    async def stubborn(self) -> str:
        self.started.set()
        try:
            async with asyncio.timeout(15):
                while not self.release.is_set():
                    activity.heartbeat()
                    await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.ended.append("cancelled and went on")
        return "done all the same"


@workflow.defn
class CancelOne:
    """Starts an activity and cancels it when told to."""

    def __init__(self) -> None:
        self.cancel = False

    @workflow.run
    async def run(self, name: str, kind: str, queue: str | None) -> str:
        handle = workflow.start_activity(
            name,
            task_queue=queue,
            start_to_close_timeout=MINUTE,
            heartbeat_timeout=750 * MS,
            cancellation_type=workflow.ActivityCancellationType[kind],
        )
        await workflow.wait_condition(lambda: self.cancel)
        handle.cancel()
        try:
            return str(await handle)
        except ActivityError as error:
            return f"{type(error).__name__}: {type(error.cause).__name__}"

    @workflow.signal
    def please_cancel(self) -> None:
        self.cancel = True


async def cancelled(stage: Stage, activities: Activities, name: str, kind: str, queue: str | None = None) -> Any:
    """The handle of a workflow that has been told to cancel its running activity."""
    handle = await stage.start(CancelOne.run, name, kind, queue)
    if queue is None:
        await activities.started.wait()
    else:
        await stage.until_event(handle, "ActivityTaskScheduled")
    await handle.signal(CancelOne.please_cancel)
    return handle


async def test_try_cancel_does_not_wait(stage: Stage) -> None:
    activities = Activities()
    async with stage.worker(CancelOne, activities=[activities.stubborn]):
        handle = await cancelled(stage, activities, "stubborn", "TRY_CANCEL")
        assert await handle.result() == "ActivityError: CancelledError"
        activities.release.set()
    assert "ActivityTaskCancelRequested" in await stage.names(handle)


async def test_wait_cancellation_completed_waits_for_the_worker(stage: Stage) -> None:
    activities = Activities()
    async with stage.worker(CancelOne, activities=[activities.obedient]):
        handle = await cancelled(stage, activities, "obedient", "WAIT_CANCELLATION_COMPLETED")
        assert await handle.result() == "ActivityError: CancelledError"
        assert activities.ended == ["obedient"]
    (canceled,) = await stage.attributes(handle, "ActivityTaskCanceled")
    (requested,) = [
        event.event_id
        for event in await stage.events(handle)
        if event.event_type == e.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED
    ]
    assert canceled.latest_cancel_requested_event_id == requested


async def test_an_activity_may_complete_although_it_was_cancelled(stage: Stage) -> None:
    activities = Activities()
    async with stage.worker(CancelOne, activities=[activities.stubborn]):
        handle = await cancelled(stage, activities, "stubborn", "WAIT_CANCELLATION_COMPLETED")
        assert await handle.result() == "done all the same"
        assert activities.ended == ["cancelled and went on"]


async def test_abandon_sends_no_request(stage: Stage) -> None:
    activities = Activities()
    async with stage.worker(CancelOne, activities=[activities.stubborn]):
        handle = await cancelled(stage, activities, "stubborn", "ABANDON")
        assert await handle.result() == "ActivityError: CancelledError"
        activities.release.set()
    assert "ActivityTaskCancelRequested" not in await stage.names(handle)


async def test_an_activity_that_nobody_started_is_cancelled_at_once(stage: Stage) -> None:
    async with stage.worker(CancelOne):
        handle = await cancelled(stage, Activities(), "obedient", "WAIT_CANCELLATION_COMPLETED", "nobody")
        assert await handle.result() == "ActivityError: CancelledError"
    (canceled,) = await stage.attributes(handle, "ActivityTaskCanceled")
    assert canceled.details.payloads[0].data == b'"ACTIVITY_ID_NOT_STARTED"'
    assert canceled.started_event_id == 0


@workflow.defn
class WaitForActivity:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity("obedient", start_to_close_timeout=MINUTE, heartbeat_timeout=750 * MS)


async def test_a_cancelled_workflow_cancels_what_it_awaits(stage: Stage) -> None:
    activities = Activities()
    async with stage.worker(WaitForActivity, activities=[activities.obedient]):
        handle = await stage.start(WaitForActivity.run)
        await activities.started.wait()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    assert isinstance(failed.value.cause, CancelledError)
    assert (await handle.describe()).status.name == "CANCELED"


async def test_a_heartbeat_tells_a_running_attempt_and_a_report_without_request_is_refused(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    await hand.turn(hand.schedule_activity())
    work = await hand.poll_activity()
    beat = hand.api.RecordActivityTaskHeartbeatRequest(task_token=work.task_token, namespace="default")
    report = hand.api.RespondActivityTaskCanceledRequest(task_token=work.task_token, namespace="default")
    assert not (await hand.service.record_activity_task_heartbeat(beat)).cancel_requested
    with pytest.raises(RPCError) as refused:
        await hand.service.respond_activity_task_canceled(report)
    assert refused.value.status is RPCStatusCode.INVALID_ARGUMENT
    await handle.signal("cancel it")
    await hand.turn(hand.command(e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=5))
    assert (await hand.service.record_activity_task_heartbeat(beat)).cancel_requested
    await hand.service.respond_activity_task_canceled(report)
    with pytest.raises(RPCError) as gone:
        await hand.service.record_activity_task_heartbeat(beat)
    assert gone.value.status is RPCStatusCode.NOT_FOUND
