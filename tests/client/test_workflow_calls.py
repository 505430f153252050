"""What a client sends and how it reads the answers, over a real connection to a server that the test writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from rpc_server import Server, serving

import outlast.api.enums.v1 as enums
import outlast.api.workflowservice.v1 as api
from outlast import workflow
from outlast.api.common.v1 import Payloads
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.api.update.v1 import Outcome
from outlast.client import (
    AsyncActivityCancelledError,
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WithStartWorkflowOperation,
    WorkflowContinuedAsNewError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from outlast.common import (
    Priority,
    QueryRejectCondition,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from outlast.converter import DataConverter
from outlast.exceptions import (
    ApplicationError,
    CancelledError,
    PayloadSizeError,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)
from outlast.vocab import errors

convert = DataConverter.default.payload_converter


@dataclass
class Receipt:
    number: int


@workflow.defn(name="Order")
class OrderWorkflow:
    @workflow.run
    async def run(self, customer: str, total: int) -> Receipt:
        return Receipt(total)

    @workflow.signal
    def approve(self, by: str) -> None: ...

    @workflow.query
    def receipt(self) -> Receipt:
        return Receipt(0)

    @workflow.update
    def add(self, amount: int) -> Receipt:
        return Receipt(amount)


def payloads(*values: Any) -> Payloads:
    return Payloads(payloads=convert.to_payloads(values))


@asynccontextmanager
async def connected(options: dict[str, Any] | None = None, **handlers: Any) -> AsyncIterator[tuple[Client, Server]]:
    async with serving(**handlers) as server:
        client = await Client.connect(server.address, namespace="shop", identity="me", **(options or {}))
        async with client:
            yield client, server


def started(_: Any) -> api.StartWorkflowExecutionResponse:
    return api.StartWorkflowExecutionResponse(run_id="r1", first_execution_run_id="r0", started=True)


def closing(**attributes: Any) -> api.GetWorkflowExecutionHistoryResponse:
    response = api.GetWorkflowExecutionHistoryResponse()
    response.history.events.append(HistoryEvent(event_id=9, **attributes))
    return response


def completed(*values: Any, next_run: str = "") -> api.GetWorkflowExecutionHistoryResponse:
    return closing(
        workflow_execution_completed_event_attributes={"result": payloads(*values), "new_execution_run_id": next_run}
    )


async def test_a_start_carries_every_option() -> None:
    key = SearchAttributeKey.for_keyword("Customer")
    async with connected(StartWorkflowExecution=started) as (client, server):
        handle = await client.start_workflow(
            OrderWorkflow.run,
            args=["ada", 3],
            id="order-1",
            task_queue="orders",
            execution_timeout=timedelta(hours=3),
            run_timeout=timedelta(hours=2),
            task_timeout=timedelta(seconds=5),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            retry_policy=RetryPolicy(maximum_attempts=3),
            cron_schedule="0 * * * *",
            memo={"note": "gift"},
            search_attributes=TypedSearchAttributes([SearchAttributePair(key, "ada")]),
            static_summary="summary",
            static_details="details",
            start_delay=timedelta(seconds=1.5),
            priority=Priority(priority_key=2),
            rpc_metadata={"x-trace": "1"},
        )
    assert (handle.id, handle.run_id, handle.result_run_id, handle.first_execution_run_id) == (
        "order-1",
        None,
        "r1",
        "r0",
    )
    call = server.received("StartWorkflowExecution")[0]
    request = call.request
    assert len(request.request_id) == 36
    request.request_id = ""
    expected = api.StartWorkflowExecutionRequest(
        namespace="shop",
        workflow_id="order-1",
        workflow_type={"name": "Order"},
        task_queue={"name": "orders"},
        input=payloads("ada", 3),
        workflow_execution_timeout=timedelta(hours=3),
        workflow_run_timeout=timedelta(hours=2),
        workflow_task_timeout=timedelta(seconds=5),
        identity="me",
        workflow_id_reuse_policy=enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
        workflow_id_conflict_policy=enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
        retry_policy={
            "initial_interval": timedelta(seconds=1),
            "backoff_coefficient": 2,
            "maximum_interval": timedelta(seconds=100),
            "maximum_attempts": 3,
        },
        cron_schedule="0 * * * *",
        memo={"fields": {"note": convert.to_payload("gift")}},
        search_attributes=request.search_attributes,
        user_metadata={"summary": convert.to_payload("summary"), "details": convert.to_payload("details")},
        workflow_start_delay=timedelta(seconds=1.5),
        priority={"priority_key": 2},
    )
    assert request == expected
    assert request.search_attributes.indexed_fields["Customer"].metadata["type"] == b"Keyword"
    assert call.metadata["x-trace"] == "1"


async def test_a_start_with_signal() -> None:
    def answer(_: Any) -> api.SignalWithStartWorkflowExecutionResponse:
        return api.SignalWithStartWorkflowExecutionResponse(run_id="r1", started=False)

    async with connected(SignalWithStartWorkflowExecution=answer) as (client, server):
        handle = await client.start_workflow(
            "Order", "ada", id="w", task_queue="q", start_signal="approve", start_signal_args=["bob"]
        )
    request = server.received("SignalWithStartWorkflowExecution")[0].request
    assert (request.signal_name, request.workflow_type.name) == ("approve", "Order")
    assert convert.from_payloads(request.signal_input.payloads) == ["bob"]
    assert convert.from_payloads(request.input.payloads) == ["ada"]
    assert handle.first_execution_run_id is None


async def test_an_id_that_is_taken() -> None:
    def refuse(_: Any) -> Any:
        raise errors.WorkflowExecutionAlreadyStarted("taken", "req", "r1", "r0")

    async with connected(StartWorkflowExecution=refuse) as (client, _):
        with pytest.raises(WorkflowAlreadyStartedError) as caught:
            await client.start_workflow(OrderWorkflow.run, args=["ada", 3], id="w", task_queue="q")
    error = caught.value
    assert (error.workflow_id, error.workflow_type, error.run_id, error.first_run_id) == ("w", "Order", "r1", "r0")


async def test_arguments_that_cannot_travel_are_refused_before_anything_is_sent() -> None:
    async with connected() as (client, server):
        with pytest.raises(TypeError, match=r"argument 1 \(total\) of type complex of workflow 'Order'"):
            await client.start_workflow(OrderWorkflow.run, args=["ada", 1j], id="w", task_queue="q")
        with pytest.raises(PayloadSizeError, match=r"argument 0 \(customer\) of type str of workflow 'Order'"):
            await client.start_workflow(OrderWorkflow.run, args=["x" * 3_000_000, 1], id="w", task_queue="q")
        with pytest.raises(TypeError, match=r"argument 0 \(by\) of type complex of signal 'approve'"):
            await client.get_workflow_handle_for(OrderWorkflow.run, "w").signal(OrderWorkflow.approve, 1j)  # type: ignore[call-overload]
    assert [call.rpc for call in server.calls] == ["GetSystemInfo"]


async def test_eager_start_hands_the_task_to_a_worker_that_has_room() -> None:
    def answer(request: Any) -> api.StartWorkflowExecutionResponse:
        response = started(request)
        if request.request_eager_execution:
            response.eager_workflow_task.attempt = 1
        return response

    delivered: list[Any] = []
    async with connected(StartWorkflowExecution=answer) as (client, server):
        client.service_client.eager_workers["shop", "q"] = lambda: delivered.append
        for queue in ("q", "other"):
            await client.start_workflow("Order", id="w", task_queue=queue, request_eager_start=True)
    assert [call.request.request_eager_execution for call in server.received("StartWorkflowExecution")] == [True, False]
    assert [task.attempt for task in delivered] == [1]


async def test_the_result_is_the_closing_event() -> None:
    async with connected(
        StartWorkflowExecution=started, GetWorkflowExecutionHistory=lambda _: completed({"number": 3})
    ) as (client, server):
        receipt = await client.execute_workflow(OrderWorkflow.run, args=["ada", 3], id="w", task_queue="q")
    assert receipt == Receipt(3)
    request = server.received("GetWorkflowExecutionHistory")[0].request
    assert request == api.GetWorkflowExecutionHistoryRequest(
        namespace="shop",
        execution={"workflow_id": "w", "run_id": "r1"},
        wait_new_event=True,
        history_event_filter_type=enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        skip_archival=True,
    )


async def test_waiting_goes_on_while_pages_are_empty_and_runs_continue() -> None:
    def answer(request: Any) -> api.GetWorkflowExecutionHistoryResponse:
        if request.execution.run_id == "r2":
            return completed({"number": 4})
        if not request.next_page_token:
            return api.GetWorkflowExecutionHistoryResponse(next_page_token=b"more")
        return closing(workflow_execution_continued_as_new_event_attributes={"new_execution_run_id": "r2"})

    async with connected(GetWorkflowExecutionHistory=answer) as (client, _):
        handle = client.get_workflow_handle_for(OrderWorkflow.run, "w", run_id="r1")
        assert await handle.result() == Receipt(4)
        with pytest.raises(WorkflowContinuedAsNewError) as caught:
            await handle.result(follow_runs=False)
    assert caught.value.new_execution_run_id == "r2"


FAILURE = Failure(message="m", application_failure_info={"type": "T"})


@pytest.mark.parametrize(
    ("attributes", "cause", "message"),
    [
        ({"workflow_execution_failed_event_attributes": {"failure": FAILURE}}, ApplicationError, "T: m"),
        ({"workflow_execution_canceled_event_attributes": {"details": payloads(1)}}, CancelledError, "cancelled"),
        ({"workflow_execution_terminated_event_attributes": {"reason": "why"}}, TerminatedError, "why"),
        ({"workflow_execution_timed_out_event_attributes": {}}, TimeoutError, "timed out"),
    ],
)
async def test_an_unhappy_end(attributes: dict[str, Any], cause: type[Exception], message: str) -> None:
    async with connected(GetWorkflowExecutionHistory=lambda _: closing(**attributes)) as (client, _):
        with pytest.raises(WorkflowFailureError) as caught:
            await client.get_workflow_handle("w").result()
    assert type(caught.value.cause) is cause
    assert message in str(caught.value.cause)


async def test_a_query() -> None:
    def answer(request: Any) -> api.QueryWorkflowResponse:
        if request.query.query_type == "missing":
            raise errors.QueryFailed("no such query")
        if request.query_reject_condition:
            return api.QueryWorkflowResponse(query_rejected={"status": enums.WORKFLOW_EXECUTION_STATUS_FAILED})
        return api.QueryWorkflowResponse(query_result=payloads({"number": 5}))

    async with connected(QueryWorkflow=answer) as (client, _):
        handle = client.get_workflow_handle_for(OrderWorkflow.run, "w")
        assert await handle.query(OrderWorkflow.receipt) == Receipt(5)
        assert await handle.query("receipt") == {"number": 5}
        assert await handle.query("receipt", result_type=Receipt) == Receipt(5)
        with pytest.raises(WorkflowQueryFailedError, match="no such query"):
            await handle.query("missing")
        with pytest.raises(WorkflowQueryRejectedError) as caught:
            await handle.query(OrderWorkflow.receipt, reject_condition=QueryRejectCondition.NOT_OPEN)
        with pytest.raises(RuntimeError, match=r"is it decorated with @workflow\.query"):
            await handle.query(OrderWorkflow.approve, "x")
    assert caught.value.status is WorkflowExecutionStatus.FAILED


async def test_signal_cancel_and_terminate() -> None:
    async with connected(
        SignalWorkflowExecution=lambda _: api.SignalWorkflowExecutionResponse(),
        RequestCancelWorkflowExecution=lambda _: api.RequestCancelWorkflowExecutionResponse(),
        TerminateWorkflowExecution=lambda _: api.TerminateWorkflowExecutionResponse(),
    ) as (client, server):
        handle = client.get_workflow_handle("w", run_id="r1", first_execution_run_id="r0")
        await handle.signal(OrderWorkflow.approve, "bob")
        await handle.cancel(reason="enough")
        await handle.terminate("why", 5, reason="stuck")
    signal, cancel, terminate = (call.request for call in server.calls[1:])
    assert (signal.signal_name, signal.workflow_execution.run_id) == ("approve", "r1")
    assert convert.from_payloads(signal.input.payloads) == ["bob"]
    assert (cancel.reason, cancel.first_execution_run_id) == ("enough", "r0")
    assert (terminate.reason, convert.from_payloads(terminate.details.payloads)) == ("stuck", ["why", 5])
    assert len({signal.request_id, cancel.request_id, ""}) == 3


def updated(outcome: Outcome | None = None, stage: int = 2) -> api.UpdateWorkflowExecutionResponse:
    return api.UpdateWorkflowExecutionResponse(
        stage=stage, outcome=outcome, update_ref={"workflow_execution": {"workflow_id": "w", "run_id": "r1"}}
    )


async def test_an_update_is_sent_until_accepted_and_polled_until_done() -> None:
    answers = [updated(stage=1), updated()]
    polls = [api.PollWorkflowExecutionUpdateResponse(), api.PollWorkflowExecutionUpdateResponse()]
    polls[0].outcome.success.CopyFrom(payloads({"number": 6}))
    async with connected(
        UpdateWorkflowExecution=lambda _: answers.pop(0), PollWorkflowExecutionUpdate=lambda _: polls.pop()
    ) as (client, server):
        handle = client.get_workflow_handle_for(OrderWorkflow.run, "w")
        assert await handle.execute_update(OrderWorkflow.add, 6, id="u1") == Receipt(6)
    sent = [call.request for call in server.received("UpdateWorkflowExecution")]
    assert [request.request.meta.update_id for request in sent] == ["u1", "u1"]
    assert sent[0].wait_policy.lifecycle_stage == enums.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
    assert server.received("PollWorkflowExecutionUpdate")[0].request.update_ref.workflow_execution.run_id == "r1"


async def test_an_update_that_failed() -> None:
    async with connected(UpdateWorkflowExecution=lambda _: updated(Outcome(failure=FAILURE))) as (client, _):
        handle = client.get_workflow_handle("w")
        update = await handle.start_update("add", 1, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await update.result()
        with pytest.raises(ValueError, match="ADMITTED"):
            await handle.start_update("add", wait_for_stage=WorkflowUpdateStage.ADMITTED)
    assert isinstance(caught.value.cause, ApplicationError)


async def test_waiting_for_an_update_can_end_early() -> None:
    async def never(_: Any) -> Any:
        await asyncio.Event().wait()

    async with connected(UpdateWorkflowExecution=never) as (client, _):
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await client.get_workflow_handle("w").execute_update("add", rpc_timeout=timedelta(milliseconds=20))


def order(policy: WorkflowIDConflictPolicy) -> WithStartWorkflowOperation[Any, Any]:
    return WithStartWorkflowOperation(
        OrderWorkflow.run, args=["ada", 1], id="w", task_queue="q", id_conflict_policy=policy
    )


async def test_an_update_with_start() -> None:
    def answer(_: Any) -> api.ExecuteMultiOperationResponse:
        response = api.ExecuteMultiOperationResponse()
        response.responses.add().start_workflow.CopyFrom(started(None))
        outcome = Outcome(success=payloads({"number": 7}))
        response.responses.add().update_workflow.CopyFrom(updated(outcome, stage=3))
        return response

    async with connected(ExecuteMultiOperation=answer) as (client, server):
        operation = order(WorkflowIDConflictPolicy.USE_EXISTING)
        result = await client.execute_update_with_start_workflow(
            OrderWorkflow.add, 7, start_workflow_operation=operation
        )
        handle = await operation.workflow_handle()
        with pytest.raises(RuntimeError, match="cannot be reused"):
            await client.execute_update_with_start_workflow("add", start_workflow_operation=operation)
    assert result == Receipt(7)
    assert (handle.id, handle.result_run_id) == ("w", "r1")
    request = server.received("ExecuteMultiOperation")[0].request
    assert request.operations[0].start_workflow.workflow_type.name == "Order"
    assert request.operations[1].update_workflow.request.input.name == "add"


async def test_an_update_with_start_that_was_refused_says_which_half_failed() -> None:
    def refuse(_: Any) -> Any:
        taken = errors.WorkflowExecutionAlreadyStarted("taken", run_id="r1")
        raise errors.MultiOperationExecution("failed", [taken, errors.MultiOperationAborted("not tried")])

    async with connected(ExecuteMultiOperation=refuse) as (client, _):
        operation = order(WorkflowIDConflictPolicy.FAIL)
        with pytest.raises(WorkflowAlreadyStartedError):
            await client.execute_update_with_start_workflow("add", start_workflow_operation=operation)
        with pytest.raises(WorkflowAlreadyStartedError):
            await operation.workflow_handle()
    with pytest.raises(ValueError, match="required"):
        order(WorkflowIDConflictPolicy.UNSPECIFIED)


async def test_lists_and_counts() -> None:
    def page(request: Any) -> api.ListWorkflowExecutionsResponse:
        first = not request.next_page_token
        names = ["a", "b"] if first else ["c"]
        response = api.ListWorkflowExecutionsResponse(next_page_token=b"2" if first else b"")
        for name in names[: request.page_size]:
            response.executions.add(execution={"workflow_id": name}, status=enums.WORKFLOW_EXECUTION_STATUS_RUNNING)
        return response

    def count(_: Any) -> api.CountWorkflowExecutionsResponse:
        response = api.CountWorkflowExecutionsResponse(count=5)
        response.groups.add(count=5, group_values=[convert.to_payload("Running")])
        return response

    async with connected(ListWorkflowExecutions=page, CountWorkflowExecutions=count) as (client, server):
        assert [w.id async for w in client.list_workflows("WorkflowType = 'Order'")] == ["a", "b", "c"]
        assert [w.id async for w in client.list_workflows(limit=1)] == ["a"]
        counted = await client.count_workflows("GROUP BY ExecutionStatus")
    assert server.received("ListWorkflowExecutions")[0].request.query == "WorkflowType = 'Order'"
    assert (counted.count, counted.groups[0].group_values) == (5, ["Running"])


async def test_a_description_shows_why_a_workflow_is_stuck() -> None:
    def describe(request: Any) -> api.DescribeWorkflowExecutionResponse:
        response = api.DescribeWorkflowExecutionResponse()
        info = response.workflow_execution_info
        info.execution.workflow_id, info.type.name, info.status = "w", "Order", 1
        info.memo.fields["receipt"].CopyFrom(convert.to_payload(Receipt(1)))
        response.execution_config.user_metadata.summary.CopyFrom(convert.to_payload("line"))
        response.pending_workflow_task.attempt = 1 if request.execution.run_id == "fine" else 3
        return response

    def reverse(_: Any) -> api.GetWorkflowExecutionHistoryReverseResponse:
        response = api.GetWorkflowExecutionHistoryReverseResponse()
        response.history.events.add(event_id=9, workflow_execution_signaled_event_attributes={})
        failure = Failure(message="boom", stack_trace="line 1", application_failure_info={"type": "KeyError"})
        response.history.events.add(event_id=8, workflow_task_failed_event_attributes={"failure": failure})
        return response

    async with connected(DescribeWorkflowExecution=describe, GetWorkflowExecutionHistoryReverse=reverse) as (client, _):
        description = await client.get_workflow_handle("w").describe()
        error = await description.workflow_task_failure()
        assert await (await client.get_workflow_handle("w", run_id="fine").describe()).workflow_task_failure() is None
        assert await description.memo() == {"receipt": {"number": 1}}
        assert await description.memo_value("receipt", type_hint=Receipt) == Receipt(1)
        assert await description.memo_value("other", 5) == 5
        with pytest.raises(KeyError):
            await description.memo_value("other")
        assert (await description.static_summary(), await description.static_details()) == ("line", None)
    assert description.status is WorkflowExecutionStatus.RUNNING
    assert isinstance(error, ApplicationError)
    assert str(error) == "KeyError: boom"
    assert error.failure is not None and error.failure.stack_trace == "line 1"


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


class Renaming(Interceptor):
    def __init__(self, suffix: str) -> None:
        self.suffix = suffix

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        suffix = self.suffix

        class Outbound(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> Any:
                input.id += suffix
                input.headers = {"h": convert.to_payload(suffix)}
                return await super().start_workflow(input)

        return Outbound(next)


async def test_interceptors_wrap_in_order() -> None:
    options = {"interceptors": [Renaming("-a"), Renaming("-b")]}
    async with connected(options, StartWorkflowExecution=started) as (client, server):
        handle = await client.start_workflow("Order", id="w", task_queue="q")
    request = server.received("StartWorkflowExecution")[0].request
    assert handle.id == request.workflow_id == "w-a-b"
    assert convert.from_payload(request.header.fields["h"]) == "-b"


def test_what_is_not_built_says_so() -> None:
    for name in ("create_schedule", "execute_activity", "create_nexus_client", "get_worker_task_reachability"):
        with pytest.raises(NotImplementedError, match=f"Client.{name}: .* not built"):
            getattr(Client, name)(None)


@pytest.mark.parametrize("target", ["postgres://x", "http://localhost:7233"])
async def test_unknown_schemes_are_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r"scheme .* is unknown.*host:port"):
        await Client.connect(target)
