"""What a client sends and how it reads the answers, over a real connection to a server that the test writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from order_client import FAILURE, OrderWorkflow, Receipt, closing, completed, connected, convert, payloads, started

import outlast.api.enums.v1 as enums
import outlast.api.workflowservice.v1 as api
from outlast.api.failure.v1 import Failure
from outlast.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowContinuedAsNewError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
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
from outlast.exceptions import (
    ApplicationError,
    CancelledError,
    PayloadSizeError,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)
from outlast.vocab import errors


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
    for name in ("create_nexus_client", "get_worker_task_reachability"):
        with pytest.raises(NotImplementedError, match=f"Client.{name}: .* not built"):
            getattr(Client, name)(None)


@pytest.mark.parametrize("target", ["postgres://x", "http://localhost:7233"])
async def test_unknown_schemes_are_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r"scheme .* is unknown.*host:port"):
        await Client.connect(target)


@pytest.mark.parametrize("target", ["sqlite:orders.db", "sqlite:/orders.db"])
async def test_a_database_with_too_few_slashes_is_told_how_many(target: str) -> None:
    with pytest.raises(ValueError, match=r'cannot connect.*a database is written "sqlite:///file.db"'):
        await Client.connect(target)
