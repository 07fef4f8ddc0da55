"""Suppliers, accounts of one chart, and dimensions: read by what changed, where a field shows it, else all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from ml_connector.errors import Misconfigured
from ml_connector.records import Account, Address, BankAccount, CostCenter, Supplier
from ml_connector.systems.kit.conditions import Condition, changed_since
from ml_connector.systems.kit.masters import Masters
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.kit.values import text
from ml_connector.systems.sage_x3.entities import ACCOUNT, DIMENSION, NO, SUPPLIER, Entity, Reader, Record, menu
from ml_connector.systems.sage_x3.faults import VENDOR
from ml_connector.systems.sage_x3.settings import Settings

Batches = Iterator[Batch[Record]]


class Folder:
    """The master records of one folder."""

    def __init__(self, reader: Reader, settings: Settings) -> None:
        self._reader, self._settings = reader, settings
        self._chart, self._center = settings.chart, settings.cost_center_dimension

    def entity(self, entity: Entity) -> Entity:
        """Take what the secret says of an entity."""
        return entity.as_configured(self._settings.classes)

    def suppliers(self, *, bank_details: bool) -> Masters[Record, Supplier]:
        """Read the suppliers."""
        return self._masters(SUPPLIER, list, lambda row: supplier(row, bank_details=bank_details))

    def accounts(self) -> Masters[Record, Account]:
        """Read the accounts of the company's chart; none at all is an error, not an empty chart."""
        return self._masters(ACCOUNT, self._of_chart, account, self.chart, none="accounts")

    def dimensions(self, listed: Collection[str] = ()) -> Masters[Record, CostCenter]:
        """Read the dimensions of the type that is the cost center, and of those types that the platform `listed`."""

        def convert(row: Record) -> CostCenter | None:
            center, kind = self.center_type(listed), text(row, "DIE")
            return dimension(row, None if kind == center else kind) if kind in {center, *listed} else None

        return self._masters(DIMENSION, list, convert, lambda: self.center_type(listed))

    def center_type(self, listed: Collection[str] = ()) -> str | None:
        """Name the dimension type that is the cost center: the secret's, else the only one that is not listed."""
        if self._center is None:
            asked = [("DIE", "ne", one) for one in sorted(listed)]
            self._center = self._only(DIMENSION, "DIE", asked, "dimensions of several types", "'cost_center_dimension'")
        return self._center

    def chart(self) -> str:
        """Name the chart of accounts: the secret's, else the folder's only one.

        Raises `Misconfigured` where the folder has several and the secret names none, or where there is no account.
        """
        if self._chart is None:
            self._chart = self._only(ACCOUNT, "COA", [], "accounts of several charts", "'chart'")
        if self._chart is None:
            raise Misconfigured(self._none("accounts", self.entity(ACCOUNT)))
        return self._chart

    def _only(self, what: Entity, name: str, asked: list[Any], several: str, setting: str) -> str | None:
        """Find the only value of a field; None where there is no record."""
        entity = self.entity(what)
        first = self._first(entity, name, asked)
        other = self._first(entity, name, [*asked, (name, "ne", first)]) if first is not None else None
        if other not in {None, first}:
            raise Misconfigured(
                f"Folder {self._settings.folder} has {several} ({first} and {other}): name the company's own in "
                f"{setting}."
            )
        return first

    def _first(self, entity: Entity, name: str, where: Sequence[Condition]) -> str | None:
        batch = next(iter(self._reader.pages(entity, where, None)), None)
        return next((text(row, name) for row in batch.rows), None) if batch else None

    def _of_chart(self) -> list[Condition]:
        return [("COA", "eq", self.chart())]

    def _none(self, what: str, entity: Entity) -> str:
        chart = f" of chart {self._chart}" if self._chart else ""
        return (
            f"{VENDOR} gives no {what}{chart} in folder {self._settings.folder}. Check 'folder', 'chart' and "
            f"{entity.setting('representation')}; nothing was deactivated."
        )

    def _masters(
        self,
        what: Entity,
        where: Callable[[], list[Condition]],
        convert: Callable[[Record], Any],
        known: Callable[[], str | None] | None = None,
        none: str = "",
    ) -> Masters[Record, Any]:
        """`known`: the first part of keys, which people leave out: the company's chart, the type of cost centers."""
        entity = self.entity(what)

        def short(key: str) -> str:
            first, _, rest = key.partition("~")
            return rest if known is not None and rest and first == known() else key

        def whole(key: str) -> str:
            return key if known is None or "~" in key else f"{known()}~{key}"

        def changed(stamp: str | None, position: str | None) -> Batches:
            asked = [*where(), *changed_since(self._reader.changed_field(entity), stamp)]
            empty = bool(none) and stamp is None and position is None
            for batch in self._reader.pages(entity, asked, position):
                empty = empty and not batch.keys
                if empty and batch.position is None:
                    raise Misconfigured(self._none(none, entity))
                yield batch.named(short)

        def by_keys(keys: Sequence[str]) -> Batches:
            return (batch.named(short) for batch in self._reader.by_keys(entity, [whole(key) for key in keys]))

        def stamp(row: Record) -> str | None:
            field = self._reader.changed_field(entity)
            return field.stamp(row) if field else None

        return Masters(changed, by_keys, convert, stamp)


