"""Posts approved invoices as purchase invoices, and credit notes as purchase credit notes.

The Service Layer knows no idempotency key, so a document is looked for before it is sent, by our own user field where
the customer made one, and by supplier and invoice number (`docs/vendors/sap_b1.md`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ml_connector.errors import (
    ConnectorError,
    Held,
    LoginRefused,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    Transient,
)
from ml_connector.flow import Codes, Found, Prepared
from ml_connector.records import Invoice
from ml_connector.systems.kit.refusals import named
from ml_connector.systems.sap_b1.amounts import sum_up
from ml_connector.systems.sap_b1.bases import Bases
from ml_connector.systems.sap_b1.client import Created, ServiceLayer
from ml_connector.systems.sap_b1.lines import Lines
from ml_connector.systems.sap_b1.lookups import Lookups
from ml_connector.systems.sap_b1.paging import Query
from ml_connector.systems.sap_b1.refusals import judge, kind_of, moved
from ml_connector.systems.sap_b1.replies import Fault, whole_number
from ml_connector.systems.sap_b1.settings import Settings
from ml_connector.systems.sap_b1.wire import FoundRow, day_told, is_void
from ml_connector.wiring import Wiring

INVOICE, CREDIT_NOTE = 18, 19
SETS = {INVOICE: "PurchaseInvoices", CREDIT_NOTE: "PurchaseCreditNotes"}
DRAFT_CODES = {INVOICE: "oPurchaseInvoices", CREDIT_NOTE: "oPurchaseCreditNotes"}
NUMBER_LIMIT, REMARKS_LIMIT, KEY_LIMIT = 100, 254, 36
MONTHS_AHEAD = 3
SETTLED_DRAFTS = frozenset({"dasGenerated", "dasGeneratedbyAuthorizer", "dasCancelled"})


class Invoices:
    """The target of invoices. A posted one's id is its object type and DocEntry, such as `18:812`."""

    refuses_duplicates = False

    def __init__(self, layer: ServiceLayer, settings: Settings, wiring: Wiring, lookups: Lookups) -> None:
        self._layer, self._settings, self._wiring, self._lookups = layer, settings, wiring, lookups

    # ── prepare ─────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, record: Invoice, codes: Codes) -> Prepared:
        """Say an invoice in SAP's words. Raises `Held` or `Rejected`, and `Transient` while looking things up."""
        if len(record.number) > NUMBER_LIMIT:
            raise Rejected(
                f"The invoice number {record.number} is longer than the {NUMBER_LIMIT} characters that SAP Business "
                "One keeps; a number is never cut. Correct it on the platform."
            )
        supplier = codes.erp("supplier", record.supplier)
        currency = codes.erp("currency", record.currency)
        posted_on = record.accounting_date or self._today()
        lines = Lines(
            record,
            codes,
            self._settings,
            self._lookups,
            Bases(self._layer, record, supplier, currency),
            supplier,
            posted_on,
            foreign=self._lookups.is_foreign(currency),
        )
        lines.used |= {f"supplier={supplier}": record.supplier, f"currency={currency}": record.currency}
        sums = sum_up(record, self._wiring.options.rounding_tolerance, lines.order_percents())
        kind, rows = lines.write(sums)
        header = self._header(record, codes, lines, posted_on)
        body = {"CardCode": supplier, "DocType": kind, "DocCurrency": currency, **header, "DocumentLines": rows}
        return Prepared(
            key=record.key,
            body=body,
            lookup=self._lookup(record, supplier) | lines.used,
            amount=record.gross,
            currency=currency,
            posted_on=posted_on,
            notes=(*lines.bases.notes, *lines.notes),
            natural=self._natural(record, supplier),
            dated=record.invoice_date,
        )

    def trace(self, record: Invoice, codes: Codes) -> Prepared:
        """Say what a sent invoice is found by: its rows are left out, since its posting closed the orders they name."""
        supplier = codes.erp("supplier", record.supplier)
        return Prepared(
            key=record.key,
            body={},
            lookup=self._lookup(record, supplier),
            amount=record.gross,
            currency=codes.erp("currency", record.currency),
            posted_on=record.accounting_date or self._today(),
            natural=self._natural(record, supplier),
            dated=record.invoice_date,
        )

    def _header(self, record: Invoice, codes: Codes, lines: Lines, posted_on: date) -> dict[str, Any]:
        header: dict[str, Any] = {"NumAtCard": record.number, "DocDate": posted_on.isoformat()}
        header["TaxDate"] = (record.invoice_date or posted_on).isoformat()
        if record.due_date:
            header["DocDueDate"] = record.due_date.isoformat()
        elif record.payment_term and (term := whole_number(codes.erp("term", record.payment_term))) is not None:
            header["PaymentGroupCode"] = term
            lines.used[f"term={term}"] = record.payment_term
        if record.description:
            header["Comments"] = record.description[:REMARKS_LIMIT]
            if len(record.description) > REMARKS_LIMIT:
                lines.notes.append(f"The description was cut at {REMARKS_LIMIT} characters.")
        if record.payment_block:
            header["PaymentBlock"] = "tYES"
        if (branch := self._branch(record, codes, lines)) is not None:
            header["BPL_IDAssignedToInvoice"] = branch
        lines.used |= {"branch=": record.organization or record.company, "organization": record.organization or ""}
        if self._settings.external_id_field:
            header[self._settings.external_id_field] = self._own_key(record)
        return header

    def _branch(self, record: Invoice, codes: Codes, lines: Lines) -> int | None:
        """Choose the branch: of what is drawn from, else what a person mapped the organization to, else of the order
        that is named, else the secret's. Raises `Held` where the lines draw on several.
        """
        if (drawn := lines.branch()) is not None:
            return drawn
        if record.organization:
            mapped = codes.erp("branch", record.organization)
            if mapped != record.organization and (branch := whole_number(mapped)) is not None:
                return branch
        named = lines.bases.named_branch()
        return named if named is not None else self._settings.branch_id

    def _lookup(self, record: Invoice, supplier: str) -> dict[str, str]:
        kind = CREDIT_NOTE if record.gross < 0 else INVOICE
        own = self._own_key(record) if self._settings.external_id_field else ""
        return {"kind": str(kind), "entity": SETS[kind], "card": supplier, "number": record.number, "own": own}

    def _natural(self, record: Invoice, supplier: str) -> str:
        """Name the document as `_counts` compares it."""
        kind = CREDIT_NOTE if record.gross < 0 else INVOICE
        return f"{kind}~{supplier}~{record.number.strip().casefold()}"

    def _own_key(self, record: Invoice) -> str:
        return self._wiring.outward("invoice", record.key, limit=KEY_LIMIT)

    def _today(self) -> date:
        return self._wiring.clock.now().astimezone(ZoneInfo(self._settings.timezone)).date()

    # ── look ────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, prepared: Prepared) -> list[Found]:
        """Find the document, or a draft of it that awaits approval. Cancelled ones do not count."""
        lookup = prepared.lookup
        kind, entity = int(lookup["kind"]), lookup["entity"]
        found: dict[str, Found] = {}
        if own := lookup.get("own"):
            where = f"{self._settings.external_id_field} eq {self._layer.text(own)}"
            found |= {
                f.id: f
                for f in self._found(entity, where, kind, number=lookup["number"], card=lookup["card"], ours=True)
            }
        where = self._natural_key(prepared)
        for one in self._found(entity, where, kind, number=lookup["number"], card=lookup["card"]):
            found.setdefault(one.id, one)
        return list(found.values()) or self._drafts(prepared)

    def _natural_key(self, prepared: Prepared) -> str:
        text = self._layer.text
        return f"CardCode eq {text(prepared.lookup['card'])} and NumAtCard eq {text(prepared.lookup['number'])}"

    def _drafts(self, prepared: Prepared) -> list[Found]:
        kind = int(prepared.lookup["kind"])
        where = f"{self._natural_key(prepared)} and DocObjectCode eq '{DRAFT_CODES[kind]}'"
        query = Query("Drafts", FoundRow, "DocEntry", where, optional=True)
        return [
            Found(f"draft:{row.doc_entry}", row.number, self._total(row), row.doc_currency, state="draft")
            for row in self._layer.rows(query)
            if _counts(row, prepared.lookup["number"], prepared.lookup["card"])
            and row.document_status != "bost_Close"
            and row.authorization_status not in SETTLED_DRAFTS
        ]

    def _found(
        self, entity: str, where: str, kind: int, *, number: str, card: str, ours: bool = False
    ) -> Iterator[Found]:
        for row in self._layer.rows(Query(entity, FoundRow, "DocEntry", where)):
            if _counts(row, number, card):
                yield self._as_found(row, kind, ours=ours)

    # ── send ────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, prepared: Prepared) -> Found:
        """Post once. Raises `Rejected`, `Held`, `Misconfigured`, `OutcomeUnknown` or `Transient` (had no effect)."""
        body = dict(prepared.body)
        outcome = self._layer.create(prepared.lookup["entity"], body)
        if isinstance(outcome, Fault):
            outcome, body = self._once_more(outcome, prepared, body)
        if isinstance(outcome, Fault) and outcome.no_records and kind_of(outcome, prepared) is None:
            return self._without_number(prepared)
        if isinstance(outcome, Fault):
            raise self._refusal(outcome, prepared)
        if outcome.entry is None or outcome.body.get("AuthorizationStatus") == "dasPending":
            return self._without_number(prepared)
        number = str(outcome.body.get("DocNum") or outcome.entry)
        asked, sent = prepared.body.get("DocDate"), body.get("DocDate")
        notes = () if sent == asked else (f"Posting date moved from {asked} to {sent}: period closed.",)
        return Found(
            f"{prepared.lookup['kind']}:{outcome.entry}", number, prepared.amount, prepared.currency,
            notes=notes, posted_on=day_told(sent),
        )  # fmt: skip

    def _once_more(
        self, fault: Fault, prepared: Prepared, body: dict[str, Any]
    ) -> tuple[Created | Fault, dict[str, Any]]:
        """Send a refused body with another branch or posting date, where that is what it was refused for."""
        kind = kind_of(fault, prepared)
        organization = prepared.lookup.get("organization", "")
        if kind == "branch" and "BPL_IDAssignedToInvoice" not in body and whole_number(organization) is not None:
            # The organization's code may be the branch's number without a mapping; only now is it known to matter.
            body = {**body, "BPL_IDAssignedToInvoice": int(organization)}
            return self._layer.create(prepared.lookup["entity"], body), body
        outcome: Created | Fault = fault
        if kind == "period" and self._wiring.options.closed_period == "next_open":
            wanted, day = body, str(body["DocDate"])
            for _ in range(MONTHS_AHEAD):
                day = _next_month(day)
                body = moved(wanted, day)
                outcome = self._layer.create(prepared.lookup["entity"], body)
                if not isinstance(outcome, Fault) or kind_of(outcome, prepared) != "period":
                    break
            else:
                return fault, wanted  # the first refusal is about the invoice's own month, which a person opens
        return outcome, body

    def _refusal(self, fault: Fault, prepared: Prepared) -> ConnectorError:
        if kind_of(fault, prepared) == "duplicate" and (there := self.look(prepared)):
            return Held(
                f"conflict:{prepared.key}",
                f"SAP Business One holds the number {prepared.lookup['number']} already, as {there[0].number}: "
                f"{fault}. Is it the same invoice twice? Cancel one of them.",
            )
        return judge(fault, prepared)

    def _without_number(self, prepared: Prepared) -> Found:
        """Find what a success was that names no document: approval may have turned the invoice into a draft.

        Taken is taken: where it does not show, it is never sent again by itself.
        """
        said = f"SAP Business One took {named(prepared)} without naming the document it became"
        try:
            found = self.look(prepared)
        except (Transient, LoginRefused, Misconfigured) as error:
            raise OutcomeUnknown(f"{said}: {error}", taken=True) from error
        if not found:
            raise OutcomeUnknown(
                f"{said}, and shows neither a document nor a draft with this number. Look for it there.", taken=True
            )
        if found[0].state == "draft":
            raise _awaits_approval(prepared, found[0])
        return found[0]

    def read_back(self, found: Found) -> Found:
        """Read number, total and currency as SAP keeps them. Raises `Transient` where the document does not show."""
        kind, _, entry = found.id.partition(":")
        row = self._layer.get(SETS[int(kind)], int(entry), FoundRow)
        if row is None:
            raise Transient(f"SAP Business One does not show document {found.number}, which it has posted.")
        shown = self._as_found(row, int(kind), ours=found.ours)
        return replace(shown, state="cancelled") if is_void(row.cancelled, row.cancel_status) else shown

    def _as_found(self, row: FoundRow, kind: int, *, ours: bool) -> Found:
        """Convert; a credit note's total is negative, as on the platform."""
        total = self._total(row)
        total = total if kind == INVOICE or total is None else -total
        return Found(
            f"{kind}:{row.doc_entry}", row.number, total, row.doc_currency, ours=ours,
            dated=day_told(row.tax_date), posted_on=day_told(row.doc_date),
        )  # fmt: skip

    def _total(self, row: FoundRow) -> Decimal | None:
        """Give the total in document currency: the foreign one, unless the document is in the company's own."""
        if row.doc_total_fc and not (row.doc_total and self._lookups.is_local(row.doc_currency)):
            return row.doc_total_fc
        return row.doc_total


def _counts(row: FoundRow, number: str | None, partner: str | None = None) -> bool:
    """Tell whether a row is the document looked for: not cancelled, and of that number where it shows one."""
    if is_void(row.cancelled, row.cancel_status) or (partner and row.card_code not in {None, partner}):
        return False
    return number is None or row.num_at_card is None or row.num_at_card.strip().casefold() == number.strip().casefold()


def _awaits_approval(prepared: Prepared, draft: Found) -> Held:
    return Held(
        f"approval:{prepared.key}",
        f"SAP Business One keeps the invoice as draft {draft.number} until it is approved there.",
    )


def _next_month(day: str) -> str:
    year, month = int(day[:4]), int(day[5:7])
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}-01"
