"""The list of workflows: found, counted, ordered, paged, and acted on in numbers."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, expect
from ui_server import Life
from ui_world import CHILDREN, HOSTILE, QUEUE, Approval
from visitor import LOOKS, Visitor

from outlast.api.enums.v1 import IndexedValueType
from outlast.api.operatorservice.v1 import AddSearchAttributesRequest
from outlast.client import Client
from outlast.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes


def _rows(visitor: Visitor) -> Locator:
    return visitor.page.locator(".list tbody tr")


def _total(visitor: Visitor) -> Locator:
    return visitor.page.locator(".total")


def _start(lived: Life, *workflow_ids: str) -> None:
    async def start(client: Client) -> None:
        for workflow_id in workflow_ids:
            await client.start_workflow(Approval.run, id=workflow_id, task_queue=QUEUE)

    lived.do(start)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("order-3", "order-3"),
        ("Retrying", "retrying"),
        (HOSTILE, HOSTILE),
        ("WorkflowType = 'Long'", "long-history"),
        ("it's not there' OR '1'='1", ""),
        ("no such '' id", ""),
    ],
)
def test_the_search_takes_an_id_a_type_or_a_filter(visitor: Visitor, text: str, found: str) -> None:
    visitor.open("workflows")
    visitor.page.get_by_role("searchbox").fill(text)
    visitor.page.get_by_role("button", name="Search").click()
    if found:
        expect(_total(visitor)).to_have_text("1 workflow")
        expect(_rows(visitor).get_by_role("link")).to_have_text(found)
    else:
        expect(visitor.page.get_by_text("No workflow matches")).to_be_visible()
        visitor.page.get_by_role("button", name="Show all workflows").click()
        expect(_rows(visitor)).to_have_count(50)


def test_an_id_is_searched_while_it_is_typed_and_kept_in_the_address(visitor: Visitor) -> None:
    visitor.open("workflows")
    visitor.page.get_by_role("searchbox").press_sequentially("order-4")
    expect(_total(visitor)).to_have_text("1 workflow")
    visitor.page.reload()
    expect(_total(visitor)).to_have_text("1 workflow")
    expect(visitor.page.get_by_role("searchbox")).to_have_value("order-4")


def test_a_bad_filter_is_pointed_at(visitor: Visitor) -> None:
    visitor.open("workflows", query="?status=Failed&query=" + quote("WorkflowType == 'x'"))
    problem = visitor.page.locator("#page").get_by_role("alert")
    expect(problem).to_contain_text("character 14")
    expect(problem).to_contain_text("use = for equality")
    visitor.picture("bad-filter")
    visitor.forgive(400)


def test_counts_are_filters(visitor: Visitor) -> None:
    visitor.open("workflows")
    failed = visitor.page.get_by_role("button", name=re.compile("^Failed"))
    expect(failed).to_have_text("Failed2")
    failed.click()
    expect(_total(visitor)).to_have_text("2 workflows")
    expect(_rows(visitor)).to_have_count(2)
    failed.click()
    expect(_rows(visitor)).to_have_count(50)


def test_every_column_orders_both_ways(visitor: Visitor) -> None:
    visitor.open("workflows", query="?sort=" + quote("RunId ASC"))
    for column in ("Status", "Workflow id", "Type", "Started", "Closed", "Duration", "Task queue"):
        head = visitor.page.get_by_role("columnheader", name=column, exact=True)
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", re.compile("ascending|descending"))
        first = head.get_attribute("aria-sort")
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", "ascending" if first == "descending" else "descending")


def test_the_order_is_right(visitor: Visitor) -> None:
    visitor.open("workflows", query="?query=order-&sort=" + quote("WorkflowId ASC"))
    expect(_rows(visitor).get_by_role("link")).to_have_text([f"order-{number}" for number in range(1, 6)])
    visitor.page.get_by_role("button", name="Workflow id").click()
    expect(_rows(visitor).get_by_role("link")).to_have_text([f"order-{number}" for number in range(5, 0, -1)])


def test_a_time_range(visitor: Visitor) -> None:
    visitor.open("workflows", query="?query=order-1")
    ranges = visitor.page.get_by_label("Time range of the start")
    ranges.select_option("Last hour")
    expect(_rows(visitor)).to_have_count(1)
    ranges.select_option("From … until …")
    visitor.page.get_by_label("Started until").fill("2020-01-01T00:00")
    expect(visitor.page.get_by_text("No workflow matches")).to_be_visible()
    visitor.picture("time-range")
    visitor.page.get_by_label("Started until").fill("")
    visitor.page.get_by_label("Started from").fill("2020-01-01T00:00")
    expect(_rows(visitor)).to_have_count(1)


def test_pages_of_the_list(visitor: Visitor) -> None:
    visitor.open("workflows", query="?query=" + quote("WorkflowType = 'Shipment' AND ParentWorkflowId = 'family'"))
    expect(_total(visitor)).to_have_text(f"{CHILDREN // 1000} 000 workflows")
    first = _rows(visitor).first.get_by_role("link").text_content()
    visitor.page.get_by_role("button", name="Next").click()
    expect(visitor.page.get_by_text("Page 2")).to_be_visible()
    expect(_rows(visitor).first.get_by_role("link")).not_to_have_text(str(first))
    visitor.page.get_by_role("button", name="Previous").click()
    expect(_rows(visitor).first.get_by_role("link")).to_have_text(str(first))


def test_the_list_refreshes_itself(visitor: Visitor, lived: Life) -> None:
    visitor.open("workflows", query="?query=appears")
    expect(visitor.page.get_by_text("No workflow matches")).to_be_visible()
    _start(lived, "appears")
    expect(_rows(visitor)).to_have_count(1)


@pytest.mark.parametrize(
    ("action", "status"), [("Cancel", "Canceled"), ("Terminate", "Terminated"), ("Signal", "Completed")]
)
@pytest.mark.parametrize("which", ["ticked", "all"])
def test_an_action_for_many(visitor: Visitor, lived: Life, action: str, status: str, which: str) -> None:
    prefix = f"many-{action}-{which}-"
    _start(lived, *(f"{prefix}{number}" for number in range(3 if which == "ticked" else 60)))
    visitor.open("workflows", query=f"?query={prefix}")
    expect(_total(visitor)).to_have_text(re.compile("^3 |^60 "))
    visitor.page.get_by_label("Select every workflow of this page").check()
    if which == "all":
        visitor.page.get_by_label("all 60 that match").check()
    visitor.picture("selected")
    visitor.page.locator(".bulk").get_by_role("button", name=action).click()
    dialog = visitor.page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 workflows" if which == "ticked" else "60 workflows")
    if action == "Signal":
        dialog.get_by_label("Signal", exact=True).fill("approve")
        dialog.get_by_label("Input").fill('"Ada"')
    visitor.picture(f"bulk-{action}")
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_have_count(0)
    expect(visitor.page.locator("#notices")).to_contain_text("done")
    count = visitor.page.get_by_role("button", name=re.compile(f"^{status}"))
    expect(count).to_have_text(f"{status}{3 if which == 'ticked' else 60}")


@pytest.mark.parametrize(
    ("action", "status"), [("Cancel", "Canceled"), ("Terminate", "Terminated"), ("Signal", "Completed")]
)
def test_a_server_without_batches_is_asked_for_each_workflow(
    visitor: Visitor, lived: Life, action: str, status: str
) -> None:
    prefix = f"single-{action}-"
    _start(lived, *(f"{prefix}{number}" for number in range(60)))
    answer = {"code": 12, "message": "StartBatchOperation is not built in this server"}
    visitor.page.route("**/batch-operations/*", lambda route: route.fulfill(status=501, json=answer))
    visitor.open("workflows", query=f"?query={prefix}")
    visitor.page.get_by_label("Select every workflow of this page").check()
    visitor.page.get_by_label("all 60 that match").check()
    visitor.page.locator(".bulk").get_by_role("button", name=action).click()
    dialog = visitor.page.get_by_role("dialog")
    if action == "Signal":
        dialog.get_by_label("Signal", exact=True).fill("approve")
        dialog.get_by_label("Input").fill('"Ada"')
    dialog.locator("button[type=submit]").click()
    expect(visitor.page.get_by_role("button", name=re.compile(f"^{status}"))).to_have_text(f"{status}60")
    visitor.forgive(501)


def test_an_action_that_a_workflow_refuses_says_so(visitor: Visitor, lived: Life) -> None:
    _start(lived, "refuses")
    visitor.page.route(
        "**/batch-operations/*", lambda route: route.fulfill(status=501, json={"code": 12, "message": ""})
    )
    visitor.open("workflows", query="?query=refuses")
    visitor.page.get_by_label("Select refuses").check()
    visitor.page.locator(".bulk").get_by_role("button", name="Terminate").click()
    lived.do(lambda client: client.get_workflow_handle("refuses").terminate())
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Terminate").click()
    expect(dialog.get_by_role("alert")).to_contain_text("1 of 1 failed. The first: refuses: ")
    visitor.forgive(501)
    visitor.forgive(404)


def test_a_workflow_is_started(visitor: Visitor) -> None:
    visitor.open("workflows")
    visitor.page.get_by_role("button", name="Start workflow").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Type").fill("Shipment")
    dialog.get_by_label("Task queue").fill(QUEUE)
    dialog.get_by_label("Workflow id").fill("from/the page")
    dialog.get_by_label("Input").fill("{not json")
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("is not JSON")
    visitor.picture("start-refused")
    dialog.get_by_label("Input").fill('"by hand"')
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(visitor.page.get_by_role("heading", name="from/the page")).to_be_visible()
    expect(visitor.page.get_by_text("shipped by hand")).to_be_visible()


def test_a_workflow_is_started_with_everything(visitor: Visitor) -> None:
    visitor.open("workflows")
    visitor.page.get_by_role("button", name="Start workflow").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Type").fill("Shipment")
    dialog.get_by_label("Task queue").fill(QUEUE)
    dialog.get_by_label("Workflow id").fill("with-everything")
    dialog.get_by_label("Input").fill('"slow by hand"')
    dialog.get_by_text("More options").click()
    dialog.get_by_label("Summary").fill(HOSTILE)
    dialog.get_by_label("Details").fill("Ships **at once**.")
    dialog.get_by_label("Memo").fill('["no object"]')
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Memo: write a JSON object")
    dialog.get_by_label("Memo").fill('{"customer": "Ada"}')
    dialog.get_by_label("Search attributes").fill('{"NeverRegistered": 1}')
    dialog.get_by_label("End at the latest after").fill("soon")
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("write 30 s, 5 m, 2 h or 1 d")
    dialog.get_by_label("End at the latest after").fill("1h 30m")
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("NeverRegistered")
    visitor.picture("start-everything")
    dialog.get_by_label("Search attributes").fill("")
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(visitor.page.get_by_role("heading", name="with-everything")).to_be_visible()
    page = visitor.page.locator("#page")
    for text in (HOSTILE, "Ada", "1 h 30 m"):
        expect(page).to_contain_text(text)
    visitor.page.locator(".head").get_by_role("button", name="Start like this").click()
    dialog.get_by_text("More options").click()
    expect(dialog.get_by_label("Summary")).to_have_value(HOSTILE)
    expect(dialog.get_by_label("End at the latest after")).to_have_value("1h30m")
    visitor.forgive(400)


def test_views_are_chosen_and_saved(visitor: Visitor) -> None:
    visitor.open("workflows")
    views = visitor.page.get_by_role("button", name="Views")
    views.click()
    visitor.picture("views")
    visitor.page.get_by_role("button", name="Blocked workflow tasks").click()
    blocked = visitor.page.get_by_role("button", name=re.compile("^Blocked"))
    expect(blocked).to_have_attribute("aria-pressed", "true")
    views.click()
    visitor.page.get_by_role("button", name="Failed today").click()
    expect(visitor.page.get_by_role("searchbox")).to_have_value(re.compile("CloseTime >= '"))
    expect(_rows(visitor)).to_have_count(3)
    visitor.page.get_by_role("searchbox").fill("order-3")
    visitor.page.get_by_role("button", name="Search").click()
    expect(_rows(visitor)).to_have_count(1)
    views.click()
    visitor.page.get_by_role("button", name="Save this view").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(HOSTILE)
    dialog.get_by_role("button", name="Save").click()
    visitor.open("workflows")
    expect(_rows(visitor)).to_have_count(50)
    views.click()
    visitor.page.get_by_role("button", name=HOSTILE, exact=True).click()
    expect(_rows(visitor).get_by_role("link")).to_have_text(["order-3"])
    views.click()
    visitor.page.get_by_role("button", name=f"Forget the view {HOSTILE}").click()
    views.click()
    expect(visitor.page.get_by_role("button", name="All workflows")).to_be_visible()
    expect(visitor.page.get_by_role("button", name=HOSTILE, exact=True)).to_have_count(0)


def test_columns_are_chosen_put_in_order_and_kept(visitor: Visitor, lived: Life) -> None:
    _attributed(lived)
    visitor.open("workflows", query="?query=attributed")
    heads = visitor.page.get_by_role("columnheader")
    visitor.page.get_by_role("button", name="Columns").click()
    for column in ("Events", "ParcelId"):
        visitor.page.get_by_label(column, exact=True).check()
    visitor.page.get_by_label("Closed", exact=True).uncheck()
    visitor.page.get_by_role("button", name="ParcelId further left").click()
    visitor.picture("columns", LOOKS)
    visitor.page.keyboard.press("Escape")
    shown = ["", "Status", "Workflow id", "Type", "Started↓", "Duration", "Task queue", "ParcelId", "Events"]
    expect(heads).to_have_text(shown)
    expect(_rows(visitor)).to_contain_text(HOSTILE)
    visitor.page.reload()
    expect(heads).to_have_text(shown)
    heads.filter(has_text="ParcelId").get_by_role("button").click()
    expect(heads.filter(has_text="ParcelId")).to_have_attribute("aria-sort", "ascending")
    expect(_rows(visitor)).to_contain_text(HOSTILE)
    visitor.page.get_by_role("button", name="Columns").click()
    visitor.page.get_by_role("button", name="The usual columns").click()
    expect(heads.filter(has_text="Closed")).to_have_count(1)
    expect(heads.filter(has_text="ParcelId")).to_have_count(0)


def _attributed(lived: Life) -> None:
    """A workflow with a search attribute of its namespace."""
    parcel = SearchAttributeKey.for_keyword("ParcelId")

    async def start(client: Client) -> None:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace="default", search_attributes={"ParcelId": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
            )
        )
        await client.start_workflow(
            Approval.run,
            id="attributed",
            task_queue=QUEUE,
            search_attributes=TypedSearchAttributes([SearchAttributePair(parcel, HOSTILE)]),
        )

    lived.do(start)
