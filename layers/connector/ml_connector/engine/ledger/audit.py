"""The audit trail: one object for each attempt of a chunk, each naming the hash of the one before.

The chain hashes the hash of each body, so that a purge can delete a body and keep the proof. An object is gzip: one
line of JSON, the envelope, then the body. The envelope of a purged one says when that was and by whom, and the state
store says so too: who can only reach the objects cannot take a body out and call it a purge.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from ml_connector.engine.ledger.rows import Chunk
from ml_connector.errors import Conflict
from ml_connector.http_log import Exchange, as_rows
from ml_connector.ports import Blobs, Item, Store

LOST = "lost"
"""What an attempt says whose worker had lost its row: it stands beside the chain."""
_HALF = re.compile("%.?$")
_LONGEST = 200
"""Bytes of an id that are spelt out in the name of a folder; a file system takes 255."""


def folder_name(name: str) -> str:
    """Spell an id from outside so that it is the name of one folder, on any file system and in S3; injective.

    A document's id is the platform's own text, and may read `../../x`. Letters, digits and `_ - . ~` stay as they are,
    everything else and a leading dot is percent-encoded; one that is too long is cut, and ends in its hash.
    """
    spelt = quote(name, safe="", errors="surrogatepass")
    spelt = f"%2E{spelt[1:]}" if spelt.startswith(".") else spelt
    if 0 < len(spelt) <= _LONGEST:
        return spelt
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
    return f"{_HALF.sub('', spelt[: _LONGEST - 70])}%-{digest}"


def name_of(folder: str) -> str:
    """Read a folder's name back: the id, or its beginning where it was cut."""
    spelt, cut, _ = folder.partition("%-")
    return unquote(spelt, errors="replace") + ("…" if cut else "")


def prefix(chunk: Chunk) -> str:
    """Name the folder of a chunk's objects."""
    where = (chunk.tenant, chunk.integration, chunk.flow, chunk.created[:10], chunk.id)
    return f"audit/{'/'.join(map(folder_name, where))}/"


def shown(key: str) -> str:
    """Write an object's key, or a folder's, as a person knows the ids in it."""
    return "/".join(map(name_of, key.split("/")))


