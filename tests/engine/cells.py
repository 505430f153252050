"""Tables of laws: what every input does to a noun in every state, one line a cell, in the files of ``laws/``.

A line reads ``events -> state``: what is recorded, without workflow tasks, and the state that the noun is in after it.
``! CAUSE`` is a command that fails its workflow task, ``! Error`` a refused request, ``=`` an input that changes
nothing.

Every cell is tried twice. *Quiet*: no workflow task runs. *Busy*: one runs, so what comes from outside waits; once the
task ends, history and state have to be what they are in quiet. ``Brain`` checks after every step that a state rebuilt
from history equals the live one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from brain import Brain

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.vocab.attributes import EVENT_NAMES
from outlast.vocab.errors import ServiceError

_WITHDRAWN = e.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED
NUDGE = "nudge"
"""The signal that gets a quiet run a workflow task, for the sake of a command; it is not told of."""


class Refused(Exception):
    """The input cannot even be tried; what it says stands in the cell."""


class Asked(NamedTuple):
    """Commands with what else the completion holds."""

    commands: Sequence[Command]
    fields: Mapping[str, Any]


class Input(NamedTuple):
    """One thing that can happen: a command of the worker's, or ``act`` from outside.

    ``options`` are given to the state's maker, ``closes`` says that the run ends with it.
    """

    act: Callable[[Brain], None] | None = None
    command: Callable[[Brain], Command | Asked] | None = None
    options: Mapping[str, object] = {}
    closes: bool = False


class Table(NamedTuple):
    """One noun: its states with how a run gets there, its inputs, and how the state of a run is recognised."""

    noun: str
    states: Mapping[str, Callable[..., Brain]]
    inputs: Mapping[str, Input]
    state_of: Callable[[Brain], str]
    laws: Mapping[str, Mapping[str, str]]
    """State -> input -> line."""
    shows_tasks: bool = False
    """The events of workflow tasks are told of as well, and there is no busy way."""

    def cells(self) -> Iterator[tuple[str, str]]:
        """All combinations, whether or not there is a law for them."""
        return ((state, name) for state in self.states for name in self.inputs)

    def law(self, state: str, name: str) -> str | None:
        return self.laws.get(state, {}).get(name)

    def missing(self) -> list[str]:
        lacking = [f"{self.noun}, {state}: {name}" for state, name in self.cells() if self.law(state, name) is None]
        known = set(self.cells())
        stray = [
            f"{self.noun}, {state}: {name} is no combination"
            for state, laws in self.laws.items()
            for name in laws
            if (state, name) not in known
        ]
        return lacking + stray

    def printed(self) -> str:
        """The table as it stands in its file."""
        lines = [f"{self.noun}: {len(self.states)} states x {len(self.inputs)} inputs"]
        for state in self.states:
            lines += ["", f"  {state}"]
            lines += [f"    {name:{_WIDTH}} {self.law(state, name) or '(no law)'}" for name in self.inputs]
        return "\n".join(lines)


_WIDTH = 55
_BOOK = Path(__file__).parent / "laws"


def laws(file: str) -> dict[str, dict[str, str]]:
    """Read the laws of one noun from its file."""
    read: dict[str, dict[str, str]] = {}
    state = ""
    for line in (_BOOK / file).read_text().splitlines()[1:]:
        if line.startswith("    "):
            read[state][line[4 : 4 + _WIDTH].strip()] = line[5 + _WIDTH :]
        elif line:
            state = line.strip()
            read[state] = {}
    return read


def outcome(table: Table, state: str, name: str, *, busy: bool = False) -> tuple[str, Brain]:
    """Try one cell; answers its line and the run after it."""
    its = table.inputs[name]
    brain = table.states[state](**its.options)
    task = brain.state.task
    if busy and task is None and _may_work(brain):
        brain.signal(NUDGE)
    before = len(brain.events)
    try:
        if its.command is not None:
            _ask(brain, its.command(brain))
        elif table.shows_tasks:
            assert its.act is not None
            its.act(brain)
        else:
            before = _happen(brain, its, busy)
    except Refused as refusal:
        return f"! {refusal}", brain
    except ServiceError as error:
        return f"! {type(error).__name__}", brain
    cause = _cause(brain, before)
    if cause and brain.state.running and not table.shows_tasks:
        return f"! {cause}", brain
    told, after = _told(brain, before, table.shows_tasks), table.state_of(brain)
    return " ".join(told) + f"{' ' if told else ''}-> {after}" if told or after != state else "=", brain


def _happen(brain: Brain, its: Input, busy: bool) -> int:
    """Let it happen, and end the workflow task that runs meanwhile. Answers how many events there were before."""
    assert its.act is not None
    if busy and _may_work(brain) and not _runs(brain):
        brain.poll()
    before = len(brain.events)
    its.act(brain)
    if busy and not its.closes and _runs(brain):
        assert not _told(brain, before), f"recorded while the workflow task runs: {brain.names[before:]}"
    if _runs(brain):
        brain.complete()
    return before


def _may_work(brain: Brain) -> bool:
    """Whether the workflow gets a task when something happens."""
    return brain.state.running and not brain.state.paused


def _runs(brain: Brain) -> bool:
    return brain.state.task is not None and brain.state.task.started


def _ask(brain: Brain, asked: Command | Asked) -> None:
    """Have the worker ask for it, in a workflow task that is fetched for the purpose if none runs."""
    if not _may_work(brain) and not _runs(brain):
        raise Refused("no workflow task")
    if brain.state.task is None:
        brain.signal(NUDGE)
    if not _runs(brain):
        brain.poll()
    if isinstance(asked, Command):
        brain.complete(asked)
    else:
        brain.complete(*asked.commands, **asked.fields)


def _told(brain: Brain, before: int, tasks: bool = False) -> list[str]:
    """The names of what was recorded since, without "Execution" and the "Task" of activities, which all have."""
    return [
        EVENT_NAMES[event.event_type].replace("Execution", "").replace("ActivityTask", "Activity")
        for event in brain.events[before:]
        if (tasks or not EVENT_NAMES[event.event_type].startswith("WorkflowTask"))
        and event.workflow_execution_signaled_event_attributes.signal_name != NUDGE
    ]


def _cause(brain: Brain, before: int) -> str:
    """Why a worker's workflow task has failed."""
    for event in brain.events[before:]:
        if event.event_type == e.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            cause: str = e.WorkflowTaskFailedCause.Name(event.workflow_task_failed_event_attributes.cause)
            if event.workflow_task_failed_event_attributes.cause != _WITHDRAWN:
                return cause.removeprefix("WORKFLOW_TASK_FAILED_CAUSE_")
    return ""
