"""The detail view of an A/P invoice entry: distributions to accounts (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import tax
from .errors import record_invalid
from .fields import Record, words
from .world import World

SYSTEM = frozenset(
    words(
        "BatchNumber EntryNumber LineNumber UpdateOperation FiscalYear FiscalPeriod TotalTaxAmount NumberOfDetails "
        "DocumentTotalBeforeTaxes DistributedAmountBeforeTaxes TaxBase1 TaxBase2 TaxBase3 TaxBase4 TaxBase5 "
        "TaxAuthority1 TaxAuthority2 TaxAuthority3 TaxAuthority4 TaxAuthority5"
    )
)
"""Keys that the server generates and sums that it computes: what a request says about them is a placeholder."""
MONEY = frozenset({"DocumentTotalIncludingTax", "DistributedAmount"} | {f"TaxAmount{n}" for n in range(1, 6)})


def line_of(world: World, invoice: Record, body: Record) -> Record:
    """Build one distribution of `invoice`; raises `Refusal` (RecordInvalid)."""
    line: Record = {"DistributedAmount": Decimal(0), "GLAccount": "", "DistributionCode": ""}
    line |= {f"TaxClass{n}": invoice.get(f"TaxClass{n}", 0) for n in range(1, 6)}
    for name, value in body.items():
        if name in MONEY:
            exact(name, value, invoice["CurrencyCode"])
        if name == "DistributionCode" and value:
            _distribution_code(world, line, value)
        elif name.startswith("TaxClass"):
            tax.check_class(world, invoice, int(name[-1]), value)
            line[name] = value
        elif name == "InvoiceDetailOptionalFields":
            line[name] = defined(world, value)
        elif name not in SYSTEM:
            line[name] = value
    if not line["GLAccount"]:
        raise record_invalid("A detail needs a distribution code or a G/L account")
    gl_account(world, line["GLAccount"])
    return line


def _distribution_code(world: World, line: Record, code: str) -> None:
    found = world.get("APDistributionCodes", code)
    if found is None:
        raise record_invalid(f"Distribution code '{code}' does not exist")
    line |= {"DistributionCode": code, "GLAccount": found["GLAccount"], "DistributedAmount": Decimal(0)}
    line["DistributionDescription"] = found.get("Description", "")


def exact(name: str, value: Any, currency: str) -> None:
    """An amount has the decimals of its currency (inferred: no source says what happens to more)."""
    if Decimal(value) != Decimal(value).quantize(tax.unit_of(currency)):
        raise record_invalid(f"{name} {value} has more decimals than the currency")


def gl_account(world: World, number: str) -> None:
    """Check an account by its unformatted number; raises `Refusal` (RecordInvalid)."""
    account = world.get("GLAccounts", number)
    if account is None:
        raise record_invalid(f"Account '{number}' does not exist")
    if account.get("Status") == "Inactive":
        raise record_invalid(f"Account '{number}' is inactive")
    if account.get("PostToAccount") == "Prohibited":
        raise record_invalid(f"Posting to account '{number}' is prohibited")


def defined(world: World, rows: list[Record]) -> list[Record]:
    """Return optional field rows whose codes are defined; raises `Refusal` (RecordInvalid)."""
    for row in rows:
        if row.get("OptionalField") not in world.optional_fields:
            raise record_invalid(f"Optional field '{row.get('OptionalField')}' is not defined for A/P invoices")
    return rows
