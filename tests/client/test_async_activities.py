"""Async activities: what is sent, how answers are read."""

from __future__ import annotations

from typing import Any

import pytest
from order_client import connected, convert

import outlast.api.workflowservice.v1 as api
from outlast.client import (
    AsyncActivityCancelledError,
)


async def test_async_activities_by_token_and_by_ids() -> None:
    def beat(_: Any) -> api.RecordActivityTaskHeartbeatByIdResponse:
        return api.RecordActivityTaskHeartbeatByIdResponse()

    async with connected(
        RecordActivityTaskHeartbeatById=beat,
        RespondActivityTaskCompleted=lambda _: api.RespondActivityTaskCompletedResponse(),
        RespondActivityTaskFailedById=lambda _: api.RespondActivityTaskFailedByIdResponse(),
        RespondActivityTaskCanceled=lambda _: api.RespondActivityTaskCanceledResponse(),
    ) as (client, server):
        by_id = client.get_async_activity_handle(workflow_id="w", run_id=None, activity_id="a")
        by_token = client.get_async_activity_handle(task_token=b"t")
        await by_id.heartbeat(1, "two")
        await by_token.complete(None)
        await by_token.complete()
        await by_id.fail(ValueError("bad"), last_heartbeat_details=[3])
        await by_token.report_cancellation("x")
    heartbeat, with_none, without, failed, cancelled = (call.request for call in server.calls[1:])
    assert (heartbeat.workflow_id, heartbeat.activity_id, heartbeat.identity) == ("w", "a", "me")
    assert convert.from_payloads(heartbeat.details.payloads) == [1, "two"]
    assert with_none.task_token == b"t"
    assert convert.from_payloads(with_none.result.payloads) == [None]
    assert not without.HasField("result")
    assert failed.failure.application_failure_info.type == "ValueError"
    assert convert.from_payloads(failed.last_heartbeat_details.payloads) == [3]
    assert convert.from_payloads(cancelled.details.payloads) == ["x"]
    with pytest.raises(ValueError, match="Task token cannot"):
        client.get_async_activity_handle(task_token=b"t", activity_id="a")  # type: ignore[call-overload]


async def test_a_heartbeat_that_is_answered_with_a_wish() -> None:
    def beat(_: Any) -> api.RecordActivityTaskHeartbeatResponse:
        return api.RecordActivityTaskHeartbeatResponse(cancel_requested=True, activity_paused=True)

    async with connected(RecordActivityTaskHeartbeat=beat) as (client, _):
        with pytest.raises(AsyncActivityCancelledError) as caught:
            await client.get_async_activity_handle(task_token=b"t").heartbeat()
    details = caught.value.details
    assert details is not None
    assert (details.cancel_requested, details.paused, details.reset) == (True, True, False)
