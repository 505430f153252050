"""The clock that jumps: days pass at once, never while something is under way, and each environment has its own."""

from __future__ import annotations

import asyncio
import builtins
import time
from datetime import timedelta
from typing import Any

import pytest

from outlast import activity, workflow
from outlast.client import WorkflowFailureError
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError, TimeoutError
from outlast.testing import StuckError, WorkflowEnvironment, WorkflowTaskFailedError
from outlast.worker import Worker
from outlast.workflow import NondeterminismError

QUEUE = "tests"
LIMIT = timedelta(seconds=30)


@activity.defn
async def send_email(user_id: str) -> str:
    return f"sent to {user_id}"


@activity.defn
async def fail_until_the_tenth() -> int:
    if activity.info().attempt < 10:
        raise ApplicationError("not yet")
    return activity.info().attempt


@activity.defn
async def sleep_really(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "slept"


@workflow.defn
class Subscription:
    """Two emails, a week and a day apart."""

    def __init__(self) -> None:
        self.cancelled = False

    @workflow.signal
    def cancel_it(self) -> None:
        self.cancelled = True

    @workflow.query
    def is_cancelled(self) -> bool:
        return self.cancelled

    @workflow.run
    async def run(self, user_id: str) -> float:
        begin = workflow.now()
        await workflow.execute_activity(send_email, user_id, start_to_close_timeout=LIMIT)
        await workflow.sleep(timedelta(days=7))
        await workflow.execute_activity(send_email, user_id, start_to_close_timeout=LIMIT)
        await workflow.sleep(timedelta(days=1))
        await workflow.execute_activity(send_email, user_id, start_to_close_timeout=LIMIT)
        return (workflow.now() - begin) / timedelta(days=1)


@workflow.defn
class Approval:
    """Waits for two days."""

    def __init__(self) -> None:
        self.approved = False

    @workflow.signal
    def approve(self) -> None:
        self.approved = True

    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: self.approved, timeout=timedelta(hours=48))
        except builtins.TimeoutError:
            return "too late"
        return "approved"


@workflow.defn
class Retried:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(
            fail_until_the_tenth,
            start_to_close_timeout=LIMIT,
            retry_policy=RetryPolicy(initial_interval=timedelta(minutes=1), backoff_coefficient=2),
        )


@workflow.defn
class RacesATimer:
    """An activity that really takes its time, beside a timer that would let time jump past its timeout."""

    @workflow.run
    async def run(self) -> str:
        timer = asyncio.create_task(workflow.sleep(timedelta(days=1)))
        result = await workflow.execute_activity(sleep_really, 0.2, start_to_close_timeout=timedelta(seconds=20))
        await timer
        return result


@workflow.defn
class WaitsForEver:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@workflow.defn
class Asserts:
    @workflow.run
    async def run(self) -> None:
        assert workflow.info().attempt == 2, "this is the first attempt"


@workflow.defn
class Breaks:
    @workflow.run
    async def run(self) -> None:
        raise KeyError("nobody expects this")


@workflow.defn
class Diverges:
    runs = 0

    @workflow.run
    async def run(self) -> None:
        Diverges.runs += 1
        await workflow.sleep(60)
        if Diverges.runs > 1:
            await workflow.sleep(60)


WORKFLOWS = [Subscription, Approval, Retried, RacesATimer, WaitsForEver, Asserts, Breaks, Diverges]


def worker(env: WorkflowEnvironment, queue: str = QUEUE) -> Worker:
    return Worker(
        env.client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=[send_email, fail_until_the_tenth, sleep_really],
    )


async def test_eight_days_pass_at_once() -> None:
    begin = time.monotonic()
    async with await WorkflowEnvironment.start_time_skipping() as env, worker(env):
        days = await env.client.execute_workflow(Subscription.run, "u", id="s", task_queue=QUEUE)
        assert days >= 8
        assert time.monotonic() - begin < 60  # not eight days


async def test_a_timeout_of_days_comes_and_a_signal_comes_before_it() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env, worker(env):
        assert await env.client.execute_workflow(Approval.run, id="a", task_queue=QUEUE) == "too late"
        handle = await env.client.start_workflow(Approval.run, id="b", task_queue=QUEUE)
        await env.sleep(timedelta(hours=47))
        await handle.signal(Approval.approve)
        assert await handle.result() == "approved"


