"""``workflow.unsafe``: what ordinary workflow code has no need to ask.

Rule: user modules are imported once and shared, so there is no sandbox to be in and no import to pass through. The
context managers keep their meaning for code written with a sandbox in mind: the determinism guard looks away inside
``sandbox_unrestricted``, and does not look into what is imported under ``imports_passed_through``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Flag, auto

from ._runtime import Runtime


class SandboxImportNotificationPolicy(Flag):
    """What a re-importing sandbox does about imports that it did not expect."""

    SILENT = auto()
    WARN_ON_DYNAMIC_IMPORT = auto()
    WARN_ON_UNINTENTIONAL_PASSTHROUGH = auto()
    RAISE_ON_UNINTENTIONAL_PASSTHROUGH = auto()


class _PerThread(threading.local):
    unrestricted: bool = False
    passed_through: bool = False
    policy: SandboxImportNotificationPolicy | None = None


_thread = _PerThread()


class unsafe:
    """A namespace, never an object."""

    def __init__(self) -> None:
        raise NotImplementedError("workflow.unsafe is a namespace of functions; it has no instances")

    @staticmethod
    def in_sandbox() -> bool:
        """Whether this code was re-imported by a sandbox: never."""
        return False

    @staticmethod
    def is_replaying() -> bool:
        """Whether the workflow is replaying; also true in a query or validator that runs while it is."""
        return Runtime.current().is_replaying()

    @staticmethod
    def is_replaying_history_events() -> bool:
        """Whether events are being replayed; queries and validators are live even while the workflow replays."""
        return Runtime.current().is_replaying_history_events()

    @staticmethod
    def is_read_only() -> bool:
        """Whether a query or validator is running, so that nothing may change."""
        return Runtime.current().is_read_only()

    @staticmethod
    def is_sandbox_unrestricted() -> bool:
        """Whether ``sandbox_unrestricted`` is in effect."""
        return _thread.unrestricted

    @staticmethod
    @contextmanager
    def sandbox_unrestricted() -> Iterator[None]:
        """Switch the determinism guard off inside."""
        before, _thread.unrestricted = _thread.unrestricted, True
        try:
            yield
        finally:
            _thread.unrestricted = before

    @staticmethod
    def is_imports_passed_through() -> bool:
        """Whether ``imports_passed_through`` is in effect."""
        return _thread.passed_through

    @staticmethod
    @contextmanager
    def imports_passed_through() -> Iterator[None]:
        """Mark imports as shared with the workflow, which they are anyway."""
        before, _thread.passed_through = _thread.passed_through, True
        try:
            yield
        finally:
            _thread.passed_through = before

    @staticmethod
    def current_import_notification_policy_override() -> SandboxImportNotificationPolicy | None:
        """The policy that ``sandbox_import_notification_policy`` set, if any."""
        return _thread.policy

    @staticmethod
    @contextmanager
    def sandbox_import_notification_policy(policy: SandboxImportNotificationPolicy) -> Iterator[None]:
        """Set the policy inside."""
        before, _thread.policy = _thread.policy, policy
        try:
            yield
        finally:
            _thread.policy = before
