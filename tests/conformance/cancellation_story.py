"""Following a run that is cancelled: when it is time to, and what its history then tells."""

from __future__ import annotations

from typing import Any

from stage import Stage

_LEFT_OUT = ("WorkflowTask", "External", "RequestCancelExternal", "StartChild", "ChildWorkflow")
_ATTEMPTS = ("ActivityTaskStarted", "ActivityTaskCompleted", "ActivityTaskFailed")


async def under_way(stage: Stage, handle: Any, name: str) -> None:
    """Wait until what the scene waits for is really there."""

    async def running() -> bool:
        pending = (await handle.describe()).raw_description.pending_activities
        return any(one.state == 2 for one in pending)

    if name.startswith("child"):
        await stage.until_event(handle, "ChildWorkflowExecutionStarted")
    elif name == "local_activity":
        await stage.until_event(handle, "WorkflowTaskStarted")
    else:
        await stage.until_event(handle, "WorkflowTaskCompleted")
        if "ActivityTaskScheduled" in await stage.names(handle):
            await stage.until(running)


async def story(stage: Stage, handle: Any) -> str:
    """The run's own events but the first: no attempts, no messages to others; ``Completed`` is the run's."""
    names = [one for one in (await stage.names(handle))[1:] if not one.startswith((*_LEFT_OUT, *_ATTEMPTS))]
    return " ".join(one.removeprefix("WorkflowExecution") for one in names)
