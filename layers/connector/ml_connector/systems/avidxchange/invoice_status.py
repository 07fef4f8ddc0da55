"""How invoices stand at AvidXchange: asked for one by one, or shown by the batches that were closed.

A closed batch shows what was approved; that an invoice is in none says nothing, and a rejection cannot be seen there.
No batch is ever marked as exported: the ledger that it is exported to is where these invoices came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final

from ml_connector.errors import Held, Misconfigured, Rejected
from ml_connector.flow import Document, DocumentPage, ListedDocument
from ml_connector.folding import fold
from ml_connector.records import InvoiceStatus
from ml_connector.systems.avidxchange.client import Client
from ml_connector.systems.avidxchange.faults import VENDOR
from ml_connector.systems.avidxchange.profile import InvoiceWord
from ml_connector.systems.avidxchange.supplier_invoices import code_of, natural
from ml_connector.systems.kit.day_windows import begin, listed
from ml_connector.systems.kit.invoices import KINDS
from ml_connector.systems.kit.results import each, named, sentences
from ml_connector.systems.kit.rows import amount_of, readable


class InvoiceStatuses:
    """The source of statuses; it takes no answers."""

    answers: Final = False

    def __init__(self, client: Client) -> None:
        self._client, self._profile, self._text = client, client.profile, partial(client.of, "invoice")

    def asked(self, ids: Sequence[str]) -> list[ListedDocument] | None:
        """Tell how invoices stand; None where the profile has no way to read one."""
        if not self._client.offers("invoices.get"):
            return None
        return [self._listed(name, self._client.one("invoices.get", id=name)) for name in ids]

    def _listed(self, name: str, row: Mapping[str, Any] | None) -> ListedDocument:
        if row is None:
            return ListedDocument(name, "gone")
        said = self._text(row, "status") or ""
        word = self._profile.invoice_word(said)
        stamp = "|".join((word or f"?{said}", *self._codes(row)))
        return ListedDocument(name, stamp, final=word == "paid", number=self._text(row, "invoiceNumber"))

    # ── closed batches ──────────────────────────────────────────────────────────────────────────────────────

    def list_documents(self, since: str | None, position: str | None) -> Iterator[DocumentPage]:
        """List the invoices of batches that were closed since a day."""
        if not self._client.offers("batches.list"):
            raise Misconfigured(
                f"The {VENDOR} profile has neither 'invoices.get' nor 'batches.list', so no status can be read. Name a "
                "path in 'profile.paths', or turn the flow invoice_status off."
            )
        filters, today = self._profile.filters, self._client.today()

        def read(first: date, last: date) -> Iterator[DocumentPage]:
            days = {filters.closed_from: first.isoformat(), filters.closed_to: last.isoformat()}
            for batch in self._client.rows("batches.list", days):
                yield DocumentPage([self._approved(batch, row) for row in self._invoices(batch)])

        first = begin(since, position, None, today, filters.max_days)
        yield from listed(first, today, filters.max_days, read, lambda: self._client.server_day)

    def _approved(self, batch: Mapping[str, Any], row: Mapping[str, Any]) -> ListedDocument:
        key = f"{self._text(row, 'id')}~{self._client.text(batch, 'batch.id')}"
        return ListedDocument(key, f"approved|{self._text(row, 'modifiedAt')}", number=self._text(row, "invoiceNumber"))

    def _invoices(self, batch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        links = (named(one) for one in each(self._client.value(batch, "batch.details")))
        href = next((one.get("href") for one in links if one.get("rel") == "full-details"), None)
        if href:
            yield from self._client.follow(str(href), "the invoices of a batch")

    # ── one ─────────────────────────────────────────────────────────────────────────────────────────────────

    def fetch(self, key: str) -> Document[InvoiceStatus]:
        """Read how an invoice stands now. Raises `Held` for one that is there no more."""
        name, _, guid = key.partition("~")
        batch = self._client.one("batches.get", id=guid) if guid else None
        if batch is not None and not self._client.value(batch, "batch.closedAt"):
            return Document(None, "gone", detail=f"its batch is open again in {VENDOR}, which says nothing of it")
        row = self._in(batch, name) if guid else self._client.one("invoices.get", id=name)
        if row is None:
            where = "the batch in which it was approved" if guid else VENDOR
            raise Held(
                f"conflict:{key}",
                f"Invoice {name} was taken out of {where}. Look for it in {VENDOR}: nothing is written to Sage X3.",
            )
        if self._text(row, "id") != name:
            raise Rejected(f"{VENDOR} was asked for invoice {name}, and gave another one.")
        said = "Closed batch" if guid else self._text(row, "status") or ""
        word: InvoiceWord | None = "approved" if guid else self._profile.invoice_word(said)
        if word is None:
            raise Held(
                f"lookup:{key}",
                f"Invoice {self._text(row, 'invoiceNumber')} is '{said}' in {VENDOR}, a status that nobody has mapped. "
                "Map the word in 'profile.status' of the secret, and it resumes automatically.",
            )
        vendor, number = code_of(self._text(row, "vendorExternalCode")), self._text(row, "invoiceNumber") or name
        record = InvoiceStatus(
            key=key,
            number=number,
            status=word,
            said=said,
            reason="; ".join(sentences(self._client.value(row, "invoice.errors"))) or None,
            supplier=vendor,
            changed=self._text(row, "modifiedAt"),
            accounts=self._codes(row),
        )
        with readable(VENDOR):
            negative = (amount_of(self._text(row, "amount")) or 0) < 0
        names = (name, f"~{natural(KINDS[negative], vendor or '', number)}")
        listed = self._approved({}, row).stamp if guid else self._listed(name, row).stamp
        return Document(record, "offered", listed, said, refers=names)

    def _in(self, batch: Mapping[str, Any] | None, name: str) -> dict[str, Any] | None:
        rows = self._invoices(batch) if batch is not None else iter(())
        return next((row for row in rows if self._text(row, "id") == name), None)

    def _codes(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """List the GL codes that the invoice is coded to there."""
        found: dict[str, None] = {}
        for line in each(self._client.value(row, "invoice.lines")):
            if not isinstance(line, dict):
                continue
            code = self._client.text(line, "line.glCode")
            pairs = [one for one in each(self._client.value(line, "line.codes")) if isinstance(one, dict)]
            mine = (p for p in pairs if fold(self._client.text(p, "code.group")) == fold(self._profile.gl_group))
            found |= dict.fromkeys(filter(None, (code, *(self._client.text(p, "code.value") for p in mine))))
        return tuple(found)
