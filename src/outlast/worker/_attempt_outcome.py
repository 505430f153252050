"""How a failed attempt is reported: one table from (exception, reason of cancellation) to a request.

Rule: an exception that says "cancelled" counts as a cancellation only if one was asked for; else it is a failure like
any other. An attempt that the server has given up is not reported at all.

Source: temporalio ``worker/_activity.py``; sdk-core ``worker/activities.rs`` (shutdown counts as a failure).
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from outlast.activity import ActivityCancellationDetails
from outlast.exceptions import ApplicationError, CancelledError


class Outcome(Enum):
    """What to report."""

    FAILED = auto()
    CANCELED = auto()
    NOTHING = auto()


def outcome_of(error: BaseException, cancellation: ActivityCancellationDetails | None) -> tuple[Outcome, BaseException]:
    """What to report for an exception of activity code, and with which error."""
    if cancellation is None or not isinstance(error, asyncio.CancelledError | CancelledError):
        return Outcome.FAILED, error
    if cancellation.not_found or cancellation.timed_out:
        return Outcome.NOTHING, error
    if cancellation.paused:
        return Outcome.FAILED, ApplicationError(
            "Unhandled activity cancel error produced by activity pause", type="ActivityPause"
        )
    if cancellation.reset:
        return Outcome.FAILED, ApplicationError(
            "Unhandled activity cancel error produced by activity reset", type="ActivityReset"
        )
    if cancellation.worker_shutdown:
        # Not a cancellation: the server is to try again elsewhere, without waiting for a timeout.
        return Outcome.FAILED, ApplicationError(
            "Worker is shutting down and this activity did not complete in time", type="WorkerShutdown"
        )
    return Outcome.CANCELED, error
