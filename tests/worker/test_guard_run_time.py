"""The determinism guard at run time: what no source shows is refused when it happens, and only inside workflows."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import logging
import sys
import traceback
import warnings
import zoneinfo
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from programs import SECONDS, greet
from test_embedded import QUEUE, client, start

from outlast import activity, workflow
from outlast.api.history.v1 import HistoryEvent
from outlast.client import Client, WorkflowFailureError
from outlast.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from outlast.worker.workflow_sandbox import (
    RestrictedWorkflowAccessError,
    SandboxedWorkflowRunner,
    SandboxMatcher,
    SandboxRestrictions,
)

__all__ = ["client"]

# What source cannot show: names that are looked up when the code runs.
ACTS: dict[str, Callable[[], object]] = {
    "open": lambda: getattr(sys.modules["builtins"], "op" + "en")(__file__).close(),
    "path": lambda: getattr(Path(__file__), "read_" + "text")(),
    "listdir": lambda: getattr(sys.modules["os"], "list" + "dir")("."),
    "environment": lambda: getattr(sys.modules["os"], "put" + "env")("OUTLAST_TEST", "1"),
    "process": lambda: getattr(sys.modules["subprocess"], "r" + "un")(["true"], check=True),
    "shell": lambda: getattr(sys.modules["os"], "sys" + "tem")("true"),
    "address": lambda: getattr(sys.modules["socket"], "getaddr" + "info")("127.0.0.1", 1),
    "database": lambda: getattr(importlib.import_module("sqlite3"), "con" + "nect")(":memory:").close(),
    "zone": lambda: (zoneinfo.ZoneInfo.clear_cache(), zoneinfo.ZoneInfo("Europe/Berlin")),
    "import": lambda: (sys.modules.pop("colorsys", None), __import__("colorsys")),
    "traceback": lambda: traceback.format_exc(),
    "log": lambda: logging.getLogger("guard-test").warning("hello"),
}


@workflow.defn
class Does:
    """Does one of the things above, if need be where the guard is switched off."""

    @workflow.run
    async def run(self, what: str, unrestricted: bool = False) -> str:
        if unrestricted:
            with workflow.unsafe.sandbox_unrestricted():
                assert workflow.unsafe.is_sandbox_unrestricted()
                ACTS[what]()
        else:
            ACTS[what]()
        return "done"


@workflow.defn(name="DoesFreely", sandboxed=False)
class DoesFreely:
    @workflow.run
    async def run(self, what: str) -> str:
        ACTS[what]()
        return "done"


@activity.defn
def act(what: str) -> str:
    ACTS[what]()
    return "done"


def worker_of(client: Client, failing: Sequence[type[BaseException]] = (Exception,), **options: Any) -> Worker:
    workflows = [Does, DoesFreely]
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=workflows,
        activities=[greet, act],
        workflow_failure_exception_types=failing,
        **options,
    )


@pytest.mark.parametrize(
    ("what", "name", "cure"),
    [
        ("open", "open", "Do it in an activity"),
        ("path", "open", "Do it in an activity"),
        ("listdir", "os.listdir", "Do it in an activity"),
        ("environment", "os.putenv", "argument of the workflow"),
        ("process", "subprocess.Popen", "Do it in an activity"),
        ("shell", "os.system", "Do it in an activity"),
        ("address", "socket.getaddrinfo", "Do it in an activity"),
        ("database", "sqlite3.connect", "Do it in an activity"),
    ],
)
async def test_refused_with_line_rule_and_cure(client: Client, what: str, name: str, cure: str) -> None:
    async with worker_of(client, [workflow.NondeterminismError]):
        with pytest.raises(WorkflowFailureError) as failed:
            await (await start(client, Does.run, what)).result()
        message = str(failed.value.cause)
    assert f"{name}(" in message
    assert cure in message
    assert f"{__file__}:" in message
    assert f'"{what}": lambda: ' in message
    assert "RestrictedWorkflowAccessError" in repr(getattr(failed.value.cause, "type", ""))


async def test_it_fails_the_workflow_task(client: Client) -> None:
    event: HistoryEvent
    async with worker_of(client, ()):
        handle = await start(client, Does.run, "open")
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.HasField("workflow_task_failed_event_attributes"):
                failure = event.workflow_task_failed_event_attributes.failure
                break
        await handle.terminate()
    assert failure.application_failure_info.type == "RestrictedWorkflowAccessError"
    assert "test_guard_run_time.py" in failure.stack_trace


@pytest.mark.parametrize("what", ["zone", "import", "traceback"])
async def test_what_libraries_do_on_their_own_account_is_theirs(client: Client, what: str) -> None:
    async with worker_of(client):
        assert await (await start(client, Does.run, what)).result() == "done"


async def test_handlers_of_logging_may_write(client: Client, tmp_path: Path) -> None:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            (tmp_path / "log").write_text(record.getMessage())

    handler = Handler()
    logging.getLogger("guard-test").addHandler(handler)
    try:
        async with worker_of(client):
            assert await (await start(client, Does.run, "log")).result() == "done"
    finally:
        logging.getLogger("guard-test").removeHandler(handler)
    assert (tmp_path / "log").read_text() == "hello"


@workflow.defn
class Asks:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(act, "open", start_to_close_timeout=SECONDS)


async def test_outside_workflows_everything_goes(client: Client) -> None:
    async with Worker(client, task_queue=QUEUE, workflows=[Asks], activities=[act]):
        ACTS["open"]()
        assert await asyncio.to_thread(lambda: act("path")) == "done"
        assert await (await start(client, Asks.run)).result() == "done"


@pytest.mark.parametrize(
    "lenient",
    [
        UnsandboxedWorkflowRunner(),
        SandboxedWorkflowRunner(SandboxRestrictions.default.with_passthrough_modules(__name__)),
        SandboxedWorkflowRunner(
            dataclasses.replace(
                SandboxRestrictions.default,
                invalid_module_members=SandboxRestrictions.invalid_module_members_default.with_child_unrestricted(
                    "__builtins__", "open"
                ),
            )
        ),
    ],
)
async def test_a_worker_can_lift_it(client: Client, lenient: WorkflowRunner) -> None:
    async with worker_of(client, workflow_runner=lenient):
        assert await (await start(client, Does.run, "open")).result() == "done"


async def test_code_and_classes_can_lift_it(client: Client) -> None:
    async with worker_of(client):
        assert await (await start(client, Does.run, "open", True)).result() == "done"
        assert await (await start(client, DoesFreely.run, "open")).result() == "done"


async def test_forbidden_modules(client: Client) -> None:
    strict = dataclasses.replace(SandboxRestrictions.default, invalid_modules=SandboxMatcher(access={"colorsys"}))
    async with worker_of(client, [RestrictedWorkflowAccessError], workflow_runner=SandboxedWorkflowRunner(strict)):
        with pytest.raises(WorkflowFailureError) as failed:
            await (await start(client, Does.run, "import")).result()
    assert "Module colorsys is forbidden by SandboxRestrictions.invalid_modules" in str(failed.value.cause)
    assert "__import__" in str(failed.value.cause)


@workflow.defn
class Hello:
    @workflow.run
    async def run(self, name: str) -> str:
        assert not workflow.unsafe.in_sandbox()
        assert not workflow.unsafe.is_sandbox_unrestricted()
        return f"hello {name}"


async def test_hello_world_sees_no_warning(client: Client) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with Worker(client, task_queue=QUEUE, workflows=[Hello]):
            assert await (await start(client, Hello.run, "bob")).result() == "hello bob"
