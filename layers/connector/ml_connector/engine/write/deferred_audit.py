"""Attempts that the bucket did not take: kept in the table, whole, until a later wake-up message brings them there.

Such a row is `p#…`, its body `b#…` like a chunk's. It is queued like a chunk and is none: no list of work, no balance
and no wait for a record sees it, so that a bucket which is away for days stops nothing, and loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.ledger import Ledger, shard
from ml_connector.engine.ledger.rows import PARKED, Chunk, dump, iso, load
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.write.retry import backoff
from ml_connector.errors import Conflict, ConnectorError, Transient
from ml_connector.ports import Blobs, Item

log = logging.getLogger("ml_connector")
MARK = "audit~"
PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try at the bucket."""
LONGEST = timedelta(seconds=10)
"""After this no further try begins: a writer's attempt has a time of its own, and its lease an end."""
TRIES = 3
SOON, SELDOM = 60.0, 3600.0


def store(runtime: Runtime, ledger: Ledger, chunk: Chunk, record: audit.AuditRecord) -> bool:
    """Write an attempt to the bucket, or to the table where the bucket does not take it; tells whether it did.

    Where the flow has such attempts already, nobody pauses for one more. Raises what the bucket raised where neither
    took it, and `ValueError` for a name that no bucket takes.
    """
    began, trouble = runtime.clock.now(), _put(runtime, record)
    pauses = PAUSES if trouble is not None and not _others_wait(ledger) else ()
    for pause in pauses:
        if trouble is None or runtime.clock.now() - began >= LONGEST:
            break
        runtime.clock.sleep(pause)
        trouble = _put(runtime, record)
    if trouble is None:
        return True
    if not park(ledger, chunk, record):
        raise trouble
    log.warning("an attempt waits for the audit trail's bucket", extra=_named(chunk) | {"reason": str(trouble)})
    return False


def _others_wait(ledger: Ledger) -> bool:
    """Tell whether attempts wait for the bucket; a table that does not answer keeps this one from nothing."""
    try:
        return _first(ledger) is not None
    except Transient:
        return False


def _put(runtime: Runtime, record: audit.AuditRecord) -> Exception | None:
    try:
        runtime.blobs.put(record.key, record.packed)
    except ValueError:
        raise
    except Exception as error:  # noqa: BLE001 - a bucket that is away, a full disk: whatever it is, it may pass
        return error
    return None


def park(ledger: Ledger, chunk: Chunk, record: audit.AuditRecord) -> bool:
    """Keep an attempt in the table; tells whether the table took it."""
    name = f"{MARK}{record.chain[:12]}~{chunk.id}"
    row = Chunk(
        id=name,
        op=PARKED,
        refers=record.key,
        key=chunk.key,
        tenant=chunk.tenant,
        integration=chunk.integration,
        flow=chunk.flow,
        lane=chunk.lane,
        run=chunk.run,
        created=chunk.created,
        seq=chunk.seq,
        count=0,
        state="waiting",
        due_at=iso(ledger.clock.now() + timedelta(seconds=SOON)),
    )
    for _ in range(TRIES):
        with suppress(Conflict, Transient):
            ledger.keep(name, record.packed)
            if ledger.store.get(ledger.pk, f"p#{name}") is None:
                ledger.store.put(_placed(row, Item(ledger.pk, f"p#{name}")))
            return True
    return False


def is_parked(ledger: Ledger, chunk_id: str) -> bool:
    """Tell whether a wake-up message names an attempt that waits for the bucket.

    The mark alone does not tell: a document's chunk bears the platform's own id, which may begin like this.
    """
    return chunk_id.startswith(MARK) and ledger.store.get(ledger.pk, f"p#{chunk_id}") is not None


def answer(runtime: Runtime, message: Mapping[str, Any]) -> bool:
    """Do what a wake-up message asks for where it names such an attempt; tells whether it did.

    No vendor is asked, and so no pair is needed: the attempts of a tenant that has ended, of a flow that is off, and
    of an endpoint that was left reach the bucket as all others do.
    """
    ledger = Ledger(
        runtime.store,
        runtime.clock,
        tenant=message["tenant"],
        integration=message["integration"],
        scope=message["scope"],
        flow=message["flow"],
    )
    found = is_parked(ledger, message["id"])
    if found:
        bring(runtime, ledger, message["id"])
    return found


def bring(runtime: Runtime, ledger: Ledger, name: str) -> bool:
    """Bring an attempt from the table to the bucket; where it does not take it, later and later, at last each hour.

    Of a flow's attempts the first alone asks, once it was refused: a bucket that is not reached takes half a minute to
    say so, and the lane has other work.
    """
    item = ledger.store.get(ledger.pk, f"p#{name}")
    if item is None:
        return False  # it is there already
    row, first = load(Chunk, item.data), _first(ledger)
    if first is not None and first.id != name and first.attempts:
        row.due_at = max(first.due_at or "", iso(ledger.clock.now() + timedelta(seconds=SOON)))
        with suppress(ConnectorError):
            ledger.store.put(_placed(row, item))
        return False
    try:
        if row.state != "done":
            packed = ledger.kept(name) or b""
            audit.opened(packed)  # raises where not all of it is there: `endpoint move` carries part after part
            runtime.blobs.put(str(row.refers), packed)
            row.state = "done"  # from here on the body may be deleted part after part
            item = ledger.store.put(_placed(row, item))
    except Exception as error:  # noqa: BLE001 - whatever it is: it stays in the table
        log.warning("an attempt still waits for the audit trail's bucket", extra=_named(row) | {"reason": str(error)})
        row.state, row.attempts = "waiting", row.attempts + 1
        row.due_at = iso(ledger.clock.now() + timedelta(seconds=backoff(row.attempts, SOON, SELDOM)))
        with suppress(ConnectorError):
            ledger.store.put(_placed(row, item))
        return False
    ledger.drop(name)
    ledger.store.delete(ledger.pk, f"p#{name}")  # last: whoever dies before does the rest once more
    return True


def _placed(row: Chunk, item: Item) -> Item:
    return replace(item, data=dump(row), due_pk=shard(row.id), due_at=row.due_at)


def _named(chunk: Chunk) -> dict[str, str]:
    return {"tenant": chunk.tenant, "chunk": chunk.id}


def waiting(ledger: Ledger, limit: int | None = None) -> Iterator[Chunk]:
    """List the attempts of a flow that wait for the bucket, at most `limit` of them."""
    for item in ledger.store.query(ledger.pk, "p#", limit=limit):
        yield load(Chunk, item.data)


def _first(ledger: Ledger) -> Chunk | None:
    """Give one of them alone: a look at all would read a megabyte each time."""
    return next(waiting(ledger, 1), None)


class Whole:
    """The bucket's objects and those that wait for it, as one: for whoever reads or verifies the trail."""

    def __init__(self, blobs: Blobs, ledger: Ledger) -> None:
        """`ledger` is the flow's whose attempts are looked at."""
        self._blobs, self._ledger = blobs, ledger
        self._parked = {str(row.refers): row.id for row in waiting(ledger)}

    def put(self, key: str, body: bytes) -> None:
        """Write to the bucket."""
        self._blobs.put(key, body)

    def get(self, key: str) -> bytes | None:
        """Read an object, wherever it is."""
        found = self._blobs.get(key)
        return found if found is not None or key not in self._parked else self._ledger.kept(self._parked[key])

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys of both under a prefix, in order."""
        parked = {key for key in self._parked if key.startswith(prefix)}
        yield from sorted(parked.union(self._blobs.keys(prefix)), key=lambda key: key.encode(errors="surrogatepass"))
