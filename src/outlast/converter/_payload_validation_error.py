"""The error by which a converter refuses a value that was decoded but is not valid."""

from __future__ import annotations

from typing import Any

from outlast.exceptions import ApplicationError


def create_payload_validation_error(details: Any) -> ApplicationError:
    """A non-retryable application error of the reserved type ``PayloadValidationError``.

    Args:
        details: what is wrong, any serialisable value; None for no details.
    """
    return ApplicationError(
        "Payload validation failed",
        *(() if details is None else (details,)),
        type="PayloadValidationError",
        non_retryable=True,
    )
