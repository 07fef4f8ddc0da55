"""Master data by the API: insert, PATCH (partial), PUT (purges the details it leaves out), DELETE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .coerce import coerce
from .errors import invalid_payload, record_invalid
from .fields import RESOURCES, TYPES, Record, Resource
from .world import World

_GROUP_DEFAULTS = {
    "AccountSet": "AccountSet",
    "CurrencyCode": "CurrencyCode",
    "RateType": "RateType",
    "BankCode": "BankCode",
    "DistributionCode": "DistributionCode",
    "GLAccount": "GeneralLedgerAccountNumber",
    "Terms": "Terms",
    "TaxGroup": "TaxGroup",
    "PaymentCode": "PaymentCode",
    "DistributionType": "DistributionType",
}
_KNOWN_CODES = {"GroupCode": "APVendorGroups", "Terms": "APTerms", "AccountSet": "APAccountSets"}


def create(world: World, name: str, body: Any) -> Record:
    """Insert a record; raises `Refusal` (InvalidPayload, RecordInvalid, RecordDuplicate)."""
    resource = RESOURCES[name]
    record = coerce(resource.type, body)
    _require_key(resource, record)
    record = _DEFAULTS.get(name, _plain)(world, record)
    _check(world, name, record)
    _drop_commands(resource.type, record)
    return world.insert(name, record)


def change(world: World, name: str, key: Any, body: Any) -> Record:
    """PATCH: the properties given, and the details given by their own key."""
    resource, record = RESOURCES[name], world.find(name, key)
    values = coerce(resource.type, body)
    _same_key(resource, key, values)
    merged = dict(record)
    for field_name, value in values.items():
        field = TYPES[resource.type][field_name]
        merged[field_name] = _merged(field.of, record.get(field_name) or [], value) if field.kind == "l" else value
    return _store(world, name, merged)


def replace(world: World, name: str, key: Any, body: Any) -> Record:
    """PUT: the record is deleted and inserted, so that nothing outlives it that the body does not state."""
    resource = RESOURCES[name]
    world.find(name, key)
    values = coerce(resource.type, body)
    _same_key(resource, key, values)
    keys = dict(zip(resource.key, key if isinstance(key, tuple) else (key,), strict=True))
    return _store(world, name, _DEFAULTS.get(name, _plain)(world, keys | values))


def delete(world: World, name: str, key: Any) -> None:
    """DELETE; raises `Refusal` (RecordInvalid) for a vendor with documents."""
    world.find(name, key)
    if name == "APVendors" and any(vendor == key for vendor, _ in world.tables["APPostedDocuments"]):
        raise record_invalid(f"Vendor '{key}' has documents and cannot be deleted")
    del world.tables[name][key]


def _store(world: World, name: str, record: Record) -> Record:
    _check(world, name, record)
    _drop_commands(RESOURCES[name].type, record)
    world.stamp(name, record)
    return world.put(name, record)


def _require_key(resource: Resource, record: Record) -> None:
    for name in resource.key:
        if record.get(name) in (None, ""):
            raise record_invalid(f"{name} cannot be blank")


def _same_key(resource: Resource, key: Any, values: Record) -> None:
    for name, wanted in zip(resource.key, key if isinstance(key, tuple) else (key,), strict=True):
        if values.get(name, wanted) != wanted:
            raise invalid_payload(f"{name} in the body differs from the address")


def _merged(type_name: str, rows: list[Record], changes: list[Record]) -> list[Record]:
    """Apply detail rows by their own key and `UpdateOperation`; an unspecified one updates or inserts (inferred)."""
    key = next(iter(TYPES[type_name]))
    found = {row.get(key): row for row in rows}
    for change_ in changes:
        operation, at = change_.get("UpdateOperation", "Unspecified"), change_.get(key)
        if operation in ("Update", "Delete") and at not in found:
            raise record_invalid(f"There is no detail {key} {at} to {operation.lower()}")
        if operation == "Insert" and at in found:
            raise record_invalid(f"The detail {key} {at} exists")
        if operation == "Delete":
            del found[at]
        else:
            found[at] = found.get(at, {}) | change_
    return list(found.values())


def _drop_commands(type_name: str, record: Record) -> None:
    """An UpdateOperation is a command, not a value that is kept."""
    record.pop("UpdateOperation", None)
    for field in TYPES[type_name].values():
        for row in record.get(field.name) or [] if field.kind == "l" else []:
            _drop_commands(field.of, row)


def _check(world: World, name: str, record: Record) -> None:
    if name not in ("APVendors", "APVendorGroups"):
        return
    for field, other in _KNOWN_CODES.items():
        code = record.get(field)
        if code and (field != "GroupCode" or name == "APVendors") and world.get(other, code) is None:
            raise record_invalid(f"{field} '{code}' does not exist")
    group = record.get("TaxGroup")
    if group and group not in world.tax_groups:
        raise record_invalid(f"Tax group '{group}' does not exist")


def _plain(_world: World, record: Record) -> Record:
    return record


def _vendor(world: World, record: Record) -> Record:
    """Fill a vendor from its group; what the body states wins."""
    group = world.get("APVendorGroups", record.get("GroupCode")) or {}
    from_group = {mine: group[theirs] for mine, theirs in _GROUP_DEFAULTS.items() if group.get(theirs)}
    plain = {"Status": "Active", "OnHold": "NotOnHold", "StartDate": world.today().isoformat(), "TaxClassCode1": 1}
    return plain | from_group | record


def _account(world: World, record: Record) -> Record:
    return {"AccountNumber": record["UnformattedAccount"], "DateCreated": world.today().isoformat()} | record


_DEFAULTS: dict[str, Callable[[World, Record], Record]] = {"APVendors": _vendor, "GLAccounts": _account}
