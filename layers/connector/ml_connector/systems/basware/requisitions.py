"""Purchase requisitions: the ERP's orders, which P2P creates once and never changes (`docs/vendors/basware.md`).

The API takes the same requisition again, and P2P makes an error of it: from then on the two differ. So a requisition is
looked for by its external code before it is sent, and what changed in the ERP since is said and not sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from ml_connector.context import AdapterContext
from ml_connector.errors import NotYet, Rejected
from ml_connector.flow import Codes, Rendered, Sent, Verdict
from ml_connector.records import OrderLine, PurchaseOrder
from ml_connector.systems.basware.client import Basware
from ml_connector.systems.basware.limits import REQUISITIONS, entity
from ml_connector.systems.basware.orders import ONE, Orders, by_sum
from ml_connector.systems.basware.payloads import company, needed
from ml_connector.systems.basware.upserts import Masters, Stage
from ml_connector.systems.basware.verdicts import FATES, fates
from ml_connector.systems.http import listed
from ml_connector.systems.kit import compare
from ml_connector.systems.kit.money import reckoned

STAGE, PATH, TYPE = "requisitions", "/v1/purchaseRequisitions", "PurchaseRequisition"
CLOSED = "closed"
"""The stage, never sent, of an order that is open no more: it is not created, and what stands there stays."""
MOST_LINES, NUMBER = 200, 100
PLACES = Decimal("0.0000000001")
"""Of a price that is reckoned from the line's sum: a double holds as many."""
CENT = Decimal("0.005")
WAITS = timedelta(hours=24)
SAID = 5
"""Differences that are named; the others are counted."""
_LINE = {
    "supplierCode": "supplier",
    "buyerProductCode": "product",
    "quantity": "quantity",
    "quantityUnitCode": "unit",
    "unitPrice": "price",
    "currencyCode": "currency",
    "taxCode": "tax code",
    "taxPercent": "tax percentage",
    "refundLine": "refund",
}
_CODING = {
    "accountCode": "account",
    "costCenterCode": "cost center",
    **{f"dimCode{n}": f"dimension {n}" for n in range(1, 11)},
}
"""What is compared with what was created: what P2P buys and books by. Texts and settings are not."""


class Rendering(Orders):
    """Says orders as requisitions for one tenant."""

    def requisition(self, record: PurchaseOrder, codes: Codes, _touch: str | None = None) -> Rendered:
        """Say an order as one PurchaseRequisitionEntity. A replay writes nothing into it: it is never sent again.

        Raises `Held` for a code that is not mapped, `Rejected` for what Basware could never take.
        """
        code = self.context.outward("requisition", record.key)
        number = needed(record.number, "number", "order", record.key)
        if record.status != "open":
            return Rendered(record.key, code, {CLOSED: [{"number": number, "status": record.status}]})
        if not 1 <= len(record.lines) <= MOST_LINES:
            raise Rejected(
                f"Order {number} has {len(record.lines)} lines, and a requisition in Basware has 1 to {MOST_LINES}. "
                "Divide it into several orders in the ERP."
            )
        if len(number.strip()) < 2:
            raise Rejected(f"The order number '{number}' has one character; Basware needs two. Renumber it in the ERP.")
        with reckoned(f"Order {number}"):
            lines = [self._requested(record, line, codes) for line in record.lines]
        if all(line.get("refundLine") for line in lines):
            raise Rejected(f"Order {number} only gives back; Basware takes a requisition with a line that buys.")
        made = entity(
            "PurchaseRequisitionEntity",
            externalCode=code,
            extDocumentNumber=number,
            sendToProcess=True,
            organizationUnitCode=self.settings.organization_element_code or company(self.settings, codes),
            orderType="Standard",
            ownerEmail=self.settings.requisition_owner_email,
            purpose=(record.description or "").strip() or f"Purchase order {number}",
            lines=lines,
        )
        return Rendered(record.key, code, {STAGE: [made]})

    def _requested(self, record: PurchaseOrder, line: OrderLine, codes: Codes) -> dict[str, Any]:
        quantity, price = _bought(line)
        coding = self.coded(line, codes)
        unit = (line.unit or "").strip()
        return entity(
            "RequisitionLine",
            externalCode=self.context.outward("requisition line", record.key, line.key),
            extRequisitionLineNumber=_numbered(record, line),
            categoryCode=self.settings.category_code,
            supplierCode=needed(codes.platform("supplier", record.supplier), "supplier", "order", record.key),
            buyerProductCode=line.item,
            supplierProductName=line.description,
            description=line.description,
            paymentTermCode=codes.platform("term", record.payment_term) if record.payment_term else None,
            quantity=quantity,
            quantityUnitCode=unit,
            priceType="Net",
            refundLine=price < 0,
            unitPrice=price,
            currencyCode=needed(codes.platform("currency", record.currency), "currency", "order", record.key),
            taxCode=codes.platform("tax", line.tax_code) if line.tax_code else None,
            taxPercent=line.tax_percent if line.tax_percent is not None and line.tax_percent >= 0 else None,
            codingRows=[
                entity(
                    "RequisitionCodingRow",
                    externalCode=self.context.outward("requisition coding", record.key, line.key),
                    **coding,
                )
            ]
            if any(coding.values())
            else [],
        )


