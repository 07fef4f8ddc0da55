"""Purchase orders: the ERP's as matching orders with lines and receipts, and those that P2P exports.

What is known of them stands in `docs/vendors/basware.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ml_connector.context import AdapterContext
from ml_connector.errors import LoginRefused, Rejected
from ml_connector.flow import Codes, Rendered
from ml_connector.records import OrderLine, PurchaseOrder, Receipt
from ml_connector.systems.basware import invoice_document as doc
from ml_connector.systems.basware import rights
from ml_connector.systems.basware.client import Basware, quoted
from ml_connector.systems.basware.limits import entity
from ml_connector.systems.basware.payloads import company, needed, touched
from ml_connector.systems.basware.settings import Settings
from ml_connector.systems.http import dumps
from ml_connector.systems.kit.bodies import one_of
from ml_connector.systems.kit.compare import comparable
from ml_connector.systems.kit.money import reckoned

ONE, SHARE = Decimal(1), Decimal("0.000001")
CODE_LIMIT = 100


class Orders:
    """Says orders in Basware's words for one tenant."""

    def __init__(self, settings: Settings, context: AdapterContext) -> None:
        """Keep what shapes the entities."""
        self.settings, self.context = settings, context

    def order(self, record: PurchaseOrder, codes: Codes, touch: str | None = None) -> Rendered:
        """Say an order as one OrderEntity and its OrderLineEntities. A replay writes into the `text10` of each.

        Raises `Held` for a code that is not mapped, `Rejected` for what Basware could never take.
        """
        code = self.context.outward("order", record.key)
        header = self._header(record, codes, code)
        with reckoned(f"Order {record.number}"):
            lines = [
                entity("OrderLineEntity", **touched(self._line(record, line, codes, code), "text10", touch))
                for line in record.lines
            ]
        return Rendered(
            record.key, code, {"orders": [entity("OrderEntity", **touched(header, "text10", touch))], "lines": lines}
        )

    def _header(self, record: PurchaseOrder, codes: Codes, code: str) -> dict[str, Any]:
        where = company(self.settings, codes)
        element = self.settings.organization_element_code or where
        if len(element) < 2:
            raise Rejected(
                f"The organization element '{element}' has one character and Basware needs two; "
                "set 'organization_element_code' in the tenant's basware secret."
            )
        return {
            "externalCode": code,
            "orderNumber": needed(record.number, "number", "order", record.key),
            "sourceSystem": self.settings.source_system,
            "companyCode": where,
            "organizationElementCode": element,
            "currencyCode": needed(codes.platform("currency", record.currency), "currency", "order", record.key),
            "supplierCode": needed(codes.platform("supplier", record.supplier), "supplier", "order", record.key),
            "created": record.created,
            "isClosed": record.status != "open",
            "description": record.description,
            "paymentTermCode": codes.platform("term", record.payment_term) if record.payment_term else None,
        }

    def _line(self, record: PurchaseOrder, line: OrderLine, codes: Codes, order: str) -> dict[str, Any]:
        return {
            "externalCode": self.context.outward("line", record.key, line.key),
            "orderExternalCode": order,
            "lineNumber": needed(line.number, "line number", "order", record.key),
            **_matching(line),
            "currencyCode": codes.platform("currency", record.currency),
            "isClosed": line.closed or record.status != "open",
            "isDeleted": record.status == "cancelled",
            "uom": line.unit,
            "taxCode": codes.platform("tax", line.tax_code) if line.tax_code else None,
            "taxPercent": line.tax_percent if line.tax_percent is not None and line.tax_percent >= 0 else None,
            "productCode": line.item,
            "productName": line.description,
            "description": line.description,
            "orderLineCoding": self._coding(record, line, codes),
            "goodsReceipts": [self._receipt(record, line, receipt) for receipt in line.receipts],
        }

    def coded(self, line: OrderLine, codes: Codes) -> dict[str, str | None]:
        """Give the fields of a line's one coding row that say what it is booked by."""
        listed = {code for name, code in line.dimensions if name in self.settings.dimension_lists}
        center = line.cost_center if line.cost_center not in listed else None
        return {
            "accountCode": codes.platform("account", line.account) if line.account else None,
            "costCenterCode": codes.platform("cost_center", center) if center else None,
            **self._dimensions(line, codes),
        }

    def _coding(self, record: PurchaseOrder, line: OrderLine, codes: Codes) -> list[dict[str, Any]]:
        coded = self.coded(line, codes)
        if not any(coded.values()):
            return []
        return [
            entity(
                "OrderLineCodingEntity",
                externalCode=self.context.outward("coding", record.key, line.key),
                rowIndex=1,
                **coded,
                netTotal=line.net,
                allocatedQuantity=ONE if by_sum(line) else abs(line.quantity),
            )
        ]

    def _dimensions(self, line: OrderLine, codes: Codes) -> dict[str, str]:
        """Give the codes of the dimensions that have a list; the others have no place in Basware."""
        places = self.settings.dimension_fields()
        return {
            f"dimCode{places[name]}": codes.platform("cost_center", code)
            for name, code in line.dimensions
            if name in places
        }

    def _receipt(self, record: PurchaseOrder, line: OrderLine, receipt: Receipt) -> dict[str, Any]:
        """A receipt; a return is a negative one that names the receipt it takes back.

        The price goes along where it is known: without one, reversing a part sets the original's sum to zero.
        """
        reverses = self.context.outward("receipt", record.key, line.key, receipt.reverses) if receipt.reverses else None
        return entity(
            "GoodsReceiptEntity",
            externalCode=self.context.outward("receipt", record.key, line.key, receipt.key),
            goodsReceiptNumber=needed(receipt.number, "receipt number", "order", record.key),
            quantity=_received(line, receipt),
            netSum=receipt.net,
            netPrice=None if by_sum(line) else line.unit_price,
            deliveryDate=receipt.received_on,
            referenceGRExternalCode=reverses,
        )


