"""What people change about a document while it is on its way: at its source, in its mappings, in the ERP's own books.

Anything may happen in any state: fresh, held, just sent, in doubt, a draft, dead, posted, answered. What has to
become of it is in `troubles.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infra.sandbox.basware import notify
from ml_connector.engine.ledger.mappings import Mapping
from tests.simulation.worlds import Office, Paper, version

if TYPE_CHECKING:
    from tests.simulation.history import History

OPEN = frozenset({"WaitingForTransfer", "TransferInProgress"})


# ── which document, and when ─────────────────────────────────────────────────────────────────────────────────


def posts(history: History, office: Office, paper: Paper) -> int:
    """Count how often a document was sent to its ERP, under any number."""
    line = history.lines[office.name, office.erp.system]
    return sum(line.posts[number] for number in paper.numbers)


def record_of(office: Office, paper: Paper) -> dict[str, Any]:
    """Give a document as its platform has it."""
    return office.ap.documents[paper.key].record


def on_order(office: Office, paper: Paper) -> bool:
    """Tell whether a document is based on an order."""
    return any(row.get("orderNumber") for row in record_of(office, paper)["codingRows"])


def changeable(history: History, office: Office, paper: Paper) -> bool:
    """Tell whether people may change a document: an ordinary one, on its way, which nobody has in hand already."""
    rows = record_of(office, paper)["codingRows"]
    ordinary = paper.fate == "post" and not (paper.by_hand or paper.recalled or paper.poisoned or paper.shared)
    mapped = not any(row.get("orderNumber") for row in rows) and paper.number not in office.sick
    return ordinary and mapped and "twin" not in paper.troubles and office.ap.documents[paper.key].status in OPEN


def choose(history: History, office: Office) -> Paper | None:
    """Choose a document that can be changed: mostly one that was sent, and of which nothing was heard."""
    found = [p for p in office.papers.values() if changeable(history, office, p)]
    sent = [p for p in found if posts(history, office, p)]
    return office.dice.choice(sent if sent and office.dice.random() < 0.8 else found) if found else None


def amid(history: History, office: Office, act: Callable[[], None]) -> None:
    """Do something now, or while a worker is at work."""

    def aside() -> None:
        if not office.gone:
            with history.machine.aside():
                act()

    if office.dice.random() < 0.5:
        history.machine.ambush(aside)
    else:
        aside()


# ── at the source ────────────────────────────────────────────────────────────────────────────────────────────

Change = Callable[[Office, dict[str, Any], Paper], bool]


def _changed(history: History, office: Office, change: Change, what: str) -> None:
    """Change a document at its source, at times back again."""

    def now() -> None:
        paper = choose(history, office)
        if paper is None:
            return
        before = kept(record_of(office, paper))
        if not change(office, record_of(office, paper), paper):
            return
        _note(history, office, paper, what)
        if office.dice.random() < 0.4:
            seconds = office.dice.uniform(0.01, 6) * 3600
            history.meanwhile(seconds, f"{paper.number} as it was", lambda: _undone(history, office, paper, before))

    amid(history, office, now)


def kept(record: dict[str, Any]) -> dict[str, Any]:
    """Copy a record with its rows."""
    return {**record, "codingRows": [dict(row) for row in record["codingRows"]]}


def _undone(history: History, office: Office, paper: Paper, before: dict[str, Any]) -> None:
    """Undo a change at the source, where nothing else has become of the document meanwhile."""
    if not changeable(history, office, paper):
        return
    record = record_of(office, paper)
    record.update({name: value for name, value in before.items() if name not in {"processingStatus", "lastUpdated"}})
    record["codingRows"] = [dict(row) for row in before["codingRows"]]
    _note(history, office, paper, "undone")


def _note(history: History, office: Office, paper: Paper, what: str) -> None:
    document = office.ap.documents[paper.key]
    document.updated = office.ap.now()
    paper.versions.append(version(document.record, office.ap.now()))
    paper.troubles["changed"] = what
    history.machine.fault(f"world: {what}")
    notify.document_waiting(office.ap, document)


def renumber(history: History, office: Office) -> None:
    """The number of an invoice is corrected at its source."""

    def change(office: Office, record: dict[str, Any], paper: Paper) -> bool:
        office.edits += 1
        record["invoiceNumber"] = f"{paper.versions[0].number}C{office.edits}"
        return True

    _changed(history, office, change, "number corrected")


def turn_kind(history: History, office: Office) -> None:
    """An invoice becomes a credit note, or the other way round."""
    if not office.erp.takes_back:
        return

    def change(office: Office, record: dict[str, Any], paper: Paper) -> bool:
        for holder in (record, *record["codingRows"]):
            for name in ("netSum", "grossSum", "taxSum1", "netTotal", "grossTotal", "taxSum"):
                if name in holder:
                    holder[name] = -holder[name]
        return True

    _changed(history, office, change, "kind corrected")


def change_supplier(history: History, office: Office) -> None:
    """An invoice turns out to be another supplier's."""
    if not office.erp.takes_back:
        return

    def change(office: Office, record: dict[str, Any], paper: Paper) -> bool:
        code = office.dice.choice([c for c in office.erp.suppliers() if c != paper.supplier])
        record.update(supplierCode=code, supplierName=f"Supplier {code}")
        return True

    _changed(history, office, change, "supplier corrected")


