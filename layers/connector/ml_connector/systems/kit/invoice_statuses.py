"""How far an invoice has come at a platform, shown in the ERP: in a field of the invoice, and as a stop of its payment.

A repeat writes the same again, so nothing is in doubt. Without a field, and without stopping payments, a status is in
the audit trail alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from ml_connector.errors import ConnectorError, Held, Misconfigured, NotOurs
from ml_connector.flow import Codes, Found, Prepared
from ml_connector.folding import same
from ml_connector.records import InvoiceStatus
from ml_connector.systems.kit.declared import Entity, Record, Writer
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.open_items import Open
from ml_connector.systems.kit.posted_invoices import PostedInvoices
from ml_connector.systems.kit.values import text

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Stop:
    """How an open item is kept from being paid by the ERP: the field, what lets it be paid, and what does not."""

    entity: Entity
    field: str
    free: int
    stopped: int


class InvoiceStatuses:
    """The `flow.DocumentTarget` of statuses. Raises the classes of `errors` only."""

    refuses_duplicates = True

    def __init__(
        self,
        editor: Writer,
        entity: Entity,
        posted: PostedInvoices,
        ledger: Callable[[Iterable[str]], set[str]],
        refused: Callable[[Entity, Fault, str], ConnectorError],
        *,
        field: str | None,
        stop: Stop | None,
        title: str,
        payer: str,
    ) -> None:
        """`field` of the invoice takes the status; `ledger` tells which accounts there are; `refused` says what the
        refusal of a change means.
        """
        self._editor, self._entity, self._posted = editor, entity, posted
        self._ledger, self._refused, self._field, self._stop = ledger, refused, field, stop
        self.title, self._payer = title, payer

    # ── prepare ─────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, record: InvoiceStatus, codes: Codes) -> Prepared:
        """Say a status. Raises `Held` for a word that nobody mapped, and for coding that the ERP does not have."""
        named = self.trace(record, codes)
        if record.status is None:
            raise Held(
                f"lookup:{record.key}",
                f"Invoice {record.number} is '{record.said}' in {self._payer}, which nothing says the meaning of. Add "
                "it to 'profile.status' of the secret.",
            )
        for code in record.accounts:
            account = codes.erp("account", code)
            if not self._ledger([account]):
                raise Held(
                    f"account:{code}",
                    f"Invoice {record.number} is coded to {code} in {self._payer}, and {self.title} has no active "
                    f"account {account}. Correct the coding there, or map the code to another account.",
                )
        reason = f": {record.reason}" if record.reason else ""
        return replace(named, notes=(f"{self._payer} shows it as {record.status} ('{record.said}'){reason}.",))

    def trace(self, record: InvoiceStatus, codes: Codes) -> Prepared:  # noqa: ARG002 - nothing is translated
        """Say what it is found by. Raises `NotOurs` for an invoice that was not submitted from here."""
        if record.document is None:
            raise NotOurs(f"Invoice {record.number} in {self._payer} was not submitted from here.")
        status = record.status or ""
        written: dict[str, str] = {"status": status} if self._field else {}
        if self._stop is not None and status in {"received", "approved", "rejected"}:
            written["payment"] = "stopped"
        return Prepared(
            key=record.key,
            body={"document": record.document, "status": status},
            lookup={"document": record.document, "status": status},
            amount=NOTHING,
            currency="",
            written=written,
        )

    # ── look ────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, prepared: Prepared) -> list[Found]:
        """Find the invoice where all stands as it is to be; a rejected one whose payment is stopped waits."""
        if not prepared.written:
            return []
        row, items = self._read(prepared.lookup["document"])
        found = self._found(prepared.lookup["document"], prepared.key, row, items)
        there = all(found.written.get(what) == value for what, value in prepared.written.items())
        return [found] if there and not self._waits(prepared, items) else []

    def _read(self, document: str) -> tuple[Record, Open]:
        row = self._posted.head(document)
        if row is None:
            raise Held(
                f"lookup:{document}",
                f"{self.title} no longer shows {document} among its posted invoices. Look for it there.",
            )
        return row, self._posted.open_of(row) if self._stop is not None else Open()

    def _found(self, document: str, key: str, row: Record, items: Open) -> Found:
        written: dict[str, str] = {}
        if self._field is not None:
            self._shown(row, self._field, self._entity)
            written["status"] = text(row, self._field) or ""
        if self._stop is not None:
            written["payment"] = "free" if self._free(items) else "stopped"
        return Found(f"{document}:{key}", document, ours=True, written=written)

    def _shown(self, row: Mapping[str, object], field: str, entity: Entity) -> None:
        if field not in row:
            raise Misconfigured(
                f"{self.title} does not show the field {field} of the {entity.title}. Add it to the representation "
                f"that {entity.setting('representation')} names, or correct the secret."
            )

    def _free(self, items: Open) -> list[Record]:
        """List the items that the ERP would pay by itself."""
        stop = self._stop
        if stop is None or items.state not in {"open", "part"}:
            return []
        for row in items.rows:
            self._shown(row, stop.field, stop.entity)
        return [row for row in items.rows if text(row, stop.field) == str(stop.free)]

    def _waits(self, prepared: Prepared, items: Open) -> bool:
        stopped = self._stop is not None and prepared.lookup["status"] == "rejected"
        return stopped and items.state in {"open", "part"}

    def numbered(self, number: str, prepared: Prepared) -> list[Found]:
        """Find the invoice by the ERP's own number: so a person says that nothing more is to be done."""
        document = prepared.lookup["document"]
        return [Found(f"{document}:{prepared.key}", document, ours=True)] if same(number, document) else []

    def recent(self) -> list[Found]:
        """List none: nothing is made."""
        return []

    def stands(self, found: Found) -> bool:  # noqa: ARG002
        """Tell that it counts: a status is never taken back."""
        return True

    # ── send ────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, prepared: Prepared) -> Found:
        """Write what is not there yet. Raises `Held` for a rejected invoice whose payment is stopped."""
        document, status = prepared.lookup["document"], prepared.lookup["status"]
        if not prepared.written:
            return Found(f"{document}:{prepared.key}", document, ours=True)
        row, items = self._read(document)
        found = self._found(document, prepared.key, row, items)
        if self._field is not None and found.written["status"] != status:
            self._write(self._entity, self._entity.key_of(row), {self._field: status})
        if "payment" in prepared.written and self._stop is not None:
            for item in self._free(items):
                self._write(self._stop.entity, self._stop.entity.key_of(item), {self._stop.field: self._stop.stopped})
        if self._waits(prepared, items):
            raise Held(
                f"conflict:{document}",
                f"{self._payer} rejected invoice {document} of {self.title}, whose payment is stopped there. Correct "
                f"it in {self._payer}, or cancel it in {self.title}, and this resumes automatically. To pay it from "
                f"{self.title}, match it to {document}, then release its open item there.",
            )
        return replace(found, written={})

    def _write(self, entity: Entity, key: str, changed: Mapping[str, object]) -> None:
        fault = self._editor.update(entity, key, changed)
        if fault is not None:
            raise self._refused(entity, fault, f"{entity.title} {key} ({', '.join(changed)})")

    def read_back(self, found: Found) -> Found:
        """Read what was written; what nothing was written of is confirmed by nothing else."""
        if self._field is None and self._stop is None:
            return replace(found, notes=("It is in the audit trail; nothing is written of it.",))
        document, _, key = found.id.partition(":")
        row, items = self._read(document)
        shown = self._found(document, key, row, items)
        return shown if items.state in {"open", "part"} or self._stop is None else _without_stop(shown)


def _without_stop(found: Found) -> Found:
    """Leave out the stop of what is not to be paid any more."""
    return replace(found, written={name: value for name, value in found.written.items() if name != "payment"})
