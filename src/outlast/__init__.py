"""Outlast: durable workflows in one package. SDK, engine, server, web UI, CLI and test environment.

Nothing is imported here but the version: `from outlast import workflow, activity` imports those modules and no more.
"""

from __future__ import annotations

__version__ = "0.1.0"


def install_as_temporalio() -> None:
    """Make ``import temporalio`` mean ``outlast`` in this process, with all submodules and messages.

    Programs and plugins that were written for Temporal's Python SDK then run unchanged. Calling it again does nothing.

    Raises:
        RuntimeError: the real ``temporalio`` was imported before.
    """
    from outlast.alias import install

    install()
