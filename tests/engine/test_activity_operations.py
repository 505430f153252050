"""What operators do to pending activities (rules 3.1.5, 3.2.2 and 3.2.12), on the engine alone."""

from __future__ import annotations

from typing import Any

import pytest
from brain import SECOND, Brain, command, payloads, schedule_activity, seconds

from outlast.api.activity.v1 import ActivityOptions
from outlast.api.common.v1 import SearchAttributes
from outlast.api.enums import v1 as e
from outlast.api.protobuf import FieldMask
from outlast.engine.effects import OfferActivityTask
from outlast.engine.execution import activity_operations as operations
from outlast.engine.execution import describe, due
from outlast.vocab.errors import InvalidArgument, NotFound


def begun(**attributes: Any) -> Brain:
    """A run with one scheduled activity."""
    brain = Brain()
    brain.turn(schedule_activity(**attributes))
    return brain


def pause(brain: Brain) -> None:
    brain.operate(lambda _, pending, now: operations.pause(pending, now, identity="operator", reason="bad key"))


def unpause(brain: Brain, delay: float = 0, attempts: bool = False, heartbeat: bool = False) -> None:
    brain.operate(
        lambda _, pending, now: operations.unpause(
            pending, now, delay_ns=int(delay * SECOND), reset_attempts=attempts, reset_heartbeat=heartbeat
        )
    )


def reset(
    brain: Brain, delay: float = 0, heartbeat: bool = False, keep_paused: bool = False, restore: bool = False
) -> None:
    brain.operate(
        lambda _, pending, now: operations.reset(
            pending,
            now,
            delay_ns=int(delay * SECOND),
            reset_heartbeat=heartbeat,
            keep_paused=keep_paused,
            restore=restore,
        )
    )


def update(brain: Brain, *paths: str, **options: Any) -> None:
    mask = FieldMask(paths=paths or list(options))
    brain.operate(
        lambda state, pending, now: operations.update_options(state, pending, ActivityOptions(**options), mask, now)
    )


def shown(brain: Brain) -> Any:
    (pending,) = describe.describe(brain.state).pending_activities
    return pending


def pause_info(brain: Brain) -> bytes:
    return SearchAttributes.FromString(brain.state.search_attributes).indexed_fields["TemporalPauseInfo"].data


# -- pause -------------------------------------------------------------------------------------------------------


def test_a_paused_activity_is_not_handed_out_and_has_no_deadlines() -> None:
    brain = begun(schedule_to_start_timeout=seconds(5), schedule_to_close_timeout=seconds(60))
    pause(brain)
    assert not brain.start_activity()
    assert brain.wakes_in is None and due.outstanding(brain.state) == [] and not due.has_open_work(brain.state)
    assert not due.under_way(brain.state)
    brain.tick(3600)
    assert brain.names[-1] == "ActivityTaskScheduled"
    pending = shown(brain)
    assert pending.state == e.PENDING_ACTIVITY_STATE_PAUSED and pending.paused
    assert (pending.pause_info.manual.identity, pending.pause_info.manual.reason) == ("operator", "bad key")
    assert pending.pause_info.pause_time.seconds == brain.now // SECOND - 3600
    assert pause_info(brain) == b'["property:activityType=charge"]'


def test_the_second_pause_changes_nothing() -> None:
    brain = begun()
    pause(brain)
    before = brain.activity
    brain.now += SECOND
    brain.operate(lambda _, pending, now: operations.pause(pending, now, identity="other", reason="too"))
    assert brain.activity == before


def test_an_attempt_that_runs_may_finish() -> None:
    brain = begun(start_to_close_timeout=seconds(10))
    brain.start_activity()
    pause(brain)
    assert shown(brain).state == e.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED
    brain.tick(11)
    brain.complete_activity()
    assert brain.names[-2] == "ActivityTaskCompleted"
    assert pause_info(brain) == b""


def test_a_failure_while_paused_leaves_the_next_attempt_waiting_whatever_their_number() -> None:
    brain = begun(retry_policy={"maximum_attempts": 1})
    brain.start_activity()
    pause(brain)
    brain.fail_activity()
    assert brain.activity.attempt == 2 and not brain.activity.started and brain.wakes_in is None
    assert not shown(brain).HasField("next_attempt_schedule_time")
    unpause(brain)
    assert brain.effects == [OfferActivityTask("orders", 5, 2, 0)]
    assert brain.start_activity()
    brain.fail_activity()
    assert brain.events[-2].activity_task_failed_event_attributes.retry_state == (
        e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    )


