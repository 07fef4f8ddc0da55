"""Audit objects as far as they can be read: a damaged one is named, and hides no other."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ml_connector.engine.ledger.audit import opened
from ml_connector.ports import Blobs

ENVELOPE = frozenset({"n", "previous", "body_hash", "hash"})
BROKEN = (gzip.BadGzipFile, EOFError, zlib.error, msgspec.DecodeError, UnicodeDecodeError)
"""What opening a damaged object raises: no gzip, cut off, no JSON."""


@dataclass
class ReadableBlobs:
    """The port `Blobs`, on which a damaged object is as if it were not there; `damaged` names those met so far."""

    blobs: Blobs
    damaged: dict[str, None] = field(default_factory=dict)

    def put(self, key: str, body: bytes) -> None:
        """Store an object."""
        self.blobs.put(key, body)

    def get(self, key: str) -> bytes | None:
        """Read an object; None where there is none, or none that can be read."""
        packed = self.blobs.get(key)
        if packed is None or is_readable(packed):
            return packed
        self.damaged[key] = None
        return None

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys under a prefix."""
        return self.blobs.keys(prefix)

    def faults(self) -> list[str]:
        """Say of each damaged object what to do about it."""
        return [f"{key}: it cannot be read as an audit object; restore it from a backup" for key in self.damaged]


def is_readable(packed: bytes) -> bool:
    """Tell whether an object can be read, and stands in a chain."""
    envelope = envelope_of(packed)
    return envelope is not None and envelope.keys() >= ENVELOPE


def envelope_of(packed: bytes) -> dict[str, Any] | None:
    """Give the envelope of an object whose body is JSON or was purged; None where it is damaged."""
    try:
        envelope, body = opened(packed)
        said: Any = msgspec.json.decode(body) if body else {}
    except BROKEN:
        return None
    return envelope if isinstance(envelope, dict) and isinstance(said, dict) else None
