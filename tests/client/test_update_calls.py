"""Updates, alone and together with a start: what is sent, how answers are read."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from order_client import FAILURE, OrderWorkflow, Receipt, connected, payloads, started

import outlast.api.enums.v1 as enums
import outlast.api.workflowservice.v1 as api
from outlast.api.update.v1 import Outcome
from outlast.client import (
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from outlast.common import (
    WorkflowIDConflictPolicy,
)
from outlast.exceptions import (
    ApplicationError,
    WorkflowAlreadyStartedError,
)
from outlast.vocab import errors


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
