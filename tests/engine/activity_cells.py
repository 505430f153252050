"""Activities: every state times every command, request, timeout and piece of news."""

from __future__ import annotations

from typing import Any

from brain import SECOND, Brain, command, payloads, schedule_activity, seconds
from cells import Input, Refused, Table, laws

from outlast.api.activity.v1 import ActivityOptions
from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.api.protobuf import FieldMask
from outlast.engine.execution import activity, activity_timeout
from outlast.engine.execution import activity_operations as operations
from outlast.engine.execution.state import Activity

POLICY = {"initial_interval": seconds(1), "maximum_attempts": 2}


# -- getting there -----------------------------------------------------------------------------------------------------


def never(**_: Any) -> Brain:
    brain = Brain()
    brain.turn()
    return brain


def scheduled(**options: Any) -> Brain:
    brain = Brain(**({"workflow_run_timeout": options.pop("run_timeout")} if "run_timeout" in options else {}))
    brain.turn(schedule_activity("1", retry_policy=POLICY, **options))
    return brain


def started(**options: Any) -> Brain:
    brain = scheduled(**options)
    brain.now += SECOND
    brain.start_activity(process="process-1")
    return brain


def asked(**options: Any) -> Brain:
    brain = started(**options)
    brain.signal("nudge")
    brain.turn(command(e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=5))
    return brain


def backing_off(**options: Any) -> Brain:
    brain = started(**options)
    brain.fail_activity()
    return brain


def offered_again(**options: Any) -> Brain:
    brain = backing_off(**options)
    brain.tick(1)
    return brain


def started_again(**options: Any) -> Brain:
    brain = offered_again(**options)
    brain.start_activity(process="process-1")
    return brain


def closing(**options: Any) -> Brain:
    """The activity has ended while a workflow task runs."""
    brain = started(**options)
    brain.signal("nudge")
    brain.poll()
    brain.complete_activity()
    return brain


def closed(**options: Any) -> Brain:
    brain = started(**options)
    brain.complete_activity()
    return brain


def run_closed(**options: Any) -> Brain:
    brain = started(**options)
    brain.terminate()
    return brain


def paused(**options: Any) -> Brain:
    """An operator keeps it from being handed out."""
    brain = scheduled(**options)
    pause(brain)
    return brain


def paused_started(**options: Any) -> Brain:
    """An operator has paused it while a worker has it."""
    brain = started(**options)
    pause(brain)
    return brain


def rests(**options: Any) -> Brain:
    """The workflow is paused, and with it the activity that no worker has."""
    brain = scheduled(**options)
    brain.pause()
    return brain


def rests_started(**options: Any) -> Brain:
    """The workflow is paused while a worker has the activity."""
    brain = started(**options)
    brain.pause()
    return brain


def rests_backing_off(**options: Any) -> Brain:
    brain = backing_off(**options)
    brain.pause()
    return brain


def state_of(brain: Brain) -> str:
    if not brain.state.running:
        return "run closed"
    pending = next(iter(brain.state.activities.values()), None)
    if pending is None:
        ended = any(event.event_type in activity.CLOSING_SCHEDULED_ID for event in brain.events)
        return "closing" if activity_waits(brain) else "closed" if ended else "never"
    if pending.paused:
        return "paused, started" if pending.started else "paused"
    if brain.state.paused and not pending.cancel_requested_event_id:
        how = ", started" if pending.started else ", backing off" if pending.backing_off else ""
        return f"workflow paused{how}"
    if pending.started:
        if pending.cancel_requested_event_id:
            return "asked"
        return "started" if pending.attempt == 1 else "started again"
    if pending.backing_off:
        return "backing off"
    return "scheduled" if pending.attempt == 1 else "offered again"


def activity_waits(brain: Brain) -> bool:
    return bool(brain.state.buffered)


# -- what happens ------------------------------------------------------------------------------------------------------


def find(brain: Brain) -> Activity:
    return activity.find_started_by_id(brain.state, "1")


def start(brain: Brain) -> None:
    """A poller takes the attempt that it was offered."""
    if not brain.state.activities:
        raise Refused("stale")
    if not brain.start_activity():
        raise Refused("stale")


def cancel(brain: Brain) -> None:
    draft = brain.draft()
    draft.apply(activity.cancel(find(brain), brain.now, details=payloads(b"9"), identity="worker"))
    brain.keep(draft)


def pause(brain: Brain) -> None:
    brain.operate(lambda _, pending, now: operations.pause(pending, now, identity="operator", reason="bad key"))


