"""Children, and signals and cancel requests to others: every state times all that can happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import family
from brain import Brain, command, seconds
from cells import Input, Refused, Table, laws

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.engine.execution import delivery, external_workflow

# -- a child -----------------------------------------------------------------------------------------------------------


def never(**options: Any) -> Brain:
    brain = Brain(**options)
    brain.turn()
    return brain


def initiated(**options: Any) -> Brain:
    brain = Brain(**options)
    brain.turn(family.start_child())
    return brain


def started(**options: Any) -> Brain:
    brain = initiated(**options)
    family.record_start(brain)
    return brain


def busy(brain: Brain) -> Brain:
    """A workflow task runs."""
    if brain.state.task is None:
        brain.signal("nudge")
    brain.poll()
    return brain


def starting(**options: Any) -> Brain:
    """The child has started while a workflow task of the parent runs."""
    brain = busy(initiated(**options))
    family.record_start(brain)
    return brain


def closing(**options: Any) -> Brain:
    """The child has ended while a workflow task of the parent runs."""
    brain = busy(started(**options))
    family.record_end(brain, "completed")
    return brain


def closed(**options: Any) -> Brain:
    brain = started(**options)
    family.record_end(brain, "completed")
    return brain


def refused(**options: Any) -> Brain:
    brain = initiated(**options)
    family.refuse_start(brain)
    return brain


def parent_closed(**options: Any) -> Brain:
    brain = started(**options)
    brain.terminate()
    return brain


def child_state(brain: Brain) -> str:
    if not brain.state.running:
        return "parent closed"
    child = brain.state.children.get(5)
    if child is not None:
        if not child.started:
            return "initiated"
        return "started" if child.started_event_id else "starting"
    if brain.state.buffered:
        return "closing"
    if "ChildWorkflowExecutionStarted" in brain.names:
        return "closed"
    return "refused" if "StartChildWorkflowExecutionFailed" in brain.names else "never"


def news(change: Callable[[Brain], bool]) -> Callable[[Brain], None]:
    """News of the child for which the parent may no longer wait."""

    def act(brain: Brain) -> None:
        if len(brain.events) < 5 or not brain.names[4].startswith("StartChild"):
            raise Refused("never asked for")
        change(brain)

    return act


def terminate(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.terminate()


def run_times_out(brain: Brain) -> None:
    if not brain.state.running:
        raise Refused("closed")
    brain.now = brain.state.run_expires_at
    brain.tick(0)


def restart(brain: Brain) -> None:
    brain.recover()


def start_child(_: Brain) -> Command:
    return family.start_child()


def continue_as_new(_: Brain) -> Command:
    return command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)


ENDS = {
    f"news: it {how}": Input(news(lambda brain, how=how: family.record_end(brain, how)))  # type: ignore[misc]
    for how in family.ENDINGS
}
CHILD_INPUTS = {
    "command START_CHILD_WORKFLOW_EXECUTION of the same id": Input(command=start_child),
    "command CONTINUE_AS_NEW_WORKFLOW_EXECUTION": Input(command=continue_as_new, closes=True),
    "news: it has started": Input(news(lambda brain: family.record_start(brain, brain.events[4]))),
    "news: it cannot start": Input(news(lambda brain: family.refuse_start(brain, brain.events[4]))),
    **ENDS,
    "time: the run times out": Input(run_times_out, options={"workflow_run_timeout": seconds(8)}, closes=True),
    "news: the process is gone": Input(restart),
    "news: the run is terminated": Input(terminate, closes=True),
}
CHILD_STATES = {
    "never": never,
    "initiated": initiated,
    "starting": starting,
    "started": started,
    "closing": closing,
    "closed": closed,
    "refused": refused,
    "parent closed": parent_closed,
}
CHILD = Table("child workflow", CHILD_STATES, CHILD_INPUTS, child_state, laws("child_workflow.txt"))


# -- a request to another workflow -------------------------------------------------------------------------------------

ASK = {"signal": family.signal_external, "cancel request": family.cancel_external}


def deliver(brain: Brain) -> None:
    draft = brain.draft()
    draft.apply(external_workflow.record_delivery(draft.state, _asked(brain), brain.now))
    brain.keep(draft)


def refuse(brain: Brain) -> None:
    draft = brain.draft()
    draft.apply(external_workflow.record_refusal(draft.state, _asked(brain), delivery.NOT_FOUND, brain.now))
    brain.keep(draft)


def _asked(brain: Brain) -> Any:
    if len(brain.events) < 5 or "External" not in brain.names[4]:
        raise Refused("never asked for")
    return brain.events[4]


def request_state(brain: Brain) -> str:
    if not brain.state.running:
        return "sender closed"
    if 5 in brain.state.external_signals or 5 in brain.state.external_cancels:
        return "pending"
    if brain.state.buffered:
        return "answering"
    if any(name.startswith("ExternalWorkflow") for name in brain.names):
        return "delivered"
    return "refused" if any("External" in name and name.endswith("Failed") for name in brain.names) else "never"


def request_table(kind: str, its: Mapping[str, Mapping[str, str]]) -> Table:
    """The table of signals or of cancel requests."""
    ask = ASK[kind]

    def pending(**options: Any) -> Brain:
        brain = Brain(**options)
        brain.turn(ask())
        return brain

    def after(act: Callable[[Brain], None], wait: bool = False) -> Callable[..., Brain]:
        def make(**options: Any) -> Brain:
            brain = busy(pending(**options)) if wait else pending(**options)
            act(brain)
            return brain

        return make

    states = {
        "never": never,
        "pending": pending,
        "answering": after(deliver, wait=True),
        "delivered": after(deliver),
        "refused": after(refuse),
        "sender closed": after(terminate),
    }
    name = "SIGNAL" if kind == "signal" else "REQUEST_CANCEL"
    inputs = {
        f"command {name}_EXTERNAL_WORKFLOW_EXECUTION": Input(command=lambda _: ask()),
        "news: it is delivered": Input(deliver),
        "news: it cannot be delivered": Input(refuse),
        "time: the run times out": Input(run_times_out, options={"workflow_run_timeout": seconds(8)}, closes=True),
        "news: the process is gone": Input(restart),
        "news: the run is terminated": Input(terminate, closes=True),
    }
    return Table(f"{kind} to another workflow", states, inputs, request_state, its)


SIGNAL = request_table("signal", laws("external_signal.txt"))
CANCEL = request_table("cancel request", laws("external_cancel_request.txt"))
