"""Serialization contexts: whose value is converted, told to converters, codecs and failure converters.

The codec encrypts with a key made from the context: who decodes with another context than was encoded with, fails.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from both_ways import replayers
from stage import Stage

from outlast import activity, workflow
from outlast.api.common.v1 import Payload
from outlast.client import WorkflowFailureError, WorkflowUpdateFailedError
from outlast.common import RetryPolicy
from outlast.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    PayloadCodec,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from outlast.exceptions import ActivityError, ApplicationError, ChildWorkflowError

SHORT = timedelta(seconds=10)
USED: set[str] = set()
FAILED_WITH: set[str] = set()


def key_of(context: Any) -> str:
    """The context in words, without what both ends of an activity do not know alike."""
    if isinstance(context, WorkflowSerializationContext):
        return f"workflow {context.workflow_id}"
    assert isinstance(context, ActivitySerializationContext)
    local = "local " if context.is_local else ""
    return f"{local}activity {context.activity_type} of {context.workflow_type} {context.workflow_id}"


class Sealing(PayloadCodec, WithSerializationContext):
    """Seals with the context, and opens only with the same."""

    def __init__(self, key: str = "") -> None:
        self.key = key

    def with_context(self, context: Any) -> Sealing:
        return Sealing(key_of(context))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        USED.add(self.key)
        assert self.key, "encoding without a context"
        return [
            Payload(metadata={"encoding": b"sealed", "key": self.key.encode()}, data=one.SerializeToString()[::-1])
            for one in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        opened = []
        for one in payloads:
            assert one.metadata["encoding"] == b"sealed", one
            sealed = one.metadata["key"].decode()
            if sealed != self.key:
                raise ValueError(f"sealed with {sealed!r}, opened with {self.key!r}")
            opened.append(Payload.FromString(one.data[::-1]))
        return opened


class Telling(DefaultFailureConverter, WithSerializationContext):
    """Notes the context that failures are converted in."""

    def __init__(self, key: str = "") -> None:
        super().__init__()
        self.key = key

    def with_context(self, context: Any) -> Telling:
        return Telling(key_of(context))

    def to_failure(self, exception: BaseException, payload_converter: Any, failure: Any) -> None:
        FAILED_WITH.add(self.key)
        super().to_failure(exception, payload_converter, failure)


class Knowing(DefaultPayloadConverter, WithSerializationContext):
    """Replaces the text ``who?`` by the context that it is converted in."""

    def __init__(self, key: str = "") -> None:
        super().__init__()
        self.key = key

    def with_context(self, context: Any) -> Knowing:
        return Knowing(key_of(context))

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return super().to_payloads([self.key if value == "who?" else value for value in values])


@activity.defn
async def echo(text: str) -> str:
    activity.heartbeat("beat", text)
    return text


@activity.defn
async def fail(text: str) -> str:
    raise ApplicationError("failed", text, type="Failed", non_retryable=True)


@activity.defn
async def beat_then_fail() -> list[Any]:
    info = activity.info()
    if info.attempt == 1:
        activity.heartbeat("reached", 7)
        raise ApplicationError("again")
    return list(info.heartbeat_details)


@workflow.defn
class Inner:
    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.signal
    def tell(self, text: str) -> None:
        self.signals.append(text)

    @workflow.run
    async def run(self, text: str) -> list[str]:
        if text == "fail":
            raise ApplicationError("child failed", "detail")
        await workflow.wait_condition(lambda: len(self.signals) == 2)
        return [text, *self.signals]


@workflow.defn
class Outer:
    """Passes something along every path that payloads take."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    @workflow.signal
    def tell(self, text: str) -> None:
        self.told.append(text)

    @workflow.query
    def asked(self, text: str) -> list[Any]:
        return [text, *self.told]

    @workflow.update
    def change(self, text: str) -> str:
        if text == "fail":
            raise ApplicationError("update failed", "detail")
        return text

    @workflow.run
    async def run(self, text: str, inner: str) -> list[Any]:
        if workflow.info().continued_run_id:
            return [text, inner, workflow.memo_value("note")]
        limit: dict[str, Any] = {"start_to_close_timeout": SHORT, "retry_policy": RetryPolicy(maximum_attempts=2)}
        found: list[Any] = [
            await workflow.execute_activity(echo, "to activity", summary="a summary", **limit),
            await workflow.execute_local_activity(echo, "to local activity", start_to_close_timeout=SHORT),
            await workflow.execute_activity(beat_then_fail, **limit),
        ]
        for call in (
            lambda: workflow.execute_activity(fail, "detail", **limit),
            lambda: workflow.execute_local_activity(fail, "local detail", start_to_close_timeout=SHORT),
            lambda: workflow.execute_child_workflow(Inner.run, "fail", id=f"{inner}-failing"),
        ):
            try:
                await call()
            except (ActivityError, ChildWorkflowError, ApplicationError) as error:
                # A local activity's error comes without an ActivityError around it.
                cause: Any = error if isinstance(error, ApplicationError) else error.cause
                found.append([str(cause), *cause.details])
        child = await workflow.start_child_workflow(Inner.run, "to child", id=inner)
        await child.signal(Inner.tell, "to child by handle")
        await workflow.get_external_workflow_handle_for(Inner.run, inner).signal(Inner.tell, "to external")
        found.append(await child)
        workflow.upsert_memo({"note": "upserted"})
        await workflow.wait_condition(lambda: len(self.told) == 1)
        raise workflow.continue_as_new(args=[str(found), inner], memo={"note": "carried"})


