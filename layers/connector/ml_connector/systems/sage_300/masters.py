"""Vendors, read in bulk, and what all bulk sources share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from ml_connector.flow import Broken, Page
from ml_connector.records import Address, Record, Supplier
from ml_connector.systems.http import dumps
from ml_connector.systems.kit.paging import only_asked_for
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.keyed import Wanted
from ml_connector.systems.sage_300.listing import RAW_LIMIT
from ml_connector.systems.sage_300.names import day_of
from ml_connector.systems.sage_300.paging import Batch, Query

W = TypeVar("W")
R = TypeVar("R", bound=Record)
OVERLAP = timedelta(days=1)
"""Stamps are days without a time: the watermark's day and the one before are read again."""
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


class Masters(Generic[W, R]):
    """A source of one record type. `convert` gives None for a row that is not ours."""

    def __init__(
        self,
        api: WebApi,
        query: Callable[[str | None], Query[W]],
        convert: Callable[[W], R | None],
        stamp: Callable[[W], str | None] = lambda _: None,
        key_field: str = "",
    ) -> None:
        """`key_field`: by which records are read again; without one all are, and the others left out."""
        self._api, self._query, self._convert, self._stamp = api, query, convert, stamp
        self._key_field = key_field

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[R]]:
        """Read what changed since the day `since`; everything where there is no stamp."""
        for batch in self._api.pages(self._query(since), position):
            yield self._page(batch)

    def reread(self, keys: Sequence[str]) -> Iterator[Page[R]]:
        """Read these very records, as many to a call as an address holds; what is gone is left out."""
        batches = self._very(self._query(None), keys) if keys else iter(())
        return only_asked_for(map(self._page, batches), keys)

    def _very(self, whole: Query[W], keys: Sequence[str]) -> Iterator[Batch[W]]:
        if not self._key_field:
            return self._api.pages(whole)

        def some(where: str) -> Query[W]:
            return Query(whole.resource, whole.row, whole.key, where)

        return self._api.keyed.batches(Wanted(some, self._key_field, keys, lambda row: (whole.key(row),)))

    def _page(self, batch: Batch[W]) -> Page[R]:
        records, broken = [], [Broken(bad.key, bad.reason, bad.raw) for bad in batch.spoiled]
        for row, key in zip(batch.rows, row_keys(batch), strict=True):
            try:
                record = self._convert(row)
            except (ValueError, ArithmeticError) as error:
                broken.append(Broken(key, str(error), raw_of(row)))
            else:
                if record is not None:
                    records.append(record)
        stamps = [stamp for row in batch.rows if (stamp := self._stamp(row))]
        return Page(records, broken, batch.position, max(stamps, default=None))


class Nothing:
    """A source of records that this company does not keep."""

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Any]]:  # noqa: ARG002
        """Read nothing, and so be complete at once."""
        yield Page([])

    def reread(self, keys: Sequence[str]) -> Iterator[Page[Any]]:  # noqa: ARG002
        """Find nothing."""
        return iter(())


def row_keys(batch: Batch[Any]) -> list[str]:
    """Give the keys of the rows that parsed."""
    bad = {spoiled.key for spoiled in batch.spoiled}
    return [key for key in batch.keys if key not in bad] if bad else list(batch.keys)


def raw_of(row: Any) -> str:
    """Show a row in full, for a person to see what is wrong with it."""
    shown = {n: getattr(row, n) for n in row.__struct_fields__} if isinstance(row, Struct) else row
    return dumps(shown)[:RAW_LIMIT]


def after(api: WebApi, field: str, since: str) -> str:
    """Filter by a stamp: `gt` the day before, since `ge` is not documented (`docs/vendors/sage_300.md`)."""
    day = date.fromisoformat(since[:10]) - OVERLAP - timedelta(days=1)
    return f"{field} gt {api.day(day)}"


def suppliers(api: WebApi) -> Masters[VendorRow, Supplier]:
    """Read the vendors, inactive ones too."""

    def query(since: str | None) -> Query[VendorRow]:
        wheres = (after(api, "DateLastMaintained", since), "") if since else ("",)
        return Query("AP/APVendors", VendorRow, lambda row: row.vendor_number.strip(), *wheres)

    return Masters(api, query, supplier, _maintained, "VendorNumber")


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