def unpause(brain: Brain) -> None:
    brain.operate(
        lambda _, pending, now: operations.unpause(
            pending, now, delay_ns=0, reset_attempts=False, reset_heartbeat=False
        )
    )


def pause_workflow(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.pause("pause-2")


def unpause_workflow(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.unpause()


def reset(brain: Brain) -> None:
    brain.operate(
        lambda _, pending, now: operations.reset(
            pending, now, delay_ns=0, reset_heartbeat=False, keep_paused=False, restore=False
        )
    )


def other_options(brain: Brain) -> None:
    options = ActivityOptions(heartbeat_timeout=seconds(9))
    mask = FieldMask(paths=["heartbeat_timeout"])
    brain.operate(lambda state, pending, now: operations.update_options(state, pending, options, mask, now))


def complete(brain: Brain) -> None:
    brain.complete_activity()


def fail(brain: Brain) -> None:
    brain.fail_activity()


def fail_for_good(brain: Brain) -> None:
    brain.fail_activity(non_retryable=True)


def heartbeat(brain: Brain) -> None:
    brain.heartbeat(b"1")


def passes(timeout_type: int) -> Any:
    """Let the activity's clock of this type run out, and no other before it."""

    def act(brain: Brain) -> None:
        pending = next(iter(brain.state.activities.values()), None)
        clocks = {type_: at for at, type_ in activity_timeout.deadlines(pending)} if pending else {}
        if timeout_type not in clocks:
            raise Refused("no such clock runs")
        first, _ = min((at, type_) for type_, at in clocks.items())
        assert clocks[timeout_type] == first, "another clock comes first"
        brain.now = clocks[timeout_type]
        brain.tick(0)

    return act


def backoff_over(brain: Brain) -> None:
    if not any(pending.backing_off for pending in brain.state.activities.values()):
        raise Refused("no such clock runs")
    brain.tick(1)


def process_lost(brain: Brain) -> None:
    brain.recover()


def terminate(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.terminate()


def run_times_out(brain: Brain) -> None:
    if not brain.state.running or not brain.state.run_expires_at:
        raise Refused("closed" if not brain.state.running else "no such clock runs")
    brain.now = brain.state.run_expires_at
    brain.tick(0)


def ask_cancel(brain: Brain) -> Command:
    return command(e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=5)


def schedule_again(brain: Brain) -> Command:
    return schedule_activity("1")


INPUTS = {
    "command SCHEDULE_ACTIVITY_TASK of the same id": Input(command=schedule_again),
    "command REQUEST_CANCEL_ACTIVITY_TASK": Input(command=ask_cancel),
    "request start": Input(start),
    "request complete": Input(complete),
    "request fail, with attempts left": Input(fail),
    "request fail, for good": Input(fail_for_good),
    "request cancel": Input(cancel),
    "request heartbeat": Input(heartbeat),
    "request pause": Input(pause),
    "request unpause": Input(unpause),
    "request reset": Input(reset),
    "request other options": Input(other_options),
    "request pause of the workflow": Input(pause_workflow),
    "request unpause of the workflow": Input(unpause_workflow),
    "timeout SCHEDULE_TO_START": Input(
        passes(e.TIMEOUT_TYPE_SCHEDULE_TO_START), options={"schedule_to_start_timeout": seconds(5)}
    ),
    "timeout START_TO_CLOSE": Input(passes(e.TIMEOUT_TYPE_START_TO_CLOSE)),
    "timeout SCHEDULE_TO_CLOSE": Input(
        passes(e.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE),
        options={"schedule_to_close_timeout": seconds(30), "schedule_to_start_timeout": seconds(30)},
    ),
    "timeout HEARTBEAT": Input(passes(e.TIMEOUT_TYPE_HEARTBEAT), options={"heartbeat_timeout": seconds(4)}),
    "time: the backoff is over": Input(backoff_over),
    "time: the run times out": Input(run_times_out, options={"run_timeout": seconds(8)}, closes=True),
    "news: the process is gone": Input(process_lost),
    "news: the run is terminated": Input(terminate, closes=True),
}

STATES = {
    "never": never,
    "scheduled": scheduled,
    "started": started,
    "asked": asked,
    "backing off": backing_off,
    "offered again": offered_again,
    "started again": started_again,
    "paused": paused,
    "paused, started": paused_started,
    "workflow paused": rests,
    "workflow paused, started": rests_started,
    "workflow paused, backing off": rests_backing_off,
    "closing": closing,
    "closed": closed,
    "run closed": run_closed,
}

ACTIVITY = Table("activity", STATES, INPUTS, state_of, laws("activity.txt"))
