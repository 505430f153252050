"""What a workflow asks about itself and sets on itself: time, info, memo, attributes, handlers, and who may not."""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest
from both_ways import replay_both_ways
from stage import MINUTE, Stage

from outlast import activity, workflow
from outlast.api.enums import v1 as e
from outlast.client import WorkflowUpdateFailedError
from outlast.common import (
    Priority,
    RawValue,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from outlast.exceptions import ApplicationError

KEYWORD = SearchAttributeKey.for_keyword("FactsKeyword")
NUMBER = SearchAttributeKey.for_int("FactsInt")


@activity.defn
async def note(text: str) -> str:
    return text


@workflow.defn
class Facts:
    """Asks for one group of facts, named by its argument."""

    def __init__(self) -> None:
        self.notes: list[Any] = []
        self.done = False

    @workflow.run
    async def run(self, name: str) -> list[Any]:
        await getattr(self, name)()
        return self.notes

    @workflow.signal(description="Ends it.")
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def seen(self) -> list[Any]:
        """What was noted."""
        return self.notes

    async def until_done(self) -> None:
        workflow.set_current_details("**waiting**")
        await workflow.wait_condition(lambda: self.done)

    async def time(self) -> None:
        now, seconds, ns = workflow.now(), workflow.time(), workflow.time_ns()
        self.notes.append([now.tzinfo == UTC, abs(now.timestamp() - seconds) < 1e-6, abs(ns / 1e9 - seconds) < 1e-6])
        self.notes.append([now == workflow.now(), asyncio.get_running_loop().time() == seconds])
        self.notes.append(now >= workflow.info().workflow_start_time)
        await workflow.sleep(0.01)
        self.notes.append(workflow.time() - seconds >= 0.01)

    async def randomness(self) -> None:
        generator = workflow.random()
        self.notes += [workflow.random_seed(), generator is workflow.random()]
        self.notes += [generator.random(), generator.randint(1, 1000), str(workflow.uuid4())]
        self.notes += [workflow.new_random().random(), workflow.new_random("mine").getrandbits(32)]
        self.notes += [str(workflow.uuid7()), workflow.new_random().random()]

    async def patches(self) -> None:
        self.notes += [workflow.patched("a"), workflow.patched("a"), workflow.patched("b")]
        for patch in "cca":
            workflow.deprecate_patch(patch)
        await workflow.sleep(0.001)
        self.notes += [workflow.patched("b"), workflow.patched("d"), workflow.patched("c")]

    async def memo(self) -> None:
        self.notes.append(sorted(workflow.memo().items()))
        workflow.upsert_memo({"a": 2, "new": [1], "gone": None})
        self.notes.append(sorted(workflow.memo().items()))
        self.notes += [workflow.memo_value("a"), workflow.memo_value("no", 7), workflow.memo_value("a", type_hint=int)]
        try:
            workflow.memo_value("no")
        except KeyError as error:
            self.notes.append(str(error))
        workflow.upsert_memo({"a": None})
        workflow.upsert_memo({})
        self.notes.append(sorted(workflow.info().raw_memo))

    async def attributes(self) -> None:
        def current() -> None:
            typed = workflow.info().typed_search_attributes
            self.notes.append([[pair.key.name, pair.key.indexed_value_type.name, pair.value] for pair in typed])

        current()
        workflow.upsert_search_attributes([KEYWORD.value_set("new"), NUMBER.value_set(5)])
        current()
        workflow.upsert_search_attributes([KEYWORD.value_unset()])
        current()
        self.notes.append(sorted(workflow.info().search_attributes.items()))
        workflow.upsert_search_attributes([])
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            workflow.upsert_search_attributes({"FactsKeyword": ["old"]})
        self.notes.append([one.category.__name__ for one in warned])
        current()

    async def itself(self) -> None:
        self.notes += [workflow.instance() is self, workflow.in_workflow(), workflow.get_current_details()]
        workflow.set_current_details("**now**")
        self.notes.append(workflow.get_current_details())
        last = workflow.has_last_completion_result(), workflow.get_last_completion_result(), workflow.get_last_failure()
        self.notes.append(last)
        errors = (ValueError(), ApplicationError("x"), TimeoutError(), asyncio.CancelledError(), KeyboardInterrupt())
        self.notes.append([workflow.is_failure_exception(error) for error in errors])
        self.notes += [workflow.current_update_info(), workflow.cancellation_reason(), workflow.all_handlers_finished()]
        unsafe = workflow.unsafe
        self.notes.append(unsafe.is_read_only())
        self.notes.append(workflow.payload_converter().to_payload({"a": 1}).data.decode())
        with unsafe.sandbox_unrestricted(), unsafe.imports_passed_through():
            self.notes.append(unsafe.in_sandbox())

    async def information(self) -> None:
        info = workflow.info()
        self.notes += [info.attempt, info.workflow_type, info.namespace, info.parent, info.cron_schedule]
        self.notes += [info.continued_run_id, info.first_execution_run_id == info.run_id]
        self.notes.append(info.original_execution_run_id == info.run_id)
        root = info.root
        self.notes.append(root is not None and (root.run_id, root.workflow_id) == (info.run_id, info.workflow_id))
        for timeout in (info.execution_timeout, info.run_timeout, info.task_timeout):
            self.notes.append(timeout and timeout.total_seconds())
        policy, priority = info.retry_policy, info.priority
        assert policy is not None
        self.notes.append([policy.maximum_attempts, policy.backoff_coefficient])
        self.notes.append([priority.priority_key, priority.fairness_key, priority.fairness_weight])
        self.notes.append(sorted((key, payload.data.decode()) for key, payload in info.raw_memo.items()))
        self.notes.append([info.start_time.tzinfo == UTC, info.workflow_start_time <= info.start_time])
        self.notes.append([info.get_current_history_length(), info.get_current_history_size() > 0])
        self.notes.append([info.is_continue_as_new_suggested(), info.is_target_worker_deployment_version_changed()])
        await workflow.sleep(0.001)
        self.notes.append(info.get_current_history_length())

    async def handlers(self) -> None:
        names = ("signal", "query", "update")
        self.notes.append([getattr(workflow, f"get_{kind}_handler")("x") for kind in names])
        self.notes.append([getattr(workflow, f"get_dynamic_{kind}_handler")() for kind in names])

        def signalled(*args: Any) -> None:
            self.notes.append(list(args))

        def asked(number: int) -> int:
            return number + 1

        async def updated(number: int) -> int:
            update = workflow.current_update_info()
            assert update is not None
            self.notes.append(update.name)
            return number * 2

        def validated(number: int) -> None:
            if number < 0:
                raise ValueError("negative")

        def any_signal(name: str, args: Sequence[RawValue]) -> None:
            self.notes.append([name, len(args)])

        def any_query(name: str, args: Sequence[RawValue]) -> Any:
            return [name, workflow.payload_converter().from_payload(args[0].payload)]

        async def any_update(name: str, args: Sequence[RawValue]) -> Any:
            return [name, len(args)]

        workflow.set_signal_handler("signalled", signalled)
        workflow.set_query_handler("asked", asked)
        workflow.set_update_handler("updated", updated, validator=validated)
        workflow.set_dynamic_signal_handler(any_signal)
        workflow.set_dynamic_query_handler(any_query)
        workflow.set_dynamic_update_handler(any_update)
        self.notes.append(workflow.get_signal_handler("signalled") is signalled)
        self.notes.append(workflow.get_dynamic_update_handler() is any_update)
        await workflow.wait_condition(lambda: self.done)
        workflow.set_query_handler("asked", None)
        workflow.set_dynamic_signal_handler(None)
        self.notes.append([workflow.get_query_handler("asked"), workflow.get_dynamic_signal_handler()])

    @workflow.query(name="try")
    def attempt(self, what: str) -> str:
        """Does what a query must not, and some of what it may."""
        calls: dict[str, Any] = {
            "activity": lambda: workflow.start_activity(note, "x", start_to_close_timeout=MINUTE),
            "local activity": lambda: workflow.start_local_activity(note, "x", start_to_close_timeout=MINUTE),
            "random": lambda: workflow.random().random(),
            "new_random": workflow.new_random,
            "uuid4": workflow.uuid4,
            "patched": lambda: workflow.patched("x"),
            "memo": lambda: workflow.upsert_memo({"x": 1}),
            "attributes": lambda: workflow.upsert_search_attributes([KEYWORD.value_set("x")]),
            "handler": lambda: workflow.set_signal_handler("x", None),
            "details": lambda: workflow.set_current_details("x"),
            "continue": workflow.continue_as_new,
            "timer": lambda: asyncio.get_running_loop().call_later(1, print),
            "external": lambda: workflow.get_external_workflow_handle("x"),
            "now": workflow.now,
            "logger": lambda: workflow.logger.info("asked"),
            "read_only": lambda: workflow.unsafe.is_read_only() or 1 / 0,
        }
        try:
            calls[what]()
            return "allowed"
        except Exception as error:
            return type(error).__name__


FACTS: dict[str, list[Any]] = {
    "time": [[True] * 3, [True] * 2, True, True],
    "patches": [True] * 6,
    "memo": [
        [["a", 1], ["gone", 3]],
        [["a", 2], ["new", [1]]],
        *(2, 7, 2),
        "'Memo does not have a value for key no'",
        ["new"],
    ],
    "attributes": [
        [["FactsKeyword", "KEYWORD", "kw"]],
        [["FactsKeyword", "KEYWORD", "new"], ["FactsInt", "INT", 5]],
        [["FactsInt", "INT", 5]],
        [["FactsInt", [5]], ["FactsKeyword", []]],
        ["DeprecationWarning"],
        [["FactsInt", "INT", 5], ["FactsKeyword", "KEYWORD", "old"]],
    ],
    "itself": [
        *(True, True, "", "**now**"),
        [False, None, None],
        [False, True, True, False, False],
        *(None, None, True),
        False,
        '{"a":1}',
        False,
    ],
    "information": [
        *(1, "Facts", "default", None, None, None, True, True, False),
        *(60.0, 50.0, 9.0),
        [3, 2.0],
        [2, "tenant", 1.5],
        [["a", "1"], ["gone", "3"]],
        *([True, True], [3, True], [False, False], 8),
    ],
}


async def start(stage: Stage, name: str) -> Any:
    await with_attributes(stage)
    return await stage.start(
        Facts.run,
        name,
        memo={"a": 1, "gone": 3},
        search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "kw")]),
        execution_timeout=MINUTE,
        run_timeout=timedelta(seconds=50),
        task_timeout=timedelta(seconds=9),
        retry_policy=RetryPolicy(maximum_attempts=3),
        priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=1.5),
    )


