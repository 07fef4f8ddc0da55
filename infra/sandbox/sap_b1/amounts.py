"""Money of a document: rounding, line amounts, VAT by group, document total, rounding difference, withholding.

Amounts keep the decimals of their currency, halves rounded up (`docs/vendors/sap_b1.md`; the details inferred).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal

from iso4217 import Currency

from .errors import rule_broken
from .fields import Record
from .world import World

CENT = Decimal("0.01")
PRICE_STEP = Decimal("0.000001")
ZERO = Decimal("0.00")
MOST_ROUNDING = Decimal("1.00")
ROUNDINGS = {"trr_RoundDown": ROUND_DOWN, "trr_RoundUp": ROUND_UP}


@dataclass(frozen=True)
class Terms:
    """How a document is reckoned: rate of a foreign currency (None: local), smallest amounts, rounding of its tax."""

    rate: Decimal | None = None
    unit: Decimal = CENT
    local_unit: Decimal = CENT
    rounding: str = ROUND_HALF_UP

    def own(self, value: Decimal) -> Decimal:
        """In the document's currency, halves away from zero."""
        return value.quantize(self.unit, ROUND_HALF_UP)

    def local(self, value: Decimal) -> Decimal:
        """In the company's currency."""
        return value.quantize(self.local_unit, ROUND_HALF_UP)

    def tax(self, value: Decimal) -> Decimal:
        """A tax of the document, by the supplier's rule."""
        return value.quantize(self.unit, self.rounding)


def cents(value: Decimal) -> Decimal:
    """Two decimals, halves away from zero."""
    return value.quantize(CENT, ROUND_HALF_UP)


def unit_of(world: World, currency: str) -> Decimal:
    """The smallest amount of a currency: as the company set it, else as the standard has it (inferred)."""
    setting = (world.tables["Currencies"].get(currency) or {}).get("Decimals") or "cdDefault"
    if setting == "cdWithoutDecimals":
        return Decimal(1)
    if digits := re.search(r"[1-6]", setting):
        return Decimal(1).scaleb(-int(digits[0]))
    try:
        places = Currency(currency).exponent
    except ValueError:
        places = None
    return CENT if places is None else Decimal(1).scaleb(-places)


def terms_of(world: World, currency: str, rate: Decimal | None, supplier: Record) -> Terms:
    """The terms of a document in `currency`."""
    rounding = ROUNDINGS.get(supplier.get("TaxRoundingRule") or "", ROUND_HALF_UP)
    return Terms(rate, unit_of(world, currency), unit_of(world, world.local_currency), rounding)


def net_of(line: Record, terms: Terms) -> Decimal | None:
    """The net amount of a line in document currency, None when the line states none.

    In a document of foreign currency LineTotal is local and RowTotalFC foreign; UnitPrice is in document currency
    (inferred). A stated total wins over quantity and price.
    """
    rate = terms.rate
    if rate is not None and line.get("RowTotalFC") is not None:
        return terms.own(line["RowTotalFC"])
    if rate is None and line.get("LineTotal") is not None:
        return terms.own(line["LineTotal"])
    price = line.get("UnitPrice") if line.get("UnitPrice") is not None else line.get("Price")
    if price is not None:
        left = 1 - (line.get("DiscountPercent") or Decimal(0)) / 100
        return terms.own((line.get("Quantity") or Decimal(1)) * price * left)
    if line.get("LineTotal") is not None and rate is not None:
        return terms.own(line["LineTotal"] / rate)
    return None


def price_line(line: Record, net: Decimal, percent: Decimal, terms: Terms) -> None:
    """Write the amounts that the server computes into a line."""
    quantity, rate = line.get("Quantity") or Decimal(1), terms.rate
    local = net if rate is None else terms.local(net * rate)
    line["LineTotal"], line["OpenAmount"] = local, local
    line["RowTotalFC"] = line["OpenAmountFC"] = ZERO if rate is None else net
    if line.get("UnitPrice") is None:
        line["UnitPrice"] = (net / quantity).quantize(PRICE_STEP, ROUND_HALF_UP).normalize()
    line["Price"] = (net / quantity).quantize(PRICE_STEP, ROUND_HALF_UP).normalize()
    line["TaxPercentagePerRow"] = percent
    line["TaxTotal"] = line["NetTaxAmount"] = terms.local(local * percent / 100)
    line["NetTaxAmountFC"] = ZERO if rate is None else terms.own(net * percent / 100)
    line["GrossTotal"] = local + line["TaxTotal"]
    line["GrossTotalFC"] = ZERO if rate is None else net + line["NetTaxAmountFC"]


