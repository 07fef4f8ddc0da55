"""Vendors, accounting codes and purchase orders of the newer interface: upserts and lists.

Beyond their keys no field of them is documented, so any others are kept as they come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from . import paging
from .answers import created, listed
from .call import Call
from .errors import Refusal
from .model import Record
from .shapes import iso
from .world import World


@dataclass(frozen=True)
class Kind:
    """One kind of master data: where it is kept, and its key."""

    table: str
    key: tuple[str, ...]

    def key_of(self, record: Record) -> Any:
        """The key of a record, in the form in which it is kept."""
        return record[self.key[0]] if len(self.key) == 1 else tuple(record[name] for name in self.key)


KINDS = {
    "vendors": Kind("vendors", ("externalVendorCode",)),
    "accounting-codes": Kind("codes", ("group", "value")),
    "purchase-orders": Kind("orders", ("purchaseOrderNumber",)),
}


def put(world: World, name: str, values: Record) -> Record:
    """Make or change a record: fields that are not given stay."""
    kind = KINDS[name]
    for part in kind.key:
        if not isinstance(values.get(part), str) or not values[part].strip():
            raise Refusal(422, "REQUIRED", f"{part} is required", part)
    if name == "purchase-orders" and values.get("vendorExternalCode", "") not in {"", *world.vendors}:
        raise Refusal(422, "UNKNOWN_VENDOR", f"Vendor '{values['vendorExternalCode']}' does not exist")
    table: dict[Any, Record] = getattr(world, kind.table)
    key = kind.key_of(values)
    before = table.get(key, {"id": f"{name[0].upper()}{world.number(name, 1001)}"})
    table[key] = before | {k: v for k, v in values.items() if k != "id"} | {"modifiedAt": iso(world.clock())}
    return table[key]


def upsert(world: World, call: Call) -> Response:
    """Take one record, or several under `items`, each of which succeeds or fails for itself."""
    body, name = call.json(), call.rule.strip("/")
    several = next((body[member] for member in ("items", "Items") if isinstance(body.get(member), list)), None)
    return created(world, several if several is not None else [body], lambda row: _put(world, name, row), several)


def _put(world: World, name: str, row: Any) -> Record:
    if not isinstance(row, dict):
        raise Refusal(422, "INVALID", "An item must be an object")
    found = put(world, name, row)
    return {"id": found["id"]} | {part: found[part] for part in KINDS[name].key}


def read(world: World, call: Call) -> Response:
    """List records by their keys, or by when they changed."""
    name = call.rule.strip("/")
    kind = KINDS[name]
    equal = (*kind.key, *(("vendorExternalCode",) if name == "purchase-orders" else ()))
    paging.check(world, call, (*equal, "modifiedSince"))
    rows = list(getattr(world, kind.table).values())
    for field in equal:
        if call.arg(field) and field not in world.ignored_filters:
            rows = [row for row in rows if row.get(field) == call.arg(field)]
    if call.arg("modifiedSince"):
        since = iso(paging.moment(world, call, "modifiedSince"))
        rows = [row for row in rows if row["modifiedAt"] >= since]
    return listed(world, call, rows)
