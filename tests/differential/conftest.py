"""The comparison with Temporal's server needs one: it is not collected where none is named."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("OUTLAST_TEMPORAL_ADDRESS") else ["test_oracle.py"]
