"""Mocks stand in for activities: by name, by autospec, by order, and typed with ``env.mock``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from unittest.mock import AsyncMock, MagicMock, create_autospec

import pytest
from order_flow import CallsByName, Order, Receipt, Receipts, charge_customer, print_receipt, validate_order

from outlast import activity
from outlast.client import WorkflowFailureError
from outlast.common import RawValue
from outlast.exceptions import ActivityError, ApplicationError
from outlast.testing import WorkflowEnvironment, WorkflowTaskFailedError
from outlast.worker import Worker

QUEUE = "orders"


@pytest.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        yield environment


def worker(env: WorkflowEnvironment, *activities: Any) -> Worker:
    workflows = [Order, Receipts, CallsByName]
    return Worker(env.client, task_queue=QUEUE, workflows=workflows, activities=activities)


async def order(env: WorkflowEnvironment) -> str:
    return await env.client.execute_workflow(Order.run, args=["order-99", 19.99], id="order-99", task_queue=QUEUE)


async def test_nameless_mocks_are_taken_in_the_order_of_the_calls(env: WorkflowEnvironment) -> None:
    validate, charge, confirm = AsyncMock(return_value=True), AsyncMock(return_value="charged"), AsyncMock()
    async with worker(env, validate, charge, confirm):
        assert await order(env) == "charged"
    validate.assert_called_once_with("order-99")
    charge.assert_called_once_with("order-99", 19.99)
    confirm.assert_not_called()


async def test_a_name_or_a_spec_decides(env: WorkflowEnvironment) -> None:
    charge = AsyncMock(name="charge_customer", return_value="by name")
    validate = create_autospec(validate_order, return_value=True)
    async with worker(env, charge, validate):
        assert await order(env) == "by name"
    validate.assert_called_once_with("order-99")


async def test_a_spec_takes_only_what_fits_its_signature(env: WorkflowEnvironment) -> None:
    charge = AsyncMock(spec=charge_customer, return_value="fits")
    validate = AsyncMock(spec=validate_order, return_value=True)
    async with worker(env, charge, validate):
        assert await order(env) == "fits"
    charge.assert_called_once_with("order-99", 19.99)


async def test_mocks_beside_real_activities(env: WorkflowEnvironment) -> None:
    mock = MagicMock(return_value=True)
    async with worker(env, mock, print_receipt):
        receipt = await env.client.execute_workflow(Receipts.run, "r", id="r", task_queue=QUEUE)
        assert receipt == Receipt("r", 6)
    mock.assert_not_called()


async def test_a_mock_with_types(env: WorkflowEnvironment) -> None:
    printed = env.mock(print_receipt, returns=lambda receipt: Receipt(receipt.order_id, 100))
    async with worker(env, print_receipt):
        receipt = await env.client.execute_workflow(Receipts.run, "r", id="r", task_queue=QUEUE)
    assert receipt == Receipt("r", 100)
    assert printed.calls == [(Receipt("r", 5),)]


async def test_a_mock_with_types_may_be_handed_to_the_worker_too(env: WorkflowEnvironment) -> None:
    printed = env.mock(print_receipt, returns=lambda receipt: receipt)
    async with worker(env, printed):
        await env.client.execute_workflow(Receipts.run, "r", id="r", task_queue=QUEUE)
    assert printed.calls == [(Receipt("r", 5),)]


async def test_a_mock_that_raises(env: WorkflowEnvironment) -> None:
    env.mock("validate_order", returns=True)
    charge = env.mock(charge_customer, raises=ApplicationError("declined", non_retryable=True))
    async with worker(env):
        with pytest.raises(WorkflowFailureError) as caught:
            await order(env)
    assert isinstance(caught.value.cause, ActivityError)
    assert isinstance(caught.value.cause.cause, ApplicationError)
    assert caught.value.cause.cause.message == "declined"
    assert charge.calls == [("order-99", 19.99)]


async def test_side_effects_are_retried_as_real_failures_are(env: WorkflowEnvironment) -> None:
    charge = AsyncMock(name="charge_customer", side_effect=[OSError("down"), "second try"])
    env.mock(validate_order, returns=True)
    async with worker(env, charge):
        assert await order(env) == "second try"


async def test_an_order_that_is_not_fixed_is_refused(env: WorkflowEnvironment) -> None:
    async with worker(env, AsyncMock(return_value="1"), AsyncMock(return_value="2"), AsyncMock(return_value="3")):
        one = await env.client.start_workflow(CallsByName.run, "a", id="one", task_queue=QUEUE)
        other = await env.client.start_workflow(CallsByName.run, "b", id="other", task_queue=QUEUE)
        await one.signal(CallsByName.begin)
        await one.result()
        await other.signal(CallsByName.begin)
        with pytest.raises(WorkflowTaskFailedError, match=r"activity 'b' is ambiguous.*name each mock"):
            await other.result()


async def test_one_mock_too_few_is_said(env: WorkflowEnvironment) -> None:
    async with worker(env, AsyncMock(return_value=True)):
        with pytest.raises(WorkflowFailureError) as caught:
            await order(env)
    assert isinstance(caught.value.cause, ActivityError)
    assert "'charge_customer' is run by no worker, and no mock is left for it" in str(caught.value.cause.cause)


async def test_a_mock_without_return_value_is_said(env: WorkflowEnvironment) -> None:
    async with worker(env, AsyncMock(name="validate_order")):
        with pytest.raises(WorkflowFailureError) as caught:
            await order(env)
    assert isinstance(caught.value.cause, ActivityError)
    assert "give it a return_value" in str(caught.value.cause.cause)


async def test_bad_mocks_are_refused_at_once(env: WorkflowEnvironment) -> None:
    async def plain() -> None: ...

    @activity.defn(dynamic=True)
    async def dynamic(args: Sequence[RawValue]) -> None: ...

    with pytest.raises(TypeError, match=r"decorated with @activity\.defn"):
        env.mock(plain)
    env.mock("a")
    with pytest.raises(ValueError, match="has a mock already"):
        env.mock("a")
    with pytest.raises(ValueError, match="has two mocks"):
        worker(env, AsyncMock(name="b"), AsyncMock(name="b"))
    with pytest.raises(ValueError, match="dynamic activity"):
        worker(env, dynamic)
    worker(env, print_receipt)
    with pytest.raises(ValueError, match=r"call env\.mock before Worker"):
        env.mock(print_receipt)
