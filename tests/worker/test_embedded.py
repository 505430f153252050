"""Workers over a whole engine in this process: every part is the real one."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from programs import SECONDS, Broken, Call, CancelIt, Steps, fail_twice, greet, greet_in_thread, until, whatever

from outlast import activity, workflow
from outlast.api.common.v1 import Payload
from outlast.api.enums import v1 as e
from outlast.client import Client, WorkflowFailureError, WorkflowHandle
from outlast.converter import DataConverter, PayloadCodec
from outlast.exceptions import ActivityError, ApplicationError
from outlast.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    Interceptor,
    Replayer,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

QUEUE = "orders"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    connected = await Client.connect("sqlite://:memory:")
    try:
        async with asyncio.timeout(30):
            yield connected
    finally:
        await connected.service_client.close()


async def start(client: Client, run: Any, *args: Any) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(run, args=args, id=f"w-{uuid.uuid4()}", task_queue=QUEUE)


async def kinds(handle: WorkflowHandle[Any, Any]) -> list[int]:
    return [event.event_type for event in (await handle.fetch_history()).events]


# -- activities ------------------------------------------------------------------------------------------------------


async def test_async_and_thread_activities_without_an_executor(client: Client) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[greet, greet_in_thread]):
        assert await (await start(client, Call.run, "greet", "bob", False)).result() == "hello bob"
        answer = await (await start(client, Call.run, "greet_in_thread", "bob", False)).result()
        assert answer == "hello bob from activity, attempt 1"


@pytest.mark.parametrize("eager", [True, False])
async def test_eager_and_polled(client: Client, eager: bool) -> None:
    worker = Worker(
        client, task_queue=QUEUE, workflows=[Steps], activities=[greet], disable_eager_activity_execution=not eager
    )
    async with worker:
        handle = await start(client, Steps.run, "bob")
        await handle.signal(Steps.end)
        assert await handle.result() == ["hello bob"] * 3


async def test_a_failure_carries_the_newest_heartbeat_to_the_next_attempt(client: Client) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[fail_twice]):
        assert await (await start(client, Call.run, "fail_twice", None, True)).result() == "2"


async def test_the_dynamic_activity_takes_every_type(client: Client) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[whatever]):
        assert await (await start(client, Call.run, "anything", "x", False)).result() == "anything of x"


async def test_an_unknown_activity_names_what_there_is(client: Client) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[greet]):
        with pytest.raises(WorkflowFailureError) as failed:
            await (await start(client, Call.run, "grete", "x", False)).result()
    assert isinstance(failed.value.cause, ActivityError)
    cause = failed.value.cause.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "NotFoundError"
    assert "available activities: greet" in cause.message


async def test_arguments_that_do_not_fit_the_hints_fail_the_activity(client: Client) -> None:
    @activity.defn
    async def double(x: int) -> int:
        return 2 * x

    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[double]):
        with pytest.raises(WorkflowFailureError) as failed:
            await (await start(client, Call.run, "double", "x", False)).result()
    assert "Failed decoding arguments" in str(failed.value.cause.cause)


async def test_a_result_that_no_server_takes_fails_the_activity(client: Client) -> None:
    @activity.defn
    async def huge() -> str:
        return "x" * (3 << 20)

    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[huge]):
        with pytest.raises(WorkflowFailureError) as failed:
            await (await start(client, Call.run, "huge", None, False)).result()
    assert "result of activity 'huge' takes" in str(failed.value.cause.cause)


async def test_cancelling_an_async_activity(client: Client) -> None:
    running = asyncio.Event()

    @activity.defn
    async def wait() -> None:
        activity.heartbeat()
        running.set()
        while True:
            await asyncio.sleep(0.005)
            activity.heartbeat()

    async with Worker(client, task_queue=QUEUE, workflows=[CancelIt], activities=[wait]):
        handle = await start(client, CancelIt.run, "wait")
        await running.wait()
        await handle.signal(CancelIt.please_cancel)
        assert await handle.result() == "ActivityError: CancelledError"
    assert e.EVENT_TYPE_ACTIVITY_TASK_CANCELED in await kinds(handle)


async def test_cancelling_a_thread_activity(client: Client) -> None:
    running = threading.Event()
    seen: list[Any] = []

    @activity.defn
    def spin() -> None:
        running.set()
        try:
            while True:
                activity.heartbeat()
                activity.wait_for_worker_shutdown_sync(0.005)
        finally:
            seen.append(activity.cancellation_details())

    async with Worker(client, task_queue=QUEUE, workflows=[CancelIt], activities=[spin]):
        handle = await start(client, CancelIt.run, "spin")
        await until(running.is_set)
        await handle.signal(CancelIt.please_cancel)
        assert await handle.result() == "ActivityError: CancelledError"
    assert seen == [activity.ActivityCancellationDetails(cancel_requested=True)]


async def test_a_thread_activity_that_asks_for_itself(client: Client) -> None:
    running = threading.Event()

    @activity.defn(no_thread_cancel_exception=True)
    def polite() -> str:
        running.set()
        while not activity.is_cancelled():
            activity.heartbeat()
            activity.wait_for_cancelled_sync(0.005)
        return "left in order"

    async with Worker(client, task_queue=QUEUE, workflows=[CancelIt], activities=[polite]):
        handle = await start(client, CancelIt.run, "polite")
        await until(running.is_set)
        await handle.signal(CancelIt.please_cancel)
        assert await handle.result() == "left in order"


async def test_a_cancel_that_nobody_asked_for_is_a_failure(client: Client) -> None:
    @activity.defn
    async def confused() -> None:
        raise asyncio.CancelledError

    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[confused]):
        handle = await start(client, Call.run, "confused", None, False)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert e.EVENT_TYPE_ACTIVITY_TASK_FAILED in await kinds(handle)


async def test_a_result_that_comes_from_elsewhere(client: Client) -> None:
    tokens: list[bytes] = []

    @activity.defn
    async def later() -> str:
        tokens.append(activity.info().task_token)
        activity.raise_complete_async()

    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[later]) as worker:
        handle = await start(client, Call.run, "later", None, False)
        await until(lambda: tokens)
        await client.get_async_activity_handle(task_token=tokens[0]).complete("at last")
        assert await handle.result() == "at last"
        assert worker.is_running


async def test_activities_get_the_client(client: Client) -> None:
    @activity.defn
    async def namespace() -> str:
        return activity.client().namespace

    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[namespace]):
        assert await (await start(client, Call.run, "namespace", None, False)).result() == "default"


async def test_no_more_activities_at_a_time_than_slots(client: Client) -> None:
    running, most = 0, 0

    @activity.defn
    async def count(_: str) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(20):
            await asyncio.sleep(0)
        running -= 1

    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[count], max_concurrent_activities=2):
        handles = [await start(client, Call.run, "count", str(n), False) for n in range(8)]
        await asyncio.gather(*(handle.result() for handle in handles))
    assert most == 2


# -- workflows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cached", [1000, 1, 0])
async def test_runs_go_on_whether_or_not_they_are_cached(client: Client, cached: int) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[Steps], activities=[greet], max_cached_workflows=cached):
        handles = [await start(client, Steps.run, str(n)) for n in range(3)]
        for handle in handles:
            await handle.signal(Steps.end)
        for n, handle in enumerate(handles):
            assert await handle.result() == [f"hello {n}"] * 3
            assert await handle.query(Steps.progress) == 3


async def _at_the_third_step(handle: WorkflowHandle[Steps, Any]) -> None:
    async with asyncio.timeout(10):
        while await handle.query(Steps.progress) < 3:
            await asyncio.sleep(0)


async def test_a_query_of_a_running_workflow(client: Client) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[Steps], activities=[greet]):
        handle = await start(client, Steps.run, "bob")
        await _at_the_third_step(handle)
        await handle.signal(Steps.end)
        await handle.result()


async def test_a_second_worker_takes_over_at_once(client: Client) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[Steps], activities=[greet]):
        handle = await start(client, Steps.run, "bob")
        await _at_the_third_step(handle)
    async with Worker(client, task_queue=QUEUE, workflows=[Steps], activities=[greet]):
        await handle.signal(Steps.end)
        assert len(await handle.result()) == 3


async def test_two_workers_of_two_queues_in_one_process(client: Client) -> None:
    async with (
        Worker(client, task_queue=QUEUE, workflows=[Call]),
        Worker(client, task_queue=QUEUE, activities=[greet]),
    ):
        assert await (await start(client, Call.run, "greet", "bob", False)).result() == "hello bob"


async def test_a_failed_task_is_reported_once_logged_and_tried_again(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broken, "healthy", False)
    with caplog.at_level(logging.WARNING, "outlast.worker"):
        async with Worker(client, task_queue=QUEUE, workflows=[Broken]):
            handle = await client.start_workflow(
                Broken.run, id="broken", task_queue=QUEUE, task_timeout=timedelta(seconds=1)
            )
            await until(lambda: "not deployed yet" in caplog.text)
            monkeypatch.setattr(Broken, "healthy", True)
            assert await handle.result() == "recovered"
    assert "workflow 'broken' of type 'Broken'" in caplog.text
    assert "Traceback" in caplog.text or "programs.py" in caplog.text
    assert (await kinds(handle)).count(e.EVENT_TYPE_WORKFLOW_TASK_FAILED) == 1


async def test_an_unknown_workflow_type_is_told(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "outlast.worker"):
        async with Worker(client, task_queue=QUEUE, workflows=[Steps], activities=[greet]):
            await client.start_workflow("Stepps", id="typo", task_queue=QUEUE)
            await until(lambda: "Stepps is not registered" in caplog.text)
    assert "available workflows: Steps" in caplog.text


# -- codec, interceptors, replay -------------------------------------------------------------------------------------


class Reversing(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"reversed"}, data=bytes(reversed(p.SerializeToString()))) for p in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert all(p.metadata["encoding"] == b"reversed" for p in payloads)
        return [Payload.FromString(bytes(reversed(p.data))) for p in payloads]


async def test_nothing_readable_leaves_the_worker_with_a_codec(client: Client) -> None:
    converter = replace(DataConverter.default, payload_codec=Reversing())
    secret = Client(client.service_client, namespace=client.namespace, data_converter=converter)

    @workflow.defn(name="Patched")
    class Patched:
        @workflow.run
        async def run(self, name: str) -> str:
            assert workflow.patched("a")
            return await workflow.execute_activity(greet, name, start_to_close_timeout=SECONDS)

    async with Worker(secret, task_queue=QUEUE, workflows=[Patched], activities=[greet], max_cached_workflows=0):
        handle = await start(secret, Patched.run, "xyzzy")
        assert await handle.result() == "hello xyzzy"
    history = await handle.fetch_history()
    assert b"xyzzy" not in b"".join(event.SerializeToString() for event in history.events)
    await Replayer(workflows=[Patched], data_converter=converter).replay_workflow(history)


class Recorder(Interceptor):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        seen = self.seen

        class Outbound(ActivityOutboundInterceptor):
            def heartbeat(self, *details: Any) -> None:
                seen.append(f"heartbeat {details}")
                super().heartbeat(*details)

        class Inbound(ActivityInboundInterceptor):
            def init(self, outbound: ActivityOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                seen.append(f"activity {input.args}")
                return await super().execute_activity(replace(input, args=["intercepted"]))

        return Inbound(next)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        seen = self.seen

        class Inbound(WorkflowInboundInterceptor):
            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
                seen.append("workflow")
                return await super().execute_workflow(input)

        return Inbound


@pytest.mark.parametrize("in_thread", [False, True])
async def test_interceptors_see_workflows_activities_and_heartbeats(client: Client, in_thread: bool) -> None:
    @activity.defn(name="beat")
    async def beat(name: str) -> str:
        activity.heartbeat(1)
        return name

    @activity.defn(name="beat")
    def beat_in_thread(name: str) -> str:
        activity.heartbeat(1)
        return name

    recorder = Recorder()
    chosen = beat_in_thread if in_thread else beat
    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[chosen], interceptors=[recorder]):
        assert await (await start(client, Call.run, "beat", "bob", False)).result() == "intercepted"
    assert recorder.seen == ["workflow", "activity ['bob']", "heartbeat (1,)"]


async def test_the_replayer_finds_what_changed(client: Client) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[greet]):
        handle = await start(client, Call.run, "greet", "bob", False)
        await handle.result()
    history = await handle.fetch_history()
    assert (await Replayer(workflows=[Call]).replay_workflow(history)).replay_failure is None

    @workflow.defn(name="Call")
    class Other:
        @workflow.run
        async def run(self, name: str, arg: str | None, retries: bool) -> str:
            await workflow.sleep(1)
            return ""

    with pytest.raises(workflow.NondeterminismError):
        await Replayer(workflows=[Other]).replay_workflow(history)

    async def histories() -> AsyncIterator[Any]:
        yield history

    results = await Replayer(workflows=[Other]).replay_workflows(histories(), raise_on_replay_failure=False)
    assert list(results.replay_failures) == [history.run_id]


# -- life of a worker ------------------------------------------------------------------------------------------------


async def test_shutdown_cancels_activities_and_lets_another_worker_try_again(client: Client) -> None:
    running = asyncio.Event()
    details: list[Any] = []

    @activity.defn(name="work")
    async def endless(_: str) -> str:
        if activity.info().attempt > 1:
            return "second attempt"
        running.set()
        try:
            await activity.wait_for_worker_shutdown()
            await asyncio.Event().wait()
        finally:
            details.append(activity.cancellation_details())
        return "never"

    worker = Worker(client, task_queue=QUEUE, workflows=[Call], activities=[endless])
    async with worker:
        handle = await start(client, Call.run, "work", "x", True)
        await running.wait()
    assert worker.is_shutdown
    assert details == [activity.ActivityCancellationDetails(worker_shutdown=True)]
    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[endless]):
        assert await handle.result() == "second attempt"


async def test_a_grace_period_lets_activities_finish(client: Client) -> None:
    running = asyncio.Event()

    @activity.defn
    async def careful() -> str:
        running.set()
        await activity.wait_for_worker_shutdown()
        return "finished in time"

    worker = Worker(client, task_queue=QUEUE, workflows=[Call], activities=[careful], graceful_shutdown_timeout=SECONDS)
    async with worker:
        handle = await start(client, Call.run, "careful", None, False)
        await running.wait()
    async with Worker(client, task_queue=QUEUE, workflows=[Call], activities=[careful]):
        assert await handle.result() == "finished in time"


async def test_an_unknown_namespace_fails_the_start(client: Client) -> None:
    elsewhere = Client(client.service_client, namespace="nowhere")
    with pytest.raises(RuntimeError, match="namespace 'nowhere' was not found"):
        await Worker(elsewhere, task_queue=QUEUE, activities=[greet]).run()


async def test_a_fatal_error_ends_the_block_and_is_told(client: Client) -> None:
    told: list[BaseException] = []

    @activity.defn
    async def break_it() -> None:
        raise BrokenExecutor("gone")

    async def on_fatal_error(error: BaseException) -> None:
        told.append(error)

    with pytest.raises(BrokenExecutor):
        async with Worker(
            client, task_queue=QUEUE, workflows=[Call], activities=[break_it], on_fatal_error=on_fatal_error
        ):
            await start(client, Call.run, "break_it", None, False)
            await asyncio.Event().wait()
    assert [str(error) for error in told] == ["gone"]
