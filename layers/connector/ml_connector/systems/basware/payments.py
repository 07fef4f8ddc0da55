"""Payments into Basware: payment responses on transferred invoices (`docs/vendors/basware.md`).

A field that a response leaves out is cleared on the invoice, so what we do not set is carried over from it. The payment
message is carried over only while it is the invoice's own: the reference of one payment says nothing of another.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.errors import Held, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Codes, Found, Prepared
from ml_connector.records import Payment
from ml_connector.systems.basware import invoice_document as doc
from ml_connector.systems.basware.client import Basware, quoted
from ml_connector.systems.basware.invoices import Invoices
from ml_connector.systems.basware.limits import entity
from ml_connector.systems.basware.verdicts import Item, ask, find, verdict
from ml_connector.systems.http import listed

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between looks for the import of a payment response, before the engine takes over the waiting."""
CARRIED = "The payment message is the invoice's own."
"""Stands in a response that carried the message over, so that the next one knows whose it is."""


class Payments:
    """The `DocumentTarget` of payments. Basware itself refuses a second response with the same external code."""

    refuses_duplicates = True
    title = "Basware"

    def __init__(self, client: Basware) -> None:
        """Read invoices through the same client."""
        self._client, self._invoices = client, Invoices(client)
        self._tokens: dict[str, str] = {}

    def prepare(self, record: Payment, codes: Codes) -> Prepared:
        """Make the payment response. Raises `Held` where the invoice is not there or not transferred yet."""
        if not record.document:
            raise Held(f"lookup:{record.key}", f"The payment {record.number} belongs to no invoice that Basware has.")
        found = self._payable(record)
        _of_this_company(record, found, codes)
        record = msgspec.structs.replace(record, currency=_currency(record, found, codes))
        code = self._code(record)
        return Prepared(
            key=record.key,
            body=self._body(record, code, found),
            lookup={"document": str(record.document), "externalCode": code, "number": record.number},
            amount=record.amount,
            currency=record.currency,
            posted_on=record.paid_on,
            name=code,
        )

    def trace(self, record: Payment, codes: Codes) -> Prepared:
        """Say what a sent response is found by."""
        return self.prepare(record, codes)

    def _payable(self, record: Payment) -> dict[str, Any]:
        found = self._invoices.raw(record.document or "")
        if found is None:
            raise Held(f"lookup:{record.key}", f"Basware no longer has the invoice {record.document} that was paid.")
        standing = doc.standing(found)
        if standing != "transferred":
            raise Held(
                f"lookup:{record.key}",
                f"The invoice {record.document} is {found.get('processingStatus')} in Basware; a payment is reported "
                "once it is Transferred.",
                soon=standing == "acknowledged",
            )
        return found

    def _code(self, record: Payment) -> str:
        """Make the external code: another total or a cancellation is another response."""
        total = f"{_total(record).normalize():f}"
        state = "cancelled" if record.cancelled else "paid"
        return self._client.context.outward("payment", total, state, record.key)

    def _body(self, record: Payment, code: str, found: Mapping[str, Any]) -> dict[str, Any]:
        last = _latest(found)
        reference = None if record.cancelled else record.reference
        carried = None if reference else _own_message(record, found)
        verb = "Cancelled payment" if record.cancelled else "Payment"
        said = f"{verb} {record.number}; {_total(record):f} {record.currency} paid in all."
        return entity(
            "PaymentResponseEntity",
            externalCode=code,
            success=True,
            paymentBlock=bool(found.get("paymentBlock")),
            responseMessage=f"{said} {CARRIED}" if carried else said,
            sourceSystem=self._client.settings.source_system,
            paymentDate=record.paid_on,
            paymentTermCode=doc.text(found, "paymentTermCode") or last.get("paymentTermCode"),
            paymentMethod=record.method or doc.text(found, "paymentMethod") or last.get("paymentMethod"),
            paidTotal=_total(record),
            cashDiscount=last.get("cashDiscount"),
            checkNumber=last.get("checkNumber"),
            paymentMessage=reference or carried,
            paymentNumber=record.number,
            paymentDocument=last.get("paymentDocument"),
            paymentReversalDocument=record.number if record.cancelled else None,
        )

    def look(self, prepared: Prepared) -> list[Found]:
        """Find our response among those that the invoice keeps (its latest 100)."""
        document, code = prepared.lookup["document"], prepared.lookup["externalCode"]
        found = self._invoices.raw(document)
        if _response(found, code) is None:
            return []
        return [Found(f"{document}:{code}", prepared.lookup["number"], ours=True)]

    def numbered(self, number: str, prepared: Prepared) -> list[Found]:  # noqa: ARG002
        """Find none: a payment response has no number of Basware's own that a person could name."""
        return []

    def recent(self) -> list[Found]:
        """List none: payments belong to invoices that this installation has transferred."""
        return []

    def stands(self, found: Found) -> bool:  # noqa: ARG002
        """Tell that a response stands: none is taken back, a later one says something else."""
        return True

    def send(self, prepared: Prepared) -> Found:
        """Post it once. Raises `Rejected`, `OutcomeUnknown` or `Transient` (had no effect)."""
        document, code = prepared.lookup["document"], prepared.lookup["externalCode"]
        ours = Found(f"{document}:{code}", prepared.lookup["number"], ours=True)
        path = f"/v1/accountingDocuments/{quoted(document)}/paymentResponses"
        answer = self._client.post(path, prepared.body, safe=False)
        if answer.ok and not answer.echoes(code):
            raise OutcomeUnknown(
                f"What answered {answer.status} to the payment {prepared.lookup['number']} speaks of something else; "
                "it is looked for before it is sent again."
            )
        if answer.ok:
            self._tokens[code] = answer.token
            return ours
        if answer.status in {400, 409} and (
            self.look(prepared) or find(self._client, "PaymentResponse", code, prepared.since)
        ):
            return ours  # it is there, or under way: an earlier attempt of ours arrived
        said = f"Basware did not take the payment {prepared.lookup['number']} ({answer.status}): {answer.words()}"
        if answer.says_nothing_of_records:
            raise OutcomeUnknown(said)
        if answer.status in {404, 405, 409}:
            raise Transient(said)
        raise Rejected(said)

    def read_back(self, found: Found) -> Found:
        """Confirm that P2P took the response: by its request status, else by the invoice; waits a few seconds for it.

        `amount` stays None: the response holds what was paid in all, not what this payment applied. Raises
        `Transient` while it is under way, `Rejected` where P2P refused it.
        """
        document, _, code = found.id.partition(":")
        for pause in PAUSES:
            if self._confirmed(document, code, found.since):
                return found
            self._client.context.clock.sleep(pause)
        if self._confirmed(document, code, found.since):
            return found
        self._tokens.pop(code, None)  # the next attempt looks for it everywhere
        raise Transient(f"Basware has not confirmed yet the payment response {code} on invoice {document}.")

    def _confirmed(self, document: str, code: str, since: datetime | None) -> bool:
        """Ask the request status, whose word counts: not every invoice shows its `paymentResponses`.

        What the invoice shows decides where no request carries the response (any more).
        """
        item = self._import_of(code, since)
        if item is None:
            return _response(self._invoices.raw(document), code) is not None
        said = verdict(item)
        if said is not None and said.outcome == "rejected":
            raise Rejected(f"Basware refused the payment response {code}: {said.reason}")
        return said is not None

    def _import_of(self, code: str, since: datetime | None) -> Item | None:
        """Find how the import of a response stands; None where no request is known to carry it."""
        if token := self._tokens.get(code):
            status = ask(self._client, token)
            return status.of(code) if status else Item("inprogress")
        found = find(self._client, "PaymentResponse", code, since)
        return found[1] if found else None


