"""``workflow.logger``: a logger that knows the workflow and keeps quiet during replay."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from ._context import current_update_info
from ._runtime import Runtime
from ._unsafe import unsafe

if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter


class LoggerAdapter(_Adapter):
    """Adds the running workflow to each record and drops what would be logged again by a replay.

    Attributes:
        workflow_info_on_message: append the workflow's details to the message. Default True.
        workflow_info_on_extra: put them into the record as ``temporal_workflow``. Default True.
        full_workflow_info_on_extra: put ``workflow.info()`` into the record as ``workflow_info``. Default False.
        log_during_replay: do not drop. Default False.
        disable_sandbox: switch the determinism guard off while handlers write. Default False.

    What the call passes as ``extra`` wins over these.
    """

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        super().__init__(logger, extra or {})
        self.workflow_info_on_message = True
        self.workflow_info_on_extra = True
        self.full_workflow_info_on_extra = False
        self.log_during_replay = False
        self.disable_sandbox = False

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        runtime = Runtime.maybe_current()
        update = current_update_info()
        details: dict[str, Any] = {}
        if runtime is not None and (self.workflow_info_on_message or self.workflow_info_on_extra):
            details.update(runtime.logger_details())
        if update is not None:
            details.update(update._logger_details)
        extra: dict[str, Any] = {}
        if details and self.workflow_info_on_extra:
            extra["temporal_workflow"] = details
        if runtime is not None and self.full_workflow_info_on_extra:
            extra["workflow_info"] = runtime.info()
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        if details and self.workflow_info_on_message:
            msg = f"{msg} ({details})"
        return msg, kwargs

    def log(self, level: int, msg: object, *args: Any, stacklevel: int = 1, **kwargs: Any) -> None:
        """Log, with the determinism guard off if so configured."""
        if not self.disable_sandbox:
            super().log(level, msg, *args, stacklevel=stacklevel + 1, **kwargs)
            return
        with unsafe.sandbox_unrestricted():
            super().log(level, msg, *args, stacklevel=stacklevel + 1, **kwargs)

    def isEnabledFor(self, level: int) -> bool:
        """Never during replay, unless ``log_during_replay``; otherwise as the logger says."""
        if not self.log_during_replay:
            runtime = Runtime.maybe_current()
            if runtime is not None and runtime.is_replaying_history_events():
                return False
        return super().isEnabledFor(level)

    @property
    def base_logger(self) -> logging.Logger:
        """The logger underneath, to add handlers and formatters to."""
        return self.logger

    def unsafe_disable_sandbox(self, value: bool = True) -> None:
        """Set ``disable_sandbox``."""
        self.disable_sandbox = value


logger = LoggerAdapter(logging.getLogger("outlast.workflow"), None)
