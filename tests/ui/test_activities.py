"""Standalone activities: started, found, followed, and everything that can be done to one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, expect
from ui_server import Life
from ui_world import HOSTILE, QUEUE, unreachable
from visitor import LOOKS, Visitor

from outlast.client import Client


def _retrying(lived: Life, activity_id: str) -> None:
    """An activity that has failed and waits for its next attempt."""

    async def start(client: Client) -> None:
        await client.start_activity(
            unreachable, id=activity_id, task_queue=QUEUE, start_to_close_timeout=timedelta(minutes=1), summary=HOSTILE
        )

    lived.do(start)


def _act(visitor: Visitor, action: str) -> Locator:
    visitor.page.locator(".head").get_by_role("button", name=action, exact=True).click()
    return visitor.page.get_by_role("dialog")


def _status(visitor: Visitor) -> Locator:
    return visitor.page.locator(".head-status")


def test_an_activity_is_started_and_followed(visitor: Visitor) -> None:
    visitor.open("activities")
    visitor.page.get_by_role("button", name="Start activity").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Type").fill("charge")
    dialog.get_by_label("Task queue").fill(QUEUE)
    dialog.get_by_label("Activity id").fill(f"charge {HOSTILE}")
    dialog.get_by_label("Input").fill('"order-77"')
    dialog.get_by_label("One attempt may take").fill("a while")
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("is no length of time")
    dialog.get_by_label("One attempt may take").fill("2 m")
    dialog.get_by_text("More options").click()
    dialog.get_by_label("Attempts at most").fill("5")
    dialog.get_by_label("Summary").fill("Takes the **money**")
    visitor.picture("activity-start")
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(visitor.page.get_by_role("heading", name=f"charge {HOSTILE}")).to_be_visible()
    expect(_status(visitor)).to_have_text("Completed")
    page = visitor.page.locator("#page")
    for text in ("receipt of order-77", "2 of 5", "Takes the", "2 m"):
        expect(page).to_contain_text(text)
    visitor.picture("activity", LOOKS)
    dialog = _act(visitor, "Delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(visitor.page.get_by_role("heading", name="Activities")).to_be_visible()


def test_the_list_finds_and_counts(visitor: Visitor, lived: Life) -> None:
    for number in range(2):
        _retrying(lived, f"listed-{number}")
    visitor.open("activities")
    box = visitor.page.get_by_role("searchbox")
    box.fill("listed-")
    box.press("Enter")
    rows = visitor.page.locator("tbody tr")
    expect(visitor.page.locator(".total")).to_have_text("2 activities")
    expect(rows).to_have_count(2)
    visitor.page.get_by_role("button", name=re.compile("^Running")).click()
    expect(rows).to_have_count(2)
    visitor.picture("activities", LOOKS)
    box.fill("ActivityType = 'unreachable' AND ActivityId = 'listed-1'")
    box.press("Enter")
    expect(visitor.page.locator(".total")).to_have_text("1 activity")
    box.fill("no such id")
    box.press("Enter")
    visitor.page.get_by_role("button", name="Show all activities").click()
    expect(box).to_have_value("")
    expect(rows.first).to_be_visible()
    box.fill("ActivityType == 'x'")
    box.press("Enter")
    expect(visitor.page.locator("#page").get_by_role("alert")).to_contain_text("use = for equality")
    visitor.forgive(400)


def test_an_activity_is_paused_unpaused_and_reset(visitor: Visitor, lived: Life) -> None:
    _retrying(lived, "steered")
    visitor.open("activities", "steered")
    expect(_status(visitor)).to_have_text("Retrying")
    page = visitor.page.locator("#page")
    expect(page).to_contain_text(f"no route to the warehouse {HOSTILE}")
    expect(page).to_contain_text('"bytes": 4096')
    visitor.picture("activity-retrying", LOOKS)
    dialog = _act(visitor, "Pause")
    dialog.get_by_label("Reason").fill("the warehouse is closed")
    dialog.get_by_role("button", name="Pause").click()
    expect(_status(visitor)).to_have_text("Paused")
    visitor.picture("activity-paused")
    dialog = _act(visitor, "Unpause")
    dialog.get_by_role("button", name="Unpause").click()
    expect(_status(visitor)).not_to_have_text("Paused")
    dialog = _act(visitor, "Reset attempts")
    dialog.get_by_label("Forget its heartbeat details").check()
    dialog.get_by_role("button", name="Reset attempts").click()
    expect(visitor.page.locator("#notices")).to_contain_text("The activity begins again.")


@pytest.mark.parametrize(
    ("action", "confirm", "status"),
    [("Cancel", "Request cancellation", "Canceled"), ("Terminate", "Terminate", "Terminated")],
)
def test_an_activity_is_ended(visitor: Visitor, lived: Life, action: str, confirm: str, status: str) -> None:
    _retrying(lived, f"ended by {action}")
    visitor.open("activities", f"ended by {action}")
    expect(_status(visitor)).to_have_text("Retrying")
    dialog = _act(visitor, action)
    dialog.get_by_label("Reason").fill(HOSTILE)
    visitor.picture(f"activity-{action}")
    dialog.get_by_role("button", name=confirm).click()
    expect(_status(visitor)).to_have_text(status)
    expect(visitor.page.get_by_role("button", name="Pause")).to_have_count(0)


def test_an_activity_that_never_was(visitor: Visitor) -> None:
    visitor.open("activities", HOSTILE)
    expect(visitor.page.get_by_text("There is no such activity")).to_be_visible()
    visitor.page.get_by_role("link", name="Look at all activities").click()
    expect(visitor.page.get_by_role("heading", name="Activities")).to_be_visible()
    visitor.forgive(404)
