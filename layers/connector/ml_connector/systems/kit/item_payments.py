"""Payments that a platform made, entered in an ERP on the open items of the invoices that they paid.

A payment bears our key. That it stands is proven by its own record and by the open items, which must have grown by it;
what is entered and not posted yet is told as such. Nothing negative is ever entered: what the platform takes back after
it was entered is for a person to take back in the ERP, and is held until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ml_connector.context import AdapterContext, in_our_shape
from ml_connector.errors import Held, NotOurs, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Codes, Found, Prepared
from ml_connector.folding import same
from ml_connector.records import Payment
from ml_connector.systems.kit.conditions import Condition
from ml_connector.systems.kit.declared import Entity, Reader, Record, Writer
from ml_connector.systems.kit.faults import Dialect, Fault
from ml_connector.systems.kit.open_items import Open
from ml_connector.systems.kit.posted_invoices import PostedInvoices
from ml_connector.systems.kit.refusals import is_fault_of_the_document
from ml_connector.systems.kit.rows import all_rows
from ml_connector.systems.kit.values import ZERO, amount, children, day, text

RECENT = timedelta(days=30)
KIND = "payment"


@dataclass(frozen=True)
class PaymentColumns:
    """What the fields of a payment are called; `own` holds our key, `limit` characters of it.

    `stands` tells one that was not taken back.
    """

    own: str
    limit: int
    partner: str
    currency: str
    amount: str
    dated: str
    reference: str
    lines: str
    document: str
    applied: str
    stands: Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be entered: a payment of an invoice, `item` being the first of its open items."""

    payment: Payment
    document: str
    partner: str
    currency: str
    own: str
    posted_on: date
    item: Record


