"""Suppliers, accounts and cost centers: none carries a day of its last change, so all of them are read every time."""

from __future__ import annotations

import logging
import re
from functools import cache, partial

from ml_connector.records import Account, Address, BankAccount, CostCenter, Supplier
from ml_connector.systems.kit.code_table import code_table
from ml_connector.systems.kit.masters import EmptySource, Masters
from ml_connector.systems.kit.sections import LedgerSection, SectionCenters
from ml_connector.systems.kit.tables import Query, Row, query, text
from ml_connector.systems.syspro.client import Client
from ml_connector.systems.syspro.faults import VENDOR
from ml_connector.systems.syspro.settings import Settings

log = logging.getLogger("ml_connector")
SUPPLIERS = query(
    "ApSupplier",
    "Supplier SupplierName OnHold Currency TermsCode TaxRegnNum Email Telephone Nationality BankAccount",
    "Supplier",
)
_LINES = tuple(f"{kind}Addr{number}" for kind in ("Sup", "Remit") for number in range(1, 6))
ADDRESSES = Query("ApSupplierAddr", ("Supplier", *_LINES, "SupPostalCode", "RemitPostalCode"), ("Supplier",))
"""Columns that supplier maintenance has elements for: the table's own are documented nowhere, so those there count."""
PSEUDO = frozenset({"FORCED", "RETAINED"})
"""Ledger codes under which GenMaster keeps results, not accounts."""


# ── suppliers ───────────────────────────────────────────────────────────────────────────────────────────────────


def suppliers(client: Client, *, bank_details: bool) -> Masters[Row, Supplier]:
    """Read the suppliers, those on hold too, with their addresses."""

    there = cache(lambda: client.there(ADDRESSES))
    return Masters(
        lambda _, place: client.joined(client.pages(SUPPLIERS, place), there, ranged=True),
        lambda keys: client.joined(client.by_keys(SUPPLIERS, keys), there, ranged=False),
        partial(supplier, bank_details=bank_details),
    )


def supplier(row: Row, *, bank_details: bool) -> Supplier:
    """Convert a supplier. The key is the code as it stands; one on hold cannot be invoiced, and so is not active."""
    key = row["Supplier"]
    account = text(row, "BankAccount") if bank_details else None
    return Supplier(
        key=key,
        code=key.strip(),
        name=text(row, "SupplierName") or key.strip(),
        active=(text(row, "OnHold") or "N").upper() != "Y",
        currency=text(row, "Currency"),
        vat_number=text(row, "TaxRegnNum"),
        payment_term=text(row, "TermsCode"),
        email=text(row, "Email"),
        phone=text(row, "Telephone"),
        addresses=tuple(one for kind in ("Sup", "Remit") if (one := _address(row, kind)) is not None),
        bank_accounts=(BankAccount(account=account),) if account else (),
    )


def _address(row: Row, kind: str) -> Address | None:
    """Convert an address: five free lines and a postal code. Nothing tells which line is the town."""
    lines = [line for number in range(1, 6) if (line := text(row, f"{kind}Addr{number}"))]
    code, country = text(row, f"{kind}PostalCode"), (text(row, "Nationality") or "").upper()
    if not lines and code is None:
        return None
    return Address(
        key="main" if kind == "Sup" else "remit",
        kind="postal" if kind == "Sup" else "remittance",
        street=", ".join(lines) or None,
        postal_code=code,
        country=country if re.fullmatch("[A-Z]{2}", country) else None,
    )


# ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────────


Accounts = Masters[Row, Account]


class Ledger:
    """The ledger codes of one company. GenMaster holds those of several, and may lie in another one's database."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        company = settings.ledger if settings.ledger != client.company else ""
        mine = (("Company", "EQ", client.company),)
        self._none = (
            f"{VENDOR}'s GenMaster in the database of company {settings.ledger} has no ledger code of company "
            f"{client.company}. Set 'ledger_company' to the company whose database holds them."
        )
        self._asked = Query("GenMaster", ("Company", "GlCode", "Description"), ("GlCode",), mine, company=company)

    def accounts(self) -> Accounts:
        """Read the accounts."""
        return Masters(
            lambda _, place: self._client.some(self._asked, place, self._none),
            lambda keys: self._client.by_keys(self._asked, keys),
            _account,
        )


def _account(row: Row) -> Account | None:
    key = row["GlCode"]
    if key.strip().upper() in PSEUDO:
        return None
    return Account(key=key, code=key.strip(), name=text(row, "Description") or key.strip())


# ── cost centers ────────────────────────────────────────────────────────────────────────────────────────────────


Centers = Masters[Row, CostCenter] | SectionCenters | EmptySource


def cost_centers(client: Client, settings: Settings, ledger: Ledger) -> Centers:
    """Read the cost centers as the secret says where they are; nothing where it does not say it."""
    where = settings.cost_centers
    if where is None:
        return EmptySource()
    if isinstance(where, LedgerSection):
        return SectionCenters(lambda: ledger.accounts().pages(None, None), where.section)
    return code_table(client, where, "'cost_centers'")