def link(previous: str | None, body_hash: str) -> str:
    """Hash the chain's next link."""
    return hashlib.sha256(f"{previous or ''}:{body_hash}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One attempt as it is stored: its object's key and bytes, its number and the chain's hash at it."""

    key: str
    packed: bytes
    number: int
    chain: str

    def link_to(self, chunk: Chunk) -> None:
        """Put its link on the chunk, which the caller saves."""
        chunk.audits, chunk.chain = self.number, self.chain


def made(chunk: Chunk, at: str, exchanges: list[Exchange], said: Mapping[str, Any]) -> AuditRecord:
    """Make an attempt's object, next in the chunk's chain."""
    body = msgspec.json.encode({"chunk": chunk.id, "at": at, "attempt": said, "exchanges": as_rows(exchanges)})
    body_hash = hashlib.sha256(body).hexdigest()
    chain = link(chunk.chain, body_hash)
    number = chunk.audits + 1
    envelope = {"n": number, "previous": chunk.chain, "body_hash": body_hash, "hash": chain}
    packed = gzip.compress(msgspec.json.encode(envelope) + b"\n" + body, 6, mtime=0)
    return AuditRecord(f"{prefix(chunk)}{number:05d}-{chain[:12]}.json.gz", packed, number, chain)


def write(blobs: Blobs, chunk: Chunk, at: str, exchanges: list[Exchange], said: Mapping[str, Any]) -> None:
    """Store one attempt and put its link on the chunk (the caller saves the chunk)."""
    record = made(chunk, at, exchanges, said)
    blobs.put(record.key, record.packed)
    record.link_to(chunk)


def opened(packed: bytes) -> tuple[dict[str, Any], bytes]:
    """Take an object apart: its envelope, and its body as JSON text, empty where it was purged."""
    head, _, body = gzip.decompress(packed).partition(b"\n")
    envelope: dict[str, Any] = msgspec.json.decode(head)
    return envelope, body


def emptied(envelope: dict[str, Any], at: str, by: str) -> bytes:
    """Make the object that a purge leaves: its place in the chain, without what was said."""
    left = {**envelope, "purged_at": at, "purged_by": by}
    return gzip.compress(msgspec.json.encode(left) + b"\n", 6, mtime=0)


def read(blobs: Blobs, chunk: Chunk) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Read a chunk's attempts in order: (envelope, body); the body is empty where it was purged."""
    for key in blobs.keys(prefix(chunk)):
        packed = blobs.get(key)
        if packed is not None:
            envelope, body = opened(packed)
            yield envelope, msgspec.json.decode(body) if body else {}


def purging(store: Store, tenant: str, envelope: dict[str, Any], at: str, by: str) -> tuple[str, str]:
    """Write down that an attempt is purged, before it is; gives the time and the name that count.

    Those of an earlier purge that was cut short stay.
    """
    with suppress(Conflict):
        store.put(Item(_purged(tenant), str(envelope.get("hash")), {"at": at, "by": by}))
    item = store.get(_purged(tenant), str(envelope.get("hash")))
    return (item.data["at"], item.data["by"]) if item else (at, by)


def _purged(tenant: str) -> str:
    return f"purged#{tenant}"


def _was_purged(store: Store | None, tenant: str, envelope: dict[str, Any]) -> bool:
    item = store.get(_purged(tenant), str(envelope.get("hash"))) if store is not None else None
    return item is not None and item.data == {"at": envelope.get("purged_at"), "by": envelope.get("purged_by")}


def verify(blobs: Blobs, chunk: Chunk, store: Store | None = None) -> list[str]:
    """Check the chain against the row; an empty list means that it is whole. `store` knows what was purged."""
    faults, by_hash = [], {}
    for key in blobs.keys(prefix(chunk)):
        envelope, body = opened(blobs.get(key) or gzip.compress(b"{}"))
        if body and hashlib.sha256(body).hexdigest() != envelope.get("body_hash"):
            faults.append(f"{shown(key)}: the body was changed")
        if not body and envelope and not _was_purged(store, chunk.tenant, envelope):
            faults.append(f"{shown(key)}: the body was removed, and no purge on record did it")
        by_hash[envelope.get("hash")] = envelope
    return [*faults, *_chain(chunk, by_hash)]


def _chain(chunk: Chunk, by_hash: dict[Any, dict[str, Any]]) -> Iterator[str]:
    """Follow the chain from the row back to the first attempt, as many of them as the row counts."""
    where, at, left = shown(prefix(chunk)), chunk.chain, chunk.audits
    while at is not None:
        found = by_hash.get(at)
        if found is None:
            yield f"{where}: an attempt is missing before the hash {at[:12]}"
            return
        if link(found["previous"], found["body_hash"]) != at or found["n"] != left:
            yield f"{where}: the chain is broken at attempt {found['n']}"
        at, left = found["previous"], left - 1
    if left:
        yield f"{where}: {chunk.audits} attempts were counted, and its chain has {chunk.audits - left}"


def strays(blobs: Blobs, chunks: Sequence[Chunk]) -> Iterator[str]:
    """Name attempts that are newer than all that the rows of their folder know of.

    A worker that lost its row, or died before it was saved, leaves an attempt beside the chain: one, and for a row
    that is completed none that is newer than the row's last.
    """
    for folder in sorted({prefix(chunk) for chunk in chunks}):
        rows = [chunk for chunk in chunks if prefix(chunk) == folder]
        known = max(chunk.audits + (chunk.state not in {"done", "failed"}) for chunk in rows)
        for key in blobs.keys(folder):
            packed = blobs.get(key)
            if packed is not None and _is_newer(packed, known):
                yield f"{shown(key)}: an attempt that the state store does not know of"


def _is_newer(packed: bytes, known: int) -> bool:
    envelope, body = opened(packed)
    if int(envelope.get("n", 0)) <= known:
        return False
    return not body or msgspec.json.decode(body).get("attempt", {}).get("state") != LOST
