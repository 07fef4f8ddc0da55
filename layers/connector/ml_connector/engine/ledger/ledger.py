"""The ledger: what the engine remembers, in words of its own, over the store's plain rows.

Partitions: one for each flow of a tenant and scope (cursor, record rows, chunks and their bodies), one for links
between documents, one for mappings, one for each tenant. An unfinished chunk is `c#…`, a finished one `d#…`, an attempt
that waits for the bucket `p#…` (`write/deferred_audit.py`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ml_connector.engine.ledger.rows import Chunk, Cursor, Row, dump, iso, load
from ml_connector.errors import Conflict, LeaseLost, Transient
from ml_connector.ports import Clock, Item, Store

PART = 300_000
SHARDS = 8
GRACE = timedelta(seconds=60)
"""An open chunk whose ring was lost is found by the due index after this."""
EACH = timedelta(seconds=12)
"""What a wake-up that is out may take before the next one of its lane gets its turn."""
LONGEST_OUT = timedelta(minutes=45)
SENT = "sent"
"""Beside the fields of a chunk in its row: how many wake-ups were sent since somebody last worked on it."""
TRIES = 5
"""Looks at a row that changes again and again, before whoever wants to change it gives up."""
KEEP_DONE = timedelta(days=3653)
"""Ten years, as long as the audit objects that a finished chunk leads to."""
DUE, FAILED = "due", "failed"
"""Parts of the index: unfinished chunks by when they are due, and dead ones by when they died."""


def shard(chunk_id: str, part: str = DUE) -> str:
    """Spread a part of the index over a few partitions."""
    return f"{part}#{zlib.crc32(chunk_id.encode()) % SHARDS}"


def shards(part: str) -> list[str]:
    """Name the partitions of a part of the index."""
    return [f"{part}#{n}" for n in range(SHARDS)]


class Ledger:
    """The rows of one flow, for one tenant and scope."""

    def __init__(self, store: Store, clock: Clock, *, tenant: str, integration: str, scope: str, flow: str) -> None:
        """`scope` is the hash of both systems' identity."""
        self.store, self.clock = store, clock
        self.tenant, self.integration, self.scope, self.flow = tenant, integration, scope, flow
        self.pk = f"f#{tenant}#{integration}#{flow}#{scope}"
        self.links_pk = f"l#{tenant}#{integration}#{scope}"

    def sibling(self, flow: str) -> Ledger:
        """Give the ledger of another flow of the same integration."""
        return Ledger(
            self.store, self.clock, tenant=self.tenant, integration=self.integration, scope=self.scope, flow=flow
        )

    def now(self) -> str:
        """Tell the time as rows write it."""
        return iso(self.clock.now())

    # ── cursor ──────────────────────────────────────────────────────────────────────────────────────────────

    def cursor(self) -> tuple[Cursor, Item]:
        """Read the cursor and the row to write it back with."""
        item = self.store.get(self.pk, "cursor") or Item(self.pk, "cursor")
        return load(Cursor, item.data), item

    def save_cursor(self, cursor: Cursor, item: Item) -> Item:
        """Write the cursor; raises `LeaseLost` where another worker reads this flow as well."""
        try:
            return self.store.put(replace(item, data=dump(cursor)))
        except Conflict as error:
            raise LeaseLost(f"Another worker reads the flow {self.flow} of {self.tenant}.") from error

    # ── record rows ─────────────────────────────────────────────────────────────────────────────────────────

    def rows(self, keys: Sequence[str], *, consistent: bool = False) -> dict[str, tuple[Row, Item]]:
        """Read what is known of some records; absent ones are left out."""
        items = self.store.get_many(self.pk, [f"r#{k}" for k in keys], consistent=consistent)
        return {sk[2:]: (load(Row, item.data), item) for sk, item in items.items()}

    def settle(
        self,
        rows: dict[str, Row],
        known: dict[str, tuple[Row, Item]],
        remake: Callable[[str, Row], Row] = lambda _, row: row,
    ) -> None:
        """Write record rows, one conditional write each; a row with a higher `seq` stands.

        `known` may be a little old: where a row has changed meanwhile, it is read again, and `remake` makes what is
        written instead (from key and the row as it is).
        """
        left = {k: row for k, row in rows.items() if k not in known or known[k][0].seq <= row.seq}
        if not left:
            return
        for _ in range(8):
            items = [
                Item(self.pk, f"r#{k}", dump(row), known[k][1].rev if k in known else 0) for k, row in left.items()
            ]
            taken = self.store.put_many(items)
            left = {k: row for (k, row), ok in zip(left.items(), taken, strict=True) if not ok}
            if not left:
                return
            known = self.rows(list(left), consistent=True)
            left = {k: row for k, row in left.items() if k not in known or known[k][0].seq <= row.seq}
            left = {k: remake(k, known[k][0]) if k in known else row for k, row in left.items()}
            if not left:
                return
        raise LeaseLost("Records changed again and again while they were written; they are tried later.")

    def begin(self, seq: int) -> bool:
        """Note that work on a chunk begins; tells whether work on a later one may have begun before.

        Only then can a row be newer than the chunk, and only then the chunk's rows need to be read before it is sent:
        in a large load two small calls for each chunk are a tenth of that.
        """
        item = self.store.get(self.pk, "latest") or Item(self.pk, "latest")
        latest = item.data.get("seq")
        if latest is not None and latest >= seq:
            return True  # a later one has begun, or it is tried again and others were in between
        before = latest is None or self._doubted(item) or self._under_way(latest)
        if latest is None and next(iter(self.store.query(self.pk, "r#", limit=1)), None) is not None:
            seq = max(seq, self.cursor()[0].seq)  # rows of a release that kept no such note
        try:
            self.store.put(replace(item, data={**item.data, "seq": seq}))
        except Conflict:
            return True  # another worker begins just now
        return before

    def _doubted(self, item: Item) -> bool:
        return str(item.data.get("doubt", "")) > self.now()

    def _under_way(self, seq: int) -> bool:
        """Tell whether a chunk, or a part of it, is in a worker's hands, living or dead."""
        return any(item.data.get("state") == "sending" for item in self.store.query(self.pk, f"c#{seq:010d}"))

    def mark_uncertain(self, until: str) -> None:
        """Note that a request of this flow may still take effect until a time: see `write/uncertain.py`."""
        for _ in range(5):
            item = self.store.get(self.pk, "latest") or Item(self.pk, "latest")
            if str(item.data.get("doubt", "")) >= until:
                return
            with suppress(Conflict):
                self.store.put(replace(item, data={**item.data, "doubt": until}))
                return
        raise LeaseLost("The flow changed again and again; it is tried later.")

    def invalidate(self, keys: Iterable[str]) -> None:
        """Forget what the target has of some records: see `Row.taint`. The next pass compares everything."""
        for key in keys:
            for _ in range(8):
                found = self.rows([key], consistent=True).get(key)
                row, item = found or (Row(), Item(self.pk, f"r#{key}"))
                row.taint, row.delivered_fp = self.now(), None
                with suppress(Conflict):
                    self.store.put(replace(item, data=dump(row)))
                    break
            else:
                raise Transient(f"Record {key} changed again and again; its state is not known.")
        self.compare_everything()

    def compare_everything(self) -> None:
        """Let the next pass be a full one from the start; a poll under way gives up and begins again."""
        for _ in range(5):
            cursor, item = self.cursor()
            cursor.full_at, cursor.now = None, None
            cursor.generation += 1
            with suppress(LeaseLost):
                self.save_cursor(cursor, item)
                return
        raise Transient(f"The flow {self.flow} is being read at this moment; try again in a minute.")

    def look_back(self) -> None:
        """Let the next pass read everything: what it listed before may concern what became ours only now."""
        item = self.store.get(self.pk, "whole") or Item(self.pk, "whole")
        with suppress(Conflict):  # somebody else asks for the same at this moment
            self.store.put(replace(item, data={"at": self.now()}))

    def looks_back(self, since: str) -> bool:
        """Tell whether `look_back` was called after a pass that read everything had begun."""
        item = self.store.get(self.pk, "whole")
        return item is not None and str(item.data["at"]) >= since

    def all_rows(self) -> Iterator[tuple[str, Row]]:
        """Read every record row of the flow in key order."""
        for item in self.store.query(self.pk, "r#"):
            yield item.sk[2:], load(Row, item.data)

    def alias(self, code: str) -> str | None:
        """Find the key of the record whose outward code is `code`, where the two differ."""
        item = self.store.get(self.pk, f"a#{code}")
        return item.data["key"] if item else None

    def set_alias(self, code: str, key: str) -> None:
        """Remember the key behind an outward code; the latest delivery wins."""
        item = self.store.get(self.pk, f"a#{code}") or Item(self.pk, f"a#{code}")
        if item.data.get("key") != key:
            self.store.put(replace(item, data={"key": key}))

    # ── links ───────────────────────────────────────────────────────────────────────────────────────────────

    def links(self, targets: Sequence[str]) -> dict[str, str]:
        """Tell which of our documents stand behind ids of the target: target id -> source key."""
        items = self.store.get_many(self.links_pk, [f"{self.flow}#{t}" for t in targets], consistent=True)
        return {sk.split("#", 1)[1]: str(item.data["key"]) for sk, item in items.items()}

    def link(self, target: str, key: str) -> str:
        """Bind a target's document to ours; returns the key that holds it, ours or an earlier one."""
        try:
            self.store.put(Item(self.links_pk, f"{self.flow}#{target}", {"key": key}))
        except Conflict:
            return self.links([target]).get(target, key)
        return key

    def relink(self, target: str, key: str) -> None:
        """Bind a target's document to ours whoever held it: a person says so."""
        name = f"{self.flow}#{target}"
        item = self.store.get(self.links_pk, name) or Item(self.links_pk, name)
        self.store.put(replace(item, data={"key": key}))

    def reserve(self, name: str, key: str) -> str:
        """Take a name (a partner and its number) for a document before it is posted; gives the key that has it.

        A holder that is neither on its way nor delivered has let go of it.
        """
        item = self.store.get(self.links_pk, f"{self.flow}~{name}") or Item(self.links_pk, f"{self.flow}~{name}")
        holder = str(item.data.get("key", key))
        if holder != key and self.keeps(holder):
            return holder
        try:  # also where it is ours: whoever just found that we had let go of it must see that we have not
            self.store.put(replace(item, data={"key": key}))
        except Conflict:
            return self.reserve(name, key)  # another document was first
        return key

    def rename(self, name: str, key: str) -> None:
        """Give a reserved name to a document whoever holds it: its holder was cancelled, or a person says so."""
        item = self.store.get(self.links_pk, f"{self.flow}~{name}") or Item(self.links_pk, f"{self.flow}~{name}")
        self.store.put(replace(item, data={"key": key}))

    def keeps(self, key: str) -> bool:
        """Tell whether a document keeps what it reserved."""
        row = self.rows([key], consistent=True).get(key)
        return self.chunk(key) is not None or (row is not None and row[0].outcome == "delivered")

    # ── chunks ──────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, chunk: Chunk, body: Any = None, *, turn: int | None = None) -> bool:
        """Write a chunk and its body; False where this very chunk is already there.

        `turn`: a wake-up follows, and so many of its lane are out before it. See `out_until`.
        """
        if body is not None:
            self._write_body(chunk.id, body)
        chunk.due_at = chunk.due_at or iso(self.clock.now() + GRACE)
        item = self.place(chunk, Item(self.pk, f"c#{chunk.id}"))
        if turn is not None:
            item = out_until(item, self.clock.now(), turn)
        try:
            self.store.put(item)
        except Conflict:
            return False
        return True

    def chunk(self, chunk_id: str) -> tuple[Chunk, Item] | None:
        """Read an unfinished chunk."""
        item = self.store.get(self.pk, f"c#{chunk_id}")
        return (load(Chunk, item.data), item) if item else None

    def save(self, chunk: Chunk, item: Item) -> Item:
        """Write a chunk back; raises `LeaseLost` where another worker has it."""
        try:
            return self.store.put(self.place(chunk, item))
        except Conflict as error:
            raise LeaseLost(f"The chunk {chunk.id} was taken over by another worker.") from error

    def change(self, chunk_id: str, fits: Callable[[Chunk], bool]) -> Chunk | None:
        """Change an unfinished chunk from outside of an attempt, such as one that was listed; gives it as written.

        `fits` sees the very row that is written, changes it, and tells whether it may be: a chunk that was listed may
        be in a worker's hands by now, and must not be taken out of them. None where it is gone or does not fit.
        Raises `Transient` where the row changes again and again.
        """
        for _ in range(TRIES):
            found = self.chunk(chunk_id)
            if found is None:
                return None
            chunk, item = found
            with suppress(Conflict):
                if not fits(chunk):
                    return None
                self.store.put(self.place(chunk, item))
                return chunk
        raise Transient(f"The chunk {chunk_id} is being worked on at this moment; try again in a minute.")

    def finish(self, chunk: Chunk, item: Item) -> None:
        """Mark a chunk done and move it among the finished; may be repeated after a crash."""
        chunk.state, chunk.done_at = "done", chunk.done_at or self.now()
        chunk.due_at = iso(self.clock.now() + GRACE)
        item = self.save(chunk, item)
        self.archive(chunk)

    def archive(self, chunk: Chunk) -> None:
        """Move a done chunk and drop its body."""
        ttl = int((self.clock.now() + KEEP_DONE).timestamp())
        done = Item(self.pk, f"d#{chunk.done_at}#{chunk.id}", {**dump(chunk), "due_at": None}, ttl=ttl)
        with suppress(Conflict):  # an earlier try came this far
            self.store.put(done)
        self.drop(chunk.id)
        self.store.delete(self.pk, f"c#{chunk.id}")  # last: whoever dies before leaves a row that says that it is done

    def unfinished(self) -> Iterator[Chunk]:
        """Read every chunk that is not done, read consistently."""
        for item in self.store.query(self.pk, "c#"):
            yield load(Chunk, item.data)

    def finished(self, since: str = "") -> Iterator[Chunk]:
        """Read the chunks that were done since a time.

        A part that a dying worker left behind, and that was made and done once more, is given once, as it ended last.
        """
        parts: dict[str, Chunk] = {}
        for item in self.store.query(self.pk, "d#", after=f"d#{since}" if since else None):
            chunk = load(Chunk, item.data)
            if chunk.key is None and "." in chunk.id:
                parts[chunk.id] = chunk
            else:
                yield chunk
        yield from parts.values()

    def body(self, chunk_id: str) -> Any:
        """Read a chunk's body."""
        parts = [item.blob or b"" for item in self.store.query(self.pk, f"b#{chunk_id}#")]
        return msgspec.json.decode(zlib.decompress(b"".join(parts))) if parts else None

    def raw_body(self, chunk_id: str) -> bytes:
        """Read a chunk's body as JSON text."""
        parts = [item.blob or b"" for item in self.store.query(self.pk, f"b#{chunk_id}#")]
        return zlib.decompress(b"".join(parts)) if parts else b"{}"

    def kept(self, name: str) -> bytes | None:
        """Read what `keep` wrote; None where nothing is there."""
        return b"".join(item.blob or b"" for item in self.store.query(self.pk, f"b#{name}#")) or None

    def drop(self, name: str) -> None:
        """Delete a body."""
        for item in list(self.store.query(self.pk, f"b#{name}#")):
            self.store.delete(item.pk, item.sk)

    def _write_body(self, chunk_id: str, body: Any) -> None:
        self.keep(chunk_id, zlib.compress(body if isinstance(body, bytes) else msgspec.json.encode(body), 6))

    def keep(self, chunk_id: str, packed: bytes) -> None:
        """Write a body as it is, in parts that a row has room for."""
        for n in range(0, len(packed), PART):
            sk = f"b#{chunk_id}#{n // PART:04d}"
            item = self.store.get(self.pk, sk) or Item(self.pk, sk)
            self.store.put(replace(item, blob=packed[n : n + PART]))

    def place(self, chunk: Chunk, item: Item) -> Item:
        """Make the stored row of a chunk. It stands in the index of what is due or, dead, of what failed."""
        if chunk.state == "failed":
            return replace(
                item, data=dump(chunk), due_pk=shard(chunk.id, FAILED), due_at=chunk.died_at or chunk.created
            )
        due = chunk.due_at
        return replace(item, data=dump(chunk), due_pk=shard(chunk.id) if due else None, due_at=due)


def out_until(item: Item, now: datetime, turn: int) -> Item:
    """Mark a row whose wake-up is being sent: how many were sent since somebody worked on it, and until when it is out.

    The chunk's own `due_at` stays; only its place in the due index moves. Whoever works on the chunk writes its row
    without the mark. A wake-up has as much time as the `turn` before it may take, so that a slow lane is not filled
    with repeats; each repeat has twice the time.
    """
    sent = int(item.data.get(SENT, 0))
    until = now + min((GRACE + turn * EACH) * 2 ** min(sent, 10), LONGEST_OUT)
    return replace(item, data={**item.data, SENT: sent + 1}, due_at=iso(until))


def laid_aside(item: Item, until: datetime) -> Item:
    """Take a row out of the due index until a time; the chunk's own `due_at` stays."""
    return replace(item, due_at=iso(until))


def due_rows(store: Store, until: datetime, limit: int = 200) -> Iterable[Item]:
    """Read the rows that are due, over all tenants, oldest first within each part of the index."""
    for n in range(SHARDS):
        yield from store.due(f"due#{n}", iso(until), limit)
