"""The workflows behind ``*.json``: every noun that leaves commands in a history, each in one deterministic flow.

``record.py`` runs them under either SDK. A change here that changes commands needs new recordings.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from outlast import activity, workflow
from outlast.common import RetryPolicy, SearchAttributeKey
from outlast.exceptions import ActivityError, ApplicationError, ChildWorkflowError

MINUTE = timedelta(minutes=1)
NOTE, COUNT = SearchAttributeKey.for_keyword("RecordedNote"), SearchAttributeKey.for_int("RecordedCount")
FAST = RetryPolicy(initial_interval=timedelta(milliseconds=1), maximum_attempts=2)


@activity.defn
async def validate(order_id: str) -> bool:
    return bool(order_id)


@activity.defn
async def charge(order_id: str, amount: float) -> str:
    if activity.info().attempt == 1:
        raise ApplicationError("the gateway is busy")
    return f"charge_{order_id}_ok"


@activity.defn
async def decline() -> None:
    raise ApplicationError("declined", type="Declined", non_retryable=True)


@activity.defn
async def wait_for_cancel() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.01)


SEEN: list[Any] = []
"""What ``Patched`` found, run by run."""

ACTIVITIES = [validate, charge, decline, wait_for_cancel]


@workflow.defn
class Order:
    """The pipeline: one activity after the other, one of them retried."""

    @workflow.run
    async def run(self, order_id: str) -> str:
        await workflow.execute_activity(validate, order_id, start_to_close_timeout=MINUTE)
        return await workflow.execute_activity(
            charge, args=[order_id, 9.99], start_to_close_timeout=MINUTE, retry_policy=FAST
        )


@workflow.defn
class Fan:
    """Activities and timers side by side, one timer cancelled, and an activity id of its own."""

    @workflow.run
    async def run(self) -> list[Any]:
        deadline = asyncio.create_task(workflow.sleep(MINUTE, summary="the deadline"))
        results = await asyncio.gather(
            workflow.execute_activity(validate, "a", start_to_close_timeout=MINUTE),
            workflow.execute_activity(validate, "b", start_to_close_timeout=MINUTE, activity_id="mine"),
            asyncio.sleep(0.005),
            workflow.sleep(0.001),
        )
        deadline.cancel()
        await asyncio.sleep(0.001)
        return results


@workflow.defn
class Approval:
    """Signals before and after a timer, and a condition with a timeout."""

    def __init__(self) -> None:
        self.approved: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        try:
            await workflow.wait_condition(lambda: len(self.approved) > 5, timeout=0.001)
        except TimeoutError:
            self.approved.append("timed out")
        await workflow.wait_condition(lambda: len(self.approved) == 3)
        return self.approved

    @workflow.signal
    async def approve(self, who: str) -> None:
        await workflow.execute_activity(validate, who, start_to_close_timeout=MINUTE)
        self.approved.append(who)


@workflow.defn
class Refused:
    """Fails with the chain of an activity's failure."""

    @workflow.run
    async def run(self) -> None:
        try:
            await workflow.execute_activity(decline, start_to_close_timeout=MINUTE)
        except ActivityError as error:
            raise ApplicationError("order refused") from error


@workflow.defn
class Cancelled:
    """Is cancelled while it waits for an activity, and cleans up."""

    @workflow.run
    async def run(self) -> None:
        try:
            await workflow.execute_activity(
                wait_for_cancel, start_to_close_timeout=MINUTE, heartbeat_timeout=timedelta(milliseconds=250)
            )
        finally:
            await asyncio.shield(workflow.execute_activity(validate, "undo", start_to_close_timeout=MINUTE))


@workflow.defn
class Patched:
    """A patch, a random number, an id and the memo."""

    @workflow.run
    async def run(self) -> list[Any]:
        found: list[Any] = [workflow.patched("new-way"), workflow.random().random(), str(workflow.uuid4())]
        workflow.upsert_memo({"step": 1})
        await asyncio.sleep(0.001)
        found.append(workflow.patched("newer-way"))
        found.append(workflow.memo_value("step"))
        SEEN.append(found)
        return found


@workflow.defn
class Item:
    """A child: ends as its argument says, after a signal when it says so."""

    def __init__(self) -> None:
        self.told = ""

    @workflow.signal
    def tell(self, text: str) -> None:
        self.told = text

    @workflow.run
    async def run(self, ending: str) -> str:
        if ending == "fail":
            raise ApplicationError("no such item", type="NoItem")
        await workflow.wait_condition(lambda: bool(self.told) and ending != "never")
        return self.told


