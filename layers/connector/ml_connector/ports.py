"""The few small protocols through which the engine reaches the world.

`embedded/` keeps them on SQLite and files, `aws/` on DynamoDB, SQS, Secrets Manager, S3 and KMS. Both pass one
shared suite (`tests/contract/ports`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the store.

    `rev` is the revision it was read with (0: it did not exist); every write bumps it by one and is conditional
    on it. `due_pk`/`due_at` place the row in the sparse due index (`due_at`: ISO 8601, UTC). `ttl` is in epoch
    seconds. `blob` carries compressed bodies.
    """

    pk: str
    sk: str
    data: Mapping[str, Any] = field(default_factory=dict)
    rev: int = 0
    due_pk: str | None = None
    due_at: str | None = None
    ttl: int | None = None
    blob: bytes | None = None


def may_be_row(pk: str, sk: str) -> bool:
    """Tell whether a row may have this name: one that is too long, or no text, is asked for by no store, and absent."""
    try:
        return 0 < len(pk.encode()) <= 2048 and 0 < len(sk.encode()) <= 1024
    except UnicodeEncodeError:
        return False


def check_batch(items: Sequence[Item]) -> None:
    """Raise `ValueError` for what `Store.put_many` does not take: a row twice, or more than data and a place."""
    if len({(item.pk, item.sk) for item in items}) < len(items):
        raise ValueError("One call cannot write an item twice.")
    for item in items:
        if item.ttl is not None or item.blob is not None or (item.due_pk is None) != (item.due_at is None):
            raise ValueError(f"The item {item.pk} {item.sk} has more than data: write it with `put`.")


class Store(Protocol):
    """Rows under (pk, sk) with conditional writes: the only memory that matters."""

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one row, consistently."""

    def get_many(self, pk: str, sks: Sequence[str], *, consistent: bool = False) -> dict[str, Item]:
        """Read many rows of one partition by sort key; absent ones are left out."""

    def put(self, item: Item) -> Item:
        """Write under the condition that the row still has `item.rev` (0: is absent).

        Returns the row as stored. Raises `Conflict` where another writer was first.
        """

    def put_many(self, items: Sequence[Item]) -> list[bool]:
        """Write the data of many rows, each under its own condition; tells for each whether it took effect.

        A row's place in the due index (both of its fields) is written where it is given. What else stands on a row that
        is there stays: ttl, blob, and a place that is not given. Raises `ValueError` where an item has ttl or blob, or
        half of a place, or two are the same row.
        """

    def delete(self, pk: str, sk: str) -> None:
        """Remove a row; removing an absent one is no error."""

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        after: str | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[Item]:
        """Read rows of one partition in sort-key order, consistently; `after` is exclusive."""

    def due(self, due_pk: str, until: str, limit: int = 200, *, after: Item | None = None) -> list[Item]:
        """Read the rows of the due index up to `until` (inclusive), oldest first; may lag behind writes.

        `after` is the last row of an earlier answer (its keys, `due_pk` and `due_at`): what stands behind that place
        is read, also where the row has moved on.
        """


class Queue(Protocol):
    """Wakes a worker. A wake-up message may be lost, late or doubled: rows are the truth."""

    def notify(self, group: str, message: Mapping[str, Any]) -> None:
        """Queue `message`; messages of one group are handled one at a time, in order."""

    def notify_many(self, queue: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Queue many messages (group, message); of one group in order."""

    def dead_letter(self, group: str, message: Mapping[str, Any]) -> None:
        """Put `message` on the dead-letter queue, whose depth is the alarm."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret's text and the version that tells one text from the next. Never printed."""

    text: str = field(repr=False)
    version: str


class Secrets(Protocol):
    """The tenants' credentials. `lags`: the list may leave out for minutes what is there."""

    @property
    def lags(self) -> bool:
        """Tell whether a list may be minutes behind; what is read by name never is."""

    def listed(self) -> dict[tuple[str, str], str | None]:
        """List every secret under the prefix: (tenant, system) -> its version, None where only reading tells."""

    def names(self) -> list[tuple[str, str]]:
        """List (tenant, system) of every secret under the prefix."""

    def read(self, tenant: str, system: str, *, fresh: bool = False) -> Secret | None:
        """Read one secret; None where there is none. `fresh`: now, and not from a cache."""


def object_key(key: str) -> list[str]:
    """Split an object's key into its names. Raises `ValueError` where it could not be a path below a folder.

    Both families refuse the same, so that no key is good in one of them only: a name that leads elsewhere, also on
    Windows, or is longer than a file system (255 bytes) or S3 (1,024 for the whole key) takes.
    """
    names = key.split("/")
    odd = any(name in {"", ".", ".."} or len(name.encode(errors="surrogatepass")) > 255 for name in names)
    if odd or len(key.encode(errors="surrogatepass")) > 1024 or "\\" in key or any(c < " " or c == "\x7f" for c in key):
        raise ValueError(f"{key[:300]!r} cannot be the key of an object.")
    return names


class Blobs(Protocol):
    """Objects by key: the audit trail. A key is refused as `object_key` says."""

    def put(self, key: str, body: bytes) -> None:
        """Store an object; the same key again replaces it."""

    def get(self, key: str) -> bytes | None:
        """Read an object; None where there is none."""

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys under a prefix in order."""


class Vault(Protocol):
    """Encrypts what rests: tokens, sessions, webhook keys."""

    @property
    def key_name(self) -> str:
        """Name the key that seals today. It is no secret; under another name, what was sealed may not open."""

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt; `context` must be given again to open."""

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt; raises `ValueError` where the text or the context is not the one sealed."""

    def stand_in(self) -> bytes:
        """Give a text that opens for nobody, and that it costs as much to try as to open a sealed one."""


class Clock(Protocol):
    """Time, injected so that a simulation can turn it."""

    def now(self) -> datetime:
        """Tell the time, zone UTC."""

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""


class Random(Protocol):
    """Randomness, injected so that a seed repeats a history."""

    def random(self) -> float:
        """Draw from [0, 1)."""

    def uuid4(self) -> UUID:
        """Draw a version 4 UUID."""
