"""The division that a namespace's standalone activities have to themselves: its end, a restart, the doctor."""

from __future__ import annotations

from pathlib import Path

import pytest
from brain import payloads, seconds
from hand_driven import HandClock, driven
from node_calls import call, register
from test_activity_execution import ID, describe, outcome, start, take, waiting

from outlast.api.enums import v1 as e
from outlast.server import checkup
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab.errors import NamespaceNotFound


async def test_a_deleted_namespace_takes_its_activities_along() -> None:
    async with driven() as server:
        await register(server.node, "shop")
        await start(server, namespace="shop")
        await server.call("DescribeActivityExecution", namespace="shop", activity_id=ID)
        namespace_id = server.node.namespaces.id_of("shop")
        await call(server.node, "DeleteNamespace", namespace="shop")
        await server.node.idle()
        assert await server.node.storage.count_executions(f"{namespace_id}/activity") == 0
        with pytest.raises(NamespaceNotFound):
            await server.call("DescribeActivityExecution", namespace="shop", activity_id=ID)


async def test_a_restarted_node_goes_on_with_activities_and_the_doctor_finds_nothing(tmp_path: Path) -> None:
    path, clock = tmp_path / "a.db", HandClock()
    async with driven(SqliteStorage.open(path), clock) as server:
        await start(server)
        await start(server, "late", start_delay=seconds(30), links=[{"workflow_event": {"workflow_id": "w"}}])
        await start(server, "done", user_metadata={"summary": payloads(b'"s"').payloads[0]})
        await server.call("RespondActivityTaskCompletedById", activity_id="done", result=payloads(b"9"))
        await start(server, "paused")
        await server.call("PauseActivityExecution", activity_id="paused")
        await start(server, "moved")
        change = {"activity_options": {"start_delay": seconds(5)}, "update_mask": {"paths": ["start_delay"]}}
        await server.call("PauseActivityExecution", activity_id="moved")
        await server.call("UpdateActivityExecutionOptions", activity_id="moved", **change)
    assert checkup.check(path).findings == []
    async with driven(SqliteStorage.open(path), clock) as server:
        assert await waiting(server) == 1
        task = await take(server)
        assert task.activity_id == ID
        await server.call("RespondActivityTaskCompleted", task_token=task.task_token, result=payloads(b"2"))
        assert (await outcome(server)).result == payloads(b"2")
        done = await server.call(
            "DescribeActivityExecution", activity_id="done", include_outcome=True, include_input=True
        )
        assert (done.input, done.outcome.result) == (payloads(b"1"), payloads(b"9"))
        assert done.info.user_metadata.summary.data == b'"s"'
        assert (await describe(server)).info.status == e.ACTIVITY_EXECUTION_STATUS_COMPLETED
        await server.pass_time(30)
        late = await server.call("PollActivityTaskQueue", task_queue={"name": "parcels"})
        assert late.activity_id == "late"
    assert checkup.check(path).findings == []
