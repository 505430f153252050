"""Every verb about workflows against a real server, in words and as JSON."""

from __future__ import annotations

import json
import uuid

import pytest
from cli_stage import QUEUE, Stage, call

from outlast.api.enums import v1 as e


@pytest.fixture
def name() -> str:
    return f"w-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def order(stage: Stage, name: str) -> str:
    """An order that has paid and waits to be approved."""
    stage.ok("workflow", "start", "--type", "Order", "-t", QUEUE, "-w", name, "-i", "5")
    stage.until(
        name,
        lambda d: (
            not d.pending_children
            and not d.HasField("pending_workflow_task")
            and d.workflow_execution_info.history_length > 8
        ),
    )
    return name


def test_a_start_says_the_ids_and_a_second_one_finds_the_first(stage: Stage, name: str) -> None:
    words = ("workflow", "start", "--type", "Order", "-t", QUEUE, "-w", name)
    first = stage.json(*words, "-i", "1", "--memo", 'customer="Ada"', "--static-summary", "an order")
    assert first["workflowId"] == name and first["type"] == "Order" and first["taskQueue"] == QUEUE
    assert stage.json(*words)["runId"] == first["runId"]
    assert "already" in stage.refused(*words, "--fail-existing")
    text = stage.ok("workflow", "describe", "-w", name)
    assert '{"customer":"Ada"}' in text and '"an order"' in text
    info = stage.json("workflow", "describe", "-w", name)["workflowExecutionInfo"]
    assert info["memo"]["fields"]["customer"] == "Ada"


def test_all_options_of_a_start_arrive(stage: Stage, name: str) -> None:
    stage.ok(
        "workflow", "start", "--type", "Order", "-t", "nobody", "-w", name, "--run-timeout", "1h30m",
        "--execution-timeout", "7d", "--task-timeout", "5s", "--start-delay", "10m", "--priority-key", "2",
        "--fairness-key", "Ada", "--fairness-weight", "1.5", "--id-reuse-policy", "RejectDuplicate",
        "--headers", "trace=1", "--input", '{"n": 1}', "--input", "null",
    )  # fmt: skip
    event = stage.json("workflow", "show", "-w", name)["events"][0]["workflowExecutionStartedEventAttributes"]
    assert event["workflowRunTimeout"] == "5400s" and event["workflowExecutionTimeout"] == "604800s"
    assert event["workflowTaskTimeout"] == "5s" and event["firstWorkflowTaskBackoff"] == "600s"
    assert event["priority"] == {"priorityKey": 2, "fairnessKey": "Ada", "fairnessWeight": 1.5}
    assert list(event["header"]["fields"]) == ["trace"] and len(event["input"]["payloads"]) == 2


def test_input_comes_from_files_with_metadata_and_in_base64(stage: Stage, name: str, tmp_path) -> None:
    file = tmp_path / "input.bin"
    file.write_text("aGVsbG8=")
    stage.ok(
        "workflow", "start", "--type", "Order", "-t", "nobody", "-w", name, "--input-file", str(file), "--input-base64",
        "--input-meta", "encoding=binary/plain",
    )  # fmt: skip
    event = stage.json("workflow", "show", "-w", name)["events"][0]["workflowExecutionStartedEventAttributes"]
    assert event["input"]["payloads"] == [{"metadata": {"encoding": "YmluYXJ5L3BsYWlu"}, "data": "aGVsbG8="}]


def test_input_that_is_no_json_is_refused_with_its_place(stage: Stage) -> None:
    done = stage.run("workflow", "start", "--type", "Order", "-t", QUEUE, "-i", '{"a" 1}')
    assert done.exit_code == 2
    assert "--input 1 is no JSON" in done.stderr and "character 6" in done.stderr


def test_execute_follows_to_the_result(stage: Stage, name: str) -> None:
    text = stage.ok("workflow", "execute", "--type", "Payment", "-t", QUEUE, "-w", name, "-i", "42")
    assert "WorkflowExecutionStarted" in text and "WorkflowExecutionCompleted" in text
    assert "Status          COMPLETED" in text and "Result          42" in text
    data = stage.json("workflow", "execute", "--type", "Payment", "-t", QUEUE, "-i", "42", "--detailed")
    assert data["status"] == "COMPLETED" and data["result"] == 42
    assert data["history"]["events"][-1]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"


