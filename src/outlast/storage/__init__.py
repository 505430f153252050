"""Where runs are kept: the port (`port`), the oracle (`memory`) and SQLite (`sqlite`).

Rule: a snapshot and a batch of events are opaque bytes here. Storage decides nothing but who comes first.
"""
