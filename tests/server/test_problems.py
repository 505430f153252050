"""A stuck workflow is found by a list (rule 3.4.5)."""

from __future__ import annotations

from hand_driven import Driven, driven

from outlast.api.enums import v1 as e


async def fail(server: Driven, times: int) -> None:
    for _ in range(times):
        task = await server.poll()
        await server.call(
            "RespondWorkflowTaskFailed",
            task_token=task.task_token,
            cause=e.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
        )


async def stuck(server: Driven) -> list[str]:
    query = "TemporalReportedProblems IN ('cause=WorkflowTaskFailedCauseNonDeterministicError')"
    found = await server.call("ListWorkflowExecutions", query=query)
    return [each.execution.workflow_id for each in found.executions]


async def test_a_stuck_workflow_is_listed_until_it_moves_again() -> None:
    async with driven() as server:
        await server.start()
        await fail(server, 4)
        assert await stuck(server) == []
        await fail(server, 1)
        assert await stuck(server) == ["order-42"]
        fields = (await server.describe()).workflow_execution_info.search_attributes.indexed_fields
        assert b"WorkflowTaskFailedCauseNonDeterministicError" in fields["TemporalReportedProblems"].data
        await server.turn()
        assert await stuck(server) == []
