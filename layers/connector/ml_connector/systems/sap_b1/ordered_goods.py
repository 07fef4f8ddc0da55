"""What an invoice row is based on: the order's line, or what was received on it (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from ml_connector.errors import Held
from ml_connector.folding import same
from ml_connector.records import CodingRow
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.faults import whole_number
from ml_connector.systems.sap_b1.orders import SERVICE
from ml_connector.systems.sap_b1.query import Query
from ml_connector.systems.sap_b1.receipts import NOTE, ORDER, Receipts
from ml_connector.systems.sap_b1.rows import ZERO, DocumentRow, LineRow

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

    @property
    def by_sum(self) -> bool:
        """Tell whether the line is drawn by its amount: a service, or a sum among goods."""
        return self.service or self.line.by_sum


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn from one base line, of a document of a branch. `quantity` None: a sum."""

    base_type: int
    base_entry: int
    base_line: int
    quantity: Decimal | None = None
    branch: int | None = None

    def fields(self) -> dict[str, object]:
        """Give the link in the server's words."""
        return {"BaseType": self.base_type, "BaseEntry": self.base_entry, "BaseLine": self.base_line}


class OrderedGoods:
    """Finds base documents for the rows of one invoice, and remembers what the rows before have drawn.

    `branches` names, by branch, an order that something was drawn on.
    """

    def __init__(self, layer: ServiceLayer, draft: Draft) -> None:
        self._layer, self._receipts, self._draft = layer, Receipts(layer), draft
        self._invoice, self._card_code, self._currency = draft.invoice, draft.supplier, draft.currency
        self.branches: dict[int, str] = {}
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
        line = _line_of(order, row)
        if line is not None or not row.order_line:
            return Ordered(order, line) if line is not None else None
        raise self._draft.no_line(row.order_number, row.order_line, "LineNum")

    def draw(self, ordered: Ordered, row: CodingRow, net: Decimal) -> list[Drawn]:
        """Take a row's quantity from open receipts first, then from the order itself.

        Raises `Held` where not enough is open.
        """
        bases = list(self._open(ordered, row.receipt_number))
        if ordered.by_sum:
            if not bases:
                raise _nothing_open(ordered, row)
            return self._noted(ordered, [bases[0][0]])
        stated = row.quantity is not None and row.quantity > 0
        available = sum((left for _, left in bases), ZERO)
        wanted = row.quantity if stated and row.quantity is not None else _guess(ordered.line, row, net, available)
        if available <= 0 or wanted > available:
            raise _nothing_open(ordered, row, wanted, available)
        return self._noted(ordered, self._take(bases, wanted))

    def named_branch(self) -> int | None:
        """Tell the branch of the orders that the rows name, drawn on or not; None where there are several or none."""
        found: set[int] = set()
        for number in {row.order_number for row in self._invoice.rows if row.order_number}:
            try:
                branch = self._order(number).branch
            except Held:
                continue  # a credit note needs no order
            if branch is not None and branch > 0:  # a company without branches may say 0 or -1
                found.add(branch)
        return found.pop() if len(found) == 1 else None

    def _noted(self, ordered: Ordered, draws: list[Drawn]) -> list[Drawn]:
        for draw in draws:
            branch = draw.branch if draw.branch is not None else ordered.order.branch
            if branch is not None and branch > 0:  # a company without branches may say 0 or -1
                self.branches.setdefault(branch, ordered.order.number)
        return draws

    def _take(self, bases: list[tuple[Drawn, Decimal]], wanted: Decimal) -> list[Drawn]:
        draws = []
        for base, left in bases:
            part = min(left, wanted)
            if part > 0:
                draws.append(replace(base, quantity=part))
                self._drawn[base.base_type, base.base_entry, base.base_line] += part
                wanted -= part
        return draws

    def _open(self, ordered: Ordered, receipt_number: str | None) -> Iterator[tuple[Drawn, Decimal]]:
        """List what is still open for a line: the receipt that the row names, the other receipts, the order."""
        order, wanted = ordered.order, ordered.line
        notes = sorted(self._notes_on(order), key=lambda note: note.number != (receipt_number or ""))
        for note in notes:
            for line in note.lines:
                based = (line.base_type, line.base_entry, line.base_line)
                if based == (ORDER, order.doc_entry, wanted.line_num) and line.open:
                    yield self._left(NOTE, note, line)
        if wanted.open and order.document_status != "bost_Close":
            yield self._left(ORDER, order, wanted)

    def _notes_on(self, order: DocumentRow) -> list[DocumentRow]:
        if order.doc_entry not in self._notes:
            self._notes[order.doc_entry] = self._receipts.notes_on(order)
        return self._notes[order.doc_entry]

    def _left(self, base_type: int, document: DocumentRow, line: LineRow) -> tuple[Drawn, Decimal]:
        left = line.remaining_open_quantity if line.remaining_open_quantity is not None else line.quantity
        drawn = self._drawn[base_type, document.doc_entry, line.line_num]
        draw = Drawn(base_type, document.doc_entry, line.line_num, branch=document.branch)
        return draw, max(ZERO, (left or ZERO) - drawn)

    def _order(self, number: str) -> DocumentRow:
        if number not in self._orders:
            self._orders[number] = self._choose(number)
        return self._orders[number]

    def _choose(self, number: str) -> DocumentRow:
        """Choose by supplier, since a DocNum may occur in several years and number series; see `_of_several`."""
        if whole_number(number.strip()) is None:
            raise self._draft.no_order(number)
        query = Query("PurchaseOrders", DocumentRow, "DocEntry", f"DocNum eq {int(number)}")
        own = [row for row in self._layer.rows(query) if same(row.card_code, self._card_code) and not row.void]
        if not own:
            raise self._draft.no_order(number)
        return own[0] if len(own) == 1 else self._of_several(number, own)

    def _of_several(self, number: str, own: list[DocumentRow]) -> DocumentRow:
        """Choose among orders of one number: where something is open, where the rows fit, then the newest."""
        able = [order for order in own if self._drawable(order)] or own
        ranks = {order.doc_entry: self._rank(number, order) for order in able}
        chosen = max(able, key=lambda order: (ranks[order.doc_entry], order.doc_entry))
        if len(able) > 1:
            alone = list(ranks.values()).count(ranks[chosen.doc_entry]) == 1
            why = "whose lines fit the invoice best" if alone else "the newest, since the invoice fits them alike"
            named = " and ".join(map(_described, sorted(able, key=lambda order: order.doc_entry)))
            self._draft.notes.append(
                f"Purchase order number {number} of supplier {self._card_code} stands for {named}. Taken: document "
                f"{chosen.doc_entry}, {why}. If that is wrong, cancel the posting and close the other order first."
            )
        return chosen

    def _drawable(self, order: DocumentRow) -> bool:
        """Tell whether something may still be invoiced: on the order, or on what was received for it."""
        if order.document_status != "bost_Close" and any(line.open for line in order.lines):
            return True
        return any(line.open for note in self._notes_on(order) for line in note.lines)

    def _rank(self, number: str, order: DocumentRow) -> tuple[bool, int]:
        """Say how well an order fits the rows that name its number: whether they can be of it, and how many agree."""
        if order.currency not in {None, self._currency}:
            return False, 0
        fits, alike = True, 0
        for row in self._invoice.rows:
            if row.order_number == number:
                line = _line_of(order, row)
                fits = fits and line is not None and _within(row, line)
                alike += line is not None and (row.net == line.net or row.unit_price == (line.price or line.unit_price))
        return fits, alike


def _line_of(order: DocumentRow, row: CodingRow) -> LineRow | None:
    """Find the line that a row names, or the only one."""
    if not row.order_line:
        return order.lines[0] if len(order.lines) == 1 else None
    return next((line for line in order.lines if str(line.line_num) == (row.order_line or "").strip()), None)


def _within(row: CodingRow, line: LineRow) -> bool:
    """Tell whether a row states no more than its line ordered."""
    much = row.net is not None and row.net > line.net
    many = row.quantity is not None and bool(line.quantity) and row.quantity > (line.quantity or ZERO)
    return not much and not many


def _described(order: DocumentRow) -> str:
    series = f"series {order.series}" if order.series is not None else "no series stated"
    return f"document {order.doc_entry} ({series}, dated {(order.doc_date or 'never')[:10]})"


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
