"""Random programs for ``Program`` and a random server: whatever they do, both SDKs must agree afterwards."""

from __future__ import annotations

from random import Random
from typing import Any

import replay_flows as flows
from replay_script import Script, TaskFailed, commands

import outlast.api.enums.v1 as e

_LEAVES = ["activity", "activity", "activity", "timer", "sleep", "turns", "patch", "condition"]
# No TaskGroup: when one task fails it cancels the others in the order of a set, which differs from run to run in
# Temporal's SDK.
_NODES = ["seq", "all", "race", "within", "wait_for", "shield", "cancelled", "attempt", "attempt"]
_CLOSING = {
    "COMPLETE_WORKFLOW_EXECUTION",
    "FAIL_WORKFLOW_EXECUTION",
    "CANCEL_WORKFLOW_EXECUTION",
    "CONTINUE_AS_NEW_WORKFLOW_EXECUTION",
}


def program(random: Random, depth: int) -> list[Any]:
    """A random program, nested at most ``depth`` deep."""
    if depth == 0 or random.random() < 0.2:
        return _leaf(random)
    op = random.choice(_NODES)
    if op in ("seq", "all", "race"):
        return [op, [program(random, depth - 1) for _ in range(random.randint(2, 4))]]
    if op == "attempt":
        return [op, program(random, depth - 1), _leaf(random)]
    if op == "shield":
        return [op, program(random, depth - 1)]
    return [op, random.randint(1, 4), program(random, depth - 1)]


def _leaf(random: Random) -> list[Any]:
    op = random.choice(_LEAVES)
    operands = {
        "activity": lambda: [random.choice("abc"), random.randint(0, 2)],
        "timer": lambda: [random.randint(1, 9)],
        "sleep": lambda: [random.randint(1, 9)],
        "turns": lambda: [random.randint(0, 5)],
        "patch": lambda: [random.choice(["p", "q", "r"])],
        "condition": lambda: [random.randint(1, 3), random.choice([None, 5])],
    }
    return [op, *operands[op]()]


class RandomServer:
    """Plays a script with random events between random tasks until the run closes or time is up."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.script = Script(flows.Program, program(self.random, 4))
        self.updates = 0

    def play(self, tasks: int = 25) -> Script:
        for _ in range(tasks):
            messages = []
            if self.random.random() < 0.15:
                self.updates += 1
                messages.append(self.script.update_request(f"u{self.updates}", "change", program(self.random, 1)))
            fresh, seconds = self.random.random() < 0.2, self.random.choice([0, 1])
            try:
                answer = self.script.task(*messages, fresh=fresh, seconds=seconds)
            except TaskFailed as failed:
                if failed.answer.cause == e.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR:
                    raise
                # Code may fail; then its history is what came before.
                del self.script.events[-2:]
                break
            if _CLOSING & set(commands(answer)):
                break
            for _ in range(self.random.randint(1, 4)):
                self._event()
        return self.script

    def _event(self) -> None:
        choices = self._activities() + self._timers()
        if self.random.random() < 0.2:
            choices.append(("signal", ""))
        if self.random.random() < 0.04:
            choices.append(("cancel", ""))
        if not choices:
            choices.append(("signal", ""))
        kind, name = self.random.choice(choices)
        script = self.script
        if kind == "signal":
            script.signal("poke", program(self.random, 1))
        elif kind == "cancel":
            script.cancel("random")
        elif kind == "timer":
            script.fire_timer(name)
        elif kind == "start":
            script.start_activity(name)
        elif kind == "fail":
            script.fail_activity(name)
        elif kind == "canceled":
            script.end_activity(name, e.EVENT_TYPE_ACTIVITY_TASK_CANCELED)
        else:
            script.complete_activity(name, name)

    def _activities(self) -> list[tuple[str, str]]:
        scheduled, started, asked, ended = {}, set(), set(), set()
        for event in self.script.events:
            if event.event_type == e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled[event.event_id] = event.activity_task_scheduled_event_attributes.activity_id
            elif event.event_type == e.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                started.add(event.activity_task_started_event_attributes.scheduled_event_id)
            elif event.event_type == e.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
                asked.add(event.activity_task_cancel_requested_event_attributes.scheduled_event_id)
            elif event.event_type in (
                e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
                e.EVENT_TYPE_ACTIVITY_TASK_FAILED,
                e.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
            ):
                field = event.WhichOneof("attributes")
                ended.add(getattr(event, field).scheduled_event_id)
        choices = []
        for event_id, activity_id in scheduled.items():
            if event_id in ended:
                continue
            # Failures of abandoned activities trip sdk-core, though not this replay: leave them out.
            choices.append(("complete", activity_id))
            if event_id in asked:
                choices.append(("canceled", activity_id))
            if event_id not in started:
                choices.append(("start", activity_id))
            if self._kind(event_id) != flows.workflow.ActivityCancellationType.ABANDON:
                choices.append(("fail", activity_id))
        return choices

    def _kind(self, event_id: int) -> int:
        activity = self.script.run._context.ledger._machines.get(event_id)
        return getattr(getattr(activity, "call", None), "cancellation_type", 2)

    def _timers(self) -> list[tuple[str, str]]:
        running = {}
        for event in self.script.events:
            if event.event_type == e.EVENT_TYPE_TIMER_STARTED:
                running[event.timer_started_event_attributes.timer_id] = "timer"
            elif event.event_type == e.EVENT_TYPE_TIMER_FIRED:
                running.pop(event.timer_fired_event_attributes.timer_id)
            elif event.event_type == e.EVENT_TYPE_TIMER_CANCELED:
                running.pop(event.timer_canceled_event_attributes.timer_id)
        return [(kind, timer_id) for timer_id, kind in running.items()]
