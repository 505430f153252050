"""Workflow tasks, timers and updates: every state times all that can happen."""

from __future__ import annotations

from typing import Any

from brain import Brain, command, complete_workflow, schedule_activity, seconds, start_timer
from cells import Asked, Input, Refused, Table, laws
from test_update import accept, place, reject, request, respond

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.api.workflowservice.v1 import StartWorkflowExecutionRequest
from outlast.engine.execution import speculative, workflow_task
from outlast.engine.execution import start as starting
from outlast.engine.execution.events import new_event
from outlast.engine.transition import Transition
from outlast.vocab import limits

STICKY = {"worker_task_queue": {"name": "sticky"}, "schedule_to_start_timeout": seconds(5)}

# -- the workflow task -------------------------------------------------------------------------------------------------


def idle(**options: Any) -> Brain:
    brain = Brain(**options)
    brain.turn()
    return brain


def scheduled(**options: Any) -> Brain:
    brain = idle(**options)
    brain.signal("first")
    return brain


def started(**options: Any) -> Brain:
    brain = scheduled(**options)
    brain.poll()
    return brain


def transient(**options: Any) -> Brain:
    brain = started(**options)
    brain.fail_task()
    return brain


def transient_started(**options: Any) -> Brain:
    brain = transient(**options)
    brain.poll()
    return brain


def sticky(**options: Any) -> Brain:
    brain = Brain(**options)
    brain.turn(sticky_attributes=STICKY)
    brain.signal("first")
    return brain


def sticky_started(**options: Any) -> Brain:
    brain = sticky(**options)
    brain.poll()
    return brain


def wanted(**options: Any) -> Brain:
    """A speculative task waits to be taken."""
    brain = idle(**options)
    brain.want_task()
    return brain


def wanted_started(**options: Any) -> Brain:
    brain = wanted(**options)
    brain.poll()
    return brain


def delayed(**options: Any) -> Brain:
    """The first workflow task waits for the start delay."""
    return Brain(workflow_start_delay=seconds(5), **options)


def paused(**options: Any) -> Brain:
    brain = idle(**options)
    brain.pause()
    return brain


def paused_started(**options: Any) -> Brain:
    """A worker had the task before the pause."""
    brain = started(**options)
    brain.pause()
    return brain


def paused_delayed(**options: Any) -> Brain:
    brain = delayed(**options)
    brain.pause()
    return brain


def closed(**options: Any) -> Brain:
    brain = scheduled(**options)
    brain.terminate()
    return brain


def task_state(brain: Brain) -> str:
    task = brain.state.task
    if not brain.state.running:
        return "closed"
    if brain.state.paused:
        assert task is None or task.started, "a task is on offer while the run is paused"
        delayed = "paused, delayed" if brain.state.first_task_pending else "paused"
        return delayed if task is None else "paused, started"
    if task is None:
        return "delayed" if brain.state.first_task_pending else "idle"
    kind = "speculative" if task.speculative else "transient" if task.transient else ""
    if task.queue != brain.state.queue:
        kind = f"{kind} sticky".strip()
    return f"{kind} {'started' if task.started else 'scheduled'}".strip()


def _needs(brain: Brain, *, runs: bool) -> None:
    task = brain.state.task
    if task is None or task.started is not runs:
        raise Refused("stale")


def poll(brain: Brain) -> None:
    _needs(brain, runs=False)
    brain.poll()


def complete(brain: Brain) -> None:
    _needs(brain, runs=True)
    brain.complete()


def complete_sticky(brain: Brain) -> None:
    _needs(brain, runs=True)
    brain.complete(sticky_attributes=STICKY)


def complete_badly(brain: Brain) -> None:
    _needs(brain, runs=True)
    brain.complete(schedule_activity(""))


def close(brain: Brain) -> None:
    _needs(brain, runs=True)
    brain.complete(complete_workflow())


def reject_all(brain: Brain) -> None:
    _needs(brain, runs=True)
    brain.complete(messages=[reject("u1")])


def force_next(brain: Brain) -> None:
    _needs(brain, runs=True)
    brain.complete(start_timer(), force_create_new_workflow_task=True)


def fail(brain: Brain) -> None:
    _needs(brain, runs=True)
    brain.fail_task()


