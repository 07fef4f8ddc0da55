"""The seen keys of a full comparison: which keys the source showed, so that what vanished there is found.

Eight bytes a key, in one row a page: a full comparison of a million records costs a few thousand writes, and its
end a few megabytes of memory. Two keys with the same hash hide a deletion; they never cause one.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import timedelta

from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import GONE, Row
from ml_connector.ports import Item

KEEP = timedelta(days=3)
"""A pass that was never finished leaves its keys behind for this long."""


class SeenHashes:
    """Keys, as sorted hashes."""

    def __init__(self, hashes: array[int]) -> None:
        """Take hashes in ascending order."""
        self._hashes = hashes

    def __bool__(self) -> bool:
        """Tell whether any key was seen."""
        return bool(self._hashes)

    def __contains__(self, key: str) -> bool:
        """Tell whether the key was seen; rarely, one with another's hash counts as seen too."""
        value = _hashed(key)
        place = bisect_left(self._hashes, value)
        return place < len(self._hashes) and self._hashes[place] == value


class SeenKeys:
    """The keys seen in one pass of one flow. A page that is read twice is noted twice, which is harmless."""

    def __init__(self, ledger: Ledger, started: str) -> None:
        """`started` names the pass."""
        self._ledger, self._prefix = ledger, f"s#{started}#"

    def note(self, keys: Iterable[str], page: str) -> None:
        """Remember the keys of a page, before the position behind it is saved. `page` is a fresh name."""
        hashes = array("Q", [_hashed(key) for key in keys])
        if hashes:
            ttl = int((self._ledger.clock.now() + KEEP).timestamp())
            self._ledger.store.put(Item(self._ledger.pk, self._prefix + page, blob=hashes.tobytes(), ttl=ttl))

    def compare(self, *, only_open: bool = False) -> tuple[int, list[str], bool]:
        """Count the records that the target has from us (open ones only, of orders), list those not seen, and tell
        whether nothing was seen at all.
        """
        seen = self.seen()
        known, gone = 0, []
        for key, row in self._ledger.all_rows():
            if not held_by_target(row) or (only_open and not row.open):
                continue
            known += 1
            if key not in seen:
                gone.append(key)
        return known, gone, not seen

    def seen(self) -> SeenHashes:
        """Read what was noted until now."""
        hashes = array("Q")
        for item in self._ledger.store.query(self._ledger.pk, self._prefix):
            hashes.frombytes(item.blob or b"")
        return SeenHashes(array("Q", sorted(hashes)))

    def clear(self) -> None:
        """Drop these keys, and what earlier passes left; a later pass may have begun meanwhile."""
        for item in list(self._ledger.store.query(self._ledger.pk, "s#")):
            if item.sk[: len(self._prefix)] <= self._prefix:
                self._ledger.store.delete(item.pk, item.sk)


def held_by_target(row: Row) -> bool:
    """Tell whether the target has the record from us, and as an active one."""
    return row.code is not None and row.delivered_fp != GONE


def open_keys(ledger: Ledger) -> Iterator[str]:
    """Give the keys of the records that were open when they were last delivered."""
    return (key for key, row in ledger.all_rows() if row.open and held_by_target(row))


def _hashed(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")
