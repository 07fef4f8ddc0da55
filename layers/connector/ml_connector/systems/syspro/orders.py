"""Purchase orders with their lines, and what was received and sent back on them (`docs/vendors/syspro.md`).

Receipts stand in GrnDetails, and in PorHistReceipt where a company does without goods received notes; neither moves
any date of its order. In both a negative quantity is a return.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Literal

from ml_connector.flow import Broken
from ml_connector.records import OrderLine, PurchaseOrder, Receipt
from ml_connector.systems.kit.masters import begin
from ml_connector.systems.kit.orders import Phase, ReceiptBook, each
from ml_connector.systems.kit.rows import Batch, plain
from ml_connector.systems.kit.tables import Row, amount, day, latest, query, short, text
from ml_connector.systems.syspro.client import Client

ORDERS = query(
    "PorMasterHdr",
    "PurchaseOrder OrderStatus CancelledFlag Supplier OrderEntryDate DatePoCompleted Currency TermsCode "
    "PaymentTerms AmendedCount",
    "PurchaseOrder",
)
LINES = query(
    "PorMasterDetail",
    "PurchaseOrder Line LineType MStockCode MStockDes MOrderUom MOrderQty MPrice MForeignPrice MTaxCode "
    "MCompleteFlag MGlCode NComment NMscChargeValue",
    "PurchaseOrder Line",
)
NOTES = query(
    "GrnDetails",
    "Supplier Grn GrnSource Journal JournalEntry PurchaseOrder PurchaseOrderLin QtyReceived OrigReceiptDate",
    "Supplier Grn GrnSource Journal JournalEntry",
)
HISTORY = query(
    "PorHistReceipt",
    "PurchaseOrder PurchaseOrderLin DateReceived QtyReceived Reference",
    "PurchaseOrder PurchaseOrderLin DateReceived",
    whole=True,
    names=("PurchaseOrder", "PurchaseOrderLin", "DateReceived", "QtyReceived", "Reference"),
)
CANCELLED = frozenset({"*", "/"})
"""Order statuses, of two sources; CancelledFlag says it as well."""
COMPLETE = "9"
ZERO = Decimal(0)
CenterOf = Callable[[str], str | None]
"""Tells the cost center of a ledger code."""


class Orders:
    """The `kit.orders.Purchasing` of a company."""

    def __init__(self, client: Client, center_of: CenterOf, start: date | None = None) -> None:
        """`start`: older orders are not taken up at the first reading."""
        self._client, self._center_of, self._start = client, center_of, start

    def changed(self, phase: Phase, since: str | None, place: str | None) -> Iterator[Batch[Row]]:
        """Read by date: orders by entry and completion, receipts by theirs; `returns` are those of the history."""
        first = begin(since) if since else self._start
        columns = {
            "orders": ("OrderEntryDate", *(("DatePoCompleted",) if since else ())),
            "receipts": ("OrigReceiptDate",),
            "returns": ("DateReceived",),
        }[phase]
        asked = {"orders": ORDERS, "receipts": NOTES, "returns": HISTORY}[phase]
        either = tuple(((column, "GE", first),) for column in columns) if first else ()
        return self._client.pages(replace(asked, either=either), place)

    def long_closed(self, row: Row) -> bool:
        """Leave out at the first reading what is closed or cancelled."""
        try:
            return status(row) != "open"
        except ValueError:
            return False

    def orders_named_by(self, phase: Phase, rows: Sequence[Row]) -> set[str]:  # noqa: ARG002 - the same for both
        """Name the orders of receipts."""
        return {row["PurchaseOrder"] for row in rows if row["PurchaseOrder"].strip()}

    def by_keys(self, keys: Sequence[str]) -> Iterator[Batch[Row]]:
        """Read orders by their numbers as they stand."""
        return self._client.by_keys(ORDERS, keys)

    def convert(self, rows: Sequence[Row], broken: list[Broken]) -> list[PurchaseOrder]:
        """Convert orders with their lines and receipts; of the history only where no note is, since it repeats them."""
        keys, bad = [row["PurchaseOrder"] for row in rows], dict[str, Broken]()
        read = partial(self._client.grouped, column="PurchaseOrder", broken=bad)
        lines, notes = read(LINES, keys=keys), read(NOTES, keys=keys)
        received = notes | read(HISTORY, keys=[key for key in keys if key not in notes])
        broken += bad.values()
        return each(
            [row for row in rows if row["PurchaseOrder"] not in bad],
            lambda row: self._order(row, lines[row["PurchaseOrder"]], received.get(row["PurchaseOrder"], ())),
            broken,
            key=lambda row: row["PurchaseOrder"],
        )

    def stamp(self, row: Row) -> str | None:
        """Tell the latest day of a row, of an order or a receipt."""
        return latest(row, "OrderEntryDate", "DatePoCompleted", "OrigReceiptDate", "DateReceived")

    def _order(self, row: Row, lines: Iterable[Row], received: Iterable[Row]) -> PurchaseOrder:
        """Convert an order. Raises `ValueError` where a number or a date is none, or a field is missing."""
        key = row["PurchaseOrder"]
        supplier, currency = row["Supplier"], text(row, "Currency")
        if not supplier.strip() or currency is None:
            raise ValueError(f"The order has no {'Currency' if supplier.strip() else 'Supplier'}.")
        book = ReceiptBook()
        book.enter_all(_receipts(key, received))
        return PurchaseOrder(
            key=key,
            number=key.strip(),
            supplier=supplier,
            currency=currency,
            status=status(row),
            created=day(row, "OrderEntryDate"),
            payment_term=text(row, "TermsCode") or text(row, "PaymentTerms"),
            revision=plain(text(row, "AmendedCount") or "0"),
            lines=tuple(self._line(line, book, key) for line in lines if not _is_comment(line)),
        )

    def _line(self, line: Row, book: ReceiptBook, order: str) -> OrderLine:
        """Convert a line of goods (M columns), or a charge (N columns), of which there is one."""
        key, charge = plain(line["Line"].strip()), amount(line, "NMscChargeValue")
        goods = text(line, "MStockCode") is not None or not charge
        price = amount(line, "MForeignPrice") or amount(line, "MPrice") or ZERO
        quantity = short(amount(line, "MOrderQty"))
        code = text(line, "MGlCode")
        return OrderLine(
            key=key,
            number=key,
            quantity=quantity if goods else Decimal(1),
            net=quantity * price if goods else charge or ZERO,
            unit_price=price if goods else charge,
            service=not goods,
            item=text(line, "MStockCode"),
            description=text(line, "MStockDes") or text(line, "NComment"),
            unit=text(line, "MOrderUom"),
            tax_code=text(line, "MTaxCode"),
            account=line["MGlCode"] if code else None,
            cost_center=self._center_of(code) if code else None,
            closed=(text(line, "MCompleteFlag") or "").upper() == "Y",
            receipts=book.of(order, key),
        )


def _is_comment(line: Row) -> bool:
    """Tell a line of text alone: it orders nothing."""
    return text(line, "MStockCode") is None and not amount(line, "MOrderQty") and not amount(line, "NMscChargeValue")


def status(row: Row) -> Literal["open", "closed", "cancelled"]:
    """Tell how an order stands. Raises `ValueError` where its day of completion is none."""
    told = text(row, "OrderStatus") or ""
    if told in CANCELLED or (text(row, "CancelledFlag") or "").upper() == "Y":
        return "cancelled"
    return "closed" if told == COMPLETE or day(row, "DatePoCompleted") is not None else "open"


def _receipts(order: str, rows: Iterable[Row]) -> Iterator[tuple[tuple[str, str], Receipt]]:
    """Convert receipts and returns, of either table. In the history nothing tells two of a day on a line apart."""
    seen = Counter[str]()
    for row in rows:
        number = text(row, "Grn") or text(row, "Reference")
        told = "~".join(row[name].strip() for name in NOTES.key[1:] if name in row)
        name = told or f"{row['PurchaseOrderLin'].strip()}~{row['DateReceived'][:10]}~{number or ''}"
        seen[name] += 1
        key = name if seen[name] == 1 else f"{name}~{seen[name]}"
        received = day(row, "OrigReceiptDate" if "Grn" in row else "DateReceived")
        quantity = short(amount(row, "QtyReceived"))
        receipt = Receipt(key=key, number=number or key, quantity=quantity, received_on=received)
        yield (order, plain(row["PurchaseOrderLin"].strip())), receipt
