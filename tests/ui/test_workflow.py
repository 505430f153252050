"""One workflow: what it says, how its history is read, what can be asked of it and done to it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from ui_server import Life
from ui_world import CHILDREN, EVENTS, HOSTILE, LARGE, QUEUE, Approval
from visitor import Visitor

from outlast.client import Client


@pytest.fixture
def approval(lived: Life, request: pytest.FixtureRequest) -> str:
    """The id of a workflow of its own, which waits for an approval."""
    workflow_id = re.sub(r"\W+", "-", request.node.name)

    async def start(client: Client) -> None:
        await client.start_workflow(Approval.run, id=workflow_id, task_queue=QUEUE)

    lived.do(start)
    return workflow_id


def _act(visitor: Visitor, action: str) -> Locator:
    visitor.page.locator(".head").get_by_role("button", name=action, exact=True).click()
    return visitor.page.get_by_role("dialog")


def _status(visitor: Visitor) -> Locator:
    return visitor.page.locator(".head-status")


def _saved(visitor: Visitor, button: Locator, folder: Path) -> str:
    with visitor.page.expect_download() as download:
        button.click()
    target = folder / "saved"
    download.value.save_as(target)
    return target.read_text()


def test_a_failure_shows_the_chain_with_stack_traces(visitor: Visitor) -> None:
    visitor.workflow("declined")
    failure = visitor.page.locator(".card", has_text="Failure").last
    expect(failure).to_contain_text("Activity task failed")
    expect(failure.locator(".cause").first).to_contain_text("CardDeclined")
    expect(failure.locator(".cause .cause")).to_contain_text("ValueError: the card is over its limit")
    expect(failure.locator("pre.trace", has_text="in decline").first).to_be_visible()


def test_a_blocked_workflow_says_so_in_red_with_the_traceback(visitor: Visitor) -> None:
    visitor.workflow("blocked")
    banner = visitor.page.locator(".banner.is-blocked")
    expect(banner).to_contain_text("KeyError: 'no order in {}'")
    expect(banner.locator("pre.trace", has_text="ui_world.py").first).to_be_visible()
    # The SDK's own frames are in the way of nobody: failures of ours begin in the user's code.
    expect(banner.locator("pre.trace", has_text="outlast/replay")).to_have_count(0)
    expect(_status(visitor)).to_have_text("Blocked")
    red, green, _ = map(
        int, re.findall(r"\d+", banner.locator("h2").evaluate("(node) => getComputedStyle(node).color"))[:3]
    )
    assert red > 2 * green


def test_a_retrying_activity_shows_attempt_failure_and_next_retry(visitor: Visitor) -> None:
    visitor.workflow("retrying", "Pending")
    card = visitor.page.locator(".card", has_text="unreachable")
    expect(card).to_contain_text(re.compile(r"Attempt \d of 10"))
    expect(card).to_contain_text(re.compile(r"Next retryin \d+"))
    expect(card).to_contain_text(f"ConnectionError: no route to the warehouse {HOSTILE}")
    expect(card).to_contain_text('"bytes": 4096')
    visitor.page.locator(".tabs").get_by_role("link", name="Timeline").click()
    expect(visitor.page.get_by_role("img", name=re.compile(r"unreachable, retrying, .*attempt \d"))).to_be_visible()


def test_the_timeline_has_a_lane_for_each_step(visitor: Visitor) -> None:
    visitor.workflow("order-1", "Timeline")
    for lane in (
        r"charge, completed, .*, attempt 2",
        r"200 ms, completed, ",
        r"Shipment: shipment-of-order-1, completed",
    ):
        expect(visitor.page.get_by_role("img", name=re.compile(lane))).to_be_visible()
    visitor.page.get_by_label("Hide idle time").check()
    expect(visitor.page.locator(".lane rect").first).to_be_visible()
    visitor.picture("timeline-without-idle-time")


def test_a_history_in_its_forms(visitor: Visitor, tmp_path: Path) -> None:
    visitor.workflow("order-1", "History")
    told = visitor.page.locator(".tools [role=status]")
    expect(told).to_have_text("5 steps")
    visitor.page.get_by_role("button", name="Open step charge").click()
    expect(visitor.page.locator(".row-details")).to_contain_text("receipt of order-1")
    expect(visitor.page.locator(".row-details")).to_contain_text("the bank is busy")
    visitor.picture("history-open")
    visitor.page.get_by_role("button", name="Full").click()
    expect(told).to_have_text("25 events")
    expect(visitor.page.get_by_role("listitem").first).to_contain_text("Workflow execution started")
    visitor.page.get_by_label("Newest first").check()
    expect(visitor.page.get_by_role("listitem").first).to_contain_text("Workflow execution completed")
    visitor.page.get_by_label("Newest first").uncheck()
    visitor.page.get_by_label("Kind of event").select_option("Timers")
    expect(told).to_have_text("2 of 25 events")
    visitor.page.get_by_label("Kind of event").select_option("Every kind")
    visitor.page.get_by_label("Find in events").fill("receipt of order-1")
    expect(told).to_have_text("2 of 25 events")
    visitor.page.get_by_label("Find in events").fill("no such text")
    visitor.page.get_by_role("button", name="Show all events").click()
    visitor.page.get_by_role("button", name="JSON", exact=True).click()
    expect(visitor.page.locator(".json-line").nth(2)).to_contain_text('"eventId": "1"')
    expect(visitor.page.locator(".json")).to_contain_text('"order-1"')
    visitor.picture("history-json")
    saved = json.loads(_saved(visitor, visitor.page.get_by_role("button", name="Download"), tmp_path))
    assert [event["eventId"] for event in saved["events"]] == [str(number) for number in range(1, 26)]


def test_an_event_has_an_address(visitor: Visitor) -> None:
    visitor.workflow("order-1", "History")
    visitor.page.get_by_role("button", name="Open step charge").click()
    visitor.page.get_by_role("link", name="Link to event 6").click()
    told = visitor.page.locator(".tools [role=status]")
    expect(told).to_have_text("25 events")
    opened = visitor.page.locator(".row.is-open")
    expect(opened).to_contain_text("Activity task started")
    expect(opened).to_be_in_viewport()
    visitor.page.reload()
    expect(opened).to_contain_text("Activity task started")


@pytest.mark.slow
def test_a_very_long_history_scrolls_without_freezing(visitor: Visitor) -> None:
    visitor.workflow("long-history", "History")
    told = visitor.page.locator(".tools [role=status]")
    expect(told).to_have_text(re.compile(r"^\d+ \d+ steps$"))
    visitor.page.get_by_role("button", name="Full").click()
    expect(told).to_have_text(re.compile(rf"^{EVENTS // 1000} \d+ events$"))
    rows = visitor.page.locator(".virtual .row")
    made = visitor.page.evaluate(
        """async () => {
          const list = document.querySelector(".virtual");
          let most = 0;
          for (let step = 0; step <= 60; step += 1) {
            list.scrollTop = (list.scrollHeight * step) / 60;
            await new Promise(requestAnimationFrame);
            most = Math.max(most, list.querySelectorAll(".row").length);
          }
          return most;
        }"""
    )
    expect(rows.last).to_contain_text("Workflow execution completed")
    assert made < 100, "more rows than can be seen were made at once"
    visitor.picture("long-history")
    visitor.page.get_by_label("Find in events").fill("timer fired")
    expect(told).to_have_text(re.compile(r"^\d+ of 20"))
    visitor.page.get_by_label("Find in events").fill("")
    visitor.page.get_by_role("button", name="JSON", exact=True).click()
    expect(visitor.page.locator(".json-line").nth(2)).to_contain_text('"eventId": "1"')
    assert visitor.page.locator(".json-line").count() < 200


def test_a_large_result_is_cut_and_can_be_had(visitor: Visitor, tmp_path: Path) -> None:
    visitor.workflow("long-history")
    result = visitor.page.locator(".card", has_text="Result").last
    expect(result).to_contain_text("of 300 kB")
    assert len(result.locator("pre").text_content() or "") < 5000
    assert json.loads(_saved(visitor, result.get_by_role("button", name="Download"), tmp_path)) == "x" * LARGE


def test_relations_lead_to_parent_children_and_runs(visitor: Visitor) -> None:
    visitor.workflow("shipment-of-order-1", "Relations")
    visitor.page.locator(".card", has_text="Where it comes from").get_by_role("link", name="order-1").first.click()
    expect(visitor.page.get_by_role("heading", name="order-1", exact=True)).to_be_visible()
    visitor.workflow("renewal", "Relations")
    expect(visitor.page.get_by_role("heading", name="Runs of this workflow id (2)")).to_be_visible()
    visitor.page.locator(".facts", has_text="Continued from").last.get_by_role("link").first.click()
    expect(_status(visitor)).to_have_text("Continued as new")
    visitor.page.get_by_role("link", name="Go to the next run").click()
    expect(_status(visitor)).to_have_text("Completed")
    visitor.workflow("family", "Relations")
    expect(visitor.page.get_by_role("heading", name=f"Child workflows ({CHILDREN // 1000} 000)")).to_be_visible()
    children = visitor.page.locator(".card", has_text="Child workflows")
    expect(children.locator("tbody tr")).to_have_count(100)
    children.get_by_role("button", name="Show more").click()
    expect(children.locator("tbody tr")).to_have_count(200)


def test_queries_and_the_stack_trace(visitor: Visitor) -> None:
    visitor.workflow("approval", "Queries")
    expect(visitor.page.get_by_label("Query", exact=True)).to_have_value("approver")
    expect(visitor.page.get_by_text("Who has approved so far.")).to_be_visible()
    visitor.page.get_by_role("button", name="Run query").click()
    expect(visitor.page.locator(".card", has_text="Run query").locator("pre.value")).to_have_text('"nobody"')
    visitor.page.get_by_role("button", name="Fetch stack trace").click()
    expect(visitor.page.locator("pre.trace", has_text="wait_condition").first).to_be_visible()
    visitor.picture("queries-answered")
    visitor.page.get_by_label("Query", exact=True).fill(HOSTILE)
    visitor.page.get_by_role("button", name="Run query").click()
    expect(visitor.page.get_by_role("alert").last).to_contain_text("approver")
    visitor.forgive(400)


def test_a_signal(visitor: Visitor, approval: str) -> None:
    visitor.workflow(approval)
    dialog = _act(visitor, "Signal")
    dialog.get_by_role("button", name="approve").click()
    expect(dialog).to_contain_text("Approves the request.")
    dialog.get_by_label("Input").fill('"Ada"')
    visitor.picture("signal")
    dialog.get_by_role("button", name="Send signal").click()
    expect(_status(visitor)).to_have_text("Completed")
    expect(visitor.page.get_by_text("approved by Ada")).to_be_visible()


def test_an_update(visitor: Visitor, approval: str) -> None:
    visitor.workflow(approval)
    dialog = _act(visitor, "Update")
    expect(dialog.get_by_label("Update", exact=True)).to_have_value("set_limit")
    dialog.get_by_label("Input").fill("-1")
    dialog.get_by_role("button", name="Run update").click()
    expect(dialog).to_contain_text("a limit is not negative")
    dialog.get_by_label("Input").fill("250")
    dialog.get_by_role("button", name="Run update").click()
    expect(dialog.locator("pre.value")).to_have_text("100")
    visitor.picture("update")
    visitor.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_cancellation(visitor: Visitor, approval: str) -> None:
    visitor.workflow(approval)
    dialog = _act(visitor, "Cancel")
    dialog.get_by_label("Reason").fill("changed my mind")
    visitor.picture("cancel")
    dialog.get_by_role("button", name="Request cancellation").click()
    expect(_status(visitor)).to_have_text("Canceled")


def test_a_pause_and_its_end(visitor: Visitor, approval: str) -> None:
    visitor.workflow(approval)
    dialog = _act(visitor, "Pause")
    dialog.get_by_label("Reason").fill(HOSTILE)
    visitor.picture("pause-workflow")
    dialog.get_by_role("button", name="Pause").click()
    expect(_status(visitor)).to_have_text("Paused")
    banner = visitor.page.locator(".banner.is-paused")
    expect(banner).to_contain_text("This workflow is paused")
    expect(banner).to_contain_text(HOSTILE)
    for absent in ("Update", "Pause"):
        expect(visitor.page.locator(".head").get_by_role("button", name=absent, exact=True)).to_have_count(0)
    visitor.picture("workflow-paused")
    visitor.page.locator(".tabs").get_by_role("link", name="History").click()
    expect(visitor.page.get_by_text("Workflow execution paused").first).to_be_visible()
    dialog = _act(visitor, "Unpause")
    dialog.get_by_role("button", name="Unpause").click()
    expect(_status(visitor)).to_have_text("Running")
    expect(visitor.page.locator(".banner.is-paused")).to_have_count(0)
    expect(visitor.page.locator(".head").get_by_role("button", name="Update", exact=True)).to_be_visible()


def test_termination(visitor: Visitor, approval: str) -> None:
    visitor.workflow(approval)
    dialog = _act(visitor, "Terminate")
    dialog.get_by_label("Reason").fill(HOSTILE)
    visitor.picture("terminate")
    dialog.get_by_role("button", name="Terminate").click()
    expect(_status(visitor)).to_have_text("Terminated")
    expect(visitor.page.locator(".card", has_text="Terminated")).to_contain_text(HOSTILE)
    expect(visitor.page.get_by_role("button", name="Signal")).to_have_count(0)


def test_a_reset(visitor: Visitor, approval: str) -> None:
    visitor.workflow(approval)
    expect(visitor.page.get_by_role("link", name="History 4")).to_be_visible()
    before = visitor.page.url
    dialog = _act(visitor, "Reset")
    expect(dialog.get_by_label("Reset to")).to_have_value("4")
    visitor.picture("reset")
    dialog.get_by_role("button", name="Reset").click()
    expect(visitor.page).not_to_have_url(before)
    visitor.settled()
    expect(_status(visitor)).to_have_text("Running")
    visitor.page.locator(".tabs").get_by_role("link", name="Relations").click()
    expect(visitor.page.get_by_role("heading", name="Runs of this workflow id (2)")).to_be_visible()


def test_another_like_it(visitor: Visitor) -> None:
    visitor.workflow("order-1")
    expect(visitor.page.get_by_text("receipt of order-1")).to_be_visible()
    dialog = _act(visitor, "Start like this")
    expect(dialog.get_by_label("Input")).to_have_value('"order-1"')
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(_status(visitor)).to_have_text("Completed")
    expect(visitor.page.get_by_text("receipt of order-1")).to_be_visible()


def test_a_page_follows_its_workflow(visitor: Visitor, lived: Life, approval: str) -> None:
    visitor.workflow(approval, "History")
    expect(visitor.page.get_by_role("listitem")).to_have_count(1)

    async def approve(client: Client) -> None:
        await client.get_workflow_handle(approval).signal(Approval.approve, "Bob")

    lived.do(approve)
    expect(visitor.page.get_by_role("listitem")).to_have_count(3)
    expect(_status(visitor)).to_have_text("Completed")


def test_a_pending_activity_is_paused_unpaused_and_reset(visitor: Visitor) -> None:
    visitor.workflow("retrying", "Pending")
    card = visitor.page.locator(".card", has_text="unreachable")
    dialog = visitor.page.get_by_role("dialog")
    card.get_by_role("button", name="Pause").click()
    dialog.get_by_label("Reason").fill("the warehouse is closed")
    dialog.get_by_role("button", name="Pause").click()
    expect(card.locator(".chip")).to_have_text("Paused")
    visitor.picture("paused")
    card.get_by_role("button", name="Unpause").click()
    dialog.get_by_role("button", name="Unpause").click()
    expect(card.locator(".chip")).not_to_have_text("Paused")
    card.get_by_role("button", name="Reset attempts").click()
    dialog.get_by_label("Forget its heartbeat details").check()
    dialog.get_by_role("button", name="Reset attempts").click()
    expect(dialog).to_have_count(0)
    expect(visitor.page.locator("#notices")).to_contain_text("The activity begins again.")
