"""``outlast schedule`` against a real server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from cli_stage import QUEUE, Stage

ACTION = ("--type", "Payment", "-t", QUEUE, "-i", "7")
HOURLY = ("--interval", "1h", "--paused")


@pytest.fixture
def name(stage: Stage) -> Iterator[str]:
    """The id of a schedule, which is deleted at the end."""
    name = f"s-{uuid.uuid4().hex[:8]}"
    yield name
    stage.run("schedule", "delete", "-s", name)


def test_everything_that_create_takes(stage: Stage, name: str) -> None:
    stage.ok(
        *("schedule", "create", "-s", name, *ACTION, "-w", "order"),
        *("--cron", "30 12 * * Fri", "--calendar", '{"hour": "9-17/4", "dayOfWeek": "1-5", "comment": "office"}'),
        *("--interval", "90m/15m", "--time-zone", "Europe/Berlin", "--jitter", "10s"),
        *("--start-time", "2050-01-01T00:00:00Z", "--end-time", "2060-01-01T00:00:00Z"),
        *("--catchup-window", "1h", "--pause-on-failure", "--paused", "--notes", "not yet", "--remaining-actions", "5"),
        *("--overlap-policy", "BufferAll", "--schedule-memo", 'owner="ops"', "--execution-timeout", "1d"),
        *("--memo", 'team="paper"', "--static-summary", "an order", "--priority-key", "2"),
    )
    found = stage.json("schedule", "describe", "-s", name)
    schedule = found["schedule"]
    assert schedule["action"]["startWorkflow"]["workflowExecutionTimeout"] == "86400s"
    assert schedule["action"]["startWorkflow"]["memo"]["fields"]["team"] == "paper"
    assert schedule["policies"] == {
        "overlapPolicy": "SCHEDULE_OVERLAP_POLICY_BUFFER_ALL",
        "catchupWindow": "3600s",
        "pauseOnFailure": True,
    }
    assert schedule["state"] == {"notes": "not yet", "paused": True, "limitedActions": True, "remainingActions": "5"}
    assert len(schedule["spec"]["structuredCalendar"]) == 2
    text = stage.ok("schedule", "describe", "-s", name, "--time-format", "iso")
    for line in (
        "hour=9-17/4 dayOfWeek=1-5 # office",
        "minute=30 hour=12 dayOfWeek=5",
        "every 1h30m from 15m",
        "TimeZoneName      Europe/Berlin",
        "OverlapPolicy     BufferAll",
        "NextRunTime       2050-01-01T",
        "RemainingActions  5",
        'Memo              {"owner":"ops"}',
        "ActionCounts      0 taken, 0 missed, 0 skipped",
    ):
        assert line in text, line


def test_a_trigger_and_a_backfill_start_workflows(stage: Stage, name: str) -> None:
    stage.ok("schedule", "create", "-s", name, *ACTION, *HOURLY)
    assert stage.ok("schedule", "trigger", "-s", name, "--overlap-policy", "AllowAll") == "Trigger request sent\n"
    stretch = ("--start-time", "2020-01-01T10:00:00Z", "--end-time", "2020-01-01T12:00:00Z")
    said = stage.ok("schedule", "backfill", "-s", name, *stretch, "--overlap-policy", "BufferAll")
    assert said == "Backfill request sent\n"
    while stage.json("schedule", "describe", "-s", name)["info"].get("actionCount") != "4":
        pass
    for hour in (10, 11, 12):
        stage.until(f"{name}-2020-01-01T{hour}:00:00Z", lambda d: d.workflow_execution_info.HasField("close_time"))
    text = stage.ok("schedule", "describe", "-s", name)
    assert "Recent actions:" in text
    assert f"{name}-2020-01-01T12:00:00Z" in text


def test_toggle_update_and_delete(stage: Stage, name: str) -> None:
    stage.ok("schedule", "create", "-s", name, *ACTION, *HOURLY)
    assert stage.ok("schedule", "toggle", "-s", name, "--unpause") == "Schedule unpaused\n"
    state = stage.json("schedule", "describe", "-s", name)["schedule"]["state"]
    assert state == {"notes": "(no reason provided)"}
    stage.ok("schedule", "toggle", "-s", name, "--pause", "--reason", "lunch")
    assert stage.json("schedule", "describe", "-s", name)["schedule"]["state"] == {"notes": "lunch", "paused": True}
    assert "one of --pause and --unpause" in stage.run("schedule", "toggle", "-s", name).stderr
    assert stage.ok("schedule", "update", "-s", name, *ACTION, "--cron", "@daily", "--paused") == "Schedule updated\n"
    spec = stage.json("schedule", "describe", "-s", name)["schedule"]["spec"]
    assert "interval" not in spec and len(spec["structuredCalendar"]) == 1
    assert stage.ok("schedule", "delete", "-s", name) == "Schedule deleted\n"
    assert f"no schedule '{name}'" in stage.refused("schedule", "describe", "-s", name)


def test_lists(stage: Stage, name: str) -> None:
    stage.ok("schedule", "create", "-s", name, *ACTION, *HOURLY, "--notes", "not yet")
    query = ("-q", f"ScheduleId = '{name}'")
    header, row = stage.ok("schedule", "list", *query).splitlines()
    assert header.split() == ["ScheduleId", "Action", "Paused", "NextRunTime", "LastRunTime"]
    assert row.split()[:3] == [name, "Payment", "true"]
    header, row = stage.ok("schedule", "list", *query, "--really-long").splitlines()
    assert "every 1h" in row and "not yet" in row and "TimeZoneName" in header
    (entry,) = stage.json("schedule", "list", *query)
    assert entry["scheduleId"] == name
    assert len(entry["info"]["futureActionTimes"]) == 5
    assert "schedules are found by" in stage.refused("schedule", "list", "-q", "WorkflowType = 'x'")


def test_matching_times(stage: Stage, name: str) -> None:
    stage.ok("schedule", "create", "-s", name, *ACTION, "--cron", "30 2 * * *", "--time-zone", "America/New_York")
    stretch = ("--start-time", "2024-03-09T00:00:00Z", "--end-time", "2024-03-12T00:00:00Z")
    said = stage.ok("schedule", "list-matching-times", "-s", name, *stretch)
    assert said.split() == ["Time", "2024-03-09T07:30:00Z", "2024-03-11T06:30:00Z"], "on the 10th clocks leave it out"
    found = stage.json("schedule", "list-matching-times", "-s", name, *stretch)
    assert found == {"startTime": ["2024-03-09T07:30:00Z", "2024-03-11T06:30:00Z"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--calendar", '{"hours": "9"}'), "--calendar"),
        (("--calendar", "9"), "--calendar"),
        (("--interval", "soon"), "is no duration"),
        (("--start-time", "tomorrow"), "is no time"),
        (("--cron", "1 2 3"), "3 fields"),
        (("--time-zone", "Mars/Base", "--cron", "@daily"), "no time zone 'Mars/Base'"),
        (("--overlap-policy", "Maybe"), "Maybe"),
    ],
)
def test_bad_input(stage: Stage, name: str, words: tuple[str, ...], message: str) -> None:
    done = stage.run("schedule", "create", "-s", name, *ACTION, *words)
    assert done.exit_code != 0
    assert message in done.stderr


def test_a_schedule_is_created_once(stage: Stage, name: str) -> None:
    stage.ok("schedule", "create", "-s", name, *ACTION, *HOURLY)
    assert "already registered" in stage.refused("schedule", "create", "-s", name, *ACTION, *HOURLY)
