"""Enters approved invoices and credit notes as AP invoice batches, one batch to an invoice.

The Web API knows no idempotency key, so a document is looked for before it is sent: by our own key, which is the
batch's description, and by vendor and document number (`docs/vendors/sage_300.md`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from ml_connector.errors import (
    ConnectorError,
    Held,
)
from ml_connector.flow import Codes, Found, Prepared
from ml_connector.records import Invoice
from ml_connector.systems.http import listed
from ml_connector.systems.kit.connection import today
from ml_connector.systems.kit.invoices import KEY_LIMIT, MONTHS_AHEAD, check_number, natural, taken_unnamed, trace
from ml_connector.systems.kit.money import reckoned
from ml_connector.systems.kit.paging import row_number
from ml_connector.systems.sage_300.amounts import sum_up
from ml_connector.systems.sage_300.batches import Batches
from ml_connector.systems.sage_300.bodies import OPTIONAL, changed, changes, closed, moved, moved_note, totals
from ml_connector.systems.sage_300.calendar import Calendar
from ml_connector.systems.sage_300.client import Created, WebApi
from ml_connector.systems.sage_300.entries import KINDS, MARK
from ml_connector.systems.sage_300.lines import TEXT_LIMIT, Lines
from ml_connector.systems.sage_300.names import whole
from ml_connector.systems.sage_300.open_batches import BATCHES
from ml_connector.systems.sage_300.orders import Orders
from ml_connector.systems.sage_300.refusals import judge, kind_of
from ml_connector.systems.sage_300.replies import Fault
from ml_connector.systems.sage_300.segments import Ledger
from ml_connector.systems.sage_300.settings import Settings
from ml_connector.systems.sage_300.vendors import VendorFacts, Vendors
from ml_connector.wiring import Wiring, in_our_shape

NUMBER_LIMIT, ORDER_LIMIT = 22, 22


class Invoices:
    """The target of invoices. A posted one's id is its batch and entry, such as `109:1`."""

    refuses_duplicates = False
    title = "Sage 300"

    def __init__(
        self, api: WebApi, settings: Settings, wiring: Wiring, *, ledger: Ledger, orders: Orders, vendors: Vendors,
        batches: Batches, calendar: Calendar,
    ) -> None:  # fmt: skip
        self._api, self._settings, self._wiring = api, settings, wiring
        self._ledger, self._orders, self._vendors = ledger, orders, vendors
        self._batches, self._calendar = batches, calendar

    # ── prepare ─────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, record: Invoice, codes: Codes) -> Prepared:
        """Say an invoice in Sage's words. Raises `Held` or `Rejected`, and `Transient` while looking things up."""
        check_number(record, self.title, NUMBER_LIMIT)
        supplier = codes.erp("supplier", record.supplier)
        currency = codes.erp("currency", record.currency)
        vendor = self._vendor(record, supplier, currency)
        supplier = vendor.vendor_number.strip()  # a person may have mapped it in other letters
        lines = Lines(record, codes, self._ledger, self._orders, supplier)
        lines.used |= {f"supplier={supplier}": record.supplier, f"currency={currency}": record.currency}
        sums = sum_up(record, self._wiring.options.rounding_tolerance)
        with reckoned(f"Invoice {record.number}"):
            details = lines.write(sums)
        wanted = record.accounting_date or self._today()
        posted_on = self._open_day(wanted, lines)
        entry = self._entry(record, codes, lines, supplier, currency, posted_on)
        if posted_on != wanted:
            entry["InvoiceDescription"] = closed(wanted.isoformat()[:7], entry["InvoiceDescription"])
        entry |= totals(sums, taxed=vendor.taxed or lines.tax_group is not None) | {"InvoiceDetails": details}
        return Prepared(
            key=record.key,
            body={
                "BatchDate": posted_on.isoformat(),
                "BatchStatus": "Open",
                "Description": self._own(record),
                "Invoices": [entry],
            },
            lookup=self._lookup(record, supplier) | lines.used | {"month": wanted.isoformat()[:7]},
            amount=record.gross,
            currency=currency,
            posted_on=posted_on,
            notes=tuple(dict.fromkeys(lines.notes)),
            natural=natural(_kind_of(record), supplier, record.number),
            dated=record.invoice_date,
            partner=supplier,
            reference=record.number,
            kind=KINDS[record.gross < 0],
        )

    def trace(self, record: Invoice, codes: Codes) -> Prepared:
        """Say what a sent invoice is found by: nothing of its lines, since orders and periods may be closed by now."""
        lookup = self._lookup(record, codes.erp("supplier", record.supplier))
        posted_on = record.accounting_date or self._today()
        return trace(record, codes, lookup, kind=KINDS[record.gross < 0], posted_on=posted_on)

    def _vendor(self, record: Invoice, supplier: str, currency: str) -> VendorFacts:
        """Read the vendor: an invoice is always in its currency, whatever else it says."""
        vendor = self._vendors.get(supplier)
        if vendor is None:
            raise Held(
                f"supplier:{record.supplier}",
                f"Sage 300 has no vendor {supplier}. Enter it there, or map the supplier {record.supplier} to another "
                "one.",
            )
        if not vendor.active:
            self._vendors.forget(supplier)
            raise Held(
                f"supplier:{record.supplier}",
                f"Vendor {supplier} is inactive in Sage 300. Activate it there, or map the supplier {record.supplier} "
                "to another one.",
            )
        if vendor.currency and vendor.currency != currency:
            self._vendors.forget(supplier)
            raise Held(
                f"currency:{record.currency}",
                f"Vendor {supplier} is kept in {vendor.currency} in Sage 300 and the invoice is in {currency}; there a "
                "vendor has one currency. Enter a vendor for this currency and map the supplier to it.",
            )
        return vendor

    def _entry(
        self, record: Invoice, codes: Codes, lines: Lines, supplier: str, currency: str, posted_on: date
    ) -> dict[str, Any]:
        """Make the head. The order counts: a field may set those after it (`docs/vendors/sage_300.md`)."""
        said = record.description or f"Invoice {record.number}"
        entry: dict[str, Any] = {
            "VendorNumber": supplier,
            "DocumentNumber": record.number,
            "DocumentType": "CreditNote" if record.gross < 0 else "Invoice",
            "InvoiceDescription": lines.cut(said, TEXT_LIMIT, "The description"),
            "DocumentDate": (record.invoice_date or posted_on).isoformat(),
            "PostingDate": posted_on.isoformat(),
            "CurrencyCode": currency,
        }
        order = lines.order()
        if order and len(order) <= ORDER_LIMIT:
            entry["PONumber"] = order
        elif order:
            lines.notes.append(f"The order number {order} was left out: Sage 300 keeps {ORDER_LIMIT} characters.")
        if record.due_date:
            entry["DueDate"] = record.due_date.isoformat()
        elif record.payment_term:
            entry["Terms"] = codes.erp("term", record.payment_term)
            lines.used[f"term={entry['Terms']}"] = record.payment_term
        if lines.tax_group is not None:
            entry["TaxGroup"] = lines.tax_group
        if record.payment_block:
            lines.notes.append("The payment block was left out: put the document on hold in Sage 300.")
        return entry

    def _open_day(self, day: date, lines: Lines) -> date:
        """Give the day that is posted to; a closed period is held or moved, as the settings say."""
        if self._calendar.is_open(day) is not False:
            return day
        month = day.isoformat()[:7]
        following = self._calendar.next_open(day) if self._wiring.options.closed_period == "next_open" else None
        if following is None:
            raise Held(
                f"period:{month}",
                f"The fiscal calendar of Sage 300 has no open period for {day}. Open it there, or correct the "
                "accounting date.",
            )
        lines.notes.append(moved_note(day.isoformat(), following.isoformat()))
        return following

    def _lookup(self, record: Invoice, supplier: str) -> dict[str, str]:
        dated = record.invoice_date.isoformat() if record.invoice_date else ""
        lookup = {"kind": _kind_of(record), "vendor": supplier, "number": record.number, "own": self._own(record)}
        return lookup | {"dated": dated}

    def _own(self, record: Invoice) -> str:
        return MARK + self._wiring.outward("invoice", record.key, limit=KEY_LIMIT)

    def _today(self) -> date:
        return today(self._settings, self._wiring)

    # ── look, send, read back ───────────────────────────────────────────────────────────────────────────────

    def look(self, prepared: Prepared) -> list[Found]:
        """Find the document, in whichever batch or posted; deleted batches do not count."""
        lookup = prepared.lookup
        credit, told = lookup["kind"] == "credit", lookup.get("dated")
        dated = date.fromisoformat(told) if told else None
        return self._batches.find(lookup["vendor"], lookup["number"], lookup["own"], credit=credit, dated=dated)

    def numbered(self, number: str, prepared: Prepared) -> list[Found]:
        """Find the vendor's documents of this kind in batch `number`, such as `109` or, with the entry, `109:1`."""
        lookup = prepared.lookup
        return self._batches.numbered(number, lookup["vendor"], credit=lookup["kind"] == "credit")

    def recent(self) -> list[Found]:
        """List unposted batches with a key in our shape as their description, whoever wrote it."""
        return [
            one for one in self._batches.unposted_of_ours() if in_our_shape((one.reference or "").removeprefix(MARK))
        ]

    def stands(self, found: Found) -> bool:
        """Tell whether a document counts: False where its batch or entry was deleted, and nothing of it is posted."""
        return self._batches.stands(found)

    def send(self, prepared: Prepared) -> Found:
        """Enter the batch, once; `read_back` sets it ready to post.

        Raises `Rejected`, `Held`, `Misconfigured`, `OutcomeUnknown` or `Transient` (had no effect).
        """
        notes: tuple[str, ...] = ()
        outcome = self._api.create(BATCHES, prepared.body)
        if isinstance(outcome, Fault):
            before = prepared
            prepared, outcome = self._once_more(outcome, prepared)
            notes = changes(before, prepared)
        if isinstance(outcome, Fault):
            raise self._refusal(outcome, prepared)
        number = whole(dict(outcome.body), "batch")
        if number is None or not row_number(number):
            return replace(self._without_number(prepared), notes=notes)
        invoices = listed(outcome.body.get("Invoices")) or [{}]
        entry = (whole(invoices[0], "entry") if isinstance(invoices[0], dict) else None) or "1"
        label = self._batches.label(number, prepared.lookup["vendor"], prepared.lookup["number"])
        return Found(
            f"{number}:{entry}", label, prepared.amount, prepared.currency, ours=True, notes=notes,
            posted_on=date.fromisoformat(prepared.body["Invoices"][0]["PostingDate"]),
        )  # fmt: skip

    def read_back(self, found: Found) -> Found:
        """Finish the batch where that is not done yet, and read number, total and currency as Sage 300 keeps them."""
        return self._batches.read(found)

    def _once_more(self, fault: Fault, prepared: Prepared) -> tuple[Prepared, Created | Fault]:
        """Send a refused body without a field the server does not know, or with another posting date.

        Where every month was refused, what is given back is the first refusal and the body that it was about.
        """
        outcome: Created | Fault = fault
        for name in OPTIONAL:
            if (name in fault.text or fault.code == "InvalidPayload") and name in prepared.body["Invoices"][0]:
                prepared = replace(prepared, body=changed(prepared.body, {name: None}))
                outcome = self._api.create(BATCHES, prepared.body)
        if self._wiring.options.closed_period != "next_open":
            return prepared, outcome
        asked, refused = prepared, outcome
        for _ in range(MONTHS_AHEAD):
            if not isinstance(outcome, Fault) or kind_of(outcome, prepared) != "period":
                return prepared, outcome
            prepared = replace(prepared, body=moved(prepared.body))
            outcome = self._api.create(BATCHES, prepared.body)
        if isinstance(outcome, Fault) and kind_of(outcome, prepared) == "period":
            return asked, refused  # the first refusal is about the invoice's own month, which a person opens
        return prepared, outcome

    def _refusal(self, fault: Fault, prepared: Prepared) -> ConnectorError:
        if kind_of(fault, prepared) == "duplicate" and not fault.locked:
            there = self.look(prepared)
            name = f"; it has it in batch {there[0].number}" if there else ""
            return Held(
                f"conflict:{prepared.key}",
                f"Sage 300 itself lets no second document with number {prepared.lookup['number']} of vendor "
                f"{prepared.lookup['vendor']} in{name}: {fault}. If it is the same invoice, match it; if it is another "
                "one, correct the number at the source, or remove that document there.",
            )
        return judge(fault, prepared)

    def _without_number(self, prepared: Prepared) -> Found:
        """Find what a success was that names no batch. Taken is taken: it is never sent again by itself."""
        shows = "it in no batch and among no posted documents"
        return taken_unnamed(self.look, prepared, self.title, "batch that it became", shows)


def _kind_of(record: Invoice) -> str:
    return "credit" if record.gross < 0 else "invoice"
