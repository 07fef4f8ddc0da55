"""Tax of an invoice: rates by authority and class, sums, balance (`docs/vendors/sage_300.md`; details inferred)."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from iso4217 import Currency

from .errors import record_invalid
from .fields import Record
from .world import World

ZERO = Decimal("0.00")


def unit_of(currency: str) -> Decimal:
    """The smallest amount of a currency: two decimals, unless the standard says otherwise (inferred)."""
    try:
        places = Currency(currency).exponent
    except ValueError:
        places = None
    return Decimal(1).scaleb(-(2 if places is None else places))


def check_class(world: World, invoice: Record, number: int, value: object) -> None:
    """Check a tax class against the authority of the same number; raises `Refusal` (RecordInvalid)."""
    authority = invoice.get(f"TaxAuthority{number}")
    if not authority:
        if value:
            raise record_invalid(f"The document has no tax authority {number}")
    elif value not in world.tax_rates[authority]:
        raise record_invalid(f"Tax class {value} does not exist for tax authority '{authority}'")


def total_up(world: World, invoice: Record) -> None:
    """Write bases, tax amounts and totals. A stated tax amount of the header wins, then those of the details.

    A tax amount that nobody states is computed: the base of each class summed first, then rounded once.
    """
    lines = invoice["InvoiceDetails"]
    for line in lines:
        line["DistributedAmountBeforeTaxes"] = line["DistributedAmount"]
    net = sum((Decimal(line["DistributedAmount"]) for line in lines), ZERO)
    total = ZERO
    for number in range(1, 6):
        authority = invoice.get(f"TaxAuthority{number}")
        if not authority:
            continue
        name = f"TaxAmount{number}"
        invoice[f"TaxBase{number}"] = net
        if invoice.get(name) is None:
            invoice[name] = _of_lines(world, authority, lines, number, unit_of(invoice["CurrencyCode"]))
        total += invoice[name]
    invoice["DocumentTotalBeforeTaxes"], invoice["TotalTaxAmount"] = net, total


def _of_lines(world: World, authority: str, lines: list[Record], number: int, unit: Decimal) -> Decimal:
    stated, bases = ZERO, defaultdict[int, Decimal](Decimal)
    for line in lines:
        if line.get(f"TaxAmount{number}") is not None:
            stated += line[f"TaxAmount{number}"]
        else:
            bases[int(line[f"TaxClass{number}"])] += Decimal(line["DistributedAmount"])
    rates = world.tax_rates[authority]
    return stated + sum(
        ((base * rates[code] / 100).quantize(unit, ROUND_HALF_UP) for code, base in bases.items()), ZERO
    )


def out_of_balance(invoice: Record) -> Decimal:
    """The document total less distributions and tax."""
    owed: Decimal = invoice["DocumentTotalBeforeTaxes"] + invoice["TotalTaxAmount"]
    return Decimal(invoice["DocumentTotalIncludingTax"]) - owed
