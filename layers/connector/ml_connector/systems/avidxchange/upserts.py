"""Vendors and GL codes into AvidXchange, over `kit.upserts`.

A vendor's code is sent exactly as Sage X3 has it: one that is trimmed, padded or renumbered is another one there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ml_connector.flow import Codes
from ml_connector.folding import fold
from ml_connector.records import Account, Supplier
from ml_connector.systems.avidxchange.client import Client
from ml_connector.systems.kit.upserts import Kind, Upserts


def vendors(client: Client) -> Upserts[Supplier]:
    """Make the target of suppliers."""

    def compose(record: Supplier, codes: Codes) -> tuple[str, dict[str, Any]]:
        place = next(iter(sorted(record.addresses, key=lambda one: one.kind != "remittance")), None)
        term = record.payment_term
        body = {
            "externalVendorCode": record.code,
            "name": record.name,
            "active": record.active,
            "currency": codes.platform("currency", record.currency) if record.currency else None,
            "taxId": record.tax_id or record.vat_number,
            "paymentTerms": codes.platform("term", term) if term else None,
            "email": record.email,
            "phone": record.phone,
        }
        if place is not None:
            body |= {"address1": place.street, "city": place.city, "state": place.region}
            body |= {"postalCode": place.postal_code, "country": place.country}
        return record.code, client.body("vendor", body)

    def inactive(key: str) -> dict[str, Any]:
        return client.body("vendor", {"externalVendorCode": key, "active": False})

    def listed(codes: Sequence[str]) -> set[str]:
        found = (row for code in codes for row in client.rows("vendors.list", asked(code)))
        return {fold(client.text(row, "vendor.externalVendorCode")) for row in found}

    def asked(code: str) -> dict[str, str]:
        return client.params("vendor", {"externalVendorCode": code})

    return Upserts(client, Kind("vendors", compose, inactive, listed, "supplier"))


def gl_codes(client: Client) -> Upserts[Account]:
    """Make the target of GL accounts, which are codes of the group `profile.gl_group`."""
    group = client.profile.gl_group

    def compose(record: Account, codes: Codes) -> tuple[str, dict[str, Any]]:
        mapped = [name for one in (record.key, record.code) if (name := codes.named("account", one)) != one]
        code = next(iter(mapped), record.code)
        body = {"group": group, "value": code, "description": record.name, "active": record.active}
        return code, client.body("code", body)

    def inactive(key: str) -> dict[str, Any]:
        return client.body("code", {"group": group, "value": own(key), "active": False})

    def own(key: str) -> str:
        return key.rpartition("~")[2]

    def listed(_: Sequence[str]) -> set[str]:
        rows = client.rows("codes.list", client.params("code", {"group": group}))
        mine = [row for row in rows if fold(client.text(row, "code.group")) == fold(group)]
        return {fold(client.text(row, "code.value")) for row in mine if client.value(row, "code.active") is not False}

    return Upserts(client, Kind("codes", compose, inactive, listed, "account", own))
