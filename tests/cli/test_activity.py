"""Each verb about activities without a workflow against a real server."""

from __future__ import annotations

import uuid

import pytest
from cli_stage import QUEUE, Stage

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
