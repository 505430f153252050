"""Worker versions and what may move a workflow from one to another.

Source: temporal.api.deployment.v1 and temporal.api.workflow.v1.VersioningOverride.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum

import outlast.api.deployment.v1 as deployment_api
import outlast.api.enums.v1 as enums
import outlast.api.workflow.v1 as workflow_api


class VersioningBehavior(IntEnum):
    """Whether a running workflow stays on its worker version."""

    UNSPECIFIED = enums.VERSIONING_BEHAVIOR_UNSPECIFIED
    """Not said; a versioned worker then needs a default of its own."""
    PINNED = enums.VERSIONING_BEHAVIOR_PINNED
    """It stays until someone moves it."""
    AUTO_UPGRADE = enums.VERSIONING_BEHAVIOR_AUTO_UPGRADE
    """Its next task goes to the queue's current version."""


@dataclass(frozen=True)
class WorkerDeploymentVersion:
    """One build of one deployment."""

    deployment_name: str
    build_id: str

    def to_canonical_string(self) -> str:
        """``<deployment_name>.<build_id>``."""
        return f"{self.deployment_name}.{self.build_id}"

    @staticmethod
    def from_canonical_string(canonical: str) -> WorkerDeploymentVersion:
        """Read ``<deployment_name>.<build_id>``; the name ends at the first dot.

        Raises:
            ValueError: there is no dot.
        """
        name, dot, build_id = canonical.partition(".")
        if not dot:
            raise ValueError(
                f"Cannot parse version string: {canonical}, must be in format <deployment_name>.<build_id>"
            )
        return WorkerDeploymentVersion(name, build_id)

    def _to_proto(self) -> deployment_api.WorkerDeploymentVersion:
        return deployment_api.WorkerDeploymentVersion(build_id=self.build_id, deployment_name=self.deployment_name)


class VersioningOverride(ABC):
    """Replaces the versioning behaviour of one workflow; see the subclasses."""

    @abstractmethod
    def _to_proto(self) -> workflow_api.VersioningOverride: ...


@dataclass(frozen=True)
class PinnedVersioningOverride(VersioningOverride):
    """The workflow runs on this version only."""

    version: WorkerDeploymentVersion

    def _to_proto(self) -> workflow_api.VersioningOverride:
        # The two deprecated fields are what servers before 1.28 read.
        return workflow_api.VersioningOverride(
            behavior=enums.VERSIONING_BEHAVIOR_PINNED,
            pinned_version=self.version.to_canonical_string(),
            pinned=workflow_api.VersioningOverride.PinnedOverride(
                version=self.version._to_proto(),
                behavior=workflow_api.VersioningOverride.PINNED_OVERRIDE_BEHAVIOR_PINNED,
            ),
        )


@dataclass(frozen=True)
class AutoUpgradeVersioningOverride(VersioningOverride):
    """The workflow follows the current version of its deployment."""

    def _to_proto(self) -> workflow_api.VersioningOverride:
        return workflow_api.VersioningOverride(behavior=enums.VERSIONING_BEHAVIOR_AUTO_UPGRADE, auto_upgrade=True)


@dataclass(frozen=True)
class OneTimeVersioningOverride(VersioningOverride):
    """The workflow goes to this version until one workflow task has completed there; then the override is gone."""

    target_version: WorkerDeploymentVersion

    def _to_proto(self) -> workflow_api.VersioningOverride:
        return workflow_api.VersioningOverride(
            one_time=workflow_api.VersioningOverride.OneTimeOverride(
                target_deployment_version=self.target_version._to_proto(),
            ),
        )