def test_a_failure_for_good_is_one_even_while_paused() -> None:
    brain = begun()
    brain.start_activity()
    pause(brain)
    brain.fail_activity(non_retryable=True)
    assert brain.names[-2] == "ActivityTaskFailed"


def test_a_backoff_that_is_paused_does_not_end_by_itself() -> None:
    brain = begun()
    brain.start_activity()
    brain.fail_activity()
    pause(brain)
    brain.tick(100)
    assert brain.effects == [] and not brain.start_activity()
    unpause(brain)
    assert brain.effects == [OfferActivityTask("orders", 5, 2, 0)] and brain.start_activity()


def test_an_attempt_whose_process_died_while_it_was_paused_waits() -> None:
    brain = begun(retry_policy={"maximum_attempts": 1})
    brain.start_activity(process="embedded")
    pause(brain)
    brain.recover()
    assert brain.activity.attempt == 2 and due.outstanding(brain.state) == []


def test_a_paused_activity_that_nobody_has_is_cancelled_at_once() -> None:
    brain = begun()
    pause(brain)
    brain.signal()
    brain.turn(command(e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=5))
    assert "ActivityTaskCanceled" in brain.names and pause_info(brain) == b""


# -- unpause -----------------------------------------------------------------------------------------------------


def test_what_goes_on_is_offered_now_or_after_the_jitter() -> None:
    brain = begun()
    pause(brain)
    unpause(brain, delay=7)
    assert brain.effects == [] and brain.wakes_in == 7 and pause_info(brain) == b""
    brain.tick(7)
    assert brain.effects == [OfferActivityTask("orders", 5, 1, 0)]


def test_what_is_not_paused_is_not_offered_twice() -> None:
    brain = begun()
    unpause(brain)
    assert brain.effects == [] and brain.activity.operations is None


def test_unpausing_can_begin_the_attempts_anew_and_drop_the_heartbeat() -> None:
    brain = begun()
    brain.start_activity()
    brain.heartbeat(b"7")
    brain.fail_activity()
    pause(brain)
    unpause(brain, attempts=True, heartbeat=True)
    assert brain.activity.attempt == 1 and brain.activity.heartbeat_details == b""


def test_schedule_to_start_begins_again_when_it_goes_on() -> None:
    brain = begun(schedule_to_start_timeout=seconds(5))
    pause(brain)
    brain.now += 60 * SECOND
    unpause(brain)
    assert brain.wakes_in == 5


# -- reset -------------------------------------------------------------------------------------------------------


def test_a_backoff_that_is_reset_ends_and_the_attempts_begin_at_one() -> None:
    brain = begun(schedule_to_close_timeout=seconds(100))
    brain.start_activity()
    brain.heartbeat(b"7")
    brain.fail_activity()
    brain.now += SECOND // 2
    reset(brain)
    assert brain.effects == [OfferActivityTask("orders", 5, 1, 0)]
    assert brain.activity.heartbeat_details == payloads(b"7").SerializeToString()
    assert brain.wakes_in == 100
    assert brain.start_activity()


def test_a_running_attempt_goes_on_and_the_next_is_the_first() -> None:
    brain = begun(retry_policy={"maximum_attempts": 2})
    brain.start_activity()
    brain.fail_activity()
    brain.tick(1)
    brain.start_activity()
    brain.heartbeat(b"7")
    reset(brain, heartbeat=True)
    assert brain.effects == [] and brain.activity.started and brain.activity.operations
    assert brain.activity.operations.reset_requested
    brain.fail_activity()
    brain.tick(0)
    assert brain.effects == [OfferActivityTask("orders", 5, 1, 0)]
    assert brain.activity.heartbeat_details == b"" and not brain.activity.operations.reset_requested


def test_a_reset_lets_a_paused_activity_go_on_unless_it_is_to_stay_paused() -> None:
    brain = begun()
    pause(brain)
    reset(brain, keep_paused=True)
    assert brain.activity.paused and brain.effects == []
    reset(brain, delay=3)
    assert not brain.activity.paused and brain.wakes_in == 3 and pause_info(brain) == b""


def test_a_reset_can_restore_the_original_options() -> None:
    brain = begun()
    update(brain, start_to_close_timeout=seconds(99), task_queue={"name": "elsewhere"})
    reset(brain, restore=True)
    assert brain.activity.start_to_close_ns == 10 * SECOND
    assert brain.effects == [OfferActivityTask("orders", 5, 1, 0)]


