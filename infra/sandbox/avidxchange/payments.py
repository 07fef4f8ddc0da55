"""Executed payments, as both interfaces list them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from werkzeug.wrappers import Response

from . import paging, shapes
from .answers import listed, shaped
from .call import Call
from .errors import Refusal, answer, old_exception
from .model import Payment, Record
from .world import World

_WINDOWS = (("lastModifiedFrom", "lastModifiedTo"), ("modifiedFrom", "modifiedTo"))
_FILTERS = ("modifiedSince", *(name for pair in _WINDOWS for name in pair), "externalId", "vendorExternalCode")


def read(world: World, call: Call) -> Response:
    """List payments by when they changed: since a moment, or within whole days, both ends of which are demanded."""
    paging.check(world, call, _FILTERS)
    rows = list(world.payments.values())
    for first, last in _WINDOWS:
        if call.arg(first) or call.arg(last):
            rows = _within(rows, *_span(world, call, first, last))
    if call.arg("modifiedSince"):
        since = paging.moment(world, call, "modifiedSince")
        rows = [one for one in rows if one.modified >= since]
    for name, field in (("externalId", "external_id"), ("vendorExternalCode", "vendor")):
        if call.arg(name):
            rows = [one for one in rows if getattr(one, field) == call.arg(name)]
    return listed(world, call, [shapes.payment(world, one) for one in rows])


def _span(world: World, call: Call, first: str, last: str) -> tuple[datetime, datetime]:
    start, end = paging.moment(world, call, first), paging.moment(world, call, last, end=True)
    if end < start or end - start > timedelta(days=world.window_days):
        raise Refusal(400, "INVALID_RANGE", f"{first} to {last} must span 1 to {world.window_days} days")
    return start, end


def _within(rows: list[Payment], start: datetime, end: datetime) -> list[Payment]:
    return [one for one in rows if start <= one.modified <= end]


def get(world: World, call: Call) -> Response:
    """Give one payment."""
    return shaped(world, shapes.payment(world, _one(world, call)))


def _one(world: World, call: Call) -> Payment:
    text = call.values["number"]
    found = world.payments.get(int(text)) if text.isdecimal() else None
    if found is None:
        raise Refusal(404, "NOT_FOUND", f"Payment '{text}' was not found")
    return found


# ── the older interface ─────────────────────────────────────────────────────────────────────────────────────────


def old_read(world: World, call: Call) -> Response:
    """List payments of batches, by their numbers, or by the whole days in which they changed."""
    call.only(("batchId", "paymentIds", "lastModifiedFrom", "lastModifiedTo", *paging.OLD_PARAMETERS))
    rows = list(world.payments.values())
    if call.arg("batchId"):
        rows = [one for one in rows if one.batch == call.arg("batchId")]
    elif call.arg("paymentIds"):
        wanted = set(call.arg("paymentIds").split(","))
        rows = [one for one in rows if str(one.id) in wanted]
    elif call.arg("lastModifiedFrom") or call.arg("lastModifiedTo"):
        first, last = paging.window(world, call, "lastModifiedFrom", "lastModifiedTo")
        whole = timedelta(days=1, microseconds=-1)
        start, end = (datetime.combine(day, time(), UTC) for day in (first, last))
        rows = _within(rows, start, end + whole)
    else:
        raise Refusal(400, "FILTER_REQUIRED", "batchId, paymentIds or lastModifiedFrom and lastModifiedTo are required")
    return answer(paging.old_envelope(world, call, [shapes.old_payment(world, one) for one in rows]))


def old_history(world: World, call: Call) -> Response:
    """Give what happened to a payment, as a bare list."""
    one = _one(world, call)
    rows: list[Record] = [
        {
            "Id": number,
            "PaymentID": one.id,
            "PaymentProcessName": entry["state"],
            "Description": entry["state"],
            "Comment": entry["comment"] or None,
            "InsertDateTime": shapes.stamp(world, entry["at"]),
        }
        for number, entry in enumerate(one.history, 1)
    ]
    return answer(rows)


def old_image(world: World, call: Call) -> Response:
    """Give the image of a cleared check; one that does not exist is a 500."""
    if not _one(world, call).image:
        return old_exception(500, "InternalServerError", "Nullable object must have a value.")
    return answer({"Front": {"Image": "R0lGODlhAQABAAAAACw="}, "Back": {"Image": "R0lGODlhAQABAAAAACw="}})
