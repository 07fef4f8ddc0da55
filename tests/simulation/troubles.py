"""What must become of a document that people meddled with: posted once and as it was approved, or held with its names.

The rules of `checker.py` hold for every other document.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.simulation.worlds import Office, Paper, Version

if TYPE_CHECKING:
    from ml_connector.engine.ledger.rows import Chunk, Row
    from tests.simulation.history import History
    from tests.simulation.sides import Posted

HELD = ("conflict:", "lookup:", "approval:")
ROOM = timedelta(minutes=15)
"""For so long what a worker has read may be older than what people changed meanwhile."""
CENTS = Decimal("0.05")


def standing(office: Office, paper: Paper) -> int:
    """Count what stands in the ERP for a document: posted, or a draft that somebody may approve."""
    return len(office.erp.posted(paper)) + len(office.erp.drafts(paper))


def judged(history: History, office: Office, paper: Paper, chunk: Chunk | None, row: Row | None) -> Iterator[str]:
    """Find what is wrong with one of them."""
    document, posted = office.ap.documents[paper.key], office.erp.posted(paper)
    if standing(office, paper) > 1:
        yield from _doubled(history, office, paper, posted, chunk)
    elif document.status in {"Transferred", "Paid"}:
        yield from _told(office, paper, posted, history.plant.store.posted.get(paper.key))
        if chunk is not None and not paper.rivalled:
            yield f"{_said(paper)}: done at both ends, and our chunk is {chunk.state} {chunk.step} {chunk.reason}"
    elif paper.recalled:
        return
    elif chunk is None:
        told = row and (row.outcome, row.target, row.reason)
        if not (history.short and paper.forgotten):
            yield f"LOST {_said(paper)}: {document.status}, {len(posted)} posted, no chunk, row {told}"
    elif chunk.state != "waiting" or not (chunk.waiting_for or "").startswith(HELD):
        yield (
            f"LOST {_said(paper)}: {document.status}, {len(posted)} posted, and our chunk is {chunk.state} "
            f"{chunk.step} {chunk.waiting_for} {chunk.reason}"
        )
    elif not paper.rivalled and not paper.very_late:
        yield f"LOST {_said(paper)}: {len(posted)} posted, still held: {chunk.waiting_for} {chunk.reason}"
    elif posted and (chunk.waiting_for or "").startswith("conflict:") and posted[0].number not in (chunk.reason or ""):
        yield f"{_said(paper)}: {posted[0].number} stands there, and the hold does not name it: {chunk.reason}"


def _said(paper: Paper) -> str:
    return f"{paper.number} ({', '.join(f'{k}: {v}' for k, v in sorted(paper.troubles.items()))})"


def _doubled(
    history: History, office: Office, paper: Paper, posted: list[Posted], chunk: Chunk | None
) -> Iterator[str]:
    """A second one is one too many; where nobody can prevent it, it must be found."""
    conflict = chunk is not None and (chunk.waiting_for or "").startswith("conflict:")
    if paper.rivalled and history.rival is not None:
        pair = history.rival.pair(office)
        theirs = pair.ledger("invoices").chunk(paper.key)
        pair.close()
        told = conflict or (theirs is not None and _names(theirs[0], posted))
        if not paper.very_late and not told:
            yield f"UNDETECTED {_said(paper)}: {[p.number for p in posted]} by two installations, and nobody was told"
        return
    numbers = [f"{p.number} {p.supplier} {p.total}" for p in posted]
    drafts = len(office.erp.drafts(paper))
    if not paper.very_late:
        yield f"DOUBLED {_said(paper)}: {numbers}, {drafts} drafts, by_hand={paper.by_hand}"
    elif not conflict and not paper.forgotten:
        yield f"UNDETECTED {_said(paper)}: {numbers}, {drafts} drafts, carried out late, and nobody was told"


def _names(chunk: Chunk, posted: list[Posted]) -> bool:
    """Tell whether a person was told of a conflict; one whose worker died over it since still names the documents."""
    dead = chunk.state == "failed" and all(one.number in (chunk.reason or "") for one in posted)
    return dead or (chunk.waiting_for or "").startswith("conflict:")


def _told(office: Office, paper: Paper, posted: list[Posted], known: datetime | None) -> Iterator[str]:
    """Its platform was told that it is posted: so it is, as it was approved, unless a person said what it is."""
    document = office.ap.documents[paper.key]
    if not posted:
        gone = paper.cancelled is not None and (paper.told is None or paper.cancelled > paper.told - ROOM)
        if not gone and not (paper.decided and paper.troubles.keys() & {"twin", "anew"}):
            yield f"{_said(paper)} was told to be posted, and nothing of it stands there"
        return
    one = posted[0]
    if document.record.get("voucherNumber1") != one.number:
        yield f"{_said(paper)}: told {document.record.get('voucherNumber1')}, posted as {one.number}"
    if paper.decided:
        return
    if "twin" in paper.troubles:
        yield f"{_said(paper)} was posted beside {paper.troubles['twin']}, and nobody said that it is another one"
    other = office.papers.get(paper.troubles.get("anew", ""))
    theirs = {p.supplier for p in office.erp.posted(other)} if other is not None else set()
    if (
        other is not None
        and one.supplier in theirs
        and not other.decided
        and office.ap.documents[other.key].status in {"Transferred", "Paid"}
    ):
        yield f"{_said(paper)}: both invoices of one number are posted, and nobody said that they are two"
    if not any(fits(office, one, v, since) for v, since in _in_force(paper, known)):
        approved = [(v.number, v.supplier, str(v.total), v.dated) for v in paper.versions]
        shown = (one.reference, one.supplier, str(one.total), one.credit, one.dated)
        yield f"{_said(paper)}: posted as {shown}, approved as {approved}, mapped {office.partners(paper.supplier)}"


def _in_force(paper: Paper, known: datetime | None) -> Iterator[tuple[Version, datetime | None]]:
    """Give the versions that may have been taken for what stands there, and since when a mapping may have been right.

    `known`: since when we know that it is posted. What is changed between then and the platform's being told comes too
    late; what was changed before must have been seen.
    """
    since = (known or paper.told or paper.versions[-1].since) - ROOM
    for n, one in enumerate(paper.versions):
        if n == len(paper.versions) - 1 or paper.versions[n + 1].since > since:
            yield one, since


def fits(office: Office, posted: Posted, version: Version, since: datetime | None = None) -> bool:
    """Tell whether a document in the books is a version of an invoice."""
    return (
        posted.reference.casefold() == version.number.casefold()
        and posted.supplier in office.partners(version.supplier, since)
        and posted.credit == (version.total < 0)
        and abs(posted.total - abs(version.total)) <= CENTS
        and posted.dated == version.dated
    )