def _numbered(record: PurchaseOrder, line: OrderLine) -> str:
    """Give a line's number. The schema has no limit; where the line is exported it has one."""
    number = needed(line.number, "line number", "order", record.key)
    if len(number) > NUMBER:
        raise Rejected(
            f"Order {record.number} has a line number of {len(number)} characters; Basware takes {NUMBER} characters. "
            "Shorten it in the ERP; a number is never cut."
        )
    return number


def _bought(line: OrderLine) -> tuple[Decimal, Decimal]:
    """Give quantity and price of one, from which P2P reckons the line: a sum, as of a service, is one of its sum."""
    if by_sum(line):
        return ONE, line.net
    quantity, sign = abs(line.quantity), -1 if line.net < 0 or line.quantity < 0 else 1
    price = abs(line.unit_price) if line.unit_price is not None else None
    if price is None or abs(price * quantity - abs(line.net)) >= CENT:  # with a discount, or per hundred
        price = (abs(line.net) / quantity).quantize(PLACES).normalize()
    return quantity, sign * price


class Create(Stage):
    """Where requisitions go; the same again does harm."""

    safe = False


class Requisitions(Masters[PurchaseOrder]):
    """The target of orders that become requisitions."""

    once = True

    def __init__(self, client: Basware, rendering: Rendering, context: AdapterContext) -> None:
        """Create through the tenant's client."""
        self._client, self._clock = client, context.clock
        self._stage = Create(client, PATH, REQUISITIONS)
        super().__init__(
            {STAGE: self._stage},
            rendering.requisition,
            code=lambda key: context.outward("requisition", key),
            parents=True,
        )

    def standing(self, batch: Sequence[Rendered], /) -> dict[str, Verdict]:
        """Read each requisition: what P2P has stands; what it refused, or never got, may be sent.

        Raises `NotYet` while P2P is still at one of them, `Transient` where its absence is not proved.
        """
        there = {r.key: found for r in batch if (found := self._stage.read(r.target_id)) is not None}
        asked = {r.target_id: there[r.key] for r in batch if r.key in there and not r.known}
        refused = self._refused(asked)
        said: dict[str, Verdict] = {}
        for one in batch:
            found = there.get(one.key) if one.target_id not in refused else None
            if (verdict := _verdict(one, found)) is not None:
                said[one.key] = verdict
        return said

    def _refused(self, asked: Mapping[str, Mapping[str, Any]]) -> set[str]:
        """Name those of which P2P said nothing but that it does not take them: they were never created."""
        if not asked:
            return set()
        since = min(compare.moment(found.get("lastUpdated")) or self._clock.now() for found in asked.values())
        found = fates(self._client, TYPE, set(asked), since)
        late = self._clock.now() - WAITS
        if waits := sorted(c for c, f in found.items() if f == FATES.waits and _is_after(asked[c], late)):
            raise NotYet(f"Basware is still at requisition {waits[0]}; it is asked for soon.")
        bad = {code for code, fate in found.items() if fate == FATES.bad}
        return {c for c, f in fates(self._client, TYPE, bad, None).items() if f == FATES.bad} if bad else set()

    def verdicts(self, stage: str, batch: Sequence[Rendered], tokens: Sequence[str]) -> dict[str, Verdict] | None:
        """Ask what P2P made of them. What it refuses because it has it is there, whoever brought it."""
        found = super().verdicts(stage, batch, tokens)
        wrong = {r.target_id: r for r in batch if found and r.key in found and found[r.key].outcome == "rejected"}
        if not found or not wrong:
            return found
        fate = fates(self._client, TYPE, set(wrong), None)
        for code, one in wrong.items():
            if fate.get(code) == FATES.good and (present := self._stage.read(code)) is not None:
                found[one.key] = _verdict(one, present) or found[one.key]
        return found

    def _parent(self, rendered: Rendered, stage: str) -> str | None:
        """Name the supplier, which is on the lines."""
        return str(rendered.entities[stage][0]["lines"][0]["supplierCode"])

    def deactivate(self, keys: Sequence[str]) -> Sent:
        """Withdraw nothing: P2P lets nobody do that from here. What it never had is no error."""
        refused = {}
        for key in keys:
            if (present := self._stage.read(self.code_of(key))) is not None:
                number = present.get("extDocumentNumber") or key
                refused[key] = f"Order {number} is gone in the ERP, and its requisition stands in Basware. {_BY_HAND}"
        return Sent((), refused)