async def with_attributes(stage: Stage) -> None:
    """Define the search attributes, if another case has not."""
    api = stage.sdk("api.operatorservice.v1")
    kinds = {"FactsKeyword": e.INDEXED_VALUE_TYPE_KEYWORD, "FactsInt": e.INDEXED_VALUE_TYPE_INT}
    known = await stage.client.operator_service.list_search_attributes(
        api.ListSearchAttributesRequest(namespace="default")
    )
    missing = {name: kind for name, kind in kinds.items() if name not in known.custom_attributes}
    if missing:
        await stage.client.operator_service.add_search_attributes(
            api.AddSearchAttributesRequest(namespace="default", search_attributes=missing)
        )


@pytest.mark.parametrize("name", FACTS)
async def test_facts(stage: Stage, name: str) -> None:
    async with stage.worker(Facts):
        handle = await start(stage, name)
        assert await handle.result() == FACTS[name]
        assert await handle.query(Facts.seen) == FACTS[name]
    await replay_both_ways(stage, handle, __file__, "Facts")


async def test_every_replay_has_the_same_numbers(stage: Stage) -> None:
    """In both SDKs, whichever wrote the history; ``test_histories`` has the numbers of a recorded one."""
    async with stage.worker(Facts):
        handle = await start(stage, "randomness")
        numbers = await handle.result()
        assert numbers[1] is True
        assert numbers[5] == numbers[8] == numbers[2]
        assert await handle.query(Facts.seen) == numbers
    await replay_both_ways(stage, handle, __file__, "Facts")


