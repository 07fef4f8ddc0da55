"""What people do meanwhile: in the ERP, on the platform, with the credentials; and what they mend in the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infra.sandbox.basware import notify
from infra.sandbox.basware.model import ForcedVerdict
from infra.sandbox.sap_b1 import clerk, payments
from infra.sandbox.sap_b1.errors import Refusal
from tests.simulation import worlds
from tests.simulation.worlds import Office, Paper

if TYPE_CHECKING:
    from tests.simulation.history import History

Act = Callable[["History", Office], None]


def _pick(office: Office, wanted: Callable[[Paper], bool]) -> Paper | None:
    found = [p for p in office.papers.values() if wanted(p)]
    return office.dice.choice(found) if found else None


def _status(office: Office, paper: Paper) -> str:
    return str(office.ap.documents[paper.key].status)


def _untouched(history: History, office: Office, paper: Paper) -> bool:
    """Tell whether nobody has sent this invoice anywhere: only then can people act on it without a race."""
    line = history.lines[office.name, "sap_b1"]
    return _status(office, paper) == "WaitingForTransfer" and paper.number not in line.posts


# ── the ERP ──────────────────────────────────────────────────────────────────────────────────────────────────


def rename_supplier(history: History, office: Office) -> None:
    """A supplier changes; at times the stamp of the change lies in the past."""
    rows = office.erp.tables["BusinessPartners"]
    code = office.dice.choice(sorted(rows))
    office.edits += 1
    before = {k: rows[code].get(k) for k in ("UpdateDate", "UpdateTime")}
    office.erp.upsert("BusinessPartners", {"CardCode": code, "CardName": f"{office.name} renamed {office.edits}"})
    if office.dice.random() < 0.3 and not history.short:
        rows[code] |= before
        history.machine.fault("world: back-dated edit")


def rename_account(history: History, office: Office) -> None:
    code = office.dice.choice(sorted(office.erp.tables["ChartOfAccounts"]))
    office.edits += 1
    office.erp.tables["ChartOfAccounts"][code]["Name"] = f"{office.name} account {office.edits} renamed"


def rename_center(history: History, office: Office) -> None:
    code = office.dice.choice(sorted(office.erp.tables["ProfitCenters"]))
    office.edits += 1
    row = office.erp.tables["ProfitCenters"][code]
    row["CenterName"] = f"{office.name} centre {office.edits} renamed"


def new_supplier(history: History, office: Office) -> None:
    """A supplier is entered, at times after the first invoice of it was approved."""
    code = f"N{office.name[:3].upper()}{len(office.erp.tables['BusinessPartners']):03d}"
    if office.dice.random() < 0.5:
        history.machine.fault("world: missing parent")
        worlds.invoice(office, card=code)
        history.meanwhile(office.dice.uniform(1, 12) * 3600, f"enter {code}", lambda: _enter(office, code))
    else:
        _enter(office, code)


def _enter(office: Office, code: str) -> None:
    worlds.supplier(office.erp, office.name, code)


def new_order(history: History, office: Office) -> None:
    code = office.dice.choice(sorted(office.erp.tables["BusinessPartners"]))
    worlds.order(office.erp, code, office.dice, service=office.dice.random() < 0.3)


def receive_goods(history: History, office: Office) -> None:
    rows = [
        r for r in office.erp.rows("PurchaseOrders")
        if r["DocumentStatus"] == "bost_Open" and r["DocType"] == "dDocument_Items"
    ]  # fmt: skip
    if rows:
        order = office.dice.choice(rows)
        line = next(line for line in order["DocumentLines"] if line["LineStatus"] == "bost_Open")
        with_part = max(Decimal(1), line["RemainingOpenQuantity"] // 2)
        clerk.receive(office.erp, order["DocEntry"], {line["LineNum"]: with_part})


def pay(history: History, office: Office) -> None:
    """Pay an open invoice, whole or in part."""
    rows = [r for r in office.erp.rows("PurchaseInvoices") if r["DocumentStatus"] == "bost_Open"]
    if rows:
        row = office.dice.choice(rows)
        total, paid = ("DocTotalFc", "PaidToDateFC") if row["DocCurrency"] != "EUR" else ("DocTotal", "PaidToDate")
        left = row[total] - row[paid]
        part = (left / 2).quantize(Decimal("0.01")) if office.dice.random() < 0.4 else left
        if part > 0:
            clerk.pay(office.erp, row["DocEntry"], part)


def unpay(history: History, office: Office) -> None:
    rows = [r for r in office.erp.rows("VendorPayments") if r["Cancelled"] == "tNO"]
    if rows:
        payments.cancel_payment(office.erp, office.dice.choice(rows)["DocEntry"])


def book_by_hand(history: History, office: Office) -> None:
    """A clerk books an invoice that waits, without telling anybody."""
    paper = _pick(office, lambda p: p.fate == "post" and _untouched(history, office, p) and not p.recalled)
    if paper is None or worlds.posted(office, paper.number):
        return
    record = office.ap.documents[paper.key].record
    if record["grossSum"] < 0 or any(row.get("orderNumber") for row in record["codingRows"]):
        return
    amount = "LineTotal" if record["currencyCode"] == "EUR" else "RowTotalFC"
    lines = [
        {"ItemDescription": "by hand", amount: row["netTotal"], "VatGroup": row["taxCode"],
         "AccountCode": _account(office, row["accountCode"])}
        for row in record["codingRows"]
    ]  # fmt: skip
    body = {"CardCode": paper.supplier, "NumAtCard": paper.number, "DocType": "dDocument_Service",
            "DocCurrency": record["currencyCode"], "DocumentLines": lines}  # fmt: skip
    try:
        clerk.change(office.erp, "PurchaseInvoices", body)
    except Refusal:
        return  # its supplier is not there yet
    paper.by_hand = True
    history.machine.fault("world: booked by hand")


def _account(office: Office, code: str) -> str:
    rows = office.erp.tables["ChartOfAccounts"].values()
    return str(next(row["Code"] for row in rows if row["FormatCode"] == code))


# ── the platform ─────────────────────────────────────────────────────────────────────────────────────────────


def new_invoice(history: History, office: Office) -> None:
    paper = worlds.invoice(office)
    notify.document_waiting(office.ap, office.ap.documents[paper.key])


def recall(history: History, office: Office) -> None:
    """An invoice is taken back; mostly it comes again later, corrected."""
    paper = _pick(office, lambda p: _untouched(history, office, p) and not p.by_hand)
    if paper is None:
        return
    document = office.ap.documents[paper.key]
    document.record["processingStatus"] = "Returned"
    document.updated = office.ap.now()
    paper.recalled = True
    history.machine.fault("world: recalled")
    if office.dice.random() < 0.7:
        history.meanwhile(
            office.dice.uniform(0.2, 20) * 3600, f"send again {paper.number}", lambda: _again(history, office, paper)
        )


def _again(history: History, office: Office, paper: Paper) -> None:
    document = office.ap.documents[paper.key]
    if paper.number not in history.lines[office.name, "sap_b1"].posts and not paper.waits:
        _correct(document.record)
    document.record |= {"processingStatus": "WaitingForTransfer", "description": f"corrected at {office.ap.now()}"}
    document.updated = office.ap.now()
    paper.recalled = False
    notify.document_waiting(office.ap, document)


def _correct(record: dict[str, Any]) -> None:
    """Take a cent off the first row of an invoice without tax."""
    row = record["codingRows"][0]
    if row["taxSum"] or row.get("orderNumber") or abs(row["netTotal"]) < 1:
        return
    for holder, names in ((row, ("netTotal", "grossTotal")), (record, ("netSum", "grossSum"))):
        for name in names:
            holder[name] -= Decimal("0.10")


def send_refused_again(history: History, office: Office) -> None:
    """Somebody looks at what the ERP refused, and offers it again."""
    for paper in list(office.papers.values()):
        if _status(office, paper) == "TransferFailed":
            _again(history, office, paper)


def bad_verdict(history: History, office: Office) -> None:
    """Basware's import fails for a reason of its own, or comes to no end for hours.

    Orders are spared the failures: once they are closed, no full comparison reads them again (a known gap).
    """
    kind = office.dice.choice(("Vendor", "Account", "CostCenter", "MatchingOrder", "MatchingOrderLine"))
    status = "InProgress" if kind.startswith("Matching") else office.dice.choice(("Error", "InProgress"))
    rule = ForcedVerdict(kind, status, times=office.dice.choice((1, 3)))
    office.ap.forced.append(rule)
    history.machine.fault(f"world: verdict {status}")
    history.meanwhile(office.dice.uniform(1, 20) * 3600, "verdicts are well", office.ap.forced.clear)


# ── credentials ──────────────────────────────────────────────────────────────────────────────────────────────


def expire_sessions(history: History, office: Office) -> None:
    office.erp.expire_sessions()
    office.ap.tokens.clear()
    history.machine.fault("sessions: expired")


def rotate(history: History, office: Office) -> None:
    """The password changes at the server; the secret follows hours later, at times at once."""
    office.edits += 1
    if office.dice.random() < 0.5:
        office.password = f"hidden-password-{office.name}-{office.edits}"
        office.erp.sessions.accounts["manager"] = office.password
        office.erp.expire_sessions()
    else:
        office.ap.clients = {f"client-{office.name}": f"hidden-client-{office.name}-{office.edits}"}
        office.ap.tokens.clear()
    history.machine.fault("sessions: rotated")
    delay = office.dice.choice((0.0, 60.0, 3600.0 * 5))
    history.meanwhile(delay, "the secret follows", lambda: history.plant.write_secrets(office))


def outage(history: History, office: Office) -> None:
    """One system is away, for hours or for a day."""
    line = history.lines[office.name, office.dice.choice(("basware", "sap_b1"))]
    hours = office.dice.choice((0.2, 2, 9, 26))
    line.outage_until = history.machine.now() + timedelta(hours=hours)
    history.machine.fault("world: outage")


def purge(history: History, office: Office) -> None:
    """Delete all queues."""
    for queue in history.plant.queues:
        queue.purge()
    history.machine.fault("ours: all queues deleted")


def twice(history: History, office: Office) -> None:
    history.plant.records.again()
    history.machine.fault("queue: received twice")


def old_hooks(history: History, office: Office) -> None:
    """An old notification comes again, and one that is forged."""
    status = history.plant.forge(office)
    history.machine.fault("world: forged webhook")
    if status != 401:
        history.wrong.append(f"a forged webhook was answered {status}")


ACTS: tuple[Act, ...] = (
    rename_supplier, rename_account, rename_center, new_supplier, new_order, receive_goods, pay, pay, unpay,
    book_by_hand, new_invoice, new_invoice, recall, send_refused_again, bad_verdict, expire_sessions, rotate, outage,
    purge, twice, old_hooks,
)  # fmt: skip
HEALED_DAILY = frozenset({bad_verdict})
"""What only the daily full comparison makes good again."""
