"""Carries what is known under an earlier endpoint over to the present one: the same company under another address.

Each row is written under the new key before it is deleted under the old one, so that a command that is stopped in the
middle may be run again. What binds documents comes first (links and reservations, then record rows), the cursors last.
Sessions stay behind: they belong to a server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ml_connector.engine import endpoints
from ml_connector.engine.ledger.ledger import KEEP_DONE, Ledger
from ml_connector.engine.ledger.rows import Chunk, Cursor, Row, dump, load
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write.case import FRESH
from ml_connector.engine.write.deferred_audit import MARK
from ml_connector.errors import Conflict, ConnectorError, Transient
from ml_connector.ports import Item

TRIES = 8
Merge = Callable[[Item, Item | None], Item | None]
"""Makes the row to be written of the old one and the one that stands there (None: leave it)."""


class Busy(ConnectorError):
    """Work is under way, so that nothing is carried over now."""


@dataclass
class Moved:
    """What was carried over. `twice`: documents that were posted under both endpoints as different ones.

    `documents` are those that were delivered, `unfinished` those under way; `batches` are master data under way.
    """

    documents: int = 0
    records: int = 0
    unfinished: int = 0
    batches: int = 0
    twice: list[str] = field(default_factory=list)


def refuse_busy(pair: TenantIntegration, scope: str) -> None:
    """Raise `Busy` where a chunk is in a worker's hands, or one is under way under both endpoints."""
    for flow in pair.integration.flows:
        old, new = endpoints.ledger_of(pair, scope, flow.name), pair.ledger(flow.name)
        there = {chunk.id: chunk for chunk in new.unfinished()}
        for chunk in (*old.unfinished(), *there.values()):
            if chunk.state == "sending" and (chunk.due_at or "") > new.now() and not pair.runtime.is_dead(chunk.owner):
                raise Busy(
                    f"{_named(chunk)} is being worked on until {(chunk.due_at or '')[:19]}Z at the latest. Stop "
                    "`ml-connector local serve`, or set 'paused' in the tenant's settings, and try again then."
                )
        for chunk in old.unfinished():
            other = there.get(chunk.id)
            if other is not None and chunk.state != "done" and _both_bind(chunk, other):
                raise Busy(
                    f"{_named(chunk)} is under way under both endpoints. Let it be completed under the present one "
                    "first (`ml-connector local run`, or the next scheduled run), and try again."
                )


def _named(chunk: Chunk) -> str:
    money = f" ({chunk.amount} {chunk.currency or ''})".replace(" )", ")") if chunk.amount else ""
    return f"{chunk.flow} {chunk.number or chunk.key or f'chunk {chunk.id}'}{money}"


def _both_bind(one: Chunk, other: Chunk) -> bool:
    """Tell whether neither of two chunks of one name can give way: each holds records, or was sent."""
    return one.key is None or not (is_fresh(one) or is_fresh(other))


def is_fresh(chunk: Chunk) -> bool:
    """Tell whether nothing of a document's chunk can be at its target, and nobody has decided over it."""
    return chunk.key is not None and chunk.step in FRESH and not chunk.sents and chunk.decision is None


def move(pair: TenantIntegration, scope: str, by: str) -> Moved:
    """Carry everything over. Raises `Busy` before anything was changed."""
    endpoints.note(pair)
    refuse_busy(pair, scope)
    _begin(pair, scope)
    moved = Moved()
    _links(pair, scope, moved)
    for flow in pair.integration.flows:
        mover = _Flow(endpoints.ledger_of(pair, scope, flow.name), pair.ledger(flow.name), moved)
        mover.records(document=flow.manner == "document")
    for flow in pair.integration.flows:
        _Flow(endpoints.ledger_of(pair, scope, flow.name), pair.ledger(flow.name), moved).work()
    for flow in pair.integration.flows:
        if flow.belongs_to is not None:  # what was listed here before the links came was nobody's
            pair.ledger(flow.name).look_back()
    _end(pair, scope, by, moved)
    return moved