_BY_HAND = "A requisition cannot be changed from here: cancel it in P2P, or the order made of it, if it is not needed."


def _verdict(one: Rendered, found: Mapping[str, Any] | None) -> Verdict | None:
    """Judge what stands there against what the ERP has now; None where it may be created."""
    if (gone := next(iter(one.entities.get(CLOSED, ())), None)) is not None:
        if found is None:
            return Verdict("unchanged", f"Order {gone['number']} was closed before a requisition was made of it.")
        if gone["status"] == "cancelled":
            return _conflict(one, str(gone["number"]), f"it was cancelled. {_BY_HAND}")
        return Verdict("unchanged", f"Order {gone['number']} is closed; its requisition stays as it is in P2P.")
    if found is None:
        return None
    (ours,) = one.entities[STAGE]
    changes = list(_changes(ours, found))
    if not changes:
        return Verdict("unchanged", "It stands as it was created.")
    more = f" and {len(changes) - SAID} more" if len(changes) > SAID else ""
    return _conflict(
        one,
        str(ours["extDocumentNumber"]),
        f"{'; '.join(changes[:SAID])}{more}. A requisition cannot be changed from here: change it in P2P by hand, or "
        "the order made of it.",
    )


def _conflict(one: Rendered, number: str, what: str) -> Verdict:
    reason = f"Order {number} was created in Basware as a requisition, and changed since: {what}"
    return Verdict("held", reason, f"conflict:{one.key}")


def _changes(ours: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Say line by line what is otherwise in the ERP now."""
    there = {str(line.get("externalCode")): line for line in listed(found.get("lines")) if isinstance(line, dict)}
    for line in ours["lines"]:
        number, present = line["extRequisitionLineNumber"], there.pop(line["externalCode"], None)
        if present is None:
            yield f"line {number} is new"
            continue
        yield from _fields(f"line {number}", _LINE, line, present)
        yield from _fields(f"line {number}", _CODING, _first(line), _first(present))
    yield from (f"line {line.get('extRequisitionLineNumber')} is gone" for line in there.values())


def _first(line: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((row for row in listed(line.get("codingRows")) if isinstance(row, dict)), {})


def _fields(where: str, names: Mapping[str, str], ours: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[str]:
    for name, word in names.items():
        now, was = ours.get(name), present.get(name)
        if (now or None) != (was or None) and compare.difference(now, was) is not None:
            yield f"the {word} of {where} is {_shown(now)} and was {_shown(was)}"


def _shown(value: Any) -> str:
    return "empty" if value in (None, "") else f"{value:f}" if isinstance(value, Decimal) else str(value)


def _is_after(found: Mapping[str, Any], when: Any) -> bool:
    return (moment := compare.moment(found.get("lastUpdated"))) is not None and moment > when
