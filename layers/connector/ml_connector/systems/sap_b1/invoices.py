"""Purchase invoices and credit notes in SAP Business One's words (`kit/invoices`).

The Service Layer knows no idempotency key, so a document is looked for before it is sent, by our own user field where
the customer made one, and by supplier and invoice number (`docs/vendors/sap_b1.md`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from ml_connector.context import AdapterContext
from ml_connector.flow import Found, Prepared
from ml_connector.records import Invoice
from ml_connector.systems.kit.drafts import Draft, moved_note
from ml_connector.systems.kit.invoices import KEY_LIMIT, KINDS, Created
from ml_connector.systems.kit.totals import sum_up
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.documents import CREDIT_NOTE, INVOICE, SETS, Posted
from ml_connector.systems.sap_b1.faults import DIALECT, VENDOR, Fault, kind_of, whole_number
from ml_connector.systems.sap_b1.lines import Lines
from ml_connector.systems.sap_b1.lookups import Lookups
from ml_connector.systems.sap_b1.ordered_goods import OrderedGoods
from ml_connector.systems.sap_b1.rows import ZERO, FoundRow, day_told, told
from ml_connector.systems.sap_b1.settings import Settings

REMARKS_LIMIT = 254
BRANCH = "BPL_IDAssignedToInvoice"


class Invoices:
    """The `kit.invoices.Payables` of a company. A posted one's id is its object type and DocEntry, such as `18:812`."""

    title, dialect, number_limit, key_limit, refuses_duplicates, mark = VENDOR, DIALECT, 100, KEY_LIMIT, False, ""
    shown_nowhere = "neither as a document nor as a draft"

    def __init__(self, layer: ServiceLayer, settings: Settings, context: AdapterContext, lookups: Lookups) -> None:
        self._layer, self._settings, self._lookups = layer, settings, lookups
        self._rounding = context.options.rounding_tolerance
        self._posted = Posted(layer, settings.external_id_field, self._as_found)

    # ── compose ─────────────────────────────────────────────────────────────────────────────────────────────

    def compose(self, draft: Draft) -> dict[str, Any]:
        """Write the document: its head, then its lines."""
        record = draft.invoice
        money = self._lookups.money(record.currency, draft.currency)
        money.exact(record.gross, f"The total of invoice {record.number}")
        lines = Lines(
            draft,
            self._settings,
            self._lookups,
            OrderedGoods(self._layer, draft),
            foreign=self._lookups.is_foreign(draft.currency),
            money=money,
            tolerance=money.tolerance(self._rounding),
        )
        kind, rows, rounding = lines.write(sum_up(record, money, self._rounding, lines.order_percents()))
        head = {"CardCode": draft.supplier, "DocType": kind, "DocCurrency": draft.currency}
        return head | self._header(draft, lines) | rounding | {"DocumentLines": rows}

    def _header(self, draft: Draft, lines: Lines) -> dict[str, Any]:
        record, posted_on = draft.invoice, draft.posted_on
        header: dict[str, Any] = {"NumAtCard": record.number, "DocDate": posted_on.isoformat()}
        header["TaxDate"] = (record.invoice_date or posted_on).isoformat()
        if record.due_date:
            header["DocDueDate"] = record.due_date.isoformat()
        elif record.payment_term and (term := whole_number(draft.codes.erp("term", record.payment_term))) is not None:
            header["PaymentGroupCode"] = term
            draft.used[f"term={term}"] = record.payment_term
        if record.description:
            header["Comments"] = draft.cut(record.description, REMARKS_LIMIT, "The description")
        if record.payment_block:
            header["PaymentBlock"] = "tYES"
        if (branch := self._branch(draft, lines)) is not None:
            header[BRANCH] = branch
        draft.used |= {"branch=": record.organization or record.company, "organization": record.organization or ""}
        if self._settings.external_id_field:
            header[self._settings.external_id_field] = draft.own
        return header

    def _branch(self, draft: Draft, lines: Lines) -> int | None:
        """Choose the branch: of what is drawn from, else what a person mapped the organization to, else of the order
        that is named, else the secret's. Raises `Held` where the lines draw on several.
        """
        if (drawn := lines.branch()) is not None:
            return drawn
        organization = draft.invoice.organization
        if organization:
            mapped = draft.codes.erp("branch", organization)
            if mapped != organization and (branch := whole_number(mapped)) is not None:
                return branch
        named = lines.bases.named_branch()
        return named if named is not None else self._settings.branch_id

    # ── find ────────────────────────────────────────────────────────────────────────────────────────────────

    def lookup(self, invoice: Invoice, supplier: str, own: str) -> dict[str, str]:
        """Find it in its entity set: by our own key where there is a field for it, and by card and number."""
        kind, own_field = CREDIT_NOTE if invoice.gross < 0 else INVOICE, self._settings.external_id_field
        lookup = {"kind": str(kind), "entity": SETS[kind], "card": supplier}
        return lookup | ({"own": own, "own_field": own_field} if own_field else {})

    def find(self, lookup: Mapping[str, str]) -> Iterable[Found]:
        """Find the document, or a draft of it that awaits approval. Cancelled ones do not count."""
        return self._posted.find(lookup)

    def numbered(self, number: str, lookup: Mapping[str, str]) -> list[Found]:
        """Find the documents that SAP calls `number`, of this supplier and kind; cancelled ones do not count."""
        return self._posted.numbered(number, lookup)

    def recent(self, since: date) -> Iterable[Found]:
        """List documents with whatever stands in the field of our key; none without a field for it."""
        return self._posted.recent(since)

    def stands(self, found: Found) -> bool:
        """Tell whether a document counts; posted ones are never deleted, so one that does not show counts too."""
        return self._posted.stands(found)

    # ── create ──────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, prepared: Prepared) -> Created | Fault:
        """Post; what awaits an approval is a draft, and no document yet."""
        told = self._layer.create(prepared.lookup["entity"], prepared.body)
        if isinstance(told, Fault):
            return Created() if told.no_records and kind_of(told, prepared) is None else told
        if told.entry is None or told.body.get("AuthorizationStatus") == "dasPending":
            return Created()
        return Created(f"{prepared.lookup['kind']}:{told.entry}", str(told.body.get("DocNum") or told.entry))

    def amended(self, fault: Fault, prepared: Prepared) -> Prepared | None:
        """Name the branch: an organization's code may be its number without a mapping, which shows only now."""
        branch = whole_number(prepared.lookup.get("organization", ""))
        if branch is None or BRANCH in prepared.body or kind_of(fault, prepared) != "branch":
            return None
        return replace(prepared, body={**prepared.body, BRANCH: branch})

    def moved(self, prepared: Prepared, day: date) -> dict[str, Any]:
        """Post on another day, and say so in the remarks."""
        body = prepared.body
        remarks = f"{moved_note(body['DocDate'], day)} {body.get('Comments') or ''}".strip()
        return {**body, "DocDate": day.isoformat(), "Comments": remarks[:REMARKS_LIMIT]}

    # ── read ────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, found: Found) -> Found | None:
        """Read a document as SAP keeps it."""
        kind, _, entry = found.id.partition(":")
        row = self._layer.get(SETS[int(kind)], int(entry), FoundRow)
        if row is None:
            return None
        shown = self._as_found(row, int(kind), ours=found.ours)
        return replace(shown, state="cancelled") if row.void else shown

    def _as_found(self, row: FoundRow, kind: int, *, ours: bool = False) -> Found:
        """Convert; a credit note's total is negative, as on the platform."""
        total = self._total(row)
        total = total if kind == INVOICE or total is None else -total
        return Found(
            f"{kind}:{row.doc_entry}",
            row.number,
            total,
            row.doc_currency,
            ours=ours,
            dated=day_told(row.tax_date),
            posted_on=day_told(row.doc_date),
            partner=told(row.card_code),
            reference=told(row.num_at_card),
            kind=KINDS[kind == CREDIT_NOTE],
        )

    def _total(self, row: FoundRow) -> Decimal | None:
        """Give what the supplier invoiced, in document currency: also what was withheld of it.

        The foreign total counts, unless the document is in the company's own currency.
        """
        if row.doc_total_fc and not (row.doc_total and self._lookups.is_local(row.doc_currency)):
            return row.doc_total_fc + (row.withheld_fc or ZERO)
        return None if row.doc_total is None else row.doc_total + (row.withheld or ZERO)
