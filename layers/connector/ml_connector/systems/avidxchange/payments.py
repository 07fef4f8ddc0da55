"""Payments out of AvidXchange: listed by whole days of their change, one record for each invoice that one applies to.

Only what is cleared is paid. A state that nobody mapped is never paid; `Error` is not final; and what was paid may be
returned or voided later. What was never paid of ours counts as unchanged (`docs/vendors/avidxchange.md`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Final

from ml_connector.errors import Rejected, Transient
from ml_connector.flow import Broken, Document, DocumentPage, ListedDocument
from ml_connector.records import Payment
from ml_connector.systems.avidxchange.client import Client
from ml_connector.systems.avidxchange.faults import VENDOR
from ml_connector.systems.avidxchange.profile import PaymentWord
from ml_connector.systems.avidxchange.supplier_invoices import code_of, natural
from ml_connector.systems.http import dumps
from ml_connector.systems.kit.day_windows import begin, listed
from ml_connector.systems.kit.invoices import KINDS
from ml_connector.systems.kit.remittances import Applied, Part, summed
from ml_connector.systems.kit.results import each
from ml_connector.systems.kit.rows import amount_of, day_of


class Payments:
    """The source of payments; it takes no answers."""

    answers: Final = False

    def __init__(self, client: Client, start: date | None) -> None:
        """`start`: what changed before that day is not listed."""
        self._client, self._profile, self._start = client, client.profile, start
        self._text = partial(client.of, "payment")

    def list_documents(self, since: str | None, position: str | None) -> Iterator[DocumentPage]:
        """List what changed since the day `since`, each payment once."""
        most, today, given = self._profile.filters.max_days, self._client.today(), set[str]()

        def read(first: date, last: date) -> Iterator[DocumentPage]:
            for page in self._client.pages("payments.list", dict(self._client.window(first, last))):
                yield self._page(page, given)

        first = begin(since, position, self._start, today, most)
        at_once = most if self._profile.filters.modified_to else (today - first).days + 1
        return listed(first, today, at_once, read, lambda: self._client.server_day)

    def _page(self, rows: list[dict[str, Any]], given: set[str]) -> DocumentPage:
        offers, broken = list[ListedDocument](), list[Broken]()
        for row in rows:
            try:
                some = self._listed(row)
            except ValueError as error:
                broken.append(_broken(row, self._text(row, "id"), str(error)))
                continue
            offers += [one for one in some if one.key not in given]
            given.update(one.key for one in some)
        return DocumentPage(offers, broken)

    def _listed(self, row: Mapping[str, Any]) -> list[ListedDocument]:
        """List a payment by what it applies to; one that names no invoice belongs to nobody."""
        name, state = self._id(row), self._state(row)
        vendor = code_of(self._text(row, "vendorExternalCode"))
        currency, void = self._text(row, "currency"), state not in {"paid", None}
        applied = self._applied(row)
        if not applied:
            return [ListedDocument(name, self._stamp(row, state, None), void=True)]
        return [
            ListedDocument(
                f"{name}~{one.name}",
                self._stamp(row, state, one),
                void=void,
                amount=one.net,
                currency=currency,
                partner=vendor,
                number=self._number(row),
            )
            for one in applied
        ]

    def fetch(self, key: str) -> Document[Payment]:
        """Read a payment as it is now. Raises `Rejected` where it cannot be read as one, `Transient` otherwise."""
        name, _, which = key.partition("~")
        row = self._client.one("payments.get", id=name)
        if row is None:
            return Document(None, "gone", detail=f"{VENDOR} has no payment {name}.")
        if self._text(row, "id") != name:
            raise Transient(f"{VENDOR} was asked for payment {name}, and gave another one. It is asked again later.")
        try:
            one = next((one for one in self._applied(row) if one.name == which), None)
            if one is None:
                return Document(None, "gone", detail=f"Payment {name} no longer applies to invoice {which}.")
            return self._document(key, row, one)
        except ValueError as error:
            raise Rejected(f"Payment {name} cannot be read: {error}") from error

    def _document(self, key: str, row: Mapping[str, Any], one: Applied) -> Document[Payment]:
        state, said = self._state(row), self._text(row, "state") or ""
        vendor, paid_on = code_of(self._text(row, "vendorExternalCode")), day_of(self._text(row, "paymentDate"))
        cleared = day_of(self._text(row, "clearedAt"))
        record = Payment(
            key=key,
            invoice=one.own or "",
            number=self._number(row),
            amount=one.net,
            currency=self._text(row, "currency") or "",
            paid_on=paid_on or cleared,
            method=self._text(row, "method"),
            reference=self._text(row, "checkNumber") or self._text(row, "traceNumber"),
            cancelled=state != "paid",
            state=state,
            said=f"{said}, cleared {cleared}" if cleared else said,
            supplier=vendor,
            invoice_number=one.number or None,
            discount=one.discount,
        )
        names = [f"own:{one.own}"] if one.own else []
        names += [f"~{natural(KINDS[one.net < 0], vendor, one.number)}"] if vendor and one.number else []
        void = state not in {"paid", None}
        detail = f"In {VENDOR} it is '{said}', and was never paid." if void else said
        return Document(record, "offered", self._stamp(row, state, one), detail, void, tuple(names))

    def _applied(self, row: Mapping[str, Any]) -> list[Applied]:
        """Add up what a payment applies to each invoice, which is told net. Raises `ValueError`."""
        parts = [one for one in each(self._client.value(row, "payment.invoices")) if isinstance(one, dict)]
        whole = amount_of(self._text(row, "amount")) if len(parts) == 1 else None
        return summed(
            Part(
                self._client.text(part, "remittance.invoiceNumber"),
                self._client.text(part, "remittance.externalId"),
                *(self._amount(part, name) for name in ("amountApplied", "gross", "discount")),
            ).whole(whole)
            for part in parts
        )

    def _amount(self, part: Mapping[str, Any], field: str) -> Decimal | None:
        return amount_of(self._client.text(part, f"remittance.{field}"))

    def _state(self, row: Mapping[str, Any]) -> PaymentWord | None:
        return self._profile.payment_word(self._text(row, "state") or "")

    def _stamp(self, row: Mapping[str, Any], state: PaymentWord | None, one: Applied | None) -> str:
        """Say how it stands: what is issued again keeps its id, and has another check number."""
        how = state or self._text(row, "state") or "?"
        number = self._text(row, "checkNumber") or self._text(row, "traceNumber") or ""
        return f"{how}:{number}:{one.net.normalize():f}" if one else f"{how}:{number}"

    def _number(self, row: Mapping[str, Any]) -> str:
        return self._text(row, "paymentNumber") or self._text(row, "externalId") or self._id(row)

    def _id(self, row: Mapping[str, Any]) -> str:
        name = self._text(row, "id")
        if not name:
            raise ValueError("it has no id")
        return name


def _broken(row: Mapping[str, Any], name: str | None, why: str) -> Broken:
    raw = dumps(row)
    key = name or f"without-id-{hashlib.blake2b(raw.encode(), digest_size=6).hexdigest()}"
    return Broken(key, f"Payment {name or ''} of {VENDOR} cannot be read: {why}.", raw[:20_000])
