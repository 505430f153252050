"""Activities that no workflow is behind: started, described, found."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from stage import MINUTE, SECOND, Stage

from outlast import activity
from outlast.api.common.v1 import Payload
from outlast.api.operatorservice.v1 import AddSearchAttributesRequest
from outlast.client import (
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityOptionsKeys,
    Interceptor,
    OutboundInterceptor,
    PendingActivityState,
    StartActivityInput,
)
from outlast.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from outlast.converter import ActivitySerializationContext, DataConverter, PayloadCodec, WithSerializationContext
from outlast.exceptions import (
    ActivityAlreadyStartedError,
    ApplicationError,
)
from outlast.service import RPCError, RPCStatusCode
from outlast.worker import ActivityInboundInterceptor, ExecuteActivityInput
from outlast.worker import Interceptor as WorkerInterceptor

ONCE = RetryPolicy(maximum_attempts=1)


@dataclass
class Order:
    id: str
    total: int


@activity.defn
async def charge(order: Order) -> Order:
    return Order(order.id, order.total * 2)


@activity.defn
def refund(order: Order, share: int) -> int:
    """In a thread."""
    assert threading.current_thread() is not threading.main_thread()
    return order.total // share


@activity.defn
class Pack:
    async def __call__(self, count: int) -> list[int]:
        return list(range(count))


class Stock:
    def __init__(self, amount: int) -> None:
        self.amount = amount

    @activity.defn
    async def reserve(self, amount: int) -> int:
        self.amount -= amount
        return self.amount


@activity.defn
async def nothing() -> None: ...


@activity.defn
async def whoami() -> list[Any]:
    info = activity.info()
    heartbeat = info.heartbeat_timeout and info.heartbeat_timeout.total_seconds()
    assert info.retry_policy is not None
    assert info.workflow_namespace == "default"
    assert activity.client() is not None
    return [
        info.in_workflow, info.workflow_id, info.workflow_run_id, info.workflow_type, info.namespace,
        info.activity_id, info.activity_run_id, info.activity_type, info.task_queue, info.attempt, info.is_local,
        heartbeat, info.priority.priority_key, info.retry_policy.maximum_attempts,
    ]  # fmt: skip


@activity.defn
async def breaks() -> None:
    raise ApplicationError("broken", 5, type="Breakage", non_retryable=True)


class Stubborn:
    """Fails until it is let go; says when."""

    def __init__(self) -> None:
        self.attempts: asyncio.Queue[int] = asyncio.Queue()
        self.may_end = False

    @activity.defn
    async def insist(self, text: str) -> str:
        attempt = activity.info().attempt
        self.attempts.put_nowait(attempt)
        if not self.may_end:
            raise ApplicationError("not yet", attempt)
        return f"{text} {attempt}"


def options(stage: Stage, **more: Any) -> dict[str, Any]:
    return {"id": stage.id(), "task_queue": stage.queue, "start_to_close_timeout": MINUTE, **more}


async def test_every_way_to_name_an_activity(stage: Stage) -> None:
    client, stock = stage.client, Stock(10)
    with ThreadPoolExecutor(1) as threads:
        activities = [charge, refund, Pack(), stock.reserve, nothing]
        async with stage.worker(activities=activities, activity_executor=threads, max_concurrent_activities=1):
            order = Order("o", 21)
            assert await client.execute_activity(charge, order, **options(stage)) == Order("o", 42)
            assert await client.execute_activity(refund, args=[order, 3], **options(stage)) == 7
            assert await client.execute_activity(nothing, **options(stage)) is None
            assert await client.execute_activity_class(Pack, 3, **options(stage)) == [0, 1, 2]
            assert await client.execute_activity_method(Stock.reserve, 4, **options(stage)) == 6
            by_name = await client.execute_activity("charge", order, **options(stage))
            assert by_name == {"id": "o", "total": 42}
            typed = await client.execute_activity("charge", order, result_type=Order, **options(stage))
            assert typed == Order("o", 42)
            started = await client.start_activity_class(Pack, 1, **options(stage))
            assert await started.result() == [0]
            started = await client.start_activity_method(Stock.reserve, 1, **options(stage))
            assert await started.result() == 5
            handle = await client.start_activity(charge, order, **options(stage))
            assert await handle.result() == await handle.result() == Order("o", 42)
            again = client.get_activity_handle(handle.id, run_id=handle.run_id, result_type=Order)
            assert (again.id, again.run_id) == (handle.id, handle.run_id)
            assert await again.result() == Order("o", 42)
            latest = client.get_activity_handle(handle.id)
            assert latest.run_id is None
            assert await latest.result() == {"id": "o", "total": 42}


async def test_what_it_knows_about_itself(stage: Stage) -> None:
    async with stage.worker(activities=[whoami]):
        handle = await stage.client.start_activity(
            whoami, **options(stage, heartbeat_timeout=MINUTE, priority=Priority(priority_key=2), retry_policy=ONCE)
        )
        assert await handle.result() == [
            False, None, None, None, "default", handle.id, handle.run_id, "whoami", stage.queue, 1, False, 60, 2, 1,
        ]  # fmt: skip


async def test_a_failure_is_the_cause(stage: Stage) -> None:
    async with stage.worker(activities=[breaks]):
        handle = await stage.client.start_activity(breaks, **options(stage))
        with pytest.raises(ActivityFailureError) as failed:
            await handle.result()
        cause = failed.value.cause
        assert str(failed.value) == "Activity execution failed"
        assert isinstance(cause, ApplicationError)
        assert (cause.message, cause.type, cause.details, cause.non_retryable) == ("broken", "Breakage", (5,), True)
        with pytest.raises(ActivityFailureError):
            await stage.client.execute_activity(breaks, **options(stage))
        description = await handle.describe(include_outcome=True, include_last_failure=True)
        assert description.status == ActivityExecutionStatus.FAILED
        assert (description.has_result(), description.has_outcome_failure()) == (False, True)
        assert await description.result() is None
        assert str(await description.outcome_failure()) == "Breakage: broken"


async def test_a_description_of_one_that_is_retried(stage: Stage) -> None:
    stubborn = Stubborn()
    policy = RetryPolicy(initial_interval=MINUTE, maximum_attempts=7)
    async with stage.worker(activities=[stubborn.insist]):
        handle = await stage.client.start_activity(
            "insist",
            "please",
            **options(stage, retry_policy=policy, schedule_to_close_timeout=10 * MINUTE, summary="why it is"),
        )
        assert await stubborn.attempts.get() == 1

        async def failed_once() -> Any:
            found = await handle.describe(include_input=True, include_outcome=True, include_last_failure=True)
            return found if found.has_last_failure() else None

        found = await stage.until(failed_once)
        assert (found.activity_id, found.activity_run_id) == (handle.id, handle.run_id)
        assert (found.activity_type, found.task_queue, found.namespace) == ("insist", stage.queue, "default")
        assert (found.status, found.run_state) == (ActivityExecutionStatus.RUNNING, PendingActivityState.SCHEDULED)
        assert found.attempt == 2
        assert found.current_retry_interval == MINUTE
        assert found.next_attempt_schedule_time - found.last_attempt_complete_time == MINUTE
        assert found.last_started_time is not None
        assert found.last_worker_identity == stage.client.identity
        assert found.start_to_close_timeout == MINUTE
        assert found.schedule_to_close_timeout == 10 * MINUTE
        assert found.expiration_time - found.schedule_time == 10 * MINUTE
        assert found.heartbeat_timeout in (None, timedelta())
        assert (found.retry_policy.maximum_attempts, found.retry_policy.backoff_coefficient) == (7, 2.0)
        assert (found.close_time, found.execution_duration, found.canceled_reason) == (None, None, None)
        assert (found.has_result(), found.has_outcome_failure()) == (False, False)
        assert (found.has_heartbeat_details(), await found.heartbeat_details()) == (False, None)
        assert (found.has_input(), await found.input([str])) == (True, ["please"])
        failure = await found.last_failure()
        assert (failure.message, failure.details) == ("not yet", (1,))
        assert found.data_converter is not None
        bare = await handle.describe()
        assert not (bare.has_input() or bare.has_last_failure() or bare.has_result())
        assert (await bare.input(), await bare.last_failure(), await bare.outcome_failure()) == (None, None, None)
        await handle.terminate()


async def test_a_description_of_one_that_is_over(stage: Stage) -> None:
    async with stage.worker(activities=[charge]):
        handle = await stage.client.start_activity(charge, Order("o", 1), **options(stage))
        await handle.result()
        found = await handle.describe(include_outcome=True)
        assert (found.status, found.run_state) == (ActivityExecutionStatus.COMPLETED, None)
        assert await found.result() == {"id": "o", "total": 2}
        assert await found.result(Order) == Order("o", 2)
        assert abs(found.close_time - found.schedule_time - found.execution_duration) < timedelta(milliseconds=1)


async def test_ids_that_are_taken(stage: Stage) -> None:
    client, name = stage.client, stage.id()
    once = options(stage, id=name)
    first = await client.start_activity("nobody", **once)
    with pytest.raises(ActivityAlreadyStartedError) as taken:
        await client.start_activity("nobody", **once)
    assert (taken.value.activity_id, taken.value.activity_type) == (name, "nobody")
    assert taken.value.run_id == first.run_id
    same = await client.start_activity("nobody", **once, id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING)
    assert same.run_id == first.run_id
    await first.terminate(reason="make room")
    with pytest.raises(ActivityAlreadyStartedError):
        await client.start_activity("nobody", **once, id_reuse_policy=ActivityIDReusePolicy.REJECT_DUPLICATE)
    second = await client.start_activity(
        "nobody", **once, id_reuse_policy=ActivityIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    )
    assert second.run_id != first.run_id
    assert (await client.get_activity_handle(name).describe()).activity_run_id == second.run_id
    assert (await first.describe()).status == ActivityExecutionStatus.TERMINATED
    await second.terminate()


async def test_what_cannot_be_started(stage: Stage) -> None:
    client = stage.client
    with pytest.raises(ValueError, match="must have start_to_close_timeout or schedule_to_close_timeout"):
        await client.start_activity(charge, Order("o", 1), id=stage.id(), task_queue=stage.queue)
    with pytest.raises(ValueError, match="start_delay must be non-negative"):
        await client.start_activity(nothing, **options(stage, start_delay=-SECOND))
    with pytest.raises(TypeError, match="missing attributes"):
        await client.start_activity(len, "a", **options(stage))
    with pytest.raises(RPCError) as refused:
        await client.start_activity(nothing, **options(stage, id=""))
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT
    missing = client.get_activity_handle(stage.id())
    calls = (missing.describe, missing.result, missing.cancel, missing.terminate)
    for call in calls:
        with pytest.raises(RPCError) as lost:
            await call()
        assert lost.value.status == RPCStatusCode.NOT_FOUND


async def test_a_start_delay_holds_it_back(stage: Stage) -> None:
    async with stage.worker(activities=[nothing]):
        handle = await stage.client.start_activity(nothing, **options(stage, start_delay=SECOND / 5))
        await handle.result()
        found = await handle.describe()
        assert found.start_delay == SECOND / 5
        assert found.execution_time - found.schedule_time == SECOND / 5
        assert found.last_started_time >= found.execution_time


async def test_lists_and_counts(stage: Stage) -> None:
    client = stage.client
    async with stage.worker(activities=[nothing, breaks]):
        for _ in range(3):
            await client.execute_activity(nothing, **options(stage))
        with pytest.raises(ActivityFailureError):
            await client.execute_activity(breaks, **options(stage))
    query = f'TaskQueue = "{stage.queue}"'

    async def all_four() -> bool:
        return bool((await client.count_activities(query)).count == 4)

    await stage.until(all_four)
    rows = [row async for row in client.list_activities(query)]
    assert [row.activity_type for row in rows].count("nothing") == 3
    assert {row.task_queue for row in rows} == {stage.queue}
    done = next(row for row in rows if row.activity_type == "nothing")
    assert done.status == ActivityExecutionStatus.COMPLETED
    assert done.activity_run_id
    assert done.execution_duration is not None
    assert done.close_time >= done.schedule_time
    pages = client.list_activities(f'{query} AND ExecutionStatus = "Completed"', page_size=2)
    await pages.fetch_next_page()
    assert (len(pages.current_page), pages.current_page_index) == (2, 0)
    assert pages.next_page_token
    assert len([row async for row in pages]) == 3
    assert len([row async for row in client.list_activities(query, limit=1)]) == 1
    assert [row async for row in client.list_activities('ActivityType = "unheard of"')] == []
    counted = await client.count_activities(f"{query} GROUP BY ExecutionStatus")
    assert {group.group_values[0]: group.count for group in counted.groups} == {"Completed": 3, "Failed": 1}
    assert (await client.count_workflows(query)).count == 0
    with pytest.raises(RPCError) as refused:
        await client.count_activities("ActivityType = ")
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT


async def test_search_attributes(stage: Stage) -> None:
    client, key = stage.client, SearchAttributeKey.for_keyword(f"Standalone{stage.way.replace('-', '')}")
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=client.namespace, search_attributes={key.name: 2})
    )
    attributes = TypedSearchAttributes([SearchAttributePair(key, stage.queue)])
    handle = await client.start_activity("nobody", **options(stage, search_attributes=attributes))
    assert (await handle.describe()).typed_search_attributes[key] == stage.queue

    async def found() -> Any:
        return [row async for row in client.list_activities(f'{key.name} = "{stage.queue}"')]

    (row,) = await stage.until(found)
    assert (row.activity_id, row.typed_search_attributes[key]) == (handle.id, stage.queue)
    await handle.terminate()


class Recording(Interceptor):
    """Notes every call about activities."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        calls = self.calls

        class Note(OutboundInterceptor):
            async def start_activity(self, input: StartActivityInput) -> Any:
                calls.append("start")
                input.args = [f"{input.args[0]}, seen"]
                return await super().start_activity(input)

            async def describe_activity(self, input: Any) -> Any:
                calls.append("describe")
                return await super().describe_activity(input)

            async def cancel_activity(self, input: Any) -> None:
                calls.append(f"cancel {input.reason}")
                await super().cancel_activity(input)

            async def terminate_activity(self, input: Any) -> None:
                calls.append(f"terminate {input.reason}")
                await super().terminate_activity(input)

            async def update_activity_options(self, input: Any) -> Any:
                calls.append(f"update {len(input.updates)} {input.restore_original}")
                return await super().update_activity_options(input)

            async def pause_activity(self, input: Any) -> None:
                calls.append("pause")
                await super().pause_activity(input)

            async def unpause_activity(self, input: Any) -> None:
                calls.append("unpause")
                await super().unpause_activity(input)

            def list_activities(self, input: Any) -> Any:
                calls.append("list")
                return super().list_activities(input)

            async def count_activities(self, input: Any) -> Any:
                calls.append("count")
                return await super().count_activities(input)

        return Note(next)