class ItemPayments:
    """The `flow.DocumentTarget` of payments. Raises the classes of `errors` only."""

    refuses_duplicates = False

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        entity: Entity,
        columns: PaymentColumns,
        posted: PostedInvoices,
        compose: Callable[[Order], Mapping[str, Any]],
        dialect: Dialect[Fault],
        context: AdapterContext,
        *,
        title: str,
        payer: str,
        today: Callable[[], date],
        linked: bool,
        words: str = "",
    ) -> None:
        """`compose` makes the body, `dialect` says what a refusal means. `words` is the field of what was created in
        which its maker may tell why it was not. `linked`: also what we never delivered is taken,
        found by number and supplier. `payer` is the platform's name for people.
        """
        self._reader, self._writer, self._entity, self._is = reader, writer, entity, columns
        self._posted, self._compose, self._dialect, self._context = posted, compose, dialect, context
        self._words = words
        self.title, self._payer, self._today, self._linked = title, payer, today, linked
        self._ended = set[str]()

    # ── prepare ─────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, record: Payment, codes: Codes) -> Prepared:
        """Say a payment in the ERP's words. Raises `Held`, `Rejected`, or `NotOurs` for what belongs to nothing here.

        One that is taken back has nothing to say, once it is taken back here, too.
        """
        row = self._invoice(record, codes)
        named, this = self._named(record, row), self._this(record)
        if record.state is None and not record.cancelled:
            raise Held(
                f"lookup:{record.key}",
                f"{this} is '{record.said}' in {self._payer}, which nothing says the meaning of, so it does not count "
                "as paid. Add this state to 'profile.payment_states' of the secret.",
            )
        if record.cancelled:
            return self._cancelled(record, named, this)
        items = self._payable(record, row, named, this)
        posted_on = record.paid_on or self._today()
        document, partner = named.lookup["document"], named.lookup["vendor"]
        body = self._compose(
            Order(record, document, partner, named.currency, named.lookup["own"], posted_on, items.rows[0])
        )
        notes = named.notes if items.state != "closed" else (*named.notes, f"{document} has no open item any more.")
        return replace(named, body=body, version=f"paid {record.amount:f}", posted_on=posted_on, notes=notes)

    def trace(self, record: Payment, codes: Codes) -> Prepared:
        """Say what an entered payment is found by. Raises `Held` where it is taken back and stands here."""
        named = self._named(record, self._invoice(record, codes))
        return self._cancelled(record, named, self._this(record)) if record.cancelled else named

    def _this(self, record: Payment) -> str:
        return f"Payment {record.number} ({record.amount} {record.currency}) of invoice {record.invoice_number or ''}"

    def _invoice(self, record: Payment, codes: Codes) -> Record:
        """Find the invoice that a payment is of. Raises `NotOurs` where it is none that this integration takes."""
        if record.document is not None:
            row = self._posted.head(record.document)
            if row is None:
                raise Held(
                    f"lookup:{record.key}",
                    f"{self._this(record)} pays {record.document}, which {self.title} does not show among its posted "
                    "invoices any more. Look for it there.",
                )
            return row
        nobodys = NotOurs(f"{self._this(record)} belongs to no invoice that was submitted from here.")
        if not self._linked or not record.invoice_number or not record.supplier:
            raise nobodys
        try:
            supplier = codes.erp("supplier", record.supplier)
        except Held as error:
            raise nobodys from error
        found = self._posted.numbered(record.invoice_number, supplier)
        if len(found) > 1:
            raise Held(
                f"conflict:{record.key}",
                f"{self.title} has {len(found)} invoices {record.invoice_number} of supplier {supplier}, and nothing "
                f"tells which of them {self._this(record)} is of. Enter it there by hand, then match it.",
            )
        if not found:
            raise nobodys
        return found[0]

    def _named(self, record: Payment, row: Record) -> Prepared:
        document, partner = self._posted.key_of(row), self._posted.partner(row)
        live = not record.cancelled
        return Prepared(
            key=record.key,
            body={},
            lookup={
                "own": self._context.outward(KIND, record.key, limit=self._is.limit),
                "document": document,
                "vendor": partner,
            },
            amount=record.amount,
            currency=record.currency or text(row, self._is.currency) or "",
            dated=record.paid_on if live else None,
            partner=partner,
            reference=(record.reference or "") if live else "",
            kind=KIND,
        )

    def _payable(self, record: Payment, row: Record, named: Prepared, this: str) -> Open:
        """Check that a payment can be entered as it is. Raises `Held` or `Rejected`."""
        items = self._posted.open_of(row)
        currency = text(row, self._is.currency)
        if not record.amount:
            raise Rejected(f"{this} is of nothing, and {self.title} takes no payment without an amount.")
        by_hand = f"Enter it in {self.title} by hand, then match it."
        if record.amount < 0:
            raise Held(
                f"conflict:{record.key}",
                f"{this} sets off a credit note, and no negative payment is entered. {by_hand}",
            )
        if record.discount:
            raise Held(
                f"conflict:{record.key}",
                f"{this} kept a discount of {record.discount}, and the secret's 'payment' does not say how one is "
                f"entered. {by_hand}",
            )
        if record.currency and currency and not same(record.currency, currency):
            raise Held(f"currency:{record.currency}", f"{this} is not in {currency}, as the invoice is. {by_hand}")
        if not items.rows:
            raise Held(
                f"lookup:{record.key}",
                f"{self.title} shows no open item of {named.lookup['document']}, so {this} cannot be entered. Look for "
                "it there.",
            )
        return items

    def _cancelled(self, record: Payment, named: Prepared, this: str) -> Prepared:
        """Let what was taken back be, where it does not stand here either. Raises `Held` where it does."""
        for there in self._own(named):
            raise Held(
                f"conflict:{there.number}",
                f"{this} is '{record.said}' in {self._payer}, and stands in {self.title} as payment {there.number}. "
                f"Cancel it there, and this resumes automatically; {self.title} takes no reversal from here.",
            )
        return replace(named, version="cancelled", notes=(f"It is '{record.said}' in {self._payer}.",))

    # ── look ────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, prepared: Prepared) -> list[Found]:
        """Find the payment by our key; else what pays the same invoice the same amount, whoever entered it."""
        found = {one.id: one for one in self._own(prepared)}
        fields, it = self._fields(), self._is
        if not found and it.partner in fields and it.amount in fields:
            asked: list[Condition] = [(it.partner, "eq", prepared.lookup["vendor"]), (it.amount, "eq", prepared.amount)]
            for row in self._rows(asked):
                applied = self._applied(row)
                if applied.get(prepared.lookup["document"]):
                    found.setdefault(self._entity.key_of(row), self._found(row))
        return list(found.values())

    def _own(self, prepared: Prepared) -> list[Found]:
        it, own = self._is, prepared.lookup["own"]
        if self._fields() and it.own not in self._fields():
            return []
        rows = self._rows([(it.own, "eq", own)])
        return [replace(self._found(row), ours=True) for row in rows if text(row, it.own) == own]

    def _fields(self) -> frozenset[str]:
        return self._reader.properties(self._entity)

    def _rows(self, asked: Sequence[Condition]) -> Iterator[Record]:
        rows = all_rows(self._reader.pages(self._entity, asked, None), self.title, self._entity.title)
        return (row for row in rows if self._is.stands(row))

    def _applied(self, row: Record) -> dict[str, Decimal]:
        """Tell what a payment applies to each document. Raises `Transient` where its lines are not all shown."""
        key = self._entity.key_of(row)
        try:
            whole = row if self._is.lines in row else self._reader.one(self._entity, key)
            lines = children(whole or {}, self._is.lines)
        except ValueError as error:
            raise Transient(f"{self.title} did not give all of payment {key}: {error} It is read again.") from error
        found: dict[str, Decimal] = {}
        for line in lines:
            if (document := text(line, self._is.document)) is not None:
                found[document] = found.get(document, ZERO) + (amount(line, self._is.applied) or ZERO)
        return found

    def _found(self, row: Record) -> Found:
        it, key = self._is, self._entity.key_of(row)
        dated = day(row, it.dated)
        return Found(
            key, key, amount(row, it.amount), text(row, it.currency), dated=dated, posted_on=dated,
            partner=text(row, it.partner), reference=text(row, it.reference), kind=KIND,
        )  # fmt: skip

    def numbered(self, number: str, prepared: Prepared) -> list[Found]:
        """Find a payment by the ERP's own number."""
        rows = self._rows([(self._entity.key[-1], "eq", number.strip())])
        return [one for one in map(self._found, rows) if same(one.partner, prepared.lookup["vendor"])]

    def recent(self) -> list[Found]:
        """List payments of the last month that bear a key in our shape."""
        rows = self._rows([(self._is.dated, "ge", self._today() - RECENT)])
        found = [replace(self._found(row), reference=text(row, self._is.own)) for row in rows]
        return [one for one in found if in_our_shape(one.reference)]

    def stands(self, found: Found) -> bool:
        """Tell whether a payment still counts: not where the ERP itself says that it is gone or was taken back."""
        try:
            row = self._reader.one(self._entity, found.id)
        except ValueError:
            return True
        return row is not None and self._is.stands(row)

    # ── send ────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, prepared: Prepared) -> Found:
        """Enter it once. What does not tell its number is found by our key, or by what came beside what was there."""
        if not prepared.body:
            raise NotOurs(f"It was taken back in {self._payer} before it was entered in {self.title}.")
        document = prepared.lookup["document"]
        before = self._left(document, prepared)
        there = {one.id for one in self.look(prepared)}
        made = self._writer.create(self._entity, prepared.body)
        key = None if isinstance(made, Fault) else made.key
        if key is None and (not isinstance(made, Fault) or made.status < 300):
            found = self._after(prepared, there, before)
            if found is not None:
                return found
        if isinstance(made, Fault):
            raise self._dialect.judge(made, prepared)
        if key is None:
            said = Fault(200, "", str(made.record.get(self._words) or ""))
            if said.text and (self._dialect.kind(said, prepared) or is_fault_of_the_document(said.text)):
                raise self._dialect.judge(said, prepared)
            reports = f"; it reports: {said.text}" if said.text else ""
            raise OutcomeUnknown(
                f"{self.title} took the payment of {document} and does not show it{reports}. Look for it there, and in "
                "the log of the import.",
                taken=True,
            )
        return Found(key, key, prepared.amount, prepared.currency, ours=True)

    def _left(self, document: str, prepared: Prepared) -> Open:
        """Check that as much is left to be paid: else somebody has paid it here, too. Raises `Held`."""
        row = self._posted.head(document)
        items = self._posted.open_of(row) if row is not None else Open()
        if items.left < prepared.amount:
            raise Held(
                f"conflict:{prepared.key}",
                f"{document} was paid by {self._payer} ({prepared.amount} {prepared.currency}), and {self.title} shows "
                f"only {items.left} of it as unpaid: {items.paid} is paid, {items.entered} entered. It may have been "
                f"paid twice. Look there; if one of its payments is this one, match it.",
            )
        return items

    def _after(self, prepared: Prepared, there: set[str], before: Open) -> Found | None:
        """Find what was entered without a number: ours by its key, else the only new one by which the items grew."""
        found = [one for one in self.look(prepared) if one.id not in there]
        if len(found) != 1 or found[0].ours:
            return next((one for one in found if one.ours), None)
        row = self._posted.head(prepared.lookup["document"])
        grown = self._posted.open_of(row).provisional - before.provisional if row is not None else ZERO
        return found[0] if grown == prepared.amount else None

    def update(self, target: str, prepared: Prepared) -> bool:
        """Take note that a payment was taken back at both ends; one that was made again is for a person."""
        if prepared.body:
            raise Held(
                f"conflict:{prepared.key}",
                f"{self._payer} shows the payment of {prepared.lookup['document']} as paid, in other words than before "
                f"({prepared.amount} {prepared.currency}), and payment {target} was entered for it in {self.title}. If "
                "that was cancelled there, enter this one from scratch; else correct it there, then match it.",
            )
        self._ended.add(target)
        return True

    def read_back(self, found: Found) -> Found:
        """Read the payment and the items that it pays. Raises `Held` where these do not show it."""
        row = self._reader.one(self._entity, found.id)
        if found.id in self._ended:
            return replace(found, notes=(*found.notes, f"It was cancelled in {self.title} as well."))
        if row is None or not self._is.stands(row):
            gone = f"{self.title} {'has no' if row is None else 'has cancelled'} payment {found.id}."
            return replace(found, state="cancelled", notes=(*found.notes, gone))
        shown = self._found(row)
        applied = self._applied(row)
        for document, value in applied.items() or ((("", None),)):
            head = self._posted.head(document) if document else None
            items = self._posted.open_of(head) if head is not None else Open()
            if value is None or (head is not None and items.provisional < value):
                raise Held(
                    f"conflict:{found.id}",
                    f"Payment {found.id} was entered in {self.title}, and the open item of the invoice does not show "
                    f"it: {items.paid} is paid, {items.entered} entered. Link it there, or cancel it there.",
                )
            if head is not None and items.paid < value:
                shown = replace(
                    shown, notes=(*shown.notes, f"Payment {found.id} is entered, not posted in {self.title}.")
                )
        return replace(shown, ours=found.ours)
