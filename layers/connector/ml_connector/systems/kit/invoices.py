"""The target of invoices of any ERP: looked for before it is sent, sent once, and never again once it was taken.

An ERP says in its `Payables` how an invoice is worded, found and created; what must hold for all of them is said here.
It posts in one call, or in steps: then `create` is the first one, and `read` takes those that are left before it tells
how the document stands, so that whoever comes back after a crash finishes. Right before each of these steps the
document is compared with what was approved (`Found.check`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date, timedelta
from typing import Any, Generic, Protocol, TypeVar

from ml_connector.context import AdapterContext, in_our_shape
from ml_connector.errors import Held, LoginRefused, Misconfigured, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Codes, Found, Prepared
from ml_connector.folding import fold
from ml_connector.records import Invoice
from ml_connector.systems.kit.connection import today
from ml_connector.systems.kit.drafts import Draft, moved_note
from ml_connector.systems.kit.faults import Dialect, Fault
from ml_connector.systems.kit.money import reckoned
from ml_connector.systems.kit.refusals import named
from ml_connector.systems.kit.rows import readable
from ml_connector.systems.settings import SystemSettings

KEY_LIMIT = 36
"""Characters of our own key in a document, where the ERP keeps as many."""
MONTHS_AHEAD = 3
"""Closed months that are passed over in search of an open one."""
AMENDMENTS = 3
"""How often a refused invoice is sent in other words, one after the other."""
RECENT = timedelta(days=30)
"""How far back `ping` looks for keys of another installation."""
KINDS = {False: "invoice", True: "credit note"}
"""Kinds of document as people name them, by whether it is a credit note."""
F = TypeVar("F", bound=Fault)


@dataclass(frozen=True, slots=True)
class Created:
    """The ERP took an invoice. `id` is None where its answer does not say which document it became, or that it is one.

    `ours`: the document carries our own key for certain.
    """

    id: str | None = None
    number: str = ""
    ours: bool = False


class Payables(Protocol[F]):
    """One ERP's purchase invoices, in its own words and calls."""

    title: str
    """Its name for people."""
    dialect: Dialect[F]
    number_limit: int
    """Characters of an invoice's number that it keeps; a longer one is refused."""
    key_limit: int
    """Characters of our own key that it keeps, beside its mark: `KEY_LIMIT` if it can."""
    refuses_duplicates: bool
    """It lets no second document of a supplier and number in."""
    mark: str
    """What begins our own key where others write too."""
    shown_nowhere: str
    """Says where an invoice should show that it took and does not: "in no batch"."""

    def lookup(self, invoice: Invoice, supplier: str, own: str) -> dict[str, str]:
        """Say what a document is found by; its `kind` is told apart from others of the same number."""

    def compose(self, draft: Draft) -> Mapping[str, Any]:
        """Write the body. Raises `Held` or `Rejected`, and `Transient` while looking things up."""

    def find(self, lookup: Mapping[str, str]) -> Iterable[Found]:
        """Find documents by our own key, then by supplier and number; cancelled ones do not count."""

    def numbered(self, number: str, lookup: Mapping[str, str]) -> list[Found]:
        """Find what the ERP itself calls `number`."""

    def recent(self, since: date) -> Iterable[Found]:
        """List documents since a day that may carry a key of ours, as their `reference`."""

    def stands(self, found: Found) -> bool:
        """Tell whether a document still counts."""

    def create(self, prepared: Prepared) -> Created | F:
        """Call once. Raises `OutcomeUnknown` where the answer leaves the effect in doubt."""

    def amended(self, fault: F, prepared: Prepared) -> Prepared | None:
        """Say a refused invoice in other words that this server may take, with a note; None where there are none."""

    def moved(self, prepared: Prepared, day: date) -> Mapping[str, Any]:
        """Give the body with another posting date."""

    def read(self, found: Found) -> Found | None:
        """Read a document, after the steps that are left; None where it does not show."""