# -- options -----------------------------------------------------------------------------------------------------


def test_a_running_attempt_gets_another_deadline() -> None:
    brain = begun()
    brain.start_activity()
    update(brain, start_to_close_timeout=seconds(30), heartbeat_timeout=seconds(20))
    assert brain.wakes_in == 20
    options = operations.options_of(brain.activity)
    assert options.start_to_close_timeout.seconds == 30 and options.task_queue.name == "orders"
    assert shown(brain).activity_options == options


def test_only_what_the_mask_names_is_changed() -> None:
    brain = begun(retry_policy={"maximum_attempts": 3, "non_retryable_error_types": ["Declined"]})
    update(
        brain,
        "retry_policy.maximum_attempts",
        retry_policy={"maximum_attempts": 9, "backoff_coefficient": 5},
        start_to_close_timeout=seconds(99),
    )
    options = operations.options_of(brain.activity)
    assert options.retry_policy.maximum_attempts == 9 and options.retry_policy.backoff_coefficient == 2
    assert options.retry_policy.non_retryable_error_types == ["Declined"]
    assert options.start_to_close_timeout.seconds == 10


def test_an_offer_moves_to_the_new_queue_and_counts_in_the_old_one_no_more() -> None:
    brain = begun()
    update(brain, task_queue={"name": "elsewhere"}, priority={"priority_key": 1})
    assert brain.effects == [OfferActivityTask("elsewhere", 5, 1, 1)]
    assert not brain.start_activity(queue="orders") and brain.start_activity(queue="elsewhere")


def test_a_backoff_gets_the_length_that_the_new_policy_gives_it() -> None:
    brain = begun(retry_policy={"initial_interval": seconds(100)})
    brain.start_activity()
    brain.fail_activity()
    brain.now += 10 * SECOND
    update(brain, "retry_policy.initial_interval", retry_policy={"initial_interval": seconds(30)})
    assert brain.wakes_in == 20
    update(brain, "retry_policy.initial_interval", retry_policy={"initial_interval": seconds(5)})
    assert brain.effects == [OfferActivityTask("orders", 5, 2, 0)]


def test_the_original_options_come_back() -> None:
    brain = begun(priority={"priority_key": 2})
    before = operations.options_of(brain.activity)
    update(brain, start_to_close_timeout=seconds(99))
    update(brain, task_queue={"name": "elsewhere"}, retry_policy={"maximum_attempts": 4})
    brain.operate(lambda _, pending, now: operations.restore_options(pending, now))
    assert operations.options_of(brain.activity) == before
    assert brain.effects == [OfferActivityTask("orders", 5, 1, 2)]


@pytest.mark.parametrize(
    ("paths", "options", "message"),
    [
        ((), {}, "update_mask is empty"),
        (("colour",), {}, "cannot be changed"),
        (("start_delay",), {"start_delay": seconds(5)}, "cannot be changed"),
        (("start_to_close_timeout", "schedule_to_close_timeout"), {}, "set start_to_close_timeout"),
        (("heartbeat_timeout",), {"heartbeat_timeout": {"seconds": -1}}, "below zero"),
        (("retry_policy.backoff_coefficient",), {"retry_policy": {"backoff_coefficient": 0.5}}, "below 1"),
    ],
)
def test_options_that_cannot_be_are_refused(paths: tuple[str, ...], options: dict[str, Any], message: str) -> None:
    brain = begun()
    before = brain.activity
    mask = FieldMask(paths=paths)
    with pytest.raises(InvalidArgument, match=message):
        operations.update_options(brain.state, before, ActivityOptions(**options), mask, brain.now)


# -- which -------------------------------------------------------------------------------------------------------


def test_activities_are_named_by_id_by_type_or_all() -> None:
    brain = Brain()
    brain.turn(schedule_activity("1"), schedule_activity("2", activity_type={"name": "ship"}), schedule_activity("3"))

    def select(activity_id: str = "", type_name: str = "", every: bool = False) -> list[int]:
        return list(operations.select(brain.state, activity_id=activity_id, type_name=type_name, every=every))

    assert select("2") == [6] and select(type_name="charge") == [5, 7] and select(every=True) == [5, 6, 7]
    for missing in ({"activity_id": "9"}, {"type_name": "fly"}):
        with pytest.raises(NotFound):
            select(**missing)
    with pytest.raises(InvalidArgument, match="no activity is named"):
        select()
