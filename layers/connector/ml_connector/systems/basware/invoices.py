"""Approved invoices out of Basware: listed, fetched, acknowledged, answered (`docs/vendors/basware.md`)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from ml_connector.errors import OutcomeUnknown, Rejected, Transient, Unreadable
from ml_connector.flow import Answer, Broken, Document, DocumentPage, ListedDocument, Verdict
from ml_connector.records import Invoice
from ml_connector.systems.basware import invoice_document as doc
from ml_connector.systems.basware.client import Answer as WriteAnswer
from ml_connector.systems.basware.client import Basware, quoted
from ml_connector.systems.basware.extracts import Extracts
from ml_connector.systems.basware.limits import entity
from ml_connector.systems.basware.verdicts import ask, find, verdict
from ml_connector.systems.http import dumps, is_amount, listed
from ml_connector.systems.kit import extracts
from ml_connector.systems.kit.bodies import one_of
from ml_connector.systems.kit.compare import comparable

PATH, KEY = "/v1/accountingDocuments", "accountingDocuments"
WAITING, TAKEN = "WaitingForTransfer", "TransferInProgress"


class Invoices:
    """The `DocumentSource` of invoices."""

    answers: Final = True

    def __init__(self, client: Basware) -> None:
        """Work for the companies of the tenant's secret; documents of others are left alone."""
        self._client, self._settings, self._context = client, client.settings, client.context

    # ── what is offered ─────────────────────────────────────────────────────────────────────────────────────

    def list_documents(self, since: str | None = None, position: str | None = None) -> Iterator[DocumentPage]:  # noqa: ARG002
        """List everything that waits for transfer, whatever `since`: one page, made of the whole list.

        The list is read to its end first, because acknowledging changes it under the reader's feet. With Data Access it
        is what the waiting extracts name, of which only the document itself tells whether it waits.
        """
        if self._settings.invoice_source == "data_access":
            yield from extracts.listed(Extracts(self._client), position)
            return
        broken: list[Broken] = []
        offers = [_offer(document) for document in self._listed(WAITING, broken)]
        yield DocumentPage(offers, broken)

    def taken(self) -> list[str]:
        """List the documents that were acknowledged and not answered: a daily sweep compares them with our rows."""
        return [str(_key(document)) for document in self._listed(TAKEN, [])]

    def _listed(self, status: str, broken: list[Broken]) -> Iterator[dict[str, Any]]:
        params = {"ProcessingStatus": status, "pageSize": "100"}
        seen: set[str] = set()
        for page in self._client.list(PATH, KEY, params):
            for row in page:
                if not isinstance(row, dict):
                    broken.append(_broken(row))
                elif self._wanted(row, status) and (key := _key(row)) not in seen:
                    if key is None:
                        broken.append(_broken(row))
                        continue
                    seen.add(key)
                    yield row

    def _wanted(self, row: dict[str, Any], status: str) -> bool:
        shown = str(row.get("processingStatus") or status)
        return shown.lower() == status.lower() and self._ours(row)

    def _ours(self, row: dict[str, Any]) -> bool:
        return doc.text(row, "companyCode") in (None, *self._settings.companies)

    # ── one document ────────────────────────────────────────────────────────────────────────────────────────

    def fetch(self, key: str) -> Document[Invoice]:
        """Read a document as it is now. Raises `Unreadable` where it cannot be read as an invoice."""
        found = self.raw(key)
        if found is None:
            return Document(None, "gone", detail="Basware has no invoice with this id (HTTP 404).")
        stamp, status = stamp_of(found), str(found.get("processingStatus"))
        if not self._ours(found):
            detail = f"It belongs to company {found.get('companyCode')}, which is none of this tenant's."
            return Document(None, "gone", stamp, detail)
        standing = doc.standing(found)
        if standing == "gone":
            return Document(None, "gone", stamp, f"In Basware it is {status} now.")
        try:
            record = doc.invoice(found, self._settings.dimension_fields())
        except Rejected as error:
            number, company = doc.text(found, "invoiceNumber"), doc.text(found, "companyCode")
            raise Unreadable(str(error), standing, stamp, number, company) from error
        return Document(record, standing, stamp, status)

    def raw(self, key: str) -> dict[str, Any] | None:
        """Read a document as Basware writes it; None where there is none. Raises `Transient` for anything else."""
        body = self._client.get(f"{PATH}/{quoted(key)}")
        found = one_of(body, KEY)
        if found is None and (body is None or (isinstance(body, dict) and body.get(KEY) == [])):
            return None
        if found is None or not found.keys() & {"invoiceId", "processingStatus"}:
            raise Transient(f"Basware answered 200 for the invoice {key}, and no document. Ask Basware if it stays so.")
        return found

    def acknowledge(self, key: str) -> None:
        """Take the document. Raises `Transient` where it is neither waiting nor taken: then it must be read again."""
        answer = self._client.post(f"{PATH}/{quoted(key)}/acknowledge", safe=True)
        if answer.ok:
            return
        found = self.raw(key)
        standing = doc.standing(found) if found else "gone"
        if standing != "acknowledged":
            raise Transient(
                f"Basware did not let the invoice {key} be acknowledged ({answer.status}: {answer.words()}); it is "
                f"{found.get('processingStatus') if found else 'gone'} there now, and is read again."
            )

    # ── answering ───────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, key: str, answer: Answer) -> str | None:
        """Say what became of the document; an answer that is there already is not given again.

        Returns the request id, None where there is none. Raises `Rejected` where Basware refuses the answer,
        `Transient` where it is in doubt: the next attempt sees whether it arrived.
        """
        found = self.raw(key)
        if found is None:
            raise Rejected(f"Basware no longer has the invoice {key}, so nothing can be reported to it.")
        code = self._code(key, answer)
        if self._has(found, code):
            return None
        body = self._body(code, answer, bool(found.get("paymentBlock")))
        try:
            sent = self._client.post(f"{PATH}/{quoted(key)}/transferResponses", body, safe=False)
        except OutcomeUnknown as doubt:
            why = f"{doubt} It is looked for before the answer is given again."
            return self._arrived(code, answer, Transient(why))
        if sent.ok and not sent.echoes(code):
            why = f"Basware took the answer for the invoice {key} in strange words."
            return self._arrived(code, answer, Transient(why))
        if sent.ok:
            return sent.token or None
        return self._not_taken(key, code, sent, answer)

    def _not_taken(self, key: str, code: str, sent: WriteAnswer, answer: Answer) -> str | None:
        """Tell a repeat, which Basware refuses, from an answer that it cannot take."""
        found = self.raw(key)
        standing = doc.standing(found) if found else "gone"
        if self._has(found, code) or standing == ("transferred" if answer.success else "refused"):
            return None
        said = f"Basware refused the answer for the invoice {key} ({sent.status}): {sent.words()}"
        malformed = any("SCHEMA" in fault.code for fault in sent.refused)
        waiting = standing in {"offered", "acknowledged"}
        if malformed or not waiting:
            raise Rejected(f"{said} The invoice is {(found or {}).get('processingStatus', 'gone')} there.")
        return self._arrived(code, answer, Transient(said))

    def _arrived(self, code: str, answer: Answer, failure: Transient) -> str | None:
        """Look whether the answer is under way all the same; gives its request id. Raises `failure` if not."""
        found = find(self._client, "TransferResponse", code, answer.since)
        if found is None or found[1].status == "error":
            raise failure
        return found[0] or None

    def answered(self, key: str, token: str | None, answer: Answer) -> Verdict | None:
        """Ask what Basware made of the answer; None while it is still at it."""
        found = self.raw(key)
        if found is None:
            return Verdict("delivered", "Basware has removed the document since.")
        standing, code = doc.standing(found), self._code(key, answer)
        if standing == ("transferred" if answer.success else "refused"):
            return Verdict("delivered")
        if self._has(found, code) and standing in ({"gone"} if answer.success else {"gone", "offered"}):
            return Verdict("delivered", "A person has dealt with it in Basware since.")
        return self._status(token, code)

    def _status(self, token: str | None, code: str) -> Verdict | None:
        status = ask(self._client, token) if token else None
        said = verdict(status.of(code)) if status else None
        return said if said is not None and said.outcome == "rejected" else None

    def _code(self, key: str, answer: Answer) -> str:
        return self._context.outward("answer", key, answer.code)

    def _body(self, code: str, answer: Answer, block: bool) -> dict[str, Any]:
        """Make the answer. The payment block is the document's own: an answer would overwrite it."""
        return entity(
            "TransferResponseEntity",
            externalCode=code,
            success=answer.success,
            responseMessage=answer.message.strip() or ("Transferred." if answer.success else "Refused."),
            paymentBlock=block,
            sourceSystem=self._settings.source_system,
            voucherNumber1=_voucher(answer.number) if answer.success else None,
            voucherNumber2=_voucher(answer.internal) if answer.success else None,
            transferDate=answer.posted_on,
        )

    @staticmethod
    def _has(found: dict[str, Any] | None, code: str) -> bool:
        given = listed((found or {}).get("transferResponses"))
        return any(isinstance(one, dict) and one.get("externalCode") == code for one in given)


