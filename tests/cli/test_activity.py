"""Each verb about activities without a workflow against a real server."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest
from cli_stage import QUEUE, Stage, call, database

LIMIT = ("--start-to-close-timeout", "30s")


@pytest.fixture
def name() -> str:
    """An id that nobody else uses."""
    return f"a-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def waiting(stage: Stage, name: str) -> str:
    """An activity that no worker takes."""
    stage.ok("activity", "start", "-a", name, "--type", "charge", "-t", name, *LIMIT, "-i", "7")
    return name


@pytest.fixture
def at_the_shop(stage: Stage, name: str) -> str:
    """An activity that waits for somebody to end it."""
    stage.ok("activity", "start", "-a", name, "--type", "wait_for_the_shop", "-t", QUEUE, *LIMIT)
    while "lastStartedTime" not in stage.json("activity", "describe", "-a", name):
        pass
    return name


def test_start(stage: Stage, name: str) -> None:
    words = ("activity", "start", "-a", name, "--type", "charge", "-t", name, "--schedule-to-close-timeout", "1h")
    said = stage.ok(
        *words, "--schedule-to-start-timeout", "50m", "--heartbeat-timeout", "10s", "--start-delay", "100ms",
        "--start-to-close-timeout", "30m", "--retry-initial-interval", "2s", "--retry-maximum-interval", "3m",
        "--retry-backoff-coefficient", "1.5", "--retry-maximum-attempts", "4", "--static-summary", "a charge",
        "--static-details", "of money", "--priority-key", "2", "--fairness-key", "us", "--fairness-weight", "2.5",
        "--headers", 'trace="t1"', "-i", '{"amount": 7}', "-i", '"euro"',
    )  # fmt: skip
    lines = [line.split() for line in said.splitlines()]
    assert lines[0] == ["Running", "execution:"]
    assert [line[0] for line in lines[1:]] == ["ActivityId", "RunId", "Type", "Namespace", "TaskQueue"]
    assert lines[1][1] == name
    info = stage.json("activity", "describe", "-a", name, "-r", lines[2][1])
    assert info["scheduleToCloseTimeout"] == "3600s" and info["scheduleToStartTimeout"] == "3000s"
    assert info["heartbeatTimeout"] == "10s" and info["startToCloseTimeout"] == "1800s"
    assert info["startDelay"] == "0.100s"
    assert info["retryPolicy"] == {
        "initialInterval": "2s", "maximumInterval": "180s", "backoffCoefficient": 1.5, "maximumAttempts": 4,
    }  # fmt: skip
    assert info["userMetadata"] == {"summary": "a charge", "details": "of money"}
    assert info["priority"]["priorityKey"] == 2
    assert info["header"] == {"fields": {"trace": "t1"}}
    assert info["input"] == [{"amount": 7}, "euro"]


def test_ids_that_are_taken(stage: Stage, waiting: str) -> None:
    words = ("activity", "start", "-a", waiting, "--type", "charge", "-t", waiting, *LIMIT)
    assert "already" in stage.refused(*words)
    run_id = stage.json("activity", "describe", "-a", waiting)["runId"]
    assert stage.json(*words, "--id-conflict-policy", "UseExisting")["runId"] == run_id
    stage.ok("activity", "terminate", "-a", waiting)
    stage.refused(*words, "--id-reuse-policy", "RejectDuplicate")
    assert stage.json(*words, "--id-reuse-policy", "AllowDuplicateFailedOnly")["runId"] != run_id


def test_execute(stage: Stage, name: str) -> None:
    said = stage.ok("activity", "execute", "-a", name, "--type", "charge", "-t", QUEUE, *LIMIT, "-i", "7")
    assert "Running execution:" in said
    assert [line.split() for line in said.splitlines()[-4:]] == [
        ["Results:"], ["Status", "COMPLETED"], ["Result", "7"], ["ResultEncoding", "json/plain"],
    ]  # fmt: skip
    data = stage.json("activity", "result", "-a", name)
    assert (data["activityId"], data["status"], data["result"]) == (name, "COMPLETED", 7)
    assert data["runId"]


def test_execute_says_how_it_failed(stage: Stage, name: str) -> None:
    words = ("activity", "execute", "-a", name, "--type", "refuse", "-t", QUEUE, *LIMIT, "-i", "7")
    done = stage.run(*words, "--retry-maximum-attempts", "1")
    assert done.exit_code == 1
    assert "FAILED" in done.stdout and "RuntimeError: card declined for 7" in done.stdout
    failed = stage.run("activity", "result", "-a", name, "-o", "json")
    assert failed.exit_code == 1
    assert '"message": "card declined for 7"' in failed.stdout and '"status": "FAILED"' in failed.stdout
    described = stage.ok("activity", "describe", "-a", name)
    assert "Failed" in described and "1 of 1" in described and "card declined for 7" in described


def test_describe(stage: Stage, waiting: str) -> None:
    said = stage.ok("activity", "describe", "-a", waiting)
    assert "Running" in said and waiting in said and "Scheduled" in said and "StartToCloseTimeout" in said
    assert "Input" in said and "7" in said
    raw = stage.ok("activity", "describe", "-a", waiting, "--raw")
    assert "info.runState" in raw and "PENDING_ACTIVITY_STATE_SCHEDULED" in raw
    assert stage.json("activity", "describe", "-a", waiting, "--raw")["info"]["activityId"] == waiting


def test_list_and_count(stage: Stage, name: str) -> None:
    for number in range(3):
        stage.ok("activity", "start", "-a", f"{name}-{number}", "--type", "charge", "-t", name, *LIMIT)
    query = ("-q", f"TaskQueue = '{name}'")
    while stage.ok("activity", "count", *query) != "Total: 3\n":
        pass
    lines = [line.split() for line in stage.ok("activity", "list", *query).splitlines()]
    assert lines[0] == ["Status", "ActivityId", "Type", "StartTime"]
    assert [line[:3] for line in lines[1:]] == [["Running", f"{name}-{n}", "charge"] for n in (2, 1, 0)]
    assert len(stage.json("activity", "list", *query, "--limit", "2")) == 2
    assert len(stage.ok("activity", "list", *query, "--page-size", "1", "-o", "jsonl").splitlines()) == 3
    assert stage.json("activity", "count", *query)["count"] == "3"
    grouped = stage.ok("activity", "count", "-q", f"TaskQueue = '{name}' GROUP BY ExecutionStatus")
    assert grouped == 'Total: 3\nGroup total: 3, values: "Running"\n'
    assert stage.json("workflow", "count", *query).get("count", "0") == "0"
    assert "ActivityType" not in stage.refused("activity", "list", "-q", "Nonsense = 'x'")


@pytest.mark.parametrize(
    ("verb", "said", "status"),
    [("cancel", "Cancellation requested\n", "CANCELED"), ("terminate", "Activity terminated\n", "TERMINATED")],
)
def test_an_activity_is_ended(stage: Stage, waiting: str, verb: str, said: str, status: str) -> None:
    assert stage.ok("activity", verb, "-a", waiting, "--reason", "enough") == said
    done = stage.run("activity", "result", "-a", waiting)
    assert done.exit_code == 1 and status in done.stdout


def test_an_activity_is_deleted(stage: Stage, waiting: str) -> None:
    assert "Deleted execution:" in stage.ok("activity", "delete", "-a", waiting)
    while stage.run("activity", "describe", "-a", waiting).exit_code == 0:
        pass
    assert waiting in stage.refused("activity", "describe", "-a", waiting)
    why = stage.run("activity", "delete", "-a", waiting, "--reason", "x")
    assert why.exit_code == 2 and "--reason goes with --query" in why.stderr


@pytest.mark.parametrize("how", ["complete", "fail"])
def test_an_activity_is_ended_by_hand(stage: Stage, at_the_shop: str, how: str) -> None:
    if how == "complete":
        said = stage.ok("activity", "complete", "-a", at_the_shop, "--result", '"sent"')
        assert said == f"Activity {at_the_shop} completed\n"
        assert stage.json("activity", "result", "-a", at_the_shop)["result"] == "sent"
        return
    stage.ok("activity", "fail", "-a", at_the_shop, "--reason", "lost", "--detail", '{"by": "post"}')
    done = stage.run("activity", "result", "-a", at_the_shop)
    assert done.exit_code == 1 and "lost" in done.stdout


def test_an_activity_rests_and_goes_on(stage: Stage, waiting: str) -> None:
    one = ("-a", waiting)
    assert stage.ok("activity", "pause", *one, "--reason", "lunch") == f"Activity {waiting} paused\n"
    assert stage.json("activity", "describe", *one)["runState"] == "PENDING_ACTIVITY_STATE_PAUSED"
    assert stage.ok("activity", "unpause", *one, "--jitter", "1ms", "--reason", "back") == "Activity unpaused\n"
    assert stage.json("activity", "describe", *one)["runState"] == "PENDING_ACTIVITY_STATE_SCHEDULED"
    assert stage.ok("activity", "reset", *one, "--restore-original-options") == "Activity reset\n"
    changed = stage.json("activity", "update-options", *one, "--retry-maximum-attempts", "7", "--task-queue", "other")
    assert changed["activityOptions"]["retryPolicy"]["maximumAttempts"] == 7
    assert stage.json("activity", "describe", *one)["taskQueue"] == "other"
    said = stage.ok("activity", "update-options", *one, "--restore-original-options")
    assert "taskQueue.name" in said and waiting in said


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (("start", "-a", "x", "--type", "charge", "-t", "q"), "--start-to-close-timeout or --schedule-to-close"),
        (("start", "-a", "x", "--type", "charge", "-t", "q", *LIMIT, "-i", "nonsense"), "no JSON"),
        (("start", "--type", "charge", "-t", "q", *LIMIT), "--activity-id"),
        (("cancel",), "--activity-id ID, or which activities, --query"),
        (("terminate", "-a", "x", "-q", "y"), "--activity-id ID, or which activities, --query"),
        (("cancel", "-q", "y", "-r", "z"), "--run-id goes with --activity-id"),
        (("cancel", "-a", "x", "--yes"), "--yes goes with --query"),
        (("reset", "--match-all"), "say which activity"),
        (("unpause", "-a", "x", "--rps", "5"), "--rps goes with --query"),
        (("unpause", "-a", "x", "--reset-attempts"), "go with --workflow-id"),
        (("update-options", "-a", "x"), "say what to change"),
    ],
)
def test_what_is_refused_without_asking(stage: Stage, words: tuple[str, ...], because: str) -> None:
    done = stage.run("activity", *words)
    assert done.exit_code == 2 and because in done.stderr, done.stderr


def test_unknown_activities(stage: Stage, name: str) -> None:
    for verb in ("describe", "result", "cancel", "terminate", "pause", "unpause"):
        assert name in stage.refused("activity", verb, "-a", name), verb


def test_a_database_serves_as_well(tmp_path: Path, name: str) -> None:
    async def make() -> None:
        async with database(tmp_path / "orders.db"):
            pass

    asyncio.run(make())
    db = ("--db", str(tmp_path / "orders.db"))
    started = call("activity", "start", "-a", name, "--type", "charge", "-t", "q", "-i", "1", *LIMIT, *db)
    assert started.exit_code == 0, started.output
    listed = call("activity", "list", *db)
    assert [line.split()[:3] for line in listed.stdout.splitlines()[1:]] == [["Running", name, "charge"]]
    assert call("activity", "cancel", "-a", name, *db).stdout == "Cancellation requested\n"
    done = call("activity", "result", "-a", name, *db)
    assert done.exit_code == 1 and "CANCELED" in done.stdout