async def test_handlers_that_running_code_sets(stage: Stage) -> None:
    async with stage.worker(Facts):
        handle = await start(stage, "handlers")
        await stage.until_event(handle, "WorkflowTaskCompleted")
        await handle.signal("signalled", args=[1, "x"])
        await handle.signal("other", 5)
        assert [await handle.query("asked", 1), await handle.query("other", 2)] == [2, ["other", 2]]
        assert await handle.execute_update("updated", 4) == 8
        assert await handle.execute_update("other", 4) == ["other", 1]
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update("updated", -1)
        assert "negative" in str(refused.value.cause)
        await handle.signal(Facts.finish)
        assert await handle.result() == [
            *([None] * 3, [None] * 3, True, True),
            *([1, "x"], ["other", 1], "updated", [None, None]),
        ]
    await replay_both_ways(stage, handle, __file__, "Facts")


ALLOWED = ("external", "now", "logger", "read_only")
REFUSED = (
    *("activity", "local activity", "random", "new_random", "uuid4", "patched", "memo", "attributes", "handler"),
    *("details", "continue", "timer"),
)


async def test_a_query_changes_nothing(stage: Stage) -> None:
    async with stage.worker(Facts, activities=[note]):
        handle = await start(stage, "until_done")
        for what in (*REFUSED, *ALLOWED):
            if "activity" in what and not stage.ours:
                continue  # refused, but it leaves a coroutine that nobody awaits
            answer = await handle.query(Facts.attempt, what)
            assert answer == ("allowed" if what in ALLOWED else "ReadOnlyContextError"), what
        await handle.signal(Facts.finish)
        await handle.result()
    names = await stage.names(handle)
    assert [one for one in names if not one.startswith("Workflow")] == []