def stamp_of(document: dict[str, Any]) -> str | None:
    """Give a document's change stamp so that stamps compare as text."""
    return comparable(doc.text(document, "lastUpdated"))


def _key(document: dict[str, Any]) -> str | None:
    """Give a document's id; None where it has none that an address could name."""
    key = document.get("invoiceId")
    return doc.text(document, "invoiceId") if isinstance(key, (str, int)) and not isinstance(key, bool) else None


def _offer(document: dict[str, Any]) -> ListedDocument:
    return ListedDocument(
        key=str(_key(document)),
        stamp=stamp_of(document),
        number=doc.text(document, "invoiceNumber"),
        amount=_money(document.get("grossSum"), doc.text(document, "currencyCode")),
        currency=doc.text(document, "currencyCode"),
        partner=doc.text(document, "supplierCode"),
        dated=doc.day_of(document),
    )


def _broken(row: Any) -> Broken:
    """Name a document that cannot be fetched by what it says, so that it is the same one at each pass."""
    raw = dumps(row)
    key = f"without-id-{hashlib.blake2b(raw.encode(), digest_size=6).hexdigest()}"
    number = doc.text(row, "invoiceNumber") if isinstance(row, dict) else None
    what = f"the invoice {number}" if number else "a document"
    return Broken(
        key,
        f"Basware listed {what} without an invoiceId, so it can be neither fetched nor answered. Ask Basware about it.",
        raw[:20_000],
    )


def _voucher(number: str | None) -> str | None:
    """Give a number that fits; one that does not is told in the message only, since half of it is another one."""
    return number if number and len(number) <= 25 else None


def _money(value: Any, currency: str | None) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    return doc.entered(Decimal(value), currency) if is_amount(Decimal(value)) else None
