"""Behaviour that changed over time, switched by flags that completed workflow tasks recorded in history.

Rule: while replaying, a flag counts only if a completion up to the task at hand recorded it. Live code follows the
newest behaviour and records it, so that a replay will follow it too.

Source: sdk-core ``internal_flags.rs``; temporalio's ``_WorkflowLogicFlag``.
"""

from __future__ import annotations

from enum import IntEnum

from outlast.api.history.v1 import WorkflowTaskCompletedEventAttributes
from outlast.api.sdk.v1 import WorkflowTaskCompletedMetadata


class CoreFlag(IntEnum):
    """Flags of the part that turns history into jobs and commands."""

    ID_AND_TYPE_CHECKS = 1
    UPSERT_ON_PATCH = 2
    MOVE_TERMINAL_COMMANDS = 3


class LangFlag(IntEnum):
    """Flags of the part that runs the workflow's code.

    CANCEL_BEATS_RESULT: a task cancelled after its activity resolved, but before it saw the result, is cancelled.
    SINGLE_BATCH: all jobs of an activation are applied before code runs. Honoured, never chosen.
    """

    CANCEL_BEATS_RESULT = 1
    SINGLE_BATCH = 2


_NOTHING = WorkflowTaskCompletedMetadata()


class Flags:
    """The flags of one run."""

    __slots__ = ("_core", "_core_new", "_lang", "_lang_new", "_sdk")

    def __init__(self) -> None:
        self._core: set[int] = set()
        self._lang: set[int] = set()
        self._core_new: set[int] = set(CoreFlag)
        self._lang_new: set[int] = set()
        self._sdk: tuple[str, str] = ("", "")

    def learn(self, completed: WorkflowTaskCompletedEventAttributes) -> None:
        """Take over what a completed workflow task recorded."""
        if not completed.HasField("sdk_metadata"):
            return
        metadata = completed.sdk_metadata
        self._core.update(metadata.core_used_flags)
        self._lang.update(metadata.lang_used_flags)
        name, version = self._sdk
        self._sdk = (metadata.sdk_name or name, metadata.sdk_version or version)

    def core(self, flag: CoreFlag, replaying: bool) -> bool:
        """Whether to follow this behaviour."""
        return not replaying or flag in self._core

    def lang(self, flag: LangFlag, replaying: bool) -> bool:
        """Whether to follow this behaviour; live use is recorded with the completion."""
        if not replaying:
            self._lang_new.add(flag)
            return True
        return flag in self._lang

    def recorded(self, flag: LangFlag) -> bool:
        """Whether history has this flag, replaying or not."""
        return flag in self._lang

    def for_completion(self, sdk_name: str, sdk_version: str) -> WorkflowTaskCompletedMetadata:
        """What the completion has to record: flags and names that history does not have yet."""
        if self._core_new <= self._core and self._lang_new <= self._lang and self._sdk == (sdk_name, sdk_version):
            return _NOTHING
        metadata = WorkflowTaskCompletedMetadata(
            core_used_flags=sorted(self._core_new - self._core), lang_used_flags=sorted(self._lang_new - self._lang)
        )
        if self._sdk != (sdk_name, sdk_version):
            if self._sdk[0] != sdk_name:
                metadata.sdk_name = sdk_name
            if self._sdk[1] != sdk_version:
                metadata.sdk_version = sdk_version
        self._core |= self._core_new
        self._lang |= self._lang_new
        self._sdk = (sdk_name, sdk_version)
        return metadata