def _tax(lines: list[Record], name: str, terms: Terms, reverse: set[str]) -> Decimal:
    """VAT of the document: each group's base summed first, then rounded once; a reversed tax is in no sum."""
    bases: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for line in lines:
        if line.get("VatGroup") not in reverse:
            bases[line.get("VatGroup") or "", line["TaxPercentagePerRow"]] += line[name]
    return sum((terms.tax(base * percent / 100) for (_, percent), base in bases.items()), terms.own(ZERO))


def total_up(document: Record, terms: Terms, reverse: set[str]) -> None:
    """Write VatSum, DocTotal and their foreign twins from the priced lines."""
    lines, rate = document["DocumentLines"], terms.rate
    if rate is None:
        document["VatSum"], document["VatSumFc"] = _tax(lines, "LineTotal", terms, reverse), ZERO
        document["DocTotal"] = sum((line["LineTotal"] for line in lines), document["VatSum"])
        document["DocTotalFc"] = ZERO
    else:
        document["VatSumFc"] = _tax(lines, "RowTotalFC", terms, reverse)
        document["DocTotalFc"] = sum((line["RowTotalFC"] for line in lines), document["VatSumFc"])
        document["VatSum"] = terms.local(document["VatSumFc"] * rate)
        document["DocTotal"] = terms.local(document["DocTotalFc"] * rate)


def round_off(document: Record, wanted: Record, terms: Terms) -> None:
    """Take over the sender's rounding (`Rounding` with its amount), else the total that it states."""
    document |= {"Rounding": "tNO", "RoundingDiffAmount": ZERO, "RoundingDiffAmountFC": ZERO}
    name, total = ("RoundingDiffAmount", "DocTotal") if terms.rate is None else ("RoundingDiffAmountFC", "DocTotalFc")
    if wanted.get("Rounding") == "tYES" and wanted.get(name):
        _round_to(document, document[total] + terms.own(wanted[name]), total, name, terms)
        if terms.rate is not None:
            _follow(document, terms.rate, terms)
    else:
        _meet_total(document, wanted, terms)


def _round_to(document: Record, wanted: Decimal, total: str, rounding: str, terms: Terms) -> Decimal:
    difference: Decimal = wanted - document[total]
    if abs(difference) > MOST_ROUNDING * max(terms.unit / CENT, Decimal(1)):
        raise rule_broken(f"Rounding difference {difference} of {total} is too large")
    if difference:
        document |= {"Rounding": "tYES", rounding: difference, total: wanted}
    return difference


def _follow(document: Record, rate: Decimal, terms: Terms) -> None:
    document["RoundingDiffAmount"] = terms.local(document["RoundingDiffAmountFC"] * rate)
    document["DocTotal"] = terms.local(document["DocTotalFc"] * rate)


def _meet_total(document: Record, wanted: Record, terms: Terms) -> None:
    """Make the total the one that the sender states; the difference, up to 1.00, becomes rounding (inferred)."""
    rate = terms.rate
    if rate is not None and wanted.get("DocTotalFc") is not None:
        _round_to(document, terms.own(wanted["DocTotalFc"]), "DocTotalFc", "RoundingDiffAmountFC", terms)
        _follow(document, rate, terms)
    elif wanted.get("DocTotal") is not None:
        stated = terms.local(wanted["DocTotal"])
        difference = _round_to(document, stated, "DocTotal", "RoundingDiffAmount", terms)
        if rate is not None:
            document["RoundingDiffAmountFC"] = terms.own(difference / rate)
            document["DocTotalFc"] += document["RoundingDiffAmountFC"]


def withhold(document: Record, percent: Decimal, terms: Terms) -> None:
    """Take the tax that is withheld from the supplier, a percentage of the net, off the total."""
    rate = terms.rate
    total, held, vat = ("DocTotal", "WTAmount", "VatSum") if rate is None else ("DocTotalFc", "WTAmountFC", "VatSumFc")
    document |= {"WTAmount": ZERO, "WTAmountFC": ZERO}
    document[held] = terms.own((document[total] - document[vat]) * percent / 100)
    document[total] -= document[held]
    if rate is not None:
        document["WTAmount"] = terms.local(document[held] * rate)
        document["DocTotal"] = terms.local(document[total] * rate)
