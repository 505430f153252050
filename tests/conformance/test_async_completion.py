"""Activities that are completed from elsewhere, by task token and by id."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from stage import MINUTE, Stage

from outlast import activity, workflow
from outlast.client import AsyncActivityCancelledError, WorkflowFailureError
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError, CancelledError
from outlast.service import RPCError, RPCStatusCode


class Elsewhere:
    """Takes the task and leaves its completion to the case."""

    def __init__(self) -> None:
        self.taken: asyncio.Queue[Any] = asyncio.Queue()

    @activity.defn
    async def later(self) -> str:
        self.taken.put_nowait(activity.info())
        activity.raise_complete_async()


@workflow.defn
class WaitLonger:
    def __init__(self) -> None:
        self.cancel = False

    @workflow.run
    async def run(self) -> str:
        handle = workflow.start_activity(
            "later",
            activity_id="the activity",
            start_to_close_timeout=MINUTE,
            retry_policy=RetryPolicy(maximum_attempts=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        cancelling = asyncio.create_task(workflow.wait_condition(lambda: self.cancel))
        await workflow.wait([handle, cancelling], return_when=asyncio.FIRST_COMPLETED)
        if not handle.done():
            handle.cancel()
        return str(await handle)

    @workflow.signal
    def please_cancel(self) -> None:
        self.cancel = True


@pytest.mark.parametrize("by", ["token", "id"])
@pytest.mark.parametrize("how", ["complete", "fail", "cancel"])
async def test_an_activity_ends_elsewhere(stage: Stage, by: str, how: str) -> None:
    elsewhere = Elsewhere()
    async with stage.worker(WaitLonger, activities=[elsewhere.later]):
        handle = await stage.start(WaitLonger.run)
        info = await elsewhere.taken.get()
        if by == "token":
            task = stage.client.get_async_activity_handle(task_token=info.task_token)
        else:
            task = stage.client.get_async_activity_handle(
                workflow_id=info.workflow_id, run_id=info.workflow_run_id, activity_id=info.activity_id
            )
        await task.heartbeat("half way")
        if how == "complete":
            await task.complete("done elsewhere")
            assert await handle.result() == "done elsewhere"
        elif how == "fail":
            await task.fail(ApplicationError("broken elsewhere"))
            with pytest.raises(WorkflowFailureError) as failed:
                await handle.result()
            assert isinstance(failed.value.cause, ActivityError)
            assert str(failed.value.cause.cause) == "broken elsewhere"
        else:
            await handle.signal(WaitLonger.please_cancel)
            await stage.until_event(handle, "ActivityTaskCancelRequested")
            with pytest.raises(AsyncActivityCancelledError):
                await task.heartbeat("more")
            await task.report_cancellation("gave up")
            with pytest.raises(WorkflowFailureError) as failed:
                await handle.result()
            assert isinstance(failed.value.cause, ActivityError | CancelledError)
        with pytest.raises(RPCError) as over:
            await task.complete("too late")
        assert over.value.status is RPCStatusCode.NOT_FOUND
