"""``outlast workflow trace``: a run, its activities, timers and children as a tree that grows while one looks.

A branch is one workflow: it reads its own history, waits for more while the run is open, and begins a branch for each
child. The tree that is printed is made anew from what the branches know.

Source: ``temporal workflow trace``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.service import RPCError
from outlast.vocab import times
from outlast.vocab.attributes import EVENT_FIELD

from .. import values
from ..connection import Session, connected
from ..reference import REFERENCE
from .following import CLOSING, event_name, next_run, pages

_FOLDED: Final = ("completed", "canceled", "terminated")
_REFRESHES_S: Final = 8
_SIGNS: Final = {
    "running": ("▷", "blue"),
    "completed": ("✓", "green"),
    "failed": ("!", "red"),
    "timedout": ("⏱", "red"),
    "terminated": ("x", "red"),
    "canceled": ("x", "yellow"),
    "continueasnew": ("»", "blue"),
}
_CLOSED: Final = {
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "completed",
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "failed",
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: "canceled",
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: "terminated",
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: "timedout",
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "continueasnew",
}
assert set(_CLOSED) == CLOSING, "every way to end has its sign"
_ENDS: Final = {
    "Completed": "completed",
    "Fired": "completed",
    "Failed": "failed",
    "TimedOut": "timedout",
    "Canceled": "canceled",
    "Terminated": "terminated",
}


@dataclass(slots=True)
class Step:
    """An activity or a timer in the tree."""

    name: str
    started_at: int
    status: str = "running"
    ended_at: int = 0
    attempt: int = 1
    failure: str = ""


@dataclass(slots=True)
class Branch:
    """A workflow in the tree."""

    workflow_id: str
    run_id: str
    type_: str
    depth: int
    status: str = "running"
    started_at: int = 0
    ended_at: int = 0
    failure: str = ""
    steps: dict[tuple[str, int], Step | Branch] = field(default_factory=dict)
    """By kind and by the id of the event that began it."""

    def learn(self, event: HistoryEvent) -> Branch | None:
        """Take in an event; answers the child that it starts."""
        attributes: Any = getattr(event, EVENT_FIELD[event.event_type])
        name, at = event_name(event), times.from_timestamp(event.event_time)
        child: Branch | None = None
        if name == "WorkflowExecutionStarted":
            self.type_, self.started_at = attributes.workflow_type.name, at
            self.run_id = attributes.original_execution_run_id
        elif name == "ActivityTaskScheduled":
            self.steps["activity", event.event_id] = Step(attributes.activity_type.name, at)
        elif name == "ActivityTaskStarted":
            step = self.steps.get(("activity", attributes.scheduled_event_id))
            if isinstance(step, Step):
                step.attempt = attributes.attempt
        elif name.startswith("ActivityTask"):
            self._end("activity", attributes.scheduled_event_id, name, attributes, at)
        elif name == "TimerStarted":
            length = values.duration(attributes.start_to_fire_timeout)
            self.steps["timer", event.event_id] = Step(f"Timer ({length})", at)
        elif name.startswith("Timer"):
            self._end("timer", attributes.started_event_id, name, attributes, at)
        elif name == "ChildWorkflowExecutionStarted":
            run = attributes.workflow_execution
            child = Branch(run.workflow_id, run.run_id, attributes.workflow_type.name, self.depth + 1, started_at=at)
            self.steps["child", attributes.initiated_event_id] = child
        elif name.startswith("ChildWorkflowExecution"):
            self._end("child", attributes.initiated_event_id, name, attributes, at)
        elif event.event_type in _CLOSED:
            self.status, self.ended_at = _CLOSED[event.event_type], at
            self.failure = _message(attributes)
        return child

    def _end(self, kind: str, began: int, name: str, attributes: Any, at: int) -> None:
        step = self.steps.get((kind, began))
        status = next((status for end, status in _ENDS.items() if name.endswith(end)), "")
        if step is not None and status:
            step.status, step.ended_at, step.failure = status, at, _message(attributes)


def _message(attributes: Any) -> str:
    fields = attributes.DESCRIPTOR.fields_by_name
    return str(attributes.failure.message) if "failure" in fields and attributes.HasField("failure") else ""


class _Follower:
    """Reads the histories of a tree."""

    def __init__(self, session: Session, *, depth: int, concurrency: int) -> None:
        self._session = session
        self._depth = depth
        self._beginning = asyncio.Semaphore(concurrency)

    async def follow(self, branch: Branch) -> str:
        """Read a branch and those below it to their ends; answers the run that goes on where this one ends."""
        successor = ""
        async with asyncio.TaskGroup() as below:
            found = pages(self._session, branch.workflow_id, branch.run_id, wait=True)
            # What is there already is read for a few at a time; to wait for more costs nothing.
            async with self._beginning:
                page = await anext(found, None)
            while page is not None:
                for event in page:
                    child = branch.learn(event)
                    if child is not None and (self._depth < 0 or child.depth <= self._depth):
                        below.create_task(self._follow_child(child))
                    if event.event_type in CLOSING:
                        successor = next_run(event)
                page = await anext(found, None)
        return successor

    async def _follow_child(self, child: Branch) -> None:
        try:
            await self.follow(child)
        except* RPCError as errors:
            # One that is gone, or that we may not see, does not hide the others.
            child.failure = child.failure or _first(errors).message


def _first(errors: BaseExceptionGroup[RPCError]) -> RPCError:
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


# -- how it looks --------------------------------------------------------------------------------------------------


def _spent(started_at: int, ended_at: int, now: int) -> str:
    return values.nanoseconds(max((ended_at or now) - started_at, 0) // 1_000_000 * 1_000_000) or "0s"


def _label(one: Step | Branch, now: int) -> Text:
    sign, style = _SIGNS[one.status]
    text = Text(f"{sign} ", style=style)
    if isinstance(one, Branch):
        text.append(values.on_one_line(one.type_ or "?"), "bold")
        text.append(f"  {_spent(one.started_at, one.ended_at, now)}" if one.started_at else "", "dim")
        text.append(f"  wfId: {values.on_one_line(one.workflow_id)}, runId: {one.run_id}", "dim")
    else:
        text.append(values.on_one_line(one.name))
        text.append(f"  {_spent(one.started_at, one.ended_at, now)}", "dim")
        if one.attempt > 1:
            text.append(f"  {one.attempt} attempts", "yellow")
    if one.failure:
        text.append(f"  {values.on_one_line(one.failure)}", "red")
    return text


def _grown(tree: Tree, branch: Branch, folded: Container[str], now: int) -> Tree:
    for step in branch.steps.values():
        below = tree.add(_label(step, now))
        if isinstance(step, Branch):
            if step.status not in folded:
                _grown(below, step, folded, now)
            elif step.steps:
                below.add(Text(f"+{len(step.steps)} folded", "dim"))
    return tree


def _lines(one: Step | Branch, folded: Container[str], now: int, indent: str = "") -> Iterator[str]:
    """The tree for a pipe: no boxes, the status as a word."""
    yield f"{indent}{one.status}{_label(one, now).plain[1:]}"
    if isinstance(one, Branch):
        if indent and one.status in folded and one.steps:
            yield f"{indent}  +{len(one.steps)} folded"
            return
        for step in one.steps.values():
            yield from _lines(step, folded, now, indent + "  ")


def _data(one: Step | Branch) -> dict[str, Any]:
    found: dict[str, Any] = {"status": one.status, "startTime": _iso(one.started_at), "closeTime": _iso(one.ended_at)}
    if one.failure:
        found["failure"] = one.failure
    if isinstance(one, Branch):
        ids = {"workflowId": one.workflow_id, "runId": one.run_id, "type": one.type_}
        return {**ids, **found, "steps": [_data(step) for step in one.steps.values()]}
    return {"name": one.name, "attempt": one.attempt, **found}


def _iso(ns: int) -> str | None:
    return times.timestamp(ns).ToJsonString() if ns else None


@click.command()
@REFERENCE
@click.option("--fold", multiple=True, type=click.Choice(list(_SIGNS)), help="Children to fold by status; repeatable.")
@click.option("--no-fold", is_flag=True, help="Fold none.")
@click.option("--depth", type=int, default=-1, show_default=True, help="So many levels of children; -1 for all.")
@click.option("--concurrency", type=click.IntRange(1), default=10, show_default=True, help="Histories read at once.")
@connected
async def trace(
    session: Session, *, workflow_id: str, run_id: str, fold: tuple[str, ...], no_fold: bool, depth: int,
    concurrency: int,
) -> None:  # fmt: skip
    """Watch a workflow and its children as a tree, until it ends."""
    if fold and no_fold:
        raise click.UsageError("--fold and --no-fold exclude each other")
    folded = () if no_fold else fold or _FOLDED
    printer = session.printer
    chain = [Branch(workflow_id, run_id, "", 0)]

    def shown() -> Group:
        now = time.time_ns()
        return Group(*(_grown(Tree(_label(root, now)), root, folded, now) for root in chain))

    live = Live(
        console=printer.console, get_renderable=shown, refresh_per_second=_REFRESHES_S, vertical_overflow="crop"
    )
    follower = _Follower(session, depth=depth, concurrency=concurrency)
    if printer.on_terminal:
        with live:
            await _followed(follower, chain)
            live.vertical_overflow = "visible"
    else:
        await _followed(follower, chain)
        for root in chain:
            for line in _lines(root, folded, time.time_ns()):
                printer.line(line)
        printer.data([_data(root) for root in chain])


async def _followed(follower: _Follower, chain: list[Branch]) -> None:
    while True:
        root = chain[-1]
        try:
            successor = await follower.follow(root)
        except* RPCError as errors:
            raise _first(errors) from None
        if not successor:
            return
        chain.append(Branch(root.workflow_id, successor, root.type_, 0))
