"""Local activities in the brain: their markers, their order, and that both SDKs follow what either wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import replay_flows as flows
from replay_compat import replay_with_temporalio
from replay_script import Script, TaskFailed, commands, payloads, values

import outlast.api.enums.v1 as e
from outlast.api.common.v1 import Payloads
from outlast.api.failure.v1 import ApplicationFailureInfo, CanceledFailureInfo, Failure, TimeoutFailureInfo
from outlast.api.workflowservice.v1 import RespondQueryTaskCompletedRequest
from outlast.replay import LocalOutcome, LocalTask, Run

SECOND = 1_000_000_000


async def both_follow(script: Script) -> None:
    answer = script.replay()
    assert isinstance(answer, RespondQueryTaskCompletedRequest)
    assert answer.completed_type == e.QUERY_RESULT_TYPE_ANSWERED, answer.error_message
    await replay_with_temporalio(script)


def result_of(script: Script) -> Any:
    command = script.completions[-1].commands[-1]
    return values(command.complete_workflow_execution_command_attributes.result)[0]


def ended(task: LocalTask, result: Any = None, **fields: Any) -> LocalOutcome:
    if "failure" not in fields:
        fields["result"] = payloads(result).payloads[0]
    return LocalOutcome(**{"seq": task.seq, "attempt": max(1, task.attempt), "runtime_ns": 2 * SECOND, **fields})


class Work:
    """The worker's side: remembers what was asked for, and brings the results batch by batch."""

    def __init__(self, *batches: Callable[[Work], Sequence[LocalOutcome]] | None) -> None:
        self.batches = list(batches)
        self.tasks: dict[str, LocalTask] = {}
        self.cancelled: list[int] = []

    def __call__(self, run: Run) -> Any:
        starts, cancels = run.local_work()
        self.tasks.update({task.activity_type: task for task in starts})
        self.cancelled += cancels
        batch = self.batches.pop(0)
        return run.heartbeat() if batch is None else run.resolve(batch(self))


def bring(**results: Any) -> Callable[[Work], Sequence[LocalOutcome]]:
    return lambda work: [ended(work.tasks[name], result) for name, result in results.items()]


def marker_data(script: Script) -> list[dict[str, Any]]:
    markers = [
        event.marker_recorded_event_attributes
        for event in script.events
        if event.event_type == e.EVENT_TYPE_MARKER_RECORDED
    ]
    return [json.loads(one.details["data"].payloads[0].data) for one in markers]


# What temporalio 1.35 wrote for a workflow whose local activity "ok" answered "ok a".
WRITTEN_BY_TEMPORAL = (
    '{"seq":1,"attempt":1,"activity_id":"1","activity_type":"ok",'
    '"complete_time":{"seconds":1795557324,"nanos":216729532},"backoff":null,'
    '"original_schedule_time":{"seconds":1795557324,"nanos":219768670},"activation_index":1}'
)


async def test_results_become_markers_of_temporals_shape_and_move_the_clock() -> None:
    script = Script(flows.Local)
    script.local = work = Work(bring(one="1"), bring(two="2"))
    script.task()
    assert commands(script.completions[0]) == ["RECORD_MARKER", "RECORD_MARKER", "SCHEDULE_ACTIVITY_TASK"]
    command = script.completions[0].commands[0]
    data = command.record_marker_command_attributes.details["data"].payloads[0]
    shape = json.loads(WRITTEN_BY_TEMPORAL)
    written = json.loads(data.data)
    assert list(written) == list(shape) and data.metadata == {"encoding": b"json/plain"}
    started = script.events[2].event_time.ToNanoseconds()
    complete = written["complete_time"]["seconds"] * SECOND + written["complete_time"]["nanos"]
    assert complete == started + 2 * SECOND and written["activation_index"] == 1
    assert values(command.record_marker_command_attributes.details["result"]) == ["1"]
    assert values(Payloads(payloads=[command.user_metadata.summary])) == ["the first"]
    assert marker_data(script)[1]["activation_index"] == 2
    assert work.tasks["two"].start_to_close_ns == 60 * SECOND
    script.complete_activity("3", "3")
    script.task(fresh=True)
    assert result_of(script) == ["1", "2", "3", True]
    await both_follow(script)


