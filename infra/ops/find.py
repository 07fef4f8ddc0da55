"""Finds a record by what a person has at hand: the source's key, or an invoice, order or voucher number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ml_connector.engine.ledger.rows import Chunk, Row, load, readable
from ml_connector.engine.poll.run import LONGEST_KEY
from ml_connector.engine.replay import keys_of
from ml_connector.errors import Misconfigured
from ml_connector.folding import same

from .workspace import NotThere, Stream


def record_key(stream: Stream, text: str) -> str:
    """Find the key of a record. Raises `NotThere` for none, `Misconfigured` where several have the number, with how
    each of them stands.
    """
    ledger = stream.ledger
    if _may_be_key(text) and ledger.rows([text], consistent=True):
        return text
    found = dict(_numbered(stream, text))
    if text in found:
        return text
    keys = [key for key, exact in found.items() if exact] or list(found)
    if len(keys) > 1:
        raise Misconfigured(_several(stream, text, keys))
    for key in keys:
        return key
    raise NotThere(
        f"Nothing is known of {readable(text)} in {stream}. KEY is the record's key in its source system, or "
        "the number of the document in either system; `ml-connector documents` and `held` list them."
    )


def _may_be_key(text: str) -> bool:
    """Tell whether a row may have this name: what a terminal passes on may be no text, or far too long."""
    with suppress(UnicodeEncodeError):
        return 0 < len(text.encode()) <= LONGEST_KEY
    return False


def _several(stream: Stream, number: str, keys: list[str]) -> str:
    """Say how each record that has a number stands, so that a person can tell which is meant."""
    rows, chunks = stream.ledger.rows(keys), _latest(stream, set(keys))
    each = [f"  {key}  {_stands(rows[key][0] if key in rows else None, chunks.get(key))}" for key in keys]
    return "\n".join(
        [
            f"{len(keys)} records of {stream} have the number {number}:",
            *each,
            "Write the key of the one that you mean in place of the number; "
            f"`ml-connector audit {stream.pair.tenant} {stream.flow.name} KEY` shows all that is known of one.",
        ]
    )


def named(stream: Stream, key: str, chunk: Chunk | None = None) -> str:
    """Name a record as people do: invoice RE-1001 (119.00 EUR, supplier V10235) of acme; without `chunk` by its row."""
    kind = stream.flow.name.removesuffix("s").replace("_", " ")
    row = stream.ledger.rows([key]).get(key)
    number = (chunk.number if chunk is not None else None) or (row[0].number if row is not None else None) or key
    if chunk is None or stream.flow.manner == "master":
        return f"{kind} {number} of {stream.pair.tenant}"
    money = f"{chunk.amount} {chunk.currency or ''}".rstrip() if chunk.amount and stream.flow.money else ""
    partner = next((sent.partner for sent in reversed(chunk.sents) if sent.partner), "")
    more = ", ".join(part for part in (money, f"supplier {partner}" if partner else "") if part)
    return f"{kind} {number}{f' ({more})' if more else ''} of {stream.pair.tenant}"


def _latest(stream: Stream, keys: set[str]) -> dict[str, Chunk]:
    """Find the latest chunk of each document."""
    found = {chunk.key: chunk for chunk in finished(stream) if chunk.key in keys}
    found.update({chunk.key: chunk for chunk in stream.ledger.unfinished() if chunk.key in keys})
    return {key: chunk for key, chunk in found.items() if key is not None}


def _stands(row: Row | None, chunk: Chunk | None) -> str:
    """Say state, amount and the target's number, in words."""
    if chunk is not None and not chunk.settled:
        waits = (chunk.waiting_for or "").removesuffix(f":{chunk.key}")
        state = f"held for {waits}" if waits else "failed" if chunk.state == "failed" else "queued"
    else:
        state = (row and row.outcome) or (chunk and chunk.outcome) or "not completed yet"
    money = f", {chunk.amount} {chunk.currency or ''}".rstrip() if chunk is not None and chunk.amount else ""
    code = (row and row.code) or (chunk and chunk.code)
    return f"{state}{money}" + (f", posted as {code}" if code else "")


def _numbered(stream: Stream, text: str) -> Iterator[tuple[str, bool]]:
    """Give the keys of whatever carries the key or number, in any letters; and whether it is spelled exactly so.

    An exact one comes after those that are not.
    """
    every = [(key, names) for key, names in _named(stream) if any(same(text, name) for name in names if name)]
    yield from sorted(((key, text in names) for key, names in every), key=lambda one: one[1])


def _named(stream: Stream) -> Iterator[tuple[str, tuple[str | None, ...]]]:
    ledger = stream.ledger
    for key, row in ledger.all_rows():
        yield key, (key, row.number, row.code, row.target)
    for chunk in ledger.unfinished():
        numbers = (chunk.number, chunk.code, chunk.target) if chunk.key is not None else ()
        for key in keys_of(ledger, chunk):
            yield key, (key, *numbers)
    for chunk in finished(stream):
        if chunk.key is not None:
            yield chunk.key, (chunk.key, chunk.number, chunk.code, chunk.target)


def finished(stream: Stream) -> Iterator[Chunk]:
    """Read the finished chunks, the oldest first."""
    for item in stream.ledger.store.query(stream.ledger.pk, "d#"):
        yield load(Chunk, item.data)


def chunks_of(stream: Stream, key: str) -> list[Chunk]:
    """Find every chunk that the record was in, as far as is known, the oldest first.

    Of finished bulk chunks only the latest that settled the record, those it was moved out of, and those that
    rejected it are known.
    """
    ledger = stream.ledger
    row = ledger.rows([key], consistent=True).get(key)
    known = _ancestors(row[0].chunk) if row else set[str]()
    open_ones = [c for c in ledger.unfinished() if key in keys_of(ledger, c)]
    for chunk in open_ones:
        known |= _ancestors(chunk.id)
    done = [c for c in finished(stream) if c.key == key or (c.key is None and (c.id in known or key in c.results))]
    return [*done, *open_ones]


def _ancestors(chunk_id: str) -> set[str]:
    """Name a bulk chunk and those it was split off from: 7.0.1 comes from 7.0, and that from 7."""
    parts = chunk_id.split(".")
    return {".".join(parts[: n + 1]) for n in range(len(parts))}
