"""What stands at the target beside a posting of ours, under what was sent: a second one may be ours as well.

While such a one stands, what was cancelled is not posted again: it is taken over, or a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ml_connector.engine.ledger.rows import Row
from ml_connector.engine.write.identity import differences
from ml_connector.errors import Held, Rejected
from ml_connector.flow import Found, Prepared

if TYPE_CHECKING:
    from ml_connector.engine.write.matching import Finding


def others(paper: Finding, posted: Sequence[str | None], identities: Sequence[Prepared]) -> list[Found]:
    """Find what stands under some identities beside what was posted: no other document's, and passed over by nobody."""
    found = {one.id: one for one in paper._found(identities) if one.state != "rejected"}
    holders = paper.task.ledger.links(list(found))
    return [
        one for one in found.values()
        if one.id not in {*posted, *paper.chunk.passed} and (one.ours or holders.get(one.id, paper.key) == paper.key)
    ]  # fmt: skip


def instead(paper: Finding, gone: Found, record: Any) -> Found | None:
    """Find what stands for a posting that was cancelled, where exactly one agrees in every point with what was sent.

    None where nothing stands. Raises `Held`, with names and numbers, where several do or it is not that.
    """
    identities = _identities(paper, record)
    standing = others(paper, (gone.id, paper.chunk.target), identities)
    same = [one for one in standing if _agrees(paper, one, identities)]
    if len(same or standing) > 1:
        paper._several(same or standing)
    if same:
        if same[0].state == "draft":
            paper._awaits_approval(same[0], None, sent=True)
        paper.chunk.notes.append(
            f"{gone.number} was cancelled in {paper.target.title}; {same[0].number} stands for it."
        )
        return same[0]
    if standing:
        _differs(paper, gone, standing[0], identities)
    return None


def doubles(paper: Finding, row: Row, record: Any) -> Found | None:
    """Look beside what was delivered before; gives what stands for it where it was cancelled itself.

    Raises `Held` where a second one stands as well: the first sending may have been carried out long after.
    """
    if record is None or paper.target.refuses_duplicates:
        return None
    try:
        identities = _identities(paper, record)
    except (Held, Rejected):
        return None  # nothing can be said while a mapping is missing, and nothing is sent
    delivered = as_sent(row.target or "", row.code or "", identities)
    found = [one for one in others(paper, (row.target,), identities) if _agrees(paper, one, identities)]
    if not found:
        return None
    stands = paper.target.stands(delivered)
    if stands or len(found) > 1:
        paper._several([delivered, *found] if stands else found)
    return found[0]


def bars(paper: Finding, record: Any) -> Found | None:
    """Find what must not be posted beside: it agrees in every point with what was sent, or bears our key."""
    identities = _identities(paper, record)
    standing = others(paper, (paper.chunk.target,), identities)
    return next((one for one in standing if one.ours or _agrees(paper, one, identities)), None)


def as_sent(target: str, code: str, sent: Sequence[Prepared]) -> Found:
    """Name a document of the target by what it was sent as: where it is gone, only that tells which it was."""
    last = next(reversed(sent), None)
    return Found(
        target, code, partner=last.partner or None if last else None, reference=last.reference or None if last else None
    )


def stands(paper: Finding, target: str, code: str, record: Any) -> bool:
    """Tell whether what was posted for a document still counts."""
    there: bool = paper.target.stands(as_sent(target, code, _identities(paper, record)))
    return there


def _identities(paper: Finding, record: Any) -> list[Prepared]:
    """Say what the document was sent as; as it is mapped now where our rows have forgotten that."""
    sent = paper._sent
    if sent or record is None:
        return sent
    return [paper.target.trace(paper._linked(record), paper.task.pair.codes(waits=False))]


def _agrees(paper: Finding, one: Found, identities: Sequence[Prepared]) -> bool:
    told = not one.ours
    return any(not differences(one, wanted, paper._tolerance, all_told=told) for wanted in identities)


def _differs(paper: Finding, gone: Found, one: Found, identities: Sequence[Prepared]) -> None:
    points = "; ".join(differences(one, identities[0], paper._tolerance, all_told=True))
    again = "cancel it there first, then" if one.ours else "if it is another invoice:"
    paper._conflict(
        f"{paper._this()} was posted as {gone.number}, which has been cancelled in {paper.target.title} since. "
        f"{paper._there(one)} stands there under the same number and differs: {points}. If it stands for it: "
        f"`{paper._resolve} --match {one.number}`. If it is to be posted again, {again} `{paper._resolve} --post`."
    )
