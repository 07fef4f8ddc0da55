"""Control of a running sandbox over HTTP, without a login; refused with 403 when `world.control` is off.

- `GET /_sandbox/state`: settings, counts, logins, calls, invoices with their answers, errors, refused requests
- `GET /_sandbox/imported/<entity>`: what the target system holds, by external code
- `POST /_sandbox/documents`: add or replace invoices (one or an array), each valid by the vendor's schema;
  `?strict=0` lets a broken one in
- `POST /_sandbox/documents/<id>`: change fields as an AP user would (recall, correct, send again); null removes
- `POST /_sandbox/entities/<entity>`: put master records into both layers, as an edit by a Basware user
- `POST /_sandbox/faults`: add rules (one or an array, fields of `model.Fault`); `DELETE` removes all
- `POST /_sandbox/verdicts`: force verdicts (fields of `model.ForcedVerdict`)
- `POST /_sandbox/settings`: change those named in `SETTINGS`; `POST /_sandbox/tokens/expire`: end every token
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from werkzeug.wrappers import Response

from . import documents, faults, notify, request_status
from .call import Call, answer
from .codec import Record
from .entities import ENTITIES
from .errors import Refused
from .model import Document, Fault, ForcedVerdict, Row
from .schema import problems
from .world import World

T = TypeVar("T")

SETTINGS = (
    "token_seconds",
    "verdict_delay",
    "require_request_id",
    "wrapped_lists",
    "signature_format",
    "status_lookup",
    "coding_rows_per_page",
    "link_seconds",
    "single_use_links",
    "companies_posted",
)


def state(call: Call) -> Response:
    """Summarise the world."""
    world = call.world
    return answer(
        {
            "settings": {name: getattr(world, name) for name in SETTINGS} | {"companies": sorted(world.companies)},
            "logins": world.logins,
            "refused_logins": world.refused_logins,
            "calls": dict(world.calls),
            "entities": {name: len(rows) for name, rows in world.entities.items()},
            "imported": {name: len(rows) for name, rows in world.imported.items()},
            "documents": {code: documents.summary(document) for code, document in world.documents.items()},
            "requests": _statuses(world),
            "errors": _item_errors(world),
            "refusals": _refusals(world),
            "subscriptions": len(world.subscriptions),
            "notifications": {"queued": len(world.outbox), "delivered": _delivered(world)},
        }
    )


def _statuses(world: World) -> dict[str, int]:
    found = [record.status for record in world.requests.values()]
    return {status: found.count(status) for status in request_status.STATUSES}


def _item_errors(world: World) -> list[Record]:
    return [
        {"entityType": record.entity_type, "externalCode": item.code, "parent": item.parent, "errors": item.errors}
        for record in world.requests.values()
        for item in record.items
        if item.status == "Error"
    ][-200:]


def _refusals(world: World) -> list[Record]:
    """Return the last answers of 400 and above, with the reason the client was not told."""
    found = [entry for entry in world.log if entry.status >= 400]
    return [{"request": f"{e.method} {e.path}", "status": e.status, "reason": e.reason} for e in found[-50:]]


def _delivered(world: World) -> int:
    return sum(notification.status == 200 for notification in world.outbox)


def imported(call: Call, entity: str) -> Response:
    """Return the target system's records of one entity."""
    return answer(call.world.imported.get(entity, {}))


def put_entities(call: Call, entity: str) -> Response:
    """Put master records into the API layer and the target, as an edit in Basware itself shows up."""
    given, kind = _array(call), next((e for e in ENTITIES if e.path == entity.partition("/")[0]), None)
    if kind is None:
        raise Refused(404, f"no entity {entity}")
    if found := [issue for record in given for issue in problems(kind.schema, record)]:
        raise Refused(400, "records that the vendor's schema refuses", {"problems": found})
    for record in given:
        kept = {name: value for name, value in record.items() if name != "lastUpdated"}
        row = Row(kept, call.world.now(), call.request_id)
        call.world.entities.setdefault(entity, {})[record["externalCode"]] = row
        call.world.imported.setdefault(entity, {})[record["externalCode"]] = kept
    return answer({entity: [record["externalCode"] for record in given]})