def active(row: Record) -> bool:
    """Tell whether a record is active; one that does not say so is."""
    return menu(row, "ENAFLG") != NO


def supplier(row: Record, *, bank_details: bool) -> Supplier:
    """Convert a supplier. Raises `ValueError` for one without a code."""
    key = SUPPLIER.key_of(row)
    return Supplier(
        key=key,
        code=key,
        name=text(row, "BPSNAM") or text(row, "BPSSHO") or key,
        active=active(row),
        currency=text(row, "CUR"),
        vat_number=text(row, "EECNUM"),
        tax_id=text(row, "CRN"),
        payment_term=text(row, "PTE"),
        email=text(row, "WEB"),
        phone=text(row, "TEL"),
        addresses=_addresses(row),
        bank_accounts=_bank_accounts(row) if bank_details else (),
    )


def _lines_with(row: Record, name: str) -> list[Record]:
    """Give the record itself, or the rows of that one of its collections which have a field."""
    if name in row:
        return [row]
    lists = (value for value in row.values() if isinstance(value, list))
    return [one for some in lists for one in some if isinstance(one, dict) and name in one]


def _addresses(row: Record) -> tuple[Address, ...]:
    found = []
    for number, one in enumerate(_lines_with(row, "CTY"), 1):
        lines = one.get("BPAADDLIG")
        street = [text({"": line}, "") for line in (lines if isinstance(lines, list) else [lines])]
        country = text(one, "CRY") or text(row, "CRY") or ""
        address = Address(
            key=text(one, "BPAADD") or str(number),
            street=", ".join(line for line in street if line) or None,
            city=text(one, "CTY"),
            postal_code=text(one, "POSCOD"),
            region=text(one, "SAT"),
            country=country if re.fullmatch("[A-Z]{2}", country) else None,
        )
        if address.street or address.city or address.postal_code:
            found.append(address)
    return tuple(found)


def _bank_accounts(row: Record) -> tuple[BankAccount, ...]:
    return tuple(
        BankAccount(account=number, bic=text(one, "BICCOD"), bank_name=text(one, "PAB1"))
        for one in _lines_with(row, "BIDNUM")
        if (number := text(one, "BIDNUM"))
    )


def account(row: Record) -> Account:
    """Convert an account. Its chart is the company's, so that its code is its key, as people map it."""
    code = text(row, "ACC") or ""
    name = text(row, "DES") or text(row, "DESSHO") or code
    ACCOUNT.key_of(row)  # raises for one without a code
    return Account(key=code, code=code, name=name, active=active(row))


def dimension(row: Record, kind: str | None) -> CostCenter:
    """Convert a dimension, its type being `kind` where it is no cost center: then its key has the type."""
    code = text(row, "CCE") or ""
    name = text(row, "DES") or text(row, "DESSHO") or code
    key = DIMENSION.key_of(row)
    return CostCenter(key=key if kind else code, code=code, name=name, active=active(row), dimension=kind)
