"""Ids: the same question gives the same id, another question another one."""

from __future__ import annotations

import uuid

from outlast.vocab import ids

RUN = "6f1f0d4e-6c0c-4a2e-9c55-0d2f3f3e2b11"


def test_ids_are_uuids_and_stay_the_same_for_ever() -> None:
    # Stored runs hold these: a change of the scheme would break a repeated transition.
    assert ids.successor_run_id(RUN, 7) == "2788bfcf-1681-5762-ba93-5c3c9b30b352"
    assert uuid.UUID(ids.child_run_id(RUN, 7)).version == 5


def test_ids_differ_by_purpose_run_and_event() -> None:
    makers = (ids.successor_run_id, ids.child_run_id, ids.request_id)
    made = [make(run, event) for make in makers for run in (RUN, str(uuid.UUID(int=1))) for event in (1, 11)]
    assert len(set(made)) == len(made)