def _begin(pair: TenantIntegration, scope: str) -> None:
    endpoint, item = endpoints.known(pair)[scope]
    if not endpoint.moving:
        endpoint.moving = True
        pair.runtime.store.put(replace(item, data=dump(endpoint)))


def _end(pair: TenantIntegration, scope: str, by: str, moved: Moved) -> None:
    """Write down who did it, then forget the earlier endpoint."""
    found = endpoints.known(pair)
    earlier, present = found[scope][0], found[pair.scope]
    said = {
        "at": pair.ledger("").now(),
        "by": by,
        "from": earlier.systems,
        "documents": moved.documents,
        "records": moved.records,
    }
    present[0].moves = [*earlier.moves, *present[0].moves, said]
    pair.runtime.store.put(replace(present[1], data=dump(present[0])))
    pair.runtime.store.delete(endpoints.partition(pair), scope)


def _links(pair: TenantIntegration, scope: str, moved: Moved) -> None:
    """Carry over which of our documents stands behind which of the target; the earlier binding stands."""
    old, new = endpoints.ledger_of(pair, scope, "").links_pk, pair.ledger("").links_pk
    for item in list(pair.runtime.store.query(old)):

        def earlier(was: Item, now: Item | None) -> Item | None:
            if now is not None and now.data.get("key") != was.data.get("key") and "~" not in was.sk.split("#")[0]:
                moved.twice.append(f"{was.sk.replace('#', ' ')}: {was.data.get('key')} and {now.data.get('key')}")
            return was

        _carry(pair.ledger(""), item, new, earlier)


