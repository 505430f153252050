"""Batch operations (rules 3.7.5 and 3.13.7), call by call against a node whose clock the test moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from brain import command, payloads, start_timer
from hand_driven import SECOND, Driven, HandClock, driven, settle
from node_calls import call

from outlast.api.enums import v1 as e
from outlast.storage.errors import StorageError
from outlast.storage.listing import Page
from outlast.storage.memory import MemoryStorage
from outlast.storage.port import Setting
from outlast.storage.sqlite import SqliteStorage
from outlast.vocab import limits
from outlast.vocab.errors import AlreadyExists, InvalidArgument, NotFound, ResourceExhausted

RUNNING = "ExecutionStatus = 'Running'"
TERMINATION: dict[str, Any] = {"termination_operation": {"identity": "operator"}}


async def begin(server: Driven, job_id: str = "job-1", **fields: Any) -> None:
    fields.setdefault("reason", "wrong price")
    if "executions" not in fields:
        fields.setdefault("visibility_query", RUNNING)
    await server.call("StartBatchOperation", job_id=job_id, **fields)


async def described(server: Driven, job_id: str = "job-1") -> Any:
    return await server.call("DescribeBatchOperation", job_id=job_id)


def counts(description: Any) -> tuple[int, int, int]:
    return (
        description.total_operation_count,
        description.complete_operation_count,
        description.failure_operation_count,
    )


async def running(server: Driven) -> int:
    return int((await server.call("CountWorkflowExecutions", query=RUNNING)).count)


async def test_every_workflow_that_the_query_finds_is_terminated() -> None:
    async with driven() as server:
        for number in range(7):
            await server.start(f"order-{number}")
        await server.start("parcel", workflow_type={"name": "Parcel"})
        await begin(server, visibility_query="WorkflowType = 'Order'", **TERMINATION)
        await settle()
        job = await described(server)
        assert job.state == e.BATCH_OPERATION_STATE_COMPLETED
        assert job.operation_type == e.BATCH_OPERATION_TYPE_TERMINATE_WORKFLOW
        assert counts(job) == (7, 7, 0)
        assert (job.identity, job.reason, job.query) == ("operator", "wrong price", "WorkflowType = 'Order'")
        assert job.start_time.seconds == job.close_time.seconds == server.clock.now() // SECOND
        assert await running(server) == 1
        ended = (await server.events(workflow_id="order-3"))[-1].workflow_execution_terminated_event_attributes
        assert (ended.reason, ended.identity) == ("wrong price", "operator")


async def test_no_more_than_fifty_a_second_are_done() -> None:
    async with driven() as server:
        for number in range(130):
            await server.start(f"order-{number}")
        await begin(server, **TERMINATION)
        await settle()
        assert await running(server) == 80
        await server.pass_time(0.5)
        assert await running(server) == 55
        assert counts(await described(server)) == (130, 75, 0)
        await server.pass_time(1.1)
        assert await running(server) == 0
        job = await described(server)
        assert job.state == e.BATCH_OPERATION_STATE_COMPLETED and counts(job) == (130, 130, 0)


async def test_who_asks_for_a_lower_rate_gets_it() -> None:
    async with driven() as server:
        for number in range(4):
            await server.start(f"order-{number}")
        await begin(server, max_operations_per_second=0.5, **TERMINATION)
        await settle()
        assert await running(server) == 3
        await server.pass_time(2)
        assert await running(server) == 2
        await server.pass_time(4)
        assert await running(server) == 0


async def test_what_starts_later_is_left_alone() -> None:
    async with driven() as server:
        for number in range(60):
            await server.start(f"order-{number}")
        await begin(server, **TERMINATION)
        await settle()
        await server.pass_time(0.001)
        await server.start("late")
        await server.pass_time(2)
        assert (await described(server)).state == e.BATCH_OPERATION_STATE_COMPLETED
        assert await running(server) == 1


async def test_named_workflows_and_what_is_closed_or_gone_counts_as_done() -> None:
    async with driven() as server:
        first = await server.start("open")
        await server.start("closed")
        await server.call("TerminateWorkflowExecution", workflow_execution={"workflow_id": "closed"})
        await begin(
            server,
            executions=[{"workflow_id": "open", "run_id": first}, {"workflow_id": "closed"}],
            target_executions=[{"type": e.EXECUTION_TYPE_WORKFLOW, "business_id": "never"}],
            signal_operation={"signal": "approve", "input": payloads(b"7"), "identity": "operator"},
        )
        await settle()
        job = await described(server)
        assert counts(job) == (3, 3, 0)
        assert [each.business_id for each in job.executions] == ["open", "closed", "never"]
        heard = (await server.events(workflow_id="open"))[-1].workflow_execution_signaled_event_attributes
        assert (heard.signal_name, heard.input, heard.identity) == ("approve", payloads(b"7"), "operator")


async def test_cancel_and_delete() -> None:
    async with driven() as server:
        for number in range(3):
            await server.start(f"order-{number}")
        await begin(server, "job-1", cancellation_operation={"identity": "operator"})
        await settle()
        assert "WorkflowExecutionCancelRequested" in await server.names(workflow_id="order-2")
        await begin(server, "job-2", deletion_operation={})
        await settle()
        assert counts(await described(server, "job-2")) == (3, 3, 0)
        with pytest.raises(NotFound):
            await server.names(workflow_id="order-2")


@pytest.mark.parametrize(
    ("operation", "point"),
    [
        ({"options": {"first_workflow_task": {}}}, 4),
        ({"options": {"last_workflow_task": {}}}, 9),
        ({"options": {"workflow_task_id": 4}}, 4),
        ({"reset_type": e.RESET_TYPE_FIRST_WORKFLOW_TASK}, 4),
        ({"reset_type": e.RESET_TYPE_LAST_WORKFLOW_TASK}, 9),
    ],
)
async def test_workflows_are_reset_once_each(operation: dict[str, Any], point: int) -> None:
    async with driven() as server:
        base = await server.start()
        await server.turn(start_timer(after=900))
        await server.signal()
        await server.turn()
        await server.pass_time(1)
        await begin(server, reset_operation={"identity": "operator", **operation})
        await settle()
        assert counts(await described(server)) == (1, 1, 0)
        runs = (await server.call("ListWorkflowExecutions")).executions
        assert len(runs) == 2
        new = (await server.describe()).workflow_execution_info.execution.run_id
        assert new != base
        failed = (await server.events(new))[point - 1].workflow_task_failed_event_attributes
        assert (failed.cause, failed.identity) == (e.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW, "operator")


async def test_workflows_are_reset_to_before_a_build_along_the_chain() -> None:
    async with driven() as server:

        async def turn(build_id: str, *commands: Any) -> None:
            task = await server.poll()
            stamp = {"build_id": build_id}
            await server.call(
                "RespondWorkflowTaskCompleted",
                task_token=task.task_token,
                commands=commands,
                worker_version_stamp=stamp,
            )

        base = await server.start()
        await turn("good", start_timer(after=900))
        await server.signal()
        await turn("bad")
        await server.signal()
        await turn("bad", command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION))
        await server.pass_time(1)
        await turn("bad", start_timer(after=900))
        points = (await server.describe()).workflow_execution_info.auto_reset_points.points
        assert [(p.build_id, p.run_id, p.first_workflow_task_completed_id, p.resettable) for p in points] == [
            ("good", base, 4, True),
            ("bad", base, 9, True),
        ]
        only = {"options": {"build_id": "bad", "current_run_only": True}}
        await begin(server, "job-1", executions=[{"workflow_id": "order-42"}], reset_operation=only)
        await settle()
        assert counts(await described(server, "job-1")) == (1, 0, 1)
        await begin(
            server,
            "job-2",
            executions=[{"workflow_id": "order-42"}],
            reset_operation={"options": {"build_id": "bad"}},
        )
        await settle()
        assert counts(await described(server, "job-2")) == (1, 1, 0)
        failed = (await server.events())[8].workflow_task_failed_event_attributes
        assert (failed.cause, failed.base_run_id) == (e.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW, base)
        shown = (await server.describe()).workflow_execution_info
        assert [point.build_id for point in shown.auto_reset_points.points] == ["good"]


async def test_a_reset_can_leave_signals_out() -> None:
    async with driven() as server:
        await server.start()
        await server.turn(start_timer(after=900))
        await server.signal()
        options = {"first_workflow_task": {}, "reset_reapply_exclude_types": [e.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL]}
        await begin(server, reset_operation={"options": options})
        await settle()
        assert "WorkflowExecutionSignaled" not in await server.names()


async def test_what_is_refused_for_one_workflow_is_counted_and_the_rest_goes_on() -> None:
    async with driven() as server:
        await server.start("order-1")
        await server.start("order-2", workflow_start_delay={"seconds": 600})
        await server.start("order-3")
        await begin(server, reset_operation={"options": {"workflow_task_id": 3}})
        await settle()
        job = await described(server)
        assert job.state == e.BATCH_OPERATION_STATE_COMPLETED
        assert counts(job) == (3, 2, 1)


async def test_a_job_that_is_stopped_begins_nothing_more() -> None:
    async with driven() as server:
        for number in range(60):
            await server.start(f"order-{number}")
        await begin(server, **TERMINATION)
        await settle()
        await server.call("StopBatchOperation", job_id="job-1", reason="enough", identity="operator")
        await server.pass_time(5)
        job = await described(server)
        assert job.state == e.BATCH_OPERATION_STATE_FAILED and job.HasField("close_time")
        assert await running(server) == 10 == job.total_operation_count - job.complete_operation_count
        with pytest.raises(NotFound, match="ended already"):
            await server.call("StopBatchOperation", job_id="job-1", reason="enough")
        await begin(server, "job-2", **TERMINATION)


async def test_a_namespace_has_one_job_at_a_time_and_ids_are_used_once() -> None:
    async with driven() as server:
        await server.call(
            "RegisterNamespace", namespace="shop", workflow_execution_retention_period={"seconds": 72 * 3600}
        )
        for number in range(60):
            await server.start(f"order-{number}")
        await begin(server, **TERMINATION)
        with pytest.raises(ResourceExhausted, match="job-1") as refused:
            await begin(server, "job-2", **TERMINATION)
        assert refused.value.cause == e.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT
        await begin(server, "job-2", namespace="shop", **TERMINATION)
        await server.pass_time(2)
        with pytest.raises(AlreadyExists):
            await begin(server, **TERMINATION)
        await begin(server, "job-2", **TERMINATION)


async def test_jobs_are_listed_by_their_start_and_forgotten_after_the_retention() -> None:
    async with driven() as server:
        for number in range(3):
            await begin(server, f"job-{number}", **TERMINATION)
            await server.pass_time(1)
        first = await server.call("ListBatchOperations", page_size=2)
        assert [each.job_id for each in first.operation_info] == ["job-2", "job-1"]
        assert first.operation_info[0].state == e.BATCH_OPERATION_STATE_COMPLETED
        assert first.operation_info[0].operation_type == e.BATCH_OPERATION_TYPE_TERMINATE_WORKFLOW
        second = await server.call("ListBatchOperations", page_size=2, next_page_token=first.next_page_token)
        assert [each.job_id for each in second.operation_info] == ["job-0"] and not second.next_page_token
        with pytest.raises(InvalidArgument, match="next_page_token"):
            await server.call("ListBatchOperations", next_page_token=b"?")
        await server.pass_time(limits.RETENTION_DEFAULT_NS / SECOND + 60)
        assert not (await server.call("ListBatchOperations")).operation_info
        assert not await server.node.storage.settings("batch") + await server.node.storage.settings("batch progress")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"job_id": ""}, "job_id"),
        ({"reason": ""}, "reason"),
        ({"termination_operation": None}, "no operation"),
        ({"visibility_query": ""}, "visibility_query or executions"),
        ({"executions": [{"workflow_id": "order-42"}], "visibility_query": RUNNING}, "not both"),
        ({"executions": [{"workflow_id": "a"}] * 1001, "visibility_query": ""}, "1001 executions"),
        ({"executions": [{}], "visibility_query": ""}, "no workflow id"),
        ({"visibility_query": "Colour = 'red'"}, "Colour"),
        ({"visibility_query": "ORDER BY StartTime"}, "ORDER BY"),
        ({"signal_operation": {}}, "no signal"),
        ({"reset_operation": {}}, "no target"),
        ({"max_operations_per_second": -1}, "below zero"),
        (
            {"executions": [], "target_executions": [{"type": e.EXECUTION_TYPE_ACTIVITY, "business_id": "a"}]},
            "is EXECUTION_TYPE_ACTIVITY, but the operation is for EXECUTION_TYPE_WORKFLOW",
        ),
        (
            {
                "executions": [],
                "target_executions": [{"business_id": "a"}],
                "delete_activities_operation": {},
            },
            "is EXECUTION_TYPE_UNSPECIFIED, but the operation is for EXECUTION_TYPE_ACTIVITY",
        ),
        ({"signal_operation": {"signal": "x", "input": payloads(b"x" * 2**21)}}, "2,097"),
    ],
)
async def test_what_cannot_be_a_job_is_refused_at_once(fields: dict[str, Any], error: str) -> None:
    async with driven() as server:
        asked = {**TERMINATION, **fields}
        if sum(name.endswith("_operation") for name in asked) > 1:
            del asked["termination_operation"]
        with pytest.raises(InvalidArgument, match=error):
            await begin(server, **asked)
        assert not (await server.call("ListBatchOperations")).operation_info


async def test_a_job_that_is_not_known() -> None:
    async with driven() as server:
        with pytest.raises(NotFound, match="ListBatchOperations"):
            await described(server, "never")


async def test_a_job_goes_on_where_it_was_when_the_node_is_opened_again(tmp_path: Path) -> None:
    clock = HandClock()
    async with driven(SqliteStorage.open(tmp_path / "orders.db"), clock) as server:
        for number in range(120):
            await server.start(f"order-{number}")
            await server.turn(start_timer(after=900))
        await begin(server, signal_operation={"signal": "approve"})
        # Into the middle of the second page.
        while (done := (await described(server)).complete_operation_count) <= 50:
            await server.pass_time(0.05)
        assert done < 100
    async with driven(SqliteStorage.open(tmp_path / "orders.db"), clock) as server:
        job = await described(server)
        assert job.state == e.BATCH_OPERATION_STATE_RUNNING
        while (await described(server)).state == e.BATCH_OPERATION_STATE_RUNNING:
            await server.pass_time(0.1)
        assert counts(await described(server)) == (120, 120, 0)
        for number in range(120):
            heard = (await server.names(workflow_id=f"order-{number}")).count("WorkflowExecutionSignaled")
            assert heard == 1, f"order-{number} was signalled {heard} times"


async def test_a_job_ends_with_its_namespace() -> None:
    async with driven() as server:
        await server.call(
            "RegisterNamespace", namespace="shop", workflow_execution_retention_period={"seconds": 72 * 3600}
        )
        for number in range(60):
            await server.start(f"order-{number}", namespace="shop")
        await begin(server, namespace="shop", visibility_query=RUNNING, signal_operation={"signal": "approve"})
        await settle()
        namespace_id = server.node.namespaces.id_of("shop")
        await call(server.node, "DeleteNamespace", namespace="shop")
        await server.pass_time(10)
        assert not await server.node.storage.settings("batch")
        assert not server.node.batches.of(namespace_id)


class _Failing(MemoryStorage):
    """A store whose lists and settings fail as often as it is told to, as on a full disk."""

    failures = 0

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageError("the disk is full")

    async def list_executions(self, *arguments: Any, **options: Any) -> Page:
        self._fail()
        return await super().list_executions(*arguments, **options)

    async def put_setting(self, kind: str, setting: Setting) -> None:
        self._fail()
        await super().put_setting(kind, setting)


async def test_a_job_waits_for_a_storage_that_fails_and_goes_on() -> None:
    storage = _Failing()
    async with driven(storage) as server:
        for number in range(60):
            await server.start(f"order-{number}")
        await begin(server, **TERMINATION)
        storage.failures = 3
        await server.pass_time(2)
        assert (await described(server)).state == e.BATCH_OPERATION_STATE_RUNNING
        await server.pass_time(4)
        job = await described(server)
        assert (job.state, *counts(job)) == (e.BATCH_OPERATION_STATE_COMPLETED, 60, 60, 0)
        storage.failures = 1
        await server.pass_time(limits.RETENTION_DEFAULT_NS / SECOND + 61)
        await server.pass_time(61)
        assert not (await server.call("ListBatchOperations")).operation_info
