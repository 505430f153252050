"""What an activation has to do, in the order in which it does it.

Rule: the order is that of Temporal's SDK, because it decides the order of commands: patches first, then signals and
updates as they came, then the rest (the start and a new random seed before all else of it, local activities after
it). Between these sets the
workflow's code runs.

Source: sdk-core ``prepare_to_ship_activation``; temporalio ``_WorkflowInstanceImpl.activate``.
"""

from __future__ import annotations

from collections.abc import Callable

Job = Callable[[], None]


class Jobs:
    """Jobs that events, and the workflow's own commands, have left for the next activation.

    Attributes:
        only_updates: whether every job is an update; a rejected update must not let a wait condition through.
    """

    __slots__ = ("deliveries", "local", "only_updates", "patches", "rest", "start")

    def __init__(self) -> None:
        self.start: list[Job] = []
        self.patches: list[Job] = []
        self.deliveries: list[Job] = []
        self.rest: list[Job] = []
        self.local: list[Job] = []
        self.only_updates = True

    def __bool__(self) -> bool:
        return bool(self.start or self.patches or self.deliveries or self.rest or self.local)

    def add(self, job: Job) -> None:
        """Something resolved."""
        self.rest.append(job)
        self.only_updates = False

    def add_local(self, job: Job) -> None:
        """A local activity resolved: after everything else."""
        self.local.append(job)
        self.only_updates = False

    def add_start(self, job: Job) -> None:
        """The run begins, or a new random seed is set: before anything else of the rest."""
        self.start.append(job)
        self.only_updates = False

    def add_patch(self, job: Job) -> None:
        """History has a patch marker for this task."""
        self.patches.append(job)
        self.only_updates = False

    def add_signal(self, job: Job) -> None:
        """A signal arrived."""
        self.deliveries.append(job)
        self.only_updates = False

    def add_update(self, job: Job) -> None:
        """An update arrived."""
        self.deliveries.append(job)

    def sets(self) -> tuple[list[Job], list[Job], list[Job]]:
        """Patches, signals and updates, and the rest."""
        return self.patches, self.deliveries, self.start + self.rest + self.local