def silence(brain: Brain) -> None:
    """Nobody does anything until the task's own clock has run out."""
    at = workflow_task.deadline(brain.state) if brain.state.running else 0
    if not at:
        raise Refused("no such clock runs")
    brain.now = at
    brain.tick(0)


def signal(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.signal("second")


def signals(brain: Brain) -> None:
    """One more than the buffer takes, and then not listed one by one."""
    if not brain.state.running or brain.state.task is None or not brain.state.task.started:
        raise Refused("nothing waits")
    for _ in range(limits.BUFFERED_EVENTS_MAX + 1):
        brain.signal("nudge")


def want(brain: Brain) -> None:
    if not brain.state.running or not speculative.want(brain.state, brain.now).folds:
        raise Refused("rides along or waits")
    brain.want_task()


def sticky_queue_gone(brain: Brain) -> None:
    draft = brain.draft()
    draft.apply(workflow_task.unstick(draft.state))
    brain.hold(draft)


def restart(brain: Brain) -> None:
    if brain.state.task is not None and brain.state.task.speculative:
        raise Refused("never stored")
    brain.recover()


def terminate(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.terminate()


def run_times_out(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.now = brain.state.run_expires_at
    brain.tick(0)


def pause(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.pause("pause-2")


def unpause(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.unpause()


def delay_over(brain: Brain) -> None:
    if not brain.state.first_task_pending:
        raise Refused("no such clock runs")
    brain.tick(5)


def ask_cancel(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.request_cancel()


def attach(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    request = StartWorkflowExecutionRequest(request_id="request-2", on_conflict_options={"attach_request_id": True})
    draft = brain.draft()
    draft.apply(starting.attach(draft.state, request, brain.now))
    brain.keep(draft)


TASK_STATES = {
    "idle": idle,
    "scheduled": scheduled,
    "started": started,
    "transient scheduled": transient,
    "transient started": transient_started,
    "sticky scheduled": sticky,
    "sticky started": sticky_started,
    "speculative scheduled": wanted,
    "speculative started": wanted_started,
    "delayed": delayed,
    "paused": paused,
    "paused, started": paused_started,
    "paused, delayed": paused_delayed,
    "closed": closed,
}
TASK_INPUTS = {
    "request start": Input(poll),
    "request complete": Input(complete),
    "request complete, stickily": Input(complete_sticky),
    "request complete, with a bad command": Input(complete_badly),
    "request complete, and ask for another": Input(force_next),
    "request complete, rejecting all updates": Input(reject_all),
    "request complete, closing the run": Input(close),
    "request fail": Input(fail),
    "request pause": Input(pause),
    "request unpause": Input(unpause),
    "timeout of its own": Input(silence),
    "news: a signal": Input(signal),
    "news: more signals than may wait": Input(signals),
    "news: a cancel request": Input(ask_cancel),
    "news: an update": Input(want),
    "news: a start that is attached": Input(attach),
    "news: the sticky queue is gone": Input(sticky_queue_gone),
    "news: the process is gone": Input(restart),
    "news: the run is terminated": Input(terminate),
    "time: the start delay is over": Input(delay_over),
    "time: the run times out": Input(run_times_out, options={"workflow_run_timeout": seconds(60)}),
}
TASK = Table("workflow task", TASK_STATES, TASK_INPUTS, task_state, laws("workflow_task.txt"), shows_tasks=True)


# -- a timer -----------------------------------------------------------------------------------------------------------


def running(**_: Any) -> Brain:
    brain = Brain(workflow_run_timeout=seconds(600))
    brain.turn(start_timer("1", 10))
    return brain


def resting(**_: Any) -> Brain:
    """The workflow is paused."""
    brain = running()
    brain.pause()
    return brain


def firing(**_: Any) -> Brain:
    """The timer has fired while a workflow task runs."""
    brain = running()
    brain.signal("nudge")
    brain.poll()
    brain.tick(9.9)
    brain.complete(force_create_new_workflow_task=True)
    brain.poll()
    brain.tick(0.1)
    return brain


def fired(**_: Any) -> Brain:
    brain = running()
    brain.tick(10)
    return brain


def cancelled(**_: Any) -> Brain:
    brain = running()
    brain.signal("nudge")
    brain.turn(command(e.COMMAND_TYPE_CANCEL_TIMER, timer_id="1"))
    return brain


def run_closed(**_: Any) -> Brain:
    brain = running()
    brain.terminate()
    return brain


def none(**_: Any) -> Brain:
    return idle(workflow_run_timeout=seconds(600))


def timer_state(brain: Brain) -> str:
    if not brain.state.running:
        return "run closed"
    if brain.state.timers:
        return "workflow paused" if brain.state.paused else "running"
    if brain.state.buffered:
        return "firing"
    if "TimerFired" in brain.names:
        return "fired"
    return "cancelled" if "TimerCanceled" in brain.names else "none"


def pass_to_timer(brain: Brain) -> None:
    at = min((timer.fires_at for timer in brain.state.timers.values()), default=0)
    if not at:
        raise Refused("no such clock runs")
    brain.now = at - 1
    brain.tick(0)
    assert brain.state.timers, "fired too early"
    brain.now = at
    brain.tick(0)


def start(_: Brain) -> Command:
    return start_timer("1", 20)


def cancel(_: Brain) -> Command:
    return command(e.COMMAND_TYPE_CANCEL_TIMER, timer_id="1")


TIMER_STATES = {
    "none": none,
    "running": running,
    "workflow paused": resting,
    "firing": firing,
    "fired": fired,
    "cancelled": cancelled,
    "run closed": run_closed,
}
TIMER_INPUTS = {
    "command START_TIMER of the same id": Input(command=start),
    "command CANCEL_TIMER": Input(command=cancel),
    "command COMPLETE_WORKFLOW_EXECUTION": Input(command=lambda _: complete_workflow()),
    "request pause": Input(pause),
    "request unpause": Input(unpause),
    "time: it is due": Input(pass_to_timer),
    "time: the run times out": Input(run_times_out, closes=True),
    "news: the process is gone": Input(restart),
    "news: the run is terminated": Input(terminate, closes=True),
}
TIMER = Table("timer", TIMER_STATES, TIMER_INPUTS, timer_state, laws("timer.txt"))


# -- an update ---------------------------------------------------------------------------------------------------------


def admitted(**_: Any) -> Brain:
    """A reset has brought the update, which its code has not seen."""
    brain = none()
    attributes = {"request": request("u1"), "origin": e.UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY}
    event = new_event(e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED, brain.now, attributes)
    draft = brain.draft()
    draft.apply(Transition((event,), wakes=True))
    brain.keep(draft)
    return brain


def accepted(**_: Any) -> Brain:
    brain = Brain()
    brain.turn(*place(accept("u1")), messages=[accept("u1")])
    return brain


def answered(**_: Any) -> Brain:
    brain = accepted()
    brain.signal("nudge")
    brain.turn(*place(respond("u1")), messages=[respond("u1")])
    return brain


def update_closed(**_: Any) -> Brain:
    brain = accepted()
    brain.terminate()
    return brain


def update_state(brain: Brain) -> str:
    if not brain.state.running:
        return "run closed"
    known = brain.state.updates.get("u1")
    if known is None:
        return "unknown"
    if known.completed_event_id:
        return "completed"
    return "accepted" if known.accepted_event_id else "admitted"


UPDATE_STATES = {
    "unknown": none,
    "admitted": admitted,
    "accepted": accepted,
    "completed": answered,
    "run closed": update_closed,
}
UPDATE_INPUTS = {
    f"command PROTOCOL_MESSAGE, {name}": Input(
        command=lambda _, make=make: Asked(place(make("u1")), {"messages": [make("u1")]})  # type: ignore[misc]
    )
    for name, make in (("acceptance", accept), ("rejection", reject), ("response", respond))
} | {
    "a rejection that no command places": Input(command=lambda _: Asked((), {"messages": [reject("u1")]})),
    "command COMPLETE_WORKFLOW_EXECUTION": Input(command=lambda _: complete_workflow()),
    "news: the process is gone": Input(restart),
    "news: the run is terminated": Input(terminate, closes=True),
}
UPDATE = Table("update", UPDATE_STATES, UPDATE_INPUTS, update_state, laws("update.txt"))
