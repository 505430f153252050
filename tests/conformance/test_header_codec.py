"""Which headers go through the payload codec: those of clients, of workflows, of activities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from stage import Stage

from outlast import activity, workflow
from outlast.api.common.v1 import Payload
from outlast.client import Interceptor as ClientInterceptor
from outlast.client import OutboundInterceptor
from outlast.common import HeaderCodecBehavior
from outlast.converter import DataConverter, PayloadCodec
from outlast.worker import ActivityInboundInterceptor, WorkflowInboundInterceptor, WorkflowOutboundInterceptor
from outlast.worker import Interceptor as WorkerInterceptor


class Reversed(PayloadCodec):
    """Turns the bytes around; reads what was never encoded too."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"binary/reversed"}, data=p.SerializeToString()[::-1]) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload.FromString(p.data[::-1]) if p.metadata["encoding"] == b"binary/reversed" else p for p in payloads
        ]


def header(text: str) -> dict[str, Any]:
    return {"tag": DataConverter.default.payload_converter.to_payload(text)}


class Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: Any) -> Any:
        input.headers = header("from workflow")
        return super().start_activity(input)


class Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: Any) -> None:
        super().init(Outbound(outbound))

    async def execute_workflow(self, input: Any) -> Any:
        return [input.headers["tag"].data.decode()[:20], await super().execute_workflow(input)]


class OfActivity(ActivityInboundInterceptor):
    async def execute_activity(self, input: Any) -> Any:
        await super().execute_activity(input)
        return input.headers["tag"].data.decode(errors="replace")[:15]


class OfClient(OutboundInterceptor):
    async def start_workflow(self, input: Any) -> Any:
        input.headers = header("from client")
        return await super().start_workflow(input)


class Tags(ClientInterceptor, WorkerInterceptor):
    def intercept_client(self, next: Any) -> Any:
        return OfClient(next)

    def intercept_activity(self, next: Any) -> Any:
        return OfActivity(next)

    def workflow_interceptor_class(self, input: Any) -> Any:
        return Inbound


@activity.defn
async def nothing() -> str:
    return ""


@workflow.defn
class Caller:
    @workflow.run
    async def run(self) -> Any:
        return await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=10))


@pytest.mark.parametrize(
    ("behavior", "start", "scheduled"),
    [("NO_CODEC", "plain", "plain"), ("CODEC", "reversed", "reversed"), ("WORKFLOW_ONLY_CODEC", "plain", "reversed")],
)
async def test_headers(stage: Stage, behavior: str, start: str, scheduled: str) -> None:
    client = stage.with_options(
        data_converter=replace(DataConverter.default, payload_codec=Reversed()),
        interceptors=[Tags()],
        header_codec_behavior=HeaderCodecBehavior[behavior],
    )
    async with stage.worker(Caller, activities=[nothing], client=client):
        handle = await client.start_workflow(Caller.run, id=stage.id(), task_queue=stage.queue)
        in_workflow, in_activity = await handle.result()
    assert in_workflow == '"from client"'
    seen_by_activity = '"from workflow"' if behavior != "WORKFLOW_ONLY_CODEC" else '"wolfkrow morf"'
    (started,) = await stage.attributes(handle, "WorkflowExecutionStarted")
    (activity_scheduled,) = await stage.attributes(handle, "ActivityTaskScheduled")
    encodings = [a.header.fields["tag"].metadata["encoding"].decode() for a in (started, activity_scheduled)]
    assert [encoding.rpartition("/")[2] for encoding in encodings] == [start, scheduled]
    assert in_activity == seen_by_activity
