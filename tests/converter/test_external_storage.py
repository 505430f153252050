"""Large payloads in a store: references as Temporal writes them, and whole workflows whose history holds no data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import temporalio.converter as theirs

import outlast.converter as ours
from outlast import activity, workflow
from outlast.client import Client, WorkflowFailureError
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError
from outlast.worker import Replayer, Worker

BIG = "x" * 2000


def driver_of(sdk: Any) -> Any:
    """A driver that keeps payloads in a dict, and what it was told."""

    class Shelf(sdk.StorageDriver):  # type: ignore[misc,name-defined]
        def __init__(self, name: str = "shelf") -> None:
            self.kept: dict[str, Any] = {}
            self.targets: list[Any] = []
            self._name = name

        def name(self) -> str:
            return self._name

        async def store(self, context: Any, payloads: Sequence[Any]) -> list[Any]:
            self.targets.append(context.target)
            claims = []
            for payload in payloads:
                key = f"{self._name}-{len(self.kept)}"
                self.kept[key] = payload.SerializeToString()
                claims.append(sdk.StorageDriverClaim(claim_data={"key": key, "a": "b"}))
            return claims

        async def retrieve(self, context: Any, claims: Sequence[Any]) -> list[Any]:
            kind = type(sdk.PayloadConverter.default.to_payload(1))
            return [kind.FromString(self.kept[claim.claim_data["key"]]) for claim in claims]

    return Shelf


Shelf = driver_of(ours)


def converter(*drivers: Any, threshold: int = 1000, **options: Any) -> ours.DataConverter:
    storage = ours.ExternalStorage(drivers, payload_size_threshold=threshold, **options)
    return ours.DataConverter(external_storage=storage, payload_codec=Prefix())


class Prefix(ours.PayloadCodec):
    """Shows in the store that the codec came first."""

    async def encode(self, payloads: Sequence[Any]) -> list[Any]:
        return [type(p)(metadata={"encoding": b"own"}, data=b"own:" + p.SerializeToString()) for p in payloads]

    async def decode(self, payloads: Sequence[Any]) -> list[Any]:
        return [type(p).FromString(p.data.removeprefix(b"own:")) for p in payloads]


async def test_references_are_temporals() -> None:
    mine, other = Shelf(), driver_of(theirs)()
    our = ours.DataConverter(external_storage=ours.ExternalStorage([mine], payload_size_threshold=1000))
    their = theirs.DataConverter(external_storage=theirs.ExternalStorage([other], payload_size_threshold=1000))
    written = await our.encode([BIG, "small"])
    assert [p.SerializeToString(deterministic=True) for p in written] == [
        p.SerializeToString(deterministic=True) for p in await their.encode([BIG, "small"])
    ]
    other.kept = mine.kept
    kind = type(theirs.PayloadConverter.default.to_payload(1))
    assert await their.decode([kind.FromString(p.SerializeToString()) for p in written]) == [BIG, "small"]
    assert await our.decode(written) == [BIG, "small"]
    with pytest.raises(RuntimeError, match="TMPRL1105"):
        await ours.DataConverter.default.decode(written)


@pytest.mark.parametrize(
    ("drivers", "options", "message"),
    [
        (0, {}, "at least one driver"),
        (2, {}, "driver_selector must be specified"),
        (1, {"payload_size_threshold": -1}, "greater than or equal to zero"),
        (2, {"driver_selector": lambda context, payload: None}, "multiple drivers with name 'shelf'"),
    ],
)
def test_wrong_configurations_are_refused_as_by_temporal(drivers: int, options: dict[str, Any], message: str) -> None:
    for sdk in (ours, theirs):
        with pytest.raises(ValueError, match=message):
            sdk.ExternalStorage([driver_of(sdk)() for _ in range(drivers)], **options)


async def test_drivers_are_chosen_grouped_and_found_again() -> None:
    one, two = Shelf("one"), Shelf("two")
    select = {"a": one, "b": two}
    chosen = converter(one, two, driver_selector=lambda _, payload: select.get(chr(payload.data[-1000])), threshold=5)
    values = ["a" * 2000, "b" * 2000, "c" * 2000, "a" * 2001]
    payloads = await chosen.encode(values)
    assert [bool(payload.external_payloads) for payload in payloads] == [True, True, False, True]
    assert (len(one.targets), len(two.targets)) == (1, 1)
    assert all(b"own:" in data for data in one.kept.values())
    assert await chosen.decode(payloads) == values
    with pytest.raises(ValueError, match="No driver found with name 'one'"):
        await converter(two).decode(payloads)
    stranger = converter(two, driver_selector=lambda _, payload: one)
    with pytest.raises(ValueError, match="'one' returned by driver_selector is not registered"):
        await stranger.encode([BIG])

    class Forgetful(Shelf):  # type: ignore[misc,valid-type]
        async def store(self, context: Any, payloads: Sequence[Any]) -> list[Any]:
            return []

    with pytest.raises(ValueError, match="returned 0 claims, expected 1"):
        await converter(Forgetful()).encode([BIG])


@activity.defn
async def double(text: str) -> str:
    if activity.info().attempt == 1:
        activity.heartbeat(text + "!")
        raise ApplicationError("again", text)
    assert activity.info().heartbeat_details == [text + "!"]
    return text + text


@activity.defn
async def fail(text: str) -> None:
    raise ApplicationError("no", text, non_retryable=True)


@workflow.defn
class Large:
    def __init__(self) -> None:
        self.told: list[str] = []

    @workflow.signal
    def tell(self, text: str) -> None:
        self.told.append(text)

    @workflow.query
    def asked(self, text: str) -> str:
        return text + text

    @workflow.run
    async def run(self, text: str) -> str:
        await workflow.wait_condition(lambda: bool(self.told))
        memo = workflow.memo_value("note", type_hint=str)
        answer = await workflow.execute_activity(
            double,
            text,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1)),
        )
        try:
            await workflow.execute_activity(fail, text, start_to_close_timeout=timedelta(seconds=10))
        except ActivityError as error:
            cause: Any = error.cause
            return str(answer + self.told[0] + memo + cause.details[0])
        raise AssertionError


async def test_end_to_end() -> None:
    shelf = Shelf()
    data_converter = converter(shelf)
    client = await Client.connect("sqlite://:memory:", data_converter=data_converter)
    async with client, Worker(client, task_queue="q", workflows=[Large], activities=[double, fail]):
        handle = await client.start_workflow(Large.run, BIG, id="w", task_queue="q", memo={"note": BIG})
        assert await handle.query(Large.asked, BIG) == BIG * 2
        await handle.signal(Large.tell, BIG)
        assert await handle.result() == BIG * 5
        described = await handle.describe()
        assert await described.memo_value("note", type_hint=str) == BIG
        history = await handle.fetch_history()
        raw = b"".join(event.SerializeToString() for event in history.events)
        assert b"xxxxxxxxxx" not in raw and raw.count(b"ExternalStorageReference") >= 7
        failed = await client.start_workflow("Nobody", BIG, id="v", task_queue="q")
        await failed.terminate("reason", BIG)
        with pytest.raises(WorkflowFailureError):
            await failed.result()
    owners = {type(target).__name__ for target in shelf.targets}
    assert owners == {"StorageDriverWorkflowInfo", "StorageDriverActivityInfo"}
    assert any(getattr(target, "type", None) == "Large" and target.id == "w" for target in shelf.targets)
    replayed = await Replayer(workflows=[Large], data_converter=data_converter).replay_workflow(history)
    assert replayed.replay_failure is None
