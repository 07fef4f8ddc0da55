"""What the people of any ERP do to documents in its books: approve, refuse, take back, key in; and what it hides."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from infra.sandbox.basware import notify
from infra.sandbox.basware.model import Document, ForcedVerdict
from tests.simulation import changes
from tests.simulation.worlds import Office, Paper, version

if TYPE_CHECKING:
    from tests.simulation.history import History


def approval(history: History, office: Office) -> None:
    """A supplier's documents need somebody's approval for some hours; people look at the drafts meanwhile."""
    if not office.erp.approves:
        return
    code = office.dice.choice(office.erp.suppliers())
    office.erp.need_approval(code)
    history.machine.fault("world: approval needed")
    for _ in range(4):
        history.meanwhile(
            office.dice.uniform(0.1, 9) * 3600, "drafts are looked at", lambda: _looked_at(history, office)
        )


def _looked_at(history: History, office: Office) -> None:
    for paper in office.papers.values():
        for draft in office.erp.drafts(paper):
            way = office.dice.choice(("approve", "approve", "reject", "delete", "later"))
            changes.amid(history, office, lambda p=paper, d=draft, w=way: _decide(history, office, p, d, w))


def _decide(history: History, office: Office, paper: Paper, draft: Any, way: str) -> None:
    """Approve, refuse or delete a draft that still waits; who refuses one deletes it as well, somewhat later."""
    if draft not in office.erp.drafts(paper) or way == "later":
        return
    history.machine.fault(f"world: draft {way}")
    if way in {"reject", "delete"}:
        paper.taken = None
    if not office.erp.decide(draft, way):
        return
    if way == "reject":
        seconds = office.dice.uniform(0.1, 5) * 3600
        history.meanwhile(seconds, "a refused draft is deleted", lambda: office.erp.decide(draft, "delete"))


def approve_all(history: History, office: Office) -> None:
    """Approve every draft that waits, of which there is one for a document."""
    for paper in office.papers.values():
        drafts = office.erp.drafts(paper)
        for draft in drafts:
            office.erp.decide(draft, "approve")


def cancel(history: History, office: Office) -> None:
    """A clerk takes back what was posted for an invoice: before it was told, or after."""

    def now() -> None:
        mine = [p for p in office.papers.values() if p.fate == "post" and not p.by_hand and not p.shared]
        found = [p for p in mine if len(office.erp.posted(p)) == 1 and p.cancelled is None and not p.very_late]
        untold = [p for p in found if p.told is None]
        paper = office.dice.choice(untold or found) if found else None
        if paper is not None and office.erp.cancel(office.erp.posted(paper)[0]):
            paper.cancelled, paper.taken = history.machine.now(), None
            paper.troubles["cancelled"] = "in the ERP"
            history.machine.fault("world: document cancelled")

    changes.amid(history, office, now)


def recurring(history: History, office: Office) -> None:
    """A clerk keys in an invoice of the same supplier, number and amount, of another date: last month's rent."""
    found = [
        p
        for p in office.papers.values()
        if changes.changeable(history, office, p)
        and not p.troubles
        and len(p.versions) == 1
        and not changes.posts(history, office, p)
    ]
    if not found:
        return
    paper = office.dice.choice(found)
    days = office.dice.choice((-365, -92, -31, -31, -31, -30, -1, 28))
    dated = (date.fromisoformat(paper.versions[-1].dated) + timedelta(days=days)).isoformat()
    key = office.erp.by_hand(office, paper, dated)
    if key:
        office.erp.others.add(key)
        paper.troubles["twin"] = key
        history.machine.fault("world: the same invoice of another date keyed in")


def anew(history: History, office: Office) -> None:
    """A supplier begins its numbers again each year: an invoice comes whose number another one had."""
    found = [
        p
        for p in office.papers.values()
        if p.fate == "post"
        and not (p.by_hand or p.recalled or p.shared or p.poisoned or p.troubles)
        and len(p.versions) == 1
        and not changes.on_order(office, p)
    ]
    if not found:
        return
    first = office.dice.choice(found)
    record = changes.kept(changes.record_of(office, first))
    for name in ("transferResponses", "voucherNumber1", "voucherNumber2"):
        record.pop(name, None)
    dated = date.fromisoformat(first.versions[-1].dated).replace(day=1) - timedelta(days=365)
    record |= {
        "invoiceId": f"{first.key[:28]}{office.edits:04x}",
        "processingStatus": "WaitingForTransfer",
        "invoiceDate": f"{dated}T00:00:00",
    }
    office.edits += 1
    office.ap.documents[record["invoiceId"]] = Document(record, office.ap.now())
    second = Paper(record["invoiceId"], [version(record, office.ap.now())], rivalled=office.rivalled)
    first.shared = second.shared = True
    for one, other in ((first, second), (second, first)):
        one.troubles["anew"] = other.key
    office.papers[second.key] = second
    history.machine.fault("world: a supplier numbers anew")
    notify.document_waiting(office.ap, office.ap.documents[second.key])


def lost_status(history: History, office: Office) -> None:
    """The verdict on one new supplier never comes; nobody else's invoices may wait for it."""
    office.edits += 1
    code = f"L{office.name[:3].upper()}{office.edits:03d}"
    office.erp.enter_supplier(code)
    office.ap.forced.append(ForcedVerdict("Vendor", "InProgress", code=f".*{code}.*", times=1))
    history.machine.fault("world: one verdict lost")


def hide_list(history: History, office: Office) -> None:
    """The ERP shows nothing of a list to our user for a day: rights were taken, and nobody noticed."""
    if not history.endure(timedelta(hours=27)):
        return
    line = history.lines[office.name, office.erp.system]
    office.shut = history.machine.now() + timedelta(hours=25)
    line.hidden[office.dice.choice(office.erp.lists)] = office.shut


def tidy(history: History, office: Office) -> None:
    """End what people have begun: nobody's documents need approval, every draft is approved, every list is shown."""
    office.erp.need_none()
    history.lines[office.name, office.erp.system].hidden.clear()
    office.shut = None
    approve_all(history, office)
    history.after(1800, "drafts are approved", lambda: approve_all(history, office))