class InvoiceTarget(Generic[F]):
    """The `flow.DocumentTarget` of an ERP's invoices."""

    def __init__(self, payables: Payables[F], settings: SystemSettings, context: AdapterContext) -> None:
        self._payables, self._settings, self._context = payables, settings, context
        self._moves = context.options.closed_period == "next_open"
        self.refuses_duplicates, self.title = payables.refuses_duplicates, payables.title

    # ── prepare ─────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, record: Invoice, codes: Codes) -> Prepared:
        """Say an invoice in the ERP's words. Raises `Held` or `Rejected`, and `Transient` while looking things up."""
        limit = self._payables.number_limit
        if len(record.number) > limit:
            raise Rejected(
                f"The invoice number {record.number} is longer than the {limit} characters that {self.title} keeps; a "
                "number is never cut. Correct it and transfer the invoice again."
            )
        draft = self._draft(record, codes)
        with reckoned(f"Invoice {record.number}"), readable(self.title):
            body = self._payables.compose(draft)
        draft.used |= {f"supplier={draft.supplier}": record.supplier, f"currency={draft.currency}": record.currency}
        draft.used["month="] = draft.month
        return self._prepared(draft, body)

    def trace(self, record: Invoice, codes: Codes) -> Prepared:
        """Say what a sent invoice is found by, without its lines: orders and periods may be closed since."""
        return self._prepared(self._draft(record, codes), {})

    def _draft(self, record: Invoice, codes: Codes) -> Draft:
        return Draft(
            title=self.title,
            invoice=record,
            codes=codes,
            supplier=codes.erp("supplier", record.supplier),
            currency=codes.erp("currency", record.currency),
            own=self._payables.mark + self._context.outward("invoice", record.key, limit=self._payables.key_limit),
            posted_on=record.accounting_date or today(self._settings, self._context),
            moves=self._moves,
        )

    def _prepared(self, draft: Draft, body: Mapping[str, Any]) -> Prepared:
        record = draft.invoice
        dated = record.invoice_date.isoformat() if record.invoice_date else ""
        lookup = self._payables.lookup(record, draft.supplier, draft.own) | {"number": record.number, "dated": dated}
        natural = f"{lookup['kind']}~{fold(draft.supplier)}~{fold(record.number)}"
        return Prepared(
            key=record.key,
            body=body,
            lookup=lookup | draft.used,
            amount=record.gross,
            currency=draft.currency,
            posted_on=draft.posted_on,
            notes=tuple(dict.fromkeys(draft.notes)),
            natural=natural,
            name=natural if draft.unique else "",
            unique=draft.unique,
            written=draft.written,
            dated=record.invoice_date,
            partner=draft.supplier,
            reference=record.number,
            kind=KINDS[draft.credit],
        )

    # ── look ────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, prepared: Prepared) -> list[Found]:
        """Find the document, whatever else it says; cancelled ones do not count."""
        found: dict[str, Found] = {}
        with readable(self.title):
            for one in self._payables.find(prepared.lookup):
                found.setdefault(one.id, one)
        return list(found.values())

    def numbered(self, number: str, prepared: Prepared) -> list[Found]:
        """Find the documents that the ERP calls `number`, of this supplier and kind; cancelled ones do not count."""
        with readable(self.title):
            return self._payables.numbered(number, prepared.lookup)

    def recent(self) -> list[Found]:
        """List documents of the last weeks with a key in our shape, whoever wrote it."""
        since, mark = today(self._settings, self._context) - RECENT, self._payables.mark
        with readable(self.title):
            recent = self._payables.recent(since)
            return [one for one in recent if in_our_shape((one.reference or "").removeprefix(mark))]

    def stands(self, found: Found) -> bool:
        """Tell whether a document counts: False only where the ERP says that it does not."""
        return self._payables.stands(found)

    # ── send ────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, prepared: Prepared) -> Found:
        """Post once. Raises `Rejected`, `Held`, `Misconfigured`, `OutcomeUnknown` or `Transient` (had no effect)."""
        sent, outcome = self._sent(prepared)
        if isinstance(outcome, Fault):
            raise self._payables.dialect.judge(outcome, prepared, self.look)
        notes = sent.notes[len(prepared.notes) :]
        if outcome.id is None:
            return replace(self._unnamed(prepared), notes=notes)
        return Found(
            outcome.id,
            outcome.number,
            prepared.amount,
            prepared.currency,
            ours=outcome.ours,
            notes=notes,
            posted_on=sent.posted_on,
        )

    def _sent(self, prepared: Prepared) -> tuple[Prepared, Created | F]:
        """Create, in other words or in a later month where that is what it was refused for.

        Where every month was refused, the first refusal counts: it is about the invoice's own month, which a person
        opens.
        """
        outcome = self._payables.create(prepared)
        for _ in range(AMENDMENTS):
            other = self._payables.amended(outcome, prepared) if isinstance(outcome, Fault) else None
            if other is None:
                break
            prepared, outcome = other, self._payables.create(other)
        asked, refused, day = prepared, outcome, prepared.posted_on
        for _ in range(MONTHS_AHEAD if self._moves else 0):
            if day is None or not self._is_closed(outcome, asked):
                return prepared, outcome
            day = next_month(day)
            prepared = self._moved(asked, day)
            outcome = self._payables.create(prepared)
        return (asked, refused) if self._is_closed(outcome, asked) else (prepared, outcome)

    def _is_closed(self, outcome: Created | F, prepared: Prepared) -> bool:
        return isinstance(outcome, Fault) and self._payables.dialect.kind(outcome, prepared) == "period"

    def _moved(self, prepared: Prepared, day: date) -> Prepared:
        note = moved_note(prepared.posted_on or day, day)
        body = self._payables.moved(prepared, day)
        return replace(prepared, body=body, posted_on=day, notes=(*prepared.notes, note))

    def _unnamed(self, prepared: Prepared) -> Found:
        """Find what a success was that names no document. Taken is taken: it is never sent again by itself."""
        payables = self._payables
        said = f"{self.title} took {named(prepared)} without naming the {payables.dialect.document} that it became"
        try:
            found = self.look(prepared)
        except (Transient, LoginRefused, Misconfigured) as error:
            raise OutcomeUnknown(f"{said}: {error}", taken=True) from error
        if not found:
            raise OutcomeUnknown(f"{said}, and shows it {payables.shown_nowhere}. Look for it there.", taken=True)
        if found[0].state == "draft":
            raise Held(
                f"approval:{prepared.key}",
                f"{self.title} keeps the invoice as draft {found[0].number} until it is approved there.",
            )
        return found[0]

    def read_back(self, found: Found) -> Found:
        """Read number, total and currency as the ERP keeps them. Raises `Transient` where it shows no document."""
        with readable(self.title):
            shown = self._payables.read(found)
        if shown is None:
            raise Transient(f"{self.title} does not show document {found.number}, which it has posted.")
        return shown


def next_month(day: date) -> date:
    """Give the first day of the month after a day's; there is none after the last month there is."""
    if (day.year, day.month) == (MAXYEAR, 12):
        return day
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
