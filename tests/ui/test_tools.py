"""What is about no single page: the palette and the keys, times as the user likes them, a history from a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from ui_server import Life
from ui_world import HOSTILE, QUEUE, Shipment
from visitor import LOOKS, Visitor

from outlast.client import Client

_DETAILS = f"""# To do
Ship **at once**, _please_:
- first `a`
- then [b](https://example.com/b?c=1)

1. one

> said {HOSTILE}

```
{HOSTILE}
```
[click](javascript:window.hacked=1) {HOSTILE}
"""


def _more(visitor: Visitor, item: str) -> None:
    visitor.page.get_by_role("button", name="More", exact=True).click()
    visitor.page.locator(".menu").get_by_text(item, exact=True).click()


def test_the_palette_goes_anywhere(visitor: Visitor) -> None:
    visitor.open("workers")
    visitor.page.keyboard.press("Control+k")
    box = visitor.page.get_by_role("combobox", name="Go to")
    box.fill("task q")
    visitor.picture("palette", LOOKS)
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", name="Task queues")).to_be_visible()
    _more(visitor, "Go anywhere")
    box.fill("order-1")
    visitor.page.get_by_role("option", name="Open the workflow “order-1”").click()
    expect(visitor.page.get_by_text("receipt of order-1")).to_be_visible()
    visitor.page.keyboard.press("Control+k")
    box.fill("declined")
    expect(visitor.page.locator(".palette-list li").first).to_have_text("Search workflows for “declined”")
    visitor.page.keyboard.press("ArrowDown")
    visitor.page.keyboard.press("ArrowUp")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator(".list tbody tr")).to_have_count(1)


def test_keys_lead_to_pages_but_not_while_somebody_types(visitor: Visitor) -> None:
    visitor.open("workers")
    visitor.page.keyboard.type("gw")
    expect(visitor.page.get_by_role("heading", name="Workflows")).to_be_visible()
    visitor.page.keyboard.press("/")
    box = visitor.page.get_by_role("searchbox")
    expect(box).to_be_focused()
    visitor.page.keyboard.type("gq?")
    expect(box).to_have_value("gq?")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    visitor.page.locator("#page").focus()
    visitor.page.keyboard.press("?")
    expect(visitor.page.get_by_role("dialog")).to_contain_text("Go anywhere")
    visitor.picture("keys", LOOKS)
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)


def test_times_are_written_as_the_user_likes(visitor: Visitor) -> None:
    visitor.open("workflows", query="?query=order-1")
    started = visitor.page.locator(".list .c-start")
    expect(started).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    _more(visitor, "Times and time zone")
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Time zone").select_option("Asia/Tokyo")
    visitor.picture("times")
    dialog.get_by_role("button", name="Save").click()
    expect(started).to_have_attribute("title", re.compile(r"\(Asia/Tokyo\)$"))
    _more(visitor, "Times and time zone")
    dialog.get_by_label("Written").select_option("As distance from now")
    dialog.get_by_role("button", name="Save").click()
    visitor.page.reload()
    expect(started).to_have_text(re.compile("ago$|^now$"))


@pytest.fixture
def described(lived: Life) -> str:
    """The id of a workflow whose details are Markdown."""

    async def start(client: Client) -> None:
        await client.start_workflow(
            Shipment.run, "slow", id="described", task_queue=QUEUE, static_summary=HOSTILE, static_details=_DETAILS
        )

    lived.do(start)
    return "described"


def test_details_are_markdown_and_nothing_more(visitor: Visitor, described: str) -> None:
    visitor.workflow(described)
    details = visitor.page.locator(".md").last
    expect(details.locator("strong")).to_have_text("at once")
    expect(details.locator("em")).to_have_text("please")
    expect(details.locator("ul li")).to_have_text(["first a", "then b"])
    expect(details.locator("ol li")).to_have_text(["one"])
    expect(details.locator("pre")).to_have_text(HOSTILE)
    expect(details.locator("blockquote")).to_have_text(f"said {HOSTILE}")
    expect(details.get_by_role("link")).to_have_count(1)
    expect(details.get_by_role("link")).to_have_attribute("href", "https://example.com/b?c=1")
    expect(details.locator("script, img")).to_have_count(0)
    visitor.picture("markdown", LOOKS)


def test_what_the_code_says_of_itself_is_shown_while_it_runs(visitor: Visitor) -> None:
    visitor.workflow("approval")
    expect(visitor.page.locator(".current-details")).to_contain_text("Waits for an approval.")


def test_a_value_is_copied_and_shown_whole(visitor: Visitor) -> None:
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.workflow("order-1")
    visitor.page.get_by_role("button", name="Copy input").click()
    assert visitor.page.evaluate("() => navigator.clipboard.readText()") == '"order-1"'
    visitor.workflow("long-history")
    result = visitor.page.locator(".card", has_text="Result").last
    result.get_by_role("button", name="Show all").click()
    expect(result).to_contain_text("All 300 kB.")
    assert len(result.locator("pre").text_content() or "") > 300_000


def _choose(visitor: Visitor, file: Path, text: str) -> Locator:
    file.write_text(text)
    visitor.at("import")
    visitor.page.get_by_label("History in a JSON file").set_input_files(file)
    return visitor.page.locator("#page")


def test_a_history_is_looked_at_from_a_file(visitor: Visitor, tmp_path: Path) -> None:
    visitor.workflow("declined", "History")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "saved.json")
    text = (tmp_path / "saved.json").read_text()
    _more(visitor, "Open a history file")
    visitor.picture("import", LOOKS)
    page = _choose(visitor, tmp_path / "declined.json", text)
    expect(visitor.page.locator(".head-status")).to_have_text("Failed")
    expect(page).to_contain_text("the card is over its limit")
    visitor.picture("imported", LOOKS)
    tabs = visitor.page.locator(".tabs")
    tabs.get_by_role("link", name="Timeline").click()
    expect(visitor.page.locator(".lane")).to_contain_text("decline")
    tabs.get_by_role("link", name="History").click()
    expect(visitor.page.get_by_role("listitem")).to_have_count(3)
    visitor.page.get_by_role("button", name="Open another file").click()
    expect(page).to_contain_text("Open the history of a workflow")
    # As older tools write it: names without the prefix, numbers for ids.
    events = json.loads(text)["events"]
    for event in events:
        words = event["eventType"].removeprefix("EVENT_TYPE_").split("_")
        event.update(eventType="".join(word.title() for word in words), eventId=int(event["eventId"]))
    _choose(visitor, tmp_path / "old.json", json.dumps(events[:-1]))
    expect(visitor.page.locator(".head-status")).to_have_text("Running")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "It is not JSON"),
        ("[]", "It has no events"),
        ('{"events": [{"eventType": "TimerStarted"}]}', "Its first event is TimerStarted"),
        ('[{"eventType": "WorkflowExecutionStarted"}, 7]', "Entry 2 is no event"),
    ],
)
def test_a_file_that_is_no_history(visitor: Visitor, tmp_path: Path, text: str, says: str) -> None:
    page = _choose(visitor, tmp_path / "wrong.json", text)
    expect(page.get_by_role("alert")).to_contain_text(says)
    expect(page.get_by_role("alert")).to_contain_text("wrong.json")
