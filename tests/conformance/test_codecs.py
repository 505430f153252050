"""The payload codec is on every path of user data: nothing readable reaches the server, search attributes excepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from stage import Stage

from outlast import activity, workflow
from outlast.api.common.v1 import Payload
from outlast.api.operatorservice.v1 import AddSearchAttributesRequest
from outlast.client import WorkflowFailureError
from outlast.common import RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from outlast.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from outlast.exceptions import ActivityError, ApplicationError

SECRET = "secret"
SECONDS = timedelta(seconds=10)


class Reversed(PayloadCodec):
    """Turns the bytes around, which makes them unreadable enough."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"binary/reversed"}, data=p.SerializeToString()[::-1]) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert all(p.metadata["encoding"] == b"binary/reversed" for p in payloads), "decoded what was never encoded"
        return [Payload.FromString(p.data[::-1]) for p in payloads]


CONVERTER = replace(
    DataConverter.default,
    payload_codec=Reversed(),
    failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
)


@activity.defn
async def repeat(text: str) -> str:
    if activity.info().attempt == 1:
        activity.heartbeat(text, {"kept": text})
        raise ApplicationError(f"{SECRET} message", text)
    assert list(activity.info().heartbeat_details) == [text, {"kept": text}]
    return text + text


@activity.defn
async def refuse(text: str) -> None:
    raise ApplicationError(f"{SECRET} message", text, non_retryable=True)


@workflow.defn
class Inner:
    @workflow.run
    async def run(self, text: str) -> str:
        return text + "?"


@workflow.defn
class Outer:
    def __init__(self) -> None:
        self.told: list[str] = []

    @workflow.signal
    def tell(self, text: str) -> None:
        self.told.append(text)

    @workflow.query
    def ask(self, text: str) -> str:
        return text + "!"

    @workflow.update
    async def change(self, text: str) -> str:
        self.told.append(text)
        return text + "."

    @change.validator
    def check(self, text: str) -> None:
        assert text.startswith(SECRET)

    @workflow.run
    async def run(self, text: str) -> str:
        await workflow.wait_condition(lambda: len(self.told) == 2)
        answer = await workflow.execute_activity(
            repeat,
            text,
            start_to_close_timeout=SECONDS,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1)),
            summary=f"{SECRET} summary",
        )
        answer += await workflow.execute_child_workflow(Inner.run, text, memo={"inner": text})
        answer += await workflow.execute_local_activity(repeat_locally, text, start_to_close_timeout=SECONDS)
        workflow.upsert_memo({"more": text})
        answer += workflow.memo_value("note", type_hint=str)
        try:
            await workflow.execute_activity(refuse, text, start_to_close_timeout=SECONDS)
        except ActivityError as error:
            cause: Any = error.cause
            answer += str(cause.message) + str(cause.details[0])
        if len(answer) > 1000:
            workflow.continue_as_new(text)
        raise ApplicationError(answer, text)


@activity.defn
async def repeat_locally(text: str) -> str:
    return text * 2


async def test_nothing_readable_leaves(stage: Stage) -> None:
    client = stage.with_options(data_converter=CONVERTER)
    keyword = SearchAttributeKey.for_keyword(f"Codec{stage.way}")
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=client.namespace, search_attributes={keyword.name: 2})
    )
    async with stage.worker(Outer, Inner, activities=[repeat, refuse, repeat_locally], client=client):
        handle = await client.start_workflow(
            Outer.run,
            f"{SECRET} argument",
            id=stage.id(),
            task_queue=stage.queue,
            memo={"note": f"{SECRET} note"},
            search_attributes=TypedSearchAttributes([SearchAttributePair(keyword, "readable")]),
            static_summary=f"{SECRET} static",
        )
        await handle.signal(Outer.tell, f"{SECRET} signal")
        assert await handle.query(Outer.ask, f"{SECRET} query") == f"{SECRET} query!"
        assert await handle.execute_update(Outer.change, f"{SECRET} update") == f"{SECRET} update."
        error: Any = None
        try:
            await handle.result()
        except WorkflowFailureError as failed:
            error = failed.cause
        argument = f"{SECRET} argument"
        told = f"{argument * 2}{argument}?{argument * 2}{SECRET} note{SECRET} message{argument}"
        assert isinstance(error, ApplicationError) and error.message == told and list(error.details) == [argument]
        described = await handle.describe()
        assert await described.memo_value("note") == f"{SECRET} note"
        assert await described.memo_value("more") == argument
        assert await described.static_summary() == f"{SECRET} static"
        assert described.typed_search_attributes[keyword] == "readable"
    for event in await stage.events(handle):
        assert SECRET.encode() not in event.SerializeToString(), event
    raw = (await stage.history(handle)).SerializeToString()
    assert raw.count(SECRET[::-1].encode()) > 15
    assert b'"readable"' in raw
