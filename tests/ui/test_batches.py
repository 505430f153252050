"""Batch operations: begun from the list, followed, looked at, stopped."""

from __future__ import annotations

import re
import uuid

from playwright.sync_api import expect
from ui_server import Life
from ui_world import HOSTILE, QUEUE, Approval
from visitor import LOOKS, Visitor

from outlast.api.batch.v1 import BatchOperationSignal
from outlast.api.workflowservice.v1 import StartBatchOperationRequest
from outlast.client import Client


def _start(lived: Life, prefix: str, amount: int) -> None:
    async def start(client: Client) -> None:
        for number in range(amount):
            await client.start_workflow(Approval.run, id=f"{prefix}{number}", task_queue=QUEUE)

    lived.do(start)


def _slow_job(lived: Life, prefix: str) -> str:
    """The id of a job that takes hours: it signals a workflow now and then."""
    job_id = f"job-{uuid.uuid4()}"
    request = StartBatchOperationRequest(
        namespace="default",
        job_id=job_id,
        reason=HOSTILE,
        visibility_query=f"WorkflowId STARTS_WITH '{prefix}'",
        max_operations_per_second=0.001,
        signal_operation=BatchOperationSignal(signal="remind", identity=HOSTILE),
    )
    lived.do(lambda client: client.workflow_service.start_batch_operation(request))
    return job_id


def test_an_action_leads_to_its_job(visitor: Visitor, lived: Life) -> None:
    _start(lived, "batched-", 2)
    visitor.open("workflows", query="?query=batched-")
    visitor.page.get_by_label("Select every workflow of this page").check()
    visitor.page.locator(".bulk").get_by_role("button", name="Cancel").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("the season is over")
    dialog.get_by_role("button", name="Request cancellation").click()
    visitor.page.locator("#notices").get_by_role("link", name="Look at the batch operation").click()
    expect(visitor.page.get_by_role("heading", name="Cancel: 2 workflows")).to_be_visible()
    expect(visitor.page.locator(".head-status")).to_have_text("Completed")
    expect(visitor.page.locator("#page")).to_contain_text("the season is over")
    expect(visitor.page.locator(".progress")).to_contain_text("2 of 2")
    visitor.picture("batch", LOOKS)
    visitor.page.get_by_role("link", name="batched-1").click()
    expect(visitor.page.locator(".head-status")).to_have_text("Canceled")


def test_a_job_is_listed_and_stopped(visitor: Visitor, lived: Life) -> None:
    _start(lived, "slowly-", 3)
    job_id = _slow_job(lived, "slowly-")
    visitor.open("batches")
    row = visitor.page.get_by_role("row").filter(has_text=job_id)
    expect(row).to_contain_text("Running")
    expect(row).to_contain_text(HOSTILE)
    visitor.picture("batches", LOOKS)
    row.get_by_role("link").click()
    expect(visitor.page.locator(".head-status")).to_have_text("Running")
    expect(visitor.page.locator("#page")).to_contain_text("WorkflowId STARTS_WITH 'slowly-'")
    expect(visitor.page.locator(".progress")).to_contain_text("of 3")
    visitor.page.get_by_role("button", name="Stop").click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("a mistake")
    visitor.picture("batch-stop")
    dialog.get_by_role("button", name="Stop").click()
    expect(visitor.page.locator(".head-status")).to_have_text("Failed")
    expect(visitor.page.locator(".head").get_by_role("button", name="Stop")).to_have_count(0)
    visitor.page.get_by_role("link", name="Look at them").click()
    expect(visitor.page.locator(".total")).to_have_text("3 workflows")


def test_many_are_reset_and_deleted(visitor: Visitor, lived: Life) -> None:
    _start(lived, "doomed-", 2)
    visitor.open("workflows", query="?query=doomed-")
    everyone = visitor.page.get_by_label("Select every workflow of this page")
    dialog = visitor.page.get_by_role("dialog")
    everyone.check()
    visitor.page.locator(".bulk").get_by_role("button", name="Reset").click()
    visitor.picture("bulk-reset")
    dialog.get_by_role("button", name="Reset").click()
    expect(visitor.page.locator("#notices")).to_contain_text("Reset: 2 workflows done")
    expect(visitor.page.get_by_role("button", name=re.compile("^Terminated"))).to_have_text("Terminated2")
    everyone.check()
    visitor.page.locator(".bulk").get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text("cannot be undone")
    dialog.get_by_role("button", name="Delete").click()
    expect(visitor.page.get_by_text("No workflow matches")).to_be_visible()


def test_a_job_that_is_not_there(visitor: Visitor) -> None:
    visitor.open("batches", HOSTILE)
    expect(visitor.page.get_by_text("There is no such batch operation")).to_be_visible()
    visitor.page.get_by_role("link", name="Look at all batch operations").click()
    expect(visitor.page.get_by_role("heading", name="Batch operations")).to_be_visible()
    visitor.forgive(404)
