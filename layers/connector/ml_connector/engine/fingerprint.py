"""Fingerprints: version, epoch and hash of a canonical record, in one short text.

The version is raised when a release changes what a record holds: rows of an older version are rebaselined, and
nothing is sent for them. The epoch covers the settings and mappings that shape the outward body.
"""

from __future__ import annotations

import hashlib

import msgspec

from ml_connector.records import Record

VERSION = "1"
_encode = msgspec.json.Encoder(order="deterministic").encode


def fingerprint(record: Record, epoch: str) -> str:
    """Hash a record; equal text means that the same would be sent again."""
    return f"{VERSION}.{epoch}.{hashlib.blake2b(_encode(record), digest_size=12).hexdigest()}"


def fingerprint_raw(raw: str, epoch: str) -> str:
    """Hash a record that could not be read, so that it is recognised when it comes again."""
    return f"{VERSION}.{epoch}.{hashlib.blake2b(raw.encode(), digest_size=12).hexdigest()}"


def only_older(known: str | None, fresh: str) -> bool:
    """Tell whether `known` was made by another version of the software, and so says nothing of a change."""
    return known is not None and known.split(".", 1)[0] != fresh.split(".", 1)[0]