@pytest.mark.parametrize(
    ("batches", "first"),
    [
        ((bring(one="1"), bring(two="2")), "0"),
        ((bring(two="2"), bring(one="1")), "1"),
        ((bring(two="2", one="1"),), "0-1"),
    ],
    ids=["one first", "two first", "together"],
)
async def test_results_are_delivered_again_as_they_came(batches: Any, first: str) -> None:
    script = Script(flows.LocalRace)
    script.local = Work(*batches)
    script.task()
    script.complete_activity("3")
    script.task(fresh=True)
    assert result_of(script) == first
    await both_follow(script)


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "while it runs"])
@pytest.mark.parametrize("kind", ["TRY_CANCEL", "ABANDON"])
async def test_cancelling_without_waiting(kind: str, at_once: bool) -> None:
    script = Script(flows.LocalCancel, kind, at_once)
    script.local = work = Work(bring(fast="f"), lambda work: [ended(work.tasks["slow"], "late")])
    script.task()
    assert result_of(script) == "CancelledError"
    assert work.cancelled == ([1] if kind == "TRY_CANCEL" and not at_once and work.batches == [] else [])
    await both_follow(script)


@pytest.mark.parametrize("obeys", [True, False], ids=["cancelled", "finished anyway"])
async def test_cancelling_and_waiting(obeys: bool) -> None:
    failure = Failure(message="Cancelled", canceled_failure_info=CanceledFailureInfo())
    script = Script(flows.LocalCancel, "WAIT_CANCELLATION_COMPLETED", False)
    script.local = work = Work(
        bring(fast="f"), lambda work: [ended(work.tasks["slow"], **({"failure": failure} if obeys else {}))]
    )
    script.task()
    assert work.cancelled == [1]
    assert result_of(script) == ("CancelledError" if obeys else "finished")
    await both_follow(script)


async def test_a_long_backoff_is_a_timer_and_the_next_attempt_another_marker() -> None:
    failure = Failure(message="not yet", application_failure_info=ApplicationFailureInfo(type="Flaky"))
    script = Script(flows.LocalBackoff)
    script.local = work = Work(
        lambda work: [ended(work.tasks["flaky"], failure=failure, backoff_ns=90 * SECOND)], bring(flaky="ok")
    )
    script.task()
    assert commands(script.completions[0]) == ["RECORD_MARKER", "START_TIMER"]
    script.fire_timer("1")
    script.task(seconds=90)
    assert work.tasks["flaky"].attempt == 2
    first, second = marker_data(script)
    assert first["backoff"] == {"seconds": 90, "nanos": 0}
    assert (second["seq"], second["attempt"], second["activity_id"]) == (2, 2, "2")
    assert second["original_schedule_time"] == first["original_schedule_time"]
    assert result_of(script) == "ok"
    await both_follow(script)


@pytest.mark.parametrize("fresh", [False, True], ids=["sticky", "cache miss"])
async def test_heartbeats_do_not_show_in_what_the_code_does(fresh: bool) -> None:
    script = Script(flows.LocalAndSignal)
    script.local = work = Work(None)
    first = script.task()
    assert first.force_create_new_workflow_task and not first.commands
    work.batches = [None]
    script.task(fresh=fresh)
    script.signal("hear", "word")
    work.batches = [bring(slow="slow")]
    script.task(fresh=fresh)
    script.complete_activity("2")
    script.task(fresh=True)
    assert result_of(script) == ["word", "slow"]
    await both_follow(script)


async def test_a_timeout_is_an_activity_error_when_it_happens_and_when_it_is_replayed() -> None:
    failure = Failure(
        message="Activity timed out",
        timeout_failure_info=TimeoutFailureInfo(timeout_type=e.TIMEOUT_TYPE_START_TO_CLOSE),
    )
    script = Script(flows.LocalBackoff)
    script.local = Work(lambda work: [ended(work.tasks["flaky"], failure=failure)])
    script.task()
    failed = script.completions[0].commands[-1].fail_workflow_execution_command_attributes.failure
    assert failed.message == "Local Activity timed out"
    assert failed.cause.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_START_TO_CLOSE
    answer = script.replay()
    assert answer.completed_type == e.QUERY_RESULT_TYPE_ANSWERED, answer.error_message


def test_a_result_in_history_that_the_code_does_not_ask_for_is_nondeterminism() -> None:
    script = Script(flows.Local)
    script.local = Work(bring(one="1"), bring(two="2"))
    script.task()
    data = script.events[4].marker_recorded_event_attributes.details["data"].payloads[0]
    data.data = data.data.replace(b'"seq":1', b'"seq":7')
    script.complete_activity("3", "3")
    with pytest.raises(TaskFailed, match="number 7"):
        script.task(fresh=True)


def test_another_local_activity_than_the_recorded_one_is_nondeterminism() -> None:
    script = Script(flows.Local)
    script.local = Work(bring(one="1"), bring(two="2"))
    script.task()
    data = script.events[4].marker_recorded_event_attributes.details["data"].payloads[0]
    data.data = data.data.replace(b'"activity_type":"one"', b'"activity_type":"ten"')
    script.complete_activity("3", "3")
    with pytest.raises(TaskFailed, match="another local activity"):
        script.task(fresh=True)
