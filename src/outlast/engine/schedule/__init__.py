"""One schedule: when it acts, what it may start, and what it has done.

Rule: as everywhere in the engine, decisions read and folds write. A schedule has no history: its state is its
snapshot. ``state.py`` comes first, then ``advance.py``, which does all that is due.
"""
