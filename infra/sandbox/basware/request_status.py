"""The verdicts on accepted requests (`docs/vendors/basware.md`)."""

from __future__ import annotations

from datetime import datetime

from werkzeug.wrappers import Response

from . import paging
from .call import Call, answer
from .codec import Record, stamp
from .errors import Entry, Invalid, Refused, bad_parameter
from .model import Item, RequestRecord
from .schema import problems

STATUSES = ("InProgress", "Success", "Error", "AcknowledgedSuccess", "AcknowledgedError")
SYSTEM, MODULE = "P2P", "IA"
_SETTLED_WELL = ("Success", "NotProcessed")


def updated_of(record: RequestRecord) -> datetime:
    """Return when the request's status last changed."""
    return record.due if record.done else record.accepted


def get_one(call: Call, request_id: str) -> Response:
    """Return the request in the wrapper; the parameter here is `ignoreSuccessfulItems`, with one l."""
    record = call.world.requests.get(request_id)
    if record is None or not _routed(call):
        raise Refused(404, f"no request {request_id}")
    return answer({"requestStatus": [_shown(record, _flag(call, "ignoreSuccessfulItems"))]})


def get_list(call: Call) -> Response:
    """Return one page of requests; only those with Error unless status, entityType or system is given."""
    status, entity_type = call.query("status"), call.query("entityType")
    if status and status not in STATUSES:
        raise bad_parameter(f"{status} is no status")
    if not (status or entity_type or call.query("system")):
        status = "Error"
    since, terse = call.query_stamp("lastUpdated"), _flag(call, "ignoreSuccessfullItems")
    entries = [
        paging.Entry(record.request_id, _shown(record, terse))
        for record in call.world.requests.values()
        if status in (None, record.status)
        and entity_type in (None, record.entity_type)
        and (since is None or updated_of(record) > since)
        and _routed(call)
    ]
    page = paging.cut(call, entries, 500, 500)
    response = answer({"requestStatus": page.records} if call.world.wrapped_lists else page.records)
    response.headers.update(page.headers())
    return response


def acknowledge(call: Call) -> Response:
    """Mark settled requests as read; a second time is a 405."""
    body = call.json()
    found = problems("ProcessingStatusGetBatchRequest", body)
    if found or not body.get("requestIds"):
        message = "; ".join(found) or "requestIds is required"
        raise Invalid([Entry("SCHEMA_VALIDATION_ERROR", message)])
    records = [call.world.requests.get(name) for name in body["requestIds"]]
    known = [record for record in records if record is not None]
    if len(known) < len(records):
        raise Refused(404, "a request to acknowledge was not found")
    if any(record.acknowledged for record in known):
        entry = Entry("METHOD_NOT_ALLOWED", "The request is already acknowledged", type="BUSINESS")
        raise Invalid([entry], 405)
    if not all(record.done for record in known):
        # (inferred) there is no acknowledged state to go to from InProgress.
        raise Invalid([Entry("DATA_VALIDATION_FAILED", "The request is still in progress", type="BUSINESS")])
    for record in known:
        record.acknowledged = True
    return answer("Acknowledged")


def _flag(call: Call, name: str) -> bool:
    return (call.query(name) or "").lower() == "true"


def _routed(call: Call) -> bool:
    return (call.query("system") or SYSTEM).lower() == SYSTEM.lower()


def _shown(record: RequestRecord, terse: bool) -> Record:
    status, updated = record.status, stamp(updated_of(record))
    items = [_item(item) for item in record.items if not (terse and item.status in _SETTLED_WELL)]
    system = {"system": SYSTEM, "module": MODULE, "systemStatus": status, "lastUpdated": updated, "items": items}
    return {
        "requestId": record.request_id,
        "entityType": record.entity_type,
        "entityVersion": f"{record.entity_type}V1",
        "requestStatus": status,
        "changedBy": None,
        "operationType": record.operation,
        "genericListKey": record.list_key,
        "lastUpdated": updated,
        "systems": [system],
    }


def _item(item: Item) -> Record:
    return {"externalCode": item.code, "parentExternalCode": item.parent, "status": item.status, "errors": item.errors}
