"""What an invoice comes to: tax, distribution, currencies (`docs/vendors/syspro.md`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from .errors import NOT_FOUND, SUM, blank, wrong
from .items import Parameters, amount, letter
from .ledger import account, analysis, cents
from .markup import Node
from .tables import Record
from .world import World

INSIDE = "LedgerDistribution"


@dataclass
class Line:
    """One distribution; `value` as it is given, `local` in local currency."""

    code: str
    value: Decimal
    tax_code: str
    text: str
    local: Decimal = Decimal(0)


@dataclass
class Amounts:
    """An invoice in its supplier's currency; `rate`: local currency for one unit of it."""

    gross: Decimal
    tax: Decimal
    tax_code: str
    rate: Decimal
    lines: list[Line] = field(default_factory=list)
    local_tax: Decimal = Decimal(0)
    discountable: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        """What is left of the gross value without tax."""
        return self.gross - self.tax


def amounts(world: World, item: Node, options: Parameters, supplier: Record) -> Amounts:
    """Work out an item's amounts; refuses it where they do not add up."""
    gross = amount(item, "TransactionValue")
    if gross < 0 and item.get("TransactionCode") != "A":
        raise wrong("TransactionValue", str(gross), "Transaction value cannot be negative", SUM)
    codes_count = not (supplier["Supplier"] in world.foreign_tax and letter(item, "EcAcquisition", "YN", "Y") == "Y")
    rate = _rate(world, item, supplier)
    lines = [_line(world, node, options, codes_count=codes_count) for node in item.all(INSIDE)]
    if not lines:
        raise blank("LedgerCode", INSIDE)
    code = _tax_code(world, item, "TaxCode") if codes_count else ""
    local = options["LedgerDistributionCurrency"] == "L"
    found = Amounts(gross, Decimal(0), code, rate, lines)
    _tax(world, item, options, found, factor=rate if local else Decimal(1), counts=codes_count)
    for line in lines:
        line.local = line.value if local else cents(line.value * rate)
    found.local_tax = cents(found.tax * rate)
    found.discountable = amount(item, "DiscountableValue", default="0")
    return found


def _rate(world: World, item: Node, supplier: Record) -> Decimal:
    """Local currency for one unit of the supplier's: there is no other currency that an invoice could have."""
    currency = supplier["Currency"]
    if not currency or currency == world.local_currency:
        return Decimal(1)
    fixed = amount(item, "FixedExchRate", default="0", decimals=6)
    if fixed > 0:
        return fixed
    if currency not in world.rates:
        raise wrong("Supplier", supplier["Supplier"], f"Currency '{currency}' has no exchange rate", NOT_FOUND)
    return world.rates[currency]


def _line(world: World, node: Node, options: Parameters, *, codes_count: bool) -> Line:
    code = account(world, node, INSIDE, "PasswordForLedgerCode")
    value = amount(node, "LedgerValue", INSIDE)
    ignored = options["IgnoreAnalysis"] == "Y"
    analysis(world, node, code, value, INSIDE, "AnalysisLineEntry", ignored=ignored)
    tax_code = _tax_code(world, node, "LedgerTaxCode", INSIDE) if codes_count else ""
    return Line(code, value, tax_code, node.get("LedgerNotation"))


def _tax_code(world: World, node: Node, name: str, inside: str = "") -> str:
    text = node.get(name)
    if text and (not re.fullmatch("[A-Z]", text) or text not in world.tax_rates):
        raise wrong(name, text, f"Tax code '{text}' not found", NOT_FOUND, inside)
    return text


def _tax(world: World, item: Node, options: Parameters, found: Amounts, *, factor: Decimal, counts: bool) -> None:
    """Settle the tax and check the sum, both in the currency of the distribution."""
    basis = letter(item, "TaxBasis", "EI", "E")
    percents = [world.tax_rates.get(line.tax_code or found.tax_code, Decimal(0)) for line in found.lines]
    coded = bool(found.tax_code) or any(line.tax_code for line in found.lines)
    if basis == "E":
        worked = sum((cents(one.value * p / 100) for one, p in zip(found.lines, percents, strict=True)), Decimal(0))
    else:
        worked = sum(
            (cents(one.value * p / (100 + p)) for one, p in zip(found.lines, percents, strict=True)), Decimal(0)
        )
    given = amount(item, "TaxValue", default="0") if counts else Decimal(0)
    tax = worked if options["AutomaticTaxCalculation"] == "Y" else cents(given * factor)
    if tax and not coded:
        raise blank("TaxCode")
    gross = cents(found.gross * factor)
    total = sum(line.value for line in found.lines) + (tax if basis == "E" else 0)
    if total != gross:
        text = f"Distribution of {total} does not equal the transaction value of {gross}"
        raise wrong("LedgerValue", str(total), text, SUM, INSIDE)
    if basis == "E" and coded and len(found.lines) > 1 and tax != worked:
        # The object's own tax is booked; what differs, within the variance, goes to the first distribution.
        if abs(tax - worked) > Decimal(options["PermissibleTaxVariance"]):
            raise wrong("TaxValue", str(tax), f"Tax value {tax} differs from the calculated tax of {worked}", SUM)
        found.lines[0].value += tax - worked
        tax = worked
    found.tax = tax if factor == 1 else cents(tax / factor)