def put_documents(call: Call) -> Response:
    """Add or replace invoices."""
    given = _array(call)
    strict = call.query("strict") != "0"
    found = {str(n): issues for n, r in enumerate(given) if strict and (issues := _issues(r))}
    if found or not all(map(_is_invoice, given)):
        raise Refused(400, "invoices that the vendor's schema refuses", {"problems": found})
    for record in given:
        put_document(call.world, record)
    return answer({"documents": [record["invoiceId"] for record in given]})


def _issues(record: Record) -> list[str]:
    return problems("AccountingDocumentEntity", record)


def _is_invoice(record: Record) -> bool:
    return isinstance(record, dict) and {"invoiceId", "processingStatus", "companyCode"} <= record.keys()


def put_document(world: World, record: Record) -> Document:
    """Enter one invoice as Basware would offer it; answers given before to the same id are kept."""
    kept = {name: value for name, value in record.items() if name != "lastUpdated"}
    old = world.documents.get(record["invoiceId"])
    document = Document(kept, world.now())
    if old:
        document.answers, document.sent, document.payment = old.answers, old.sent, old.payment
    world.documents[record["invoiceId"]] = document
    notify.document_waiting(world, document)
    return document


def change_document(call: Call, invoice_id: str) -> Response:
    """Change fields of one invoice."""
    document, change = documents.find(call, invoice_id), call.json()
    merged = {name: value for name, value in {**document.record, **change}.items() if value is not None}
    if call.query("strict") != "0" and (found := _issues(merged)):
        raise Refused(400, "the vendor's schema refuses the changed invoice", {"problems": found})
    document.record, document.updated = merged, call.world.now()
    if "processingStatus" in change:
        notify.document_waiting(call.world, document)
    return answer(documents.summary(document))


def put_faults(call: Call) -> Response:
    """Add fault rules."""
    rules = _build(call, Fault)
    if unknown := [rule.kind for rule in rules if rule.kind not in faults.KINDS]:
        raise Refused(400, f"no such kind: {unknown}", {"kinds": faults.KINDS})
    call.world.faults += rules
    return answer({"faults": len(call.world.faults)})


def clear_faults(call: Call) -> Response:
    """Remove every fault rule."""
    call.world.faults.clear()
    return answer({"faults": 0})


def put_verdicts(call: Call) -> Response:
    """Add forced verdicts."""
    call.world.forced += _build(call, ForcedVerdict)
    return answer({"verdicts": len(call.world.forced)})


def settings(call: Call) -> Response:
    """Change settings."""
    wanted = call.json()
    if unknown := sorted(set(wanted) - {*SETTINGS, "companies"}):
        raise Refused(400, f"no such settings: {unknown}", {"settings": SETTINGS})
    for name, value in wanted.items():
        setattr(call.world, name, set(value) if name == "companies" else _plain(value))
    return answer({"changed": sorted(wanted)})


def expire_tokens(call: Call) -> Response:
    """End every access token."""
    call.world.tokens.clear()
    return answer({"tokens": 0})


def _plain(value: Any) -> Any:
    """Return a number as the settings hold it: the parser makes a Decimal of 0.5."""
    return value if isinstance(value, bool | int | str) else float(value)


def _array(call: Call) -> list[Record]:
    given = call.json()
    return given if isinstance(given, list) else [given]


def _build(call: Call, kind: Callable[..., T]) -> list[T]:
    try:
        return [kind(**{n: v if isinstance(v, str) else _plain(v) for n, v in g.items()}) for g in _array(call)]
    except (TypeError, ValueError) as error:
        raise Refused(400, str(error), {"error": str(error)}) from error