async def test_interceptors_see_every_call(stage: Stage) -> None:
    recording = Recording()
    client = stage.with_options(interceptors=[recording])
    handle = await client.start_activity("nobody", "arg", **options(stage))
    found = await handle.describe(include_input=True)
    assert await found.input() == ["arg, seen"]
    await handle.update_options([ActivityOptionsKeys.start_to_close_timeout.value_set(2 * MINUTE)])
    await handle.restore_original_options()
    await handle.pause()
    await handle.unpause()
    await client.count_activities()
    assert [row async for row in client.list_activities('ActivityType = "unheard of"')] == []
    await handle.cancel(reason="c")
    await (await client.start_activity("nobody", "other", **options(stage))).terminate(reason="t")
    assert recording.calls == [
        "start", "describe", "update 1 False", "update 0 True", "pause", "unpause", "count", "list", "cancel c",
        "start", "terminate t",
    ]  # fmt: skip


class Sealing(PayloadCodec, WithSerializationContext):
    """Seals with the context, and opens only with the same."""

    def __init__(self, key: str = "") -> None:
        self.key = key

    def with_context(self, context: Any) -> Sealing:
        assert isinstance(context, ActivitySerializationContext)
        whose = f"{context.workflow_id or 'no workflow'} {context.workflow_type or 'of no type'} {context.is_local}"
        return Sealing(f"{context.namespace} {context.activity_id} {whose}")

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert self.key, "encoding without a context"
        return [Payload(metadata={"key": self.key.encode()}, data=one.SerializeToString()) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert all(one.metadata["key"].decode() == self.key for one in payloads)
        return [Payload.FromString(one.data) for one in payloads]


async def test_values_are_converted_in_the_context_of_the_activity(stage: Stage) -> None:
    client = stage.with_options(data_converter=DataConverter(payload_codec=Sealing()))
    async with stage.worker(activities=[charge, breaks], client=client):
        handle = await client.start_activity(charge, Order("o", 4), **options(stage, summary="sealed as well"))
        assert await handle.result() == Order("o", 8)
        found = await handle.describe(include_input=True, include_outcome=True)
        assert (await found.input([Order]), await found.result(Order)) == ([Order("o", 4)], Order("o", 8))
        sealed_with = found.raw_input.payloads[0].metadata["key"].decode()
        assert sealed_with == f"default {handle.id} no workflow of no type False"
        with pytest.raises(ActivityFailureError, check=lambda err: err.cause.details == (5,)):
            await client.execute_activity(breaks, **options(stage))


class Tracing(Interceptor, WorkerInterceptor):
    """Sends a header with every start, and notes those that arrive."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        class Send(OutboundInterceptor):
            async def start_activity(self, input: StartActivityInput) -> Any:
                input.headers = {"trace": Payload(data=input.id.encode())}
                return await super().start_activity(input)

        return Send(next)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        arrived = self.arrived

        class Receive(ActivityInboundInterceptor):
            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                arrived.append(input.headers["trace"].data)
                return await super().execute_activity(input)

        return Receive(next)


async def test_headers_travel(stage: Stage) -> None:
    tracing = Tracing()
    client = stage.with_options(interceptors=[tracing])
    async with stage.worker(activities=[nothing], client=client):
        handle = await client.start_activity(nothing, **options(stage))
        await handle.result()
    assert tracing.arrived == [handle.id.encode()]