async def test_built_in_queries(stage: Stage) -> None:
    async with stage.worker(Facts):
        handle = await start(stage, "until_done")
        metadata = await handle.query("__temporal_workflow_metadata")
        assert metadata.definition.type == "Facts"
        assert metadata.current_details == "**waiting**"
        named = [one.name for one in metadata.definition.query_definitions]
        assert named == ["__enhanced_stack_trace", "__stack_trace", "__temporal_workflow_metadata", "seen", "try"]
        (signal,) = metadata.definition.signal_definitions
        assert (signal.name, signal.description) == ("finish", "Ends it.")
        stacks = await handle.query("__stack_trace")
        trace = await handle.query("__enhanced_stack_trace")
        functions = {location.function_name for stack in trace.stacks for location in stack.locations}
        assert functions
        if stage.ours:  # Temporal's show the SDK's own frames and only the outermost of the user's
            assert "in until_done" in stacks
            assert "await workflow.wait_condition(lambda: self.done)" in stacks
            assert functions == {"run", "until_done"}
            assert list(trace.sources) == [__file__]
        await handle.signal(Facts.finish)
        await handle.result()


@workflow.defn
class Talkative:
    @workflow.run
    async def run(self) -> None:
        workflow.logger.warning("before")
        await workflow.sleep(0.001)
        workflow.logger.warning("after", extra={"mine": 1})

    @workflow.query
    def ask(self) -> str:
        workflow.logger.warning("asked")
        return "answer"


async def test_the_logger_is_silent_in_replay(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger=workflow.logger.logger.name):
        async with stage.worker(Talkative, max_cached_workflows=0, max_concurrent_workflow_task_polls=1):
            handle = await stage.start(Talkative.run)
            await handle.result()
            await handle.query(Talkative.ask)
        await replay_both_ways(stage, handle, __file__, "Talkative")
    mine = [one for one in caplog.records if handle.id in one.getMessage()]
    assert [one.getMessage().split(" ")[0] for one in mine] == ["before", "after", "asked"]
    assert mine[1].mine == 1  # type: ignore[attr-defined]
    assert mine[0].temporal_workflow["workflow_id"] == handle.id  # type: ignore[attr-defined]
    assert json.dumps(mine[0].temporal_workflow)  # type: ignore[attr-defined]
