"""What the accounting system answers to an invoice: prebook, transfer, payment (`docs/vendors/basware.md`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from werkzeug.wrappers import Response

from . import documents
from .call import Call, answer
from .codec import Record, stamp
from .errors import Entry, Invalid
from .imports import SUCCESS, meaning
from .model import Document, Item, RequestRecord, Verdict
from .schema import problems
from .world import World


@dataclass(frozen=True)
class Kind:
    """One way to answer: its address, schema, the states it is allowed in, and what it does when due."""

    path: str
    schema: str
    entity_type: str
    allowed: tuple[str, ...]
    conflict: int
    apply: Callable[[World, Document, Record], None]


def post(call: Call, kind: Kind, invoice_id: str) -> Response:
    """Take an answer and echo it; it changes the invoice once its verdict is due."""
    document, body = documents.find(call, invoice_id), call.json()
    if found := problems(kind.schema, body):
        raise Invalid([Entry("SCHEMA_VALIDATION_ERROR", "; ".join(found), invoice_id)])
    if message := _refusal(kind, document, body):
        raise _refused(kind.conflict, message, body)
    if document.status not in kind.allowed:
        status = 409 if kind is PREBOOK else 400
        raise _refused(status, f"Not allowed for an invoice that is {document.status}", body)
    _accept(call, kind, document, body)
    return answer(body)


def _refused(status: int, message: str, body: Record) -> Invalid:
    code = "CONFLICT_IN_POST" if status == 409 else "DATA_VALIDATION_FAILED"
    return Invalid([Entry(code, message, body["externalCode"], "BUSINESS")], status)


def _refusal(kind: Kind, document: Document, body: Record) -> str | None:
    sent = document.sent.get(kind.path, [])
    if any(other.code == body["externalCode"] for other in sent):
        return "externalCode was used before"
    standing = [other for other in sent if other.status != "Error"]
    if kind is PAYMENT and standing and _content(standing[-1].content) == _content(body):
        return "The same content was sent before"
    return None


def _content(body: Record) -> Record:
    return {name: value for name, value in meaning(body).items() if name != "externalCode"}


def _accept(call: Call, kind: Kind, document: Document, body: Record) -> None:
    world, due, invoice_id = call.world, call.world.due(), str(document.record["invoiceId"])
    item = Item(body["externalCode"], body, invoice_id)
    document.sent.setdefault(kind.path, []).append(item)

    def judge(_: Item) -> Verdict:
        # The invoice may have been recalled, corrected or removed since the answer was accepted.
        present = world.documents.get(invoice_id)
        if present is None or present.status not in kind.allowed:
            return "Error", f"Not allowed for an invoice that is {present.status if present else 'removed'}"
        present.answers.setdefault(kind.path, []).append(body)
        kind.apply(world, present, body)
        present.updated = due
        return SUCCESS

    world.accept(RequestRecord(call.request_id, kind.entity_type, "POST", world.now(), due, [item], judge))


def _close(document: Document, body: Record, done: str, failed: str) -> None:
    """Set the state, and the vouchers and the payment block if it went well."""
    document.record["processingStatus"] = done if body["success"] else failed
    if body["success"]:
        document.record["paymentBlock"] = body["paymentBlock"]
        for name in ("voucherNumber1", "voucherNumber2"):
            if body.get(name) is not None:
                document.record[name] = body[name]


def _transfer(_: World, document: Document, body: Record) -> None:
    _close(document, body, "Transferred", "TransferFailed")


def _prebook(_: World, document: Document, body: Record) -> None:
    _close(document, body, "Prebooked", "PrebookFailed")
    document.record["prebooked"] = body["success"]


_PAYMENT_FIELDS = (
    "paymentDate",
    "paymentTermCode",
    "paymentMethod",
    "paidTotal",
    "cashDiscount",
    "checkNumber",
    "paymentMessage",
    "paymentNumber",
    "paymentDocument",
    "paymentReversalDocument",
)
_ON_THE_INVOICE = {
    "paymentTermCode": "paymentTermCode",
    "paymentMethod": "paymentMethod",
    "paymentMessage": "paymentMessage",
    "paymentReversalDocument": "paymentRevelsalDocument",
}
"""Payment field to invoice field; the vendor misspells the last one."""


def _payment(world: World, document: Document, body: Record) -> None:
    """Overwrite every payment field: what the answer leaves out is cleared. Nothing happens without success."""
    if not body["success"]:
        return
    document.payment = {name: body.get(name) for name in _PAYMENT_FIELDS}
    document.payment["paymentDate"] = body.get("paymentDate") or stamp(world.now())
    document.record["paymentBlock"] = body["paymentBlock"]
    for source, target in _ON_THE_INVOICE.items():
        document.record.pop(target, None)
        if body.get(source) is not None:
            document.record[target] = body[source]
    document.record["processingStatus"] = "Paid" if _covered(document, body) else "Transferred"


def _covered(document: Document, body: Record) -> bool:
    """Say whether all is paid, discount included. (inferred: the vendor does not say what a part payment does)."""
    if body.get("paidTotal") is None:
        return False
    settled = Decimal(body["paidTotal"]) + Decimal(body.get("cashDiscount") or 0)
    sign = -1 if document.gross < 0 else 1
    return settled * sign >= document.gross * sign


TRANSFER = Kind(
    "transferResponses",
    "TransferResponseEntity",
    "TransferResponse",
    ("WaitingForTransfer", "TransferInProgress"),
    400,
    _transfer,
)
PAYMENT = Kind("paymentResponses", "PaymentResponseEntity", "PaymentResponse", ("Transferred", "Paid"), 409, _payment)
PREBOOK = Kind(
    "prebookResponses",
    "PrebookResponseEntity",
    "PrebookResponse",
    ("WaitingForPrebook", "PrebookInProgress"),
    409,
    _prebook,
)
KINDS = (TRANSFER, PAYMENT, PREBOOK)
