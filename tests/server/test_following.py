"""What clients are told about a run that has a successor: a retry, a run after a timeout, the next turn of a cron."""

from __future__ import annotations

from typing import Any

import pytest
from brain import complete_workflow, fail_workflow, payloads, seconds
from hand_driven import Driven, driven

from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from outlast.server.context import CallContext
from outlast.server.handlers import WORKFLOW_SERVICE

ONCE_MORE = {"initial_interval": seconds(10), "maximum_attempts": 2}


async def closing(server: Driven, run_id: str, features: str, kind: int = 2) -> Any:
    """The last event of a run, as a client gets it that says which features it has."""
    request = GetWorkflowExecutionHistoryRequest(
        namespace="default",
        execution={"workflow_id": "order-42", "run_id": run_id},
        history_event_filter_type=kind,  # type: ignore[arg-type]
    )
    context = CallContext("grpc", metadata={"supported-features": features} if features else {})
    return (await server.node.call(WORKFLOW_SERVICE, "GetWorkflowExecutionHistory", request, context)).history.events[
        -1
    ]


async def failed(server: Driven) -> str:
    run_id = await server.start(retry_policy=ONCE_MORE)
    await server.turn(fail_workflow("out of stock"))
    return run_id


async def timed_out(server: Driven) -> str:
    run_id = await server.start(retry_policy=ONCE_MORE, workflow_run_timeout=seconds(5))
    await server.pass_time(6)
    return run_id


async def completed(server: Driven) -> str:
    run_id = await server.start(cron_schedule="@every 1s")
    await server.pass_time(1)
    await server.turn(complete_workflow(b"7"))
    return run_id


@pytest.mark.parametrize("close", [failed, timed_out, completed])
async def test_a_client_that_follows_only_continue_as_new_is_told_so(close: Any) -> None:
    async with driven() as server:
        run_id = await close(server)
        real = await closing(server, run_id, "another-feature,follows-next-run-id")
        attributes = getattr(real, real.WhichOneof("attributes"))
        assert attributes.new_execution_run_id and close.__name__ in real.WhichOneof("attributes")
        assert await closing(server, run_id, "", _e.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT) == real

        told = await closing(server, run_id, "another-feature")
        assert told.event_type == _e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
        assert (told.event_id, told.event_time) == (real.event_id, real.event_time)
        continued = told.workflow_execution_continued_as_new_event_attributes
        assert continued.new_execution_run_id == attributes.new_execution_run_id
        assert continued.failure.message == {"failed": "out of stock", "timed_out": "workflow timeout"}.get(
            close.__name__, ""
        )
        if close is completed:
            assert continued.last_completion_result == payloads(b"7")


async def test_the_last_run_of_a_chain_is_told_as_it_was() -> None:
    async with driven() as server:
        run_id = await server.start(retry_policy={"maximum_attempts": 1})
        await server.turn(fail_workflow("out of stock"))
        assert (await closing(server, run_id, "")).workflow_execution_failed_event_attributes.new_execution_run_id == ""
