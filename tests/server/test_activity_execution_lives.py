"""Random lives of standalone activities: whatever clients, operators, workers, time and crashes do, the laws hold.

A failure names its seed and the steps that led to it; ``Alone(seed).run()`` repeats it.
"""

from __future__ import annotations

from typing import Any

import pytest
from brain import seconds
from hand_driven import settle
from life import Life

from outlast.api.enums import v1 as e
from outlast.server import visibility
from outlast.vocab.divisions import ACTIVITIES, kind_of

WEIGHTS = {
    "begin": 10,
    "cancel_alone": 3,
    "terminate_alone": 1,
    "delete_alone": 1,
    "operate_alone": 14,
    "poll_activity": 16,
    "heartbeat": 4,
    "complete_activity": 4,
    "fail_activity": 10,
    "cancel_activity": 2,
    "pass_time": 12,
    "pass_to_deadline": 4,
    "crash": 2,
}


class Alone(Life):
    """A node where there are no workflows."""

    weights = WEIGHTS

    def activity_id(self) -> str:
        return f"ship-{self.random.randrange(4)}"

    def request_id(self) -> dict[str, str]:
        return {"request_id": f"request-{self.random.randrange(30)}"}

    async def begin(self) -> str:
        activity_id = self.activity_id()
        fields = self.maybe(
            start_delay=seconds(self.random.choice([1, 10])),
            schedule_to_close_timeout=seconds(self.random.choice([5, 30])),
            schedule_to_start_timeout=seconds(3),
            heartbeat_timeout=seconds(4),
            id_conflict_policy=e.ACTIVITY_ID_CONFLICT_POLICY_USE_EXISTING,
            id_reuse_policy=self.random.choice([1, 2, 3]),
            on_conflict_options={"attach_links": True},
            links=[{"workflow_event": {"workflow_id": "order-42"}}],
        )
        policy = {"initial_interval": seconds(1), "maximum_attempts": self.random.choice([0, 1, 3])}
        started = await self.server.call(
            "StartActivityExecution",
            activity_id=activity_id,
            activity_type={"name": "Ship"},
            task_queue={"name": "orders"},
            start_to_close_timeout=seconds(20),
            retry_policy=policy,
            **self.request_id(),
            **fields,
        )
        return f"{activity_id} {sorted(fields)} {started.started}"

    async def _ask(self, rpc: str, **fields: Any) -> str:
        activity_id = self.activity_id()
        await self.server.call(rpc, activity_id=activity_id, **fields)
        return f"{rpc} {activity_id} {sorted(fields)}"

    async def cancel_alone(self) -> str:
        return await self._ask("RequestCancelActivityExecution", **self.request_id())

    async def terminate_alone(self) -> str:
        return await self._ask("TerminateActivityExecution", **self.request_id())

    async def delete_alone(self) -> str:
        return await self._ask("DeleteActivityExecution")

    async def operate_alone(self) -> str:
        options = {
            "start_delay": seconds(self.random.choice([0, 5, 20])),
            "heartbeat_timeout": seconds(self.random.choice([0, 3])),
            "retry_policy": {"initial_interval": seconds(4), "backoff_coefficient": 1, "maximum_attempts": 2},
        }
        paths = self.random.sample(sorted(options), 2)
        rpc, fields = self.random.choice(
            [
                ("PauseActivityExecution", {}),
                ("PauseActivityExecution", {}),
                ("UnpauseActivityExecution", {}),
                ("ResetActivityExecution", self.maybe(keep_paused=True, reset_heartbeat=True)),
                ("ResetActivityExecution", {"restore_original_options": True}),
                ("UpdateActivityExecutionOptions", {"restore_original": True}),
                (
                    "UpdateActivityExecutionOptions",
                    {"activity_options": options, "update_mask": {"paths": paths}},
                ),
            ]
        )
        return await self._ask(rpc, **fields, **self.request_id())

    async def check(self) -> None:
        """The laws of every run; and nobody but an activity is there, which lists show as it is described."""
        await super().check()
        listed = {info.run_id: info for info in (await self.server.call("ListActivityExecutions")).executions}
        for run in self.server.node.runs.all():
            assert kind_of(run.key.namespace_id) == ACTIVITIES
            state = run.state
            assert state.task is None and len(state.activities) == (1 if state.running else 0)
            answer = await self.server.call(
                "DescribeActivityExecution", activity_id=state.workflow_id, run_id=state.run_id, include_outcome=True
            )
            info, row = answer.info, listed.pop(state.run_id)
            assert answer.HasField("outcome") == (not state.running)
            assert (info.status, info.task_queue, info.execution_time) == (
                row.status,
                row.task_queue,
                row.execution_time,
            )
            assert visibility.row(state).status == info.status
            paused = info.status == e.ACTIVITY_EXECUTION_STATUS_PAUSED
            assert paused == (info.run_state == e.PENDING_ACTIVITY_STATE_PAUSED)

    async def end_all(self) -> None:
        """Workers that complete what they get, and an operator who unpauses, bring all to an end: nothing was lost."""
        for _ in range(100):
            running = [run.state for run in self.server.node.runs.all() if run.state.running]
            if not running:
                return
            for state in running:
                if any(activity.paused for activity in state.activities.values()):
                    await self.server.call("UnpauseActivityExecution", activity_id=state.workflow_id)
            await settle()
            while (task := await self._polled("PollActivityTaskQueue", "orders")) is not None:
                await self.server.call("RespondActivityTaskCompleted", task_token=task.task_token)
            await self.step("pass_to_deadline")
        raise AssertionError(f"seed {self.seed}: {running} do not end, after\n" + "\n".join(self.steps))


@pytest.mark.parametrize("seed", range(8))
async def test_the_laws_hold_in_a_random_life(seed: int) -> None:
    await Alone(seed).run()
