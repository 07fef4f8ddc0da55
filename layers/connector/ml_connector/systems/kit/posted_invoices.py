"""Supplier invoices that are posted in an ERP, as a source for the platform that is to approve and pay them.

Only what nothing has been paid of is offered, so that nothing is paid twice; what is paid, in part or whole, is void,
and what was taken back is gone. Without a start date a first reading begins with the items that are open. What changed
since is found by the change stamps of invoices and of their items: a payment or a reversal may move only the latter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ml_connector.errors import Held, Transient
from ml_connector.flow import Broken, Document, DocumentPage, ListedDocument
from ml_connector.folding import same, spellings
from ml_connector.records import CodingRow, SupplierInvoice
from ml_connector.systems.kit.conditions import Condition, changed_since, in_lists
from ml_connector.systems.kit.declared import Entity, Reader, Record
from ml_connector.systems.kit.open_items import Open, OpenItems
from ml_connector.systems.kit.posted_coding import Head, PostedCoding
from ml_connector.systems.kit.rows import Batch, all_rows
from ml_connector.systems.kit.values import amount, day, text

ITEMS = "items:"
"""Begins a position in the part of a pass that reads items."""


@dataclass(frozen=True)
class HeadColumns:
    """What the fields of an invoice are called. `posted` are the condition of being so, and how a record tells it.

    `partners` are the fields of those on whom its items may stand; `credit` tells a credit note.
    """

    number: str
    partner: str
    partners: Sequence[str]
    currency: str
    company: str
    dated: str
    accounted: str
    gross: str
    net: str
    tax: str
    term: str
    text: str
    posted: tuple[str, int]
    credit: Callable[[Record], bool]


class PostedInvoices:
    """The `flow.ListingSource` of posted supplier invoices. Raises the classes of `errors` only."""

    answers: Final = False

    def __init__(
        self,
        reader: Reader,
        entity: Entity,
        items: OpenItems,
        columns: HeadColumns,
        coding: PostedCoding,
        checked: Callable[[str, Sequence[CodingRow]], Held | None],
        *,
        vendor: str,
        company: str | None,
        start: date | None,
    ) -> None:
        """`checked` says what rows are coded to and must not be (`posted_coding.unknown`). `company`: others' are left
        out. `start`: at first only what is dated since then is taken.
        """
        self._reader, self._entity, self._items, self._is = reader, entity, items, columns
        self._coding, self._checked = coding, checked
        self._vendor, self._company, self._start = vendor, company, start

    # ── lists ───────────────────────────────────────────────────────────────────────────────────────────────

    def list_documents(self, since: str | None, position: str | None) -> Iterator[DocumentPage]:
        """List what is posted: what changed since a stamp; at first what is open, or dated since the start."""
        given, field = set[str](), self._reader.changed_field(self._entity)
        since = since if field is not None else None
        if since is None and self._start is None:
            for numbers in self._items.standing():
                yield from self._named(numbers, given)
            yield DocumentPage([])
            return
        if not (position or "").startswith(ITEMS):
            asked = [*self._asked(), *changed_since(field, since)]
            if since is None and self._start is not None and self._has(self._is.dated):
                asked.append((self._is.dated, "ge", self._start))
            for batch in self._reader.pages(self._entity, asked, position):
                page = self._page(batch, given, batch.position)
                yield page if page.position is not None or since is None else _onward(page)
            position = ITEMS
        if since is not None:
            yield from self._by_items(since, (position or "").removeprefix(ITEMS) or None, given)

    def _by_items(self, since: str, position: str | None, given: set[str]) -> Iterator[DocumentPage]:
        """List the invoices whose items changed; the stamps of items say nothing of changes of invoices."""
        field = self._reader.changed_field(self._items.entity)
        for batch in self._reader.pages(self._items.entity, changed_since(field, since), position) if field else ():
            numbers = [number for row in batch.rows if (number := text(row, self._items.columns.number))]
            yield from self._named(numbers, given)
            yield DocumentPage([], position=f"{ITEMS}{batch.position}" if batch.position else None)

    def _named(self, numbers: Sequence[str], given: set[str]) -> Iterator[DocumentPage]:
        """List invoices by their numbers; other documents have items as well."""
        left = [number for number in dict.fromkeys(numbers) if number not in given]
        for some in in_lists(left, lambda one: len(one) + 10):
            asked: list[Condition] = [(self._entity.key[-1], "in", some)]
            for batch in self._reader.pages(self._entity, asked, None):
                page = self._page(batch, given, None)
                yield DocumentPage(page.documents, page.broken, stamp=page.stamp)

    def _asked(self) -> list[Condition]:
        name, value = self._is.posted
        asked: list[Condition] = [(name, "eq", value)] if self._has(name) else []
        mine = self._company is not None and self._has(self._is.company)
        return [*asked, (self._is.company, "eq", self._company or "")] if mine else asked

    def _has(self, name: str) -> bool:
        return name in self._reader.properties(self._entity)

    def _page(self, batch: Batch[Record], given: set[str], position: str | None) -> DocumentPage:
        rows = [row for row in batch.rows if self._counts(row) and self._entity.key_of(row) not in given]
        items = self._items.of({self._entity.key_of(row): self._partners(row) for row in rows})
        offers, broken, stamps = list[ListedDocument](), batch.broken, list[str]()
        for row in rows:
            key = self._entity.key_of(row)
            stamps.append(self._stamp(row))
            try:
                offers.append(self._listed(key, row, items[key]))
            except ValueError as error:
                broken.append(Broken(key, f"{self._entity.title.capitalize()} {key}: {error}", str(row)[:4_000]))
            given.add(key)
        return DocumentPage(offers, broken, position, max(filter(None, stamps), default=None))

    def _listed(self, key: str, row: Record, items: Open) -> ListedDocument:
        it, gross = self._is, self.signed(row, self._is.gross)
        number = text(row, it.number)
        told = (self._stamp(row), items.state, f"{gross.normalize():f}" if gross is not None else "", number or "")
        return ListedDocument(
            key, "|".join(told), void=items.state != "open", amount=gross, currency=text(row, it.currency),
            partner=text(row, it.partner), dated=day(row, it.dated) or day(row, it.accounted), number=number,
        )  # fmt: skip

    def _counts(self, row: Record) -> bool:
        """Tell whether a record is posted, and of this company."""
        name, value = self._is.posted
        company = text(row, self._is.company)
        mine = self._company is None or company is None or company == self._company
        return mine and text(row, name) in {None, str(value)}

    def _partners(self, row: Record) -> set[str]:
        return {told for name in self._is.partners if (told := text(row, name))}

    def _stamp(self, row: Record) -> str:
        field = self._reader.changed_field(self._entity)
        return (field.stamp(row) if field else None) or ""

    def signed(self, row: Record, name: str) -> Decimal | None:
        """Give an amount of an invoice, negative for a credit note."""
        value = amount(row, name)
        return -abs(value) if value is not None and self._is.credit(row) else value

    # ── for those who write to what stands there ────────────────────────────────────────────────────────────

    def head(self, key: str) -> Record | None:
        """Read an invoice's header; None where the list has none such, which counts."""
        return next(iter(self._heads([(self._entity.key[-1], "eq", key)])), None)

    def numbered(self, number: str, partner: str) -> list[Record]:
        """Find headers by the partner's own number, in whichever spelling."""
        asked: list[Condition] = [(self._is.number, "in", list(spellings(number)))]
        found = (row for row in self._heads(asked) if same(text(row, self._is.number), number))
        return [row for row in found if text(row, self._is.partner) == partner]

    def _heads(self, asked: list[Condition]) -> Iterator[Record]:
        rows = all_rows(self._reader.pages(self._entity, asked, None), self._vendor, self._entity.title)
        return (row for row in rows if self._counts(row))

    def key_of(self, row: Record) -> str:
        """Name an invoice."""
        return self._entity.key_of(row)

    def partner(self, row: Record) -> str:
        """Name the partner of an invoice."""
        return text(row, self._is.partner) or ""

    def open_of(self, row: Record) -> Open:
        """Add up the items of an invoice."""
        key = self._entity.key_of(row)
        return self._items.of({key: self._partners(row)})[key]

    # ── one ─────────────────────────────────────────────────────────────────────────────────────────────────

    def fetch(self, key: str) -> Document[SupplierInvoice]:
        """Read an invoice as it is now. Raises `Held` where its coding is not known, or not all of it."""
        title = self._entity.title
        try:
            row = self._reader.one(self._entity, key)
        except ValueError as error:
            raise Transient(f"{self._vendor} did not give all of {title} {key}: {error} It is read again.") from error
        if row is None:
            return Document(None, "gone", detail=f"{self._vendor} no longer has {title} {key}.")
        if not self._counts(row) or text(row, self._is.posted[0]) is None:
            return Document(None, "gone", detail=f"{title.capitalize()} {key} is not posted in {self._vendor}.")
        try:
            items = self.open_of(row)
            if items.state == "closed":
                why = f"{key} was taken back in {self._vendor}, or set off against another one: nothing is to be paid."
                return Document(None, "gone", detail=why)
            return Document(self._convert(key, row, items), "offered", None, _why(items, key), items.state != "open")
        except ValueError as error:
            raise Held(
                f"lookup:{key}",
                f"{title.capitalize()} {key} of {self._vendor} cannot be read: {error} Correct it there.",
            ) from error

    def _convert(self, key: str, row: Record, items: Open) -> SupplierInvoice:
        """Make the record. Raises `ValueError`, or `Held` where its coding is not known, or not to be posted to."""
        it, number = self._is, text(row, self._is.number) or key
        gross, currency, supplier = self.signed(row, it.gross), text(row, it.currency), text(row, it.partner)
        if gross is None or currency is None or supplier is None:
            missing = [n for n in (it.gross, it.currency, it.partner) if text(row, n) is None]
            raise ValueError(f"It has no {' and no '.join(missing)}.")
        net, tax = self.signed(row, it.net), self.signed(row, it.tax)
        if net is None and tax is not None:
            net = gross - tax
        this = f"{self._entity.title} {key} ({number}, {gross} {currency}, supplier {supplier})"
        rows = self._coding.rows(Head(key, this, self._partners(row), net), row)
        if (wrong := self._checked(this[:1].upper() + this[1:], rows)) is not None:
            raise wrong
        return SupplierInvoice(
            key=key, number=number, company=text(row, it.company) or self._company or "", supplier=supplier,
            currency=currency, gross=gross, net=net, tax=gross - net if net is not None else None,
            invoice_date=day(row, it.dated) or day(row, it.accounted), accounting_date=day(row, it.accounted),
            due_date=items.due, payment_term=text(row, it.term), description=_first(row.get(it.text)), reference=key,
            rows=rows, unpaid=items.left.copy_sign(gross),
        )  # fmt: skip


def _onward(page: DocumentPage) -> DocumentPage:
    return DocumentPage(page.documents, page.broken, ITEMS, page.stamp)


def _why(items: Open, key: str) -> str:
    """Say why an invoice is not offered for payment."""
    if items.state == "none":
        return f"{key} has no open item: nothing is to be paid."
    if items.state == "part":
        return f"{items.provisional} of {key} is paid already, so it is not submitted: {items.left} is left to be paid."
    return "" if items.state == "open" else f"{key} is paid already."


def _first(value: Any) -> str | None:
    return text({"": next(iter(value), None) if isinstance(value, list) else value}, "")
