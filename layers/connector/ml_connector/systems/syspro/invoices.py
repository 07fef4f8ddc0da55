"""Approved invoices as AP invoices with their distribution, or as journals of the general ledger (`kit/invoices`).

APSTIN knows no currency, no posting date and no idempotency key: the supplier's currency counts, the period is one of
three letters, and our own key stands in the reference, which proves whose invoice a found one is. What it does not know
it ignores in silence, so every value is read back (`docs/vendors/syspro.md`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any
from unicodedata import normalize

from ml_connector.context import AdapterContext
from ml_connector.errors import Held
from ml_connector.flow import Found, Prepared
from ml_connector.folding import same
from ml_connector.records import Invoice
from ml_connector.systems.kit.coding import Coded, coded
from ml_connector.systems.kit.drafts import Draft, Months
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.invoices import KINDS, Created
from ml_connector.systems.kit.journals import Accounts, entries
from ml_connector.systems.kit.matching import match
from ml_connector.systems.kit.money import Money
from ml_connector.systems.kit.sections import LedgerSection
from ml_connector.systems.kit.totals import PricedRow, Totals, by_account, sum_up
from ml_connector.systems.kit.xml import printable
from ml_connector.systems.syspro.client import LONGEST, Client
from ml_connector.systems.syspro.faults import VENDOR, WINDOWS
from ml_connector.systems.syspro.lookups import Lookups, Supplier, matched
from ml_connector.systems.syspro.posting import DIALECT, Documents
from ml_connector.systems.syspro.settings import Settings

TEXT_LIMIT = 30
NUMBER_LIMIT, KEY_LIMIT = 20, 30
"""Characters of `ApInvoice.Invoice` and `ApInvoice.Reference`."""
LETTERS = "CPB"
"""How APSTIN names a period: the current one, the one before, and the one before that."""
COMMON = {"IgnoreWarnings": "N", "ApplyIfEntireDocumentValid": "Y", "ValidateOnly": "N"}


class Invoices:
    """The `kit.invoices.Payables` of a company."""

    title, dialect, refuses_duplicates, mark = VENDOR, DIALECT, False, ""
    number_limit, key_limit = NUMBER_LIMIT, KEY_LIMIT
    shown_nowhere = "neither in accounts payable nor in the general ledger"

    def __init__(self, client: Client, settings: Settings, context: AdapterContext) -> None:
        self._client, self._centers, self._rounding = client, settings.cost_centers, context.options.rounding_tolerance
        self._payable = settings.payable_account if settings.post_as == "gl_journal" else None
        self._lookups = Lookups(client, settings)
        self._documents = there = Documents(client, self._lookups)
        self.find, self.numbered, self.recent, self.read = there.find, there.numbered, there.recent, there.read

    # ── compose ─────────────────────────────────────────────────────────────────────────────────────────────

    def compose(self, draft: Draft) -> dict[str, Any]:
        """Write the business object's parameters and its item. Raises `Held` or `Rejected`."""
        record, (today, local) = draft.invoice, self._lookups.company()
        supplier = self._supplier(draft, local)
        money = Money.of(record.currency, VENDOR)
        sums = sum_up(record, money, self._rounding).absorbed(draft.notes)
        section = self._centers.section if isinstance(self._centers, LedgerSection) else None
        setting = "cost_centers" if self._payable or self._centers is None else ""
        rows = coded(draft, sums.rows, self._lookups.ledger, section, setting)
        months = Months.back(today, len(LETTERS) - 1) if supplier else Months(today, date(today.year - 1, 1, 1))
        draft.open_day(months)
        draft.blocked()
        body: dict[str, Any] = {"object": "GENTJL", "parameters": {**COMMON, "ActionType": "A"}}
        if supplier is None:
            body["item"] = self._journal(draft, sums, rows)
        else:
            body["object"], body["parameters"] = "APSTIN", {
                "PostingPeriod": LETTERS[months.ago(draft.posted_on)], **COMMON,
                "LedgerDistributionCurrency": "L" if same(supplier.currency, local) else "F",
                "AutomaticTaxCalculation": "N", "PermissibleTaxVariance": f"{money.tolerance(self._rounding)}",
                "IgnoreAnalysis": "N" if isinstance(self._centers, str) else "Y",
            }  # fmt: skip
            body["item"] = self._invoice(draft, sums, rows, supplier) | self._receipts(draft, sums, supplier)
        if self._size(body) > LONGEST:
            draft.notes.append("The texts of the coding rows were left out, for the call would have been too long.")
            rows_name, said = (
                ("JournalDetails", "Comment") if supplier is None else ("LedgerDistribution", "LedgerNotation")
            )
            body["item"] |= {rows_name: [{**row, said: None} for row in body["item"][rows_name]]}
        if (size := self._size(body)) > LONGEST:
            raise draft.too_long(size, LONGEST)
        return body

    def _size(self, body: dict[str, Any]) -> int:
        return self._client.length(body["object"], body["parameters"], {"Item": body["item"]})

    def _supplier(self, draft: Draft, local: str) -> Supplier | None:
        """Read the supplier, in whose currency an invoice is posted, whatever it says; a journal has none."""
        if self._payable:
            draft.local_only(local, "the general ledger")
            return None
        supplier = self._lookups.supplier(draft.supplier, local)
        if supplier is None:
            raise draft.no_supplier()
        draft.supplier = supplier.code
        if not same(draft.currency, supplier.currency):
            raise draft.other_currency(supplier.currency)
        return supplier

    # ── an AP invoice ───────────────────────────────────────────────────────────────────────────────────────

    def _invoice(self, draft: Draft, sums: Totals, rows: Sequence[Coded], supplier: Supplier) -> dict[str, Any]:
        """Write the item; amounts of a credit note are positive."""
        record, sign, number = draft.invoice, draft.sign, self._number(draft)
        codes = [self._tax(draft, row.row.tax_code or record.tax_code) for row, _ in rows]
        tax = next((code for code in codes if code), supplier.tax_code if sums.tax else "")
        gross, due = f"{sums.gross * sign}", record.due_date.isoformat() if record.due_date else ""
        draft.unique = not draft.credit
        draft.written = by_account((code, row.net * sign) for row, code in rows)
        if draft.unique:
            draft.written |= {what: value for what, value in (("due date", due), ("tax code", tax)) if value}
        return {
            "Supplier": draft.supplier, "TransactionCode": "C" if draft.credit else "I", "Branch": "", **number,
            "TransactionValue": gross, "Notation": _text(draft, record.description or "", "The description"),
            "TransactionReference": draft.own, "DiscountBasis": "T", "DiscountableValue": gross,
            "InvoiceDate": (record.invoice_date or draft.posted_on).isoformat(), "DueDate": due,
            "EcAcquisition": "N", "TaxBasis": "E", "TaxCode": tax, "TaxValue": f"{sums.tax * sign}",
            "LedgerDistribution": [
                {
                    "LedgerCode": code, "LedgerTaxCode": letter, "LedgerNotation": self._comment(draft, row),
                    "LedgerValue": f"{row.net * sign}", "AnalysisLineEntry": self._center(draft, row),
                }
                for (row, code), letter in zip(rows, codes, strict=True)
            ],
        }  # fmt: skip

    def _number(self, draft: Draft) -> dict[str, str]:
        """Name the invoice: of a credit note the one that it credits, where that is posted; else it stands alone."""
        record = draft.invoice
        spelt = draft.spelt(normalize("NFC", record.number).upper(), WINDOWS)  # as the database, which compares letters
        if not draft.credit:
            return {"Invoice": spelt}
        credited = self._documents.posted(draft.supplier, record.reference) if record.reference else None
        if credited is not None:
            return {"Invoice": str(credited.reference)}
        other = self._documents.posted(draft.supplier, record.number)
        if other is not None:
            raise Held(
                f"conflict:{record.key}",
                f"Credit note {record.number} has the number of an invoice of supplier {draft.supplier} that {VENDOR} "
                f"has in journal {other.number}, and would change it. If it credits that one, enter the number as its "
                "reference; if not, correct its number.",
            )
        return {"Invoice": spelt, "ReestablishInvoice": "Y"}

    def _tax(self, draft: Draft, code: str | None) -> str:
        """Translate a tax code; SYSPRO's have one letter."""
        letter = draft.code("tax", code).strip().upper() if code else ""
        if letter and not re.fullmatch("[A-Z]", letter):
            raise Held(
                f"tax:{code}",
                f"{VENDOR}'s tax codes have one letter, and that of invoice {draft.invoice.number} is '{letter}'. To "
                f"fix: `ml-connector mappings set TENANT tax {code} LETTER`.",
            )
        draft.used |= {f"tax={letter}": code} if code else {}
        return letter

    def _center(self, draft: Draft, row: PricedRow) -> dict[str, str] | None:
        """Give a row's cost center as an analysis code, where a table has them."""
        if not (isinstance(self._centers, str) and row.row.cost_center):
            return None
        return {
            "AnalysisCode1": draft.code("cost_center", row.row.cost_center), "EntryAmount": f"{row.net * draft.sign}"
        }  # fmt: skip

    def _receipts(self, draft: Draft, sums: Totals, supplier: Supplier) -> dict[str, Any]:
        """Name the receipts that are invoiced, where a supplier's invoices must; returns are matched by people."""
        rows = sums.rows if supplier.matched and not draft.credit else ()
        matches = match(draft, rows, lambda order: self._lookups.receipts(supplier.code, order))
        return {"GrnDetails": [matched(one) for one in matches]} if matches else {}

    # ── a journal ───────────────────────────────────────────────────────────────────────────────────────────

    def _journal(self, draft: Draft, sums: Totals, rows: Sequence[Coded]) -> dict[str, Any]:
        """Write a journal against the payable account; its entries make nothing together."""
        day, payable = draft.posted_on, str(self._payable)
        made = entries(draft, sums, rows, Accounts(payable), self._lookups.ledger)
        draft.written = by_account((one.account, one.amount) for one in made if one.account != payable)
        return {
            "JournalType": "N", "JournalDate": day.isoformat(), "JournalReference": draft.own,
            "Notation": _text(draft, f"{draft.supplier} {draft.invoice.number}", "The notation"),
            "PostingPeriod": f"{day.month}", "PostingYear": f"{day.year}",
            "JournalDetails": [
                {
                    "EntryNumber": f"{number}", "LedgerCode": one.account, "Reference": draft.own,
                    "EntryAmount": f"{one.amount}", "Comment": self._comment(draft, one.row),
                }
                for number, one in enumerate(made, 1)
            ],
        }  # fmt: skip

    def _comment(self, draft: Draft, row: PricedRow | None) -> str:
        return printable(draft.text_of(row.row, TEXT_LIMIT) if row else f"Invoice {draft.invoice.number}")

    # ── find, create, read ──────────────────────────────────────────────────────────────────────────────────

    def lookup(self, invoice: Invoice, supplier: str, own: str) -> dict[str, str]:
        """Find it by our own key, and by supplier and number; a credit note also below the invoice that it names."""
        lookup = {"kind": KINDS[invoice.gross < 0], "vendor": supplier, "own": own}
        lookup |= {"payable": self._payable} if self._payable else {}  # also once invoices are posted otherwise
        return lookup | ({"credited": invoice.reference} if invoice.gross < 0 and invoice.reference else {})

    def stands(self, _: Found) -> bool:
        """Tell that a document counts, reversed or not: nothing documents how a reversal shows."""
        return True

    def create(self, prepared: Prepared) -> Created | Fault:
        """Post once. A credit note is tried before, without effect: nothing tells what a server makes of it.

        No success is believed: what became of it is read.
        """
        name, parameters, document = prepared.body["object"], prepared.body["parameters"], prepared.body["item"]
        if document.get("TransactionCode") == "C":
            tried = self._client.post(name, {**parameters, "ValidateOnly": "Y"}, {"Item": document}, dry=True)
            if isinstance(tried, Fault):
                return tried
        outcome = self._client.post(name, parameters, {"Item": document})
        return outcome if isinstance(outcome, Fault) else Created()

    def amended(self, _: Fault, __: Prepared) -> Prepared | None:
        """There are no other words."""
        return None

    def moved(self, prepared: Prepared, day: date) -> dict[str, Any]:
        """Post into the month of a day; an AP invoice into the current period, after which there is none."""
        body = dict(prepared.body)
        if body["object"] == "APSTIN":
            return {**body, "parameters": {**body["parameters"], "PostingPeriod": LETTERS[0]}}
        return {**body, "item": {**body["item"], "PostingPeriod": f"{day.month}", "PostingYear": f"{day.year}"}}


def _text(draft: Draft, said: str, what: str) -> str:
    return draft.cut(printable(said), TEXT_LIMIT, what)
