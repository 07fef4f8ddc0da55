"""Outgoing payments, one document for each invoice that a payment was applied to.

Payments carry no change stamp: the number of a payment is the watermark, from which on they are listed. A cancellation
moves no number either, so the cancelled ones before it are listed each time; and all of them once a day. The stamp of
an offer says how the payment stands (`docs/vendors/sap_b1.md`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from ml_connector.errors import Rejected
from ml_connector.flow import Broken, Document, DocumentPage, ListedDocument
from ml_connector.records import Payment
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.lookups import Lookups
from ml_connector.systems.sap_b1.query import Query
from ml_connector.systems.sap_b1.rows import ZERO, AppliedRow, DocumentCurrencyRow, PaymentRow, day, told

KINDS = {"it_PurchaseInvoice": 18, "18": 18, "it_PurchaseCreditNote": 19, "19": 19}
SETS = {18: "PurchaseInvoices", 19: "PurchaseCreditNotes"}
PENDING = "pasPending"
UNDECIDED = frozenset({PENDING, "pasRejected", "pasCancelled"})
OVERLAP = 100
"""Numbers before the last one that are listed again: of two that are entered at once, the later may show first."""
VOID = "void:"
"""Begins a position in the second part of a pass, among what was cancelled."""


class Payments:
    """The source of payments; it takes no answers."""

    answers: Final = False

    def __init__(self, layer: ServiceLayer, lookups: Lookups, start: date | None) -> None:
        """`start`: payments before that day are not listed."""
        self._layer, self._lookups, self._start = layer, lookups, start
        self._currencies: dict[tuple[int, int], str | None] = {}

    def list_documents(self, since: str | None, position: str | None) -> Iterator[DocumentPage]:
        """List the payments of purchase invoices and credit notes: all of them, or what is new or cancelled.

        `since` is the highest number of an earlier pass. What awaited its approval then is listed again.
        """
        if since is None or not since.isdecimal():
            yield from self._listed("", position)
            return
        last = max(0, int(since) - OVERLAP)
        if position is None or not position.startswith(VOID):
            for page in self._listed(f"DocEntry gt {last}", position):
                yield page if page.position is not None else replace(page, position=VOID)
            position = VOID
        for page in self._listed(f"DocEntry le {last} and Cancelled eq 'tYES'", position.removeprefix(VOID) or None):
            yield replace(page, stamp=None, position=f"{VOID}{page.position}" if page.position is not None else None)

    def _listed(self, where: str, position: str | None) -> Iterator[DocumentPage]:
        dated = f"DocDate ge {self._layer.day(self._start)}" if self._start else ""
        undecided: set[int] = set()
        for batch in self._layer.pages(_query(" and ".join(filter(None, (where, dated)))), position):
            broken = [Broken(bad.key, bad.reason, bad.raw) for bad in batch.spoiled]
            offers = [self._offer(row, key) for row in batch.rows for key in applied_keys(row)]
            undecided |= {row.doc_entry for row in batch.rows if row.authorization_status == PENDING}
            yield DocumentPage(offers, broken, batch.position, _stamp(batch.keys, undecided))

    def fetch(self, key: str) -> Document[Payment]:
        """Read a payment as it is now, and what all payments have applied to its invoice by now.

        Raises `Rejected` where the key is none of ours, or the payment cannot be read as one.
        """
        entry, kind, invoice, _ = _parts(key)
        row = self._layer.get("VendorPayments", entry, PaymentRow, Rejected)
        if row is None or key not in applied_keys(row):
            return Document(None, "gone", detail=_why_gone(row, key))
        offer = self._offer(row, key)
        try:
            paid_on = day(row.transfer_date) or day(row.doc_date)
        except ValueError as error:
            raise Rejected(f"Payment {row.number} has a date that is none: {error}.") from error
        record = Payment(
            key=key,
            invoice=f"{kind}:{invoice}",
            number=row.number,
            amount=_applied(row, key),
            currency=offer.currency or "",
            paid_total=self._paid_total(row.card_code, kind, invoice),
            paid_on=paid_on,
            method=_method(row),
            reference=told(row.transfer_reference) or told(row.counter_reference),
            cancelled=row.void,
        )
        return Document(record, "offered", offer.stamp)

    def _offer(self, row: PaymentRow, key: str) -> ListedDocument:
        _, kind, invoice, _ = _parts(key)
        amount = _applied(row, key)
        stamp = f"{'cancelled' if row.void else 'active'}:{amount.normalize():f}"  # 10.0 and 10.00 are the same
        currency = self._currency(row, kind, invoice)
        return ListedDocument(key, stamp, f"{kind}:{invoice}", void=row.void, amount=amount, currency=currency)

    def _currency(self, row: PaymentRow, kind: int, invoice: int) -> str | None:
        """Tell the invoice's currency: the payment's own, unless one of the two is local and the other foreign."""
        foreign_payment = row.doc_rate not in {None, ZERO, Decimal(1)}
        lines = [line for line in row.lines if _place(line) == (kind, invoice)]
        if told(row.doc_currency) and any(line.applied_fc for line in lines) == foreign_payment:
            return row.doc_currency
        if (kind, invoice) not in self._currencies:
            found = self._layer.get(SETS[kind], invoice, DocumentCurrencyRow)
            self._currencies[kind, invoice] = told(found.doc_currency) if found else None
        return self._currencies[kind, invoice] or row.doc_currency or self._lookups.local_currency()

    def _paid_total(self, supplier: str | None, kind: int, invoice: int) -> Decimal:
        where = f"CardCode eq {self._layer.text(supplier)}" if supplier else ""
        return sum(
            (
                _amount(line, kind)
                for row in self._layer.rows(_query(where))
                if _counts(row) and not row.void
                for line in row.lines
                if _place(line) == (kind, invoice)
            ),
            ZERO,
        )


def _stamp(keys: Sequence[str], undecided: Collection[int]) -> str | None:
    """Give the highest number so far as a text that compares as such; it stays below a payment that is not decided."""
    number = max((int(key) for key in keys if key.isdecimal()), default=None)
    if number is None:
        return None
    return f"{min([number, *(entry - 1 for entry in undecided)]):012d}"


def _query(where: str) -> Query[PaymentRow]:
    return Query("VendorPayments", PaymentRow, "DocEntry", where)


def applied_keys(row: PaymentRow) -> list[str]:
    """List the keys of what a payment was applied to: payment, kind, invoice, instalment.

    One payment of one invoice is one record, whatever instalments it covers; its key names the first of them.
    """
    if not _counts(row):
        return []
    instalments: dict[tuple[int, int], int] = {}
    for line in row.lines:
        if (place := _place(line)) is not None:
            number = line.installment_id or 1
            instalments[place] = min(instalments.get(place, number), number)
    return [f"{row.doc_entry}~{kind}~{invoice}~{number}" for (kind, invoice), number in instalments.items()]


def _why_gone(row: PaymentRow | None, key: str) -> str:
    entry, kind, invoice, _ = _parts(key)
    if row is not None and any(_parts(k)[:3] == (entry, kind, invoice) for k in applied_keys(row)):
        return f"Payment {entry} pays several instalments of document {kind}:{invoice}, reported as one record."
    return f"Payment {entry} no longer pays document {kind}:{invoice}."


def _counts(row: PaymentRow) -> bool:
    """Tell whether this is a payment to a supplier: not one that awaits approval, not the undoing of another."""
    to_supplier = row.doc_type in {None, "rSupplier", "S"}
    return to_supplier and row.authorization_status not in UNDECIDED and row.cancel_status != "csCancellation"


def _kind(line: AppliedRow) -> int | None:
    return KINDS.get(str(line.invoice_type))


def _place(line: AppliedRow) -> tuple[int, int] | None:
    """Name the document that a line pays: kind and number; None where it is no purchase document."""
    kind = _kind(line)
    return None if kind is None or line.doc_entry is None else (kind, line.doc_entry)


def _parts(key: str) -> tuple[int, int, int, int]:
    try:
        payment, kind, invoice, instalment = map(int, key.split("~"))
    except ValueError as error:
        raise Rejected(f"'{key}' is no key of a payment (payment~kind~invoice~instalment).") from error
    return payment, kind, invoice, instalment


def _applied(row: PaymentRow, key: str) -> Decimal:
    """Add up what the payment applied to the document, over all its instalments."""
    _, kind, invoice, _ = _parts(key)
    return sum((_amount(line, kind) for line in row.lines if _place(line) == (kind, invoice)), ZERO)


def _amount(line: AppliedRow, kind: int) -> Decimal:
    """Give what was applied in the invoice's currency; negative for a credit note, like its total."""
    amount = line.applied_fc or line.sum_applied or ZERO
    return -abs(amount) if kind == 19 else amount


def _method(row: PaymentRow) -> str | None:
    """Tell how it was paid: what is neither transfer nor cash went by check."""
    if row.transfer_sum or (row.transfer_sum is None and told(row.transfer_reference)):
        return "transfer"
    if row.cash_sum:
        return "cash"
    return None if row.transfer_sum is None or row.cash_sum is None else "check"
