"""Suppliers, accounts and cost centers, read in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from typing import TypeVar

from msgspec import Struct

from ml_connector.records import Account, Address, BankAccount, CostCenter, Record, Supplier
from ml_connector.systems.kit.masters import Masters, begin
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.query import Query, any_of, in_parts
from ml_connector.systems.sap_b1.rows import (
    NO,
    YES,
    AccountRow,
    AddressRow,
    BankRow,
    CenterRow,
    SupplierRow,
    day,
    stamp_day,
    told,
)

Today = Callable[[], date]
NEVER = 1900
"""Years up to this one are how a database says that no date was entered."""


def in_force(begin: str | None, end: str | None, today: date) -> bool:
    """Tell whether a day lies in a period, both ends within it; an end not told is open. Raises `ValueError`."""
    first, last = _told(begin), _told(end)
    return (first is None or first <= today) and (last is None or today <= last)


def supplier_counts(row: SupplierRow, today: Today) -> bool:
    """Tell whether a business partner is active."""
    if row.frozen != YES and row.valid_from is row.valid_to is None:
        return True  # as most are
    return _counts(row.valid, (row.valid_from, row.valid_to), row.frozen, (row.frozen_from, row.frozen_to), today)


def account_counts(row: AccountRow, today: Today) -> bool:
    """Tell whether an account is active."""
    validity, freeze = (row.valid_from, row.valid_to), (row.frozen_from, row.frozen_to)
    return _counts(row.valid_for, validity, row.frozen_for, freeze, today)


def center_counts(row: CenterRow, today: Today) -> bool:
    """Tell whether a profit center is active and in effect."""
    return row.active != NO and in_force(row.effective_from, row.effective_to, today())


def _counts(
    valid: str | None,
    validity: tuple[str | None, str | None],
    frozen: str | None,
    freeze: tuple[str | None, str | None],
    today: Today,
) -> bool:
    if frozen == YES and in_force(*freeze, today()):
        return False
    return valid != YES or not any(validity) or in_force(*validity, today())


def _told(text: str | None) -> date | None:
    try:
        told = day(text)
    except ValueError as error:
        raise ValueError(f"A period begins or ends on '{text}', which is not a valid date.") from error
    return told if told is not None and told.year > NEVER else None


W = TypeVar("W", bound=Struct)
R = TypeVar("R", bound=Record)
SIZE = 500
EVERY_CURRENCY = "##"


def _masters(
    layer: ServiceLayer,
    query: Callable[[str | None], Query[W]],
    convert: Callable[[W], R | None],
    stamp: Callable[[W], str | None] = lambda _: None,
) -> Masters[W, R]:
    def by_keys(keys: Sequence[str]) -> Iterator[Batch[W]]:
        whole = query(None)
        for part in in_parts(keys):
            where = any_of(whole.key, map(layer.text, part)) + (f" and {whole.where}" if whole.where else "")
            yield from layer.pages(Query(whole.entity, whole.row, whole.key, where, size=whole.size))

    return Masters(lambda since, place: layer.pages(query(since), place), by_keys, convert, stamp)


def suppliers(layer: ServiceLayer, today: Today, *, bank_details: bool) -> Masters[SupplierRow, Supplier]:
    """Read the business partners that are suppliers."""

    def query(since: str | None) -> Query[SupplierRow]:
        where = "CardType eq 'cSupplier'"
        if since:
            # only the date of a change can be filtered, not its time (`docs/vendors/sap_b1.md`)
            day = layer.day(begin(since))
            # A partner that was never changed may have no UpdateDate yet.
            where += f" and (UpdateDate ge {day} or CreateDate ge {day})"
        return Query("BusinessPartners", SupplierRow, "CardCode", where, size=SIZE)

    def stamp(row: SupplierRow) -> str | None:
        return stamp_day(row.update_date) or stamp_day(row.create_date)

    return _masters(layer, query, partial(supplier, today=today, bank_details=bank_details), stamp)


def accounts(layer: ServiceLayer, today: Today) -> Masters[AccountRow, Account]:
    """Read the posting accounts; they carry no change stamp, so all of them every time."""

    def query(_: str | None) -> Query[AccountRow]:
        return Query("ChartOfAccounts", AccountRow, "Code", "ActiveAccount eq 'tYES'", size=SIZE)

    return _masters(layer, query, lambda row: account(row, today))


def cost_centers(layer: ServiceLayer, today: Today) -> Masters[CenterRow, CostCenter]:
    """Read the profit centers, inactive ones too; no change stamp."""

    def query(_: str | None) -> Query[CenterRow]:
        return Query("ProfitCenters", CenterRow, "CenterCode", size=SIZE)

    return _masters(layer, query, lambda row: cost_center(row, today))


def supplier(row: SupplierRow, today: Today, *, bank_details: bool) -> Supplier | None:
    """Convert a business partner; None for a customer or a lead that a server let through the filter."""
    if row.card_type not in {None, "cSupplier", "S"}:
        return None
    code, currency, terms = row.card_code, row.currency, row.pay_terms_grp_code
    return Supplier(  # the texts as `told` gives them, whose calls took a quarter of the time of a row
        key=code,
        code=code,
        name=((x := row.card_name) and x.strip()) or code,
        active=supplier_counts(row, today),
        currency=(currency and currency != EVERY_CURRENCY and currency.strip()) or None,
        tax_id=((x := row.federal_tax_id) and x.strip()) or None,
        vat_number=((x := row.vat_number) and x.strip()) or told(row.unified_tax_id),
        payment_term=None if terms is None else str(terms),
        email=((x := row.email_address) and x.strip()) or None,
        phone=((x := row.phone1) and x.strip()) or None,
        website=((x := row.website) and x.strip()) or None,
        addresses=_addresses(row),
        bank_accounts=tuple(map(_bank, row.banks)) if bank_details and row.banks else (),
    )


def account(row: AccountRow, today: Today) -> Account | None:
    """Convert an account; None for a title account. A system key shows its visible number as the code."""
    if row.active_account == NO:
        return None
    code = told(row.format_code) if row.code.startswith("_SYS") else None
    return Account(
        key=row.code, code=code or row.code, name=told(row.name) or code or row.code, active=account_counts(row, today)
    )


def cost_center(row: CenterRow, today: Today) -> CostCenter:
    """Convert a profit center."""
    return CostCenter(
        key=row.center_code,
        code=row.center_code,
        name=told(row.center_name) or row.center_code,
        active=center_counts(row, today),
        dimension=row.in_which_dimension,
    )


def _addresses(row: SupplierRow) -> tuple[Address, ...]:
    if row.addresses:
        return tuple(_address(one, number) for number, one in enumerate(row.addresses))
    if not (row.address or row.city or row.zip_code or row.country):
        return ()
    street, city = told(row.address), told(row.city)
    return (Address(key="main", street=street, city=city, postal_code=told(row.zip_code), country=told(row.country)),)


def _address(row: AddressRow, number: int) -> Address:
    delivery = row.address_type == "bo_ShipTo"
    street = " ".join(filter(None, (told(row.street), told(row.street_no))))
    return Address(
        key=f"{'delivery' if delivery else 'postal'}~{told(row.address_name) or number}",
        name=told(row.address_name),
        kind="delivery" if delivery else "postal",
        street=told(street),
        city=told(row.city),
        postal_code=told(row.zip_code),
        region=told(row.state),
        country=told(row.country),
    )


def _bank(row: BankRow) -> BankAccount:
    return BankAccount(iban=told(row.iban), account=told(row.account_no), bic=told(row.bic), country=told(row.country))