class _Flow:
    """One flow's rows, from the old ledger to the new one."""

    def __init__(self, old: Ledger, new: Ledger, moved: Moved) -> None:
        self._old, self._new, self._moved = old, new, moved

    def records(self, *, document: bool) -> None:
        """Carry over record rows, other codes' rows, and finished chunks."""
        for item in self._rows("r#"):
            self._carry(item, self._row)
            self._moved.documents += document and item.data.get("outcome") == "delivered"
            self._moved.records += not document
        for prefix in ("a#", "w#"):
            for item in self._rows(prefix):
                self._carry(item, lambda was, now: was if now is None else None)
        for item in self._rows("d#"):
            self._carry(item, lambda was, now: was if now is None else None)

    def work(self) -> None:
        """Carry over what is not finished, then the cursor; what is left is of no use to anybody."""
        for item in self._rows("c#"):
            self._chunk(load(Chunk, item.data), item)
        for prefix in (f"b#{MARK}", "p#"):  # attempts that wait for the bucket, their bodies first
            for item in self._rows(prefix):
                self._carry(item, _as_it_is)
        for name, merge in (("latest", _latest), ("cursor", self._cursor)):
            if (one := self._old.store.get(self._old.pk, name)) is not None:
                self._carry(one, merge)
        for item in self._rows(""):
            self._old.store.delete(item.pk, item.sk)

    def _rows(self, prefix: str) -> Iterator[Item]:
        return self._old.store.query(self._old.pk, prefix)

    def _carry(self, item: Item, merge: Merge) -> None:
        _carry(self._new, item, self._new.pk, merge)

    def _row(self, was: Item, now: Item | None) -> Item | None:
        """Keep what is known of a record: delivered counts more than anything else, and the later more."""
        if now is None:
            return was
        earlier, later = load(Row, was.data), load(Row, now.data)
        both = earlier.outcome == later.outcome == "delivered"
        if both and earlier.target and later.target and earlier.target != later.target:
            self._moved.twice.append(
                f"{self._new.flow} {earlier.number or was.sk[2:]}: posted as {earlier.code} under the earlier endpoint "
                f"and as {later.code} under the present one"
            )
        kept = earlier if earlier.outcome == "delivered" and later.outcome != "delivered" else later
        kept.seq = max(earlier.seq, later.seq)
        return replace(was, data=dump(kept))

    def _chunk(self, chunk: Chunk, item: Item) -> None:
        """Carry over unfinished work; of two tries at one document, the one that may have been sent goes on.

        Which one that is, is decided on the row that is written over: a worker may take it up meanwhile.
        """
        for _ in range(TRIES):
            with suppress(Conflict):
                self._one_of_two(chunk, item, self._new.chunk(chunk.id))
                return
        raise Transient(f"{_named(chunk)} is being worked on at this moment; run the command again in a minute.")

    def _one_of_two(self, chunk: Chunk, item: Item, there: tuple[Chunk, Item] | None) -> None:
        other = there[0] if there is not None else None
        if other is not None and dump(other) == dump(chunk):
            self._drop(chunk)  # carried over before the command was stopped
            return
        if other is not None and is_fresh(chunk):
            self._superseded(chunk)
            self._drop(chunk)
            return
        if other is not None and (not is_fresh(other) or other.state == "sending"):
            raise Busy(
                f"{_named(chunk)} has been taken up under the present endpoint meanwhile. Let it be completed there "
                "first (`ml-connector local run`, or the next scheduled run), and try again."
            )
        for body in self._rows(f"b#{chunk.id}#"):
            self._carry(body, _as_it_is)
        self._new.store.put(replace(self._placed(item), pk=self._new.pk, rev=there[1].rev if there is not None else 0))
        if other is not None:
            self._superseded(other)
        self._drop(chunk)
        self._moved.unfinished += chunk.key is not None
        self._moved.batches += chunk.key is None

    def _placed(self, item: Item) -> Item:
        return self._new.place(load(Chunk, item.data), item)

    def _superseded(self, chunk: Chunk) -> None:
        """Keep a chunk that gives way among the finished ones, so that its attempts are found."""
        chunk.state, chunk.outcome, chunk.unchanged, chunk.waiting_for = "done", "unchanged", chunk.count, None
        chunk.reason = "Superseded: the same document is continued after the move to another endpoint."
        chunk.done_at = chunk.done_at or self._new.now()
        ttl = int((self._new.clock.now() + KEEP_DONE).timestamp())
        with suppress(Conflict):
            self._new.store.put(
                Item(self._new.pk, f"d#{chunk.done_at}#{chunk.id}", {**dump(chunk), "due_at": None}, ttl=ttl)
            )

    def _drop(self, chunk: Chunk) -> None:
        for body in list(self._rows(f"b#{chunk.id}#")):
            self._old.store.delete(body.pk, body.sk)
        self._old.store.delete(self._old.pk, f"c#{chunk.id}")

    def _cursor(self, was: Item, now: Item | None) -> Item | None:
        """Read on from the earlier of both watermarks, and compare everything once; nothing is numbered twice."""
        earlier, later = load(Cursor, was.data), load(Cursor, now.data if now else {})
        kept = later if now is not None else earlier
        if earlier.watermark and later.watermark:
            kept.watermark = min(earlier.watermark, later.watermark)
        else:
            kept.watermark = None if later.passes else earlier.watermark
        kept.seq, kept.passes = max(earlier.seq, later.seq), max(earlier.passes, later.passes)
        kept.generation = max(earlier.generation, later.generation) + 1
        kept.full_at = kept.now = None
        return replace(was, data=dump(kept))


def _as_it_is(was: Item, _: Item | None) -> Item:
    return was


def _latest(was: Item, now: Item | None) -> Item | None:
    data: dict[str, Any] = dict(was.data)
    for name, value in (now.data if now else {}).items():
        data[name] = max(value, data.get(name, value))
    return replace(was, data=data)


def _carry(new: Ledger, item: Item, pk: str, merge: Merge) -> None:
    """Write a row under its new key, then delete the old one. Raises `Transient` where it changes again and again."""
    for _ in range(TRIES):
        there = new.store.get(pk, item.sk)
        made = merge(item, there)
        try:
            if made is not None:
                new.store.put(replace(made, pk=pk, rev=there.rev if there else 0))
        except Conflict:
            continue
        new.store.delete(item.pk, item.sk)
        return
    raise Transient(f"Entry {item.sk} is being changed at this moment; run the command again in a minute.")
