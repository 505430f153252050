"""The workflow's random numbers: seeded by the run, reseeded by a reset.

Rule: the seed is SipHash-1-3 of the run id as sdk-core hashes it, and the generator is Python's, so that code which
puts random numbers into commands (a child's id, say) replays whichever SDK wrote the history. The seed is computed at
first use, because most workflows never ask.

Source: sdk-core ``str_to_randomness_seed``; SipHash, Aumasson and Bernstein 2012.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_MASK = 0xFFFF_FFFF_FFFF_FFFF


def seed_of(run_id: str) -> int:
    """The 64-bit seed that belongs to a run id."""
    # Rust hashes a str as its bytes followed by 0xff.
    return _siphash13(run_id.encode() + b"\xff")


def _siphash13(data: bytes) -> int:
    v0, v1, v2, v3 = 0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573

    def rounds(count: int) -> None:
        nonlocal v0, v1, v2, v3
        for _ in range(count):
            v0 = (v0 + v1) & _MASK
            v1 = ((v1 << 13 | v1 >> 51) & _MASK) ^ v0
            v0 = (v0 << 32 | v0 >> 32) & _MASK
            v2 = (v2 + v3) & _MASK
            v3 = ((v3 << 16 | v3 >> 48) & _MASK) ^ v2
            v0 = (v0 + v3) & _MASK
            v3 = ((v3 << 21 | v3 >> 43) & _MASK) ^ v0
            v2 = (v2 + v1) & _MASK
            v1 = ((v1 << 17 | v1 >> 47) & _MASK) ^ v2
            v2 = (v2 << 32 | v2 >> 32) & _MASK

    whole = len(data) - len(data) % 8
    for at in range(0, whole, 8):
        word = int.from_bytes(data[at : at + 8], "little")
        v3 ^= word
        rounds(1)
        v0 ^= word
    last = int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56
    v3 ^= last
    rounds(1)
    v0 ^= last
    v2 ^= 0xFF
    rounds(3)
    return v0 ^ v1 ^ v2 ^ v3


class Randomness:
    """Seed and generator of one run."""

    __slots__ = ("_callbacks", "_generator", "_seed", "_source")

    def __init__(self, run_id: str) -> None:
        self._source = run_id
        self._seed: int | None = None
        self._generator: Random | None = None
        self._callbacks: list[Callable[[int], None]] = []

    @property
    def seed(self) -> int:
        if self._seed is None:
            self._seed = seed_of(self._source)
        return self._seed

    @property
    def generator(self) -> Random:
        if self._generator is None:
            self._generator = Random(self.seed)
        return self._generator

    def on_reseed(self, callback: Callable[[int], None]) -> None:
        """Have ``callback`` called with every later seed."""
        self._callbacks.append(callback)

    def reseed(self, run_id: str) -> None:
        """Continue as the run ``run_id``: the generator object stays, its numbers start anew."""
        self._source, self._seed = run_id, None
        if self._generator is not None:
            self._generator.seed(self.seed)
        for callback in self._callbacks:
            callback(self.seed)