def test_a_workflow_that_fails_ends_the_command_with_status_1(stage: Stage, name: str) -> None:
    done = stage.run("workflow", "execute", "--type", "Failing", "-t", QUEUE, "-w", name)
    assert done.exit_code == 1
    assert "FAILED" in done.stdout and "SoldOut: sold out" in done.stdout
    assert stage.run("workflow", "result", "-w", name).exit_code == 1
    assert "SoldOut: sold out" in stage.ok("workflow", "describe", "-w", name)


def test_an_order_is_asked_told_and_changed(stage: Stage, order: str) -> None:
    assert stage.json("workflow", "query", "-w", order, "--name", "total") == {"queryResult": [5]}
    assert "QueryResult  5" in stage.ok("workflow", "query", "-w", order, "--name", "total")
    assert "wait_condition" in stage.ok("workflow", "stack", "-w", order)
    metadata = stage.json("workflow", "metadata", "-w", order)["definition"]
    assert [one["name"] for one in metadata["signalDefinitions"]] == ["approve"]
    changed = stage.json("workflow", "update", "execute", "-w", order, "--name", "add", "-i", "3", "--update-id", "u1")
    assert changed["result"] == 8 and changed["updateId"] == "u1"
    assert stage.json("workflow", "update", "result", "-w", order, "--update-id", "u1")["result"] == 8
    assert "Stage       Completed" in stage.ok("workflow", "update", "describe", "-w", order, "--update-id", "u1")
    started = ("workflow", "update", "start", "-w", order, "--name", "add", "-i", "1", "--wait-for-stage", "accepted")
    assert stage.json(*started)["workflowId"] == order
    refused = stage.run("workflow", "update", "execute", "-w", order, "--name", "add", "-i", "-1")
    assert refused.exit_code == 1 and "amounts are positive" in refused.stdout
    assert stage.ok("workflow", "signal", "-w", order, "--name", "approve") == "Signal workflow succeeded\n"
    assert stage.json("workflow", "result", "-w", order)["result"] == 9
    reject = ("workflow", "query", "-w", order, "--name", "total", "--reject-condition", "not_open")
    assert "Completed" in stage.refused(*reject)


def test_started_with_an_update_and_with_a_signal(stage: Stage, name: str) -> None:
    start = ("--type", "Order", "-t", QUEUE, "-w", name, "-i", "5")
    update = ("--update-name", "add", "--update-input", "4")
    assert stage.json("workflow", "execute-update-with-start", *start, *update)["result"] in (4, 9)
    again = stage.json("workflow", "start-update-with-start", *start, *update, "--update-wait-for-stage", "accepted")
    assert again["workflowId"] == name
    signalled = stage.json("workflow", "signal-with-start", *start, "--signal-name", "approve")
    assert signalled["runId"] == again["runId"]
    assert stage.json("workflow", "result", "-w", name)["status"] == "COMPLETED"


def test_a_history_is_shown_and_can_be_replayed(stage: Stage, order: str, tmp_path) -> None:
    text = stage.ok("workflow", "show", "-w", order)
    assert text.splitlines()[1].split() == ["ID", "Time", "Type"]
    backwards = stage.ok("workflow", "show", "-w", order, "--reverse").splitlines()
    assert backwards[-1].split()[0] == "1"
    detailed = stage.ok("workflow", "show", "-w", order, "--detailed", "--time-format", "iso")
    assert "workflowType.name" in detailed and "ChildWorkflowExecutionCompleted" in detailed
    lines = stage.ok("workflow", "show", "-w", order, "-o", "jsonl").splitlines()
    assert [int(json.loads(line)["eventId"]) for line in lines] == list(range(1, len(lines) + 1))
    file = tmp_path / "history.json"
    file.write_text(stage.ok("workflow", "show", "-w", order, "-o", "json"))
    fixed = call("workflow", "fix-history-json", "-s", str(file))
    assert fixed.exit_code == 0 and json.loads(fixed.stdout) == json.loads(file.read_text())
    stage.ok("workflow", "signal", "-w", order, "--name", "approve")
    assert "WorkflowExecutionCompleted" in stage.ok("workflow", "show", "-w", order, "--follow")


