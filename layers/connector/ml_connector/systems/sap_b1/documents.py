"""Invoices, credit notes and their drafts as they stand in SAP Business One, and how one is found among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Any, Protocol

from ml_connector.errors import Misconfigured
from ml_connector.flow import Found
from ml_connector.folding import same, spellings
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.faults import whole_number
from ml_connector.systems.sap_b1.query import Query, any_of
from ml_connector.systems.sap_b1.rows import FoundRow, own_row

INVOICE, CREDIT_NOTE = 18, 19
SETS = {INVOICE: "PurchaseInvoices", CREDIT_NOTE: "PurchaseCreditNotes"}
DRAFT_CODES = {INVOICE: "oPurchaseInvoices", CREDIT_NOTE: "oPurchaseCreditNotes"}
REFUSED_DRAFT = "dasRejected"
SETTLED_DRAFTS = frozenset({"dasGenerated", "dasGeneratedbyAuthorizer", "dasCancelled"})
MOST_RECENT = 1000
"""Documents of a kind that are looked through for keys of another installation."""


class Conversion(Protocol):
    """Says a row in the engine's words."""

    def __call__(self, row: FoundRow, kind: int, *, ours: bool = False) -> Found:
        """Convert; `ours`: it carries our own key."""


class Posted:
    """The documents of one company. `lookup` is that of `flow.Prepared`, as `Invoices` makes it."""

    def __init__(self, layer: ServiceLayer, own_field: str | None, as_found: Conversion) -> None:
        """`own_field`: the user field that holds our own key by the present settings."""
        self._layer, self._own_field, self._as_found = layer, own_field, as_found

    def find(self, lookup: Mapping[str, str]) -> Iterator[Found]:
        """Find the document, or a draft of it that awaits approval. Cancelled ones do not count.

        Drafts are read first: one that is approved in between is found as what it became.
        """
        kind, entity = int(lookup["kind"]), lookup["entity"]
        drafts = self.drafts(lookup)
        yield from self._carrying_our_key(lookup)
        yield from (self._as_found(row, kind) for row in self._alike(entity, lookup))
        yield from drafts

    def _carrying_our_key(self, lookup: Mapping[str, str]) -> Iterator[Found]:
        """Find what carries our own key, of either kind and whatever partner and number it has."""
        field, own = lookup.get("own_field"), lookup.get("own")
        if not field or not own:
            return
        row_type, where = own_row(field), f"{field} eq {self._layer.text(own)}"
        for kind, entity in SETS.items():
            query = Query(entity, row_type, "DocEntry", where, lenient=field != self._own_field)
            for row in self._layer.rows(query):
                if row.own_key == own and not row.void:
                    yield self._as_found(row, kind, ours=True)

    def _alike(
        self, entity: str, lookup: Mapping[str, str], more: str = "", *, optional: bool = False
    ) -> list[FoundRow]:
        """Find documents of a partner and number, however the server spells the two.

        Its filters compare exactly. So several spellings are asked for, and whatever has the same invoice date, of
        which there are few; they are compared here. A server that refuses so much is asked for the plain words.
        `more` is a further condition.
        """

        def ask(where: str) -> list[FoundRow]:
            return list(self._layer.rows(Query(entity, FoundRow, "DocEntry", where + more, optional=optional)))

        try:
            rows = ask(self._widely(lookup))
        except Misconfigured:
            rows = ask(self._exactly(lookup))
        return [row for row in rows if _counts(row, lookup["number"], lookup["card"])]

    def _exactly(self, lookup: Mapping[str, str]) -> str:
        text = self._layer.text
        return f"CardCode eq {text(lookup['card'])} and NumAtCard eq {text(lookup['number'])}"

    def _widely(self, lookup: Mapping[str, str]) -> str:
        text = self._layer.text
        cards = any_of("CardCode", map(text, spellings(lookup["card"])))
        numbers = any_of("NumAtCard", map(text, spellings(lookup["number"])))
        day = f" or TaxDate eq {self._layer.day(date.fromisoformat(lookup['dated']))}" if lookup.get("dated") else ""
        return f"{cards} and ({numbers}{day})" if day else f"{cards} and {numbers}"

    def drafts(self, lookup: Mapping[str, str]) -> list[Found]:
        """Find drafts that wait for their approver, and those that he refused."""
        found, kind = dict[str, Found](), int(lookup["kind"])
        if (own := lookup.get("own")) and (field := lookup.get("own_field")):
            where = f"{field} eq {self._layer.text(own)}"
            for one in self._layer.rows(Query("Drafts", own_row(field), "DocEntry", where, lenient=True)):
                if one.own_key == own and not one.void:
                    found |= self._as_draft(one, kind, ours=True)
        of_kind = f" and DocObjectCode eq '{DRAFT_CODES[kind]}'"
        for row in self._alike("Drafts", lookup, of_kind, optional=True):
            found = self._as_draft(row, kind) | found
        return list(found.values())

    def _as_draft(self, row: FoundRow, kind: int, *, ours: bool = False) -> dict[str, Found]:
        if row.document_status == "bost_Close" or row.authorization_status in SETTLED_DRAFTS:
            return {}
        one = self._as_found(row, kind, ours=ours)
        state: Any = "rejected" if row.authorization_status == REFUSED_DRAFT else "draft"
        return {f"draft:{row.doc_entry}": replace(one, id=f"draft:{row.doc_entry}", state=state)}

    def numbered(self, number: str, lookup: Mapping[str, str]) -> list[Found]:
        """Find the documents that SAP calls `number`, of this supplier and kind; cancelled ones do not count."""
        kind, wanted = int(lookup["kind"]), whole_number(number.strip())
        if wanted is None:
            return []
        query = Query(SETS[kind], FoundRow, "DocEntry", f"DocNum eq {wanted}")
        return [
            self._as_found(row, kind)
            for row in self._layer.rows(query)
            if row.doc_num == wanted and _counts(row, None, lookup["card"])
        ]

    def recent(self, since: date) -> list[Found]:
        """List documents with what stands in the field of our key; none without a field for it."""
        if not (field := self._own_field):
            return []
        where = f"DocDate ge {self._layer.day(since)}"
        rows = (
            (kind, row)
            for kind, entity in SETS.items()
            for row in islice(self._layer.rows(Query(entity, own_row(field), "DocEntry", where)), MOST_RECENT)
        )
        return [replace(self._as_found(r, k), reference=r.own_key) for k, r in rows]

    def stands(self, found: Found) -> bool:
        """Tell whether a document counts; posted ones are never deleted, so one that does not show counts too."""
        kind, _, entry = found.id.partition(":")
        if whole_number(kind) not in SETS or whole_number(entry) is None:
            return True
        row = self._layer.get(SETS[int(kind)], int(entry), FoundRow)
        return row is None or not row.void


def _counts(row: FoundRow, number: str | None, partner: str) -> bool:
    """Tell whether a row is the document looked for: not cancelled, and of that partner and number where it says so."""
    if row.void or (row.card_code is not None and not same(row.card_code, partner)):
        return False
    return number is None or row.num_at_card is None or same(row.num_at_card, number)
