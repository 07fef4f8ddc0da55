"""Invoices that are submitted: created once, looked up, given attachments."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from . import paging, shapes
from .answers import created, listed, shaped
from .call import Call
from .checks import Draft, checked
from .errors import Refusal
from .model import REJECTED, Invoice, Record
from .world import Remembered, World

_FILTERS = ("externalId", "vendorExternalCode", "invoiceNumber", "modifiedSince")


def create(world: World, call: Call) -> Response:
    """Take one invoice; the same idempotency key gives the first answer again, where this server honours it."""
    key = call.headers.get(world.idempotency_header, "") if world.idempotency != "ignored" else ""
    digest, now = hashlib.sha256(call.body).hexdigest(), world.clock()
    before = world.keys.get(key)
    if key and before is not None and before.until > now:
        if world.idempotency == "strict" and before.digest != digest:
            raise Refusal(422, "IDEMPOTENCY_KEY_REUSED", "The idempotency key was used with another payload")
        return Response(before.body, before.status, content_type="application/json")
    count = len(world.invoices)
    response = created(world, [call.json()], lambda row: _take(world, row))
    if key and len(world.invoices) > count:
        until = now + timedelta(hours=world.idempotency_hours)
        world.keys[key] = Remembered(digest, response.status_code, response.get_data(), until)
    return response


def _take(world: World, row: Record) -> Record:
    invoice = enter(world, checked(world, row))
    for attachment in row.get("attachments") or []:
        _attach(world, invoice, *_decoded(attachment))
    found = {"id": str(invoice.id), "externalId": invoice.external_id or None}
    return found | {"status": world.words.get(invoice.state, invoice.state)}


def enter(world: World, draft: Draft, *, captured: bool = False) -> Invoice:
    """Keep an invoice that was checked; where validation comes later, it may be refused then."""
    _refuse_duplicate(world, draft)
    now = world.clock()
    why = world.unusable(draft.vendor, draft.pairs())
    if why and world.validation == "immediately" and not captured:
        raise Refusal(422, "INVALID_VENDOR" if why.startswith("Vendor") else "INVALID_CODE", why)
    invoice = Invoice(
        id=world.number("invoice", 5501),
        changed=now,
        visible=now + timedelta(seconds=0 if captured else world.visible_seconds),
        captured=captured,
        **vars(draft),
    )
    if why and not captured:
        invoice.fails, invoice.failure = now + timedelta(seconds=world.validation_seconds), why
    world.invoices[invoice.id] = invoice
    return invoice


def _refuse_duplicate(world: World, draft: Draft) -> None:
    for known in world.invoices.values():
        same = (known.vendor, known.number) == (draft.vendor, draft.number)
        ours = bool(draft.external_id) and known.external_id == draft.external_id
        if ours and world.duplicates == "allowed":
            world.offences.append(f"externalId {draft.external_id} was submitted twice")
        elif ours or (same and known.state != REJECTED and world.duplicates != "allowed"):
            status = 409 if world.duplicates == "refused" else 422
            what = f"externalId '{draft.external_id}'" if ours else f"invoice '{draft.number}' of '{draft.vendor}'"
            raise Refusal(status, "DUPLICATE", f"Duplicate: {what} already exists")


# ── looking up ──────────────────────────────────────────────────────────────────────────────────────────────────


def read(world: World, call: Call) -> Response:
    """Find invoices by external id, by vendor and number, or by when they changed."""
    paging.check(world, call, _FILTERS)
    rows = [one for one in world.invoices.values() if one.visible <= world.clock()]
    wanted = {name: call.arg(name) for name in _FILTERS if call.arg(name) and name not in world.ignored_filters}
    for name, field in (("externalId", "external_id"), ("vendorExternalCode", "vendor"), ("invoiceNumber", "number")):
        if name in wanted:
            rows = [one for one in rows if getattr(one, field) == wanted[name]]
    if "modifiedSince" in wanted:
        since = paging.moment(world, call, "modifiedSince")
        rows = [one for one in rows if one.changed >= since]
    return listed(world, call, [shapes.invoice(world, one) for one in rows])


def get(world: World, call: Call) -> Response:
    """Give one invoice."""
    return shaped(world, shapes.invoice(world, _one(world, call)))


def _one(world: World, call: Call) -> Invoice:
    text = call.values["number"]
    found = world.invoices.get(int(text)) if text.isdecimal() else None
    if found is None or found.visible > world.clock():
        raise Refusal(404, "NOT_FOUND", f"Invoice '{text}' was not found")
    return found


# ── attachments ─────────────────────────────────────────────────────────────────────────────────────────────────


def attach(world: World, call: Call) -> Response:
    """Take the files of a multipart body."""
    invoice = _one(world, call)
    if call.mimetype != "multipart/form-data" or not call.files:
        raise Refusal(400, "FILE_REQUIRED", "The body must be multipart/form-data with a file")
    made = [_attach(world, invoice, *one) for one in call.files]
    return shaped(world, {"id": made[0]["id"], "fileName": made[0]["fileName"]}, 201)


def _attach(world: World, invoice: Invoice, name: str, kind: str, content: bytes) -> Record:
    if not name or not content:
        raise Refusal(422, "FILE_REQUIRED", "A file needs a name and a content")
    if len(content) > world.attachment_limit:
        raise Refusal(413, "FILE_TOO_LARGE", f"A file has {world.attachment_limit} bytes at most")
    made = {"id": f"A{world.number('attachment', 1)}", "fileName": name, "contentType": kind, "size": len(content)}
    invoice.attachments.append(made | {"sha256": hashlib.sha256(content).hexdigest()})
    return made


def _decoded(row: Any) -> tuple[str, str, bytes]:
    try:
        return row["fileName"], row.get("contentType", ""), base64.b64decode(row["content"], validate=True)
    except (KeyError, TypeError, AttributeError, binascii.Error):
        raise Refusal(422, "INVALID", "An attachment needs fileName and content in base64", "attachments") from None
