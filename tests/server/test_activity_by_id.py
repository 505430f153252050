"""Reports about an activity by its id, from who may never have polled for it."""

from __future__ import annotations

from typing import Any

import pytest
from brain import payloads, schedule_activity
from hand_driven import Driven, driven

from outlast.vocab.errors import NotFound

WHO = {"workflow_id": "order-42", "activity_id": "1"}
REPORTS: list[tuple[str, dict[str, Any]]] = [
    ("RespondActivityTaskFailedById", {"failure": {"message": "no"}}),
    ("RespondActivityTaskCanceledById", {}),
    ("RecordActivityTaskHeartbeatById", {}),
]


async def scheduled(server: Driven) -> None:
    await server.start()
    await server.turn(schedule_activity("1"))


@pytest.mark.parametrize(("rpc", "fields"), REPORTS)
async def test_an_attempt_that_nobody_has_cannot_fail_or_beat(rpc: str, fields: dict[str, Any]) -> None:
    async with driven() as server:
        await scheduled(server)
        with pytest.raises(NotFound, match="is not started: attempt 1 waits for a worker"):
            await server.call(rpc, **WHO, **fields)
        await server.call("PollActivityTaskQueue", task_queue={"name": "orders"})
        await server.call("RespondActivityTaskFailedById", **WHO, failure={"message": "no"})
        with pytest.raises(NotFound, match="attempt 2 waits"):
            await server.call(rpc, **WHO, **fields)


async def test_a_completion_from_outside_counts_as_the_start_as_well() -> None:
    async with driven() as server:
        await scheduled(server)
        await server.call("RespondActivityTaskCompletedById", **WHO, result=payloads(b"7"))
        assert (await server.names())[-3:] == ["ActivityTaskStarted", "ActivityTaskCompleted", "WorkflowTaskScheduled"]
        started, completed, _ = (await server.events())[-3:]
        assert started.activity_task_started_event_attributes.identity == "test"
        assert completed.activity_task_completed_event_attributes.started_event_id == started.event_id
