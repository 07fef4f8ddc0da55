"""What is on its way, by key, in 24 bytes a record: a million that wait for a slow target fit into a small function."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping

WIDTH = 12
"""Bytes of a hash: as many as a fingerprint has, so that two keys are mistaken for each other no sooner than that."""
BUCKETS = 16_384


class InFlight:
    """Keys, each with the fingerprint (of a master record) or the chunk (of a document) that is on its way."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._buckets: defaultdict[int, bytearray] = defaultdict(bytearray)

    def update(self, found: Mapping[str, str]) -> None:
        """Take over what a chunk holds; of one key the latest counts."""
        for key, value in found.items():
            name, bucket = self._place(key)
            at = _find(bucket, name)
            if at < 0:
                bucket += name + _hashed(value)
            else:
                bucket[at + WIDTH : at + 2 * WIDTH] = _hashed(value)

    def __contains__(self, key: str) -> bool:
        """Tell whether anything of a key is on its way."""
        name, bucket = self._place(key)
        return _find(bucket, name) >= 0

    def holds(self, key: str, value: str) -> bool:
        """Tell whether just this is on its way."""
        name, bucket = self._place(key)
        at = _find(bucket, name)
        return at >= 0 and bucket[at + WIDTH : at + 2 * WIDTH] == _hashed(value)

    def count(self, value: str) -> int:
        """Count the keys with a value."""
        wanted = _hashed(value)
        return sum(
            bucket[at : at + WIDTH] == wanted
            for bucket in self._buckets.values()
            for at in range(WIDTH, len(bucket), 2 * WIDTH)
        )

    def _place(self, key: str) -> tuple[bytes, bytearray]:
        name = _hashed(key)
        return name, self._buckets[int.from_bytes(name[:2], "big") % BUCKETS]


def _hashed(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=WIDTH).digest()


def _find(bucket: bytearray, name: bytes) -> int:
    """Give where an entry begins; -1 where there is none."""
    at = bucket.find(name)
    while at >= 0 and at % (2 * WIDTH):
        at = bucket.find(name, at + 1)
    return at