def test_a_trace_is_a_tree(stage: Stage, order: str) -> None:
    stage.ok("workflow", "signal", "-w", order, "--name", "approve")
    folded = stage.ok("workflow", "trace", "-w", order).splitlines()
    assert folded[0].startswith("completed Order") and folded[1].startswith("  completed Payment")
    assert folded[2] == "    +1 folded"
    open_ = stage.ok("workflow", "trace", "-w", order, "--no-fold").splitlines()
    assert open_[2].startswith("    completed charge")
    [root] = stage.json("workflow", "trace", "-w", order)
    assert root["steps"][0]["steps"][0]["name"] == "charge"
    assert len(stage.json("workflow", "trace", "-w", order, "--depth", "0")[0]["steps"][0]["steps"]) == 0


def test_a_trace_of_what_is_not_there(stage: Stage, order: str) -> None:
    assert stage.refused("workflow", "trace", "-w", "nobody").startswith("Error: there is no workflow 'nobody'")
    stage.ok("workflow", "delete", "-w", f"{order}-payment")
    stage.ok("workflow", "signal", "-w", order, "--name", "approve")
    lines = stage.ok("workflow", "trace", "-w", order).splitlines()
    assert len(lines) == 2 and lines[1].startswith("  completed Payment") and "may have been deleted" in lines[1]


def test_an_activity_that_is_tried_again_is_described(stage: Stage, name: str) -> None:
    stage.ok("workflow", "start", "--type", "Declined", "-t", QUEUE, "-w", name)
    stage.until(name, lambda d: d.pending_activities and d.pending_activities[0].attempt == 2)
    text = stage.ok("workflow", "describe", "-w", name)
    assert "Pending Activities: 1" in text and "card declined for 7" in text and "RetryInterval       1h" in text
    assert "pendingActivities[0].lastFailure" in stage.ok("workflow", "describe", "-w", name, "--raw")


def test_a_blocked_workflow_says_why(stage: Stage, name: str) -> None:
    stage.ok("workflow", "start", "--type", "Blocked", "-t", QUEUE, "-w", name)
    stage.until(name, lambda d: d.pending_workflow_task.attempt > 1)
    text = stage.ok("workflow", "describe", "-w", name)
    assert "BLOCKED: its workflow task has failed" in text
    assert "LookupError: a slip in the workflow's code" in text and "cli_stage.py" in text
    red = stage.ok("workflow", "describe", "-w", name, "--color", "always")
    assert "\x1b[1;31mBLOCKED" in red
    data = stage.json("workflow", "describe", "-w", name)
    assert "workflowTaskFailedEventAttributes" in data["pendingWorkflowTaskFailure"]


def test_a_run_is_reset(stage: Stage, order: str) -> None:
    words = ("workflow", "reset", "-w", order, "--reason", "once more")
    first = stage.json(*words, "--type", "FirstWorkflowTask", "--reapply-exclude", "All")
    second = stage.json(*words, "--type", "LastWorkflowTask")
    assert first["runId"] != second["runId"]
    assert "event" in stage.refused(*words, "--event-id", "1")
    assert "no reset point of build" in stage.refused(*words, "--type", "BuildId", "--build-id", "b")
    assert stage.run(*words).exit_code == 2
    assert "continues no other run" in stage.refused(*words, "--type", "LastContinuedAsNew")


def test_runs_end(stage: Stage, order: str, name: str) -> None:
    assert stage.ok("workflow", "cancel", "-w", order, "--reason", "no more") == "Canceled workflow\n"
    assert ended(stage, order) == "CANCELED"
    stage.ok("workflow", "start", "--type", "Order", "-t", "nobody", "-w", name)
    assert stage.ok("workflow", "terminate", "-w", name) == "Workflow terminated\n"
    assert ended(stage, name) == "TERMINATED"
    assert stage.ok("workflow", "delete", "-w", name) == "Delete workflow succeeded\n"
    assert "there is no workflow" in stage.refused("workflow", "describe", "-w", name)


def ended(stage: Stage, workflow_id: str) -> str:
    done = stage.run("workflow", "result", "-w", workflow_id, "-o", "json")
    assert done.exit_code == 1
    return str(json.loads(done.stdout)["status"])


