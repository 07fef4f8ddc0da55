"""Approved invoices and credit notes as AP invoice batches, one batch to an invoice (`kit/invoices`).

The Web API knows no idempotency key, so a document is looked for before it is sent: by our own key, which is the
batch's description, and by vendor and document number (`docs/vendors/sage_300.md`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from ml_connector.context import AdapterContext
from ml_connector.flow import Found, Prepared
from ml_connector.records import Invoice
from ml_connector.systems.http import listed
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.invoices import KEY_LIMIT, Created
from ml_connector.systems.kit.money import Money
from ml_connector.systems.kit.paging import row_number
from ml_connector.systems.kit.totals import Totals, sum_up
from ml_connector.systems.kit.values import whole
from ml_connector.systems.sage_300.accounts import Ledger
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.documents import BATCHES, MARK, Documents
from ml_connector.systems.sage_300.faults import DIALECT, VENDOR, Fault
from ml_connector.systems.sage_300.lines import TEXT_LIMIT, Lines
from ml_connector.systems.sage_300.lookups import Calendar, VendorFacts, Vendors
from ml_connector.systems.sage_300.orders import Orders
from ml_connector.systems.sage_300.posting import Posting

ORDER_LIMIT = 22
OPTIONAL = ("PONumber",)
"""Fields that some releases may not know: left out where the refusal names one (`docs/vendors/sage_300.md`)."""
_CLOSED = re.compile(r"Period \d{4}-\d\d closed: ")


class Invoices:
    """The `kit.invoices.Payables` of a company. A posted one's id is its batch and entry, such as `109:1`."""

    title, dialect, number_limit, key_limit, refuses_duplicates, mark = VENDOR, DIALECT, 22, KEY_LIMIT, False, MARK
    shown_nowhere = "in no batch and among no posted documents"

    def __init__(
        self,
        api: WebApi,
        context: AdapterContext,
        *,
        ledger: Ledger,
        orders: Orders,
        vendors: Vendors,
        documents: Documents,
        posting: Posting,
        calendar: Calendar,
    ) -> None:
        self._api, self._rounding = api, context.options.rounding_tolerance
        self._ledger, self._orders, self._vendors = ledger, orders, vendors
        self._documents, self._posting, self._calendar = documents, posting, calendar

    # ── compose ─────────────────────────────────────────────────────────────────────────────────────────────

    def compose(self, draft: Draft) -> dict[str, Any]:
        """Write the batch. The order of an entry counts: a field may set those after it."""
        vendor = self._vendor(draft)
        draft.supplier = vendor.vendor_number.strip()  # a person may have mapped it in other letters
        lines = Lines(draft, self._ledger, self._orders)
        money = Money.of(draft.invoice.currency, VENDOR)  # the Web API tells no decimals of a currency
        sums = sum_up(draft.invoice, money, self._rounding).absorbed(draft.notes)
        details = lines.write(sums)
        draft.open_day(self._calendar)
        entry = self._entry(draft, lines)
        entry |= _totals(sums, taxed=vendor.taxed or lines.tax_group is not None) | {"InvoiceDetails": details}
        day = draft.posted_on.isoformat()
        return {"BatchDate": day, "BatchStatus": "Open", "Description": draft.own, "Invoices": [entry]}

    def _vendor(self, draft: Draft) -> VendorFacts:
        """Read the vendor: an invoice is always in its currency, whatever else it says."""
        supplier = draft.supplier
        vendor = self._vendors.get(supplier)
        if vendor is None:
            raise draft.no_supplier()
        if not vendor.active:
            self._vendors.forget(supplier)
            raise draft.no_supplier("is inactive in", "Activate it there")
        if vendor.currency and vendor.currency != draft.currency:
            self._vendors.forget(supplier)
            raise draft.other_currency(vendor.currency)
        return vendor

    def _entry(self, draft: Draft, lines: Lines) -> dict[str, Any]:
        """Make the head. The order counts: a field may set those after it (`docs/vendors/sage_300.md`)."""
        record, posted_on = draft.invoice, draft.posted_on
        said = draft.cut(record.description or f"Invoice {record.number}", TEXT_LIMIT, "The description")
        entry: dict[str, Any] = {
            "VendorNumber": draft.supplier,
            "DocumentNumber": record.number,
            "DocumentType": "CreditNote" if draft.credit else "Invoice",
            "InvoiceDescription": said if posted_on == draft.asked else _closed(draft.month, said),
            "DocumentDate": (record.invoice_date or posted_on).isoformat(),
            "PostingDate": posted_on.isoformat(),
            "CurrencyCode": draft.currency,
        }
        order = lines.order()
        if order and len(order) <= ORDER_LIMIT:
            entry["PONumber"] = order
        elif order:
            draft.notes.append(f"The order number {order} was left out: Sage 300 keeps {ORDER_LIMIT} characters.")
        if record.due_date:
            entry["DueDate"] = record.due_date.isoformat()
        elif record.payment_term:
            entry["Terms"] = draft.code("term", record.payment_term)
        if lines.tax_group is not None:
            entry["TaxGroup"] = lines.tax_group
        draft.blocked()
        return entry

    # ── find ────────────────────────────────────────────────────────────────────────────────────────────────

    def lookup(self, invoice: Invoice, supplier: str, own: str) -> dict[str, str]:
        """Find it by our own key, and by vendor and document number."""
        return {"kind": "credit" if invoice.gross < 0 else "invoice", "vendor": supplier, "own": own}

    def find(self, lookup: Mapping[str, str]) -> Iterable[Found]:
        """Find the document, in whichever batch or posted; deleted batches do not count."""
        credit, told = lookup["kind"] == "credit", lookup.get("dated")
        dated = date.fromisoformat(told) if told else None
        vendor, number, own, stands = lookup["vendor"], lookup["number"], lookup["own"], self._posting.stands
        return self._documents.find(vendor, number, own, credit=credit, stands=stands, dated=dated)

    def numbered(self, number: str, lookup: Mapping[str, str]) -> list[Found]:
        """Find the vendor's documents of this kind in batch `number`, such as `109` or, with the entry, `109:1`."""
        return self._documents.numbered(number, lookup["vendor"], credit=lookup["kind"] == "credit")

    def recent(self, _: date) -> Iterable[Found]:
        """List unposted batches with their description, whoever wrote it."""
        return self._documents.unposted_of_ours()

    def stands(self, found: Found) -> bool:
        """Tell whether a document counts: False where its batch or entry was deleted, and nothing of it is posted."""
        return self._posting.stands(found)

    # ── create ──────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, prepared: Prepared) -> Created | Fault:
        """Enter the batch; `read` sets it ready to post."""
        told = self._api.create(BATCHES, prepared.body)
        if isinstance(told, Fault):
            return told
        number = whole(dict(told), "BatchNumber")
        if number is None or not row_number(number):
            return Created()
        invoices = listed(told.get("Invoices")) or [{}]
        entry = (whole(invoices[0], "EntryNumber") if isinstance(invoices[0], dict) else None) or "1"
        label = self._documents.label(number, prepared.lookup["vendor"], prepared.lookup["number"])
        return Created(f"{number}:{entry}", label, ours=True)

    def amended(self, fault: Fault, prepared: Prepared) -> Prepared | None:
        """Leave out a field that the server does not know."""
        for name in OPTIONAL:
            if (name in fault.text or fault.code == "InvalidPayload") and name in prepared.body["Invoices"][0]:
                note = f"{name} was left out: Sage 300 refused it."
                return replace(prepared, body=_changed(prepared.body, {name: None}), notes=(*prepared.notes, note))
        return None

    def moved(self, prepared: Prepared, day: date) -> dict[str, Any]:
        """Post on another day, and say so in the description."""
        body, posted_on = prepared.body, day.isoformat()
        head = body["Invoices"][0]
        said = _closed(head["PostingDate"][:7], head["InvoiceDescription"])
        changed = _changed(body, {"PostingDate": posted_on, "InvoiceDescription": said})
        return {**changed, "BatchDate": posted_on}

    # ── read ────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, found: Found) -> Found:
        """Finish the batch where that is not done yet, and read number, total and currency as Sage 300 keeps them."""
        return self._posting.read(found)


def _totals(sums: Totals, *, taxed: bool) -> dict[str, Any]:
    """Give the totals, positive also for a credit note. The tax is stated, so that none is worked out again."""
    sign = -1 if sums.gross < 0 else 1
    totals: dict[str, Any] = {"DocumentTotalBeforeTaxes": sums.net * sign}
    if taxed or sums.tax:
        totals["TaxAmount1"] = sums.tax * sign
    return totals | {"DocumentTotalIncludingTax": sums.gross * sign}


def _changed(body: Mapping[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Give a body with other fields in its head, in the same order; None takes one out."""
    head = {name: fields.get(name, value) for name, value in body["Invoices"][0].items()}
    return {**body, "Invoices": [{name: value for name, value in head.items() if value is not None}]}


def _closed(month: str, said: str) -> str:
    """Begin a description with the month that was closed; the first one, where several were."""
    return said if _CLOSED.match(said) else f"Period {month} closed: {said}"[:TEXT_LIMIT].strip()
