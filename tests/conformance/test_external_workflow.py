"""Signals and cancel requests to workflows that are not children."""

from __future__ import annotations

from typing import Any

import pytest
from both_ways import replay_both_ways
from hand import Hand
from stage import Stage

from outlast import workflow
from outlast.api.enums import v1 as e
from outlast.client import WorkflowExecutionStatus, WorkflowFailureError
from outlast.exceptions import ApplicationError, CancelledError


@workflow.defn
class Target:
    def __init__(self) -> None:
        self.got: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: "end" in self.got)
        return self.got

    @workflow.signal
    def say(self, what: str) -> None:
        self.got.append(what)


@workflow.defn
class Sender:
    @workflow.run
    async def run(self, kind: str, target: str, run_id: str | None, words: list[str]) -> str:
        handle = workflow.get_external_workflow_handle(target, run_id=run_id)
        try:
            if kind == "cancel":
                await handle.cancel()
            elif kind == "typed":
                await workflow.get_external_workflow_handle_for(Target.run, target).signal(Target.say, words[0])
            for word in words if kind == "signal" else []:
                await handle.signal("say", word)
        except ApplicationError as err:
            return f"{err.type}: {err.message}"
        return "sent"


NOT_FOUND = "ExternalWorkflowExecutionNotFound"


async def test_signals_arrive_in_order(stage: Stage) -> None:
    async with stage.worker(Target, Sender):
        target = await stage.start(Target.run)
        sender = await stage.start(Sender.run, "signal", target.id, None, ["a", "b", "end"])
        assert await sender.result() == "sent"
        assert await target.result() == ["a", "b", "end"]
    (first, *_) = await stage.attributes(target, "WorkflowExecutionSignaled")
    assert first.external_workflow_execution.workflow_id == sender.id
    assert (await stage.names(sender)).count("ExternalWorkflowExecutionSignaled") == 3


async def test_a_typed_handle(stage: Stage) -> None:
    async with stage.worker(Target, Sender):
        target = await stage.start(Target.run)
        assert await stage.execute(Sender.run, "typed", target.id, None, ["end"]) == "sent"
        assert await target.result() == ["end"]


async def test_a_cancel_request_arrives(stage: Stage) -> None:
    async with stage.worker(Target, Sender):
        target = await stage.start(Target.run)
        sender = await stage.start(Sender.run, "cancel", target.id, None, [])
        assert await sender.result() == "sent"
        with pytest.raises(WorkflowFailureError) as failed:
            await target.result()
        assert isinstance(failed.value.cause, CancelledError)
        assert await stage.until_closed(target) == WorkflowExecutionStatus.CANCELED
        (asked,) = await stage.attributes(target, "WorkflowExecutionCancelRequested")
        assert asked.external_workflow_execution.workflow_id == sender.id
        assert await stage.execute(Sender.run, "cancel", target.id, None, []) == "sent", "a closed one takes it, too"
        refused = await stage.execute(Sender.run, "signal", target.id, None, ["late"])
        assert refused.startswith(f"{NOT_FOUND}")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("signal", f"{NOT_FOUND}: Unable to signal external workflow because it was not found"),
        ("cancel", f"{NOT_FOUND}: Unable to cancel external workflow because not found"),
    ],
)
async def test_nobody_there(stage: Stage, kind: str, message: str) -> None:
    async with stage.worker(Target, Sender):
        assert await stage.execute(Sender.run, kind, stage.id(), None, ["x"]) == message
        target = await stage.start(Target.run)
        other_run = "33333333-3333-4333-8333-333333333333"
        assert await stage.execute(Sender.run, kind, target.id, other_run, ["x"]) == message
        own_id = stage.id()
        assert await stage.execute(Sender.run, kind, own_id, None, ["x"], id=own_id) == message
        await target.terminate()


@pytest.mark.parametrize("kind", ["signal", "cancel"])
async def test_a_sender_replays_in_both_sdks(stage: Stage, kind: str) -> None:
    async with stage.worker(Target, Sender):
        target = await stage.start(Target.run)
        sent = await stage.start(Sender.run, kind, target.id, None, ["a", "end"])
        refused = await stage.start(Sender.run, kind, stage.id(), None, ["a"])
        await sent.result()
        await refused.result()
    for handle in (sent, refused):
        await replay_both_ways(stage, handle, __file__, "Sender")


async def test_a_request_without_a_target_fails_the_task(stage: Stage) -> None:
    hand = Hand(stage)
    handle = await hand.start()
    task = await hand.poll()
    errors: Any = stage.sdk("service").RPCError
    with pytest.raises(errors, match=stage.says("workflow_id", "Execution is not set")):
        await hand.complete(task, hand.command(e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, namespace="default"))
    assert "WorkflowTaskFailed" in await stage.names(handle)
    await handle.terminate()
