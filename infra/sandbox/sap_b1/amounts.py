"""Money of a document: rounding, line amounts, VAT by group, document total, rounding difference.

Amounts are kept with the company's two decimals, halves rounded up (`docs/vendors/sap_b1.md`; the details inferred).
"""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from infra.sandbox.sap_b1.errors import rule_broken
from infra.sandbox.sap_b1.fields import Record

CENT = Decimal("0.01")
PRICE_STEP = Decimal("0.000001")
ZERO = Decimal("0.00")
MOST_ROUNDING = Decimal("1.00")


def cents(value: Decimal) -> Decimal:
    """Two decimals, halves away from zero."""
    return value.quantize(CENT, ROUND_HALF_UP)


def net_of(line: Record, rate: Decimal | None) -> Decimal | None:
    """The net amount of a line in document currency, None when the line states none.

    In a document of foreign currency LineTotal is local and RowTotalFC foreign; UnitPrice is in document currency
    (inferred). A stated total wins over quantity and price.
    """
    if rate is not None and line.get("RowTotalFC") is not None:
        return cents(line["RowTotalFC"])
    if rate is None and line.get("LineTotal") is not None:
        return cents(line["LineTotal"])
    price = line.get("UnitPrice") if line.get("UnitPrice") is not None else line.get("Price")
    if price is not None:
        left = 1 - (line.get("DiscountPercent") or Decimal(0)) / 100
        return cents((line.get("Quantity") or Decimal(1)) * price * left)
    if line.get("LineTotal") is not None and rate is not None:
        return cents(line["LineTotal"] / rate)
    return None


def price_line(line: Record, net: Decimal, percent: Decimal, rate: Decimal | None) -> None:
    """Write the amounts that the server computes into a line."""
    quantity = line.get("Quantity") or Decimal(1)
    local = net if rate is None else cents(net * rate)
    line["LineTotal"], line["OpenAmount"] = local, local
    line["RowTotalFC"] = line["OpenAmountFC"] = ZERO if rate is None else net
    if line.get("UnitPrice") is None:
        line["UnitPrice"] = (net / quantity).quantize(PRICE_STEP, ROUND_HALF_UP).normalize()
    line["Price"] = (net / quantity).quantize(PRICE_STEP, ROUND_HALF_UP).normalize()
    line["TaxPercentagePerRow"] = percent
    line["TaxTotal"] = line["NetTaxAmount"] = cents(local * percent / 100)
    line["NetTaxAmountFC"] = ZERO if rate is None else cents(net * percent / 100)
    line["GrossTotal"] = local + line["TaxTotal"]
    line["GrossTotalFC"] = ZERO if rate is None else net + line["NetTaxAmountFC"]


def _tax(lines: list[Record], name: str) -> Decimal:
    """VAT of the document: each group's base summed first, then rounded once."""
    bases: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for line in lines:
        bases[line.get("VatGroup") or "", line["TaxPercentagePerRow"]] += line[name]
    return sum((cents(base * percent / 100) for (_, percent), base in bases.items()), ZERO)


def total_up(document: Record, rate: Decimal | None) -> None:
    """Write VatSum, DocTotal and their foreign twins from the priced lines."""
    lines = document["DocumentLines"]
    if rate is None:
        document["VatSum"], document["VatSumFc"] = _tax(lines, "LineTotal"), ZERO
        document["DocTotal"] = sum((line["LineTotal"] for line in lines), document["VatSum"])
        document["DocTotalFc"] = ZERO
    else:
        document["VatSumFc"] = _tax(lines, "RowTotalFC")
        document["DocTotalFc"] = sum((line["RowTotalFC"] for line in lines), document["VatSumFc"])
        document["VatSum"] = cents(document["VatSumFc"] * rate)
        document["DocTotal"] = cents(document["DocTotalFc"] * rate)
    document |= {"Rounding": "tNO", "RoundingDiffAmount": ZERO, "RoundingDiffAmountFC": ZERO}


def _round_to(document: Record, wanted: Decimal, total: str, rounding: str) -> Decimal:
    difference: Decimal = cents(wanted) - document[total]
    if abs(difference) > MOST_ROUNDING:
        raise rule_broken(f"Rounding difference {difference} of {total} is too large")
    if difference:
        document |= {"Rounding": "tYES", rounding: difference, total: cents(wanted)}
    return difference


def meet_total(document: Record, wanted: Record, rate: Decimal | None) -> None:
    """Make the total the one that the sender states; the difference, up to 1.00, becomes rounding (inferred)."""
    if rate is not None and wanted.get("DocTotalFc") is not None:
        difference = _round_to(document, wanted["DocTotalFc"], "DocTotalFc", "RoundingDiffAmountFC")
        document["RoundingDiffAmount"] = cents(difference * rate)
        document["DocTotal"] = cents(document["DocTotalFc"] * rate)
    elif wanted.get("DocTotal") is not None:
        difference = _round_to(document, wanted["DocTotal"], "DocTotal", "RoundingDiffAmount")
        if rate is not None:
            document["RoundingDiffAmountFC"] = cents(difference / rate)
            document["DocTotalFc"] += document["RoundingDiffAmountFC"]
