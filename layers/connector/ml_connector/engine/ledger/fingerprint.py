"""Fingerprints: version, epoch and hash of a canonical record, in one short text.

The version is raised when a release changes what a record holds. A row of an earlier version is rebaselined, and
nothing sent for it, where that version would write the record down today as it did then; where it would not, the
source has changed meanwhile. The epoch covers the settings and mappings that shape the outward body: `settings`, or
`settings-mappings` where people mapped something. A change of mappings that a record's own body does not use changes
nothing for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from ml_connector.records import Record

VERSION = "1"
MAPPED = "-"
"""Parts an epoch: the settings, and the mappings."""
_BLANK = hashlib.blake2b(digest_size=12)
"""Copied for each hash, which takes less time than making one."""
_encode = msgspec.json.Encoder(order="deterministic").encode
FORMER: dict[str, Callable[[Record], bytes]] = {}
"""How earlier versions wrote a record down. Raising `VERSION` puts the one before in here."""


def written(record: Record) -> bytes:
    """Write a record down as this version does."""
    return _encode(record)


def fingerprint(record: Record, epoch: str) -> str:
    """Hash a record; equal text means that the same would be sent again."""
    return _made(VERSION, epoch, _encode(record))


def _made(version: str, epoch: str, text: bytes) -> str:
    digest = _BLANK.copy()
    digest.update(text)
    return f"{version}.{epoch}.{digest.hexdigest()}"


def fingerprint_raw(raw: str, epoch: str) -> str:
    """Hash a record that could not be read, so that it is recognised when it comes again."""
    return _made(VERSION, epoch, raw.encode())


def epoch_of(known: str | None) -> str:
    """Give the epoch of a fingerprint; empty where it is none."""
    parts = (known or "").split(".")
    return parts[1] if len(parts) == 3 else ""


def mapped_otherwise(known: str | None, now: str) -> bool:
    """Tell whether two fingerprints differ in nothing but the mappings that there were."""
    if known is None or known == now:
        return False
    then, today = known.split("."), now.split(".")
    return len(then) == 3 and then[::2] == today[::2] and same_settings(then[1], today[1])


def same_settings(one: str, other: str) -> bool:
    """Tell whether two epochs are of the same settings, whatever the mappings."""
    return one.partition(MAPPED)[0] == other.partition(MAPPED)[0]


def same_record(known: str | None, now: str) -> bool:
    """Tell whether two fingerprints are of the same record, whatever the settings and mappings."""
    then, today = (known or "").split("."), now.split(".")
    return len(then) == 3 and then[::2] == today[::2]


def only_older(known: str | None, record: Record, epoch: str) -> bool:
    """Tell whether `known` is of another version of the software, and that version would say the same of `record`.

    A version that nobody here knows (it was rolled back) cannot say so: its records are sent again.
    """
    version = (known or "").split(".", 1)[0]
    former = FORMER.get(version) if version != VERSION else None
    return former is not None and known == _made(version, epoch, former(record))
