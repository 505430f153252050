"""Schedules: created, listed, looked at, paused, triggered, backfilled, deleted."""

from __future__ import annotations

from playwright.sync_api import Locator, expect
from ui_world import HOSTILE, QUEUE
from visitor import LOOKS, Visitor


def _create(visitor: Visitor, schedule_id: str, **filled: str) -> None:
    visitor.open("schedules")
    visitor.page.get_by_role("button", name="Create schedule").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Schedule id").fill(schedule_id)
    dialog.get_by_label("Workflow type").fill("Shipment")
    dialog.get_by_label("Task queue").fill(QUEUE)
    dialog.get_by_label("Input").fill('"by schedule"')
    dialog.get_by_text("More options").click()
    for label, value in filled.items():
        dialog.get_by_label(label, exact=True).fill(value)
    visitor.picture("schedule-create")
    dialog.get_by_role("button", name="Create").click()


def _act(visitor: Visitor, action: str) -> Locator:
    visitor.page.locator(".head").get_by_role("button", name=action, exact=True).click()
    return visitor.page.get_by_role("dialog")


def test_a_schedule_lives(visitor: Visitor) -> None:
    schedule_id = f"nightly {HOSTILE}"
    _create(visitor, schedule_id, Every="1 h", Notes=HOSTILE)
    expect(visitor.page.get_by_role("heading", name=schedule_id)).to_be_visible()
    page, state = visitor.page.locator("#page"), visitor.page.locator(".head-status")
    expect(page).to_contain_text("Every 1 h")
    expect(state).to_have_text("Active")
    latest = visitor.page.locator(".card", has=visitor.page.get_by_role("heading", name="Latest"))
    expect(latest).to_contain_text("has not started anything yet")
    _act(visitor, "Trigger now").get_by_role("button", name="Trigger").click()
    expect(latest.locator(".chip")).to_have_text("Completed")
    visitor.picture("schedule", LOOKS)
    dialog = _act(visitor, "Backfill")
    dialog.get_by_label("From").fill("2026-01-05T00:30")
    dialog.get_by_label("Until").fill("2026-01-04T00:30")
    dialog.get_by_role("button", name="Backfill").click()
    expect(dialog.get_by_role("alert")).to_contain_text("ends before it begins")
    visitor.picture("schedule-backfill")
    dialog.get_by_label("From").fill("2026-01-04T00:00")
    dialog.get_by_label("Until").fill("2026-01-04T02:30")
    dialog.get_by_role("button", name="Backfill").click()
    expect(latest.locator("tbody tr")).to_have_count(4)
    _act(visitor, "Pause").get_by_role("button", name="Pause").click()
    expect(state).to_have_text("Paused")
    expect(page).to_contain_text("Nothing: it is paused.")
    _act(visitor, "Unpause").get_by_role("button", name="Unpause").click()
    expect(state).to_have_text("Active")
    latest.get_by_role("link").first.click()
    expect(visitor.page.get_by_text("shipped by schedule")).to_be_visible()
    visitor.page.go_back()
    _act(visitor, "Delete").get_by_role("button", name="Delete").click()
    expect(visitor.page.get_by_role("heading", name="Schedules")).to_be_visible()
    expect(visitor.page.get_by_role("link", name=schedule_id)).to_have_count(0)


def test_the_list_tells_when(visitor: Visitor) -> None:
    _create(visitor, "office-hours", Cron="0 9 * * MON-FRI", Notes="Mornings")
    expect(visitor.page.locator("#page")).to_contain_text("Monday to Friday at 09:00")
    visitor.page.get_by_role("link", name="Schedules").last.click()
    row = visitor.page.get_by_role("row").filter(has_text="office-hours")
    for text in ("Active", "Shipment", "Monday to Friday at 09:00", "Mornings"):
        expect(row).to_contain_text(text)
    visitor.picture("schedules", LOOKS)


def test_bad_times_are_refused(visitor: Visitor) -> None:
    _create(visitor, "never")
    alert = visitor.page.get_by_role("dialog").get_by_role("alert")
    expect(alert).to_contain_text("It has no times")
    visitor.page.get_by_label("Cron", exact=True).fill("at noon")
    visitor.page.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(alert).to_contain_text("at noon")
    visitor.forgive(400)


def test_a_schedule_that_never_was(visitor: Visitor) -> None:
    visitor.open("schedules", HOSTILE)
    expect(visitor.page.get_by_text("There is no such schedule")).to_be_visible()
    visitor.page.get_by_role("link", name="Look at all schedules").click()
    expect(visitor.page.get_by_role("heading", name="Schedules")).to_be_visible()
    visitor.forgive(404)
