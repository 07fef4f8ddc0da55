"""What must hold of the records that one side has in bulk from the other, after every history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ml_connector.engine.ledger import shared
from ml_connector.engine.ledger.fingerprint import fingerprint, same_settings

if TYPE_CHECKING:
    from ml_connector.engine.tenant_integration import TenantIntegration
    from tests.simulation.history import History
    from tests.simulation.worlds import Office


def masters(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    imported = office.ap.imported
    there = {
        office.erp.suppliers_flow: {r["vendorCode"]: r["name"] for r in imported.get("vendors", {}).values()},
        "accounts": {r["accountCode"]: _name(r["accountNames"]) for r in imported.get("accounts", {}).values()},
        office.erp.centers_flow: {
            r["costCenterCode"]: _name(r["costCenterNames"]) for r in imported.get("costCenters", {}).values()
        },
    }
    for flow, here in office.erp.masters().items():
        for code in sorted(there[flow].keys() | here.keys()):
            if flow == office.erp.centers_flow and code in held_as_edited(office, pair):
                continue
            by_hand = office.hand_edits.get(code) if flow == office.erp.centers_flow else None
            if by_hand is not None and there[flow].get(code) != by_hand:
                yield f"{flow} {code}: {there[flow].get(code)!r} there, where people had written {by_hand!r}"
            elif by_hand is None and there[flow].get(code) != here.get(code):
                told = f"{there[flow].get(code)!r} there, {here.get(code)!r} here"
                yield f"{flow} {code}: {told}{open_chunks(pair, flow)}"
    for row in imported.get("accounts", {}).values():
        if office.language not in {name["language"] for name in row["accountNames"]}:
            yield f"account {row['accountCode']} is in {row['accountNames']}, and the setting is {office.language}"


def held_as_edited(office: Office, pair: TenantIntegration) -> set[str]:
    """Name cost centers that are rightly held as edited at the platform, though nobody edited them.

    What was sent is not known after a move, after a restore, and where another installation sends as well.
    """
    if not (office.forgotten_orders or office.rolled_back or office.rivalled):
        return set()
    waits = [c.waiting_for or "" for c in pair.ledger(office.erp.centers_flow).unfinished()]
    return {one.removeprefix("conflict:") for one in waits if one.startswith("conflict:")}


def agreed(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    """What people may change on both sides: both agree, and where it was the platform last, on that."""
    if office.rolled_back:
        return
    there: dict[tuple[str, str], str] = {}
    for one in office.ap.entities.get("vendors", {}).values():
        terms, ids = one.record.get("paymentTerms") or {}, one.record.get("identifiers") or []
        there[one.record["vendorCode"], "term"] = terms.get("paymentTermCode") or ""
        there[one.record["vendorCode"], "vat"] = next((i["id"] for i in ids if i["schemeId"] == "VAT"), "")
    for place, here in sorted(office.erp.shared().items()):
        side, value = office.shared.get(place, ("", ""))
        waits = open_chunks(pair, "supplier_enrichment")
        if here != there.get(place, "") and "conflict:" not in waits:
            yield f"{place}: {there.get(place)!r} there, {here!r} here, changed last: {side} {value!r}{waits}"
        elif side == "platform" and here != value and "conflict:" not in waits:
            yield f"{place}: {here!r} on both sides, and the platform had changed it to {value!r}{waits}"


def _name(names: list[Any]) -> str:
    return str(names[0]["translation"])


def requisitions(office: Office, pair: TenantIntegration) -> Iterator[str]:
    """Each open order is one requisition, whatever changed since; what closed before may have none."""
    there = Counter(r["extDocumentNumber"] for r in office.ap.imported.get("purchaseRequisitions", {}).values())
    for order in office.erp.orders():
        if there[order.number] > 1:
            yield f"DOUBLED order {order.number}: {there[order.number]} requisitions"
        elif not order.closed and not there[order.number]:
            yield f"LOST order {order.number}: it has no requisition{open_chunks(pair, 'purchase_orders')}"


def orders(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    """The platform shows each order as the ERP has it, with what was received."""
    if office.erp.requisitions:
        yield from requisitions(office, pair)
        return
    there = {r["orderNumber"]: (k, r) for k, r in office.ap.imported.get("matchingOrders", {}).items()}
    lines = list(office.ap.imported.get("matchingOrderLines", {}).values())
    known = {key for key, _ in pair.ledger("purchase_orders").all_rows()}
    for order in office.erp.orders():
        code, found = there.get(order.number, ("", None))
        if found is None:
            if not order.closed:
                yield f"order {order.number} is not there{open_chunks(pair, 'purchase_orders')}"
            continue
        if order.closed and order.id in office.forgotten_orders and order.id not in known:
            continue  # it closed before the new scope began: that finishes nothing of the old, and follows open orders
        mine = {r["lineNumber"]: r for r in lines if r["orderExternalCode"] == code}
        if bool(found.get("isClosed")) != order.closed or len(mine) != len(order.received):
            yield f"order {order.number}: closed {found.get('isClosed')} there, {order.closed} here"
        for number, received in order.received.items():
            told = sum(Decimal(g["quantity"]) for g in mine.get(number, {}).get("goodsReceipts") or [])
            if told != received:
                yield f"order {order.number} line {number}: {told} received there, {received} here"


def known(pair: TenantIntegration, flow: Any, rows: dict[str, Any], edited: Collection[str]) -> Iterator[str]:
    """Read the source once more: each of its records has a row, delivered as it is now, or `edited` at the platform."""
    for page in pair.master_source(flow).pages(None, None):
        for record in page.records:
            row = rows.get(record.key)
            if row is None:
                yield f"LOST {flow.name} {record.key}: no row"
                continue
            now = fingerprint(_own(pair, flow, record), pair.shape(flow))
            if record.key not in edited and (row.outcome != "delivered" or not _as_now(pair, row, now)):
                yield f"{flow.name} {record.key}: {row.outcome} {row.reason} {row.delivered_fp}, not as it is now"


def _own(pair: TenantIntegration, flow: Any, record: Any) -> Any:
    """Leave out what people change on both sides: that is compared with what was agreed on."""
    return shared.without(record) if pair.is_enriched(flow) else record


def _as_now(pair: TenantIntegration, row: Any, now: str) -> bool:
    """Tell whether a record stands as it would go out now: mappings that its body does not use do not count."""
    before = row.delivered_fp or ""
    if _unversioned(before) == _unversioned(now):
        return True
    then, today, codes = before.split("."), now.split("."), pair.codes()
    return (
        len(then) == 3
        and then[2] == today[2]
        and same_settings(then[1], today[1])
        and row.used is not None
        and all(codes.platform(*name.split(":", 1)) == became for name, became in row.used.items())
    )


def _unversioned(known: str | None) -> str:
    """Leave the release out: what another one delivered stays delivered."""
    return (known or "").partition(".")[2]


def open_chunks(pair: TenantIntegration, flow: str) -> str:
    ledger = pair.ledger(flow)
    return "".join(f"; {c.id} {c.state} {c.step} {c.waiting_for} {c.reason}" for c in ledger.unfinished())
