"""Vendors, read in bulk, and how a bulk source is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

import msgspec
from msgspec import Struct

from ml_connector.records import Address, Record, Supplier
from ml_connector.systems.kit.masters import Masters, begin
from ml_connector.systems.kit.rows import Batch, day_of
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.query import KeyFilter, Query

W = TypeVar("W")
R = TypeVar("R", bound=Record)
_COUNTRIES = {"USA": "US", "UNITED STATES": "US", "CANADA": "CA", "CAN": "CA", "UNITED KINGDOM": "GB", "UK": "GB"}


class VendorRow(Struct, rename="pascal"):
    """A vendor (`docs/vendors/sage_300.md`, names of a live answer)."""

    vendor_number: str
    vendor_name: str | None = None
    status: str | None = None
    date_last_maintained: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    address_line4: str | None = None
    city: str | None = None
    state_province: str | None = None
    zip_postal_code: str | None = None
    country: str | None = None
    phone_number: str | None = None
    currency_code: str | None = None
    terms: str | None = None
    email: str | None = None
    contacts_email: str | None = None
    web_site: str | None = None
    tax_number: str | None = msgspec.field(name="Num1099CPRSTaxNumber", default=None)
    business_registration_number: str | None = None
    tax_registration_code1: str | None = None
    tax_registration_code2: str | None = None
    tax_registration_code3: str | None = None
    tax_registration_code4: str | None = None
    tax_registration_code5: str | None = None


def declared(
    api: WebApi,
    query: Callable[[str | None], Query[W]],
    convert: Callable[[W], R | None],
    stamp: Callable[[W], str | None] = lambda _: None,
    key_field: str = "",
) -> Masters[W, R]:
    """Declare a source. `key_field`: by which records are read again; without one all are, the others left out."""

    def by_keys(keys: Sequence[str]) -> Iterator[Batch[W]]:
        whole = query(None)
        if not key_field:
            return api.pages(whole)

        def some(where: str) -> Query[W]:
            return Query(whole.resource, whole.row, whole.key, where)

        return api.keyed.batches(KeyFilter(some, key_field, keys, lambda row: (whole.key(row),)))

    return Masters(lambda since, place: api.pages(query(since), place), by_keys, convert, stamp)


def after(api: WebApi, field: str, since: str) -> str:
    """Filter by a stamp: `gt` the day before, since `ge` is not documented (`docs/vendors/sage_300.md`)."""
    return f"{field} gt {api.day(begin(since) - timedelta(days=1))}"


def suppliers(api: WebApi) -> Masters[VendorRow, Supplier]:
    """Read the vendors, inactive ones too."""

    def query(since: str | None) -> Query[VendorRow]:
        where = after(api, "DateLastMaintained", since) if since else ""
        return Query("AP/APVendors", VendorRow, lambda row: row.vendor_number.strip(), where)

    return declared(api, query, supplier, _maintained, "VendorNumber")


def _maintained(row: VendorRow) -> str | None:
    try:
        day = day_of(row.date_last_maintained)
    except ValueError:
        return None  # the vendor itself is told of when it is converted
    return day.isoformat() if day else None


def supplier(row: VendorRow) -> Supplier:
    """Convert a vendor. On hold is no bar to being invoiced; only the status makes it inactive."""
    day_of(row.date_last_maintained)
    number = row.vendor_number.strip()
    if not number:
        raise ValueError("The vendor has no VendorNumber.")
    codes = (getattr(row, f"tax_registration_code{n}") for n in range(1, 6))
    return Supplier(
        key=number,
        code=number,
        name=said(row.vendor_name) or number,
        active=is_active(row.status),
        currency=said(row.currency_code),
        tax_id=said(row.tax_number) or said(row.business_registration_number),
        vat_number=next(filter(None, map(said, codes)), None),
        payment_term=said(row.terms),
        email=said(row.email) or said(row.contacts_email),
        phone=said(row.phone_number),
        website=said(row.web_site),
        addresses=_addresses(row),
    )


def _addresses(row: VendorRow) -> tuple[Address, ...]:
    lines = [said(getattr(row, f"address_line{n}")) for n in range(1, 5)]
    street = ", ".join(line for line in lines if line) or None
    country = (row.country or "").strip().upper()
    if not any((street, said(row.city), said(row.zip_postal_code), country)):
        return ()
    return (
        Address(
            key="main",
            street=street,
            city=said(row.city),
            postal_code=said(row.zip_postal_code),
            region=said(row.state_province),
            country=country if len(country) == 2 else _COUNTRIES.get(country),
        ),
    )


def is_active(status: str | None) -> bool:
    """Read a status, by its name or as the flag it is kept as; one that is not told is no bar.

    Dates beside it (`StartDate`, `InactiveDate`) only tell since when: a vendor has no period.
    """
    return (said(status) or "active").lower() in {"active", "1", "true", "yes"}


def said(value: str | None) -> str | None:
    """Give a text; blanks are nothing."""
    return (value or "").strip() or None
