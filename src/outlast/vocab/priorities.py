"""Priorities of workflows and activities: what callers may choose.

Source: temporal.api.common.v1.Priority.
"""

from __future__ import annotations

from outlast.api.common.v1 import Priority

from . import limits


def problem(priority: Priority) -> str:
    """What is wrong with a priority; "" when nothing is."""
    if priority.priority_key < 0:
        return f"the priority key is {priority.priority_key}; 1 is the highest, and 0 stands for the default"
    if len(priority.fairness_key.encode()) > limits.FAIRNESS_KEY_BYTES_MAX:
        return f"the fairness key is longer than {limits.FAIRNESS_KEY_BYTES_MAX} bytes; shorten it"
    if priority.fairness_weight < 0:
        return f"the fairness weight is {priority.fairness_weight:g}; 1 is the usual one, and 0 stands for the default"
    return ""