async def test_retries_do_not_wait() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env, worker(env):
        begin = await env.get_current_time()
        assert await env.client.execute_workflow(Retried.run, id="r", task_queue=QUEUE) == 10
        # 1, 2, 4 ... 64 minutes, then twice the default maximum of 100 times the first.
        assert await env.get_current_time() - begin >= timedelta(minutes=127 + 200)


async def test_activities_without_a_workflow_do_not_wait_either() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env, worker(env):
        begin = await env.get_current_time()
        delayed = await env.client.execute_activity(
            send_email, "u", id="d", task_queue=QUEUE, start_to_close_timeout=LIMIT, start_delay=timedelta(days=3)
        )
        assert delayed == "sent to u"
        assert await env.get_current_time() - begin >= timedelta(days=3)
        retried = await env.client.execute_activity(
            fail_until_the_tenth,
            id="r",
            task_queue=QUEUE,
            start_to_close_timeout=LIMIT,
            retry_policy=RetryPolicy(initial_interval=timedelta(hours=1), backoff_coefficient=1),
        )
        assert retried == 10
        assert await env.get_current_time() - begin >= timedelta(days=3, hours=9)


async def test_time_does_not_jump_while_an_activity_without_a_workflow_runs() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env, worker(env):
        slept = await env.client.execute_activity(
            sleep_really, 0.2, id="s", task_queue=QUEUE, start_to_close_timeout=timedelta(seconds=20)
        )
        assert slept == "slept"


async def test_time_does_not_jump_while_an_activity_runs() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env, worker(env):
        assert await env.client.execute_workflow(RacesATimer.run, id="t", task_queue=QUEUE) == "slept"


async def test_time_passes_as_on_the_wall_while_nobody_waits() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env, worker(env):
        handle = await env.client.start_workflow(Subscription.run, "u", id="s", task_queue=QUEUE)
        begin = await env.get_current_time()
        assert await handle.query(Subscription.is_cancelled) is False
        assert await env.get_current_time() - begin < timedelta(hours=1)
        with env.auto_time_skipping_disabled():
            waiting = asyncio.create_task(handle.result())
            await asyncio.sleep(0.05)
            assert not waiting.done()
        waiting.cancel()


async def test_each_environment_has_its_own_time() -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping() as one,
        await WorkflowEnvironment.start_time_skipping() as other,
    ):
        await one.sleep(timedelta(days=3))
        assert await one.get_current_time() - await other.get_current_time() > timedelta(days=2)


async def test_a_failed_assertion_fails_the_test() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env, worker(env):
        with pytest.raises(WorkflowFailureError) as caught:
            await env.client.execute_workflow(Asserts.run, id="w", task_queue=QUEUE)
        assert "this is the first attempt" in str(caught.value.cause)


async def test_a_failing_workflow_task_is_raised_with_its_traceback() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env, worker(env):
        with pytest.raises(WorkflowTaskFailedError, match=r"(?s)Breaks 'w'.*KeyError.*nobody expects this") as caught:
            await env.client.execute_workflow(Breaks.run, id="w", task_queue=QUEUE)
        assert "test_time_skipping.py" in str(caught.value)
        assert isinstance(caught.value.__cause__, ApplicationError)


async def test_a_divergence_is_raised_from_the_result() -> None:
    Diverges.runs = 0
    async with await WorkflowEnvironment.start_time_skipping() as env, worker(env):
        with pytest.raises(NondeterminismError):
            await env.client.execute_workflow(Diverges.run, id="w", task_queue=QUEUE)


async def test_a_divergence_nobody_waited_for_is_raised_at_the_end() -> None:
    Diverges.runs = 0
    env = await WorkflowEnvironment.start_time_skipping()
    async with worker(env):
        await env.client.start_workflow(Diverges.run, id="w", task_queue=QUEUE)
        await env.sleep(61)
    with pytest.raises(NondeterminismError):
        await env.shutdown()


