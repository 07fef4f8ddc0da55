"""What must hold after every history, told by the two systems and our rows; each breach is one sentence."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ml_connector.engine import audit
from ml_connector.engine.balance import Sheet
from ml_connector.integrations import INTEGRATIONS
from tests.simulation import worlds
from tests.simulation.worlds import NOWHERE, Office, Paper

if TYPE_CHECKING:
    from ml_connector.engine.pair import Pair
    from tests.simulation.history import History

TABLE = INTEGRATIONS[0]
MOST_POSTS, MOST_REQUESTS = 12, 12_000
CENT = Decimal("0.05")


def check(history: History) -> list[str]:
    """Give every breach of a promise: an empty list is a good history."""
    found = list(history.wrong)
    found += [f"raised: {error}" for error in history.plant.raised]
    found += [f"unexpected fault of ours: {line[-300:]}" for line in history.log.unexpected]
    for office in history.offices:
        pair = history.plant.pair(office)
        parts = (_papers, _payments, _masters, _orders, _sheets, _audits, _crossed)
        for part in parts:
            found += [f"{office.name}: {part.__name__[1:]}: {text}" for text in part(history, office, pair)]
        pair.close()
    return found + list(_lines(history)) + list(_secrets(history))


# ── documents ────────────────────────────────────────────────────────────────────────────────────────────────


def _papers(history: History, office: Office, pair: Pair) -> Iterator[str]:
    ledger = pair.ledger("invoices")
    rows = dict(ledger.all_rows())
    open_chunks = {c.key: c for c in ledger.unfinished()}
    for paper in office.papers.values():
        document = office.ap.documents[paper.key]
        posted = worlds.posted(office, paper.number)
        if len(posted) > 1:
            yield f"DOUBLED {paper.number}: {[r['DocNum'] for r in posted]} by_hand={paper.by_hand}"
        if paper.recalled:
            if posted:
                yield f"{paper.number} was taken back and is posted"
        elif paper.fate == "hold":
            yield from _held(paper, posted, open_chunks.get(paper.key))
            if document.status != "WaitingForTransfer":
                yield f"{paper.number} is held, and {document.status} on the platform"
        elif len(posted) < 1 or document.status not in {"Transferred", "Paid"}:
            yield f"LOST {paper.number}: {document.status}, {len(posted)} posted, {_where(paper, rows, open_chunks)}"
        else:
            yield from _agrees(paper, document, posted[0], rows.get(paper.key), open_chunks.get(paper.key))


def _held(paper: Paper, posted: list[Any], chunk: Any) -> Iterator[str]:
    if posted:
        yield f"{paper.number} is posted although it names the account {NOWHERE}"
    if chunk is None or chunk.waiting_for != paper.waits:
        told = chunk and (chunk.state, chunk.waiting_for, chunk.reason)
        yield f"{paper.number} should wait for {paper.waits}: {told}"


def _where(paper: Paper, rows: dict[str, Any], chunks: dict[str | None, Any]) -> str:
    chunk, row = chunks.get(paper.key), rows.get(paper.key)
    told = chunk and (chunk.state, chunk.step, chunk.waiting_for, chunk.due_at, chunk.reason)
    return f"chunk {told}, row {row and (row.outcome, row.target, row.reason)}"


def _agrees(paper: Paper, document: Any, posted: Any, row: Any, chunk: Any) -> Iterator[str]:
    total = posted["DocTotalFc"] if posted["DocCurrency"] != "EUR" else posted["DocTotal"]
    if abs(total - abs(document.gross)) > CENT:
        yield f"{paper.number}: posted with {total}, approved with {document.gross}"
    if document.record.get("voucherNumber1") != str(posted["DocNum"]):
        yield f"{paper.number}: told {document.record.get('voucherNumber1')}, posted as {posted['DocNum']}"
    if chunk is not None:
        yield f"{paper.number}: done at both ends, and our chunk is {chunk.state} {chunk.step} {chunk.reason}"
    if row is None or row.outcome != "delivered" or row.number != paper.number:
        yield f"{paper.number}: our row says {row and (row.outcome, row.reason)}"


def _payments(history: History, office: Office, pair: Pair) -> Iterator[str]:
    """Basware knows of each posted invoice what has been paid on it by now."""
    for paper in office.papers.values():
        document = office.ap.documents[paper.key]
        for posted in worlds.posted(office, paper.number)[:1]:
            paid = posted["PaidToDateFC"] if posted["DocCurrency"] != "EUR" else posted["PaidToDate"]
            told = Decimal(document.payment.get("paidTotal") or 0)
            if paid != told and document.gross > 0 and paper.fate == "post":
                yield f"{paper.number}: paid {paid}, told {told} ({document.status}){_open(pair, 'payments')}"


def _open(pair: Pair, flow: str) -> str:
    ledger = pair.ledger(flow)
    return "".join(f"; {c.id} {c.state} {c.step} {c.waiting_for} {c.reason}" for c in ledger.unfinished())


# ── masters ──────────────────────────────────────────────────────────────────────────────────────────────────


def _masters(history: History, office: Office, pair: Pair) -> Iterator[str]:
    tables, imported = office.erp.tables, office.ap.imported
    vendors = {r["vendorCode"]: r["name"] for r in imported.get("vendors", {}).values()}
    partners = {k: r["CardName"] for k, r in tables["BusinessPartners"].items()}
    accounts = {r["accountCode"]: _name(r["accountNames"]) for r in imported.get("accounts", {}).values()}
    ledger = {r["FormatCode"]: r["Name"] for r in tables["ChartOfAccounts"].values()}
    centers = {r["costCenterCode"]: _name(r["costCenterNames"]) for r in imported.get("costCenters", {}).values()}
    rows = {k: r["CenterName"] for k, r in tables["ProfitCenters"].items()}
    for flow, there, here in (
        ("vendors", vendors, partners),
        ("accounts", accounts, ledger),
        ("cost_centers", centers, rows),
    ):
        for code in sorted(there.keys() | here.keys()):
            if there.get(code) != here.get(code):
                yield f"{flow} {code}: {there.get(code)!r} there, {here.get(code)!r} here{_open(pair, flow)}"


def _name(names: list[Any]) -> str:
    return str(names[0]["translation"])


def _orders(history: History, office: Office, pair: Pair) -> Iterator[str]:
    there = {r["orderNumber"]: (k, r) for k, r in office.ap.imported.get("matchingOrders", {}).items()}
    lines = list(office.ap.imported.get("matchingOrderLines", {}).values())
    for order in office.erp.rows("PurchaseOrders"):
        closed = order["DocumentStatus"] != "bost_Open"
        code, found = there.get(str(order["DocNum"]), ("", None))
        if found is None:
            if not closed:
                yield f"order {order['DocNum']} is not there{_open(pair, 'purchase_orders')}"
            continue
        mine = {r["lineNumber"]: r for r in lines if r["orderExternalCode"] == code}
        if bool(found.get("isClosed")) != closed or len(mine) != len(order["DocumentLines"]):
            yield f"order {order['DocNum']}: closed {found.get('isClosed')} there, {closed} here"
        received = _received(office, order["DocEntry"])
        for line in order["DocumentLines"]:
            told = sum(Decimal(g["quantity"]) for g in mine.get(str(line["LineNum"]), {}).get("goodsReceipts") or [])
            if told != received.get(line["LineNum"], 0):
                yield f"order {order['DocNum']} line {line['LineNum']}: {told} received there, {received} here"


def _received(office: Office, entry: int) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = {}
    for note in office.erp.rows("PurchaseDeliveryNotes"):
        for line in note["DocumentLines"]:
            if line["BaseEntry"] == entry:
                sums[line["BaseLine"]] = sums.get(line["BaseLine"], Decimal(0)) + line["Quantity"]
    return sums


# ── our own rows ─────────────────────────────────────────────────────────────────────────────────────────────


def _sheets(history: History, office: Office, pair: Pair) -> Iterator[str]:
    for flow in TABLE.flows:
        ledger, sheet = pair.ledger(flow.name), Sheet(flow)
        done, left = list(ledger.finished()), list(ledger.unfinished())
        for chunk in (*done, *left):
            sheet.add_chunk(chunk)
        if not sheet.balanced:
            yield f"{flow.name} does not balance: {sheet.counts} {sheet.amounts}"
        for chunk in done:
            parts = chunk.delivered + chunk.unchanged + chunk.rejected + chunk.moved
            if parts != chunk.count:
                yield f"{flow.name} {chunk.id}: {chunk.count} records, {parts} outcomes"
        for key, times in Counter((c.id, c.done_at) for c in done).items():
            if times > 1:
                yield f"{flow.name} {key}: finished {times} times"
        for chunk in left:
            if chunk.state == "dead" or chunk.waiting_for is None:
                yield f"{flow.name} {chunk.id} is still {chunk.state} {chunk.step}: {chunk.cause} {chunk.reason}"
        for key, row in ledger.all_rows():
            if row.outcome is None:
                yield f"{flow.name} {key}: a row without an outcome"


def _audits(history: History, office: Office, pair: Pair) -> Iterator[str]:
    for flow in TABLE.flows:
        for chunk in pair.ledger(flow.name).finished():
            if not chunk.audits:
                yield f"{flow.name} {chunk.id}: done without an audit object"
            yield from audit.verify(history.plant.blobs, chunk)


def _crossed(history: History, office: Office, pair: Pair) -> Iterator[str]:
    for name in ("PurchaseInvoices", "PurchaseCreditNotes"):
        for row in office.erp.rows(name):
            if not str(row.get("NumAtCard") or "").startswith(office.name):
                yield f"{name} {row['DocNum']} is {row.get('NumAtCard')}"
    for row in office.ap.imported.get("vendors", {}).values():
        if not row["name"].startswith(office.name):
            yield f"vendor {row['vendorCode']} is {row['name']}"


# ── lines and secrets ────────────────────────────────────────────────────────────────────────────────────────


def _lines(history: History) -> Iterator[str]:
    for (tenant, system), line in sorted(history.lines.items()):
        if line.relogins:
            yield f"{tenant} {system}: {line.relogins} logins after a refusal"
        if line.requests > MOST_REQUESTS:
            yield f"{tenant} {system}: {line.requests} requests"
        for number, times in line.posts.items():
            if times > MOST_POSTS:
                yield f"{tenant}: {number} was sent {times} times"
    for office in history.offices:
        if office.erp.sessions.consecutive["manager"] >= 5:
            yield f"{office.name}: the ERP's user is locked"


def _secrets(history: History) -> Iterator[str]:
    """Look for planted secrets, tokens and session ids wherever something rests."""
    wanted = set(history.plant.planted)
    for office in history.offices:
        wanted |= set(office.ap.tokens) | set(office.erp.sessions.open)
    for where, text in _resting(history):
        for secret in wanted:
            if secret in text:
                yield f"a secret ({secret[:20]}…) rests in {where}"


def _resting(history: History) -> Iterator[tuple[str, str]]:
    for pk, sk, data, blob in history.plant.store.dump():
        yield f"row {pk} {sk}", data
        if blob:
            yield f"body {pk} {sk}", _unpacked(blob)
    for key in history.plant.blobs.keys(""):
        yield f"object {key}", gzip.decompress(history.plant.blobs.get(key) or b"").decode()
    for queue in history.plant.queues:
        yield f"messages of {queue.name}", "\n".join(sorted(queue.bodies))
    yield "the log", "\n".join(history.log.lines)


def _unpacked(blob: bytes) -> str:
    try:
        return zlib.decompress(blob).decode("utf-8", "replace")
    except zlib.error:
        return blob.decode("latin-1")
