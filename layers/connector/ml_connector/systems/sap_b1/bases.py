"""What an invoice row is based on: the order's line, or what was received on it (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ml_connector.errors import Held
from ml_connector.records import CodingRow
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.orders import SERVICE
from ml_connector.systems.sap_b1.paging import Query
from ml_connector.systems.sap_b1.receipts import NOTE, ORDER, Receipts
from ml_connector.systems.sap_b1.replies import whole_number
from ml_connector.systems.sap_b1.wire import ZERO, DocumentRow, LineRow

FINE = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Ordered:
    """The order and the line that a coding row names."""

    order: DocumentRow
    line: LineRow

    @property
    def service(self) -> bool:
        """Tell whether it is an order of services: such lines have no quantity."""
        return self.order.doc_type == SERVICE


@dataclass(frozen=True, slots=True)
class Draw:
    """What is drawn from one base line. `quantity` None: a service."""

    base_type: int
    base_entry: int
    base_line: int
    quantity: Decimal | None = None

    def fields(self) -> dict[str, object]:
        """Give the link in the server's words."""
        return {"BaseType": self.base_type, "BaseEntry": self.base_entry, "BaseLine": self.base_line}


class Bases:
    """Finds base documents for the rows of one invoice, and remembers what the rows before have drawn."""

    def __init__(self, layer: ServiceLayer, card_code: str) -> None:
        self._layer, self._receipts, self._card_code = layer, Receipts(layer), card_code
        self._orders: dict[str, DocumentRow] = {}
        self._notes: dict[int, list[DocumentRow]] = {}
        self._drawn: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)

    def find(self, row: CodingRow) -> Ordered | None:
        """Find the order's line that a row names; None where it names none.

        Raises `Held` where the order or its line is not there.
        """
        if not row.order_number:
            return None
        order = self._order(row.order_number)
        if not row.order_line:
            return Ordered(order, order.lines[0]) if len(order.lines) == 1 else None
        for line in order.lines:
            if str(line.line_num) == row.order_line.strip():
                return Ordered(order, line)
        raise Held(
            f"order:{row.order_number}",
            f"Order {row.order_number} has no line {row.order_line} (lines are numbered by LineNum). Correct the "
            "invoice's order reference on the platform.",
        )

    def draw(self, ordered: Ordered, row: CodingRow, net: Decimal) -> list[Draw]:
        """Take a row's quantity from open receipts first, then from the order itself.

        Raises `Held` where not enough is open.
        """
        bases = list(self._open(ordered, row.receipt_number))
        if ordered.service:
            if not bases:
                raise _nothing_open(ordered, row)
            return [bases[0][0]]
        stated = row.quantity is not None and row.quantity > 0
        available = sum((left for _, left in bases), ZERO)
        wanted = row.quantity if stated and row.quantity is not None else _guess(ordered.line, row, net, available)
        if available <= 0 or wanted > available:
            raise _nothing_open(ordered, row, wanted, available)
        return self._take(bases, wanted)

    def _take(self, bases: list[tuple[Draw, Decimal]], wanted: Decimal) -> list[Draw]:
        draws = []
        for base, left in bases:
            part = min(left, wanted)
            if part > 0:
                draws.append(Draw(base.base_type, base.base_entry, base.base_line, part))
                self._drawn[base.base_type, base.base_entry, base.base_line] += part
                wanted -= part
        return draws

    def _open(self, ordered: Ordered, receipt_number: str | None) -> Iterator[tuple[Draw, Decimal]]:
        """List what is still open for a line: the receipt that the row names, the other receipts, the order."""
        order, wanted = ordered.order, ordered.line
        if order.doc_entry not in self._notes:
            self._notes[order.doc_entry] = self._receipts.notes_on(order)
        notes = sorted(self._notes[order.doc_entry], key=lambda note: note.number != (receipt_number or ""))
        for note in notes:
            for line in note.lines:
                based = (line.base_type, line.base_entry, line.base_line)
                if based == (ORDER, order.doc_entry, wanted.line_num) and line.open:
                    yield self._left(NOTE, note.doc_entry, line)
        if wanted.open and order.document_status != "bost_Close":
            yield self._left(ORDER, order.doc_entry, wanted)

    def _left(self, base_type: int, entry: int, line: LineRow) -> tuple[Draw, Decimal]:
        left = line.remaining_open_quantity if line.remaining_open_quantity is not None else line.quantity
        drawn = self._drawn[base_type, entry, line.line_num]
        return Draw(base_type, entry, line.line_num), max(ZERO, (left or ZERO) - drawn)

    def _order(self, number: str) -> DocumentRow:
        if number not in self._orders:
            self._orders[number] = self._choose(number)
        return self._orders[number]

    def _choose(self, number: str) -> DocumentRow:
        """Choose by supplier, since a DocNum may occur in several years; then the newest open one."""
        held = Held(
            f"order:{number}",
            f"SAP Business One has no purchase order {number} of supplier {self._card_code}. Correct the invoice's "
            "order reference on the platform, or enter the order.",
        )
        if whole_number(number.strip()) is None:
            raise held
        query = Query("PurchaseOrders", DocumentRow, "DocEntry", f"DocNum eq {int(number)}")
        own = [row for row in self._layer.rows(query) if row.card_code == self._card_code and not row.void]
        if not own:
            raise held
        return max(own, key=lambda row: (row.document_status != "bost_Close", row.doc_entry))


def _nothing_open(ordered: Ordered, row: CodingRow, wanted: Decimal | None = None, left: Decimal = ZERO) -> Held:
    how = f": {wanted} invoiced, {left} open" if wanted is not None else ""
    return Held(
        f"order:{row.order_number}",
        f"Line {ordered.line.line_num} of order {row.order_number} has not enough open to invoice{how}. Receive the "
        "goods or reopen the order in SAP Business One, or correct the invoice.",
    )


def _guess(line: LineRow, row: CodingRow, net: Decimal, available: Decimal) -> Decimal:
    """Work the quantity out of net and price, where the row names none; never more than is open."""
    price = row.unit_price or line.price or line.unit_price
    if not price:
        return available
    quantity = (net / price).quantize(FINE, ROUND_HALF_UP).normalize()
    return min(available, quantity) if quantity > 0 else available