async def test_both_checks_can_be_switched_off() -> None:
    Diverges.runs = 0
    async with (
        await WorkflowEnvironment.start_time_skipping(replay_completed=False, raise_task_failures=False) as env,
        worker(env),
    ):
        await env.client.execute_workflow(Diverges.run, id="w", task_queue=QUEUE)
        handle = await env.client.start_workflow(Breaks.run, id="b", task_queue=QUEUE)
        waiting = asyncio.create_task(handle.result())
        await asyncio.wait((waiting,), timeout=0.2)
        assert not waiting.done()
        await handle.terminate()
        with pytest.raises(WorkflowFailureError):
            await waiting


async def test_what_can_never_progress_says_what_waits_for_what() -> None:
    stuck = timedelta(milliseconds=100)
    async with await WorkflowEnvironment.start_time_skipping(stuck_after=stuck) as env, worker(env):
        with pytest.raises(StuckError, match=r"(?s)WaitsForEver 'w' waits for a signal.*test_time_skipping.py"):
            await env.client.execute_workflow(WaitsForEver.run, id="w", task_queue=QUEUE)
    async with await WorkflowEnvironment.start_time_skipping(stuck_after=stuck) as env:
        with pytest.raises(StuckError, match="nobody polls task queue 'nowhere' for workflow tasks"):
            await env.client.execute_workflow(WaitsForEver.run, id="w", task_queue="nowhere")


async def test_an_activity_that_nobody_runs_is_named() -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping(stuck_after=timedelta(milliseconds=100)) as env,
        Worker(env.client, task_queue=QUEUE, workflows=WORKFLOWS),
    ):
        with pytest.raises(StuckError, match="waits for activity 'send_email'"):
            await env.client.execute_workflow(Subscription.run, "u", id="w", task_queue=QUEUE)


async def test_an_activity_by_itself_jumps_over_its_delays() -> None:
    @activity.defn
    async def third_time() -> int:
        attempt = activity.info().attempt
        if attempt < 3:
            raise RuntimeError("not yet")
        return attempt

    options: dict[str, Any] = {"id": "a", "task_queue": QUEUE, "start_to_close_timeout": timedelta(seconds=10)}
    policy = RetryPolicy(initial_interval=timedelta(hours=1))
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue=QUEUE, activities=[third_time]),
    ):
        before = await env.get_current_time()
        assert (
            await env.client.execute_activity(
                third_time, start_delay=timedelta(hours=5), retry_policy=policy, **options
            )
            == 3
        )
        assert await env.get_current_time() - before >= timedelta(hours=8)


async def test_an_activity_by_itself_that_can_never_progress_is_named() -> None:
    options: dict[str, Any] = {"id": "a", "task_queue": "nowhere", "start_to_close_timeout": timedelta(hours=1)}
    async with await WorkflowEnvironment.start_time_skipping(stuck_after=timedelta(milliseconds=100)) as env:
        handle = await env.client.start_activity("charge", **options)
        with pytest.raises(StuckError, match=r"activity charge 'a' waits for a worker: nobody polls .*'nowhere'"):
            await handle.result()
        await handle.pause()
        with pytest.raises(StuckError, match="activity charge 'a' is paused, and nobody unpauses it"):
            await handle.result()


async def test_a_sleep_below_zero_is_refused() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with pytest.raises(ValueError, match="-1 s cannot pass"):
            await env.sleep(-1)


async def test_a_local_environment_keeps_the_walls_time() -> None:
    async with await WorkflowEnvironment.start_local() as env, worker(env):
        assert not env.supports_time_skipping
        with pytest.raises(WorkflowFailureError) as caught:
            await env.client.execute_workflow(
                Approval.run, id="a", task_queue=QUEUE, run_timeout=timedelta(milliseconds=50)
            )
        assert isinstance(caught.value.cause, TimeoutError)


async def test_a_start_to_close_timeout_needs_real_time() -> None:
    @workflow.defn(name="slow")
    class Slow:
        @workflow.run
        async def run(self) -> None:
            await workflow.execute_activity(
                sleep_really,
                60.0,
                start_to_close_timeout=timedelta(milliseconds=100),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )

    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue=QUEUE, workflows=[Slow], activities=[sleep_really]),
    ):
        with pytest.raises(WorkflowFailureError) as caught:
            await env.client.execute_workflow(Slow.run, id="w", task_queue=QUEUE)
    assert isinstance(caught.value.cause, ActivityError)
