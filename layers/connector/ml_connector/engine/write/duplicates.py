"""What stands at the target beside a posting of ours, under what was sent: a second one may be ours as well.

While such a one stands, what was cancelled is not posted again: it is taken over, or a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ml_connector.engine.ledger.rows import Row
from ml_connector.engine.write.identity import as_sent, differences
from ml_connector.engine.write.matching import Matcher
from ml_connector.errors import Held, Rejected
from ml_connector.flow import Found, Prepared


def others(matcher: Matcher, posted: Sequence[str | None], identities: Sequence[Prepared]) -> list[Found]:
    """Find what stands under some identities beside what was posted: no other document's, and passed over by nobody."""
    case = matcher.case
    found = {one.id: one for one in matcher.find(identities) if one.state != "rejected"}
    holders = case.attempt.ledger.links(list(found))
    return [
        one
        for one in found.values()
        if one.id not in {*posted, *case.chunk.passed} and (one.ours or holders.get(one.id, case.key) == case.key)
    ]


def instead(matcher: Matcher, gone: Found, record: Any) -> Found | None:
    """Find what stands for a posting that was cancelled, where exactly one agrees in every point with what was sent.

    None where nothing stands. Raises `Held`, with names and numbers, where several do or it is not that.
    """
    case = matcher.case
    identities = _identities(matcher, record)
    standing = others(matcher, (gone.id, case.chunk.target), identities)
    same = [one for one in standing if _agrees(matcher, one, identities)]
    if len(same or standing) > 1:
        matcher.several(same or standing)
    if same:
        if same[0].state == "draft":
            matcher.awaits_approval(same[0], None, sent=True)
        case.chunk.notes.append(f"{gone.number} was cancelled in {case.target.title}; {same[0].number} stands for it.")
        return same[0]
    if standing:
        _differs(matcher, gone, standing[0], identities)
    return None


def doubles(matcher: Matcher, row: Row, record: Any) -> Found | None:
    """Look beside what was delivered before; gives what stands for it where it was cancelled itself.

    Raises `Held` where a second one stands as well: the first sending may have been carried out long after.
    """
    case = matcher.case
    if record is None or case.target.refuses_duplicates:
        return None
    try:
        identities = _identities(matcher, record)
    except (Held, Rejected):
        return None  # nothing can be said while a mapping is missing, and nothing is sent
    delivered = as_sent(row.target or "", row.code or "", identities)
    found = [one for one in others(matcher, (row.target,), identities) if _agrees(matcher, one, identities)]
    if not found:
        return None
    stands = case.target.stands(delivered)
    if stands or len(found) > 1:
        matcher.several([delivered, *found] if stands else found)
    return found[0]


def bars(matcher: Matcher, record: Any) -> Found | None:
    """Find what must not be posted beside: it agrees in every point with what was sent, or bears our key."""
    identities = _identities(matcher, record)
    standing = others(matcher, (matcher.case.chunk.target,), identities)
    return next((one for one in standing if one.ours or _agrees(matcher, one, identities)), None)


def stands(matcher: Matcher, target: str, code: str, record: Any) -> bool:
    """Tell whether what was posted for a document still counts."""
    there: bool = matcher.case.target.stands(as_sent(target, code, _identities(matcher, record)))
    return there


def _identities(matcher: Matcher, record: Any) -> list[Prepared]:
    """Say what the document was sent as; as it is mapped now where our rows have forgotten that."""
    case = matcher.case
    sent = case.sent
    if sent or record is None:
        return sent
    return [case.target.trace(case.linked(record), case.attempt.pair.codes(waits=False))]


def _agrees(matcher: Matcher, one: Found, identities: Sequence[Prepared]) -> bool:
    told = not one.ours
    return any(not differences(one, wanted, matcher.case.tolerance, all_told=told) for wanted in identities)


def _differs(matcher: Matcher, gone: Found, one: Found, identities: Sequence[Prepared]) -> None:
    case = matcher.case
    points = "; ".join(differences(one, identities[0], case.tolerance, all_told=True))
    again = "cancel it there first, then" if one.ours else "if it is another invoice:"
    case.conflict(
        f"{case.this()} was posted as {gone.number}, which has been cancelled in {case.target.title} since. "
        f"{case.there(one)} stands there under the same number and differs: {points}. If it stands for it: "
        f"{case.match(one.number)}. If it is to be posted again, {again} `{case.resolve} --post`."
    )
