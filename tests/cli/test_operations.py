"""Each verb about anything but workflows against a real server."""

from __future__ import annotations

import json
import uuid

import pytest
from cli_stage import QUEUE, Stage, call


@pytest.fixture
def by_hand(stage: Stage) -> str:
    """A workflow whose activity waits for somebody to end it."""
    name = f"h-{uuid.uuid4().hex[:8]}"
    stage.ok("workflow", "start", "--type", "ByHand", "-t", QUEUE, "-w", name)
    stage.until(name, lambda d: d.pending_activities and d.pending_activities[0].HasField("last_started_time"))
    return name


def test_an_activity_is_completed_by_hand(stage: Stage, by_hand: str) -> None:
    assert (
        "--result is no JSON" in stage.run("activity", "complete", "-a", "shop", "-w", by_hand, "--result", "x").stderr
    )
    said = stage.ok("activity", "complete", "-a", "shop", "-w", by_hand, "--result", '"sent"')
    assert said == "Activity shop completed\n"
    assert stage.json("workflow", "result", "-w", by_hand)["result"] == "sent"
    assert "no pending activity" in stage.refused("activity", "complete", "-a", "x", "-w", by_hand, "--result", "1")


def test_an_activity_is_failed_by_hand(stage: Stage, by_hand: str) -> None:
    stage.ok(
        "activity", "fail", "-a", "shop", "-w", by_hand, "--reason", "lost on the way", "--detail", '{"by": "post"}'
    )
    done = stage.run("workflow", "result", "-w", by_hand)
    assert done.exit_code == 1 and "lost on the way" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("pause", "-a", "shop", "--reason", "lunch"),
        ("unpause", "-a", "shop", "--reset-attempts", "--jitter", "1s"),
        ("reset", "-a", "shop", "--keep-paused"),
        ("update-options", "-a", "shop", "--retry-maximum-attempts", "7", "--start-to-close-timeout", "10s"),
    ],
    ids=lambda words: words[0],
)
def test_how_an_activity_is_tried_is_changed(stage: Stage, by_hand: str, words: tuple[str, ...]) -> None:
    stage.ok("activity", words[0], "-w", by_hand, *words[1:])
    described = stage.json("workflow", "describe", "-w", by_hand)["pendingActivities"][0]
    if words[0] == "pause":
        assert described["paused"] is True
    if words[0] == "update-options":
        assert described["activityOptions"]["retryPolicy"]["maximumAttempts"] == 7


def test_which_activity_has_to_be_said(stage: Stage) -> None:
    for words in (("-w", "x"), ("-q", "A = 1", "-a", "shop"), ("--match-all",), ("-w", "x", "-a", "y", "--match-all")):
        assert stage.run("activity", "reset", *words).exit_code == 2
    assert "say what to change" in stage.run("activity", "update-options", "-w", "x", "-a", "y").stderr


def test_which_workers_get_a_workflow(stage: Stage, by_hand: str) -> None:
    override = ("-w", by_hand, "--versioning-override-behavior")
    stage.ok("workflow", "update-options", *override, "auto_upgrade")
    stage.ok("workflow", "reset", "with-workflow-update-options", *override, "auto_upgrade", "--type",
             "LastWorkflowTask", "--reason", "other workers")  # fmt: skip
    pinned = ("pinned", "--versioning-override-deployment-name", "d", "--versioning-override-build-id", "b")
    assert "not routed by worker version" in stage.refused("workflow", "update-options", *override, *pinned)
    half = stage.run("workflow", "update-options", *override, "pinned")
    assert half.exit_code == 2 and "go with pinned" in half.stderr


def test_a_workflow_is_paused_and_goes_on(stage: Stage, by_hand: str) -> None:
    assert "Workflow paused" in stage.ok("workflow", "pause", "-w", by_hand, "--reason", "lunch")
    described = stage.ok("workflow", "describe", "-w", by_hand)
    assert "Paused" in described and "lunch" in described
    assert by_hand in stage.ok("workflow", "list", "-q", "ExecutionStatus = 'Paused'")
    assert "already paused" in stage.refused("workflow", "pause", "-w", by_hand)
    assert "Workflow unpaused" in stage.ok("workflow", "unpause", "-w", by_hand, "--reason", "back")
    assert "not paused" in stage.refused("workflow", "unpause", "-w", by_hand)
    assert "lunch" not in stage.ok("workflow", "describe", "-w", by_hand)


def test_a_task_queue_is_described_and_limited(stage: Stage) -> None:
    text = stage.ok("task-queue", "describe", "-t", QUEUE)
    assert "ApproximateBacklogCount" in text and text.count("@") == 2
    data = stage.json("task-queue", "describe", "-t", QUEUE, "--task-queue-type", "workflow")
    assert len(data["workflow"]["pollers"]) == 1 and "activity" not in data
    queue = ("-t", "slow", "--task-queue-type", "activity")
    set_ = stage.json("task-queue", "config", "set", *queue, "--queue-rps-limit", "5", "--queue-rps-limit-reason", "so")
    assert set_["queueRateLimit"]["rateLimit"] == {"requestsPerSecond": 5}
    assert "requestsPerSecond  5.0" in stage.ok("task-queue", "config", "get", *queue)
    assert "requestsPerSecond" in stage.ok("task-queue", "describe", "-t", "slow", "--report-config")
    stage.ok("task-queue", "config", "set", *queue, "--queue-rps-limit", "default")
    assert "requestsPerSecond" not in stage.ok("task-queue", "config", "get", *queue)
    assert stage.run("task-queue", "config", "set", *queue, "--queue-rps-limit", "many").exit_code == 2
    assert "only activity" in stage.refused(
        "task-queue", "config", "set", "-t", "slow", "--task-queue-type", "workflow", "--queue-rps-limit", "5"
    )