def change_amount(history: History, office: Office) -> None:
    """The amount of an invoice is corrected."""

    def change(office: Office, record: dict[str, Any], paper: Paper) -> bool:
        row = record["codingRows"][0]
        if row["taxSum"]:
            return False
        sign = -1 if record["grossSum"] < 0 else 1
        for holder, names in ((row, ("netTotal", "grossTotal")), (record, ("netSum", "grossSum"))):
            for name in names:
                holder[name] += sign * Decimal("11.10")
        return True

    _changed(history, office, change, "amount corrected")


# ── mappings and settings ────────────────────────────────────────────────────────────────────────────────────


def remap(history: History, office: Office, kind: str, code: str, target: str) -> None:
    """Map a code of the platform's, or take its mapping away (`target` empty)."""
    pair = history.plant.pair(office)
    if target:
        pair.mappings.set(Mapping(integration=pair.integration.name, kind=kind, code=code, target=target))
    else:
        pair.mappings.remove(kind, code)
    pair.close()
    office.mappings.setdefault((kind, code), []).append((history.machine.now(), target))
    history.machine.fault(f"ours: {kind} mapped to another")


def remap_supplier(history: History, office: Office) -> None:
    """The mapping of a supplier is corrected; at times it is put back."""
    if not office.erp.takes_back:
        return

    def now() -> None:
        paper = choose(history, office)
        if paper is None or history.rival is not None or not _free_to_map(history, office, paper.supplier):
            return
        code = paper.supplier
        remap(history, office, "supplier", code, office.dice.choice([c for c in office.erp.suppliers() if c != code]))
        _upset(history, office, code)
        if office.dice.random() < 0.4:
            history.meanwhile(
                office.dice.uniform(0.01, 6) * 3600, f"{code} mapped as before", lambda: _back(history, office, code)
            )

    amid(history, office, now)


def _free_to_map(history: History, office: Office, code: str) -> bool:
    """Tell whether no document of a supplier depends on who it is: none is based on an order, none was keyed in."""
    mine = [p for p in office.papers.values() if code in {v.supplier for v in p.versions}]
    pending = [p for p in mine if office.ap.documents[p.key].status not in {"Transferred", "Paid"}]
    bound = any(row.get("orderNumber") for p in pending for row in record_of(office, p)["codingRows"])
    return not bound and not any(p.by_hand or p.shared or "twin" in p.troubles for p in pending)


def _upset(history: History, office: Office, code: str) -> None:
    for paper in office.papers.values():
        if paper.supplier == code and paper.told is None:
            paper.troubles.setdefault("changed", "supplier mapped to another")


def _back(history: History, office: Office, code: str) -> None:
    if not office.gone and _free_to_map(history, office, code):
        remap(history, office, "supplier", code, "")
        _upset(history, office, code)


def remap_account(history: History, office: Office) -> None:
    """The mapping of an account, or of a cost center, changes: what is posted from now on stands elsewhere."""
    kind, codes = office.dice.choice((("account", office.erp.accounts()), ("cost_center", office.erp.centers())))
    code, target = office.dice.sample(codes, 2)
    key = office.erp.account_key(target) if kind == "account" else target
    undo = office.dice.random() < 0.5
    amid(history, office, lambda: remap(history, office, kind, code, key))
    if undo:
        later = lambda: None if office.gone else remap(history, office, kind, code, "")  # noqa: E731
        history.meanwhile(office.dice.uniform(0.1, 9) * 3600, f"{code} mapped as before", later)


def settings(history: History, office: Office) -> None:
    """Settings change that say how documents are sent and found."""
    plain = history.plant.plain[office.name]
    match office.dice.choice(("tolerance", "period", "own key")):
        case "tolerance":
            history.plant.options[office.name]["rounding_tolerance"] = office.dice.choice(("0.05", "0.04", "0.03"))
        case "period":
            history.plant.options[office.name]["closed_period"] = office.dice.choice(("hold", "next_open"))
        case _:
            plain[office.erp.system] = office.erp.keyed_otherwise(plain[office.erp.system])
    history.machine.fault("ours: settings of documents changed")
    if not office.gone:
        amid(history, office, lambda: history.plant.write_secrets(office))


# ── restores, and judgements ───────────────────────────────────────────────────────────────────────────────────


def mapped_as_restored(history: History, office: Office) -> None:
    """Take note of what a restore made of the mappings."""
    if not office.mappings or office.gone:
        return
    pair = history.plant.pair(office)
    for (kind, code), known in office.mappings.items():
        mapping = pair.mappings.get(kind, code)
        target = mapping.target if mapping else ""
        if target != known[-1][1]:
            known.append((history.machine.now(), target))
            if kind == "supplier":
                _upset(history, office, code)
    pair.close()


def give_another_number(history: History, office: Office, paper: Paper) -> None:
    """Correct the number of an invoice at its source, since its ERP knows another one by it."""
    office.edits += 1
    document = office.ap.documents[paper.key]
    document.record["invoiceNumber"] = f"{paper.versions[0].number}N{office.edits}"
    document.updated = office.ap.now()
    paper.versions.append(version(document.record, office.ap.now()))
    paper.decided = True
