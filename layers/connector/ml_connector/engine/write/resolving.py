"""What a person decided of a held document, carried out: it is that one of the target, or it is another one.

Nothing of ours is ever passed over: while something that we sent stands, a decision to post is not followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from ml_connector.engine.endpoints import ledger_of, note
from ml_connector.engine.ledger.rows import Chunk, Row
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write import duplicates
from ml_connector.engine.write.identity import differences, foreign
from ml_connector.engine.write.matching import Matcher
from ml_connector.engine.write.responder import Responder
from ml_connector.errors import Rejected
from ml_connector.flow import Flow, Found, Prepared

OFFERED = frozenset({"offered", "acknowledged", "transferred"})


def match(matcher: Matcher, responder: Responder) -> Found:
    """Take a document of the target for this one, by a person's word; raises `Held` where there is none such."""
    case = matcher.case
    chunk, ledger = case.chunk, case.attempt.ledger
    document, decision = case.fetch(), chunk.decision
    assert decision is not None
    if document.record is None or document.standing not in OFFERED:
        _drop(matcher, f"{case.source_title} no longer transfers {case.this()} ({document.standing}).")
    trace = case.target.trace(case.linked(document.record), case.attempt.pair.codes(waits=False))
    found = _named(matcher, decision.number, trace)
    if document.standing == "offered":
        responder.acknowledge()
    if chunk.step == "collided":
        ledger.relink(found.id, case.key)
    ledger.link(found.id, case.key)  # where another document of ours holds it, that one keeps it
    chunk.recheck = chunk.step in {"sent", "unknown"} and found.id != chunk.target
    chunk.swept, chunk.alone, decision.applied = False, not chunk.recheck, True
    decision.currency = trace.currency
    if beyond := sorted({*chunk.several} - {found.id}):
        chunk.notes.append(f"Others are kept in addition to {found.number}, as a person decided: {', '.join(beyond)}.")
    chunk.several = []
    case.value(trace)
    case.look_back()
    if points := differences(found, trace, case.tolerance):
        chunk.notes.append(f"Matched to {found.number} as a person decided, though it differs: {'; '.join(points)}.")
    return found


def named_there(pair: TenantIntegration, flow: Flow, chunk: Chunk, number: str) -> str:
    """Describe the document that a person named, before the decision is written.

    Raises `Rejected` where the target has no such document, and whatever asking both systems raises.
    """
    pair.check(flow.source, flow.target)
    target, key = pair.document_target(flow), chunk.key or chunk.id
    record = pair.document_source(flow).fetch(key).record
    if record is None:
        gone = f"{pair.title(flow.source)} no longer has {chunk.number or key}"
        raise Rejected(f"{gone}, so nothing can be matched to it.")
    trace = target.trace(record, pair.codes())
    found: Sequence[Found] = target.numbered(number, trace)
    if len(found) != 1:
        how = "no document" if not found else f"{len(found)} documents"
        raise Rejected(
            f"Nothing was changed: {target.title} has {how} {number} of supplier {trace.partner} "
            f"({trace.kind or 'document'}). Look for the number there; a cancelled one does not count."
        )
    one = found[0]
    if foreign(one, trace):
        raise Rejected(f"Nothing was changed: {_foreign(target.title, one, trace, chunk.number or key)}")
    money = f"{abs(one.amount)} {one.currency or ''}".rstrip() if one.amount is not None else "amount not shown"
    return f"{target.title} document {one.number} ({money}{f', {one.dated}' if one.dated else ''})"


def not_sent_here(pair: TenantIntegration, flow: Flow, recent: Sequence[Found]) -> list[Found]:
    """Name the documents with a key in our shape that this state knows nothing of, under whatever endpoint."""
    ids, known, mine = [one.id for one in recent], set[str](), set[str]()
    for ledger in [pair.ledger(flow.name), *(ledger_of(pair, one.scope, flow.name) for one in note(pair))]:
        known |= set(ledger.links(ids))
        mine |= {text for chunk in ledger.unfinished() for sent in chunk.sents for text in sent.lookup.values()}
    return [one for one in recent if one.id not in known and one.reference not in mine]


