"""Worker versioning as workers declare it: deployment and build id, on every poll and every report.

Rule: the worker only says what it is; which tasks it gets for that is the server's decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from outlast.api.common.v1 import WorkerVersionCapabilities, WorkerVersionStamp
from outlast.api.deployment.v1 import WorkerDeploymentOptions
from outlast.api.enums.v1 import WORKER_VERSIONING_MODE_UNVERSIONED, WORKER_VERSIONING_MODE_VERSIONED
from outlast.common import VersioningBehavior, WorkerDeploymentVersion
from outlast.workflow._definition import Definition


@dataclass(frozen=True)
class WorkerDeploymentConfig:
    """Which version of which deployment a worker is.

    Attributes:
        use_worker_versioning: take tasks by version; else the version is only recorded.
        default_versioning_behavior: of workflows that name none themselves.
    """

    version: WorkerDeploymentVersion
    use_worker_versioning: bool
    default_versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED


class Versioning:
    """What a worker declares.

    Attributes:
        version: of the deployment; with a build id alone, of a deployment without name; None for neither.
        behavior: of workflows that name none.
    """

    def __init__(self, deployment: WorkerDeploymentConfig | None, build_id: str | None, use_versioning: bool) -> None:
        """Raises ValueError for parameters that exclude each other."""
        if deployment is not None and (build_id or use_versioning):
            raise ValueError(
                "deployment_config cannot be given together with build_id or use_worker_versioning; put the build id "
                "into deployment_config.version"
            )
        if use_versioning and not build_id:
            raise ValueError("use_worker_versioning needs a build_id")
        self._build_id, self._uses_build_id = build_id or "", use_versioning
        self._options: WorkerDeploymentOptions | None = None
        self.version: WorkerDeploymentVersion | None = None
        self.behavior = VersioningBehavior.UNSPECIFIED
        self._requires_behavior = False
        if deployment is not None:
            version = self.version = deployment.version
            versioned = self._requires_behavior = deployment.use_worker_versioning
            self.behavior = deployment.default_versioning_behavior
            self._options = WorkerDeploymentOptions(
                deployment_name=version.deployment_name,
                build_id=version.build_id,
                worker_versioning_mode=(
                    WORKER_VERSIONING_MODE_VERSIONED if versioned else WORKER_VERSIONING_MODE_UNVERSIONED
                ),
            )
        elif build_id:
            self.version = WorkerDeploymentVersion(deployment_name="", build_id=build_id)

    def require_behaviors(self, definitions: Iterable[Definition]) -> None:
        """Refuse workflows of which nobody says what a new version does to them.

        Raises:
            ValueError: naming the first.
        """
        if not self._requires_behavior or self.behavior is not VersioningBehavior.UNSPECIFIED:
            return
        for definition in definitions:
            if (
                definition.versioning_behavior is VersioningBehavior.UNSPECIFIED
                and definition.dynamic_config_fn is None
            ):
                raise ValueError(
                    f"Workflow {definition.name} names no versioning behavior, which its worker's deployment_config "
                    "needs; give one to @workflow.defn(versioning_behavior=...) or set default_versioning_behavior"
                )

    def on_poll(self, request: Any) -> None:
        """Declare it with a poll."""
        if self._options is not None:
            request.deployment_options.CopyFrom(self._options)
        elif self._build_id:
            request.worker_version_capabilities.CopyFrom(
                WorkerVersionCapabilities(build_id=self._build_id, use_versioning=self._uses_build_id)
            )

    def on_report(self, request: Any) -> None:
        """Declare it with a completion or failure."""
        if self._options is not None:
            request.deployment_options.CopyFrom(self._options)
        elif self._build_id:
            # The field has two names: of workflow tasks, and of activities.
            stamp = getattr(request, "worker_version_stamp", None) or request.worker_version
            stamp.CopyFrom(WorkerVersionStamp(build_id=self._build_id, use_versioning=self._uses_build_id))