FOUND = [
    *("to activity", "to local activity", ["reached", 7]),
    *(["Failed: failed", "detail"], ["Failed: failed", "local detail"], ["child failed", "detail"]),
    ["to child", "to child by handle", "to external"],
]


def converter(**parts: Any) -> DataConverter:
    return dataclasses.replace(DataConverter.default, **parts)


@pytest.mark.parametrize("cached", [1000, 0])
async def test_a_codec_knows_whose_payload_it_is(stage: Stage, cached: int) -> None:
    data_converter = converter(payload_codec=Sealing())
    client = stage.with_options(data_converter=data_converter)
    activities, inner = [echo, fail, beat_then_fail], stage.id()
    polls = {} if cached else {"max_concurrent_workflow_task_polls": 1}
    async with stage.worker(Outer, Inner, activities=activities, client=client, max_cached_workflows=cached, **polls):
        handle = await client.start_workflow(
            Outer.run, args=["in", inner], id=stage.id(), task_queue=stage.queue, memo={"note": "started"}
        )
        first = client.get_workflow_handle_for(Outer.run, handle.id, run_id=handle.first_execution_run_id)
        assert await first.execute_update(Outer.change, "to update") == "to update"
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await first.execute_update(Outer.change, "fail")
        assert failed.value.cause.details == ("detail",)  # type: ignore[attr-defined]
        assert await first.query(Outer.asked, "to query") == ["to query"]
        await first.signal(Outer.tell, "told")
        assert await handle.result() == [str(FOUND), inner, "carried"]
        description = await handle.describe()
        assert await description.memo_value("note") == "carried"
    types = ("activity echo", "local activity echo", "activity fail", "local activity fail", "activity beat_then_fail")
    expected = {f"{kind} of Outer {handle.id}" for kind in types}
    expected |= {f"workflow {one}" for one in (handle.id, inner, f"{inner}-failing")}
    assert {key for key in USED if handle.id in key or inner in key} == expected
    for replayer, of_sdk in replayers(
        __file__, ["Outer", "Inner"], lambda module: module.converter(payload_codec=module.Sealing())
    ):
        await replayer.replay_workflow(of_sdk(await first.fetch_history()))


async def test_failures_are_converted_with_a_context(stage: Stage) -> None:
    client = stage.with_options(data_converter=converter(failure_converter_class=Telling))
    async with stage.worker(Inner, activities=[fail], client=client):
        handle = await client.start_workflow(Inner.run, "fail", id=stage.id(), task_queue=stage.queue)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert f"workflow {handle.id}" in FAILED_WITH


@workflow.defn
class Curious:
    @workflow.run
    async def run(self, who: str) -> list[str]:
        inner = f"{workflow.info().workflow_id}-inner"
        return [
            who,
            await workflow.execute_activity(echo, "who?", start_to_close_timeout=SHORT),
            await workflow.execute_local_activity(echo, "who?", start_to_close_timeout=SHORT),
            await workflow.execute_child_workflow(Named.run, "who?", id=inner),
            workflow.payload_converter().from_payload(workflow.payload_converter().to_payloads(["who?"])[0], str),
        ]


@workflow.defn
class Named:
    @workflow.run
    async def run(self, who: str) -> str:
        return who


async def test_a_payload_converter_knows_whose_value_it_is(stage: Stage) -> None:
    client = stage.with_options(data_converter=converter(payload_converter_class=Knowing))
    async with stage.worker(Curious, Named, activities=[echo], client=client):
        handle = await client.start_workflow(Curious.run, "who?", id=stage.id(), task_queue=stage.queue)
        mine = f"workflow {handle.id}"
        of_mine = f"of Curious {handle.id}"
        assert await handle.result() == [
            *(mine, f"activity echo {of_mine}", f"local activity echo {of_mine}", f"{mine}-inner", mine)
        ]


TOKENS: dict[str, asyncio.Future[bytes]] = {}


@activity.defn
async def elsewhere(text: str) -> str:
    TOKENS[activity.info().workflow_id or ""].set_result(activity.info().task_token)
    activity.raise_complete_async()


@workflow.defn
class Delegating:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(elsewhere, "to somebody", start_to_close_timeout=SHORT)


async def test_an_async_activity_handle_takes_a_context(stage: Stage) -> None:
    client = stage.with_options(data_converter=converter(payload_codec=Sealing()))
    workflow_id = stage.id()
    TOKENS[workflow_id] = asyncio.get_running_loop().create_future()
    async with stage.worker(Delegating, activities=[elsewhere], client=client):
        handle = await client.start_workflow(Delegating.run, id=workflow_id, task_queue=stage.queue)
        token = await TOKENS[workflow_id]
        context = ActivitySerializationContext(
            namespace="default",
            activity_id="1",
            activity_type="elsewhere",
            activity_task_queue=stage.queue,
            workflow_id=workflow_id,
            workflow_type="Delegating",
            is_local=False,
        )
        other = client.get_async_activity_handle(task_token=token).with_context(context)
        await other.heartbeat("on it")
        await other.complete("done elsewhere")
        assert await handle.result() == "done elsewhere"
