"""Errors that only workflow code meets, and the two enums about worker versions that its calls take."""

from __future__ import annotations

from enum import Enum, IntEnum

import outlast.api.enums.v1 as _can
from outlast.exceptions import TemporalError


class NondeterminismError(TemporalError):
    """The workflow's code does not do what its recorded history says it did."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ReadOnlyContextError(TemporalError):
    """A query or an update validator tried to change the workflow."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _NotInWorkflowEventLoopError(TemporalError):
    """A function of ``outlast.workflow`` was called outside a workflow."""

    def __init__(self, *args: object) -> None:
        super().__init__("Not in workflow event loop")
        self.message = "Not in workflow event loop"


class ContinueAsNewError(BaseException):
    """Raised by ``continue_as_new`` to leave the workflow; not for user code to raise or to catch.

    A BaseException, so that ``except Exception`` in a workflow does not swallow it.
    """

    def __init__(self, *args: object) -> None:
        if type(self) is ContinueAsNewError:
            raise RuntimeError("ContinueAsNewError cannot be raised directly; call workflow.continue_as_new() instead")
        super().__init__(*args)


class VersioningIntent(Enum):
    """Whether what a command starts should run on a worker of a compatible build (old worker versioning)."""

    COMPATIBLE = 1
    DEFAULT = 2


class ContinueAsNewVersioningBehavior(IntEnum):
    """Which worker version the first workflow task of the continued run goes to."""

    UNSPECIFIED = _can.CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_UNSPECIFIED
    AUTO_UPGRADE = _can.CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_AUTO_UPGRADE
    USE_RAMPING_VERSION = _can.CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_USE_RAMPING_VERSION
