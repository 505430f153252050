"""Failures: what the builders set, and cutting a large one down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outlast.api.common.v1 import Payload, Payloads
from outlast.api.enums.v1 import TIMEOUT_TYPE_HEARTBEAT
from outlast.api.failure.v1 import Failure
from outlast.vocab import failures

DETAILS = Payloads(payloads=[Payload(data=b"at row 7")])


def test_kinds() -> None:
    built = {
        "application_failure_info": failures.application("no such card", "CardError", True, DETAILS),
        "timeout_failure_info": failures.timeout(TIMEOUT_TYPE_HEARTBEAT, "activity Heartbeat timeout", DETAILS),
        "canceled_failure_info": failures.canceled(DETAILS),
        "terminated_failure_info": failures.terminated("by hand"),
        "server_failure_info": failures.server("out of order", non_retryable=True),
        "": Failure(message="of no kind"),
    }
    assert {failures.kind(failure): failure for failure in built.values()} == built


def test_an_application_failure_says_what_it_was_told() -> None:
    failure = failures.application("m", "T", True, DETAILS, next_retry_delay_ns=1_500_000_000, category=1)
    info = failure.application_failure_info
    assert (failure.message, info.type, info.non_retryable, info.category) == ("m", "T", True, 1)
    assert info.details == DETAILS
    assert (info.next_retry_delay.seconds, info.next_retry_delay.nanos) == (1, 500_000_000)
    assert not failures.application("m").application_failure_info.HasField("next_retry_delay")


def test_a_timeout_keeps_heartbeat_details_and_the_failure_before() -> None:
    before = failures.application("first")
    failure = failures.timeout(TIMEOUT_TYPE_HEARTBEAT, "late", DETAILS, before)
    assert failure.timeout_failure_info.last_heartbeat_details == DETAILS
    assert failure.cause == before
    assert failure.source == "Server"


def test_a_small_failure_is_left_alone() -> None:
    failure = failures.application("small")
    assert failures.truncated(failure, failure.ByteSize()) is failure


def test_a_large_failure_keeps_what_matters_most() -> None:
    failure = failures.application("m" * 50, "CardError", True, DETAILS, stack_trace="s" * 9000)
    cut = failures.truncated(failure, 500)
    assert cut.message == "Failure exceeds size limit."
    assert not cut.server_failure_info.non_retryable
    assert cut.cause.message == failure.message
    assert cut.cause.application_failure_info.type == "CardError"
    assert cut.cause.application_failure_info.non_retryable
    assert 300 < len(cut.cause.stack_trace) < 9000
    assert len(failure.stack_trace) == 9000


@given(
    texts=st.lists(st.text(max_size=300), min_size=3, max_size=12),
    extra=st.integers(0, 5000),
    limit=st.integers(128, 6000),
)
def test_a_cut_failure_fits(texts: list[str], extra: int, limit: int) -> None:
    failure = None
    for text in texts:
        failure = failures.application(text, text[::-1], cause=failure, stack_trace=text + "x" * extra)
    assert failure is not None
    cut = failures.truncated(failure, limit)
    assert cut.ByteSize() <= limit
    assert cut is failure or failure.ByteSize() > limit
