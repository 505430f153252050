"""Wrong definitions and wrong workers: both SDKs refuse them at the same place, ours naming object and cure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from textwrap import dedent, indent
from typing import Any

import pytest
from stage import Stage

from outlast import activity, workflow
from outlast.common import RawValue, RetryPolicy

RUN = """
@workflow.run
async def run(self) -> None: ...
"""


def pair(kind: str) -> str:
    """Two handlers of one name."""
    return f"""
@workflow.{kind}(name="twice")
def one(self): return 1
@workflow.{kind}(name="twice")
def two(self): return 2
"""


# What is wrong -> the body of a workflow class, the error, what its message names.
CLASSES: dict[str, tuple[str, str, str]] = {
    "no run": ("pass", "ValueError", "Missing @workflow.run method"),
    "two runs": (RUN + RUN.replace("run(", "other("), "ValueError", r"Multiple @workflow.run .*other"),
    "a run that is not async": (RUN.replace("async ", ""), "ValueError", "must be an async function"),
    "two signals of one name": (RUN + pair("signal"), "ValueError", "Multiple signal methods found for twice"),
    "two queries of one name": (RUN + pair("query"), "ValueError", "Multiple query methods found for twice"),
    "two updates of one name": (RUN + pair("update"), "ValueError", "Multiple update methods found for twice"),
    "a dynamic signal with a name": (
        RUN + "@workflow.signal(name='x', dynamic=True)\ndef s(self, n: str, a: Sequence[RawValue]): ...",
        "RuntimeError",
        "Cannot provide name and dynamic",
    ),
    "a dynamic query with other parameters": (
        RUN + "@workflow.query(dynamic=True)\ndef q(self, x: int): return 1",
        "RuntimeError",
        "must have 3 arguments",
    ),
    "a dynamic update with other parameters": (
        RUN + "@workflow.update(dynamic=True)\ndef u(self, x: int): return 1",
        "RuntimeError",
        "must have 3 arguments",
    ),
    "a dynamic configuration of an ordinary workflow": (
        RUN + "@workflow.dynamic_config\ndef c(self): ...",
        "ValueError",
        "can only be used in dynamic workflows",
    ),
    "init beside another run": (
        "@workflow.init\ndef __init__(self, x: int) -> None: ...\n" + RUN,
        "ValueError",
        "parameters do not match",
    ),
    "init on another method": (
        "@workflow.init\ndef prepare(self) -> None: ...\n" + RUN,
        "ValueError",
        "may only be used on the __init__ method",
    ),
    "a validator with other parameters": (
        RUN + "@workflow.update\ndef u(self, x: int): ...\n@u.validator\ndef v(self, x: str): ...",
        "ValueError",
        "method v parameters do not match update method u",
    ),
    "a validator that is async": (
        RUN + "@workflow.update\ndef u(self, x: int): ...\n@u.validator\nasync def v(self, x: int): ...",
        "ValueError",
        "must not be an async function",
    ),
}


# What our message says to do, beside naming the class.
CURES = {
    "no run": "class Wrong.*decorate the async method",
    "two runs": "class Wrong.*keep one",
    "a run that is not async": "write `async def run`",
    "two signals of one name": "class Wrong.*give one of them another name",
    "a dynamic signal with a name": "leave out 'x'",
    "init beside another run": "class Wrong.*give both the same",
    "a validator that is async": "write `def v` for update u",
}


def define(source: str) -> dict[str, Any]:
    """Run source code as a module of its own would."""
    names = {"workflow": workflow, "activity": activity, "Sequence": Sequence, "RawValue": RawValue}
    exec(compile(source, "wrong.py", "exec", dont_inherit=True), {**names, "__name__": "wrong"})
    return names


@pytest.mark.parametrize("wrong", CLASSES)
async def test_a_wrong_workflow_class(stage: Stage, wrong: str) -> None:
    body, kind, message = CLASSES[wrong]
    with pytest.raises(Exception, match=message) as refused:
        define("@workflow.defn\nclass Wrong:\n" + indent(dedent(body), "    "))
    assert type(refused.value).__name__ == kind
    if stage.ours:
        assert re.search(CURES.get(wrong, "Wrong"), str(refused.value)), str(refused.value)


OVERRIDES = {"run": RUN.replace("run(", "method("), "signal": "@workflow.signal\ndef method(self): ..."}


@pytest.mark.parametrize("kind", OVERRIDES)
async def test_an_override_without_its_decorator(stage: Stage, kind: str) -> None:
    base = "class Base:\n" + indent(OVERRIDES[kind], "    ")
    own = "async def method(self): ..." if kind == "run" else RUN + "def method(self): ..."
    with pytest.raises(ValueError, match=rf"@workflow.{kind} defined on Base.method but not on the override"):
        define(base + "\n@workflow.defn\nclass Wrong(Base):\n" + indent(own, "    "))


# What is wrong -> an activity, the error, what its message names.
ACTIVITIES: dict[str, tuple[str, str, str]] = {
    "keyword-only": ("@activity.defn\nasync def a(*, x): ...", "TypeError", "keyword-only arguments"),
    "twice": ("@activity.defn\n@activity.defn\nasync def a(): ...", "ValueError", "already contains"),
    "dynamic with other parameters": (
        "@activity.defn(dynamic=True)\nasync def a(x: int): ...",
        "TypeError",
        "Dynamic activity must accept a single Sequence",
    ),
}


@pytest.mark.parametrize("wrong", ACTIVITIES)
async def test_a_wrong_activity(stage: Stage, wrong: str) -> None:
    source, kind, message = ACTIVITIES[wrong]
    with pytest.raises(Exception, match=message) as refused:
        define(source)
    assert type(refused.value).__name__ == kind


POLICIES: dict[str, tuple[dict[str, Any], str]] = {
    "attempts": ({"maximum_attempts": -1}, "Maximum attempts cannot be negative"),
    "coefficient": ({"backoff_coefficient": 0.5}, "Backoff coefficient cannot be less than 1"),
    "initial": ({"initial_interval": timedelta(-1)}, "Initial interval cannot be negative"),
    "maximum": ({"maximum_interval": timedelta(-1)}, "Maximum interval cannot be negative"),
    "order": ({"maximum_interval": timedelta(milliseconds=1)}, "cannot be less than initial interval"),
}


@activity.defn
async def nothing() -> None: ...


@activity.defn(name="nothing")
async def other_nothing() -> None: ...


async def undecorated() -> None: ...


@workflow.defn
class Nothing:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn(name="Nothing")
class OtherNothing:
    @workflow.run
    async def run(self) -> None: ...


class Undecorated: ...


@pytest.mark.parametrize("wrong", POLICIES)
async def test_a_retry_policy_out_of_range(stage: Stage, wrong: str) -> None:
    options, message = POLICIES[wrong]
    with pytest.raises(ValueError, match=message):
        await stage.start(Nothing.run, retry_policy=RetryPolicy(**options))


async def test_wrong_workers(stage: Stage) -> None:
    wrong: list[tuple[list[Any], list[Any], dict[str, Any], str]] = [
        ([], [], {}, "At least one activity, Nexus service, or workflow must be specified"),
        ([], [undecorated], {}, "Activity undecorated missing attributes, was it decorated with @activity.defn"),
        ([Undecorated], [], {}, "Workflow Undecorated missing attributes, was it decorated with @workflow.defn"),
        ([], [nothing, other_nothing], {}, "More than one activity named nothing"),
        ([Nothing, OtherNothing], [], {}, "More than one workflow named Nothing"),
    ]
    for workflows, activities, options, message in wrong:
        with pytest.raises((TypeError, ValueError), match=message):
            stage.worker(*workflows, activities=activities, **options)


@pytest.mark.parametrize("call", ["now", "info", "random", "uuid4", "memo", "time"])
async def test_outside_of_a_workflow(stage: Stage, call: str) -> None:
    with pytest.raises(Exception, match="Not in workflow event loop"):
        getattr(workflow, call)()
    with pytest.raises(RuntimeError, match="Not in activity context"):
        activity.info()
    assert not workflow.in_workflow()


@workflow.defn
class WithoutTimeouts:
    @workflow.run
    async def run(self, local: bool) -> str:
        call = workflow.start_local_activity if local else workflow.start_activity
        try:
            call(nothing)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return "accepted"


@pytest.mark.parametrize("local", [False, True])
async def test_an_activity_without_a_timeout(stage: Stage, local: bool) -> None:
    async with stage.worker(WithoutTimeouts, activities=[nothing]):
        refused = await stage.execute(WithoutTimeouts.run, local)
    assert "start_to_close_timeout or schedule_to_close_timeout" in refused