def _named(matcher: Matcher, number: str, trace: Prepared) -> Found:
    """Find the document that a person named; raises `Held` where there is none, or where ours stands beside it."""
    case = matcher.case
    title = case.target.title
    found: Sequence[Found] = case.target.numbered(number, trace)
    if len(found) != 1:
        how = "no document" if not found else f"{len(found)} documents"
        _drop(
            matcher,
            f"{title} has {how} {number} of supplier {trace.partner} ({trace.kind or 'document'}), so "
            f"{case.this()} is held as before. Look for its number there, then "
            f"`{case.resolve} --match ERP-NUMBER`.",
        )
    if foreign(found[0], trace):
        _drop(matcher, _foreign(title, found[0], trace, case.this()))
    standing = [one for one in matcher.find(case.sent) if one.state != "rejected" and one.id != found[0].id]
    holders = case.attempt.ledger.links([one.id for one in standing])
    told = set(case.chunk.several) if found[0].id in case.chunk.several else set()  # the person had them all named
    others = [one for one in standing if one.id in told or not _may_be_sent(matcher, one, holders.get(one.id))]
    case.chunk.passed = sorted({*case.chunk.passed, *(one.id for one in others)})
    beside = [one for one in standing if one not in others and matcher.is_ours(one, holders.get(one.id))]
    if beside:
        _drop(
            matcher,
            f"{case.there(beside[0])} was sent for {case.this()}, in addition to {number}. Cancel one of them "
            f"there, then `{case.resolve} --match ERP-NUMBER` with the other.",
        )
    return found[0]


def _foreign(title: str, found: Found, trace: Prepared, this: str) -> str:
    """Say why a document in another currency is not taken: its amount would be told in a currency that it is not in."""
    money = f"{abs(found.amount)} {found.currency}" if found.amount is not None else found.currency
    return (
        f"{title} document {found.number} is in another currency ({money}) than {this} ({trace.amount} "
        f"{trace.currency}), so it cannot be taken for it. Name another document, correct the currency of the invoice, "
        f"or cancel {found.number} there and enter it in {trace.currency}."
    )


def _may_be_sent(matcher: Matcher, found: Found, holder: str | None) -> bool:
    """Tell whether a document may be what we sent: one that nobody linked and that differs from all of it is not."""
    return holder is not None or matcher.may_be_sent(found)


def _drop(matcher: Matcher, message: str) -> NoReturn:
    """Forget a decision that cannot be followed, and hold the document as before."""
    case = matcher.case
    case.chunk.decision = None
    case.chunk.notes.append(f"The decision could not be followed: {message}")
    case.conflict(message)


def post_anew(matcher: Matcher) -> None:
    """Let what was posted be posted again, where it does not count any more; raises `Held` where it stands."""
    case = matcher.case
    posted_no_more(matcher, case.known(), None if case.chunk.sents else case.fetch().record)
    case.chunk.step = "held"


def posted_no_more(matcher: Matcher, row: Row, record: Any) -> None:
    """Let a person's `--post` through where what was posted does not count any more; else raise `Held`.

    So it does where another one stands that may be ours as well. `record`: what its source says, where it was read.
    """
    case = matcher.case
    chunk = case.chunk
    target, code = chunk.target or row.target, chunk.code or row.code
    if target is not None and duplicates.stands(matcher, target, code or "", record):
        _drop(
            matcher,
            f"{case.this()} stands in {case.target.title} as {code}, so it is not posted again. Cancel it there "
            f"first, then `{case.resolve} --post`.",
        )
    if (found := duplicates.bars(matcher, record)) is not None:
        _drop(
            matcher,
            f"{case.there(found)} stands for {case.this()} just as it was sent, so it is not posted again. If it "
            f"is to count, {case.replay} takes it. If not, cancel it there first, then `{case.resolve} --post`.",
        )
    chunk.target = chunk.code = None
    chunk.sents, chunk.alone = [], False
