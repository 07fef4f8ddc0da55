"""The audit trail: one object for each attempt of a chunk, each naming the hash of the one before.

The chain hashes the hash of each body, so that a purge can delete a body and keep the proof. An object is gzip: one
line of JSON, the envelope, then the body. The envelope of a purged one says when that was and by whom.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from ml_connector.engine.rows import Chunk
from ml_connector.exchange import Exchange, as_rows
from ml_connector.ports import Blobs

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


def write(blobs: Blobs, chunk: Chunk, at: str, exchanges: list[Exchange], said: dict[str, Any]) -> None:
    """Store one attempt and put its link on the chunk (the caller saves the chunk)."""
    body = msgspec.json.encode({"chunk": chunk.id, "at": at, "attempt": said, "exchanges": as_rows(exchanges)})
    body_hash = hashlib.sha256(body).hexdigest()
    chain = link(chunk.chain, body_hash)
    number = chunk.audits + 1
    envelope = {"n": number, "previous": chunk.chain, "body_hash": body_hash, "hash": chain}
    packed = gzip.compress(msgspec.json.encode(envelope) + b"\n" + body, 6, mtime=0)
    blobs.put(f"{prefix(chunk)}{number:05d}-{chain[:12]}.json.gz", packed)
    chunk.audits, chunk.chain = number, chain


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


def verify(blobs: Blobs, chunk: Chunk) -> list[str]:
    """Check the chain against the row; an empty list means that it is whole."""
    faults, by_hash = [], {}
    for key in blobs.keys(prefix(chunk)):
        envelope, body = opened(blobs.get(key) or gzip.compress(b"{}"))
        if body and hashlib.sha256(body).hexdigest() != envelope.get("body_hash"):
            faults.append(f"{shown(key)}: the body was changed")
        by_hash[envelope.get("hash")] = envelope
    at, steps = chunk.chain, 0
    while at is not None:
        found = by_hash.get(at)
        if found is None:
            faults.append(f"{shown(prefix(chunk))}: an attempt is missing before the hash {at[:12]}")
            break
        if link(found["previous"], found["body_hash"]) != at:
            faults.append(f"{shown(prefix(chunk))}: the chain is broken at attempt {found['n']}")
        at, steps = found["previous"], steps + 1
    return faults
