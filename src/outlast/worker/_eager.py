"""Eager activities: started with the workflow task's completion, run here without a poll.

Rule: only activities of this worker's own queue and types, only in slots that are free right now, and only so many per
completion. A slot is reserved before the server is asked, so what it starts can run at once.

Source: rule 3.4.14 of the semantics.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from outlast.api.command.v1 import Command
from outlast.api.enums.v1 import COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK
from outlast.api.workflowservice.v1 import PollActivityTaskQueueResponse

from ._activity_tasks import ActivityTasks
from ._slot_suppliers import Pool


class EagerActivities:
    """Asks for eager activities, and starts them.

    Args:
        task_queue: of the worker.
        types: names of the activities that the worker has; None in it stands for all.
        most: per completion.
    """

    def __init__(
        self, task_queue: str, types: Container[str | None], most: int, slots: Pool, activities: ActivityTasks
    ) -> None:
        self._task_queue = task_queue
        self._types = types
        self._most = most
        self._slots = slots
        self._activities = activities

    def reserve(self, commands: Iterable[Command], *, stopping: bool) -> int:
        """Leave the wish on as many commands as there are slots, and take it from the others.

        Args:
            commands: the worker's own, changed in place.
            stopping: the worker takes nothing new.

        Returns:
            How many slots were taken: one per wish.
        """
        wishes = []
        for command in commands:
            if command.command_type == COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
                attributes = command.schedule_activity_task_command_attributes
                if attributes.request_eager_execution:
                    if attributes.task_queue.name == self._task_queue and self._has(attributes.activity_type.name):
                        wishes.append(attributes)
                    else:
                        attributes.request_eager_execution = False
        if not wishes:
            return 0
        granted = 0 if stopping else self._slots.try_acquire(min(len(wishes), self._most))
        for attributes in wishes[granted:]:
            attributes.request_eager_execution = False
        return granted

    def _has(self, name: str) -> bool:
        return name in self._types or None in self._types

    def start(self, tasks: Sequence[PollActivityTaskQueueResponse]) -> int:
        """Run what the server started, each in one of the reserved slots; returns how many."""
        for task in tasks:
            self._activities.accept(task)
        return len(tasks)

    def give_back(self, unused: int) -> None:
        """Release reserved slots that nothing runs in."""
        self._slots.release(unused)
