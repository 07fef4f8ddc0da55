"""Invoices: list and single by redirect, acknowledge, look-up, attachments (`docs/vendors/basware.md`)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from werkzeug.wrappers import Response

from . import links, masterdata, paging
from .call import Call, answer
from .codec import Record, stamp
from .errors import Refused, bad_parameter
from .model import Document
from .schema import schemas
from .world import World

IN_PROGRESS = {
    "WaitingForTransfer": "TransferInProgress",
    "WaitingForPrebook": "PrebookInProgress",
    "WaitingForPrebookCancelation": "PrebookCancelationInProgress",
    "WaitingToBeCompleted": "CompletionInProgress",
    "WaitingForEnrichmentTransfer": "EnrichmentTransferInProgress",
}
"""What acknowledging turns a status into; the other statuses cannot be acknowledged."""

_AFTER_TRANSFER = ("Transferred", "Paid")
_LOOKUP = {"Paid": "Paid", "Transferred": "ReadyForPayment", "Removed": "Rejected", "Returned": "Rejected"}


def shown(world: World, document: Document) -> Record:
    """Return the invoice as on the wire; attachments are listed once it is transferred."""
    record = {**document.record, "lastUpdated": stamp(document.updated)}
    for kind, answers in document.answers.items():
        record[kind] = answers[-100:]
    if document.status in _AFTER_TRANSFER:
        record["attachments"] = [
            {
                "externalCode": code,
                "category": "ORIGINALIMAGE",
                "filename": name,
                "isConfidential": False,
                "creationTime": stamp(document.updated),
            }
            for (invoice, code), (name, _) in world.attachments.items()
            if invoice == record["invoiceId"]
        ]
    return record


def find(call: Call, invoice_id: str) -> Document:
    """Return the invoice or answer 404."""
    document = call.world.documents.get(invoice_id)
    if document is None:
        raise Refused(404, f"no invoice {invoice_id}")
    return document


def get_list(call: Call) -> Response:
    """Redirect to a page of the invoices that match."""
    entries = [
        paging.Entry(invoice_id, shown(call.world, document), len(document.record.get("codingRows") or []))
        for invoice_id, document in call.world.documents.items()
        if _matches(call, document)
    ]
    page = paging.cut(call, entries, 100, 100, call.world.coding_rows_per_page)
    return links.redirect_json(call, {"accountingDocuments": page.records}, page.headers())


def _matches(call: Call, document: Document) -> bool:
    status, company = call.query("ProcessingStatus"), call.query("companyCode")
    known = schemas()["AccountingDocumentEntity"]["properties"]["processingStatus"]["enum"]
    if status and status not in known:
        raise bad_parameter(f"{status} is no ProcessingStatus")  # (inferred)
    since, mode = call.query_stamp("lastUpdated"), call.query("p2pProcessingMode") or "Standard"
    return (
        status in (None, document.status)
        and company in (None, document.record["companyCode"])
        and (since is None or document.updated > since)
        and mode == document.record.get("p2pProcessingMode", "Standard")
    )


def get_one(call: Call, invoice_id: str) -> Response:
    """Redirect to one invoice, in the same wrapper as the list."""
    body = {"accountingDocuments": [shown(call.world, find(call, invoice_id))]}
    return links.redirect_json(call, body, {})


def acknowledge(call: Call, invoice_id: str) -> Response:
    """Move a waiting invoice to its InProgress state; 405 in every other state, so also the second time."""
    document = find(call, invoice_id)
    if document.status not in IN_PROGRESS:
        raise Refused(405, f"the invoice is {document.status}, there is nothing to acknowledge")
    document.record["processingStatus"] = IN_PROGRESS[document.status]
    document.updated = call.world.now()
    return answer("Acknowledged")


def delete(call: Call) -> Response:
    """Remove invoices from the API layer."""
    stamps = {code: document.updated for code, document in call.world.documents.items()}
    return masterdata.removed(call, stamps, call.world.documents)


def look_up(call: Call) -> Response:
    """Return the status of the invoices with a number and date; 404 while the tenant lacks the feature."""
    names = ("companyCode", "invoiceNumber", "invoiceDate")
    for name in names:
        if not call.query(name):
            raise bad_parameter(f"{name} is required")
    call.query_stamp("invoiceDate")
    found = [document for document in call.world.documents.values() if _looked_for(call, document)]
    if not call.world.status_lookup or not found:
        raise Refused(404, "no records were found")
    return answer([_status(document) for document in found])


def _looked_for(call: Call, document: Document) -> bool:
    record, gross = document.record, call.query("grossSum")
    try:
        same_sum = gross is None or Decimal(gross) == document.gross
    except InvalidOperation as error:
        raise bad_parameter("grossSum is no number") from error
    return (
        same_sum
        and record["companyCode"] == call.query("companyCode")
        and record.get("invoiceNumber") == call.query("invoiceNumber")
        and (record.get("invoiceDate") or "")[:10] == (call.query("invoiceDate") or "")[:10]
    )


def _status(document: Document) -> Record:
    return {
        "invoiceId": document.record["invoiceId"],
        "status": _LOOKUP.get(document.status, "InApprovalProcess"),  # (inferred) the mapping is undocumented
        "processingStatus": document.status,
        "lastUpdated": stamp(document.updated),
    }


def attachment(call: Call, invoice_id: str, code: str) -> Response:
    """Redirect to an attachment's bytes; there are none before the transfer."""
    document = find(call, invoice_id)
    kept = call.world.attachments.get((invoice_id, code))
    if kept is None or document.status not in _AFTER_TRANSFER:
        raise Refused(404, f"no attachment {code}")
    return links.redirect(call, kept[1], "application/pdf", {})


def summary(document: Document) -> Record:
    """Return what the control page tells of an invoice."""
    record = document.record
    names = ("invoiceNumber", "supplierCode", "companyCode", "grossSum", "voucherNumber1", "voucherNumber2")
    return {
        "processingStatus": document.status,
        **{name: record.get(name) for name in names},
        **document.answers,
        "payment": document.payment,
    }
