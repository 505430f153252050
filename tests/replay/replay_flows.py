"""Workflows that both SDKs run: ``replay_compat`` loads this file again, for ``temporalio``."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from outlast import workflow
from outlast.exceptions import ActivityError

MINUTE = timedelta(minutes=1)
SEEN: list[Any] = []


def call(name: str, *args: Any, **options: Any) -> Any:
    return workflow.start_activity(name, args=args, start_to_close_timeout=MINUTE, **options)


@workflow.defn
class Pipeline:
    @workflow.run
    async def run(self, name: str) -> str:
        value = name
        for step in ("one", "two", "three"):
            value = await workflow.execute_activity(step, value, start_to_close_timeout=MINUTE)
        return value


@workflow.defn
class Parallel:
    """Results that arrive in one task, behind waits of different depth."""

    @workflow.run
    async def run(self) -> list[Any]:
        async def after(first: Any, then: str) -> Any:
            await first
            return await call(then)

        async def nested(first: Any, then: str) -> Any:
            return await after(asyncio.shield(first), then)

        async with asyncio.TaskGroup() as group:
            group.create_task(after(call("a"), "a2"))
            group.create_task(after(asyncio.sleep(5), "s2"))
            group.create_task(nested(call("b"), "b2"))
            group.create_task(after(workflow.sleep(5), "w2"))
            group.create_task(after(asyncio.wait_for(call("c"), 30), "c2"))
            group.create_task(after(asyncio.gather(call("d"), call("e")), "d2"))
        return []


@workflow.defn
class CancelTypes:
    @workflow.run
    async def run(self) -> list[str]:
        kinds = workflow.ActivityCancellationType
        results = []
        same_task = call("never sent")
        same_task.cancel()
        try:
            await same_task
        except (ActivityError, asyncio.CancelledError) as error:
            results.append(type(error).__name__)
        handles = [
            call("try", cancellation_type=kinds.TRY_CANCEL),
            call("wait", cancellation_type=kinds.WAIT_CANCELLATION_COMPLETED),
            call("abandon", cancellation_type=kinds.ABANDON),
        ]
        await asyncio.sleep(1)
        for handle in handles:
            handle.cancel()
        for handle in handles:
            try:
                await handle
            except ActivityError as error:
                results.append(type(error.cause).__name__)
                await call("after cancel")
        return results


@workflow.defn
class TimersCancelled:
    @workflow.run
    async def run(self) -> str:
        quick = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(0)
        quick.cancel()
        late = asyncio.create_task(workflow.sleep(100, summary="late"))
        try:
            async with asyncio.timeout(10):
                await call("slow")
        except ActivityError:
            # The timeout cancels the wait for the activity, and that raises what a cancelled activity raises.
            late.cancel()
        await call("cleanup")
        return "done"


@workflow.defn
class Conditions:
    def __init__(self) -> None:
        self.values: list[str] = []
        self.go = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: len(self.values) > 1)
        await call("got two")
        try:
            await workflow.wait_condition(lambda: self.go, timeout=5, timeout_summary="go")
        except TimeoutError:
            self.values.append("timeout")
        await workflow.wait_condition(lambda: self.go, timeout=50)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.values

    @workflow.signal
    async def add(self, value: str) -> None:
        await call("in handler", value)
        self.values.append(value)

    @workflow.signal
    def start(self) -> None:
        self.go = True

    @workflow.query
    def current(self) -> list[str]:
        return self.values


@workflow.defn
class SignalsBuffered:
    @workflow.run
    async def run(self) -> list[str]:
        seen: list[str] = []
        await asyncio.sleep(1)
        workflow.set_signal_handler("later", lambda value: seen.append(value))
        await workflow.wait_condition(lambda: len(seen) == 3)
        await call("all", *seen)
        return seen


@workflow.defn
class Cancelled:
    @workflow.run
    async def run(self) -> str:
        try:
            await call("long")
        finally:
            await asyncio.shield(call("cleanup"))
        return "not reached"


@workflow.defn
class CancelSwallowed:
    @workflow.run
    async def run(self) -> str:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            await call("compensate")
        return f"reason {workflow.cancellation_reason()}"


@workflow.defn
class Patched:
    @workflow.run
    async def run(self) -> list[bool]:
        answers = [workflow.patched("first")]
        await call("before")
        answers.append(workflow.patched("second"))
        answers.append(workflow.patched("first"))
        workflow.deprecate_patch("third")
        await call("after")
        return answers


@workflow.defn
class Failing:
    @workflow.run
    async def run(self) -> str:
        return str(await call("fails"))


@workflow.defn
class Random:
    @workflow.run
    async def run(self) -> str:
        SEEN.append((workflow.random_seed(), workflow.random().random(), str(workflow.uuid4()), str(workflow.uuid7())))
        SEEN.append((workflow.now(), workflow.time_ns()))
        await call("a")
        SEEN.append((workflow.now(), workflow.time_ns(), workflow.info().get_current_history_length()))
        return ""


@workflow.defn
class Waiters:
    @workflow.run
    async def run(self) -> list[Any]:
        order: list[Any] = []
        handles = [call(name) for name in "abc"]
        for handle in workflow.as_completed(handles, timeout=60):
            order.append(await handle)
            await call("then", order[-1])
        done, pending = await workflow.wait([call("x"), call("y")], timeout=10, return_when=asyncio.FIRST_COMPLETED)
        order.append((len(done), len(pending)))
        return order


@workflow.defn
class Updated:
    def __init__(self) -> None:
        self.total = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.total > 2)
        await call("enough")
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.total

    @workflow.update
    async def add(self, amount: int) -> int:
        self.total += amount
        await call("added", amount)
        return self.total

    @add.validator
    def check(self, amount: int) -> None:
        if amount < 0:
            raise ValueError("negative")

    @workflow.update
    def peek(self) -> int:
        return self.total


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> list[str]:
        seen = []
        child = await workflow.start_child_workflow("Child", "x", id="child-1")
        await child.signal("hello", 1)
        seen.append(await child)
        unnamed = await workflow.start_child_workflow("Child", "y")
        unnamed.cancel()
        try:
            await unnamed
        except Exception as error:
            seen.append(type(error).__name__)
        other = workflow.get_external_workflow_handle("other")
        await other.signal("ping")
        await other.cancel(reason="enough")
        return seen


@workflow.defn
class Properties:
    @workflow.run
    async def run(self) -> int:
        workflow.upsert_memo({"note": "text", "gone": None})
        await call("a")
        workflow.set_current_details("working")
        workflow.continue_as_new(args=[workflow.memo_value("note")], memo={"n": 1})


@workflow.defn(failure_exception_types=[ValueError])
class FailsOnValueError:
    @workflow.run
    async def run(self) -> None:
        raise ValueError("bad value")


@workflow.defn
class Program:
    """Runs a program made of lists, such as ``["all", [["activity", "x"], ["timer", 5]]]``."""

    def __init__(self) -> None:
        self.signals = 0

    @workflow.run
    async def run(self, program: list[Any]) -> Any:
        return await self.step(program)

    async def step(self, program: list[Any]) -> Any:
        op, *operands = program
        return await getattr(self, f"do_{op}")(*operands)

    async def do_activity(self, name: str, kind: int) -> Any:
        return await call(name, cancellation_type=workflow.ActivityCancellationType(kind))

    async def do_timer(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def do_sleep(self, seconds: float) -> None:
        await workflow.sleep(seconds, summary="zzz")

    async def do_turns(self, count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def do_patch(self, name: str) -> None:
        await call("new" if workflow.patched(name) else "old")

    async def do_condition(self, count: int, timeout: float | None) -> None:
        await workflow.wait_condition(lambda: self.signals >= count, timeout=timeout)

    async def do_seq(self, steps: list[Any]) -> list[Any]:
        return [await self.step(step) for step in steps]

    async def do_all(self, steps: list[Any]) -> list[Any]:
        return await asyncio.gather(*[self.step(step) for step in steps], return_exceptions=False)

    async def do_group(self, steps: list[Any]) -> None:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(self.step(step))

    async def do_race(self, steps: list[Any]) -> None:
        tasks = [asyncio.create_task(self.step(step)) for step in steps]
        _, pending = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await workflow.wait(tasks)

    async def do_within(self, seconds: float, step: list[Any]) -> None:
        async with asyncio.timeout(seconds):
            await self.step(step)

    async def do_wait_for(self, seconds: float, step: list[Any]) -> None:
        await asyncio.wait_for(self.step(step), seconds)

    async def do_shield(self, step: list[Any]) -> Any:
        return await asyncio.shield(self.step(step))

    async def do_cancelled(self, turns: int, step: list[Any]) -> None:
        task = asyncio.create_task(self.step(step))
        await self.do_turns(turns)
        task.cancel()
        await task

    async def do_attempt(self, step: list[Any], then: list[Any]) -> Any:
        try:
            return await self.step(step)
        except (Exception, asyncio.CancelledError) as error:
            await self.step(then)
            return type(error).__name__

    @workflow.signal
    async def poke(self, program: list[Any]) -> None:
        self.signals += 1
        await self.step(program)

    @workflow.update
    async def change(self, program: list[Any]) -> int:
        self.signals += 1
        await self.step(program)
        return self.signals

    @change.validator
    def check(self, program: list[Any]) -> None:
        if program[0] == "activity":
            raise ValueError("not just an activity")


def local(name: str, *args: Any, **options: Any) -> Any:
    return workflow.start_local_activity(name, args=args, start_to_close_timeout=MINUTE, **options)


@workflow.defn
class Local:
    """Local activities one after the other, then an ordinary one; the clock moves with them."""

    @workflow.run
    async def run(self) -> list[Any]:
        began = workflow.now()
        values = [await local("one", summary="the first"), await local("two")]
        return [*values, await call("three"), (workflow.now() - began).total_seconds() == 4]


@workflow.defn
class LocalRace:
    """Whose result comes first decides what is done, so a replay must deliver them as they came."""

    @workflow.run
    async def run(self) -> str:
        both = [local("one"), local("two")]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finished = [str(index) for index, one in enumerate(both) if one.done()]
        await call("after-" + "-".join(finished))
        await asyncio.gather(*both)
        return "-".join(finished)


@workflow.defn
class LocalCancel:
    """Cancels a local activity while it runs; it asks for it before it is sent when ``at_once``."""

    @workflow.run
    async def run(self, kind: str, at_once: bool) -> str:
        options = {"cancellation_type": workflow.ActivityCancellationType[kind]}
        handle, other = local("slow", **options), local("fast")
        if not at_once:
            await other
        else:
            await asyncio.sleep(0)
        handle.cancel()
        try:
            await handle
        except ActivityError as error:
            await other
            return type(error.cause).__name__
        return "finished"


@workflow.defn
class LocalBackoff:
    """A local activity whose retry is worth a timer."""

    @workflow.run
    async def run(self) -> Any:
        return await local("flaky")


@workflow.defn
class LocalAndSignal:
    """A signal comes in while a local activity runs."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        self.heard.append(await local("slow"))
        await workflow.wait_condition(lambda: len(self.heard) > 1)
        await call("after")
        return self.heard

    @workflow.signal
    async def hear(self, word: str) -> None:
        self.heard.append(word)
