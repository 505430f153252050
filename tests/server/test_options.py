"""UpdateWorkflowExecutionOptions (rules 3.13.2 and 3.13.5), and what workers say of their version (3.13.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from brain import command, complete_workflow, payloads, schedule_activity, start_timer
from hand_driven import Driven, HandClock, driven, settle

from outlast.api.enums import v1 as e
from outlast.engine.execution import snapshot
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab.errors import InvalidArgument, NotFound, Unimplemented

EXECUTION = {"workflow_id": "order-42"}
URGENT = {"priority": {"priority_key": 1, "fairness_key": "blue"}}


async def update(server: Driven, *paths: str, workflow_id: str = "order-42", **options: Any) -> Any:
    answer = await server.call(
        "UpdateWorkflowExecutionOptions",
        workflow_execution={"workflow_id": workflow_id},
        workflow_execution_options=options,
        update_mask={"paths": paths},
    )
    return answer.workflow_execution_options


async def info(server: Driven) -> Any:
    return (await server.describe()).workflow_execution_info


async def rebuilt_as_live(server: Driven) -> None:
    run = await server.node.runs.find(server.node.namespaces.id_of("default"), "order-42", "")
    rebuilt = snapshot.rebuild(*run.key, await server.events())
    assert snapshot.historic(rebuilt) == snapshot.historic(run.state)


async def test_the_priority_is_changed_by_an_event_without_a_workflow_task() -> None:
    async with driven() as server:
        await server.start(priority={"priority_key": 4})
        await server.turn(start_timer())
        answer = await update(server, "priority.priority_key", priority={"priority_key": 1, "fairness_key": "blue"})
        assert (answer.priority.priority_key, answer.priority.fairness_key) == (1, "")
        event = (await server.events())[-1]
        assert event.event_type == e.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED
        attributes = event.workflow_execution_options_updated_event_attributes
        assert (attributes.identity, attributes.priority.priority_key) == ("test", 1)
        assert not attributes.HasField("versioning_override") and not attributes.unset_versioning_override
        assert (await info(server)).priority.priority_key == 1
        await rebuilt_as_live(server)


async def test_what_is_so_already_leaves_no_event() -> None:
    async with driven() as server:
        await server.start(**URGENT)
        before = await server.events()
        await update(server, "priority", **URGENT)
        assert await server.events() == before


async def test_an_update_during_a_workflow_task_waits_for_its_end() -> None:
    async with driven() as server:
        await server.start()
        task = await server.poll()
        await update(server, "priority", **URGENT)
        await server.call(
            "RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[schedule_activity(), start_timer()]
        )
        assert (await server.names())[-2:] == ["WorkflowExecutionOptionsUpdated", "WorkflowTaskScheduled"]
        await rebuilt_as_live(server)


async def test_an_update_while_a_later_attempt_waits_makes_it_a_task_of_its_own() -> None:
    async with driven() as server:
        await server.start()
        task = await server.poll()
        await server.call("RespondWorkflowTaskFailed", task_token=task.task_token, failure={"message": "bug"})
        await update(server, "priority", **URGENT)
        assert (await server.names())[-2:] == ["WorkflowExecutionOptionsUpdated", "WorkflowTaskScheduled"]
        again = await server.turn(start_timer())
        assert [event.event_id for event in again.history.events] == list(range(1, again.started_event_id + 1))
        await rebuilt_as_live(server)


async def test_tasks_of_an_urgent_workflow_come_first_and_so_do_its_activities() -> None:
    async with driven() as server:
        await server.start("slow")
        await server.start("urgent")
        await update(server, "priority", workflow_id="urgent", **URGENT)
        first = [await server.poll(), await server.poll()]
        assert [task.workflow_execution.workflow_id for task in first] == ["slow", "urgent"]
        for task in first:
            await server.call(
                "RespondWorkflowTaskCompleted", task_token=task.task_token, commands=[schedule_activity()]
            )
        await settle()
        activities = [await server.call("PollActivityTaskQueue", task_queue={"name": "orders"}) for _ in first]
        assert [task.workflow_execution.workflow_id for task in activities] == ["urgent", "slow"]
        assert activities[0].priority.fairness_key == "blue" and not activities[1].HasField("priority")
        for workflow_id in ("slow", "urgent"):
            await server.signal(workflow_id=workflow_id)
        assert (await server.poll()).workflow_execution.workflow_id == "urgent"


async def test_the_next_run_of_the_chain_has_the_changed_options() -> None:
    async with driven() as server:
        await server.start(priority={"priority_key": 4})
        await update(server, "priority", "versioning_override", versioning_override={"auto_upgrade": True}, **URGENT)
        await server.turn(command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION))
        started = (await server.events())[0].workflow_execution_started_event_attributes
        assert started.priority.priority_key == 1 and started.versioning_override.auto_upgrade


async def test_an_override_is_set_and_taken_back() -> None:
    async with driven() as server:
        await server.start()
        await update(server, "versioning_override", versioning_override={"auto_upgrade": True})
        assert (await info(server)).versioning_info.versioning_override.auto_upgrade
        await update(server, "versioning_override")
        attributes = (await server.events())[-1].workflow_execution_options_updated_event_attributes
        assert attributes.unset_versioning_override
        assert not (await info(server)).HasField("versioning_info")
        await rebuilt_as_live(server)


@pytest.mark.parametrize(
    ("paths", "options", "error"),
    [
        ((), {}, InvalidArgument),
        (("colour",), {}, InvalidArgument),
        (("priority",), {"priority": {"priority_key": -1}}, InvalidArgument),
        (("priority",), {"priority": {"fairness_key": "x" * 65}}, InvalidArgument),
        (("time_skipping_config",), {}, Unimplemented),
        (
            ("versioning_override",),
            {"versioning_override": {"pinned": {"version": {"deployment_name": "a", "build_id": "1"}}}},
            Unimplemented,
        ),
    ],
)
async def test_options_that_cannot_be_are_refused(
    paths: tuple[str, ...], options: dict[str, Any], error: type[Exception]
) -> None:
    async with driven() as server:
        await server.start()
        with pytest.raises(error):
            await update(server, *paths, **options)


async def test_a_closed_workflow_keeps_its_options() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(complete_workflow())
        with pytest.raises(NotFound):
            await update(server, "priority", **URGENT)


async def test_a_reset_can_change_the_options_and_a_batch_does_it_to_many() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(start_timer())
        changes = {"workflow_execution_options": URGENT, "update_mask": {"paths": ["priority"]}}
        await server.call(
            "ResetWorkflowExecution",
            workflow_execution=EXECUTION,
            workflow_task_finish_event_id=4,
            request_id="reset-1",
            post_reset_operations=[{"update_workflow_options": changes}],
        )
        assert (await info(server)).priority.fairness_key == "blue"
        await server.call(
            "StartBatchOperation",
            job_id="job-1",
            reason="calm",
            executions=[EXECUTION],
            update_workflow_options_operation={**changes, "workflow_execution_options": {}},
        )
        await settle()
        assert not (await info(server)).HasField("priority")


# -- versions of workers -----------------------------------------------------------------------------------------


async def turn(server: Driven, **fields: Any) -> Any:
    task = await server.poll()
    await server.call("RespondWorkflowTaskCompleted", task_token=task.task_token, **fields)
    return (await server.events())[-1].workflow_task_completed_event_attributes


def options(build_id: str, versioned: bool = True) -> dict[str, Any]:
    mode = e.WORKER_VERSIONING_MODE_VERSIONED if versioned else e.WORKER_VERSIONING_MODE_UNVERSIONED
    return {"deployment_name": "shop", "build_id": build_id, "worker_versioning_mode": mode}


async def found(server: Driven, query: str) -> bool:
    return bool((await server.call("CountWorkflowExecutions", query=query)).count)


async def test_the_version_of_the_last_worker_is_recorded_shown_and_found(tmp_path: Path) -> None:
    clock = HandClock()
    async with driven(SqliteStorage.open(tmp_path / "orders.db"), clock) as server:
        await server.start()
        completed = await turn(
            server, deployment_options=options("7"), versioning_behavior=e.VERSIONING_BEHAVIOR_AUTO_UPGRADE
        )
        assert (completed.deployment_version.deployment_name, completed.deployment_version.build_id) == ("shop", "7")
        assert completed.worker_deployment_name == "shop"
        assert completed.versioning_behavior == e.VERSIONING_BEHAVIOR_AUTO_UPGRADE
        await server.signal()
        await turn(server, deployment_options=options("8"), versioning_behavior=e.VERSIONING_BEHAVIOR_PINNED)
        await rebuilt_as_live(server)
    async with driven(SqliteStorage.open(tmp_path / "orders.db"), clock) as server:
        shown = await info(server)
        assert shown.worker_deployment_name == "shop"
        assert shown.versioning_info.behavior == e.VERSIONING_BEHAVIOR_PINNED
        assert shown.versioning_info.deployment_version.build_id == "8"
        assert await found(server, "TemporalWorkerDeploymentVersion = 'shop:8'")
        assert not await found(server, "TemporalWorkerDeploymentVersion = 'shop:7'")
        assert await found(server, "TemporalUsedWorkerDeploymentVersions IN ('shop:7')")
        assert await found(
            server, "TemporalWorkflowVersioningBehavior = 'Pinned' AND TemporalWorkerDeployment = 'shop'"
        )


async def test_a_build_of_an_unversioned_worker_is_a_name_only() -> None:
    async with driven() as server:
        await server.start()
        completed = await turn(
            server,
            deployment_options=options("7", versioned=False),
            versioning_behavior=e.VERSIONING_BEHAVIOR_PINNED,
        )
        assert not completed.HasField("deployment_version") and not completed.versioning_behavior
        shown = await info(server)
        assert shown.worker_deployment_name == "shop" and not shown.HasField("versioning_info")
        assert shown.most_recent_worker_version_stamp.build_id == "7"
        assert await found(server, "BuildIds IN ('unversioned:7')")
        await server.signal(input=payloads(b"1"))
        await turn(server)
        assert not (await info(server)).worker_deployment_name
        await rebuilt_as_live(server)
