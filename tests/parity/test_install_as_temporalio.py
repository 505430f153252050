"""Programs written for ``temporalio`` run on outlast without a changed line, each in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ACTIVITIES = """
import asyncio
from temporalio import activity

@activity.defn
async def validate_order(order_id: str) -> bool:
    activity.logger.info(f"Validating order {order_id}")
    await asyncio.sleep(0)
    return True

@activity.defn
async def charge_customer(order_id: str, amount: float) -> str:
    return f"charge_{order_id}_{amount}_ok"

@activity.defn
def send_confirmation(order_id: str, charge_id: str) -> None:
    activity.heartbeat(charge_id)
"""

WORKFLOWS = """
from datetime import timedelta
from temporalio import workflow
from temporalio.common import RetryPolicy
import temporalio.exceptions

with workflow.unsafe.imports_passed_through():
    from activities import validate_order, charge_customer, send_confirmation

@workflow.defn
class OrderWorkflow:
    def __init__(self) -> None:
        self.stage = "new"

    @workflow.query
    def current(self) -> str:
        return self.stage

    @workflow.run
    async def run(self, order_id: str, amount: float) -> str:
        retry_policy = RetryPolicy(maximum_attempts=3)
        is_valid = await workflow.execute_activity(
            validate_order, order_id, start_to_close_timeout=timedelta(seconds=10), retry_policy=retry_policy,
        )
        if not is_valid:
            raise temporalio.exceptions.ApplicationError(f"Order {order_id} failed validation")
        charge_id = await workflow.execute_activity(
            charge_customer, args=[order_id, amount], start_to_close_timeout=timedelta(seconds=30),
            retry_policy=retry_policy,
        )
        await workflow.execute_activity(
            send_confirmation, args=[order_id, charge_id], start_to_close_timeout=timedelta(seconds=10),
        )
        self.stage = "done"
        return charge_id
"""

PLUGIN = """
import temporalio.client
import temporalio.worker
from temporalio.api.common.v1 import Payload
from temporalio.api.common.v1.message_pb2 import Payload as SamePayload
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.plugin import SimplePlugin
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

assert Payload is SamePayload

class Codec(PayloadCodec):
    async def encode(self, payloads):
        return [Payload(metadata={"encoding": b"binary/own"}, data=p.SerializeToString()) for p in payloads]
    async def decode(self, payloads):
        return [Payload.FromString(p.data) for p in payloads]

SEEN = []

class Watch(temporalio.client.Interceptor, temporalio.worker.Interceptor):
    def intercept_client(self, next):
        SEEN.append("client")
        return next
    def intercept_activity(self, next):
        SEEN.append("activity")
        return next

def plugin():
    return SimplePlugin(
        "third party", data_converter=DataConverter(payload_codec=Codec()), interceptors=[Watch()],
        workflow_runner=SandboxedWorkflowRunner(SandboxRestrictions.default.with_passthrough_modules("activities")),
    )
"""

MAIN = """
import asyncio
from temporalio.client import Client
from temporalio.worker import Worker
from workflows import OrderWorkflow
from activities import validate_order, charge_customer, send_confirmation
import third_party

async def main():
    client = await Client.connect("sqlite://:memory:", plugins=[third_party.plugin()])
    async with Worker(
        client,
        task_queue="order-processing",
        workflows=[OrderWorkflow],
        activities=[validate_order, charge_customer, send_confirmation],
    ):
        handle = await client.start_workflow(
            OrderWorkflow.run, args=["order-42", 99.5], id="order-42-workflow", task_queue="order-processing",
        )
        print(await handle.result(), await handle.query(OrderWorkflow.current), third_party.SEEN)
        history = await handle.fetch_history()
        print(history.events[0].workflow_execution_started_event_attributes.input.payloads[0].metadata["encoding"])
    await client.close()

if __name__ == "__main__":
    asyncio.run(main())
"""


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_tutorial_with_a_third_party_plugin(tmp_path: Path) -> None:
    for name, text in (
        ("activities", ACTIVITIES),
        ("workflows", WORKFLOWS),
        ("third_party", PLUGIN),
        ("main", MAIN),
    ):
        (tmp_path / f"{name}.py").write_text(text)
    ran = python(
        "import outlast, runpy, sys; sys.path.insert(0, '.')\n"
        "outlast.install_as_temporalio(); outlast.install_as_temporalio()\n"
        "runpy.run_path('main.py', run_name='__main__')",
        tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "charge_order-42_99.5_ok done ['client', 'activity', 'activity', 'activity']",
        "b'binary/own'",
    ]


def test_both_names_are_one_module(tmp_path: Path) -> None:
    ran = python(
        "import outlast; outlast.install_as_temporalio()\n"
        "import temporalio.client, outlast.client, temporalio, sys, importlib, pickle\n"
        "import outlast.common, temporalio.contrib.pydantic\n"
        "from temporalio import common\n"
        "assert temporalio is outlast and temporalio.client is outlast.client and common is outlast.common\n"
        "assert outlast.client.__spec__.name == 'outlast.client' and outlast.client.__name__ == 'outlast.client'\n"
        "assert pickle.loads(pickle.dumps(common.RetryPolicy())) == outlast.common.RetryPolicy()\n"
        "import temporalio.api.enums.v1, outlast.api.enums.v1\n"
        "assert temporalio.api.enums.v1.EventType is outlast.api.enums.v1.EventType",
        tmp_path,
    )
    assert ran.returncode == 0, ran.stderr


def test_refused_after_the_real_one(tmp_path: Path) -> None:
    ran = python("import temporalio.common, outlast; outlast.install_as_temporalio()", tmp_path)
    assert ran.returncode == 1
    assert "RuntimeError: temporalio is already imported (from " in ran.stderr
    assert "call outlast.install_as_temporalio() before anything imports temporalio" in ran.stderr


@pytest.mark.parametrize(
    "module", ["temporalio.bridge", "temporalio.api.common.v1.nothing", "temporalio.nowhere.at_all"]
)
def test_what_is_not_there_is_named(tmp_path: Path, module: str) -> None:
    ran = python(f"import outlast; outlast.install_as_temporalio(); import {module}", tmp_path)
    assert ran.returncode == 1
    assert "ModuleNotFoundError: No module named 'temporalio." in ran.stderr
    assert "outlast stands in for temporalio here" in ran.stderr
