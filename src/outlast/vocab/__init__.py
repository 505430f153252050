"""Pure words about Temporal's messages: times, attributes, payloads, failures, errors, ids, retry and limits.

Rule: functions of their arguments only. Nothing here reads a clock, waits, logs or keeps state.
"""
