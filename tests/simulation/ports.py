"""The embedded ports, as unreliable as AWS: places to die at each call, throttles, lost answers, stale reads, lag."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.secrets import MemorySecrets
from ml_connector.embedded.store import SqliteStore
from ml_connector.errors import Conflict, Transient
from ml_connector.ports import Item, Secret
from tests.simulation.machine import Machine, OurClock

STALE = timedelta(seconds=2)
LAG = timedelta(seconds=20)
Key = tuple[str, str]


class SimStore:
    """The store. Reads may be died at too: what was written before stands."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.base = machine, SqliteStore(":memory:", OurClock(machine))
        self._before: dict[Key, tuple[datetime, Item | None]] = {}
        self.posted: dict[str, datetime] = {}
        """Since when documents are known to be posted, by the source's key."""

    def get(self, pk: str, sk: str) -> Item | None:
        self._touch("get")
        return self.base.get(pk, sk)

    def get_many(self, pk: str, sks: Sequence[str], *, consistent: bool = False) -> dict[str, Item]:
        """Read; without `consistent` a row may be as it was before the last write."""
        self._touch("get_many")
        found = self.base.get_many(pk, sks, consistent=consistent)
        if not consistent:
            for sk in sks:
                self._grow_old(found, pk, sk)
        return found

    def put(self, item: Item) -> Item:
        self._touch(f"before put {item.sk}")
        self._remember(item)
        stored = self.base.put(item)
        self._note_posted(item)
        if self._strikes(self.machine.weather.unheard):
            self.machine.fault("store: written, and the answer lost")
            raise Conflict("The answer was lost, and the second try met the first one's row.")
        self.machine.touch(f"after put {item.sk}")
        return stored

    def put_many(self, items: Sequence[Item]) -> list[bool]:
        """Write in parts, as DynamoDB does: a crash or a throttle leaves some written."""
        taken: list[bool] = []
        for start in range(0, len(items), 3):
            self._touch("before put_many")
            some = items[start : start + 3]
            for item in some:
                self._remember(item)
            taken += self.base.put_many(some)
            if self._strikes(self.machine.weather.unheard):
                self.machine.fault("store: items unprocessed")
                raise Transient("AWS left items unprocessed; it is tried again later.")
            self.machine.touch("after put_many")
        return taken

    def delete(self, pk: str, sk: str) -> None:
        self._touch(f"before delete {sk}")
        self.base.delete(pk, sk)
        self.machine.touch(f"after delete {sk}")

    def query(self, pk: str, prefix: str = "", **more: Any) -> Iterator[Item]:
        self._touch("query")
        return iter(list(self.base.query(pk, prefix, **more)))

    def due(self, due_pk: str, until: str, limit: int = 200, **more: Any) -> list[Item]:
        """Read the due index; it may not know the writes of the last seconds."""
        self._touch("due")
        found = self.base.due(due_pk, until, limit, **more)
        if not self._before or not self._strikes(self.machine.weather.lag):
            return found
        self.machine.fault("store: the index lags")
        known = [self._lagging(item) for item in found]
        fresh = {(i.pk, i.sk) for i in known if i is not None}
        for key, (at, old) in sorted(self._before.items()):
            late = old is not None and self.machine.now() - at < LAG and key not in fresh
            if late and old is not None and old.due_pk == due_pk and old.due_at is not None and old.due_at <= until:
                known.append(old)  # the index still shows what was written over
        return [item for item in known if item is not None]

    def _note_posted(self, item: Item) -> None:
        if not item.sk.startswith("c#"):
            return
        if item.data.get("step") in {"posted", "answered"}:
            self.posted.setdefault(item.sk[2:], self.machine.now())
        else:
            self.posted.pop(item.sk[2:], None)

    # ── misbehaviour ────────────────────────────────────────────────────────────────────────────────────────

    def _strikes(self, chance: float) -> bool:
        """Only functions meet bad weather; the checker and people read calmly."""
        return bool(self.machine.stack) and self.machine.hit(chance)

    def _touch(self, what: str) -> None:
        self.machine.touch(what)
        if self._strikes(self.machine.weather.throttle):
            self.machine.fault("store: throttled")
            raise Transient("AWS throttles the table; it is tried again later.")

    def _remember(self, item: Item) -> None:
        weather = self.machine.weather
        if weather.stale or weather.lag:
            self._before[item.pk, item.sk] = (self.machine.now(), self.base.get(item.pk, item.sk))

    def _grow_old(self, found: dict[str, Item], pk: str, sk: str) -> None:
        at, old = self._before.get((pk, sk), (None, None))
        if at is None or self.machine.now() - at > STALE or not self._strikes(self.machine.weather.stale):
            return
        self.machine.fault("store: stale read")
        if old is None:
            found.pop(sk, None)
        else:
            found[sk] = old

    def _lagging(self, item: Item) -> Item | None:
        """Give a row as the index knew it some seconds ago; None where it did not stand there yet."""
        at, old = self._before.get((item.pk, item.sk), (None, None))
        if at is None or self.machine.now() - at > LAG:
            return item
        if old is None or old.due_pk != item.due_pk or old.due_at is None:
            return None
        return replace(old)

    # ── for the scheduler and the checker, past the product ─────────────────────────────────────────────────

    def save(self) -> bytes:
        """Take a copy of every row, as a restore point does."""
        return self.base._connection.serialize()

    def restore(self, saved: bytes) -> list[str]:
        """Bring every row back to a copy; gives the texts of those that differ, as they were and as they are now."""
        before = dict(self._texts())
        self.base._connection.deserialize(saved)
        self._before.clear()
        after = dict(self._texts())
        keys = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
        return [f"{key} {before.get(key)} {after.get(key)}" for key in keys]

    def _texts(self) -> Iterator[tuple[Key, str]]:
        for pk, sk, data, blob in self.dump():
            yield (pk, sk), f"{data} {unpacked(blob) if blob else ''}"

    def earliest(self, prefix: str) -> str | None:
        """Tell when the first row of a part of the due index falls due."""
        sql = "SELECT min(due_at) FROM rows WHERE due_pk >= ? AND due_pk < ? AND due_at IS NOT NULL"
        found = self.base._connection.execute(sql, (prefix, prefix + "~")).fetchone()
        return found[0] if found else None

    def dump(self) -> Iterator[tuple[str, str, str, bytes | None]]:
        """Give every row as it rests."""
        yield from self.base._connection.execute("SELECT pk, sk, data, blob FROM rows")


