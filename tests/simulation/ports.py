"""The embedded ports with a place to die before and after each call, and another worker in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.store import SqliteStore
from ml_connector.ports import Item
from tests.simulation.machine import Machine


class SimStore:
    """The store. Reads may be died at too: what was written before stands."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.base = machine, SqliteStore(":memory:", machine)

    def get(self, pk: str, sk: str) -> Item | None:
        self.machine.touch("get")
        return self.base.get(pk, sk)

    def get_many(self, pk: str, sks: Sequence[str], *, consistent: bool = False) -> dict[str, Item]:
        self.machine.touch("get_many")
        return self.base.get_many(pk, sks, consistent=consistent)

    def put(self, item: Item) -> Item:
        self.machine.touch(f"before put {item.sk}")
        stored = self.base.put(item)
        self.machine.touch(f"after put {item.sk}")
        return stored

    def put_many(self, items: Sequence[Item]) -> list[bool]:
        """Write in parts, as DynamoDB does: a crash leaves some written."""
        taken: list[bool] = []
        for start in range(0, len(items), 3):
            self.machine.touch("before put_many")
            taken += self.base.put_many(items[start : start + 3])
            self.machine.touch("after put_many")
        return taken

    def delete(self, pk: str, sk: str) -> None:
        self.machine.touch(f"before delete {sk}")
        self.base.delete(pk, sk)
        self.machine.touch(f"after delete {sk}")

    def query(self, pk: str, prefix: str = "", **more: Any) -> Iterator[Item]:
        self.machine.touch("query")
        return iter(list(self.base.query(pk, prefix, **more)))

    def due(self, due_pk: str, until: str, limit: int = 200) -> list[Item]:
        return self.base.due(due_pk, until, limit)

    # ── for the scheduler and the checker, past the product ─────────────────────────────────────────────────

    def earliest(self, prefix: str) -> str | None:
        """Tell when the first row of a part of the due index falls due."""
        sql = "SELECT min(due_at) FROM rows WHERE due_pk >= ? AND due_pk < ? AND due_at IS NOT NULL"
        found = self.base._connection.execute(sql, (prefix, prefix + "~")).fetchone()
        return found[0] if found else None

    def dump(self) -> Iterator[tuple[str, str, str, bytes | None]]:
        """Give every row as it rests."""
        yield from self.base._connection.execute("SELECT pk, sk, data, blob FROM rows")


class SimBlobs(MemoryBlobs):
    """The objects, with places to die."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.machine = machine

    def put(self, key: str, body: bytes) -> None:
        self.machine.touch("before blob")
        super().put(key, body)
        self.machine.touch("after blob")
