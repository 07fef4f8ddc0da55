"""Invoices into the simulated Sage X3, over each way of writing and of reading back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.sage_x3.seed import POOL
from ml_connector.errors import Held
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.kit.invoices import InvoiceTarget
from tests.contract.sage_x3.conftest import Bench

JOURNAL = {
    "entry_type": "PIINV", "journal": "ACH", "site": "FR011", "payable_account": "401100", "control": "401",
    "tax_account": "445660", "rounding_account": "658000",
}  # fmt: skip
WRITABLE = {"journal": {"representation": "ZGACCENTRY"}}
SOAP = {"url": "https://x3.example", "pool_alias": POOL, "templates": {"journal": "GACCENTRY"}}
WAYS: dict[str, dict[str, Any]] = {
    "api1": {"write_via": "api1", "classes": WRITABLE},
    "graphql": {"write_via": "graphql", "api": "graphql"},
    "soap": {"write_via": "soap", "soap": SOAP},
    "soap, read by GraphQL": {"write_via": "soap", "soap": SOAP, "api": "graphql"},
}
ways = pytest.mark.parametrize("way", WAYS)


class Codes:
    """Every code is the same on both sides, unless a test maps or removes it."""

    def __init__(self) -> None:
        self.mapped: dict[tuple[str, str], str] = {}
        self.missing: set[tuple[str, str]] = set()

    def erp(self, kind: str, code: str) -> str:
        if (kind, code) in self.missing:
            raise Held(f"{kind}:{code}", "not mapped")
        return self.mapped.get((kind, code), code)

    def platform(self, kind: str, code: str) -> str:
        return code

    def named(self, kind: str, code: str) -> str:
        return code


def settings(way: str, **more: Any) -> dict[str, Any]:
    """Give the fields of a secret that writes one way."""
    return {"journal": JOURNAL, **WAYS[way], **more}


def opened(make: Callable[..., Bench], way: str, **more: Any) -> Bench:
    """Make a bench whose folder lets entries be created this way."""
    bench = make(**settings(way, **more))
    bench.world.operations.add("x3Finance.journalEntry")
    return bench


def target(bench: Bench) -> InvoiceTarget[Any]:
    """Make a target that remembers nothing."""
    found = bench.again().connection.target(Invoice)
    assert isinstance(found, InvoiceTarget)
    return found


def row(**fields: Any) -> CodingRow:
    plain = {
        "key": "1",
        "account": "400001",
        "cost_center": "CC101",
        "net": "100.00",
        "tax": "19.00",
        "tax_code": "FRNOR",
    }
    money = {"net", "tax", "gross", "tax_percent"}
    values: dict[str, Any] = {k: Decimal(v) if k in money else v for k, v in {**plain, **fields}.items()}
    return CodingRow(**values)


def invoice(*rows: CodingRow, **fields: Any) -> Invoice:
    """Give an approved invoice of a supplier in good standing."""
    plain: dict[str, Any] = {
        "key": "inv-1", "number": "R-4711", "company": "FR10", "supplier": "V10000", "currency": "EUR",
        "gross": "119.00", "invoice_date": date(2026, 1, 30), "accounting_date": date(2026, 2, 1),
        "due_date": date(2026, 3, 1), "description": "Paper, ink & more",
    }  # fmt: skip
    values = plain | fields
    return Invoice(**{**values, "gross": Decimal(values["gross"]), "rows": rows or (row(),)})


def post(bench: Bench, given: Invoice | None = None, codes: Codes | None = None) -> Any:
    """Bring an invoice the whole way, and give it as it is read back."""
    one = target(bench)
    prepared = one.prepare(given or invoice(), codes or Codes())
    assert one.look(prepared) == []
    found = one.send(prepared)
    assert [there.id for there in target(bench).look(prepared)] == [found.id]
    back = one.read_back(found)
    assert (back.id, back.amount, back.kind) == (found.id, prepared.amount, prepared.kind)
    wrong = {
        name: (value, back.written.get(name, back.written.get(name.partition(" ")[0])))
        for name, value in prepared.written.items()
        if Decimal(back.written.get(name, back.written.get(name.partition(" ")[0], "NaN"))) != Decimal(value)
        and (name in back.written or name.partition(" ")[0] in back.written)
    }
    assert not wrong
    return back


def entries(bench: Bench) -> list[dict[str, Any]]:
    """The entries that were made here."""
    known = {"STDJE", "RVSJE"}
    return [one for one in bench.world.rows("GACCENTRY") if one["TYP"] not in known and one["CREUSR"] != ""]


def sums(bench: Bench, number: str, kind: str = "PIINV") -> dict[str, Decimal]:
    """What an entry has by account, debits positive."""
    found: dict[str, Decimal] = {}
    for line in bench.world.rows("GACCENTRYD"):
        if (line["TYP"], line["NUM"], line["LEDTYP"]) == (kind, number, 1):
            found[line["ACC"]] = found.get(line["ACC"], Decimal(0)) + line["SNS"] * line["AMTCUR"]
    return found
