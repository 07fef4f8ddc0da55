"""Upserts in doubt: a request that broke off may be carried out minutes later, over a newer one.

The same again is harmless, so bulk records are sent again at once. But a *changed* record waits until every earlier
request for it has surely taken effect or never will: `in_doubt_seconds` after the connection broke.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from ml_connector.engine.ledger.rows import Chunk, Row
from ml_connector.engine.write.attempt import Attempt
from ml_connector.errors import NotYet
from ml_connector.http_log import Exchange
from ml_connector.ports import Item

_NEVER_LEFT = ("ConnectError", "ConnectTimeout", "PoolTimeout")
MANY = 20
"""Bodies that are read to tell whom a doubt concerns."""
_REFUSED = 503
"""Says that nothing was done; 502 and 504 come from a proxy that does not know."""


def doubtful(exchanges: Iterable[Exchange]) -> bool:
    """Tell whether one of some requests may yet be carried out."""
    return any(
        e.method not in {"GET", "HEAD"}
        and (not e.error.startswith(_NEVER_LEFT) if e.status is None else e.status == 408 or e.status >= 500)
        and e.status != _REFUSED
        for e in exchanges
    )


def note(attempt: Attempt, exchanges: Iterable[Exchange]) -> None:
    """Write down on a bulk chunk and its flow that an attempt left a request in doubt."""
    if attempt.flow.manner == "master" and doubtful(exchanges):
        begin(attempt)


def invalidate(attempt: Attempt, exchanges: Iterable[Exchange]) -> None:
    """Let what this attempt has sent be sent again, after its chunk was lost: a newer version may be under it now."""
    if attempt.flow.manner == "master" and any(e.method not in {"GET", "HEAD"} for e in exchanges):
        attempt.ledger.invalidate(attempt.keys)


def begin(attempt: Attempt) -> None:
    """Count from now: what was sent may take effect until then."""
    attempt.chunk.doubt = attempt.later(attempt.pair.in_doubt_seconds.get(attempt.flow.target, 900))
    attempt.ledger.mark_uncertain(attempt.chunk.doubt)


def seconds_left(attempt: Attempt, keys: Iterable[str], known: Mapping[str, tuple[Row, Item]]) -> float:
    """Tell for how long an earlier request for one of the records may still take effect; 0 where none may."""
    wanted = set(keys)
    ends = [row.doubt for key, (row, _) in known.items() if key in wanted and row.doubt and row.seq < attempt.chunk.seq]
    begun = attempt.later(attempt.pair.in_doubt_seconds.get(attempt.flow.target, 900))
    others = [
        o
        for o in attempt.ledger.unfinished()
        if o.seq < attempt.chunk.seq and (o.state == "sending" or _lasts(o, attempt))
    ]
    many = len(others) > MANY  # then nobody looks who is concerned: waiting is cheaper
    ends += [begun if o.state == "sending" else str(o.doubt) for o in others if many or wanted & _keys(attempt, o)]
    until = max(ends, default="")
    return max(0.0, (attempt.moment(until) - attempt.now).total_seconds()) if until else 0.0


def sent_later(attempt: Attempt, keys: Collection[str]) -> set[str]:
    """Name the records that a later chunk has begun to send and not settled yet: what is older must not follow it.

    Raises `NotYet` where that would mean to read very many bodies.
    """
    later = [o for o in attempt.ledger.unfinished() if o.op == "send" and o.seq > attempt.chunk.seq and _begun(o)]
    if len(later) > MANY:
        raise NotYet("Many later versions are being sent; this one waits until they are completed.")
    found: set[str] = set()
    for other in later:
        found |= {k for k in _keys(attempt, other).intersection(keys) if other.results.get(k, ("",))[0] != "moved"}
    return found


def in_later(attempt: Attempt, keys: Collection[str]) -> set[str]:
    """Name the records of which a later chunk has a version, whether or not it has begun to send it."""
    later = [o for o in attempt.ledger.unfinished() if o.op == "send" and o.seq > attempt.chunk.seq]
    if len(later) > MANY:
        return set()  # the older one is looked for, and not sent: that costs a question, and no harm
    found: set[str] = set()
    for other in later:
        found |= {k for k in _keys(attempt, other).intersection(keys) if other.results.get(k, ("",))[0] != "moved"}
    return found


def awaits_verdict(attempt: Attempt, keys: Collection[str]) -> bool:
    """Tell whether an earlier chunk has sent one of the records and not heard yet what became of it."""
    earlier = [o for o in attempt.ledger.unfinished() if o.op == "send" and o.seq < attempt.chunk.seq and _begun(o)]
    return len(earlier) > MANY or any(not _keys(attempt, other).isdisjoint(keys) for other in earlier)


def _begun(chunk: Chunk) -> bool:
    return chunk.state != "failed" and (chunk.state in {"sending", "posted"} or bool(chunk.tokens) or chunk.stage > 0)


def _lasts(chunk: Chunk, attempt: Attempt) -> bool:
    return chunk.doubt is not None and chunk.doubt > attempt.ledger.now()


def _keys(attempt: Attempt, chunk: Chunk) -> set[str]:
    body = msgspec.json.decode(attempt.ledger.raw_body(chunk.id), type=dict[str, msgspec.Raw])
    records = msgspec.json.decode(body.get("records", b"[]"), type=list[dict[str, object]])
    return {str(r["key"]) for r in records} | set(msgspec.json.decode(body.get("retired", b"[]"), type=list[str]))
