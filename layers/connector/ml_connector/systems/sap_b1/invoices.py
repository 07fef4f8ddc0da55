"""Posts approved invoices as purchase invoices, and credit notes as purchase credit notes.

The Service Layer knows no idempotency key, so a document is looked for before it is sent, by our own user field where
the customer made one, and by supplier and invoice number (`docs/vendors/sap_b1.md`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ml_connector.errors import (
    ConnectorError,
    Held,
    Transient,
)
from ml_connector.flow import Codes, Found, Prepared
from ml_connector.records import Invoice
from ml_connector.systems.kit.connection import today
from ml_connector.systems.kit.invoices import (
    KEY_LIMIT,
    MONTHS_AHEAD,
    check_number,
    natural,
    next_month,
    taken_unnamed,
    trace,
)
from ml_connector.systems.kit.money import reckoned
from ml_connector.systems.kit.totals import sum_up
from ml_connector.systems.sap_b1.bases import Bases
from ml_connector.systems.sap_b1.client import Created, ServiceLayer
from ml_connector.systems.sap_b1.lines import Lines
from ml_connector.systems.sap_b1.lookups import Lookups
from ml_connector.systems.sap_b1.posted import CREDIT_NOTE, INVOICE, KINDS, SETS, Posted
from ml_connector.systems.sap_b1.refusals import judge, kind_of, moved
from ml_connector.systems.sap_b1.replies import Fault, whole_number
from ml_connector.systems.sap_b1.settings import Settings
from ml_connector.systems.sap_b1.wire import ZERO, FoundRow, day_told, is_void, told
from ml_connector.wiring import Wiring

NUMBER_LIMIT, REMARKS_LIMIT = 100, 254
RECENT = timedelta(days=30)
"""How far back `ping` looks for keys of another installation."""


class Invoices:
    """The target of invoices. A posted one's id is its object type and DocEntry, such as `18:812`."""

    refuses_duplicates = False
    title = "SAP Business One"

    def __init__(self, layer: ServiceLayer, settings: Settings, wiring: Wiring, lookups: Lookups) -> None:
        self._layer, self._settings, self._wiring, self._lookups = layer, settings, wiring, lookups
        self._posted = Posted(layer, settings.external_id_field, self._as_found)

    # ── prepare ─────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, record: Invoice, codes: Codes) -> Prepared:
        """Say an invoice in SAP's words. Raises `Held` or `Rejected`, and `Transient` while looking things up."""
        check_number(record, self.title, NUMBER_LIMIT)
        supplier = codes.erp("supplier", record.supplier)
        currency = codes.erp("currency", record.currency)
        posted_on = record.accounting_date or self._today()
        money, tolerance = self._lookups.money(record.currency, currency), self._wiring.options.rounding_tolerance
        money.exact(record.gross, f"The total of invoice {record.number}")
        lines = Lines(
            record,
            codes,
            self._settings,
            self._lookups,
            Bases(self._layer, record, supplier, currency),
            supplier,
            posted_on,
            foreign=self._lookups.is_foreign(currency),
            money=money,
            tolerance=money.tolerance(tolerance),
        )
        lines.used |= {f"supplier={supplier}": record.supplier, f"currency={currency}": record.currency}
        sums = sum_up(record, money, tolerance, lines.order_percents())
        with reckoned(f"Invoice {record.number}"):
            kind, rows, rounding = lines.write(sums)
        header = self._header(record, codes, lines, posted_on) | rounding
        body = {"CardCode": supplier, "DocType": kind, "DocCurrency": currency, **header, "DocumentLines": rows}
        return Prepared(
            key=record.key,
            body=body,
            lookup=self._lookup(record, supplier) | lines.used,
            amount=record.gross,
            currency=currency,
            posted_on=posted_on,
            notes=(*lines.bases.notes, *lines.notes),
            natural=natural(_kind_of(record), supplier, record.number),
            dated=record.invoice_date,
            partner=supplier,
            reference=record.number,
            kind=KINDS[_kind_of(record)],
        )

    def trace(self, record: Invoice, codes: Codes) -> Prepared:
        """Say what a sent invoice is found by: its rows are left out, since its posting closed the orders they name."""
        lookup = self._lookup(record, codes.erp("supplier", record.supplier))
        posted_on = record.accounting_date or self._today()
        return trace(record, codes, lookup, kind=KINDS[_kind_of(record)], posted_on=posted_on)

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
        kind, own = _kind_of(record), self._settings.external_id_field
        lookup = {"kind": str(kind), "entity": SETS[kind], "card": supplier, "number": record.number}
        lookup["dated"] = record.invoice_date.isoformat() if record.invoice_date else ""
        return lookup | ({"own": self._own_key(record), "own_field": own} if own else {})

    def _own_key(self, record: Invoice) -> str:
        return self._wiring.outward("invoice", record.key, limit=KEY_LIMIT)

    def _today(self) -> date:
        return today(self._settings, self._wiring)

    # ── look ────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, prepared: Prepared) -> list[Found]:
        """Find the document, or a draft of it that awaits approval. Cancelled ones do not count."""
        return self._posted.look(prepared.lookup)

    def numbered(self, number: str, prepared: Prepared) -> list[Found]:
        """Find the documents that SAP calls `number`, of this supplier and kind; cancelled ones do not count."""
        return self._posted.numbered(number, prepared.lookup)

    def recent(self) -> list[Found]:
        """List documents of the last weeks with a key in our shape, whoever wrote it; none without a field for it."""
        return self._posted.recent(self._today() - RECENT)

    def stands(self, found: Found) -> bool:
        """Tell whether a document counts; posted ones are never deleted, so one that does not show counts too."""
        return self._posted.stands(found)

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
                day = next_month(day)
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
                f"SAP Business One itself lets no second document with number {prepared.lookup['number']} of supplier "
                f"{prepared.lookup['card']} in; it has document {there[0].number}: {fault}. If it is the same invoice, "
                "match it; if it is another one, correct the number at the source, or cancel that document there.",
            )
        return judge(fault, prepared)

    def _without_number(self, prepared: Prepared) -> Found:
        """Find what a success was that names no document: approval may have turned the invoice into a draft.

        Taken is taken: where it does not show, it is never sent again by itself.
        """
        shows = "neither a document nor a draft with this number"
        found = taken_unnamed(self.look, prepared, self.title, "document it became", shows)
        if found.state == "draft":
            raise _awaits_approval(prepared, found)
        return found

    def read_back(self, found: Found) -> Found:
        """Read number, total and currency as SAP keeps them. Raises `Transient` where the document does not show."""
        kind, _, entry = found.id.partition(":")
        row = self._layer.get(SETS[int(kind)], int(entry), FoundRow)
        if row is None:
            raise Transient(f"SAP Business One does not show document {found.number}, which it has posted.")
        shown = self._as_found(row, int(kind), ours=found.ours)
        return replace(shown, state="cancelled") if is_void(row.cancelled, row.cancel_status) else shown

    def _as_found(self, row: FoundRow, kind: int, *, ours: bool = False) -> Found:
        """Convert; a credit note's total is negative, as on the platform."""
        total = self._total(row)
        total = total if kind == INVOICE or total is None else -total
        return Found(
            f"{kind}:{row.doc_entry}", row.number, total, row.doc_currency, ours=ours,
            dated=day_told(row.tax_date), posted_on=day_told(row.doc_date), partner=told(row.card_code),
            reference=told(row.num_at_card), kind=KINDS[kind],
        )  # fmt: skip

    def _total(self, row: FoundRow) -> Decimal | None:
        """Give what the supplier invoiced, in document currency: also what was withheld of it.

        The foreign total counts, unless the document is in the company's own currency.
        """
        if row.doc_total_fc and not (row.doc_total and self._lookups.is_local(row.doc_currency)):
            return row.doc_total_fc + (row.withheld_fc or ZERO)
        return None if row.doc_total is None else row.doc_total + (row.withheld or ZERO)


def _kind_of(record: Invoice) -> int:
    return CREDIT_NOTE if record.gross < 0 else INVOICE


def _awaits_approval(prepared: Prepared, draft: Found) -> Held:
    return Held(
        f"approval:{prepared.key}",
        f"SAP Business One keeps the invoice as draft {draft.number} until it is approved there.",
    )
