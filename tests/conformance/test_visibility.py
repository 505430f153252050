"""Lists, counts and search attributes, from the registration of a name to the fields of what is listed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from stage import MINUTE, Stage

import outlast.api.enums.v1 as enums
from outlast import workflow
from outlast.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from outlast.client import WorkflowExecutionStatus
from outlast.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from outlast.service import RPCError, RPCStatusCode

CUSTOMER = SearchAttributeKey.for_keyword("SeenCustomer")
NOTE = SearchAttributeKey.for_text("SeenNote")
AMOUNT = SearchAttributeKey.for_int("SeenAmount")
RATE = SearchAttributeKey.for_float("SeenRate")
PAID = SearchAttributeKey.for_bool("SeenPaid")
DUE = SearchAttributeKey.for_datetime("SeenDue")
TAGS = SearchAttributeKey.for_keyword_list("SeenTags")
KEYS: list[SearchAttributeKey[Any]] = [CUSTOMER, NOTE, AMOUNT, RATE, PAID, DUE, TAGS]
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@workflow.defn
class Seen:
    """Changes its search attributes when it is told to, until it may end."""

    def __init__(self) -> None:
        self.ended = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.ended)
        return workflow.info().typed_search_attributes.get(CUSTOMER, "nobody")

    @workflow.signal
    def change(self) -> None:
        workflow.upsert_search_attributes([CUSTOMER.value_set("grace"), AMOUNT.value_unset(), TAGS.value_set(["late"])])
        workflow.upsert_memo({"note": "changed"})

    @workflow.signal
    def end(self) -> None:
        self.ended = True


@workflow.defn
class Misspelled:
    """Sets what nobody has registered."""

    @workflow.run
    async def run(self) -> None:
        workflow.upsert_search_attributes([SearchAttributeKey.for_keyword("SeenNobody").value_set("x")])


@workflow.defn
class Patched:
    """Has a patch."""

    @workflow.run
    async def run(self) -> None:
        workflow.patched("first-patch")


async def register(stage: Stage) -> None:
    """Register the names unless another case did."""
    service, namespace = stage.client.operator_service, stage.client.namespace
    known = await service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
    missing = {key.name: int(key.indexed_value_type) for key in KEYS if key.name not in known.custom_attributes}
    if missing:
        await service.add_search_attributes(AddSearchAttributesRequest(namespace=namespace, search_attributes=missing))


def attributes() -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(CUSTOMER, "ada"),
            SearchAttributePair(NOTE, "Please deliver soon"),
            SearchAttributePair(AMOUNT, 7),
            SearchAttributePair(RATE, 0.5),
            SearchAttributePair(PAID, True),
            SearchAttributePair(DUE, NOON),
            SearchAttributePair(TAGS, ["red", "blue"]),
        ]
    )


async def ids(stage: Stage, query: str) -> list[str]:
    """The workflows of this case that a filter finds."""
    whole = f"TaskQueue = '{stage.queue}' AND ({query})"
    found = [execution.id async for execution in stage.client.list_workflows(whole)]
    assert (await stage.client.count_workflows(whole)).count == len(found)
    return found


async def found(stage: Stage, query: str, workflow_id: str) -> bool:
    """Whether the filter finds this workflow and no other."""
    return await ids(stage, query) == [workflow_id]


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("SeenCustomer = 'ada'", True),
        ("SeenCustomer != 'ada'", False),
        ("SeenCustomer STARTS_WITH 'a' AND SeenAmount BETWEEN 5 AND 7", True),
        ("SeenNote = 'deliver'", True),
        ("SeenNote = 'never'", False),
        ("SeenRate > 0.25", True),
        ("SeenPaid = true", True),
        ("SeenDue <= '2026-01-31T12:00:00Z'", True),
        ("SeenTags = 'blue'", True),
        ("SeenTags IN ('green')", False),
        ("SeenTags IS NULL", False),
        ("CloseTime IS NULL AND `WorkflowType` = 'Seen' AND ExecutionStatus = 'Running'", True),
        ("NOT (ExecutionStatus = 'Running')", False),
    ],
)
async def test_a_workflow_is_found_by_its_search_attributes(stage: Stage, query: str, finds: bool) -> None:
    await register(stage)
    handle = await stage.start(Seen.run, search_attributes=attributes())
    if finds:
        assert await stage.shortly(lambda: found(stage, query, handle.id))
    else:
        assert await ids(stage, query) == []
    await handle.terminate()


async def test_what_a_list_shows_of_a_workflow(stage: Stage) -> None:
    await register(stage)
    handle = await stage.start(Seen.run, search_attributes=attributes(), memo={"note": "hello"})
    (shown,) = [each async for each in stage.client.list_workflows(f"WorkflowId = '{handle.id}'")]
    described = await handle.describe()
    assert (shown.id, shown.run_id, shown.workflow_type) == (handle.id, handle.result_run_id, "Seen")
    assert (shown.namespace, shown.task_queue, shown.status) == (
        "default",
        stage.queue,
        WorkflowExecutionStatus.RUNNING,
    )
    assert (shown.root_id, shown.parent_id, shown.close_time) == (handle.id, None, None)
    assert (shown.start_time, shown.execution_time) == (described.start_time, described.execution_time)
    assert await shown.memo() == {"note": "hello"} and await shown.memo_value("note") == "hello"
    assert dict(shown.typed_search_attributes) == dict(attributes()) == dict(described.typed_search_attributes)
    await handle.terminate()
    (shown,) = [each async for each in stage.client.list_workflows(f"WorkflowId = '{handle.id}'")]
    assert shown.status == WorkflowExecutionStatus.TERMINATED and shown.close_time is not None


async def test_a_workflow_changes_its_search_attributes(stage: Stage) -> None:
    await register(stage)
    async with stage.worker(Seen):
        handle = await stage.start(Seen.run, search_attributes=attributes())
        await handle.signal(Seen.change)
        await stage.until_event(handle, "WorkflowPropertiesModified")
        changed = "SeenCustomer = 'grace' AND SeenAmount IS NULL AND SeenTags = 'late'"
        assert await stage.shortly(lambda: found(stage, changed, handle.id))
        assert await ids(stage, "SeenCustomer = 'ada' OR SeenTags = 'red' OR SeenAmount = 7") == []
        await handle.signal(Seen.end)
        assert await handle.result() == "grace"
    (shown,) = [each async for each in stage.client.list_workflows(f"WorkflowId = '{handle.id}'")]
    assert shown.typed_search_attributes.get(TAGS) == ["late"] and await shown.memo() == {"note": "changed"}


async def test_an_unknown_search_attribute_fails_the_workflow_task(stage: Stage) -> None:
    async with stage.worker(Misspelled):
        handle = await stage.start(Misspelled.run)
        await stage.until_event(handle, "WorkflowTaskFailed")
        (failed, *_) = await stage.attributes(handle, "WorkflowTaskFailed")
        await handle.terminate()
    assert failed.cause == enums.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES
    words = stage.says("'SeenNobody' is not registered in this namespace", "search attribute SeenNobody")
    assert words in failed.failure.message


async def test_a_start_with_an_unknown_search_attribute_is_refused(stage: Stage) -> None:
    unknown = TypedSearchAttributes([SearchAttributePair(SearchAttributeKey.for_keyword("SeenNobody"), "x")])
    words = stage.says("'SeenNobody' is not registered", "search attribute SeenNobody")
    with pytest.raises(RPCError, match=words) as refused:
        await stage.start(Seen.run, search_attributes=unknown)
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT


async def test_a_patch_is_a_search_attribute(stage: Stage) -> None:
    async with stage.worker(Patched):
        handle = await stage.start(Patched.run)
        await handle.result()
    assert await stage.shortly(lambda: found(stage, "TemporalChangeVersion = 'first-patch'", handle.id))
    assert await ids(stage, "ChangeVersion = 'second-patch'") == []


@pytest.mark.ways("temporalio", reason="our worker has no build id yet")
async def test_the_workers_build_is_a_search_attribute(stage: Stage) -> None:
    async with stage.worker(Patched, build_id="build-7"):
        handle = await stage.start(Patched.run)
        await handle.result()
    assert await stage.shortly(lambda: found(stage, "BuildIds = 'unversioned:build-7'", handle.id))
    assert await ids(stage, "BuildIds IN ('unversioned:build-8')") == []


async def test_counts_by_status(stage: Stage) -> None:
    for _ in range(2):
        await stage.start(Seen.run)
    await (await stage.start(Seen.run)).terminate()
    counted = await stage.client.count_workflows(f"TaskQueue = '{stage.queue}' GROUP BY ExecutionStatus")
    groups = {group.group_values[0]: group.count for group in counted.groups}
    assert counted.count == 3 and groups == {"Running": 2, "Terminated": 1}


@pytest.mark.our_server(reason="Temporal's server sorts only with Elasticsearch behind it")
async def test_pages_orders_and_histories(stage: Stage) -> None:
    started = [(await stage.start(Seen.run, execution_timeout=MINUTE)).id for _ in range(5)]
    query = f"TaskQueue = '{stage.queue}' ORDER BY StartTime"
    listing = stage.client.list_workflows(query, page_size=2)
    assert [each.id async for each in listing] == started
    assert [each.id async for each in stage.client.list_workflows(query, page_size=2, limit=3)] == started[:3]
    backwards = [each.id async for each in stage.client.list_workflows(query + " DESC", page_size=2)]
    assert backwards == started[::-1]
    histories = [each async for each in stage.client.list_workflows(query).map_histories()]
    assert [each.workflow_id for each in histories] == started
    assert all(
        each.events[0].workflow_execution_started_event_attributes.workflow_type.name == "Seen" for each in histories
    )


@pytest.mark.our_server(reason="the words of our parser")
async def test_a_malformed_filter_points_at_the_character(stage: Stage) -> None:
    with pytest.raises(RPCError, match="character 14: 'LIKE' is not expected here") as refused:
        await anext(aiter(stage.client.list_workflows("WorkflowType LIKE 'x'")))
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT
