"""The master data interfaces: POST, PATCH, GET and DELETE (`docs/vendors/basware.md`)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from werkzeug.wrappers import Response

from . import imports, paging
from .call import Call, answer
from .codec import Record, parse_stamp, stamp
from .entities import LIST_KEYS, Entity
from .errors import Entry, Invalid, Refused, bad_parameter
from .model import Item, RequestRecord, Row
from .schema import problems

SUB_ENTITIES = frozenset({"addresses", "contacts", "identifiers", "paymentMeans"})
"""Of vendors."""


def post(call: Call, entity: Entity) -> Response:
    """Take a batch in full or not at all (inferred), overwrite the stored records, and start the import."""
    batch = _batch(call, entity)
    for record in batch:
        _store(call, entity, record)
    _start_import(call, entity, batch)
    return answer(batch)


def patch(call: Call, entity: Entity, code: str) -> Response:
    """Change the given fields of one record; a null is the same as an absent field."""
    rows = _rows(call, entity)
    change = call.json()
    if not isinstance(change, dict):
        raise Invalid([Entry("SCHEMA_VALIDATION_ERROR", "The body must be an object")])
    given = {name: value for name, value in change.items() if value is not None}
    if given.get("externalCode", code) != code:
        raise Invalid([Entry("EXTERNAL_CODE_MISMATCH", "externalCode differs from the address", code)])
    if found := problems(entity.schema, given, partial=True):
        raise Invalid([Entry("SCHEMA_VALIDATION_ERROR", "; ".join(found), code)])
    if code not in rows:
        raise Refused(404, f"no {entity.path} record {code}")
    merged = _patched(rows[code].record, given)
    _store(call, entity, merged)
    _start_import(call, entity, [merged])
    return answer(_shown(rows[code]))


def _patched(record: Record, given: Record) -> Record:
    """Put given fields into a record, but into no list of sub-entities that has contents: those need a POST (V).

    (inferred) what is sent for them is ignored; the vendor only says that PATCH is not suitable for it.
    """
    full = {name for name, value in record.items() if name in SUB_ENTITIES and value}
    return {**record, **{name: value for name, value in given.items() if name not in full}}


def get_one(call: Call, entity: Entity, code: str) -> Response:
    """Return one record as the API layer holds it."""
    rows = _rows(call, entity)
    if code not in rows:
        raise Refused(404, f"no {entity.path} record {code}")
    return answer(_shown(rows[code]))


def get_list(call: Call, entity: Entity) -> Response:
    """Return one page of the records that match the filters."""
    if entity.path == "matchingOrderLines" and not call.query("orderExternalCode"):
        raise bad_parameter("orderExternalCode is required")
    rows = _rows(call, entity)
    entries = [paging.Entry(code, _shown(row)) for code, row in rows.items() if _matches(call, row)]
    page = paging.cut(call, entries, entity.page_default, entity.page_max)
    response = answer({entity.wrapper: page.records} if call.world.wrapped_lists else page.records)
    response.headers.update(page.headers())
    return response


def delete(call: Call, entity: Entity) -> Response:
    """Remove records from the API layer only; the target system keeps them."""
    rows = _rows(call, entity)
    return removed(call, {code: row.updated for code, row in rows.items()}, rows)


def removed(call: Call, stamps: dict[str, Any], rows: dict[str, Any]) -> Response:
    """Apply a DeleteRequest to `rows`: by code 200, by time 202 with a link; the code wins."""
    wanted = call.json()
    if found := problems("DeleteRequest", wanted):
        raise Invalid([Entry("SCHEMA_VALIDATION_ERROR", "; ".join(found))])
    code, since = wanted.get("externalCode"), wanted.get("lastUpdated")
    if code:
        rows.pop(code, None)
        return answer({"statusApiLink": None, "taskName": "Delete", "taskStatus": "Completed"})
    if not since:
        raise Invalid([Entry("SCHEMA_VALIDATION_ERROR", "lastUpdated or externalCode is required")])
    for key in [key for key, updated in stamps.items() if updated > parse_stamp(since)]:
        del rows[key]
    link = f"/v1/taskStatus/{call.request_id}"  # (inferred) the address behind the link is undocumented
    return answer({"statusApiLink": link, "taskName": "Delete", "taskStatus": "InProgress"}, 202)


def key_of(call: Call, entity: Entity) -> str:
    """Return the name under which `World` keeps the records: the path, for lists with the list's key."""
    if entity.path != "lists":
        return entity.path
    if call.args["list_key"] not in LIST_KEYS:
        raise bad_parameter(f"there is no list {call.args['list_key']}")
    return f"lists/{call.args['list_key']}"


def _rows(call: Call, entity: Entity) -> dict[str, Row]:
    return call.world.entities.setdefault(key_of(call, entity), {})


def _batch(call: Call, entity: Entity) -> list[Record]:
    """Return the batch, checked: a bare array within the limit, every record valid, no code twice."""
    batch = call.json()
    if not isinstance(batch, list) or not batch:
        raise Invalid([Entry("SCHEMA_VALIDATION_ERROR", "The body must be an array with at least one record")])
    if len(batch) > entity.batch:
        message = f"{len(batch)} records sent, {entity.batch} are allowed"
        raise Invalid([Entry("PARAMETER_VALIDATION_ERROR", message)])  # (inferred)
    entries = [
        Entry("SCHEMA_VALIDATION_ERROR", "; ".join(found), _code(record))
        for record in batch
        if (found := problems(entity.schema, record))
    ]
    if entries:
        raise Invalid(entries)
    _refuse_repeats(batch)
    return batch


def _code(record: Any) -> str | None:
    code = record.get("externalCode") if isinstance(record, dict) else None
    return code if isinstance(code, str) else None


def _refuse_repeats(batch: list[Record]) -> None:
    counts = Counter(record["externalCode"] for record in batch)
    repeated = [code for code, count in counts.items() if count > 1]
    if repeated:
        message = "externalCode is repeated in the request"
        raise Invalid([Entry("CONFLICT_IN_POST", message, code, "BUSINESS") for code in repeated], 409)


def _store(call: Call, entity: Entity, record: Record) -> None:
    kept = {name: value for name, value in record.items() if name != "lastUpdated"}
    _rows(call, entity)[record["externalCode"]] = Row(kept, call.world.now(), call.request_id)


def _start_import(call: Call, entity: Entity, batch: list[Record]) -> None:
    world, key = call.world, key_of(call, entity)
    items = [Item(r["externalCode"], {k: v for k, v in r.items() if k != "lastUpdated"}) for r in batch]
    judge = imports.Import(world, entity, key, call.request_id, world.now()).judge
    list_key = key.removeprefix("lists/") if entity.path == "lists" else None
    world.accept(
        RequestRecord(
            call.request_id, entity.entity_type, call.request.method, world.now(), world.due(), items, judge, list_key
        )
    )


def _shown(row: Row) -> Record:
    return {**row.record, "lastUpdated": stamp(row.updated)}


def _matches(call: Call, row: Row) -> bool:
    company, since = call.query("companyCode"), call.query_stamp("lastUpdated")
    if company and company not in imports.company_codes(row.record):
        return False
    if since and row.updated <= since:
        return False
    order, status = call.query("orderExternalCode"), call.query("orderStatus")
    if order and row.record.get("orderExternalCode", order) != order:
        return False
    # (inferred) the vendor names no values: Closed asks for isClosed, anything else for the rest.
    return not status or bool(row.record.get("isClosed")) == (status.lower() == "closed")
