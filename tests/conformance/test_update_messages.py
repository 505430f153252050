"""Updates on the wire: what a worker that answers by hand is shown, and what becomes of its answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hand import Hand, shown
from stage import Stage

from outlast.api.enums import v1 as e
from outlast.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from outlast.exceptions import ApplicationError
from outlast.service import RPCError, RPCStatusCode

ACCEPTED, COMPLETED = "WorkflowExecutionUpdateAccepted", "WorkflowExecutionUpdateCompleted"
EMPTY_TASK = ["WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"]
BEGUN = ["WorkflowExecutionStarted", *EMPTY_TASK]
SPECULATIVE = {"capabilities": {"discard_speculative_workflow_task_with_events": True}}


class UpdateHand(Hand):
    """Answers updates by hand."""

    def request(self, message: Any) -> Any:
        request = self.stage.sdk("api.update.v1").Request()
        assert message.body.Unpack(request)
        return request

    def _message(self, request: Any, step: str, body: Any) -> Any:
        message = self.stage.sdk("api.protocol.v1").Message(
            id=f"{request.id}/{step}", protocol_instance_id=request.protocol_instance_id
        )
        message.body.Pack(body)
        return message

    def accept(self, request: Any) -> Any:
        api = self.stage.sdk("api.update.v1")
        return self._message(
            request,
            "accept",
            api.Acceptance(
                accepted_request_message_id=request.id,
                accepted_request_sequencing_event_id=request.event_id,
                accepted_request=self.request(request),
            ),
        )

    def reject(self, request: Any, reason: str) -> Any:
        api = self.stage.sdk("api.update.v1")
        failure = {"message": reason, "application_failure_info": {"type": "Refused"}}
        return self._message(request, "reject", api.Rejection(rejected_request_message_id=request.id, failure=failure))

    def respond(self, request: Any) -> Any:
        api = self.stage.sdk("api.update.v1")
        outcome = {"success": {"payloads": [{"metadata": {"encoding": b"json/plain"}, "data": b'"done"'}]}}
        return self._message(request, "complete", api.Response(meta=self.request(request).meta, outcome=outcome))

    def place(self, message: Any) -> Any:
        """The command that gives a message its place."""
        return self.command(e.COMMAND_TYPE_PROTOCOL_MESSAGE, message_id=message.id)

    async def answer(self, task: Any, **fields: Any) -> Any:
        """Accept and answer every update of the task."""
        messages = [step(one) for one in task.messages for step in (self.accept, self.respond)]
        return await self.complete(task, *map(self.place, messages), messages=messages, **fields)

    async def begin(self) -> Any:
        """A run whose first task did nothing."""
        handle = await self.start()
        await self.turn()
        return handle

    def update(self, handle: Any, update_id: str = "u") -> asyncio.Task[Any]:
        """Send an update; the task answers its result."""
        return asyncio.create_task(handle.execute_update("change", id=update_id, result_type=str))

    async def waiting(self, handle: Any, update_id: str) -> None:
        """Until the server knows of an update."""
        request = self.api.PollWorkflowExecutionUpdateRequest(
            namespace="default",
            update_ref={"workflow_execution": {"workflow_id": handle.id}, "update_id": update_id},
        )

        async def known() -> bool:
            try:
                polled = await self.service.poll_workflow_execution_update(request)
            except self.stage.sdk("service").RPCError:
                return False
            return bool(polled.stage == e.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED)

        await self.stage.until(known)


async def test_a_speculative_task_becomes_history_with_its_acceptance(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    sent = hand.update(handle)
    task = await hand.poll()
    assert shown(task)[-2:] == EMPTY_TASK[:2]
    assert [(one.id, one.protocol_instance_id, one.event_id) for one in task.messages] == [("u/request", "u", 5)]
    await hand.answer(task)
    assert await sent == "done"
    assert await stage.names(handle) == [*BEGUN, *EMPTY_TASK, ACCEPTED, COMPLETED]


async def test_a_speculative_task_with_rejections_alone_is_dropped(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    sent = hand.update(handle)
    task = await hand.poll()
    reply = await hand.complete(task, messages=[hand.reject(task.messages[0], "no")], **SPECULATIVE)
    assert reply.reset_history_event_id == 3
    with pytest.raises(WorkflowUpdateFailedError) as rejected:
        await sent
    assert isinstance(rejected.value.cause, ApplicationError) and rejected.value.cause.type == "Refused"
    assert await stage.names(handle) == BEGUN


async def test_an_update_that_comes_while_the_dropped_task_runs_is_in_the_next_one(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    first = hand.update(handle, "first")
    task = await hand.poll()
    second = hand.update(handle, "second")
    await hand.waiting(handle, "second")
    reply = await hand.complete(
        task, messages=[hand.reject(task.messages[0], "no")], return_new_workflow_task=True, **SPECULATIVE
    )
    assert reply.reset_history_event_id == 3
    assert [one.protocol_instance_id for one in reply.workflow_task.messages] == ["second"]
    with pytest.raises(WorkflowUpdateFailedError):
        await first
    await hand.answer(reply.workflow_task)
    assert await second == "done"


async def test_a_signal_makes_the_speculative_task_a_normal_one(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    sent = hand.update(handle)
    await hand.waiting(handle, "u")
    await handle.signal("wake")
    task = await hand.poll()
    assert shown(task)[4:] == ["WorkflowTaskScheduled", "WorkflowExecutionSignaled", "WorkflowTaskStarted"]
    reply = await hand.complete(task, messages=[hand.reject(task.messages[0], "no")], **SPECULATIVE)
    assert not reply.reset_history_event_id
    with pytest.raises(WorkflowUpdateFailedError):
        await sent
    assert (await stage.names(handle))[4:] == [
        "WorkflowTaskScheduled",
        "WorkflowExecutionSignaled",
        "WorkflowTaskStarted",
        "WorkflowTaskCompleted",
    ]


async def test_a_signal_while_the_speculative_task_runs(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    sent = hand.update(handle)
    task = await hand.poll()
    await handle.signal("wake")
    reply = await hand.complete(task, messages=[hand.reject(task.messages[0], "no")], **SPECULATIVE)
    assert not reply.reset_history_event_id
    with pytest.raises(WorkflowUpdateFailedError):
        await sent
    assert (await stage.names(handle))[4:] == [*EMPTY_TASK, "WorkflowExecutionSignaled", "WorkflowTaskScheduled"]


async def test_updates_ride_on_a_task_that_is_scheduled_and_wait_for_one_that_is_started(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.start()
    first = hand.update(handle, "first")
    await hand.waiting(handle, "first")
    task = await hand.poll()
    second = hand.update(handle, "second")
    await hand.waiting(handle, "second")
    assert [one.protocol_instance_id for one in task.messages] == ["first"]
    await hand.answer(task)
    task = await hand.poll()
    assert [one.protocol_instance_id for one in task.messages] == ["second"]
    await hand.answer(task)
    assert (await first, await second) == ("done", "done")


async def test_commands_fix_the_order_of_answers(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    sent = hand.update(handle)
    task = await hand.poll()
    accepted, completed = hand.accept(task.messages[0]), hand.respond(task.messages[0])
    await hand.complete(
        task,
        hand.place(accepted),
        hand.schedule_activity(),
        hand.place(completed),
        messages=[accepted, completed],
    )
    assert await sent == "done"
    assert (await stage.names(handle))[7:] == [ACCEPTED, "ActivityTaskScheduled", COMPLETED]


async def test_an_update_that_the_worker_ignores_is_rejected(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    sent = hand.update(handle)
    await hand.turn()
    with pytest.raises(WorkflowUpdateFailedError) as rejected:
        await sent
    assert isinstance(rejected.value.cause, ApplicationError)
    assert rejected.value.cause.type == "UnprocessedUpdate"
    assert await stage.names(handle) == BEGUN


@pytest.mark.parametrize("sticky", [True, False])
async def test_a_heartbeat_keeps_its_updates(stage: Stage, sticky: bool) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    sent = hand.update(handle)
    task = await hand.poll()
    timeout = {"seconds": 10}
    queue = {"worker_task_queue": {"name": f"{stage.queue}-own"}, "schedule_to_start_timeout": timeout}
    reply = await hand.complete(
        task,
        force_create_new_workflow_task=True,
        return_new_workflow_task=True,
        sticky_attributes=queue if sticky else None,
    )
    following = reply.workflow_task
    # The worker has the update.
    assert not following.messages
    following.messages.extend(task.messages)
    await hand.answer(following)
    assert await sent == "done"


async def test_a_failing_task_takes_no_further_updates_from_the_third_attempt_on(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    sent = hand.update(handle)
    await hand.fail(await hand.poll())
    task = await hand.poll()
    assert (task.attempt, [one.event_id for one in task.messages]) == (2, [8])
    await hand.fail(task)
    with pytest.raises(RPCError, match=stage.says("has failed 2 times", "Workflow Task in failed state")) as refused:
        await handle.start_update("change", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    assert refused.value.status == RPCStatusCode.FAILED_PRECONDITION
    task = await hand.poll()
    assert task.attempt == 3
    # On our server the one that waits goes on waiting.
    assert stage.oracle or [one.protocol_instance_id for one in task.messages] == ["u"]
    await handle.terminate()
    with pytest.raises((RPCError, WorkflowUpdateFailedError)):
        await sent


async def test_a_malformed_answer_fails_the_task(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    sent = hand.update(handle)
    task = await hand.poll()
    with pytest.raises(RPCError, match=stage.says("names no message", "referenced absent message")):
        await hand.complete(task, hand.place(hand.accept(task.messages[0])))
    (failed,) = await stage.attributes(handle, "WorkflowTaskFailed")
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE
    with pytest.raises(RPCError, match=r"failed|failure") as refused:
        await sent
    assert refused.value.status == RPCStatusCode.FAILED_PRECONDITION
    assert not (await hand.poll()).messages


async def test_an_update_that_waits_moves_to_the_next_run(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = stage.client.get_workflow_handle((await hand.begin()).id)
    await handle.signal("go on")
    task = await hand.poll()
    sent = hand.update(handle)
    await hand.waiting(handle, "u")
    await hand.complete(task, hand.command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION))
    task = await hand.poll()
    assert shown(task) == ["WorkflowExecutionStarted", *EMPTY_TASK[:2]]
    await hand.answer(task)
    if not task.messages:  # Temporal's server sends the update again a moment later.
        await hand.answer(await hand.poll())
    assert await sent == "done"


async def test_ten_updates_may_be_in_flight(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    request = hand.api.UpdateWorkflowExecutionRequest(
        namespace="default",
        workflow_execution={"workflow_id": handle.id},
        request={"meta": {"update_id": "one too many"}, "input": {"name": "change"}},
    )
    sent = [hand.update(handle, f"u{number}") for number in range(10)]
    for number in range(10):
        await hand.waiting(handle, f"u{number}")
    with pytest.raises(RPCError, match=stage.says("10 updates in flight", "concurrent in-flight updates")) as refused:
        await hand.service.update_workflow_execution(request)
    assert refused.value.status == RPCStatusCode.RESOURCE_EXHAUSTED
    await hand.answer(await hand.poll())
    assert await asyncio.gather(*sent) == ["done"] * 10


async def test_a_terminated_run_forgets_a_speculative_task_that_waits(stage: Stage) -> None:
    hand = UpdateHand(stage)
    handle = await hand.begin()
    sent = hand.update(handle)
    await hand.waiting(handle, "u")
    await handle.terminate()
    with pytest.raises(RPCError, match="aborted by closing workflow"):
        await sent
    assert await stage.names(handle) == [*BEGUN, "WorkflowExecutionTerminated"]
