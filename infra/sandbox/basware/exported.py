"""What P2P exports of its own: purchase orders and purchase requisitions, listed, read one by one, acknowledged.

Both kinds are read by redirect, as the vendor's text says (its table of answers has 200 only). An acknowledged one is
gone for whoever else waits for it, so the world notes who acknowledges.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from werkzeug.wrappers import Response

from . import links, notify, paging
from .call import Call
from .codec import Record, parse_stamp, stamp
from .errors import Refused, bad_parameter
from .world import World

WAITING, EXPORTED = "WaitingForExport", "Exported"


@dataclass(frozen=True)
class Kind:
    """One of the two: its path, the query by which `processingStatus` is filtered, and what a record has at least."""

    path: str
    task: str
    filter: str
    needed: tuple[str, ...]
    stands: tuple[str, str]
    states: frozenset[str] | None = None


ORDERS = Kind(
    "exportedPurchaseOrders",
    "ExportedPurchaseOrders",
    "orderStatus",
    ("externalCode", "orderNumber", "requisitionNumber", "companyCode", "purchaseCurrency", "orderLines"),
    ("orderStatus", "Ordered"),
)
REQUISITIONS = Kind(
    "exportedPurchaseRequisitions",
    "ExportedPurchaseRequisitions",
    "status",
    ("externalCode", "requisitionNumber", "companyCode", "organizationUnitCode", "purchaseCurrency"),
    ("requisitionStatus", "Approved"),
    frozenset({"Approved", "Rejected", "Canceled"}),
)
"""A requisition is exported when it is approved, rejected or canceled, and never while it is in approval."""
KINDS = (ORDERS, REQUISITIONS)


def export(world: World, record: Record, kind: Kind = ORDERS) -> None:
    """Let P2P export one, and tell whoever subscribed; raises `ValueError` for what it cannot export."""
    missing = [name for name in kind.needed if name not in record]
    if missing:
        raise ValueError(f"an entry of {kind.path} needs {', '.join(missing)}")
    name, usual = kind.stands
    whole = {"processingStatus": WAITING, name: usual, **record}
    if kind.states is not None and whole[name] not in kind.states:
        raise ValueError(f"a requisition that is {whole[name]} is not exported")
    world.exported.setdefault(kind.path, {})[record["externalCode"]] = {**whole, "lastUpdated": stamp(world.now())}
    notify.waits_for_export(world, kind.task, record["externalCode"])


def decided(world: World, code: str, status: str) -> None:
    """Let people in P2P approve, reject or cancel a requisition that was imported, which exports it."""
    imported = world.imported["purchaseRequisitions"][code]
    unit = imported.get("organizationUnitCode") or imported["organizationIdentifier"]
    record = {
        "externalCode": f"P2P-{code}"[:100],
        "requisitionNumber": f"Alusta-PR-{len(world.exported.get(REQUISITIONS.path, {})) + 1}",
        "extRequisitionNumber": imported["extDocumentNumber"],
        "requisitionStatus": status,
        "documentSource": "ImportedAsRequisition",
        "companyCode": unit,
        "organizationUnitCode": unit,
        "purchaseCurrency": imported["lines"][0]["currencyCode"],
    }
    export(world, record, REQUISITIONS)


def get_list(call: Call, kind: Kind) -> Response:
    """Redirect to a page of those that match."""
    entries = [paging.Entry(code, row) for code, row in _rows(call, kind).items() if _matches(call, kind, row)]
    page = paging.cut(call, entries, 100, 100)
    return links.redirect_json(call, _shape(call, kind, page.records), page.headers())


def get_one(call: Call, code: str, kind: Kind) -> Response:
    """Redirect to one, in an array."""
    return links.redirect_json(call, _shape(call, kind, [_find(call, kind, code)]), {})


def acknowledge(call: Call, code: str, kind: Kind) -> Response:
    """Mark one as exported; a second time is not allowed."""
    found = _find(call, kind, code)
    if found["processingStatus"] == EXPORTED:
        raise Refused(405, f"{code} is acknowledged already")
    found["processingStatus"] = EXPORTED
    return Response(status=200)


def handlers(kind: Kind) -> dict[tuple[str, str], partial[Response]]:
    """Name what answers for one kind: by method and address."""
    path = f"/v1/{kind.path}"
    return {
        ("GET", path): partial(get_list, kind=kind),
        ("GET", f"{path}/<code>"): partial(get_one, kind=kind),
        ("POST", f"{path}/<code>/acknowledge"): partial(acknowledge, kind=kind),
    }


def _shape(call: Call, kind: Kind, rows: list[Record]) -> Record | list[Record]:
    return {kind.path: rows} if call.world.wrapped_lists else rows


def _rows(call: Call, kind: Kind) -> dict[str, Record]:
    return call.world.exported.get(kind.path, {})


def _find(call: Call, kind: Kind, code: str) -> Record:
    found = _rows(call, kind).get(code)
    if found is None:
        raise Refused(404, f"nothing in {kind.path} has the code {code}")
    return found


def _matches(call: Call, kind: Kind, row: Record) -> bool:
    status, company, since = call.query(kind.filter), call.query("companyCode"), call.query_stamp("lastUpdated")
    if status not in (None, WAITING, EXPORTED):
        raise bad_parameter(f"{status} is no {kind.filter}")  # (inferred)
    return (
        status in (None, row["processingStatus"])
        and company in (None, "", row["companyCode"])
        and (since is None or parse_stamp(row["lastUpdated"]) > since)
    )
