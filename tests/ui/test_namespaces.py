"""Namespaces: registered, looked at, changed, given search attributes, deleted."""

from __future__ import annotations

from playwright.sync_api import expect
from ui_world import HOSTILE
from visitor import LOOKS, Visitor


def _register(visitor: Visitor, name: str, description: str = "") -> None:
    visitor.at("namespaces")
    visitor.page.get_by_role("button", name="Register namespace").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_label("Description").fill(description)
    dialog.get_by_role("button", name="Register", exact=True).click()
    expect(visitor.page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    visitor.settled()


def test_a_namespace_is_changed(visitor: Visitor) -> None:
    _register(visitor, "payments", HOSTILE)
    page = visitor.page.locator("#page")
    expect(page).to_contain_text(HOSTILE)
    expect(page).to_contain_text("3 d")
    visitor.page.get_by_role("button", name="Change", exact=True).click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Description").fill("Money comes and goes.")
    dialog.get_by_label("Owner").fill("ada@example.com")
    dialog.get_by_label("Retention in days").fill("14")
    visitor.picture("namespace-change")
    dialog.get_by_role("button", name="Save").click()
    expect(page).to_contain_text("14 d")
    expect(page).to_contain_text("ada@example.com")
    expect(page).not_to_contain_text(HOSTILE)
    visitor.at("namespaces")
    expect(visitor.page.get_by_role("row").filter(has_text="payments")).to_contain_text("Money comes and goes.")


def test_search_attributes_come_and_go(visitor: Visitor) -> None:
    _register(visitor, "attributed")
    dialog = visitor.page.get_by_role("dialog")
    add = visitor.page.get_by_role("button", name="Add")
    for name, kind in (("CustomerId", "Keyword: an id, a name, a status"), ("Amount", "Double: a number")):
        add.click()
        dialog.get_by_label("Name", exact=True).fill(name)
        dialog.get_by_label("Type").select_option(kind)
        dialog.get_by_role("button", name="Add").click()
        expect(visitor.page.get_by_role("row").filter(has_text=name)).to_be_visible()
    add.click()
    dialog.get_by_label("Name", exact=True).fill(HOSTILE)
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_role("alert")).to_contain_text("<script>")
    visitor.page.keyboard.press("Escape")
    visitor.picture("namespace", LOOKS)
    visitor.page.get_by_role("button", name="Remove Amount").click()
    dialog.get_by_role("button", name="Remove").click()
    expect(visitor.page.get_by_role("row").filter(has_text="Amount")).to_have_count(0)
    expect(visitor.page.get_by_role("row").filter(has_text="CustomerId")).to_contain_text("Keyword")
    visitor.forgive(400)


def test_a_namespace_is_deleted_when_its_name_is_typed(visitor: Visitor) -> None:
    _register(visitor, "short-lived")
    visitor.page.get_by_role("button", name="Delete").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Type its name to go on").fill("another")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The name is short-lived")
    visitor.picture("namespace-delete")
    dialog.get_by_label("Type its name to go on").fill("short-lived")
    dialog.get_by_role("button", name="Delete").click()
    expect(visitor.page.get_by_role("heading", name="Namespaces")).to_be_visible()
    expect(visitor.page.get_by_role("link", name="default", exact=True)).to_be_visible()
    expect(visitor.page.get_by_role("link", name="short-lived", exact=True)).to_have_count(0)
    visitor.at("namespaces", "short-lived")
    expect(visitor.page.get_by_text("There is no such namespace")).to_be_visible()
    visitor.forgive(404)
