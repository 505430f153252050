"""Every page in both themes and both widths: it shows what it has to, can be read by everybody, and is silent."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from ui_world import HOSTILE
from visitor import LOOKS, Visitor

_DEFAULT = ("namespaces", "default")

PLACES = {
    "list": ((*_DEFAULT, "workflows"), "", "Completed"),
    "nothing-found": ((*_DEFAULT, "workflows"), "?query=no-such-id", "No workflow matches"),
    "task-queues": ((*_DEFAULT, "task-queues"), "", "No worker"),
    "task-queue": ((*_DEFAULT, "task-queues", "orders"), "", "worker-of-the-tests"),
    "workers": ((*_DEFAULT, "workers"), "", "worker-of-the-tests"),
    "namespaces": (("namespaces",), "", "Registered"),
    "server": (("server",), "", "Serving"),
    "no-page": (("no", "such", "page"), "", "There is no page at this address"),
}
"""Path, query, and a text that has to be there."""

RUNS = {
    "completed": ("order-1", "", "receipt of order-1"),
    "timeline": ("order-1", "Timeline", "charge"),
    "history": ("order-1", "History", "charge"),
    "relations": ("order-1", "Relations", "shipment-of-order-1"),
    "failed": ("declined", "", "over its limit"),
    "blocked": ("blocked", "", "This workflow is blocked"),
    "retrying": ("retrying", "Pending", "of 10"),
    "queries": ("approval", "Queries", "Waits for an approval."),
    "no-worker": ("nobody-there", "", "No worker polls its task queue"),
    "hostile": (HOSTILE, "", HOSTILE),
    "family": ("family", "Timeline", "family/child-0"),
    "terminated": ("terminated", "", "no longer needed"),
    "timed-out": ("timed-out", "", "still running when its time was over"),
    "cancelled": ("cancelled", "History", "Cancellation requested"),
    "continued": ("renewal", "Relations", "Continued from"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PLACES)
def test_pages(visitor: Visitor, name: str) -> None:
    parts, query, text = PLACES[name]
    visitor.at(*parts, query=query)
    expect(visitor.page.locator("#page")).to_contain_text(text)
    visitor.picture(name, LOOKS)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_workflow_pages(visitor: Visitor, name: str) -> None:
    workflow_id, tab, text = RUNS[name]
    visitor.workflow(workflow_id, tab)
    expect(visitor.page.locator("#page")).to_contain_text(text)
    visitor.picture(name, LOOKS)


def test_every_theme_can_be_chosen_and_is_kept(visitor: Visitor) -> None:
    visitor.open("workflows")
    shown = lambda: visitor.page.evaluate("() => getComputedStyle(document.body).backgroundColor")  # noqa: E731
    light = shown()
    button = visitor.page.get_by_role("button", name="Colours")
    button.click()
    assert shown() == light
    button.click()
    dark = shown()
    assert dark != light
    visitor.page.reload()
    visitor.settled()
    assert shown() == dark
    button.click()
    assert shown() == light


def test_the_server_says_where_programs_ask(visitor: Visitor) -> None:
    visitor.at("server")
    links = visitor.page.locator(".card", has_text="For programs").get_by_role("link")
    expect(links).to_have_count(3)
    for link in links.all():
        answer = visitor.page.request.get(visitor.url.rstrip("/") + str(link.get_attribute("href")))
        assert answer.status == 200


def test_a_workflow_that_never_was(visitor: Visitor) -> None:
    visitor.open("workflows", "never-was")
    expect(visitor.page.get_by_text("There is no such workflow")).to_be_visible()
    visitor.picture("no-workflow")
    visitor.page.get_by_role("link", name="Look at all workflows").click()
    expect(visitor.page.get_by_role("heading", name="Workflows")).to_be_visible()
    visitor.forgive(404)


def test_a_namespace_without_workflows_says_how_to_begin(visitor: Visitor) -> None:
    visitor.at("namespaces")
    visitor.page.get_by_role("button", name="Register namespace").click()
    visitor.page.get_by_label("Name", exact=True).fill("quiet")
    visitor.picture("register")
    visitor.page.get_by_role("button", name="Register", exact=True).click()
    visitor.page.get_by_role("link", name="Its workflows").click()
    expect(visitor.page.get_by_text("There are no workflows in quiet yet")).to_be_visible()
    expect(visitor.page.get_by_text("outlast demo")).to_be_visible()
    visitor.picture("no-workflows")
    visitor.open("task-queues", namespace="quiet")
    expect(visitor.page.get_by_text("No task queue has been used yet")).to_be_visible()
    visitor.open("batches", namespace="quiet")
    expect(visitor.page.get_by_text("There has been no batch operation yet")).to_be_visible()
    visitor.open("workers", namespace="quiet")
    expect(visitor.page.get_by_text("No worker reports itself")).to_be_visible()


def test_a_namespace_that_is_not_there(visitor: Visitor) -> None:
    visitor.open("workflows", namespace="elsewhere")
    expect(visitor.page.get_by_role("alert").filter(has_text="Not found")).to_contain_text("elsewhere")
    visitor.forgive(404)


def test_the_keyboard_goes_everywhere(visitor: Visitor) -> None:
    visitor.open("workflows", query="?query=order-1")
    expect(visitor.page.get_by_role("link", name="order-1", exact=True)).to_be_visible()
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_role("button", name="Skip to the content")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    for _ in range(40):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate("() => document.activeElement.textContent") == "order-1":
            break
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", name="order-1", exact=True)).to_be_visible()
