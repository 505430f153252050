"""The workers of a node: the last heartbeat of each, in memory, for five minutes (rule 3.10.3)."""

from __future__ import annotations

from outlast.api.worker.v1 import WorkerHeartbeat
from outlast.vocab import limits

from .clock import Clock


class Workers:
    """Namespace -> worker instance key -> last heartbeat."""

    __slots__ = ("_clock", "_seen")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, dict[str, tuple[int, WorkerHeartbeat]]] = {}

    def note(self, namespace_id: str, worker: WorkerHeartbeat) -> None:
        """Keep a heartbeat; the longest silent workers make room."""
        seen = self._seen.setdefault(namespace_id, {})
        seen.pop(worker.worker_instance_key, None)
        seen[worker.worker_instance_key] = (self._clock.now(), worker)
        if len(seen) > limits.WORKERS_REMEMBERED_MAX:
            del seen[next(iter(seen))]

    def recent(self, namespace_id: str) -> dict[str, WorkerHeartbeat]:
        """The workers that were heard of lately, by instance key, ascending."""
        seen = self._seen.get(namespace_id, {})
        oldest = self._clock.now() - limits.WORKER_REGISTRY_NS
        while seen:
            key, (at, _) = next(iter(seen.items()))
            if at > oldest:
                break
            del seen[key]
        return {key: worker for key, (_, worker) in sorted(seen.items())}

    def sweep(self) -> None:
        """Forget the workers that were not heard of, and namespaces without any."""
        for namespace_id in [key for key in self._seen if not self.recent(key)]:
            del self._seen[namespace_id]