def by_sum(line: OrderLine) -> bool:
    """Tell whether a line is a sum: a service, or one without a quantity, such as freight."""
    return line.service or line.quantity == 0


def _received(line: OrderLine, receipt: Receipt) -> Decimal:
    """Give the quantity received; of a sum that came without one, its share of the line, which counts as 1."""
    if receipt.quantity != 0 or not by_sum(line):
        return receipt.quantity
    if receipt.net and line.net:
        return (receipt.net / line.net).quantize(SHARE, ROUND_HALF_UP).normalize()
    return -ONE if receipt.reverses else ONE


def _matching(line: OrderLine) -> dict[str, Any]:
    """Choose the matching mode, and keep its rules.

    A line by its sum is `Blanket`: quantity 1, receipts not required. `Service` would need every one to be received,
    takes no coding, and the mode would have to change when the first receipt comes in. A line with a negative amount
    is a `Return`. All others are `Standard` and matched against their receipts.
    """
    if by_sum(line) and line.net >= 0:
        return {
            "matchingMode": "Blanket",
            "quantity": ONE,
            "netSum": line.net,
            "netPrice": line.net,
            "isReceiptRequired": False,
            "isReceiptBasedMatching": False,
        }
    quantity = ONE if by_sum(line) else abs(line.quantity)
    back = line.net < 0 or line.quantity < 0
    sign = -1 if back else 1
    price = line.net if by_sum(line) else line.unit_price
    return {
        "matchingMode": "Return" if back else "Standard",
        "quantity": quantity,
        "netSum": sign * abs(line.net),
        "netPrice": sign * abs(price) if price is not None else None,
        "isReceiptRequired": not back,
        "isReceiptBasedMatching": not back,
    }


# ── orders of P2P's own ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Exports:
    """One kind of what P2P exports, and the fields of its number, the ERP's numbers and how it stands."""

    what: str
    key: str
    number: str
    erp: tuple[str, ...]
    status: str

    @property
    def scope(self) -> str:
        """The right to read it."""
        return f"{self.key}.read"


EXPORTED_ORDERS = Exports(
    "order", "exportedPurchaseOrders", "orderNumber", ("extOrderNumber", "extRequisitionNumber"), "orderStatus"
)
EXPORTED_REQUISITIONS = Exports(
    "requisition",
    "exportedPurchaseRequisitions",
    "requisitionNumber",
    ("extRequisitionNumber", "extOrderNumber"),
    "requisitionStatus",
)


@dataclass(frozen=True, slots=True)
class ExportedOrder:
    """An order or a requisition as Basware shows it now; `stamp` compares as text.

    `number` is P2P's, `erp_number` the ERP's where the order came from there. `status` is how the order stands
    (Ordered, Received, Closed, …), `export` whether somebody has acknowledged it (WaitingForExport, Exported).
    """

    key: str
    number: str
    erp_number: str | None = None
    status: str | None = None
    export: str | None = None
    stamp: str | None = None


class ExportedOrders:
    """Reads what is exported of the tenant's companies, and acknowledges none of it: others may wait for it."""

    def __init__(self, client: Basware, kind: Exports = EXPORTED_ORDERS) -> None:
        """Ask through the tenant's client; its token needs the scope of the kind."""
        self._client, self._kind = client, kind

    def fetch(self, key: str) -> ExportedOrder | None:
        """Read one by its external code; None where there is none, or it is of a company that is not ours.

        Raises `Rejected` where it cannot be read as such or the client has no right to read one, `LoginRefused` where
        the server refuses although its token has the scope.
        """
        if not key.strip() or len(key) > CODE_LIMIT:
            raise Rejected(f"'{key[:CODE_LIMIT]}' is no external code of an exported {self._kind.what}.")
        self._must_be_allowed(key)
        try:
            answer = self._client.get(f"/v1/{self._kind.key}/{quoted(key)}")
        except LoginRefused:
            self._must_be_allowed(key)  # the new token that came of the refusal may tell why
            raise
        found = one_of(answer, self._kind.key)
        if found is None or doc.text(found, "companyCode") not in (None, *self._client.settings.companies):
            return None
        return self._order(key, found)

    def _must_be_allowed(self, key: str) -> None:
        scope, what = self._kind.scope, self._kind.what
        if scope in self._client.lacking():
            raise Rejected(f"A notice came of the {what} {key}, which was not read: {rights.lack({scope})}")

    def _order(self, key: str, found: dict[str, Any]) -> ExportedOrder:
        kind = self._kind
        number = doc.text(found, kind.number)
        shown = doc.text(found, "externalCode")
        if number is None or shown != key:
            wrong = f"has no {kind.number}" if number is None else f"is {shown}"
            raise Rejected(f"The exported {kind.what} {key} that Basware gave {wrong}: {dumps(found)[:300]}")
        return ExportedOrder(
            key=key,
            number=number,
            erp_number=next(filter(None, (doc.text(found, name) for name in kind.erp)), None),
            status=doc.text(found, kind.status),
            export=doc.text(found, "processingStatus"),
            stamp=comparable(doc.text(found, "lastUpdated")),
        )
