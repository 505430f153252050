"""Collected only when asked for (`make polyglot`): these tests need Go, Node, a JDK, and what those download."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("OUTLAST_POLYGLOT") else ["test_*.py"]