def unpacked(blob: bytes) -> str:
    """Read a body as it rests, packed or not."""
    try:
        return zlib.decompress(blob).decode("utf-8", "replace")
    except zlib.error:
        return blob.decode("latin-1")


class SimBlobs(MemoryBlobs):
    """The objects, with places to die, and a bucket that refuses at times."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.machine = machine
        self.away_until: datetime | None = None

    def put(self, key: str, body: bytes) -> None:
        self.machine.touch("before blob")
        if self.machine.stack and self.away_until is not None and self.machine.now() < self.away_until:
            self.machine.fault("objects: away")
            raise Transient("The bucket is away; it is tried again later.")
        if self.machine.stack and self.machine.hit(self.machine.weather.throttle):
            self.machine.fault("objects: throttled")
            raise Transient("AWS throttles the bucket; it is tried again later.")
        super().put(key, body)
        self.machine.touch("after blob")


class SimSecrets(MemorySecrets):
    """The secrets, from a service that throttles."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.machine = machine

    def read(self, tenant: str, system: str, *, fresh: bool = False) -> Secret | None:
        self.machine.touch("read secret")
        if self.machine.stack and self.machine.hit(self.machine.weather.throttle):
            self.machine.fault("secrets: throttled")
            raise Transient("AWS throttles the secrets; it is tried again later.")
        return super().read(tenant, system, fresh=fresh)
