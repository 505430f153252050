"""The exception that cancels an activity in a thread, and the shield against it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from outlast.exceptions import CancelledError
from outlast.worker._thread import ThreadCanceller


def spin(started: threading.Event, release: threading.Event) -> str:
    started.set()
    while not release.wait(0.001):
        pass
    return "released"


def test_a_cancel_is_raised_in_the_thread() -> None:
    canceller, started = ThreadCanceller(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(canceller.run, spin, (started, threading.Event()))
        started.wait()
        canceller.cancel()
        with pytest.raises(CancelledError):
            running.result(10)
        assert pool.submit(lambda: "alive").result(10) == "alive"


def test_a_cancel_before_the_start_is_raised_at_the_start() -> None:
    canceller = ThreadCanceller()
    canceller.cancel()
    with ThreadPoolExecutor(1) as pool, pytest.raises(CancelledError):
        pool.submit(canceller.run, spin, (threading.Event(), threading.Event())).result(10)


def test_the_shield_holds_it_back_until_the_outermost_block_ends() -> None:
    canceller = ThreadCanceller()
    started, release = threading.Event(), threading.Event()
    steps: list[str] = []

    def work() -> None:
        try:
            with canceller.shield():
                with canceller.shield():
                    spin(started, release)
                steps.append("inner over")
            steps.append("never")
        except CancelledError:
            steps.append("cancelled")
            raise

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(canceller.run, work, ())
        started.wait()
        canceller.cancel()
        release.set()
        with pytest.raises(CancelledError):
            running.result(10)
    assert steps == ["inner over", "cancelled"]


def test_a_cancel_after_the_end_hits_nothing() -> None:
    canceller = ThreadCanceller()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(canceller.run, lambda: 1, ()).result(10) == 1
        canceller.cancel()
        assert pool.submit(sum, [1, 2]).result(10) == 3