def test_workers_are_listed(stage: Stage) -> None:
    [worker] = stage.json("worker", "list")
    assert worker["taskQueue"] == QUEUE
    assert stage.ok("worker", "count") == "Total: 1\n"
    assert worker["workerInstanceKey"] in stage.ok("worker", "list", "-q", f"TaskQueue = '{QUEUE}'")
    assert QUEUE in stage.ok("worker", "describe", "--worker-instance-key", worker["workerInstanceKey"])
    assert "was not heard of" in stage.refused("worker", "describe", "--worker-instance-key", "nobody")


def test_namespaces_come_and_go(stage: Stage) -> None:
    operator = ("operator", "namespace")
    stage.ok(*operator, "create", "shop", "--retention", "7d", "--description", "The shop", "--data", "team=blue")
    assert "already" in stage.refused(*operator, "create", "-n", "shop")
    stage.ok(*operator, "update", "shop", "--email", "shop@example.com", "--retention", "48h")
    data = stage.json(*operator, "describe", "shop")
    assert data["namespaceInfo"]["description"] == "The shop"
    assert data["namespaceInfo"]["ownerEmail"] == "shop@example.com"
    assert data["namespaceInfo"]["data"] == {"team": "blue"}
    assert data["config"]["workflowExecutionRetentionTtl"] == "172800s"
    assert "2d" in stage.ok(*operator, "describe", "--namespace-id", data["namespaceInfo"]["id"])
    assert {"default", "shop"} <= {one["namespaceInfo"]["name"] for one in stage.json(*operator, "list")}
    assert stage.run(*operator, "update", "shop").exit_code == 2
    assert stage.run(*operator, "delete", "shop", input="n\n").exit_code == 1
    assert stage.ok(*operator, "delete", "shop", "--yes") == "Namespace shop has been deleted.\n"
    assert "shop" in stage.refused(*operator, "describe", "shop")


def test_search_attributes_come_and_go(stage: Stage) -> None:
    attribute = ("operator", "search-attribute")
    stage.ok(*attribute, "create", "--name", "Customer", "--type", "Keyword", "--name", "Price", "--type", "Double")
    assert "Customer" in stage.ok(*attribute, "list")
    assert stage.json(*attribute, "list")["customAttributes"]["Price"] == "INDEXED_VALUE_TYPE_DOUBLE"
    start = ("workflow", "start", "--type", "Order", "-t", "nobody", "-w", "found")
    stage.ok(*start, "--search-attribute", 'Customer="Ada"', "--search-attribute", "Price=1.5")
    assert "found" in stage.ok("workflow", "list", "-q", "Customer = 'Ada' AND Price > 1")
    assert '{"Customer":"Ada","Price":1.5}' in stage.ok("workflow", "describe", "-w", "found")
    assert stage.run(*attribute, "create", "--name", "X", "--name", "Y", "--type", "Int").exit_code == 2
    stage.ok(*attribute, "remove", "--name", "Customer", "--name", "Price", "--yes")
    assert "Customer" not in stage.ok(*attribute, "list")


def test_the_server_itself(stage: Stage) -> None:
    assert "ServerVersion" in stage.ok("operator", "cluster", "describe")
    assert "historyShardCount" in stage.ok("operator", "cluster", "describe", "--detail")
    assert stage.ok("operator", "cluster", "health") == "SERVING\n"
    assert stage.json("operator", "cluster", "health") == {"status": "SERVING"}
    assert stage.json("operator", "cluster", "system")["capabilities"]["upsertMemo"] is True


def test_profiles(tmp_path, stage: Stage) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text("# mine\n[profile.default]\naddress = 'nowhere:1'  # not there\n")
    config = ("--config-file", str(file))
    for prop, value in (("address", stage.address), ("namespace", "default"), ("grpc_meta.team", "blue")):
        assert call("config", "set", *config, "--profile", "here", "-p", prop, "-v", value).exit_code == 0
    call("config", "set", *config, "--profile", "here", "-p", "tls.disabled", "-v", "true")
    assert "# mine" in file.read_text() and "# not there" in file.read_text()
    got = json.loads(call("config", "get", *config, "--profile", "here", "-o", "json").stdout)
    assert {one["property"]: one["value"] for one in got} == {
        "address": stage.address, "namespace": "default", "grpc_meta.team": "blue", "tls.disabled": True,
    }  # fmt: skip
    assert call("workflow", "count", *config, "--profile", "here").stdout.startswith("Total: ")
    assert call("workflow", "count", env={"TEMPORAL_ADDRESS": stage.address}).stdout.startswith("Total: ")
    assert "nowhere:1" in call("workflow", "count", *config).stderr
    assert "'absent' not found" in call("workflow", "count", *config, "--profile", "absent").stderr
    assert call("config", "delete", *config, "--profile", "here", "-p", "grpc_meta.team").exit_code == 0
    assert (
        "does not set grpc_meta.team"
        in call("config", "get", *config, "--profile", "here", "-p", "grpc_meta.team").stderr
    )
    assert call("config", "delete-profile", *config, "--profile", "here").exit_code == 0
    assert "default" in (listed := call("config", "list", *config).stdout) and stage.address not in listed
    assert "there is no 'adress'" in call("config", "set", *config, "-p", "adress", "-v", "x").stderr
    before = file.read_text()
    for prop in ("tls.client_key_path", "tls.client_key_data"):
        last = call("config", "set", *config, "-p", prop, "-v", "x")
    assert last.exit_code == 1 and "was not changed" in last.stderr and before != file.read_text()
