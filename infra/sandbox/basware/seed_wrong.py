"""Invoices that are wrong, once in each way that happens, with the fate each deserves."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal

from .codec import Record
from .seed_invoices import Coding, Maker, Seeded


def build(maker: Maker) -> list[Seeded]:
    """Return one invoice for each way of being wrong, and the two with one number."""
    return [
        _row(maker, "accountCode", "6999", "hold:account:6999", "the account has no mapping"),
        _head(maker, {"supplierCode": "V99999"}, "hold:supplier:V99999", "the supplier is unknown"),
        _row(maker, "costCenterCode", "CC999", "hold:cost_center:CC999", "the cost centre is unknown"),
        _off_by(maker, Decimal("0.03"), "post", "the totals differ by 0.03, within the tolerance"),
        _off_by(maker, Decimal("5.00"), "conflict", "the totals differ by 5.00"),
        _head(maker, {"codingRows": []}, "reject", "there are no coding rows"),
        _head(maker, {"companyCode": "9999"}, "not ours", "the company is not configured"),
        _broken(maker, {"invoiceDate": "2026-02-30T00:00:00"}, "the invoice date does not exist"),
        _broken(maker, {"invoiceNumber": "RE-" + "7" * 117}, "the invoice number has 120 characters"),
        *_twins(maker),
        _six_decimals(maker),
        _head(maker, {"invoiceTypeCode": "ZX-UNHEARD-OF"}, "post", "an unknown type code, which is a free text"),
        _zero(maker),
    ]


def _plain(maker: Maker) -> Record:
    """Return an ordinary invoice of two rows; wrong ones leave the telling amounts to the right ones."""
    amounts = (Decimal("120.00"), Decimal("35.50"))
    return maker.invoice([Coding("400010", "CC101", net, "V2") for net in amounts]) | {"currencyCode": "EUR"}


def _row(maker: Maker, field: str, value: str, fate: str, why: str) -> Seeded:
    record = _plain(maker)
    record["codingRows"][1][field] = value
    return Seeded(record, fate, why)


def _head(maker: Maker, change: Record, fate: str, why: str) -> Seeded:
    return Seeded(_plain(maker) | change, fate, why)


def _broken(maker: Maker, change: Record, why: str) -> Seeded:
    return Seeded(_plain(maker) | change, "reject", why, breaks_schema=True)


def _off_by(maker: Maker, difference: Decimal, fate: str, why: str) -> Seeded:
    """Raise the header's totals above what the rows add up to."""
    record = _plain(maker)
    record["netSum"] += difference
    record["grossSum"] += difference
    return Seeded(record, fate, why)


def _twins(maker: Maker) -> list[Seeded]:
    """Return two invoices of one supplier with one number and different amounts."""
    first = _plain(maker)
    second = _plain(maker) | {name: first[name] for name in ("supplierCode", "supplierName", "companyCode")}
    second["invoiceNumber"], second["codingRows"] = first["invoiceNumber"], second["codingRows"][:1]
    row = second["codingRows"][0]
    second |= {"netSum": row["netTotal"], "taxSum1": row["taxSum"], "grossSum": row["grossTotal"]}
    why = "the supplier's invoice number comes twice"
    return [Seeded(first, "post or conflict", why), Seeded(second, "post or conflict", why)]


def _six_decimals(maker: Maker) -> Seeded:
    """Split 100.00 in three rows of 33.333333, as a percentage split in Basware does."""
    record = maker.invoice([Coding("400020", "CC102", Decimal("33.333333"), "V0")] * 3) | {"currencyCode": "EUR"}
    record |= {"netSum": Decimal("100.00"), "grossSum": Decimal("100.00")}
    return Seeded(record, "reject", "rows with six decimals, which no ledger keeps")


def _zero(maker: Maker) -> Seeded:
    record = deepcopy(_plain(maker))
    for row in record["codingRows"]:
        row |= {"netTotal": Decimal("0.00"), "grossTotal": Decimal("0.00"), "taxSum": Decimal("0.00")}
    record |= {"netSum": Decimal("0.00"), "taxSum1": Decimal("0.00"), "grossSum": Decimal("0.00")}
    return Seeded(record, "post", "the amount is zero, which is no fault")
