"""Standalone activities: what is asked of one. Its attempts are in ``engine/execution``, as those of any activity."""