def test_lists_and_counts(stage: Stage, name: str) -> None:
    for number in range(3):
        stage.ok("workflow", "start", "--type", "Order", "-t", name, "-w", f"{name}-{number}")
    mine = ("-q", f"TaskQueue = '{name}'")
    header, *rows = stage.ok("workflow", "list", *mine).splitlines()
    assert header.split() == ["Status", "WorkflowId", "Type", "StartTime"] and len(rows) == 3
    assert {row.index("Order") for row in rows} == {header.index("Type")}
    assert [one["execution"]["workflowId"] for one in stage.json("workflow", "list", *mine, "--page-size", "1")] == [
        f"{name}-{number}" for number in (2, 1, 0)
    ]
    assert len(stage.ok("workflow", "list", *mine, "--limit", "2", "-o", "jsonl").splitlines()) == 2
    assert stage.ok("workflow", "list", *mine, "-o", "none") == ""
    assert stage.json("workflow", "list", "-q", "TaskQueue = 'nobody knows it'") == []
    assert stage.ok("workflow", "count", *mine) == "Total: 3\n"
    grouped = stage.ok("workflow", "count", "-q", f"TaskQueue = '{name}' GROUP BY ExecutionStatus")
    assert 'Group total: 3, values: "Running"' in grouped
    times = {form: stage.ok("workflow", "list", *mine, "--time-format", form) for form in ("relative", "iso", "raw")}
    assert "ago" in times["relative"] or "now" in times["relative"]
    assert times["iso"].splitlines()[1].endswith("Z") and "." in times["raw"].splitlines()[1]


def test_bad_words_are_named(stage: Stage) -> None:
    said = stage.refused("workflow", "list", "-q", "ExecutionStatus = = 3")
    assert "character 19" in said
    lines = said.splitlines()
    at = next(number for number, line in enumerate(lines) if "= = 3" in line)
    assert lines[at + 1].index("^") == lines[at].index("= 3")
    assert "there is no workflow 'nobody'" in stage.refused("workflow", "describe", "-w", "nobody")
    assert "namespace" in stage.refused("workflow", "list", "-n", "nowhere")
    assert "say which workflow" in stage.run("workflow", "cancel").stderr
    assert "is not built in outlast" in stage.run("workflow", "list", "--codec-endpoint", "http://x").stderr
    impatient = call("workflow", "result", "-w", waits(stage), "--address", stage.address, "--command-timeout", "200ms")
    assert impatient.exit_code == 1 and "gave up after 200ms" in impatient.stderr


def waits(stage: Stage) -> str:
    return str(stage.json("workflow", "start", "--type", "Order", "-t", "nobody")["workflowId"])


def test_hostile_text_reaches_no_terminal(stage: Stage) -> None:
    name = "\x1b[31mred\x07\n<script>"
    stage.ok("workflow", "start", "--type", "Order", "-t", "hostile", "-w", name)
    text = stage.ok("workflow", "list", "-q", "TaskQueue = 'hostile'", "--color", "always")
    assert "\x1b[31mred" not in text and r"\x1b[31mred\x07\n<script>" in text
    assert "\x07" not in stage.ok("workflow", "describe", "-w", name)


def test_many_at_once(stage: Stage, name: str) -> None:
    for number in range(3):
        stage.ok("workflow", "start", "--type", "Order", "-t", name, "-w", f"{name}-{number}")
    mine = ("--query", f"TaskQueue = '{name}'", "--reason", "closing")
    asked = stage.run("workflow", "terminate", *mine, input="n\n")
    assert asked.exit_code == 1 and "Terminate about 3 workflows?" in asked.stderr
    assert stage.ok("workflow", "count", "-q", f"TaskQueue = '{name}' AND ExecutionStatus = 'Running'") == "Total: 3\n"
    job = stage.json("workflow", "terminate", *mine, "--yes")["batchJobId"]
    for number in range(3):
        stage.until(
            f"{name}-{number}", lambda d: d.workflow_execution_info.status == e.WORKFLOW_EXECUTION_STATUS_TERMINATED
        )
    assert "terminate" in stage.ok("batch", "describe", "--job-id", job).lower()
    assert job in stage.ok("batch", "list")
    assert "nothing" in stage.refused("batch", "describe", "--job-id", "nothing")
    assert stage.run("batch", "terminate", "--job-id", "nothing", "--reason", "x").exit_code == 1
