"""Outlast: durable workflows in one package. SDK, engine, server, web UI, CLI and test environment.

Nothing is imported here but the version: `from outlast import workflow, activity` imports those modules and no more.
"""

__version__ = "0.1.0"