@workflow.defn
class Parent:
    """Children that complete, fail and are cancelled; signals and a cancel request from outside of them."""

    @workflow.run
    async def run(self) -> list[str]:
        name = workflow.info().workflow_id
        found = []
        told = await workflow.start_child_workflow(Item.run, "told", id=f"{name}-told", static_summary="the first")
        await told.signal(Item.tell, "by its parent")
        found.append(await told)
        try:
            await workflow.execute_child_workflow(Item.run, "fail", id=f"{name}-failing")
        except ChildWorkflowError as error:
            found.append(str(error.cause))
        named = await workflow.start_child_workflow(Item.run, "told", id=f"{name}-named")
        other = workflow.get_external_workflow_handle_for(Item.run, f"{name}-named")
        await other.signal(Item.tell, "from outside")
        found.append(await named)
        endless = await workflow.start_child_workflow(Item.run, "never", id=f"{name}-endless")
        await workflow.get_external_workflow_handle(f"{name}-endless").cancel(reason="enough")
        try:
            await endless
        except ChildWorkflowError as error:
            found.append(type(error.cause).__name__)
        try:
            await workflow.get_external_workflow_handle(f"{name}-nobody").signal("tell", "nobody")
        except ApplicationError as error:
            found.append(error.type or "")
        return found


@workflow.defn
class Updated:
    """Updates that complete at once, after an activity, and not at all."""

    def __init__(self) -> None:
        self.changes: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: len(self.changes) == 2)
        return self.changes

    @workflow.update
    def change(self, text: str) -> str:
        self.changes.append(text)
        return text

    @workflow.update
    async def check(self, text: str) -> bool:
        found = await workflow.execute_activity(validate, text, start_to_close_timeout=MINUTE)
        self.changes.append("checked")
        return found

    @check.validator
    def has_text(self, text: str) -> None:
        if not text:
            raise ValueError("nothing to check")


@workflow.defn
class Local:
    """Local activities: one after the other, side by side, tried again, failing."""

    @workflow.run
    async def run(self) -> list[Any]:
        limit: dict[str, Any] = {"start_to_close_timeout": MINUTE}
        found: list[Any] = [await workflow.execute_local_activity(validate, "a", **limit)]
        found += await asyncio.gather(*[workflow.execute_local_activity(validate, one, **limit) for one in "bc"])
        found.append(
            await workflow.execute_local_activity(charge, args=["order", 1.0], retry_policy=FAST, summary="it", **limit)
        )
        try:
            await workflow.execute_local_activity(decline, **limit)
        except ApplicationError as error:
            found.append(str(error))
        await asyncio.sleep(0.001)
        return found


@workflow.defn
class Continued:
    """Goes on as new with arguments, memo and search attributes; the second run is recorded."""

    @workflow.run
    async def run(self, number: int) -> list[Any]:
        if number == 1:
            await asyncio.sleep(0.001)
            workflow.continue_as_new(2, memo={"step": 2}, run_timeout=MINUTE)
        info = workflow.info()
        workflow.upsert_search_attributes([NOTE.value_set("two"), COUNT.value_set(2)])
        workflow.upsert_search_attributes([NOTE.value_unset()])
        workflow.upsert_memo({"step": 3, "note": "more"})
        await asyncio.sleep(0.001)
        return [number, info.continued_run_id is not None, workflow.memo_value("step")]


@workflow.defn
class First:
    """Continues as new; this run is recorded."""

    @workflow.run
    async def run(self, number: int) -> int:
        workflow.upsert_memo({"step": number})
        await workflow.execute_activity(validate, "x", start_to_close_timeout=MINUTE)
        if number == 1:
            workflow.continue_as_new(2)
        return number


@workflow.defn
class Periodic:
    """Runs by a cron schedule; each run sees the result of the one before."""

    @workflow.run
    async def run(self) -> int:
        last = workflow.get_last_completion_result(int) or 0
        await asyncio.sleep(0.001)
        return last + 1


@workflow.defn
class Reset:
    """Is reset to its first task and does its work again; the second run is recorded."""

    @workflow.run
    async def run(self) -> list[Any]:
        before = workflow.random_seed()
        await workflow.execute_activity(validate, "first", start_to_close_timeout=MINUTE)
        await asyncio.sleep(0.001)
        changed = workflow.random_seed() != before
        await workflow.execute_activity(validate, str(changed), start_to_close_timeout=MINUTE)
        return [changed]


@workflow.defn
class Deprecated:
    """Patches that are asked for twice and deprecated."""

    @workflow.run
    async def run(self) -> bool:
        workflow.deprecate_patch("gone")
        found = workflow.patched("kept") and workflow.patched("kept")
        await asyncio.sleep(0.001)
        workflow.deprecate_patch("gone")
        return found


FLOWS = [
    *(Order, Fan, Approval, Refused, Cancelled, Patched),
    *(Parent, Updated, Local, Continued, First, Periodic, Reset, Deprecated),
]
CHILDREN = [Item]