def _of_this_company(record: Payment, found: Mapping[str, Any], codes: Codes) -> None:
    """Raise `Held` where the invoice is of a company that this ERP company is not: its payments are another one's."""
    company = doc.text(found, "companyCode")
    if company is None:
        return
    try:
        codes.erp("company", company)
    except Held as held:
        what = f"Payment {record.number} ({record.amount} {record.currency}) of invoice {_named(record, found)}"
        raise Held(held.waiting_for, f"{what} is not reported: {held}") from held


def _currency(record: Payment, found: Mapping[str, Any], codes: Codes) -> str:
    """Give the payment's currency in Basware's word, which must be its invoice's. Raises `Held`."""
    currency = doc.text(found, "currencyCode")
    told = codes.platform("currency", record.currency) if record.currency else "no currency"
    if currency != told and (currency or not record.currency):
        raise Held(
            f"conflict:{record.key}",
            f"Payment {record.number} ({record.amount}) is in {told} and Basware's invoice {_named(record, found)} in "
            f"{currency or 'none'}. Correct either side.",
        )
    return told


def _named(record: Payment, found: Mapping[str, Any]) -> str:
    return doc.text(found, "invoiceNumber") or str(record.document)


def _total(record: Payment) -> Decimal:
    """Tell what has been paid in all; a payment that comes without it is taken for the only one."""
    if record.paid_total is not None:
        return record.paid_total
    return Decimal(0) if record.cancelled else record.amount


def _own_message(record: Payment, found: Mapping[str, Any]) -> str | None:
    """Give the invoice's payment message unless it is the reference that an earlier payment brought.

    Where the invoice shows no responses, any payment before this one may have brought it.
    """
    message, told = doc.text(found, "paymentMessage"), _responses(found)
    if not told and (record.cancelled or _total(record) != record.amount):
        return None
    brought = (r for r in told if CARRIED not in str(r.get("responseMessage")))
    return None if message in {doc.text(r, "paymentMessage") for r in brought} else message


def _responses(found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    return [one for one in listed((found or {}).get("paymentResponses")) if isinstance(one, dict)]


def _response(found: Mapping[str, Any] | None, code: str) -> dict[str, Any] | None:
    return next((one for one in _responses(found) if one.get("externalCode") == code), None)


def _latest(found: Mapping[str, Any]) -> dict[str, Any]:
    """Give the last response that took effect."""
    return next((one for one in reversed(_responses(found)) if one.get("success")), {})
