"""The batch operations of a node: what was asked and how far each is, in memory and among the settings in storage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import msgspec

from outlast.engine.batch import Job, Progress
from outlast.storage.errors import StorageError
from outlast.storage.port import Setting, Storage
from outlast.vocab import limits
from outlast.vocab.errors import NotFound

logger = logging.getLogger("outlast.server")

_JOB = "batch"
_PROGRESS = "batch progress"
_encoder = msgspec.msgpack.Encoder()
_jobs = msgspec.msgpack.Decoder(Job)
_progress = msgspec.msgpack.Decoder(Progress)


class Batch:
    """One job."""

    __slots__ = ("job", "progress")

    def __init__(self, job: Job, progress: Progress) -> None:
        self.job = job
        self.progress = progress
        """The newest; what storage has may be a page behind."""


class Batches:
    """Namespace id -> job id -> job.

    Args:
        keep_ns: how long a namespace keeps what has ended; None = for ever.
    """

    __slots__ = ("_batches", "_keep_ns", "_storage")

    def __init__(self, storage: Storage, keep_ns: Callable[[str], int | None]) -> None:
        self._storage = storage
        self._keep_ns = keep_ns
        self._batches: dict[str, dict[str, Batch]] = {}

    async def load(self) -> None:
        """Read what is stored. A job without a record of its progress has made none."""
        stored = {(namespace_id, name): data for namespace_id, name, data in await self._storage.settings(_PROGRESS)}
        for namespace_id, name, data in await self._storage.settings(_JOB):
            progress = stored.get((namespace_id, name))
            batch = Batch(_jobs.decode(data), _progress.decode(progress) if progress else Progress())
            self._batches.setdefault(namespace_id, {})[name] = batch

    # -- finding -------------------------------------------------------------------------------------------------

    def find(self, namespace_id: str, job_id: str) -> Batch | None:
        """The job with this id, None when there is none."""
        return self._batches.get(namespace_id, {}).get(job_id)

    def get(self, namespace_id: str, job_id: str) -> Batch:
        """The job with this id.

        Raises:
            NotFound: there is none.
        """
        batch = self.find(namespace_id, job_id)
        if batch is None:
            raise NotFound(
                f"there is no batch operation {job_id!r} in this namespace; it may have ended longer ago than the "
                "namespace's retention. ListBatchOperations shows those that are kept"
            )
        return batch

    def of(self, namespace_id: str) -> list[Batch]:
        """The jobs of a namespace, the latest start first."""
        found = self._batches.get(namespace_id, {}).values()
        return sorted(found, key=lambda batch: (-batch.job.started_at, batch.job.job_id))

    def running(self) -> Iterator[tuple[str, Batch]]:
        """The jobs that have not ended, with their namespace ids."""
        for namespace_id, batches in self._batches.items():
            for batch in batches.values():
                if batch.progress.running:
                    yield namespace_id, batch

    # -- changing ------------------------------------------------------------------------------------------------

    async def add(self, namespace_id: str, job: Job) -> Batch:
        """Keep a new job; durable on return."""
        batch = Batch(job, Progress())
        batches = self._batches.setdefault(namespace_id, {})
        batches[job.job_id] = batch  # at once, so that nobody else takes the id or the place
        try:
            await self._storage.put_setting(_JOB, Setting(namespace_id, job.job_id, _encoder.encode(job)))
        except BaseException:
            batches.pop(job.job_id, None)
            raise
        return batch

    async def save(self, namespace_id: str, batch: Batch) -> None:
        """Keep the progress of a job; durable on return."""
        data = _encoder.encode(batch.progress)
        await self._storage.put_setting(_PROGRESS, Setting(namespace_id, batch.job.job_id, data))

    async def sweep(self, now: int) -> None:
        """Forget the jobs that ended longer ago than the retention of their namespace, and the oldest of very many."""
        for namespace_id in list(self._batches):
            keep_ns = self._keep_ns(namespace_id)
            ended = [batch for batch in self.of(namespace_id) if not batch.progress.running]
            for place, batch in enumerate(ended):
                over = keep_ns is not None and batch.progress.closed_at + keep_ns <= now
                if over or place >= limits.BATCHES_KEPT_MAX:
                    try:
                        await self._forget(namespace_id, batch)
                    except StorageError as error:
                        logger.warning("batch operation %r is not forgotten yet: %s", batch.job.job_id, error)

    async def _forget(self, namespace_id: str, batch: Batch) -> None:
        job_id = batch.job.job_id
        for kind in (_JOB, _PROGRESS):
            await self._storage.put_setting(kind, Setting(namespace_id, job_id, b""))
        self._batches.get(namespace_id, {}).pop(job_id, None)

    def forget_namespace(self, namespace_id: str) -> None:
        """The namespace is gone, and with it its settings in storage; what still runs there ends."""
        self._batches.pop(namespace_id, None)

    def holds(self, namespace_id: str, batch: Batch) -> bool:
        """Whether the job is still known."""
        return self.find(namespace_id, batch.job.job_id) is batch
